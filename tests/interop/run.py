#!/usr/bin/env python3
"""run.py -- our server and client against real products, on this machine's loopback.

    run.py [--quick] [--peer NAME]... [--table FILE]    installs what is missing, runs everything
    run.py --stand-in PEER ...                          with that peer in place of our program
    run.py --wrong [--peer NAME]...                     wrong servers, which every client must notice

Ends with 0 when nothing failed. README.md has the contract between the programs.
"""

import argparse
import collections
import contextlib
import dataclasses
import re
import signal
import sys
import time

import cases
import peers
import tshark
import wrong_server
from processes import NotListening, Program, output_of, server

SECONDS_FOR_ALL = 600  # without what is installed
SECONDS_FOR_A_CLIENT = 150
SECONDS_FOR_A_CASE = 30
WIDTHS = (16, 13, 36, 8, 0)  # of the columns of the table on the terminal


@dataclasses.dataclass
class Row:
    peer: str
    version: str
    direction: str
    results: dict = dataclasses.field(default_factory=dict)  # case: what its client printed
    skipped: str = ''

    def count(self, word):
        return [case for case, result in self.results.items() if result.split(':')[0] == word]

    @property
    def cells(self):
        ran = len(self.results) - len(self.count('cannot'))
        result = 'passed'
        if self.skipped:
            result = f'skipped: {self.skipped}'
        elif failed := self.count('failed'):
            result = 'failed: ' + ', '.join(failed)
        return [self.peer, self.version, self.direction, f'{len(self.count("ok"))} of {ran}' if ran else '-', result]


class OurProgram:
    """Our server and client, or the stand-in for them."""

    def __init__(self, stand_in=None):
        if stand_in:
            self.client, self.server = stand_in.client, stand_in.server
            self.compresses = stand_in.compresses
        else:
            program = build_our_program()
            self.client, self.server = [program, 'call'], [program, 'serve']
            self.compresses = True
        self.may_be_unable = bool(stand_in)


def build_our_program():
    source = peers.HERE / 'sockless_peer.cpp'
    program = peers.CACHE / 'sockless_peer'
    if not source.exists():
        sys.exit(f'{source} is not there; --stand-in ws tries the peers without it')
    headers = [source, *(peers.ROOT / 'include').rglob('*.hpp'), *(peers.ROOT / 'examples').rglob('*.hpp')]
    if not program.exists() or program.stat().st_mtime < max(file.stat().st_mtime for file in headers):
        peers.need('c++:g++', '/usr/include/zlib.h:zlib1g-dev')
        program.parent.mkdir(parents=True, exist_ok=True)
        folders = [f'-I{peers.ROOT}/include', f'-I{peers.ROOT}']
        command = ['c++', '-std=c++20', '-O2', *folders, source, '-o', program, '-lz']
        try:
            output_of(command, 300)
        except RuntimeError as error:
            sys.exit(f'cannot build our program: {error}')
    return program


def with_options(command, deflate=None):
    return [
        *command,
        *(['--deflate', deflate] if deflate else []),
        *('--port', 0, '--max-message', cases.MAX_MESSAGE),
        *(word for name in cases.PROTOCOLS for word in ('--protocol', name)),
    ]


# ---- one client, one server ----


def run_client(command, asked, seconds, **environment):
    """What a client says about each case at each URL; every case gets a result, whatever the client does."""
    names = [name for _, names in asked for name in names]
    words = [word for url, names in asked for word in (url, *names)]
    with Program([*command, *words], **environment) as program:
        status = program.wait(seconds)
        said = dict(line.split(': ', 1) for line in program.all_lines if ': ' in line)
        others = [line for line in program.all_lines if line.split(': ', 1)[0] not in names]
    why = f'it ran for more than {seconds:.0f} s' if status is None else f'it ended with {status}'
    if others:
        why += ', saying ' + ' | '.join(others[-4:])
    results = {}
    for name in names:
        result = said.get(name, f'failed: no result; {why}')
        known = re.fullmatch(r'ok|(?:failed|cannot): .+', result)
        results[name] = result if known else f'failed: it said {result!r}'
    if status and 'failed' not in ''.join(results.values()):
        results[names[-1]] = f'failed: said {results[names[-1]]}, but {why}'
    return results


