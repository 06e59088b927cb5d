"""peers.py -- who is asked, where it comes from, how it is installed and started.

Everything but Debian's packages goes to build/interop/, in the versions that the lock files name.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import re
import shutil
import socket
import sys
import time
from pathlib import Path

from processes import NotListening, Program, output_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / 'build/interop'


class Missing(Exception):
    """Why a peer cannot be had on this machine."""


# ---- installing ----


def once(name, *sources):
    """Runs the installer below when one of the sources differs from what was installed last."""

    def decorate(install):
        @functools.cache
        def installed():
            digest = hashlib.sha256()
            for source in sources:
                path = HERE / source
                for file in sorted(path.rglob('*')) if path.is_dir() else [path]:
                    digest.update(file.read_bytes() if file.is_file() else b'')
            stamp = CACHE / f'{name}.installed'
            if stamp.exists() and stamp.read_text() == digest.hexdigest():
                return
            print(f'installing {name} ...', file=sys.stderr, flush=True)
            CACHE.mkdir(parents=True, exist_ok=True)
            begin = time.monotonic()
            try:
                install()
            except Exception as error:
                raise Missing(f'cannot install {name}: {error}') from None
            stamp.write_text(digest.hexdigest())
            print(f'installed {name} in {time.monotonic() - begin:.0f} s', file=sys.stderr, flush=True)

        return installed

    return decorate


@functools.cache
def need(*words):
    """Debian's packages, as in tests/checks/need.sh."""
    try:
        output_of(['sh', '-c', '. tests/checks/need.sh; need "$@"', 'interop', *words], 600, cwd=ROOT)
    except Exception as error:
        raise Missing(str(error)) from None


def need_toolchain(command, which):
    """Go and Rust: Debian's own are too old for these peers, so they are not installed from there."""
    if not shutil.which(command):
        raise RuntimeError(f'there is no {command} on this machine ({which})')


@once('python', 'python/requirements.txt')
def install_python():
    output_of([sys.executable, '-m', 'venv', '--clear', CACHE / 'python'], 120)
    output_of([PYTHON, '-m', 'pip', 'install', '--quiet', '-r', HERE / 'python/requirements.txt'], 300)


@once('node', 'node/package.json', 'node/package-lock.json')
def install_node():
    need('node:nodejs', 'npm:npm')
    found = output_of(['node', '--version']).strip()
    if int(found.removeprefix('v').split('.')[0]) < 20:
        raise RuntimeError(f'node is {found}, and must be 20 or later')
    folder = CACHE / 'node'
    folder.mkdir(exist_ok=True)
    for name in ('package.json', 'package-lock.json'):
        shutil.copy(HERE / 'node' / name, folder)
    output_of(['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts'], 300, cwd=folder)


@once('go', 'go')
def install_go():
    need_toolchain('go', 'Go 1.24 or later')
    environment = {
        **os.environ,
        'GOPATH': str(CACHE / 'go/path'),
        'GOCACHE': str(CACHE / 'go/cache'),
        'GOFLAGS': '-mod=readonly -modcacherw -p=1',
    }
    (CACHE / 'go/bin').mkdir(parents=True, exist_ok=True)
    output_of(['nice', 'go', 'build', '-o', CACHE / 'go/bin/', './...'], 600, cwd=HERE / 'go', env=environment)


def cargo(*arguments):
    need_toolchain('cargo', 'Rust; tried with 1.95')
    environment = {**os.environ, 'CARGO_HOME': str(CACHE / 'rust/home'), 'CARGO_TARGET_DIR': str(CACHE / 'rust/target')}
    output_of(['nice', 'cargo', *arguments, '-j1', '--locked', '--quiet'], 900, cwd=HERE / 'rust', env=environment)


@once('rust', 'rust')
def install_rust():
    cargo('build', '--release')


@once('websocat', 'rust/websocat.version')
def install_websocat():
    version = (HERE / 'rust/websocat.version').read_text().split()[0]
    cargo('install', 'websocat', '--version', version, '--root', str(CACHE / 'rust'))


# ---- versions ----

PYTHON = CACHE / 'python/bin/python'
NGINX = '/usr/sbin/nginx'


def pip_version(name):
    return lambda: re.search(rf'(?m)^{name}==(\S+)', (HERE / 'python/requirements.txt').read_text())[1]


def npm_version(name):
    lock = HERE / 'node/package-lock.json'
    return lambda: json.loads(lock.read_text())['packages'][f'node_modules/{name}']['version']


def go_version(name):
    return lambda: re.search(rf'(?m)^\s*(?:require )?{name} v(\S+)', (HERE / 'go/go.mod').read_text())[1]


def cargo_version(name):
    return lambda: re.search(rf'name = "{name}"\nversion = "(\S+)"', (HERE / 'rust/Cargo.lock').read_text())[1]


def said_version(*command):
    """The first thing like a version in what a program says of itself."""
    return lambda: re.search(r'\d+\.[\d.]*\d', output_of(command))[0]


# ---- the peers ----


THEIR_CLIENT = 'its client, our server'
THEIR_SERVER = 'our client, its server'


