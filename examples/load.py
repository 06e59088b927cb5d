#!/usr/bin/env python3
"""load.py [--short] SERVER -- what 10,000 idle and 500 active connections cost an echo server, and what
a peer costs that sends 1,000,000 pings and never reads a pong. Linux only: it reads /proc.

--short does a fiftieth of that. Ends with 1 if memory or time is not what it should be.
"""

import argparse
import os
import resource
import selectors
import signal
import sys
import threading
import time

import raw_peer
from raw_peer import BINARY, PING, PONG, Server, frame

KIBI = 1024
AT_MOST_IDLE = 4 * KIBI  # octets for an idle connection: itself, and what keeps track of it
AT_MOST_IDLE_SANITIZED = 32 * KIBI  # sanitizers keep more, and keep it longer
AT_MOST_PINGS = 256 * KIBI  # octets for any number of pings


def idle(server, count, at_most):
    """Connections that have talked once, and then fall silent; octets for each."""
    raw_peer.client(server.port).socket.close()
    time.sleep(0.1)
    before = server.memory()
    begin = time.monotonic()
    peers = []
    while len(peers) < count:
        peers += raw_peer.clients(server.port, min(100, count - len(peers)))
    took = time.monotonic() - begin
    time.sleep(1.5)  # memory is given back after a second
    each = (server.memory() - before) / count
    busy = server.cpu_seconds()
    time.sleep(1)
    busy = server.cpu_seconds() - busy
    print(f'{count} idle connections: {each:.0f} octets each; {count / took:.0f} opened a second')
    print(f'    waiting for them takes {busy * 100:.0f} % of a processor')
    assert each < at_most, 'too much memory'
    assert busy < 0.2, 'it does not wait, it spins'
    return peers


def active(server, count, seconds):
    """Connections that always have a message on its way; echoes a second."""
    question = frame(BINARY, bytes(range(100)), masked=True)
    answer = frame(BINARY, bytes(range(100)), masked=False)
    peers = raw_peer.clients(server.port, count)
    echoes = dict.fromkeys(peers, 0)
    with selectors.DefaultSelector() as selector:
        for peer in peers:
            selector.register(peer.socket, selectors.EVENT_READ, peer)
            peer.socket.sendall(question)
        before = server.cpu_seconds()
        begin = time.monotonic()
        while time.monotonic() < begin + seconds:
            for key, _ in selector.select(1):
                assert key.fileobj.recv(len(answer) + 1) == answer
                echoes[key.data] += 1
                key.fileobj.sendall(question)
        took = time.monotonic() - begin
    total = sum(echoes.values())
    busy = (server.cpu_seconds() - before) / took
    print(f'{count} active connections: {total / took:.0f} echoes a second, {busy * 100:.0f} % of a processor')
    print(f'    the slowest got {min(echoes.values())}, the fastest {max(echoes.values())}')
    assert min(echoes.values()) > 0, 'somebody was not served'
    for peer in peers:
        peer.socket.close()


def pings(server, count):
    """A peer that sends pings and reads nothing; octets for it."""
    deaf = raw_peer.client(server.port, seconds=60, receive_buffer=4 * KIBI)
    other = raw_peer.client(server.port)
    some = b''.join(frame(PING, i.to_bytes(4, 'big') * 4, masked=True) for i in range(1000))
    for _ in range(5):
        deaf.socket.sendall(some)
    assert other.is_echoed()
    before = server.memory()
    sending = threading.Thread(target=lambda: [deaf.socket.sendall(some) for _ in range(count // 1000)])
    begin = time.monotonic()
    sending.start()
    most = before
    slowest = 0.0
    while sending.is_alive():
        most = max(most, server.memory())
        asked = time.monotonic()
        assert other.is_echoed()
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.005)
    sending.join()
    deaf.send(PING, b'the last')  # and now it reads
    while deaf.receive() != (PONG, b'the last'):
        pass
    took = time.monotonic() - begin
    print(f'{count} pings from a peer that never reads: {most - before} octets more, {count / took:.0f} pings a second')
    print(f'    meanwhile another waits {slowest * 1000:.0f} ms for an echo at the most')
    assert most - before < AT_MOST_PINGS, 'too much memory'
    assert slowest < 1, 'others have to wait'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--short', action='store_true')
    parser.add_argument('server', metavar='SERVER')
    given = parser.parse_args()
    part = 50 if given.short else 1
    if sys.platform != 'linux':
        sys.exit('it reads /proc')
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(10_000 // part, most - 600)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.alarm(120)
    with open(given.server, 'rb') as program:
        at_most = AT_MOST_IDLE_SANITIZED if b'__asan_init' in program.read() else AT_MOST_IDLE
    with Server(given.server) as server:
        pings(server, 1_000_000 // part)
    with Server(given.server) as server:
        peers = idle(server, count, at_most)
        active(server, 500 // (5 if given.short else 1), 1 if given.short else 10)
        peers[0].is_echoed()
        for peer in peers:
            peer.reset()
        assert server.stop() == 0


main()
