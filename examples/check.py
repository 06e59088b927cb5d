#!/usr/bin/env python3
"""check.py FOLDER [TEST...] -- are the programs of posix/ and conformance/ as good as they say?

FOLDER holds the programs. Every wait has an end, and no process is left behind.
"""

import concurrent.futures
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import raw_peer
from raw_peer import BINARY, CLOSE, COMPRESSED, CONTINUATION, PING, PONG, TEXT, Deflate, Server, until

FOLDER = pathlib.Path(sys.argv[1])
SERVERS = ('echo_server', 'conformance_server')
ON_LINUX = sys.platform == 'linux'
HAS_ZLIB = (FOLDER / '11_compression').exists()
NARROW = 'permessage-deflate; server_max_window_bits=9; client_max_window_bits=9'
DEADLINE = 10  # seconds, of the opening and of the closing handshake


def expect(what, got, wanted):
    assert got == wanted, f'{what}: got {got!r}, not {wanted!r}'


def serve(name):
    return Server(FOLDER / name, *(['--port', '0'] if name == 'conformance_server' else []))


def run(name, *arguments, seconds=30):
    return subprocess.run([FOLDER / name, *arguments], capture_output=True, text=True, timeout=seconds, check=False)


def is_1001(peer):
    """We were told that the server goes away, say goodbye, and it hangs up."""
    told = peer.receive()
    peer.send(CLOSE, told[1])
    return told == (CLOSE, b'\x03\xe9') and peer.receive() is None


# ---- the tests ----


def our_client_and_our_server():
    for name in SERVERS:
        with serve(name) as server:
            done = run('echo_client', f'ws://127.0.0.1:{server.port}/', 'Hello', 'Grüße', '')
            expect('what the client prints', (done.stdout, done.returncode), ('Hello\nGrüße\n\n', 0))
            expect('status', server.stop(), 0)


def the_server_in_forty_lines():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]  # the lesson picks none itself; this one was free a moment ago
    server = subprocess.Popen([FOLDER / '10_echo_server', str(port)])
    try:
        assert until(lambda: socket.socket().connect_ex(('127.0.0.1', port)) == 0), 'it does not listen'
        for _ in range(2):
            done = run('echo_client', f'ws://127.0.0.1:{port}/', 'Hello')
            expect('what the client prints', (done.stdout, done.returncode), ('Hello\n', 0))
    finally:
        server.kill()
        server.wait()


def everybody_is_told_1001():
    for name in SERVERS:
        with serve(name) as server:
            peers = [raw_peer.client(server.port) for _ in range(20)]
            half_open = socket.create_connection(('127.0.0.1', server.port))
            half_open.sendall(b'GET / HTTP/1.1\r\n')
            unfinished = raw_peer.client(server.port)
            unfinished.send(TEXT, b'to be contin', last=False)
            assert peers[0].is_echoed()
            server.process.terminate()
            assert all(is_1001(peer) for peer in [*peers, unfinished])
            half_open.settimeout(5)
            expect('whoever had not opened', half_open.recv(1), b'')
            expect('status', server.process.wait(5), 0)


def a_peer_that_never_reads():
    message = raw_peer.frame(BINARY, bytes(50_000), masked=True)

    def send_all_it_takes(deaf):
        deaf.socket.settimeout(1)
        sent = 0
        try:
            while sent < 2000:  # 100 MB
                deaf.socket.sendall(message)
                sent += 1
        except TimeoutError:
            pass
        assert sent < 2000, 'the server reads on from a peer that does not'

    with serve('echo_server') as server:
        other = raw_peer.client(server.port)
        gone = raw_peer.client(server.port)
        deaf = raw_peer.client(server.port)
        memory = server.memory() if ON_LINUX else 0
        send_all_it_takes(deaf)
        send_all_it_takes(gone)
        assert other.is_echoed()
        gone.reset()
        if ON_LINUX:
            grown = server.memory() - memory
            assert grown < 2_000_000, f'{grown} octets for peers that do not read'
            before = server.cpu_seconds()
            time.sleep(1)
            used = server.cpu_seconds() - before
            assert used < 0.1, f'waiting for it takes {used} s of a second'
        server.process.terminate()
        assert is_1001(other)
        expect('status', server.process.wait(DEADLINE + 5), 0)


def a_peer_that_reads_late():
    """Nothing is lost for it, however long it has been paused."""
    with serve('echo_server') as server:
        late = raw_peer.client(server.port, receive_buffer=4096)
        messages = [f'{i} '.encode() * 5000 for i in range(300)]
        sending = threading.Thread(target=lambda: [late.send(TEXT, message) for message in messages])
        sending.start()
        time.sleep(1)
        for message in messages:
            expect('echo', late.receive(), (TEXT, message))
        sending.join()


def one_turn_after_the_other():
    expect('status', run('check_turn').returncode, 0)


