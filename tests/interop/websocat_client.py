#!/usr/bin/env python3
"""websocat_client.py WEBSOCAT URL CASE... -- the cases with websocat, as a person at a terminal would run it.

It sends each line it is given as a text, prints what comes, and closes at the end of its input. It shows neither the
kind of a message nor a Close, and adds a newline where one is missing. Which Close it has sent is for the server to
say, see cases.expected_close().
"""

import os
import subprocess
import sys
import threading

SECONDS = int(os.environ.get('INTEROP_SECONDS', 20))
OCTETS = {'text': 'Grüße aus Köln, 你好, 👋\nand one more\n'.encode(), 'binary': bytes(range(256))}


class Failed(Exception):
    """The case has found something wrong."""


class CannotDo(Exception):
    """The program does not offer that."""


def talk(url, sent, wanted, *options):
    """Sends, waits for exactly these octets, then ends the input; what was printed as an error."""
    command = [websocat, '-B', '2000000', *options, url]
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        late = threading.Timer(SECONDS, process.kill)
        late.start()
        try:
            threading.Thread(target=feed, args=(process.stdin, sent), daemon=True).start()
            got = process.stdout.read(len(wanted)) if wanted else b''
            process.stdin.close()
            got += process.stdout.read()
            errors = process.stderr.read().decode()
            status = process.wait()
        finally:
            late.cancel()
            process.kill()
    if got != wanted:
        raise Failed(f'printed {got[:80]!r}, not {wanted[:80]!r}; {errors[-120:]!r}')
    if status and wanted:
        raise Failed(f'ended with {status}: {errors[-120:]!r}')
    return errors


def feed(pipe, octets):
    pipe.write(octets)
    pipe.flush()


def hundred(word):
    return b''.join(f'{word} {i}\n'.encode() for i in range(100))


def run(url, name, first=None, second=None):
    if name in OCTETS:
        talk(url, OCTETS[name], OCTETS[name], '--binary' if name == 'binary' else '--text')
    elif name == 'size':
        line = bytes(33 + i % 90 for i in range(int(first) - 1)) + b'\n'  # which is part of the message
        talk(url, line, line, '--text')
    elif name == 'burst':
        talk(url, hundred('burst'), hundred('burst'), '--text')
    elif name == 'greeting':
        talk(f'{url}/greeting', b'', hundred('greeting'), '--text')
    elif name == 'pong' and not first:
        talk(f'{url}/ping', b'', b'pong are you there\n', '--text')
    elif name == 'refused':
        if '403' not in (errors := talk(f'{url}/refuse', b'', b'')):
            raise Failed(f'it says {errors!r}')
    elif name == 'close' and first:
        reason = ('--close-reason', second) if second else ()
        talk(url, b'line\n', b'line\n', '--text', '--close-status-code', first, *reason)
    else:
        raise CannotDo('offers no other cases on its command line')


def tell(url, case):
    try:
        run(url, *case.split('/'))
    except CannotDo as missing:
        return f'cannot: {missing}'
    except Exception as error:
        return f'failed: {type(error).__name__} {error}'.replace('\n', ' ')
    return 'ok'


websocat, base, *names = sys.argv[1:]
good = True
for case in names:
    result = tell(base, case)
    good &= not result.startswith('failed')
    print(f'{case}: {result}', flush=True)
sys.exit(0 if good else 1)
