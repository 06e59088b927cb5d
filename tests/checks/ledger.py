#!/usr/bin/env python3
"""ledger.py -- every row of docs/rfc6455.md names headers and tests that exist.

A row is | id | section | requirement | header | test |. The header column holds `name.hpp`, or several
of them, and the test column then holds file.cpp: "title", or several, without a title where the whole
file is the test; or the header column holds caller or extension, and the test column "left to ...:
reason". In the other direction, every rule in outcome.hpp is named by some test.
"""

import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEDGER = ROOT / 'docs/rfc6455.md'
HEADERS = ROOT / 'include/sockless'
TESTS = ROOT / 'tests'

STRING = r'"(?:[^"\\]|\\.)*"'
TEST_CASE = re.compile(rf'(?:TEST_CASE|SCENARIO)\w*\s*\(\s*(?:\w+\s*,\s*)?((?:{STRING}\s*)+)')
TEST_ITEM = re.compile(rf'`?([\w/]+\.cpp)`?(?::\s*({STRING}))?`?')


def rows():
    """The line number and the five cells of every row but the heads of tables."""
    for number, line in enumerate(LEDGER.read_text().splitlines(), 1):
        if not line.startswith('|'):
            continue
        cells = [cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
        if cells[0] == 'id' or re.fullmatch(r':?-+:?', cells[0]):
            continue
        yield number, cells


@functools.cache
def titles(path):
    """The titles of the test cases in a file; neighbouring literals are one title."""
    return {
        ''.join(literal[1:-1] for literal in re.findall(STRING, literals))
        for literals in TEST_CASE.findall(path.read_text())
    }


def faults_of_header(cell):
    names = re.findall(r'`([^`]*)`', cell)
    if not names or re.sub(r'`[^`]*`|[\s,;]', '', cell):
        yield f'"{cell}" is neither a list of `headers` nor caller nor extension'
    for name in names:
        if not (HEADERS / name).is_file():
            yield f'there is no header {name}'


def faults_of_test(cell):
    items = TEST_ITEM.findall(cell)
    if not items or re.sub(r'[\s,;]|<br>', '', TEST_ITEM.sub('', cell)):
        yield f'"{cell}" is not a list of: file.cpp: "title"'
        return
    for name, title in items:
        if not (TESTS / name).is_file():
            yield f'there is no test file {name}'
        elif title and title[1:-1] not in titles(TESTS / name):
            yield f'{name} has no test case {title}'
        elif not title and titles(TESTS / name):
            yield f'{name} has test cases, so name one'


def faults_of_row(cells, seen):
    if len(cells) != 5:
        yield f'{len(cells)} cells instead of 5'
        return
    identity, section, requirement, header, test = cells
    if identity in seen:
        yield f'{identity} is already the id of line {seen[identity]}'
    if not (identity and section and requirement):
        yield 'an empty cell'
    if header.strip('`') in ('caller', 'extension'):
        if not re.match(r'left to .+: \S', test):
            yield f'"{test}" gives no reason: left to the {header}: ...'
    else:
        yield from faults_of_header(header)
        yield from faults_of_test(test)


def rules_without_test():
    body = re.search(r'enum class rule\b[^{]*\{(.*?)\}', (HEADERS / 'outcome.hpp').read_text(), re.S)
    rules = re.findall(r'(\w+)\s*(?:=[^,]*)?,', re.sub(r'//.*', '', body[1]))
    tests = '\n'.join(path.read_text() for path in sorted(TESTS.rglob('*.[ch]pp')))
    return [rule for rule in rules if not re.search(rf'\brule::{rule}\b', tests)]


def main():
    faults = []
    seen = {}
    for number, cells in rows():
        faults += [f'docs/rfc6455.md:{number}: {fault}' for fault in faults_of_row(cells, seen)]
        seen.setdefault(cells[0], number)
    if not seen:
        faults.append('docs/rfc6455.md has no rows')
    faults += [f'outcome.hpp: no test names rule::{rule}' for rule in rules_without_test()]
    print('\n'.join(faults) if faults else f'{len(seen)} requirements, each with its header and its test')
    return 1 if faults else 0


sys.exit(main())