def check_ends(results, lines):
    """The server must have seen the Close that each passed case was about."""
    seen = collections.Counter(lines)
    for case, result in results.items():
        wanted = cases.expected_line(case)
        if result != 'ok' or not wanted or case.startswith('received/'):
            continue
        if not seen[wanted]:
            results[case] = f'failed: the server did not say "{wanted}"'
        seen[wanted] -= 1


def check_end(case, result, program, seconds=5):
    """As above, while the server still runs."""
    wanted = cases.expected_line(case)
    if result != 'ok' or not wanted:
        return result
    free_reason = '( .*)?' if case.startswith('received/') else ''
    if program.wait_for_line(re.escape(wanted) + free_reason, seconds):
        return result
    return f'failed: the server did not say "{wanted}"'


def run_termination(client, our_server):
    """Our server gets SIGTERM while a client is connected, which must see 1001."""
    with server(with_options(our_server)) as (program, port):
        with Program([*client, f'ws://127.0.0.1:{port}', 'terminated']) as waiting:
            if not waiting.wait_for_line('connected', SECONDS_FOR_A_CASE):
                return waiting.all_lines[-1].removeprefix('terminated: ') if waiting.all_lines else 'failed: silent'
            program.process.send_signal(signal.SIGTERM)
            found = waiting.wait_for_line('terminated: (.*)', SECONDS_FOR_A_CASE)
            ended = program.wait(SECONDS_FOR_A_CASE) is not None
    if not found or not ended:
        return 'failed: ' + ('the client saw nothing' if not found else 'the server did not end')
    return found[1]


# ---- the two directions ----


