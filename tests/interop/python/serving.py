"""serving.py -- what all servers in Python share: their options and the lines they print."""

import argparse


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--max-message', type=int, default=1 << 20)
    parser.add_argument('--protocol', action='append', default=[])
    parser.add_argument('--deflate', metavar='TERMS')
    return parser.parse_args()


def agree(offered, ours):
    """The first that the client offers and we know."""
    return next((name for name in offered if name in ours), None)


def close_of_path(path):
    """Code and reason that a path /close, /close/CODE or /close/CODE/REASON asks for."""
    words = path.split('/')[2:]
    return (int(words[0]) if words else None), ''.join(words[1:])


def say_listening(port):
    print(f'listening on 127.0.0.1:{port}', flush=True)


def say_closed(code, reason):
    print(f'closed {code} {reason}'.rstrip(), flush=True)
