"""relay.py -- stands between a client and a server, and writes down what passes as a capture file.

A capture needs privileges; a relay needs none. The octets are real, the IP and TCP headers are made up.
"""

import contextlib
import socket
import struct
import threading
import time

CLIENT, SERVER = ('10.0.0.1', 40000), ('10.0.0.2', 80)
SYN, FIN, ACK, PUSH = 2, 1, 16, 8


class Relay:
    """Relays one connection after the other; `passed` has (from the client?, octets) in the order they came."""

    def __init__(self, port_behind):
        self.behind = port_behind
        self.passed = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.running = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(('127.0.0.1', self.behind))
                for ends in ((True, client, server), (False, server, client)):
                    self.running.append(threading.Thread(target=self.carry, args=ends, daemon=True))
                    self.running[-1].start()

    def carry(self, from_client, source, sink):
        with contextlib.suppress(OSError):
            while octets := source.recv(1 << 15):
                with self.lock:
                    self.passed.append((from_client, octets))
                sink.sendall(octets)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def finish(self, seconds=5):
        """What has passed, once both sides have ended their connections."""
        self.listener.close()
        for thread in self.running:
            thread.join(seconds)
        return self.passed


def write_capture(path, passed):
    """A pcap file of one TCP connection with these octets in it."""
    numbers = {True: 1000, False: 2000}  # the next sequence number of each side
    now = time.time()
    with open(path, 'wb') as file:
        file.write(struct.pack('=IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, 101))

        def packet(from_client, flags, octets=b''):
            nonlocal now
            now += 0.0001
            source, sink = (CLIENT, SERVER) if from_client else (SERVER, CLIENT)
            acknowledged = numbers[not from_client] if flags & ACK else 0
            tcp = struct.pack(
                '!HHIIBBHHH', source[1], sink[1], numbers[from_client], acknowledged, 5 << 4, flags, 65535, 0, 0
            )
            ends = socket.inet_aton(source[0]) + socket.inet_aton(sink[0])
            ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(tcp) + len(octets), 0, 0, 64, 6, 0) + ends
            size = len(ip) + len(tcp) + len(octets)
            file.write(struct.pack('=IIII', int(now), int(now % 1 * 1e6), size, size) + ip + tcp + octets)
            numbers[from_client] += len(octets) + bool(flags & (SYN | FIN))

        packet(True, SYN)
        packet(False, SYN | ACK)
        packet(True, ACK)
        for from_client, octets in passed:
            packet(from_client, ACK | PUSH, octets)
        packet(True, FIN | ACK)
        packet(False, FIN | ACK)
        packet(True, ACK)
