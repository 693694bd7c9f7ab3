"""Ends of the exchanges that the router tests make: `serve`, `tcp HOST BYTES`, `udp HOST`. Says `ready` and `ok`."""

import binascii
import select
import socket
import sys

PORT = 5000
BLOCK = bytes(range(256)) * 256
SIZES = [0, 1, 17, 511, 1400, 1472] * 30 + [1473, 8000, 30000]


def read(connection, count, sink):
    while count:
        part = connection.recv(min(count, 1 << 18))
        if not part:
            raise SystemExit("the connection ended early")
        sink(part)
        count -= len(part)


def swallow(connection, count):
    crc = 0

    def sink(part):
        nonlocal crc
        crc = binascii.crc32(part, crc)

    read(connection, count, sink)
    return crc


def pour(connection, count):
    crc = 0
    while count:
        part = BLOCK[:count]
        connection.sendall(part)
        crc = binascii.crc32(part, crc)
        count -= len(part)
    return crc


def number(connection):
    parts = []
    read(connection, 8, parts.append)
    return int.from_bytes(b"".join(parts), "big")


def serve():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("0.0.0.0", PORT))
    tcp = socket.create_server(("0.0.0.0", PORT))
    print("ready", flush=True)
    while True:
        if udp in select.select([udp, tcp], [], [])[0]:
            data, sender = udp.recvfrom(1 << 16)
            udp.sendto(data, sender)
            continue
        connection, _ = tcp.accept()
        count = number(connection)
        connection.sendall(swallow(connection, count).to_bytes(8, "big"))
        connection.sendall(pour(connection, count).to_bytes(8, "big"))
        connection.close()


def tcp(host, count):
    connection = socket.create_connection((host, PORT), timeout=30)
    connection.sendall(count.to_bytes(8, "big"))
    if pour(connection, count) != number(connection):
        raise SystemExit("what arrived there is not what was sent")
    if swallow(connection, count) != number(connection):
        raise SystemExit("what arrived here is not what was sent")
    print("ok")


def udp(host):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(1)
    # Without DF: what is longer than an MTU is fragmented on the way.
    client.setsockopt(socket.IPPROTO_IP, 10, 0)
    client.connect((host, PORT))
    for size in SIZES:
        data = BLOCK[:size]
        for _ in range(5):
            client.send(data)
            try:
                answer = client.recv(1 << 16)
                break
            except TimeoutError:
                continue
        else:
            raise SystemExit(f"no answer to {size} bytes")
        if answer != data:
            raise SystemExit(f"{len(answer)} other bytes came back for {size}")
    print("ok")


if sys.argv[1] == "serve":
    serve()
elif sys.argv[1] == "tcp":
    tcp(sys.argv[2], int(sys.argv[3]))
else:
    udp(sys.argv[2])
