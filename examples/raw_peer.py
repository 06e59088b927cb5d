"""raw_peer.py -- a WebSocket peer made of nothing but a socket, for the tests of the examples.

It can do what no library lets anybody do: send half a frame, never read, vanish. What it knows of the
protocol was written from the RFC, and shares nothing with what it tests.
"""

import base64
import contextlib
import hashlib
import os
import signal
import socket
import struct
import subprocess
import time
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
COMPRESSED = 0x40  # RSV1, as a part of the opcode (RFC 7692, 6)
KEY = b'\x37\xfa\x21\x3d'
REQUEST = (
    b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
)
ACCEPT = b's3pPLMBiTxaQ9kYGzzhZRbK+xOo='  # 1.3, for that key


def frame(opcode, payload=b'', *, masked, last=True):
    mask = 0x80 if masked else 0
    head = bytes([(0x80 if last else 0) | opcode])
    if len(payload) < 126:
        head += bytes([mask | len(payload)])
    elif len(payload) < 65536:
        head += bytes([mask | 126]) + struct.pack('>H', len(payload))
    else:
        head += bytes([mask | 127]) + struct.pack('>Q', len(payload))
    if not masked:
        return head + payload
    key = KEY * (len(payload) // 4 + 1)
    flipped = int.from_bytes(payload, 'big') ^ int.from_bytes(key[: len(payload)], 'big')
    return head + KEY + flipped.to_bytes(len(payload), 'big')


class Deflate:
    """Payloads of messages with one context for each direction (RFC 7692, 7.2)."""

    def __init__(self, window_bits=15):
        self.window_bits = window_bits
        self.ours = zlib.compressobj(9, zlib.DEFLATED, -window_bits)
        self.theirs = zlib.decompressobj(-window_bits)

    def compress(self, message):
        octets = self.ours.compress(message) + self.ours.flush(zlib.Z_SYNC_FLUSH)
        return octets.removesuffix(b'\0\0\xff\xff') or b'\0'

    def decompress(self, payload):
        return self.theirs.decompress(payload + b'\0\0\xff\xff')


class Raw:
    """Frames on a socket; every wait has an end."""

    def __init__(self, connection, client, seconds=10):
        self.socket = connection
        self.socket.settimeout(seconds)
        self.client = client

    def send(self, opcode, payload=b'', **options):
        self.socket.sendall(frame(opcode, payload, masked=self.client, **options))

    def receive(self):
        """Opcode and payload of the next frame; nothing at the end of the stream."""
        head = self.exactly(2)
        if not head:
            return None
        size = head[1] & 0x7F
        if size > 125:
            size = int.from_bytes(self.exactly(2 if size == 126 else 8), 'big')
        key = self.exactly(4) if head[1] & 0x80 else b'\0\0\0\0'
        assert bool(head[1] & 0x80) != self.client, 'who masks?'
        payload = self.exactly(size)
        return head[0] & 0x4F, bytes(octet ^ key[i % 4] for i, octet in enumerate(payload)) if any(key) else payload

    def exactly(self, size):
        octets = bytearray()
        while len(octets) < size:
            more = self.socket.recv(min(size - len(octets), 1 << 20))
            if not more:
                return b''
            octets += more
        return bytes(octets)

    def head(self):
        octets = b''
        while not octets.endswith(b'\r\n\r\n'):
            octets += self.socket.recv(1)
            assert octets, 'no head'
        return octets

    def is_echoed(self, payload=b'still there?'):
        self.send(TEXT, payload)
        return self.receive() == (TEXT, payload)

    def reset(self):
        """Not an end of the stream: a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()


def client(port, seconds=10, receive_buffer=None, extensions=None):
    """A client whose opening handshake is done; `extensions` has what was agreed on."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(seconds)
    connection.connect(('127.0.0.1', port))
    raw = Raw(connection, client=True, seconds=seconds)
    offer = f'Sec-WebSocket-Extensions: {extensions}\r\n\r\n'.encode() if extensions else b'\r\n'
    raw.socket.sendall(REQUEST.removesuffix(b'\r\n') + offer)
    head = raw.head()
    assert head.startswith(b'HTTP/1.1 101 ') and ACCEPT in head, head
    fields = dict(line.split(': ', 1) for line in head.decode().split('\r\n') if ': ' in line)
    raw.extensions = fields.get('Sec-WebSocket-Extensions')
    return raw


def clients(port, count):
    """Many of them, together."""
    raws = [Raw(socket.create_connection(('127.0.0.1', port)), client=True) for _ in range(count)]
    for raw in raws:
        raw.socket.sendall(REQUEST + frame(TEXT, bytes(1000), masked=True))
    for raw in raws:
        assert ACCEPT in raw.head()
        assert raw.receive() == (TEXT, bytes(1000))
    return raws


def accept(listener, seconds=10):
    """The server's side: the next client, which offers `extensions`, its target, and the answer that is still to come.
    """
    listener.settimeout(seconds)
    raw = Raw(listener.accept()[0], client=False, seconds=seconds)
    lines = raw.head().decode().split('\r\n')
    fields = dict(line.lower().split(': ', 1) for line in lines[1:] if line)
    key = next(line.split(': ', 1)[1] for line in lines if line.lower().startswith('sec-websocket-key'))
    proof = hashlib.sha1(key.encode() + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest()
    answer = (
        b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        b'Sec-WebSocket-Accept: ' + base64.b64encode(proof) + b'\r\n\r\n'
    )
    assert fields['upgrade'] == 'websocket', fields
    raw.extensions = fields.get('sec-websocket-extensions')
    return raw, lines[0].split(' ')[1], answer


class Server:
    """A server program, until it is stopped, and stopped it is."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        line = self.process.stdout.readline().decode()
        assert line.startswith('listening on 127.0.0.1:'), line
        self.port = int(line.split(':')[1])

    def cpu_seconds(self):
        """What it has used so far (Linux)."""
        with open(f'/proc/{self.process.pid}/stat', encoding='ascii') as stat:
            fields = stat.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def memory(self):
        """Octets that are resident (Linux)."""
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmRSS'))

    def stop(self, seconds=10):
        """The exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def until(condition, seconds=10):
    """Waits for it; false if the time is up first."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
