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
        role = 'floor' if entry['variant'] == 'zlib' else 'ours'
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
    """Everything, one table for each question."""
    builds = list(dict.fromkeys(entry['build'] for entry in entries))
    questions = collections.defaultdict(lambda: collections.defaultdict(dict))
    variants = collections.defaultdict(dict)
    for entry in entries:
        if entry['ns'] is None:
            continue
        question = ' '.join(entry['name'].split()[:2 if entry['name'].startswith('send') else 1])
        case = entry['name'][len(question):].strip()
        questions[question][case][entry['variant'], entry['build']] = entry
        variants[question][entry['variant']] = entry['role']
    for question, cases in questions.items():
        here = [build for build in builds
                if any(build == key[1] for case in cases.values() for key in case)]
        order = sorted(variants[question],
                       key=lambda name: ['floor', 'ours', 'peer'].index(variants[question][name]))
        yield f'\n**{question}**, ns' + (f': {" / ".join(f"`{b}`" for b in here)}' if here[1:] else '') + '\n'
        yield '| |' + ''.join(f' {name} |' for name in order)
        yield '|---|' + '---|' * len(order)
        for case, cells in sorted(cases.items(), key=lambda item: natural(item[0])):
            row = f'| {case} |'
            for name in order:
                found = [cells.get((name, build)) for build in here]
                row += ' ' + (' / '.join(short(each['ns']) if each else '-' for each in found)
                              if any(found) else '') + ' |'
            yield row


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
    """Allocations and instructions."""
    yield '\n| of a message | who | instructions | allocations |'
    yield '|---|---|---|---|'
    for entry in sorted(entries, key=lambda one: (natural(one['name']), one['variant'])):
        if entry.get('instructions') is not None and entry['role'] != 'floor':
            yield (f"| {entry['name']} | {entry['variant']} | {short(entry['instructions'])} "
                   f"| {entry.get('allocations', 0):.2g} |")


# ---- the README ----

def machine():
    processor = re.search(r'^model name\s*: (.*)$', pathlib.Path('/proc/cpuinfo').read_text(), re.M)
    name = processor[1] if processor else 'unknown processor'
    return (f'\nMeasured on {platform.machine()} ({name}, {os.cpu_count()} processors, shared with other '
            f'work), on {datetime.date.today()}, by `sh bench/run.sh`.')


def put_between(marker, lines):
    begin, end = f'<!-- {marker} -->\n', f'<!-- end of {marker} -->\n'
    text = README.read_text()
    before, rest = text.split(begin)
    _, after = rest.split(end)
    README.write_text(before + begin + '\n'.join(lines).strip('\n') + '\n' + end + after)


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
    print('\n'.join(aims + everything))
    if asked.update:
        put_between('goals', aims)
        put_between('everything', everything)
        pictures.draw(entries, README.parent / 'pictures')


if __name__ == '__main__':
    sys.exit(main())
