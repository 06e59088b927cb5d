#!/usr/bin/env python3
"""check.py FOLDER plain|tls [TEST...] -- runs the Asio programs in that folder against each other and
against peers that misbehave. All at once: most tests only wait. Ends with 77 if there is no TLS."""
import base64
import concurrent.futures
import contextlib
import hashlib
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zlib

FOLDER = sys.argv[1]
HAS_ZLIB = os.path.exists(os.path.join(FOLDER, "..", "11_compression"))
PATIENCE = 30  # seconds, for whatever should come at once
REQUEST = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def program(name):
    return os.path.join(FOLDER, name)


# ---- a server that was started, and a peer that does what it likes ----


class Server:
    def __init__(self, name, *options):
        self.process = subprocess.Popen([program(name), *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().rstrip("\n")
        before, _, port = line.rpartition(":")
        assert before == "listening on 127.0.0.1", line
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        try:
            if not failed:
                self.process.send_signal(signal.SIGTERM)
                assert self.process.wait(PATIENCE) == 0
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


def conformance_server(*options):
    return Server("conformance_server_asio", "--port", "0", *options)


def header(first, size, bit=0x80):
    if size < 126:
        return bytes([first, bit | size])
    if size < 65536:
        return struct.pack("!BBH", first, bit | 126, size)
    return struct.pack("!BBQ", first, bit | 127, size)


class Peer:
    def __init__(self, port, context=None, opens=True, receive_buffer=None, request=REQUEST):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost",
                                              suppress_ragged_eofs=False)
        self.rest = b""
        if opens:
            self.socket.sendall(request)
            while b"\r\n\r\n" not in self.rest:
                self.rest += self.receive()
            head, self.rest = self.rest.split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 101 "), head
            assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head
            self.compresses = b"Extensions: permessage-deflate" in head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def receive(self):
        octets = self.socket.recv(65536)
        assert octets, "the stream ended"
        return octets

    def take(self, size):
        parts, have = [self.rest], len(self.rest)
        while have < size:
            parts.append(self.receive())
            have += len(parts[-1])
        octets = b"".join(parts)
        self.rest = octets[size:]
        return octets[:size]

    def send(self, opcode, payload):
        # A key of zeros changes nothing.
        self.socket.sendall(header(0x80 | opcode, len(payload)) + bytes(4) + payload)

    def frame(self):
        first, size = self.take(2)
        if size == 126:
            size, = struct.unpack("!H", self.take(2))
        elif size == 127:
            size, = struct.unpack("!Q", self.take(8))
        return first, self.take(size)

    def expect_echo(self, payload=b"hello"):
        self.send(2, payload)
        assert self.frame() == (0x82, payload)

    def expect_end(self):
        assert self.rest == b"" and self.socket.recv(1) == b""


def code(number):
    return struct.pack("!H", number)


def client(*words):
    return subprocess.run([program(words[0]), *words[1:]], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


# ---- certificates ----


def certificate(folder, name):
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=" + name,
                    "-addext", "subjectAltName=DNS:" + name], check=True, capture_output=True)
    return cert, key


@contextlib.contextmanager
def tls_server():
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certificate(folder, "localhost")
        with Server("asio_echo_server_tls", cert, key) as server:
            server.cert = cert
            server.folder = folder
            yield server


def trusting(cert):
    return ssl.create_default_context(cafile=cert)


# ---- the tests ----


def test_client_and_server():
    with Server("asio_echo_server") as server:
        ended = client("asio_client", f"ws://127.0.0.1:{server.port}/a?b", "one", "", "three \u00fc")
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        assert ended.stdout == "one\n\nthree \u00fc\nclosed: 1000\n", ended


def test_client_and_server_over_tls():
    with tls_server() as server:
        url = f"wss://localhost:{server.port}/"
        ended = client("asio_client_tls", url, server.cert, "one", "two")
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        assert ended.stdout == "one\ntwo\nclosed: 1000\n", ended


def test_tls_another_name_is_refused():
    with tls_server() as server:
        ended = client("asio_client_tls", f"wss://127.0.0.1:{server.port}/", server.cert, "secret")
        assert (ended.returncode, ended.stdout) == (1, ""), ended
        assert "certificate verify failed" in ended.stderr, ended


def test_tls_an_untrusted_certificate_is_refused():
    with tls_server() as server:
        other, _ = certificate(server.folder, "other")
        ended = client("asio_client_tls", f"wss://localhost:{server.port}/", other, "secret")
        assert (ended.returncode, ended.stdout) == (1, ""), ended
        assert "certificate verify failed" in ended.stderr, ended


def test_tls_ends_with_close_notify():
    with tls_server() as server:
        with Peer(server.port, trusting(server.cert)) as peer:
            peer.expect_echo(bytes(300_000))
            peer.send(8, code(1000))
            assert peer.frame() == (0x88, code(1000))
            peer.expect_end()  # and not because the stream was cut off
        with Peer(server.port, trusting(server.cert)) as peer:
            peer.socket.sendall(b"\x81\x00")  # not masked
            assert peer.frame() == (0x88, code(1002))
            peer.expect_end()


