#!/usr/bin/env python3
"""Makes of what was measured one array of JSON, tables and pictures. run.sh calls it.

    report.py --facts-of FILE BUILD            Google Benchmark's JSON, as facts
    report.py --facts-of-counted FOLDER BUILD  callgrind's files, as facts
    report.py --facts-of-deflate FILE          deflate's JSON, as facts
    report.py [--update] [--quick] --json FILE FACTS
    report.py [--update] --from FILE           the same of an array that was written before

A fact is a line: build, name of the case, variant, role, unit and value, with tabs between. Of many
facts about one thing, the median counts.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import sys

import goals
import pictures

README = pathlib.Path(__file__).parent / 'README.md'


# ---- facts ----

def facts_of_benchmark(path, build):
    for run in json.loads(pathlib.Path(path).read_text())['benchmarks']:
        if run['run_type'] != 'iteration':
            continue
        name, variant = re.sub(r'/repeats:\d+$', '', run['run_name']).split('/')
        yield build, name, variant, run['label'], 'ns', run['cpu_time'] / run['messages']
        if run['repetition_index'] == 0:
            yield build, name, variant, run['label'], 'allocations', run['allocations']


def facts_of_callgrind(folder, build):
    sizes = dict()
    for line in (pathlib.Path(folder) / 'list').read_text().splitlines():
        name, variant, role, messages = line.split('\t')
        sizes[f'{name}/{variant}'] = role, int(messages)
    for path in pathlib.Path(folder).glob('counted.*'):
        text = path.read_text()
        trigger = re.search(r'^desc: Trigger: Client Request: (.*)$', text, re.M)
        total = re.search(r'^(?:summary|totals): (\d+)$', text, re.M)
        if not trigger:
            continue
        name, variant = trigger[1].split('/')
        role, messages = sizes[trigger[1]]
        yield build, name, variant, role, 'instructions', int(total[1]) / messages


def facts_of_deflate(path):
    for entry in json.loads(pathlib.Path(path).read_text()):
        fact = entry['build'], entry['name'], entry['variant']
        role = 'floor' if entry['variant'].startswith('zlib') else 'ours'
        yield *fact, role, 'ns', entry['ns']
        if role == 'ours':
            yield *fact, role, 'ratio_to_floor', entry['ratio_to_floor']


def read_facts(path):
    """One entry for each build, name and variant, with the median of each unit."""
    values = collections.defaultdict(list)
    roles = {}
    for line in pathlib.Path(path).read_text().splitlines():
        build, name, variant, role, unit, value = line.split('\t')
        values[build, name, variant, unit].append(float(value))
        roles[build, name, variant] = role
    entries = {key: {'name': key[1], 'variant': key[2], 'build': key[0], 'role': role,
                     'ns': None, 'ratio_to_floor': None, 'ratio_to_best_peer': None}
               for key, role in roles.items()}
    for (build, name, variant, unit), seen in values.items():
        entries[build, name, variant][unit] = float(f'{statistics.median(seen):.5g}')
    return list(entries.values())


def add_ratios(entries):
    """Below 1 is faster than the floor, or than the fastest peer."""
    cases = collections.defaultdict(list)
    for entry in entries:
        if entry['ns'] is not None:
            cases[entry['build'], entry['name']].append(entry)
    for case in cases.values():
        floor = [entry['ns'] for entry in case if entry['role'] == 'floor']
        peers = [entry['ns'] for entry in case if entry['role'] == 'peer']
        for entry in case:
            measured = entry['ratio_to_floor'] is not None  # round by round
            if floor and floor[0] > 0 and entry['role'] != 'floor' and not measured:
                entry['ratio_to_floor'] = round(entry['ns'] / floor[0], 3)
            if peers and entry['role'] == 'ours':
                entry['ratio_to_best_peer'] = round(entry['ns'] / min(peers), 3)


# ---- tables ----

def short(value):
    if value is None:
        return ''
    if value >= 10_000:
        return f'{value / 1000:,.0f}k'
    return f'{value:.0f}' if value >= 100 else f'{value:.1f}' if value >= 1 else f'{value:.2g}'


def tables(entries):
    """Everything, one table for each question; those of the second compiler are folded."""
    builds = list(dict.fromkeys(entry['build'] for entry in entries if entry['ns'] is not None))
    groups = [[build for build in builds if build.startswith('g++')],
              [build for build in builds if not build.startswith('g++')]]
    for group, begin, end in zip(groups, ([], ['\n<details>', '<summary>clang</summary>']),
                                 ([], ['\n</details>'])):
        if group:
            yield from begin
            yield from tables_of([entry for entry in entries if entry['build'] in group])
            yield from end


def tables_of(entries):
    questions = collections.defaultdict(lambda: collections.defaultdict(dict))
    roles = collections.defaultdict(dict)
    builds = collections.defaultdict(dict)
    for entry in entries:
        if entry['ns'] is None:
            continue
        question = ' '.join(entry['name'].split()[:2 if entry['name'].startswith('send') else 1])
        if question in ('deflate', 'inflate'):
            continue  # they have tables of their own
        case = entry['name'][len(question):].strip()
        questions[question][case][entry['variant'], entry['build']] = entry['ns']
        roles[question][entry['variant']] = entry['role']
        builds[question][entry['build']] = True
    for question, cases in questions.items():
        order = in_order(roles[question])
        here = sorted(builds[question], key=lambda build: 'v3' not in build)
        yield f'\n**{question}**, ns, {" / ".join(f"`{build}`" for build in here)}\n'
        yield '| |' + ''.join(f' {name} |' for name in order)
        yield '|---|' + '---|' * len(order)
        for case, cells in sorted(cases.items(), key=lambda item: natural(item[0])):
            told = ([short(cells.get((name, build))) for build in here] for name in order)
            yield f'| {case} |' + ''.join(f' {" / ".join(each) if any(each) else ""} |'
                                          for each in told)


def in_order(roles):
    """Always the same, whoever came first: the floor, ours, the peers."""
    return sorted(roles, key=lambda name: (['floor', 'ours', 'peer'].index(roles[name]),
                                           pictures.who(name), name))


def natural(text):
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', text) if part != '']\
        if text[:1].isdigit() else [10 ** 9, text]


def others(entries):
    """Memory and size."""
    yield '\n| | who | octets |'
    yield '|---|---|---|'
    for entry in entries:
        if entry.get('octets'):
            yield f"| {entry['name']} | {entry['variant']} | {entry['octets']:,.0f} |"


def per_message(entries):
    """Instructions and allocations."""
    cases = collections.defaultdict(dict)
    roles = {}
    for entry in entries:
        if entry.get('instructions') is not None and entry['name'].startswith(('receive', 'send')):
            cases[entry['name']][entry['variant']] = entry
            roles[entry['variant']] = entry['role']
    yield '\n<details>'
    yield '<summary>instructions of a message, and its allocations where it has any</summary>\n'
    yield '| |' + ''.join(f' {name} |' for name in in_order(roles))
    yield '|---|' + '---|' * len(roles)
    for name, cells in sorted(cases.items(), key=lambda item: natural(item[0])):
        row = f'| {name} |'
        for variant in in_order(roles):
            entry = cells.get(variant)
            row += f' {short(entry["instructions"]) if entry else ""}'
            row += f', {entry["allocations"]:.2g} |' if entry and entry['allocations'] else ' |'
        yield row
    yield '\n</details>'


# What most people ask, in the build that most people make.
SUMMARY = (
    ('receive 16 octets of text, ns', 'receive 16 ascii', 'ns', 1),
    ('receive 1 KiB of text, ns', 'receive 1024 ascii', 'ns', 1),
    ('receive 64 KiB of text, ns', 'receive 65536 ascii', 'ns', 1),
    ('receive text of 1 to 2000 octets, ns', 'receive 1..2000 ascii', 'ns', 1),
    ('send 125 octets, ns', 'send server 125', 'ns', 1),
    ('send 125 octets, masked, ns', 'send client 125', 'ns', 1),
    ('from a request to the 101, ns', 'handshake', 'ns', 1),
    ('allocations of that', 'handshake', 'allocations', 1),
    ('echo over loopback, 20 octets, 16 at once, ns', 'echo 20 depth 16', 'ns', 1),
    ('an idle connection, octets', 'memory', 'octets', 1),
    ('code of an echo server, octets', 'size', 'octets', 1),
    ('compiling its header, s', 'compile', 'ns', 1e9),
)
# Each with the names that it has in some of them.
COLUMNS = (
    ('`server_endpoint`', ('server_endpoint', 'client_endpoint', 'server_handshake',
                           'sockless/endpoint.hpp')),
    ('`server_connection`', ('server_connection', 'client_connection', 'sockless/sockless.hpp')),
    ('Beast', ('Beast', 'beast', 'boost/beast/websocket.hpp')),
    ('websocketpp', ('websocketpp', 'websocketpp/server.hpp')),
    ('wslay', ('wslay', 'wslay, its library', 'wslay/wslay.h')),
    ('floor', ('memcpy', 'raw', 'span, string_view, cstring')),
)


def summary(entries):
    yield '| `g++-12 -O2` |' + ''.join(f' {title} |' for title, _ in COLUMNS)
    yield '|---|' + '---|' * len(COLUMNS)
    for what, name, unit, scale in SUMMARY:
        row = f'| {what} |'
        for _, names in COLUMNS:
            found = [entry.get(unit) for entry in entries
                     if entry['name'] == name and entry['variant'] in names
                     and entry['build'] in ('g++-12 -O2', 'g++-12 -Os')]
            value = found[0] if found else None
            row += f' {"" if value is None else "0" if value == 0 else short(value / scale)} |'
        yield row


# ---- the README ----

def machine():
    processor = re.search(r'^model name\s*: (.*)$', pathlib.Path('/proc/cpuinfo').read_text(), re.M)
    name = processor[1] if processor else 'unknown processor'
    return (f'\nMeasured on {platform.machine()} ({name}, {os.cpu_count()} processors, shared with other '
            f'work), on {datetime.date.today()}, by `sh bench/run.sh`.')


def put_between(path, marker, lines):
    begin, end = f'<!-- {marker} -->\n', f'<!-- end of {marker} -->\n'
    text = path.read_text()
    if begin in text:
        before, rest = text.split(begin)
        _, after = rest.split(end)
        path.write_text(before + begin + '\n'.join(lines).strip('\n') + '\n' + end + after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--facts-of', nargs=2)
    parser.add_argument('--facts-of-counted', nargs=2)
    parser.add_argument('--facts-of-deflate')
    parser.add_argument('--json')
    parser.add_argument('--from', dest='before')
    parser.add_argument('--update', action='store_true')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('facts', nargs='?')
    asked = parser.parse_args()
    facts = None
    if asked.facts_of:
        facts = facts_of_benchmark(*asked.facts_of)
    elif asked.facts_of_counted:
        facts = facts_of_callgrind(*asked.facts_of_counted)
    elif asked.facts_of_deflate:
        facts = facts_of_deflate(asked.facts_of_deflate)
    if facts is not None:
        for fact in facts:
            print(*fact, sep='\t')
        return
    if asked.before:
        entries = json.loads(pathlib.Path(asked.before).read_text())
    else:
        entries = read_facts(asked.facts)
        add_ratios(entries)
        lines = ',\n'.join('  ' + json.dumps(entry) for entry in entries)
        pathlib.Path(asked.json).write_text(f'[\n{lines}\n]\n')
    if asked.quick:
        print(f'bench: {len(entries)} results, and all of them right')
        return
    everything = [*tables(entries), *per_message(entries), *others(entries)]
    aims = [*goals.table(entries), machine()]
    first = list(summary(entries))
    print('\n'.join(first + [''] + aims + everything))
    if asked.update:
        for path in (README, README.parent.parent / 'README.md'):
            put_between(path, 'beside', [*first, machine()])
        put_between(README, 'goals', aims)
        put_between(README, 'everything', everything)
        pictures.draw(entries, README.parent / 'pictures')


if __name__ == '__main__':
    sys.exit(main())
