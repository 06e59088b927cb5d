"""conversation.py -- the cases of ../README.md, told once for all clients in Python.

A client brings connect(path, protocols), which raises Refused, and whose connection has

    protocol                        what was agreed, or None
    agreed                          how both compress, or None; where it can offer that by connect(..., offer=TERMS)
    send(message)                   str or bytes
    send_together(messages)         in as few writes as the library allows
    send_fragments(parts, between)  str, or bytes for text that is cut anywhere; calls between()
                                    after the first fragment
    send_as_text(octets)            whatever they are
    receive()                       the next message
    ping(payload)                   returns when its pong has come
    pong(payload)
    close(code, reason)             code may be None; returns code and reason of the answer
    wait_closed()                   returns code and reason of the Close that the server sent first, or
                                    the client's own code where it ends the connection itself
"""

import os
import signal
import sys

MAX_MESSAGE = 1 << 20
SECONDS_FOR_A_CASE = int(os.environ.get('INTEROP_SECONDS', 20))


class Refused(Exception):
    """The server answered the handshake with another status than 101."""


class Failed(Exception):
    """The case has found something wrong."""


class CannotDo(Exception):
    """The library offers no way to do that."""


def expect(what, got, wanted):
    if got == wanted:
        return
    if type(got) is type(wanted) and isinstance(got, (str, bytes, list)):
        first = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
        what += f', {len(got)} of {len(wanted)} long and different from [{first}]'
        got, wanted = got[first:], wanted[first:]
    raise Failed(f'{what}: got {shorten(got)}, not {shorten(wanted)}')


def shorten(value):
    text = repr(value)
    return text if len(text) <= 100 else f'{text[:97]}...'


def pattern(size):
    return bytes(32 + i % 95 for i in range(size))


