"""Hosts that speak in tagged frames: `ask IFNAME VID` sends, `answer IFNAME VID` waits. Both say `ok`."""

import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, ALL = 263, 8, 3
ASKER, ANSWERER = bytes.fromhex("020000000102"), bytes.fromhex("020000000202")
NEAR, ROUTER, FAR = (bytes(address) for address in ([10, 1, 0, 2], [10, 1, 0, 1], [10, 2, 0, 2]))
PAYLOAD = b"a tagged datagram"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(source, target, ports):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(PAYLOAD), 7, 0, 64, 17, 0, source, target)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + struct.pack("!HHHH", *ports, 8 + len(PAYLOAD), 0) + PAYLOAD


def send(link, target, source, vid, kind, payload):
    link.send(target + source + struct.pack("!HHH", 0x8100, 3 << 13 | vid, kind) + payload)


def receive(link, vid, kind, wanted):
    """The first frame with this tag and type that somebody else sent; its tag comes beside it."""
    while True:
        data, control, _, address = link.recvmsg(2048, socket.CMSG_SPACE(20))
        tags = [struct.unpack("=IIIHHHH", value)[5] & 0xFFF for level, name, value in control if level == SOL_PACKET]
        if address[2] != 4 and tags == [vid] and data[12:14] == kind.to_bytes(2, "big") and wanted(data[14:]):
            return data


def ask(link, vid):
    request = struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, ASKER, NEAR, bytes(6), ROUTER)
    send(link, b"\xff" * 6, ASKER, vid, 0x806, request)
    router = receive(link, vid, 0x806, lambda arp: arp[7] == 2 and arp[14:18] == ROUTER)[6:12]
    send(link, router, ASKER, vid, 0x800, datagram(NEAR, FAR, (1000, 2000)))
    receive(link, vid, 0x800, lambda ip: ip[12:20] == FAR + NEAR and ip.endswith(PAYLOAD) and ip[8] == 63)


def answer(link, vid):
    print("ready", flush=True)
    came = receive(link, vid, 0x800, lambda ip: ip[12:20] == NEAR + FAR and ip.endswith(PAYLOAD) and ip[8] == 63)
    send(link, came[6:12], ANSWERER, vid, 0x800, datagram(FAR, NEAR, (2000, 1000)))


link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
link.bind((sys.argv[2], ALL))
link.settimeout(5)
(ask if sys.argv[1] == "ask" else answer)(link, int(sys.argv[3]))
print("ok")
