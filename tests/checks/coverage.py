#!/usr/bin/env python3
"""coverage.py [--only HEADER] EXPORT.json... -- judges what llvm-cov exported, one file a program.

Prints a table of include/sockless, or of one header of it, and everything that is not covered. What
tests/coverage_exceptions.txt names is let through, one exception a line:

    frame_reader.hpp:branch:text of the source line, or a part of it # the reason

where the kind is line, branch or mcdc. An exception that nothing needs any more is a failure, too.
What several instantiations of a template share is covered if it is in one of them.
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / 'include/sockless'
EXCEPTIONS = ROOT / 'tests/coverage_exceptions.txt'
KINDS = ('line', 'branch', 'mcdc')

# llvm-cov's kinds of regions; a gap is the space between an if and what it guards.
CODE, GAP, MCDC_BRANCH = 0, 3, 6


def lines_of(function):
    """Each line of a function, and whether it ran, by llvm-cov's own rule: a line ran if what it goes
    on with did, or anything that begins on it."""
    regions = [r for r in function['regions'] if r[7] in (CODE, GAP)]
    for line in range(regions[0][0], regions[0][2] + 1):
        # Regions are nested, so of those around a line's beginning the last to begin is the innermost.
        around = max((r for r in regions if r[0] < line <= r[2]), key=lambda r: r[0:2], default=None)
        beginning = [r for r in regions if r[0] == line and r[7] == CODE]
        counts = [r[4] for r in beginning + [around] if r]
        if counts:
            yield line, max(counts) > 0


def branches_of(function):
    """Both ways out of each condition. Conditions that the compiler decided are not listed here."""
    for branch in function['branches']:
        place = tuple(branch[0:4])
        yield (*place, 'is never true'), branch[4] > 0
        yield (*place, 'is never false'), branch[5] > 0


def conditions_of(function, file):
    """Each condition of a decision, and whether it was seen to decide it alone. A decision counts
    the conditions that the compiler decided as well; only the file lists them."""
    undecided = {tuple(branch[0:4]) for branch in function['branches']}
    conditions = sorted({tuple(b[0:4]) for b in file['branches'] if b[8] == MCDC_BRANCH})
    for decision in function['mcdc_records']:
        begin, end = tuple(decision[0:2]), tuple(decision[2:4])
        inside = [place for place in conditions if begin <= place[0:2] and place[2:4] <= end]
        assert len(inside) == len(decision[6]), decision
        for place, shown in zip(inside, decision[6]):
            if place in undecided:
                yield (*place, 'never decides alone'), shown


class Header:
    """What there is to cover in a header: for each kind, a place and whether it is covered."""

    def __init__(self, path):
        self.name = path.name
        self.source = path.read_text().splitlines()
        self.found = {kind: {} for kind in KINDS}
        self.decisions = set()

    def add(self, kind, place, covered):
        text = self.source[place[0] - 1].strip()
        if not text.strip('{};') or text.startswith('//') or text.endswith('default;'):
            return  # nothing that a test could miss
        self.found[kind][place] = self.found[kind].get(place, False) or covered

    def missing(self):
        places = [(place, kind) for kind in KINDS for place in self.found[kind]]
        return [(kind, place) for place, kind in sorted(places) if not self.found[kind][place]]

    def row(self):
        cells = [f'{sum(found.values())}/{len(found)}' for found in self.found.values()]
        return f'{self.name:24}' + ''.join(f'{cell:>12}' for cell in cells)

    def describe(self, kind, place):
        line = place[0]
        text = f'{self.name}:{line}: {kind}'
        if kind == 'line':
            return f'{text} never runs: {self.source[line - 1].strip()}'
        end = place[3] - 1 if place[2] == line else None
        return f'{text} {self.source[line - 1][place[1] - 1:end]} {place[4]}'


def undecided_in(header):
    """Each && and || that runs and is part of no decision: llvm-cov gives up on some that are nested."""
    for number, text in enumerate(header.source, 1):
        if (number,) not in header.found['line']:
            continue
        for operator in re.finditer(r' (&&|\|\|)( |$)', text.partition('//')[0]):
            place = number, operator.start(1) + 1
            if not any(begin <= place < end for begin, end in header.decisions):
                yield (*place, number, operator.end(1) + 1, 'is in no decision'), False


def functions_in(exports):
    """Every function of a header as the program knows it that ran it, with the export's file. Programs
    that never call a function have a record of it as well, which says that it is never run."""
    best = {}
    for export in exports:
        data = json.loads(pathlib.Path(export).read_text())['data'][0]
        files = {file['filename']: file for file in data['files']}
        for function in data['functions']:
            known = best.get(function['name'])
            if not known or function['count'] > known[0]['count']:
                best[function['name']] = function, files.get(function['filenames'][0])
    return best.values()


def read_exports(exports):
    headers = {str(path): Header(path) for path in sorted(HEADERS.glob('*.hpp'))}
    for function, file in functions_in(exports):
        header = headers.get(function['filenames'][0])
        if header:
            for line, covered in lines_of(function):
                header.add('line', (line,), covered)
            for place, covered in branches_of(function):
                header.add('branch', place, covered)
            for place, covered in conditions_of(function, file):
                header.add('mcdc', place, covered)
            header.decisions |= {(tuple(d[0:2]), tuple(d[2:4])) for d in function['mcdc_records']}
    for header in headers.values():
        for place, covered in undecided_in(header):
            header.add('mcdc', place, covered)
    return headers.values()


def read_exceptions():
    """(header, kind, part of the source line) of each exception."""
    if not EXCEPTIONS.exists():
        return []
    exceptions = []
    for text in EXCEPTIONS.read_text().splitlines():
        if text and not text.startswith('#'):
            place, _, reason = text.rpartition(' # ')
            header, kind, part = (place.split(':', 2) + ['', ''])[:3]
            if kind not in KINDS or not part.strip() or not reason.strip():
                sys.exit(f'coverage_exceptions.txt: not "header.hpp:kind:text # reason": {text}')
            exceptions.append((header, kind, part.strip()))
    return exceptions


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument('--only')
    arguments.add_argument('exports', nargs='+')
    arguments = arguments.parse_args()
    only = arguments.only
    headers = [h for h in read_exports(arguments.exports) if only in (None, h.name)]
    exceptions = [e for e in read_exceptions() if only in (None, e[0])]
    needed = set()
    faults = []

    if not only:
        print(f'{"":24}{"lines":>12}{"branches":>12}{"MC/DC":>12}')
    for header in headers:
        print(header.row())
        for kind, place in header.missing():
            source = header.source[place[0] - 1]
            excuses = {e for e in exceptions if e[:2] == (header.name, kind) and e[2] in source}
            needed |= excuses
            if not excuses:
                faults.append(header.describe(kind, place))
    faults += [f'not an exception any more: {":".join(e)}' for e in exceptions if e not in needed]

    print('\n'.join(faults) if faults else f'covered, but for {len(needed)} exceptions')
    return 1 if faults else 0


sys.exit(main())