def one_octet_at_a_time():
    with serve('echo_server') as server:
        other = raw_peer.client(server.port)
        slow = raw_peer.Raw(socket.create_connection(('127.0.0.1', server.port)), client=True)
        slow.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        message = raw_peer.frame(TEXT, 'Grüße'.encode(), masked=True)
        for octet in raw_peer.REQUEST + message:
            slow.socket.sendall(bytes([octet]))
            time.sleep(0.01)
            if octet in b'\r\n':
                assert other.is_echoed()
        assert slow.head().startswith(b'HTTP/1.1 101 ')
        expect('its echo', slow.receive(), (TEXT, 'Grüße'.encode()))


def resets():
    with serve('echo_server') as server:
        other = raw_peer.client(server.port)
        for _ in range(100):
            socket.create_connection(('127.0.0.1', server.port)).close()
            gone = raw_peer.client(server.port)
            gone.socket.sendall(raw_peer.frame(BINARY, bytes(1 << 20), masked=True)[: 1 << 19])
            gone.reset()
            gone = raw_peer.client(server.port)
            gone.send(TEXT, bytes(100_000))
            gone.reset()
            assert other.is_echoed()
        other.reset()
        expect('status', server.stop(), 0)


def out_of_descriptors():
    """Whoever comes waits until somebody goes; nobody is lost, and nothing spins."""
    if not ON_LINUX:
        return
    import resource

    few = 16
    with serve('echo_server') as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (few, few))
        other = raw_peer.client(server.port)
        waiting = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(2 * few)]
        for one in waiting:
            one.sendall(raw_peer.REQUEST)
        time.sleep(1)
        assert other.is_echoed()
        assert server.cpu_seconds() < 0.2, 'it spins'
        for one in waiting:
            one.settimeout(5)
            assert one.recv(1000).startswith(b'HTTP/1.1 101 ')
            one.close()
        assert other.is_echoed()
        other.reset()
        expect('status', server.stop(), 0)


def deadlines():
    """A silent peer, one that begins to speak, and one that does not answer a Close."""
    with serve('conformance_server') as server:
        begin = time.monotonic()
        peers = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(2)]
        peers[1].sendall(raw_peer.REQUEST[:-1])
        mute = raw_peer.client(server.port, seconds=DEADLINE + 5)
        mute.socket.sendall(b'\x81\x00')  # 5.1: not masked
        expect('answer', mute.receive(), (CLOSE, b'\x03\xea'))
        expect('end of stream', mute.receive(), None)
        assert time.monotonic() - begin < 2, 'the end of the stream comes late'
        for peer in peers:
            peer.settimeout(DEADLINE + 5)
            expect('end of stream', peer.recv(1), b'')
        took = time.monotonic() - begin
        assert DEADLINE - 0.5 < took < DEADLINE + 3, f'after {took} s'
        if ON_LINUX:
            assert server.cpu_seconds() < 0.2, 'it spins'
            descriptors = f'/proc/{server.process.pid}/fd'
            left = until(lambda: len(os.listdir(descriptors)) < 8, 5)
            assert left, f'descriptors are left: {os.listdir(descriptors)}'


def limits():
    command = [FOLDER / 'conformance_server', '--port', '0', '--max-message', '1000', '--no-deflate']
    with Server(*command) as server:
        peer = raw_peer.client(server.port)
        assert peer.is_echoed(bytes(1000))
        peer.send(BINARY, bytes(1001))
        expect('answer', peer.receive(), (CLOSE, b'\x03\xf1'))


def compressed_echoes():
    """In every shape that a message has, and with the context of those before it."""
    large = b''.join(b'%d ' % i for i in range(100_000))
    with serve('conformance_server') as server:
        for offer, window_bits, answer in (
            ('permessage-deflate', 15, 'permessage-deflate'),
            ('permessage-deflate; client_max_window_bits', 15, 'permessage-deflate'),
            (f'x, {NARROW}', 9, NARROW),
        ):
            peer = raw_peer.client(server.port, extensions=offer)
            expect('agreed', peer.extensions, answer if HAS_ZLIB else None)
            if not HAS_ZLIB:
                continue
            deflate = Deflate(window_bits)
            sizes = []
            for message in (b'Hello', b'', large, large[:200], large[-300:], b'Hello'):
                for opcode in (TEXT, BINARY):
                    peer.send(opcode | COMPRESSED, deflate.compress(message))
                    got, payload = peer.receive()
                    expect('echo', (got, deflate.decompress(payload)), (opcode | COMPRESSED, message))
                    sizes.append(len(payload))
            assert sizes[-1] < sizes[0], f'it forgets what it has said: {sizes}'
            pieces = deflate.compress(large)
            peer.send(TEXT | COMPRESSED, pieces[:7], last=False)
            peer.send(PING, b'between')
            peer.send(CONTINUATION, pieces[7:])
            expect('pong', peer.receive(), (PONG, b'between'))
            expect('echo of fragments', deflate.decompress(peer.receive()[1]), large)
            peer.send(TEXT, b'plain')
            expect('echo', deflate.decompress(peer.receive()[1]), b'plain')