class Session:
    def __init__(self, ours, seconds, is_quick):
        self.ours = ours
        self.is_quick = is_quick
        self.until = time.monotonic() + seconds
        self.rows = []

    def left(self, at_most):
        return max(1, min(at_most, self.until - time.monotonic()))

    def run(self, peer):
        try:
            for install in peer.install:
                install()
            version = peer.version()
        except Exception as missing:
            self.add(Row(peer.name, '-', 'all', skipped=str(missing)))
            return
        try:
            if peer.client:
                self.their_client(peer, version)
            if peer.server:
                self.their_server(peer, version)
            if peer.compresses and self.ours.compresses:
                self.compressed(peer, version)
            if peer.name == 'tshark':
                self.capture(peer, version)
        except OSError as error:  # a program that cannot be started
            self.add(Row(peer.name, version, 'all', {'start': f'failed: {error}'}))

    def their_client(self, peer, version):
        row = Row(peer.name, version, peer.client_direction)
        try:
            with server(with_options(self.ours.server)) as (program, port), peer.proxy(port) as port:
                url = f'ws://127.0.0.1:{port}'
                asked = [(url, cases.TO_OUR_SERVER)]
                row.results = run_client(peer.client, asked, self.left(SECONDS_FOR_A_CLIENT))
                program.end()
                check_ends(row.results, program.all_lines)
            if peer.terminated:
                row.results['terminated'] = run_termination(peer.client, self.ours.server)
        except NotListening as silent:
            row.results['start'] = f'failed: our server does not listen: {silent}'
        self.add(row)

    def their_server(self, peer, version):
        row = Row(peer.name, version, peer.server_direction)
        try:
            with server(with_options(peer.server)) as (program, port), peer.proxy(port) as port:
                for case in cases.TO_OUR_CLIENT:
                    row.results[case] = self.our_case(peer, case, program, f'ws://127.0.0.1:{port}')
        except NotListening as silent:
            row.results['start'] = f'failed: the server does not listen: {silent}'
        self.add(row)

    def compressed(self, peer, version):
        if peer.client:
            self.their_client_compresses(peer, version)
        if peer.server:
            self.their_server_compresses(peer, version)

    def their_client_compresses(self, peer, version):
        row = Row(peer.name, version, f'{peer.client_direction}, compressed')
        try:
            with contextlib.ExitStack() as stack:
                asked, programs = [], []
                for terms, names in cases.compressed(cases.TO_OUR_SERVER, self.is_quick):
                    program, port = stack.enter_context(server(with_options(self.ours.server, terms)))
                    asked.append((f'ws://127.0.0.1:{port}', names))
                    programs.append(program)
                results = run_client(peer.client, asked, self.left(SECONDS_FOR_A_CLIENT))
                for (_, names), program in zip(asked, programs):
                    program.end()
                    some = {name: results[name] for name in names}
                    check_ends(some, program.all_lines)
                    row.results.update(some)
        except NotListening as silent:
            row.results['start'] = f'failed: our server does not listen: {silent}'
        self.add(row)

    def their_server_compresses(self, peer, version):
        row = Row(peer.name, version, f'{peer.server_direction}, compressed')
        try:
            for terms, names in cases.compressed(cases.TO_OUR_CLIENT, self.is_quick):
                with server(with_options(peer.server, terms)) as (program, port):
                    for case in names:
                        row.results[case] = self.our_case(peer, case, program, f'ws://127.0.0.1:{port}')
        except NotListening as silent:
            row.results['start'] = f'failed: the server does not listen: {silent}'
        self.add(row)

    def capture(self, peer, version):
        row = Row(peer.name, version, 'captures of our client and server')
        try:
            row.results = tshark.run(self.ours, with_options, peers.CACHE / 'tshark', run_client)
        except NotListening as silent:
            row.results['start'] = f'failed: our server does not listen: {silent}'
        self.add(row)

    def our_case(self, peer, case, program, url):
        for pattern, reason in peer.server_cannot.items():
            if re.fullmatch(pattern, case):
                return f'cannot: {reason}'
        if time.monotonic() > self.until:
            return 'failed: the time for all was up'
        program.forget_lines()
        result = run_client(self.ours.client, [(url, [case])], self.left(SECONDS_FOR_A_CASE))[case]
        if result.startswith('cannot') and not self.ours.may_be_unable:
            result = f'failed: {result}'
        return check_end(case, result, program)

    def add(self, row):
        if not row.skipped and len(row.count('cannot')) == len(row.results):
            row.results['start'] = 'failed: no case ran'
        self.rows.append(row)
        print('  '.join(f'{cell:{width}}' for cell, width in zip(row.cells, WIDTHS)), flush=True)
        for case in row.count('failed'):
            print(f'    {case}: {row.results[case]}', flush=True)


# ---- what is printed ----


def not_offered(rows):
    """Which cases a peer's own interface does not let anybody run, by reason."""
    lines = []
    for row in rows:
        by_reason = collections.defaultdict(list)
        for case in row.count('cannot'):
            by_reason[row.results[case].removeprefix('cannot: ')].append(case)
        for reason, names in by_reason.items():
            shown = ', '.join(names) if len(names) < 5 else f'{names[0]} and {len(names) - 1} more'
            lines.append(f'{row.peer}, {row.direction}: {reason} ({shown})')
    return lines


def write_table(file, rows):
    """Replaces what stands between the two markers."""
    head = [['peer', 'version', 'direction', 'cases', 'result'], ['---'] * 5]
    cells = [[cell.replace('|', '\\|') for cell in row.cells] for row in rows]
    lines = ['| ' + ' | '.join(line) + ' |' for line in head + cells]
    notes = [f'- {line}' for line in not_offered(rows)]
    if notes:
        summary = '<summary>What a peer does not offer, and so is not among its cases</summary>'
        lines += ['', '<details>', summary, '', *notes, '', '</details>']
    section = '\n'.join(lines)
    begin, end = '<!-- interop -->', '<!-- end of interop -->'
    with open(file, encoding='utf-8') as old:
        text = old.read()
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        sys.exit(f'{file} has no section from {begin} to {end}')
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    with open(file, 'w', encoding='utf-8') as out:
        out.write(f'{before}{begin}\n\n{section}\n\n{end}{after}')