def test_tls_sigterm_and_silent_peers():
    with tls_server() as server:
        with Peer(server.port, opens=False), Peer(server.port, trusting(server.cert)) as peer:
            peer.expect_echo()
            server.process.send_signal(signal.SIGTERM)
            assert peer.frame() == (0x88, code(1001))
            peer.send(8, code(1001))
            peer.expect_end()
            # Its TLS handshake never comes, so this takes ten seconds.
            assert server.process.wait(PATIENCE) == 0


def test_messages_of_every_size():
    with conformance_server("--no-deflate") as server, Peer(server.port) as peer:
        for size in (0, 1, 125, 126, 65535, 65536, 1 << 20, 5_000_000):
            sender = threading.Thread(target=peer.send, args=(2, b"x" * size))
            sender.start()
            assert peer.frame() == (0x82, b"x" * size)
            sender.join()
        peer.socket.sendall(b"\x01\x82\0\0\0\0he" b"\x89\x81\0\0\0\0!" b"\x80\x83\0\0\0\0llo")
        assert peer.frame() == (0x8A, b"!")
        assert peer.frame() == (0x81, b"hello")


def test_compression():
    offers = REQUEST.replace(b"Upgrade: ", b"Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: ", 1)
    for options, agreed in (([], HAS_ZLIB), (["--no-deflate"], False)):
        with conformance_server(*options) as server, Peer(server.port, request=offers) as peer:
            assert peer.compresses == agreed
            ours, theirs = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
            for message in (b"x" * 5_000_000, b"hello", b"hello") if agreed else ():
                peer.send(0x42, (ours.compress(message) + ours.flush(zlib.Z_SYNC_FLUSH))[:-4])
                first, body = peer.frame()
                assert (first, theirs.decompress(body + b"\0\0\xff\xff")) == (0xC2, message)
            if not agreed:
                peer.expect_echo()


def test_max_message():
    with conformance_server("--max-message", "1000") as server, Peer(server.port) as peer:
        peer.expect_echo(bytes(1000))
        peer.send(2, bytes(1001))
        first, body = peer.frame()
        assert (first, body[:2]) == (0x88, code(1009))


def test_any_path_and_origin():
    with conformance_server() as server, Peer(server.port, opens=False) as peer:
        peer.socket.sendall(REQUEST.replace(b"GET / ", b"GET /any?path ")
                            .replace(b"Upgrade: ", b"Origin: https://evil.example\r\nUpgrade: ", 1))
        assert peer.receive().startswith(b"HTTP/1.1 101 ")


def test_after_a_violation_the_rest_is_read():
    with conformance_server() as server, Peer(server.port) as peer:
        peer.socket.sendall(b"\x81\x00")
        assert peer.frame() == (0x88, code(1002))
        peer.expect_end()  # half closed: it transmits nothing more, and receives
        for _ in range(100):
            peer.socket.sendall(bytes(10_000))
            time.sleep(0.005)


def fill(deaf):
    """Sends until the server takes no more, since nobody reads its echoes."""
    sent, message = 0, header(0x82, 60_000) + bytes(60_004)
    deaf.socket.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while sent < 1 << 28:
            deaf.socket.sendall(message)
            sent += len(message)
    assert sent < 1 << 28, "the server takes everything"


def reset(peer):
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.close()


def test_who_never_reads_leaves_the_others_served():
    with conformance_server() as server:
        with Peer(server.port, receive_buffer=4096) as deaf, Peer(server.port) as other:
            fill(deaf)
            other.expect_echo()
            used = cpu(server)
            time.sleep(1)
            assert cpu(server) - used < 0.2, "the server spins"
            other.expect_echo()


