"""cases.py -- the names of the cases, and what every participant agreed on; README.md tells what they mean."""

import re

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

# How both compress: the windows of the server and of the client, which may forget what came before a message.
FEW_TERMS = ('15/15', '9/9', '9/15', '15/9', '15-anew/15-anew', '11-anew/13')
MANY_TERMS = (
    '15/15', '15-anew/15', '15/15-anew', '15-anew/15-anew', '9-anew/9-anew', '11-anew/13',
    *(f'{bits}/15' for bits in range(9, 15)),
    *(f'15/{bits}' for bits in range(9, 15)),
    *(f'{bits}/{bits}' for bits in range(9, 15)),
)  # fmt: skip

# The cases that change when messages are compressed.
WITH_MESSAGES = re.compile(r'text|binary|empty|size/.*|fragments.*|burst|greeting|(received/)?(too-large|invalid-text)')


def compressed(plain, is_quick):
    """Servers by what they want, and the cases for each: those of `plain` with compressed messages, and those where
    the server, or the client, says how both compress.
    """
    terms = FEW_TERMS if is_quick else MANY_TERMS
    return [
        ('15/15', [case for case in plain if WITH_MESSAGES.fullmatch(case)]),
        ('15/15', [f'deflate/{one}/offered' for one in terms]),
        *((one, [f'deflate/{one}']) for one in terms),
    ]


def expected_line(case):
    """What the server must have printed at a connection's end, or None where the case leaves it open.

    The client says itself that a case went well; here the other end has the last word.
    """
    if case.startswith('deflate/'):
        return 'agreed ' + '/'.join(case.split('/')[1:3])
    if case == 'close':
        return 'closed 1005'
    if case.startswith('close/'):
        return 'closed ' + case.removeprefix('close/').replace('/', ' ')
    return {'received/too-large': 'closed 1009', 'received/invalid-text': 'closed 1007'}.get(case)