def messages_without_a_context():
    if not HAS_ZLIB:
        return
    terms = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
    with serve('conformance_server') as server:
        peer = raw_peer.client(server.port, extensions=terms)
        expect('agreed', peer.extensions, terms)
        echoes = set()
        for _ in range(3):
            peer.send(TEXT | COMPRESSED, Deflate().compress(b'Hello'))
            echoes.add(peer.receive())
        expect('different echoes', len(echoes), 1)
        expect('echo', Deflate().decompress(echoes.pop()[1]), b'Hello')


def compressed_and_wrong():
    """A bomb, what is no deflate, what is no text; and what was not agreed on."""
    bomb = Deflate().compress(bytes(1 << 20))
    command = [FOLDER / 'conformance_server', '--port', '0', '--max-message', '1000']
    wrong = [
        ([], BINARY, bomb, 1009), ([], BINARY, b'\xff' * 9, 1007), ([], TEXT, Deflate().compress(b'caf\xe9'), 1007),
        (['--no-deflate'], TEXT, Deflate().compress(b'Hello'), 1002),
    ]  # fmt: skip
    for options, opcode, payload, code in wrong if HAS_ZLIB else wrong[-1:]:
        with Server(*command, *options) as server:
            peer = raw_peer.client(server.port, extensions='permessage-deflate')
            expect('agreed', peer.extensions, None if options else 'permessage-deflate')
            peer.send(opcode | COMPRESSED, payload)
            expect('answer', peer.receive(), (CLOSE, code.to_bytes(2, 'big')))


def any_path_and_origin():
    request = raw_peer.REQUEST.replace(b'GET /', b'GET /a/b?c=d').replace(
        b'Upgrade: w', b'Origin: http://elsewhere.example\r\nUpgrade: w'
    )
    with serve('conformance_server') as server:
        peer = raw_peer.Raw(socket.create_connection(('127.0.0.1', server.port)), client=True)
        peer.socket.sendall(request + raw_peer.frame(PING, b'at once', masked=True))
        assert peer.head().startswith(b'HTTP/1.1 101 ')
        expect('what came behind the head', peer.receive(), (PONG, b'at once'))
    with serve('echo_server') as server:
        peer = raw_peer.Raw(socket.create_connection(('127.0.0.1', server.port)), client=True)
        peer.socket.sendall(request)
        assert peer.head().startswith(b'HTTP/1.1 403 ')


def not_a_websocket():
    with serve('echo_server') as server:
        for said, status in ((b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'426'), (b'\x16\x03\x01\x02\x00', b'400')):
            with socket.create_connection(('127.0.0.1', server.port), 5) as peer:
                peer.sendall(said)
                answer = peer.makefile('rb').read()
                assert answer.startswith(b'HTTP/1.1 ' + status), answer


def bad_command_lines():
    for command in (
        ['conformance_server', '--prot', '1'],
        ['conformance_server', '--port'],
        ['conformance_server', '--port', '65536'],
        ['conformance_server', '--port', '1x'],
        ['conformance_server', '--max-message', '-1'],
        ['conformance_client'],
        ['conformance_client', '--url', 'http://x/', '--agent', 'a'],
        ['conformance_client', '--url', 'ws://127.0.0.1:1'],
        ['conformance_client', '--agent'],
        ['conformance_client', 'x'],
    ):
        done = run(*command)
        expect(f'status of {command}', done.returncode, 2)
        expect(f'lines of {command}', done.stderr.count('\n'), 1)
        expect(f'output of {command}', done.stdout, '')


def a_suite_that_compresses():
    """Each of its cases may agree to what the client offers."""

    def converse(raw, target, good):
        offered = 'permessage-deflate; client_max_window_bits' if HAS_ZLIB else None
        expect('offer', raw.extensions, offered)
        deflate = Deflate(9) if HAS_ZLIB and 'case=2' not in target else None
        field = f'Sec-WebSocket-Extensions: {NARROW}\r\n\r\n' if deflate else '\r\n'
        raw.socket.sendall(good.removesuffix(b'\r\n') + field.encode())
        message = b'2' if target == '/getCaseCount' else b'Hello' * 100
        if deflate:
            raw.send(TEXT | COMPRESSED, deflate.compress(message))
        elif not target.startswith('/updateReports'):
            raw.send(TEXT, message)
        if target.startswith('/runCase'):
            opcode, payload = raw.receive()
            expect('compressed', bool(opcode & COMPRESSED), bool(deflate))
            expect('echo', deflate.decompress(payload) if deflate else payload, message)
        raw.send(CLOSE, b'\x03\xe8')
        expect('their Close', raw.receive(), (CLOSE, b'\x03\xe8'))
        raw.socket.close()

    with socket.create_server(('127.0.0.1', 0)) as listener:
        url = f'ws://127.0.0.1:{listener.getsockname()[1]}'
        command = [FOLDER / 'conformance_client', '--url', url, '--agent', 'a']
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            try:
                for _ in range(4):
                    converse(*raw_peer.accept(listener, DEADLINE))
                expect('output', client.communicate(timeout=DEADLINE)[0], '2 of 2 cases ran\n')
            finally:
                client.kill()