@dataclasses.dataclass
class Peer:
    name: str
    version: object
    install: list
    client: list = None  # the command before URL CASE...
    server: list = None  # the command before --port N --max-message BYTES --protocol NAME...
    server_cannot: dict = dataclasses.field(default_factory=dict)  # pattern of cases: reason
    proxy: object = contextlib.nullcontext  # from a server's port to the one that clients call
    client_direction: str = THEIR_CLIENT
    server_direction: str = THEIR_SERVER
    terminated: bool = False  # its client has the case of that name
    blind: tuple = ()  # to these faults of wrong_server.py, because it does not show them
    quick: bool = False
    compresses: bool = False


def node(script):
    return ['env', f'NODE_PATH={CACHE}/node/node_modules', 'node', HERE / 'node' / script]


def is_listening(port):
    with socket.socket() as plug:
        return plug.connect_ex(('127.0.0.1', port)) == 0


@contextlib.contextmanager
def nginx(behind):
    """nginx in front of the server on that port."""
    folder = CACHE / 'nginx'
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]  # nginx picks none itself; this one was free a moment ago
    text = (HERE / 'nginx/nginx.conf').read_text()
    for word, value in {'FOLDER': folder, 'PORT': port, 'BEHIND': behind}.items():
        text = text.replace(f'@{word}@', str(value))
    (folder / 'nginx.conf').write_text(text)
    with Program([NGINX, '-p', folder, '-e', 'stderr', '-c', folder / 'nginx.conf']) as program:
        until = time.monotonic() + 10
        while not is_listening(port):
            if time.monotonic() > until or program.wait(0.05) is not None:
                raise NotListening(' | '.join(program.all_lines[-3:]) or 'nginx')
        yield port


def python(script):
    return [PYTHON, HERE / 'python' / script]


PEERS = [
    Peer(
        'ws',
        npm_version('ws'),
        [install_node],
        node('ws_client.js'),
        node('ws_server.js'),
        terminated=True,
        quick=True,
        compresses=True,
    ),
    Peer(
        'websockets',
        pip_version('websockets'),
        [install_python],
        python('websockets_client.py'),
        python('websockets_server.py'),
        terminated=True,
        quick=True,
        compresses=True,
    ),
    Peer(
        'wsproto',
        pip_version('wsproto'),
        [install_python],
        python('wsproto_client.py'),
        python('wsproto_server.py'),
        {'received/invalid-text': 'sends no invalid text'},
        terminated=True,
        quick=True,
    ),
    Peer(
        'curl',
        said_version('curl', '--version'),
        [lambda: need('curl:curl')],
        [sys.executable, HERE / 'curl_client.py'],
        quick=True,
    ),
    Peer(
        'nginx',
        said_version(NGINX, '-v'),
        [install_python, lambda: need(f'{NGINX}:nginx-light')],
        python('websockets_client.py'),
        python('websockets_server.py'),
        proxy=nginx,
        client_direction='websockets, nginx, our server',
        server_direction='our client, nginx, websockets',
        quick=True,
    ),
    Peer(
        'tshark',
        said_version('tshark', '--version'),
        [lambda: need('tshark:tshark')],
        quick=True,
    ),
    Peer(
        'Chromium',
        said_version('chromium', '--version'),
        [install_node, lambda: need('chromium:chromium')],
        node('chromium.js'),
        terminated=True,
        compresses=True,
    ),
    Peer(
        'Firefox',
        said_version('firefox-esr', '--version'),
        [install_node, lambda: need('firefox-esr:firefox-esr')],
        node('firefox.js'),
        terminated=True,
        compresses=True,
    ),
    Peer(
        'gorilla',
        go_version('github.com/gorilla/websocket'),
        [install_go],
        [CACHE / 'go/bin/gorilla_client'],
        [CACHE / 'go/bin/gorilla_server'],
        terminated=True,
    ),
    Peer(
        'coder',
        go_version('github.com/coder/websocket'),
        [install_go],
        [CACHE / 'go/bin/coder_client'],
        [CACHE / 'go/bin/coder_server'],
        terminated=True,
    ),
    Peer(
        'tungstenite',
        cargo_version('tungstenite'),
        [install_rust],
        [CACHE / 'rust/target/release/tungstenite_client'],
        [CACHE / 'rust/target/release/tungstenite_server'],
        terminated=True,
    ),
    Peer(
        'tokio-websockets',
        cargo_version('tokio-websockets'),
        [install_rust],
        [CACHE / 'rust/target/release/tokio_websockets_client'],
        [CACHE / 'rust/target/release/tokio_websockets_server'],
        {'refused|protocol/agreed': 'its own handshake accepts every request and agrees to no protocol'},
        terminated=True,
    ),
    Peer(
        'uvicorn',
        lambda: f'{pip_version("uvicorn")()}, FastAPI {pip_version("fastapi")()}',
        [install_python],
        server=python('uvicorn_server.py'),
        server_cannot={
            'pong': 'an application sends no pings',
            'closed': 'an application closes with a code',
            'received/invalid-text': 'sends no invalid text',
        },
        quick=True,
    ),
    Peer(
        'websocat',
        lambda: (HERE / 'rust/websocat.version').read_text().strip(),
        [install_websocat],
        [sys.executable, HERE / 'websocat_client.py', CACHE / 'rust/bin/websocat'],
        blind=('opcode', 'code', 'cut-short'),
    ),
]  # fmt: skip
