"""The goals, beside what was measured. Each row says how it is judged; nothing here is a result."""

V3 = 'g++-12 -O3 -march=x86-64-v3'
O2 = 'g++-12 -O2'
BUILDS = (V3, O2)


class Measured:
    """What was measured, by build, name and variant; None if it was not."""

    def __init__(self, entries):
        self.entries = {(one['build'], one['name'], one['variant']): one for one in entries}

    def value(self, build, name, variant, unit='ns'):
        entry = self.entries.get((build, name, variant))
        return entry.get(unit) if entry else None

    def of_role(self, build, name, role):
        found = [one['ns'] for (b, n, _), one in self.entries.items()
                 if (b, n) == (build, name) and one['role'] == role and one['ns'] is not None]
        return min(found) if found else None

    def floor(self, build, name):
        return self.of_role(build, name, 'floor')

    def peer(self, build, name):
        return self.of_role(build, name, 'peer')


# ---- how a figure is judged: (goal as text, what is told, is it met, how far off) ----

def divided(one, other):
    return None if one is None or other is None else one / other


class Below:
    """A figure that should be at most so much."""

    def __init__(self, figure, most, unit=' ns', by_build=None, builds=BUILDS):
        self.figure, self.most, self.unit, self.by_build = figure, most, unit, by_build or {}
        self.builds = builds

    def limit(self, build):
        return self.by_build.get(build, self.most)

    def goal(self):
        return self.sign() + ' / '.join(
            f'{limit:g}{self.unit}' for limit in dict.fromkeys(self.limit(b) for b in BUILDS))

    def sign(self):
        return '<= '

    def missed(self, build, value):
        if self.limit(build) == 0:
            return 0 if value == 0 else float('inf')
        return value / self.limit(build)

    def cell(self, measured, build):
        value = self.figure(measured, build) if build in self.builds else None
        if value is None:
            return '-'
        text = f'{value:,.0f}' if value >= 1000 else f'{value:.3g}'
        off = self.missed(build, value)
        by = f'{off:.3f}' if off < 1.1 else f'{off:.2f}' if off < 10 else f'{off:.0f}'
        return f'{text}{self.unit} ' + ('met' if off <= 1 else f'**{by}x off**')


class Above(Below):
    """A figure that should be at least so much."""

    def sign(self):
        return '>= '

    def missed(self, build, value):
        return self.limit(build) / value if value > 0 else float('inf')


def ns(name, variant):
    return lambda m, build: m.value(build, name, variant)


def unit_of(unit, name, variant):
    return lambda m, build: m.value(build, name, variant, unit)


def to_floor(name, variant):  # ours : floor
    return lambda m, build: divided(m.value(build, name, variant), m.floor(build, name))


def above_floor(name, variant, unit='ns', floor='memcpy'):
    def figure(m, build):
        mine, least = m.value(build, name, variant, unit), m.value(build, name, floor, unit)
        return None if mine is None or least is None else mine - least
    return figure


def faster_than_floor(name, variant):  # floor : ours
    return lambda m, build: divided(m.floor(build, name), m.value(build, name, variant))


def faster_than_peer(name, variant):  # best peer : ours
    return lambda m, build: divided(m.peer(build, name), m.value(build, name, variant))


def both(row):
    """The same of a server's two floors: an endpoint, which gives slices, and a connection."""
    return [(f'{row[0]}, `{who}`', row[1](who)) for who in ('server_endpoint', 'server_connection')]


def receiving():
    def rows(what, judge):
        return both((what, judge))
    name = 'receive '
    yield from rows('0 octets, binary', lambda who: Below(ns(name + '0 binary', who), 6))
    yield from rows('16, text', lambda who: Below(ns(name + '16 ascii', who), 7))
    yield from rows('125, text', lambda who: Below(ns(name + '125 ascii', who), 11))
    yield from rows('1 KiB, binary: times memcpy',
                    lambda who: Below(to_floor(name + '1024 binary', who), 2.0, 'x'))
    yield from rows('1 KiB, text: times memcpy',
                    lambda who: Below(to_floor(name + '1024 ascii', who), 2.2, 'x'))
    yield from rows('64 KiB, text: faster than the best peer',
                    lambda who: Above(faster_than_peer(name + '65536 ascii', who), 2, 'x', {O2: 2.5}))
    yield from rows('1..2000, text: faster than the best peer',
                    lambda who: Above(faster_than_peer(name + '1..2000 ascii', who), 3, 'x'))
    yield from rows('64 KiB in 16 KiB reads, text: faster than the best peer',
                    lambda who: Above(faster_than_peer(
                        name + '65536 ascii in reads of 16384', who), 2.7, 'x', {O2: 5}))
    yield from rows('1..125, CJK: faster than the best peer (the goal: than uWS)',
                    lambda who: Above(faster_than_peer(name + '1..125 cjk', who), 3, 'x'))
    yield from rows('allocations of a message of 16',
                    lambda who: Below(unit_of('allocations', name + '16 ascii', who), 0, ''))
    yield from rows('instructions for 16, text, without the copy',
                    lambda who: Below(above_floor(name + '16 ascii', who, 'instructions'), 75, ''))