def letters(octets):
    """20,000 letters over and over: only a large window sees that."""
    x, all_of_them = 1, bytearray()
    for _ in range(min(octets, 20_000)):
        all_of_them.append(97 + x % 26)
        x = (x * 75 + 74) % 65537
    return bytes(all_of_them * (octets // 20_000 + 1))[:octets]


def noise(octets):
    """Nothing that can be compressed."""
    x, all_of_them = 1, bytearray()
    for _ in range(octets):
        x = (x * 75 + 74) % 65537
        all_of_them.append(x % 256)
    return bytes(all_of_them)


def echo(connection, *messages):
    for message in messages:
        connection.send(message)
        expect('echo', connection.receive(), message)


def goodbye(connection):
    expect('code of the answer to our Close', connection.close(1000, '')[0], 1000)


def text(connect):
    connection = connect('/')
    echo(connection, 'Grüße aus Köln, 你好, 👋', 'and one more')
    goodbye(connection)


def binary(connect):
    connection = connect('/')
    echo(connection, bytes(range(256)), b'\0')
    goodbye(connection)


def empty(connect):
    connection = connect('/')
    echo(connection, '', b'', 'not empty')
    goodbye(connection)


def size(connect, octets):
    connection = connect('/')
    echo(connection, pattern(int(octets)), pattern(int(octets)).decode())
    goodbye(connection)


def fragments(connect, kind=None):
    connection = connect('/')
    if kind == 'ping':
        connection.send_fragments(['one, ', 'two, ', 'three'], lambda: connection.ping(b'between'))
        expect('echo', connection.receive(), 'one, two, three')
    elif kind == 'cut':
        connection.send_fragments([b'gr\xc3', b'', b'\xbc\xc3', b'\x9fe'])
        expect('echo', connection.receive(), 'grüße')
    else:
        connection.send_fragments(['one, ', '', 'three'])
        expect('echo', connection.receive(), 'one, three')
    goodbye(connection)


def ping(connect):
    connection = connect('/')
    for payload in (b'hello', b'', pattern(125)):
        connection.ping(payload)
    echo(connection, 'still there')
    goodbye(connection)


def pong(connect, unasked=None):
    connection = connect('/' if unasked else '/ping')
    if unasked:
        connection.pong(b'nobody asked')
        echo(connection, 'still there')
    else:
        expect('message after the pong', connection.receive(), 'pong are you there')
    goodbye(connection)


def burst(connect):
    connection = connect('/')
    messages = [f'burst {i}' for i in range(100)]
    connection.send_together(messages)
    expect('echoes', [connection.receive() for _ in messages], messages)
    goodbye(connection)


def greeting(connect):
    connection = connect('/greeting')
    wanted = [f'greeting {i}' for i in range(100)]
    expect('greeting', [connection.receive() for _ in wanted], wanted)
    echo(connection, 'thank you')
    goodbye(connection)


def protocol(connect, kind):
    offered = ['unknown', 'echo.v1', 'echo.v2'] if kind == 'agreed' else ['unknown']
    connection = connect('/', offered)
    expect('protocol', connection.protocol, 'echo.v1' if kind == 'agreed' else None)
    echo(connection, 'spoken')
    goodbye(connection)


def refused(connect):
    try:
        connect('/refuse')
    except Refused as refusal:
        expect('status', refusal.args[0], 403)
    else:
        raise Failed('the handshake was accepted')


def close(connect, code=None, reason=''):
    connection = connect('/')
    got, said = connection.close(code and int(code), reason)
    expect('code of the answer', got, int(code or 1005))
    if said not in ('', reason):
        raise Failed(f'reason of the answer: got {said!r}')


def closed(connect, *code_and_reason):
    connection = connect('/'.join(['/close', *code_and_reason]))
    code, reason = [*code_and_reason, *('1005', '')[len(code_and_reason) :]]
    expect('code and reason', connection.wait_closed(), (int(code), reason))


def too_large(connect):
    connection = connect('/')
    connection.send(pattern(MAX_MESSAGE + 1))
    expect('code', connection.wait_closed()[0], 1009)


def invalid_text(connect):
    connection = connect('/')
    connection.send_as_text(b'caf\xe9')
    expect('code', connection.wait_closed()[0], 1007)


def deflate(connect, server, client, offered=None):
    terms = f'{server}/{client}'
    connection = connect('/', offer=terms) if offered else connect('/')
    expect('agreed', connection.agreed, terms)
    for octets in (1, 2, 126, 1000, 32768, 65536, MAX_MESSAGE, 1000, 1):
        echo(connection, letters(octets), letters(octets).decode())
    echo(connection, noise(65536))
    goodbye(connection)


def received(connect, kind):
    connection = connect(f'/{kind}')
    expect('our own code', connection.wait_closed()[0], 1009 if kind == 'too-large' else 1007)


def terminated(connect):
    connection = connect('/')
    echo(connection, 'open')
    print('connected', flush=True)
    expect('code', connection.wait_closed()[0], 1001)


def run(connect):
    """The main program of a client: URL CASE... [URL CASE...]..."""
    signal.signal(signal.SIGALRM, late)
    results = []
    for word in sys.argv[1:]:
        if word.startswith('ws:'):
            url = word
        else:
            results.append(tell(lambda path, protocols=(), **more: connect(url + path, protocols, **more), word))
    sys.exit(0 if all(results) else 1)


def tell(connect, case):
    name, *arguments = case.split('/')
    signal.alarm(SECONDS_FOR_A_CASE)
    try:
        globals()[name.replace('-', '_')](connect, *arguments)
        result = 'ok'
    except CannotDo as missing:
        result = f'cannot: {missing}'
    except Exception as error:  # whatever a library raises is a failure of this case, and of no other
        result = f'failed: {type(error).__name__} {error}'.replace('\n', ' ')
    signal.alarm(0)
    print(f'{case}: {result}', flush=True)
    return not result.startswith('failed')


def late(*_):
    raise TimeoutError(f'nothing happened for {SECONDS_FOR_A_CASE} s')