def a_suite():
    """Cases that go well, and in every way wrong: each ends itself, and no other."""
    silent = []
    cases = [
        'echo', 'large', 'reset', 'refused', 'garbage', 'wrong proof', 'bad frame', 'end', 'silent', 'echo',
    ]  # fmt: skip
    echoed = []
    reported = []

    def answer(raw, target, good):
        expect('offer', raw.extensions, None)
        if target == '/getCaseCount':
            raw.socket.sendall(good + raw_peer.frame(TEXT, str(len(cases)).encode(), masked=False))
            raw.send(CLOSE, b'\x03\xe8')
            return raw.receive()
        if target == '/updateReports?agent=a%20b%26c':
            reported.append(target)
            raw.socket.sendall(good)
            raw.send(CLOSE, b'\x03\xe8')
            return raw.receive()
        number, agent = target.removeprefix('/runCase?case=').split('&')
        expect('agent', agent, 'agent=a%20b%26c')
        kind = cases[int(number) - 1]
        if kind == 'silent':
            silent.append(raw)  # for as long as it wants
        elif kind == 'reset':
            raw.reset()
        elif kind == 'refused':
            raw.socket.sendall(b'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno')
        elif kind == 'garbage':
            raw.socket.sendall(b'SSH-2.0-OpenSSH\r\n')
        elif kind == 'wrong proof':
            raw.socket.sendall(good.replace(b'Accept: ', b'Accept: A'))
        elif kind == 'bad frame':
            raw.socket.sendall(good + b'\x83\x00')
            return raw.receive()
        elif kind == 'end':
            raw.socket.sendall(good)
        else:
            raw.socket.sendall(good)
            message = b'x' * (3_000_000 if kind == 'large' else 5)
            raw.send(BINARY, message[:3], last=False)
            raw.send(PING, b'p')
            raw.send(0, message[3:])
            got = [raw.receive(), raw.receive()]
            expect('answers', sorted(got), sorted([(PONG, b'p'), (BINARY, message)]))
            raw.send(CLOSE, b'\x03\xe8')
            expect('their Close', raw.receive(), (CLOSE, b'\x03\xe8'))
            raw.socket.close()
            echoed.append(kind)
        if kind != 'silent':
            raw.socket.close()
        return None

    with socket.create_server(('127.0.0.1', 0)) as listener:
        url = f'ws://127.0.0.1:{listener.getsockname()[1]}'
        command = [FOLDER / 'conformance_client', '--url', url, '--agent', 'a b&c', '--no-deflate']
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            try:
                for _ in range(len(cases) + 2):
                    answer(*raw_peer.accept(listener, DEADLINE + 5))
                expect('status', client.wait(DEADLINE + 5), 0)
            finally:
                client.kill()
    expect('cases that went well', echoed, ['echo', 'large', 'echo'])
    expect('reports', len(reported), 1)


TESTS = [
    a_peer_that_never_reads,  # the slow ones first
    a_suite,
    deadlines,
    our_client_and_our_server,
    the_server_in_forty_lines,
    everybody_is_told_1001,
    a_peer_that_reads_late,
    one_turn_after_the_other,
    one_octet_at_a_time,
    resets,
    out_of_descriptors,
    limits,
    compressed_echoes,
    messages_without_a_context,
    compressed_and_wrong,
    a_suite_that_compresses,
    any_path_and_origin,
    not_a_websocket,
    bad_command_lines,
]


def result_of(test):
    begin = time.monotonic()
    try:
        test()
        result = 'ok'
    except Exception as error:  # a failure of this test, and of no other
        line = error.__traceback__.tb_next.tb_lineno
        result = f'FAILED in line {line}: {type(error).__name__} {error}'
    print(f'{test.__name__.replace("_", " ")}: {result} ({time.monotonic() - begin:.1f} s)', flush=True)
    return result == 'ok'


def main():
    chosen = [test for test in TESTS if not sys.argv[2:] or test.__name__ in sys.argv[2:]]
    # They mostly wait, so they may wait together.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(result_of, chosen))
    sys.exit(0 if results and all(results) else 1)


main()