# ---- are the clients any good? ----


def try_wrong_servers(chosen):
    """Runs each client against each wrong server; the number of faults that one did not notice."""
    missed = 0
    for peer in chosen:
        if not peer.client or peer.client_direction != peers.THEIR_CLIENT:
            continue
        try:
            for install in peer.install:
                install()
        except peers.Missing as missing:
            print(f'{peer.name}: skipped: {missing}')
            continue
        for fault, must_fail in {None: cases.TO_OUR_SERVER, **wrong_server.FAULTS}.items():
            if fault in peer.blind:
                continue
            command = [sys.executable, peers.HERE / 'wrong_server.py', *(['--wrong', fault] if fault else [])]
            with server(with_options(command)) as (_, port):
                asked = [(f'ws://127.0.0.1:{port}', must_fail)]
                results = run_client(peer.client, asked, 120, INTEROP_SECONDS=3 if fault else 20)
            bad = 'ok' if fault else 'failed'
            for case, result in results.items():
                if result.split(':')[0] == bad:
                    print(f'{peer.name}: {case} with {fault or "no fault"}: {result}', flush=True)
                    missed += 1
        print(f'{peer.name}: tried with {len(wrong_server.FAULTS)} wrong servers', flush=True)
    return missed + try_liar()


def try_liar():
    """A client that does nothing but claims success must be found out by what the server says."""
    liar = [sys.executable, '-c', 'import sys; print(*[case + ": ok" for case in sys.argv[2:]], sep="\\n")']
    wanted = [case for case in cases.TO_OUR_CLIENT if cases.expected_line(case)]
    missed = 0
    with server(with_options([sys.executable, peers.HERE / 'wrong_server.py'])) as (program, port):
        asked = [(f'ws://127.0.0.1:{port}', cases.TO_OUR_SERVER)]
        alive = {case: check_end(case, 'ok', program, 0.1) for case in wanted}
        results = run_client(liar, asked, 20)
        program.end()
        check_ends(results, program.all_lines)
    for case in wanted:
        if alive[case] == 'ok' or results.get(case) == 'ok':
            print(f'a client that does nothing: {case} ok')
            missed += 1
    return missed


def main():
    names = [peer.name for peer in peers.PEERS]
    parser = argparse.ArgumentParser(description='Our server and client against real products.')
    parser.add_argument('--quick', action='store_true', help='only the peers that install in seconds')
    parser.add_argument('--peer', action='append', choices=names)
    parser.add_argument('--table', metavar='FILE', help='replaces the section between its markers')
    parser.add_argument('--stand-in', metavar='PEER', choices=names, help='plays the part of our program')
    parser.add_argument('--wrong', action='store_true', help='do the clients notice wrong servers?')
    options = parser.parse_args()
    if options.table and options.stand_in:
        parser.error('a table of what a stand-in does would say nothing about us')
    chosen = [
        peer
        for peer in peers.PEERS
        if (not options.peer or peer.name in options.peer) and (not options.quick or peer.quick)
    ]
    if options.wrong:
        sys.exit(1 if try_wrong_servers(chosen) else 0)

    stand_in = next((peer for peer in peers.PEERS if peer.name == options.stand_in), None)
    for install in stand_in.install if stand_in else []:
        install()
    session = Session(OurProgram(stand_in), SECONDS_FOR_ALL, options.quick)
    begin = time.monotonic()
    for peer in chosen:
        since = time.monotonic()
        with contextlib.suppress(peers.Missing):
            for install in peer.install:
                install()
        session.until += time.monotonic() - since  # installing has its own limits
        session.run(peer)
    for line in not_offered(session.rows):
        print(f'not offered: {line}')
    failed = sum(len(row.count('failed')) for row in session.rows)
    passed = sum(len(row.count('ok')) for row in session.rows)
    print(f'{passed} cases passed, {failed} failed, {time.monotonic() - begin:.0f} s')
    if options.table:
        write_table(options.table, session.rows)
    sys.exit(1 if failed or not passed else 0)


main()