def kernels():
    for size, least in (('4096', 0.95), ('65536', 1.25), ('1048576', 2.2)):
        yield (f'unmask {size}: faster than memcpy',
               Above(faster_than_floor(f'unmask {size}', 'sockless'), least, 'x'))
    yield ('unmask 4096 with SSE2 alone: faster than the best peer',
           Above(faster_than_peer('unmask 4096', 'sockless, sure blocks'), 2, 'x', builds=(O2,)))
    for size, least in (('4096', 0.7), ('65536', 1.2)):
        yield (f'unmask and validate {size} ASCII: faster than memcpy',
               Above(faster_than_floor(f'validate {size} ascii', 'sockless'), least, 'x'))
    for what, least in (('cjk', 12), ('latin', 7), ('emoji', 7)):
        yield (f'unmask and validate 4096 {what}: faster than the best peer (the goal: than uWS)',
               Above(faster_than_peer(f'validate 4096 {what}', 'sockless'), least, 'x'))
    yield 'unmask and validate 64 ASCII', Below(ns('validate 64 ascii', 'sockless'), 6)


def sending():
    for size in (0, 16, 125, 1024, 65536):
        yield (f'server, {size}: more than memcpy',
               Below(above_floor(f'send server {size}', 'server_endpoint'), 2.5))
    yield ('server, header only',
           Below(ns('send server 1024', 'server_endpoint header only'), 3))
    for size, most in ((16, 7), (125, 10), (1024, 60), (65536, 4000)):
        yield (f'client, {size}, unpredictable key',
               Below(ns(f'send client {size}', 'client_endpoint'), most))


def opening():
    yield 'request to 101, `server_handshake`', Below(ns('handshake', 'server_handshake'), 420)
    yield ('its allocations', Below(unit_of('allocations', 'handshake', 'server_handshake'), 0, ''))
    yield 'request to 101, `server_connection`', Below(ns('handshake', 'server_connection'), 420)


def deflating():
    sizes = (100, 1024, 65536)
    for size in sizes:
        name = f'inflate json {size} takeover'
        yield (f'{name}, the transform: times zlib with the octets that arrive',
               Below(lambda m, b, n=name: divided(m.value(b, n, 'transform'),
                                                  m.value(b, n, 'zlib_in_two_steps')), 1.05, 'x'))
    for what, ours in (('deflate', 'server_send'), ('inflate', 'client_receive'),
                       ('inflate', 'server_receive')):
        for size in sizes:
            yield (f'{what} json {size} takeover, `{ours}`: times zlib alone',
                   Below(to_floor(f'{what} json {size} takeover', ours), 1.05, 'x'))


def compiling():
    for header, seconds, lines in (('sockless/endpoint.hpp', 0.35, 17500),
                                   ('sockless/sockless.hpp', 0.5, 21000)):
        yield (f'`{header}`, seconds',
               Below(lambda m, b, h=header: divided(m.value(b, 'compile', h), 1e9), seconds, ' s'))
        yield (f'`{header}`, lines', Below(unit_of('lines', 'compile', header), lines, ''))


def echoing():
    for case, most in (('20 depth 1', 1.03), ('1024 depth 1', 1.03), ('20 depth 16', 1.10),
                       ('1024 depth 16', 1.20)):
        for who in ('server_endpoint', 'server_connection'):
            yield (f'{case}, `{who}`: times a raw echo',
                   Below(to_floor(f'echo {case}', who), most, 'x'))


SECTIONS = (
    ('1. Receiving', receiving),
    ('2. Kernels', kernels),
    ('3. Sending', sending),
    ('4. Opening handshake', opening),
    ('5. permessage-deflate', deflating),
    ('7. Compile cost', compiling),
    ('8. Echo', echoing),
)


def table(entries):
    measured = Measured(entries)
    yield f'| | goal | `{V3}` | `{O2}` |'
    yield '|---|---|---|---|'
    for title, rows in SECTIONS:
        yield f'| **{title}** | | | |'
        for what, judge in rows():
            cells = [judge.cell(measured, build) for build in BUILDS]
            yield f'| {what} | {judge.goal()} | {cells[0]} | {cells[1]} |'
