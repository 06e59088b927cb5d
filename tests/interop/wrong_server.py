#!/usr/bin/env python3
"""wrong_server.py [--wrong FAULT] -- the echo server of README.md by hand, with one fault on request.

A client program that lets one of these faults pass is itself wrong: run.py --wrong looks for that.
"""

import argparse
import base64
import hashlib
import socket
import struct
import threading

# Each fault, and the cases that must fail because of it.
FAULTS = {
    'octet': ['text', 'binary', 'size/65536', 'fragments', 'burst'],
    'opcode': ['text', 'binary', 'empty'],
    'not-empty': ['empty'],
    'cut-short': ['size/125', 'size/126', 'size/65535', 'size/1048576', 'fragments/cut'],
    'order': ['burst', 'greeting'],
    'pong': ['ping', 'fragments/ping'],
    'no-ping': ['pong'],
    'protocol': ['protocol/agreed', 'protocol/none'],
    'status': ['refused'],
    'accepted': ['refused'],
    'code': ['close/1000', 'close/3000', 'closed', 'closed/1011', 'closed/4999/over', 'too-large', 'invalid-text'],
    'reason': ['closed/1000/over', 'closed/4999/over'],
    'accept-key': ['text'],
    'no-deflate': ['deflate/15/15', 'deflate/15/15/offered'],
}

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class End(Exception):
    """The connection is over, and this was the Close received."""


class Connection:
    def __init__(self, plug):
        self.plug = plug
        self.stream = plug.makefile('rb')
        self.held = []  # an echo that comes too late
        self.closing = False

    def wrong(self, fault):
        return options.wrong == fault

    def write(self, first, payload):
        size = len(payload)
        header = bytes([0x80 | first])
        if size < 126:
            header += bytes([size])
        elif size < 1 << 16:
            header += struct.pack('!BH', 126, size)
        else:
            header += struct.pack('!BQ', 127, size)
        self.plug.sendall(header + payload)

    def close(self, code, reason=b''):
        self.closing = True
        if self.wrong('code'):
            code = (code or 1000) + 1
        if self.wrong('reason') and reason:
            reason = reason[:-1] + b'?'
        self.write(CLOSE, struct.pack('!H', code) + reason if code else b'')

    def read_exactly(self, size):
        octets = self.stream.read(size)
        if len(octets) < size:
            raise End
        return octets

    def read_frame(self):
        first, second = self.read_exactly(2)
        size = second & 127
        if size == 126:
            (size,) = struct.unpack('!H', self.read_exactly(2))
        elif size == 127:
            (size,) = struct.unpack('!Q', self.read_exactly(8))
        key = self.read_exactly(4)
        mask = (key * (size // 4 + 1))[:size]
        payload = int.from_bytes(self.read_exactly(size), 'big') ^ int.from_bytes(mask, 'big')
        return first, payload.to_bytes(size, 'big')

    def open(self):
        lines = b''.join(iter(self.stream.readline, b'\r\n')).decode('latin-1').split('\r\n')
        path = lines[0].split()[1]
        fields = {}
        for line in lines[1:-1]:
            name, value = line.split(':', 1)
            fields.setdefault(name.lower(), []).append(value.strip())
        if path == '/refuse' and not self.wrong('accepted'):
            status = '404 Not Found' if self.wrong('status') else '403 Forbidden'
            self.plug.sendall(f'HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n'.encode())
            raise End
        if self.wrong('accept-key'):
            fields['sec-websocket-key'][0] += 'x'
        key = fields['sec-websocket-key'][0] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        head += f'Sec-WebSocket-Accept: {accept}\r\n'
        offered = [name.strip() for line in fields.get('sec-websocket-protocol', []) for name in line.split(',')]
        agreed = next((name for name in offered if name in options.protocol), None)
        if self.wrong('protocol') and offered:
            agreed = 'echo.v2'
        if agreed:
            head += f'Sec-WebSocket-Protocol: {agreed}\r\n'
        self.plug.sendall(f'{head}\r\n'.encode())
        return path

    def begin(self, path):
        words = path.split('/')[1:]
        if words[0] == 'close':
            self.close(int(words[1]) if len(words) > 1 else None, ''.join(words[2:]).encode())
        elif words[0] == 'ping':
            self.write(*((TEXT, b'pong') if self.wrong('no-ping') else (PING, b'are you there')))
        elif words[0] == 'greeting':
            for i in range(100):
                self.echo(TEXT, f'greeting {i}'.encode())
        elif words[0] == 'too-large':
            self.write(BINARY, bytes(options.max_message + 1))
        elif words[0] == 'invalid-text':
            self.write(TEXT, b'caf\xe9')

    def echo(self, opcode, message):
        if self.wrong('octet') and message:
            message = message[:-1] + bytes([message[-1] ^ 1])
        if self.wrong('opcode'):
            opcode = TEXT if opcode == BINARY else BINARY
        if self.wrong('not-empty') and not message:
            message = b'x'
        if self.wrong('cut-short'):
            message = message[:-1]
        if self.wrong('order') and b' 41' in message and not self.held:
            self.held.append((opcode, message))
            return
        self.write(opcode, message)
        while self.held:
            self.write(*self.held.pop())

    def talk(self):
        opcode, message = None, b''
        while True:
            first, payload = self.read_frame()
            kind = first & 15
            if kind == CLOSE:
                code = struct.unpack('!H', payload[:2])[0] if payload else None
                if not self.closing:
                    self.close(code)
                print(f'closed {code or 1005} {payload[2:].decode()}'.rstrip(), flush=True)
                raise End
            if kind == PING:
                self.write(PONG, payload + b'?' if self.wrong('pong') else payload)
            elif kind == PONG:
                if payload == b'are you there':
                    self.write(TEXT, b'pong are you there')
            else:
                opcode = kind or opcode
                message += payload
                if len(message) > options.max_message:
                    self.fail(1009)
                if first & 0x80:
                    if opcode == TEXT and message.endswith(b'\xe9'):  # the invalid text of our clients
                        self.fail(1007)
                    self.echo(opcode, message)
                    message = b''

    def fail(self, code):
        self.close(code)
        while self.read_frame()[0] & 15 != CLOSE:
            pass
        raise End

    def serve(self):
        try:
            self.begin(self.open())
            self.talk()
        except (End, OSError, IndexError):
            pass
        finally:
            self.plug.close()
            self.stream.close()


def main():
    listener = socket.create_server(('127.0.0.1', options.port))
    print(f'listening on 127.0.0.1:{listener.getsockname()[1]}', flush=True)
    while True:
        plug, _ = listener.accept()
        threading.Thread(target=Connection(plug).serve, daemon=True).start()


parser = argparse.ArgumentParser()
parser.add_argument('--port', type=int, default=0)
parser.add_argument('--max-message', type=int, default=1 << 20)
parser.add_argument('--protocol', action='append', default=[])
parser.add_argument('--wrong', choices=FAULTS)

if __name__ == '__main__':
    options = parser.parse_args()
    main()
