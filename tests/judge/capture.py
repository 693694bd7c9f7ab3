"""capture.py FILE: writes each frame at any interface of this network namespace to FILE, a line each: interface,
in or out, bytes in hex. Says that it is ready by making FILE."""
import socket, sys

ETH_P_ALL, BUFFER, LARGEST = 3, 4 << 20, 14 + 65535
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE
with open(sys.argv[1], "w") as out:
    while True:
        frame, sender = sock.recvfrom(LARGEST)
        way = "out" if sender[2] == 4 else "in"  # PACKET_OUTGOING
        if sender[0] != "lo" or way == "in":  # on lo a frame is seen going out and coming in
            out.write("%s %s %s\n" % (sender[0], way, frame.hex()))
            out.flush()
