"""cases.py -- the names of the cases, and what every participant agreed on; README.md tells what they mean."""

MAX_MESSAGE = 1 << 20
PROTOCOLS = ('echo.v2', 'echo.v1')

SIZES = (125, 126, 127, 65535, 65536, MAX_MESSAGE)
CODES = (1000, 1001, 1011, 3000, 4999)

BOTH_WAYS = [
    'text', 'binary', 'empty',
    *(f'size/{size}' for size in SIZES),
    'fragments', 'fragments/cut', 'fragments/ping',
    'ping', 'pong', 'pong/unasked',
    'burst', 'greeting',
    'protocol/agreed', 'protocol/none', 'refused',
    'close', *(f'close/{code}' for code in CODES), *(f'close/{code}/bye' for code in CODES),
    'closed', *(f'closed/{code}' for code in CODES), *(f'closed/{code}/over' for code in CODES),
    'too-large',
]  # fmt: skip

# A client that sends what is not UTF-8: ours cannot, so this is asked of the peers' clients alone.
TO_OUR_SERVER = [*BOTH_WAYS, 'invalid-text']

# What a peer's server sends wrongly on request; our server would not.
TO_OUR_CLIENT = [*BOTH_WAYS, 'received/too-large', 'received/invalid-text']


def expected_close(case):
    """What the server must have printed about a connection's end, or None where the case leaves it open.

    The client says itself that a case went well; here the other end has the last word.
    """
    if case == 'close':
        return 'closed 1005'
    if case.startswith('close/'):
        return 'closed ' + case.removeprefix('close/').replace('/', ' ')
    return {'received/too-large': 'closed 1009', 'received/invalid-text': 'closed 1007'}.get(case)
