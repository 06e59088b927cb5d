#!/usr/bin/env python3
"""load.py [--short] [--table FILE] SERVER -- what 10,000 idle and 500 active connections cost an echo server, and what
a peer costs that sends 1,000,000 pings and never reads a pong. Linux only: it reads /proc.

--short does a fiftieth of that. --table puts the figures between the markers in FILE. Ends with 1 if memory or time
is not what it should be.
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
    return peers, [(f'{count:,} idle connections', f'{each:,.0f} octets of memory each')]


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
    return [(f'{count:,} active connections, 100 octets', f'{total / took:,.0f} echoes a second, everybody is served')]


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
    return [(f'{count:,} pings from a peer that never reads', f'{most - before:,} octets of memory more')]


def write_table(file, rows):
    """Replaces what stands between the two markers."""
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        processor = next(line.split(':')[1].strip() for line in info if line.startswith('model name'))
    lines = ['| on the `poll` echo server | measured |', '|---|---|']
    lines += [f'| {what} | {measured} |' for what, measured in rows]
    lines += [
        '',
        f'Measured on {os.uname().machine} ({processor}), client and server on {os.cpu_count()} processors, '
        'by the build target `load`.',
    ]
    begin, end = '<!-- load -->', '<!-- end of load -->'
    with open(file, encoding='utf-8') as old:
        before, rest = old.read().split(begin)
    behind = rest.split(end)[1]
    with open(file, 'w', encoding='utf-8') as new:
        new.write('\n'.join([before + begin, *lines, end + behind]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--short', action='store_true')
    parser.add_argument('--table', metavar='FILE', help='replaces the section between its markers')
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
        rows = pings(server, 1_000_000 // part)
    with Server(given.server) as server:
        peers, of_idle = idle(server, count, at_most)
        rows += of_idle + active(server, 500 // (5 if given.short else 1), 1 if given.short else 10)
        peers[0].is_echoed()
        for peer in peers:
            peer.reset()
        assert server.stop() == 0
    if given.table:
        write_table(given.table, rows)


main()
