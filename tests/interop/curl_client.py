#!/usr/bin/env python3
"""curl_client.py URL CASE... -- what curl sees of an upgrade: the answer's head, and the octets behind it.

curl asks for the upgrade as plain HTTP and prints whatever follows, so the server's frames are looked at
as they are; curl sends none, and so cannot answer a Close.
"""

import os
import re
import struct
import subprocess
import sys

KEY, ACCEPT = 'dGhlIHNhbXBsZSBub25jZQ==', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='  # RFC 6455, 1.3
TEXT, CLOSE, PING = 0x81, 0x88, 0x89
SECONDS = min(2, int(os.environ.get('INTEROP_SECONDS', 2)))


class Failed(Exception):
    """The case has found something wrong."""


def ask(url, enough, *fields):
    """Status, fields and the octets behind the head, read until enough of them are there or for two seconds."""
    command = [
        *('curl', '--silent', '--show-error', '--include', '--no-buffer', '--http1.1'),
        *('--noproxy', '*', '--max-time', str(SECONDS)),
        *('-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket'),
        *('-H', 'Sec-WebSocket-Version: 13', '-H', f'Sec-WebSocket-Key: {KEY}'),
        *(word for field in fields for word in ('-H', field)),
        url.replace('ws://', 'http://'),
    ]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as curl:
        received = b''
        while b'\r\n\r\n' not in received or len(received.split(b'\r\n\r\n', 1)[1]) < enough:
            octets = curl.stdout.read1()
            if not octets:
                break
            received += octets
        curl.kill()
    head, _, behind = received.partition(b'\r\n\r\n')
    status, *lines = head.decode('latin-1').split('\r\n')
    if not re.fullmatch(r'HTTP/1\.1 \d{3}( .*)?', status):
        raise Failed(f'status line {status!r}')
    return int(status.split()[1]), dict(line.split(': ', 1) for line in lines), behind


def check(what, got, wanted):
    if got != wanted:
        raise Failed(f'{what}: got {got!r}, not {wanted!r}')


def upgrade(url, wanted, *fields):
    """The fields of a 101 with what it must have, which has exactly these octets behind it."""
    status, answered, behind = ask(url, max(1, len(wanted)), *fields)
    answered = {name.lower(): value for name, value in answered.items()}
    check('status', status, 101)
    check('Upgrade', answered.get('upgrade', '').lower(), 'websocket')
    check('Connection', answered.get('connection', '').lower(), 'upgrade')
    check('Sec-WebSocket-Accept', answered.get('sec-websocket-accept'), ACCEPT)
    check('extension', answered.get('sec-websocket-extensions'), None)
    check('octets behind the head', behind, wanted)
    return answered


def frame(first, payload):
    return bytes([first, len(payload)]) + payload


def protocol(url, kind):
    fields = upgrade(url, b'', 'Sec-WebSocket-Protocol: unknown' + (', echo.v1, echo.v2' if kind == 'agreed' else ''))
    check('protocol', fields.get('sec-websocket-protocol'), 'echo.v1' if kind == 'agreed' else None)


def closed(url, code=None, reason=''):
    payload = struct.pack('!H', int(code)) + reason.encode() if code else b''
    upgrade('/'.join(word for word in (url, 'close', code, reason) if word), frame(CLOSE, payload))


def refused(url):
    check('status', ask(f'{url}/refuse', 0)[0], 403)


CASES = {
    'protocol': protocol,
    'closed': closed,
    'refused': refused,
    'pong': lambda url: upgrade(f'{url}/ping', frame(PING, b'are you there')),
    'greeting': lambda url: upgrade(
        f'{url}/greeting', b''.join(frame(TEXT, f'greeting {i}'.encode()) for i in range(100))
    ),
}


def tell(url, case):
    name, *arguments = case.split('/')
    if name not in CASES or case == 'pong/unasked':
        return 'cannot: sends no frames'
    try:
        CASES[name](url, *arguments)
    except Exception as error:
        return f'failed: {type(error).__name__} {error}'
    return 'ok'


good = True
for case in sys.argv[2:]:
    result = tell(sys.argv[1], case)
    good &= not result.startswith('failed')
    print(f'{case}: {result}', flush=True)
sys.exit(0 if good else 1)