def cpu(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_who_is_slow_leaves_the_others_served():
    with conformance_server() as server:
        with Peer(server.port, opens=False) as opening, Peer(server.port) as slow:
            for octet in b"\x82\x81\0\0":
                opening.socket.sendall(b"G")
                slow.socket.sendall(bytes([octet]))
                with Peer(server.port) as other:
                    other.expect_echo()
                time.sleep(1)
            slow.socket.sendall(b"\0\0!")
            assert slow.frame() == (0x82, b"!")


def test_reset_leaves_the_others_served():
    with conformance_server() as server, Peer(server.port) as other:
        for _ in range(20):
            peer = Peer(server.port)
            peer.send(2, bytes(100_000))
            reset(peer)
            other.expect_echo()


def test_reset_while_the_server_does_not_listen():
    with conformance_server() as server, Peer(server.port, receive_buffer=4096) as deaf:
        fill(deaf)
        reset(deaf)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 0  # nobody is there to wait for


def test_opening_deadline():
    with conformance_server() as server, Peer(server.port, opens=False) as silent:
        begin = time.monotonic()
        silent.expect_end()
        assert 9 < time.monotonic() - begin < 20


def test_sigterm():
    with conformance_server() as server:
        with Peer(server.port) as one, Peer(server.port) as two, Peer(server.port, opens=False) as new:
            one.expect_echo()
            two.send(1, b"he")
            assert two.frame() == (0x81, b"he")
            two.socket.sendall(b"\x01\x82\0\0\0\0he")  # an unfinished message
            new.socket.sendall(b"GET /")
            server.process.send_signal(signal.SIGTERM)
            for peer in (one, two):
                assert peer.frame() == (0x88, code(1001))
                peer.send(8, code(1001))
                peer.expect_end()
            new.expect_end()
            assert server.process.wait(5) == 0


def test_closing_deadline():
    with conformance_server() as server, Peer(server.port) as rude:
        rude.expect_echo()
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert 9 < time.monotonic() - begin < 20


def test_command_line():
    for words in (["--port"], ["--port", "x"], ["--port", "70000"], ["--max-message", "-1"],
                  ["--other"], ["word"]):
        ended = client("conformance_server_asio", *words)
        assert (ended.returncode, ended.stdout) == (2, ""), ended
        assert ended.stderr.count("\n") == 1, ended


def test_port_in_use():
    with conformance_server() as server:
        ended = client("conformance_server_asio", "--port", str(server.port))
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended


# ---- a client and a server that we write line by line ----


def listen():
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    return listener, listener.getsockname()[1]


def accept(listener):
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return connection, head


def proof(head):
    key = next(line[19:] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: "))
    guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1(key + guid).digest())


def open_as_server(connection, head):
    connection.sendall(b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + proof(head) + b"\r\n\r\n")


def masked_text(connection):
    octets = b""
    while len(octets) < 6 or len(octets) < 6 + octets[1] % 128:
        octets += connection.recv(1)
    return bytes(o ^ octets[2 + i % 4] for i, o in enumerate(octets[6:]))


def test_client_comes_back():
    listener, port = listen()
    with listener:
        words = [program("asio_client"), f"ws://127.0.0.1:{port}/", "one", "two"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            try:
                connection, head = accept(listener)
                connection.sendall(b"HTTP/1.1 503 Later\r\nRetry-After: 1\r\n\r\n")
                refused = time.monotonic()
                connection.close()

                connection, head = accept(listener)
                assert time.monotonic() - refused > 0.9, "Retry-After"
                open_as_server(connection, head)
                assert masked_text(connection) == b"one"
                connection.sendall(b"\x81\x03one")
                assert masked_text(connection) == b"two"
                connection.close()  # without an answer

                connection, head = accept(listener)
                open_as_server(connection, head)
                assert masked_text(connection) == b"two"
                connection.sendall(b"\x81\x03two")
                assert masked_text(connection) == code(1000)
                connection.sendall(b"\x88\x02" + code(1000))
                connection.close()
                out = process.communicate(timeout=PATIENCE)[0].split("\n")
                assert process.returncode == 0, out
                again = [line for line in out if line.startswith("again in ")]
                others = [line for line in out if line and not line.startswith("again in ")]
                assert len(again) == 2, out
                assert others == ["refused: 503", "closed: 1006", "one", "closed: 1006", "two",
                                  "closed: 1000"], out
            finally:
                process.kill()


def test_client_waits_for_a_server():
    listener, port = listen()
    listener.close()  # nobody listens there now
    words = [program("asio_client"), f"ws://127.0.0.1:{port}/", "one"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("no connection: ")
            with Server("asio_echo_server", str(port)):
                out = process.communicate(timeout=PATIENCE)[0]
            assert process.returncode == 0 and out.endswith("one\nclosed: 1000\n"), out
        finally:
            process.kill()


def test_client_gives_up_on_401():
    listener, port = listen()
    with listener:
        words = [program("asio_client"), f"ws://127.0.0.1:{port}/", "one"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            try:
                connection, _ = accept(listener)
                connection.sendall(b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\n\r\n")
                out = process.communicate(timeout=PATIENCE)[0]
                connection.close()
                assert (process.returncode, out) == (1, "refused: 401\nclosed: 1006\n"), out
            finally:
                process.kill()


def result_of(test):
    try:
        test()
        return None
    except Exception:  # a failure of this test, and of no other
        return traceback.format_exc()


def main():
    which, chosen = sys.argv[2], sys.argv[3:]
    if which == "tls" and not os.path.exists(program("asio_echo_server_tls")):
        print("skipped: built without OpenSSL")
        return 77
    tests = {name[5:]: test for name, test in globals().items() if name.startswith("test_")}
    tests = {name: test for name, test in tests.items()
             if ("tls" in name.split("_")) == (which == "tls") and (not chosen or name in chosen)}
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(len(tests)) as pool:
        for name, failed in zip(tests, pool.map(result_of, tests.values())):
            print(name.replace("_", " ") + ":", "FAILED" if failed else "passed", flush=True)
            if failed:
                print(failed)
                failures += 1
    return 1 if failures else 0


sys.exit(main())
