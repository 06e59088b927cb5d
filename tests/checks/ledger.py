#!/usr/bin/env python3
"""ledger.py -- every row of docs/rfc6455.md and docs/rfc7692.md names headers and tests that exist.

A row is | id | section | requirement | header | test |. The header column holds `name.hpp`, or several
of them, and the test column then holds `file.cpp`: "title", "title", or several of that, where a file
in must_not_compile/ or exhaustive/ is a test without a title, and `cases/file.md` has the headings of
its conversations for titles. Or the header column holds caller or extension, and the test column
"left to the caller: reason". A requirement has one requirement word, or says in front that it has
none, and the words of each section are as many as the table of the document says. Every section of
the RFC is in that table, or in the sentence in front of it that lists those without such a word.

In the other direction, every rule in outcome.hpp is named by some test.
"""

import collections
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / 'include/sockless'
TESTS = ROOT / 'tests'

STRING = r'"(?:[^"\\]|\\.)*"'
TEST_CASE = re.compile(rf'(?:TEST_CASE|SCENARIO)\w*\s*\(\s*(?:\w+\s*,\s*)?((?:{STRING}\s*)+)')
CONVERSATION = re.compile(r'^#+ (.+)\n(?:(?!#|```).*\n)*```conversation$', re.M)
TEST_ITEM = re.compile(rf'`([\w/.-]+\.(?:cpp|md))`(?::\s*({STRING}(?:,\s*{STRING})*))?')
TESTS_AS_A_WHOLE = ('must_not_compile/', 'exhaustive/')

WORDS = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'MAY']
WORD = re.compile(r'\b(?:(?:MUST|SHALL|SHOULD)(?: NOT)?|REQUIRED|RECOMMENDED|MAY|OPTIONAL)\b')
# RFC 2119 has two names for some of them.
SAME = {'SHALL': 'MUST', 'SHALL NOT': 'MUST NOT', 'REQUIRED': 'MUST', 'RECOMMENDED': 'SHOULD',
        'OPTIONAL': 'MAY'}
COUNTS = re.compile(r'^([\d.]+|1 to \d+)((?: \| \d+){6})$', re.M)
NO_COUNTS = re.compile(r'^Sections without any of these words: ([\d.,\s]+)\.$', re.M)

# The tables of contents: how many sections there are in a section.
CONTENTS = {
    6455: {'': 14, '1': 9, '2': 1, '4': 4, '4.2': 2, '5': 8, '5.5': 3, '6': 2, '7': 4, '7.1': 7, '7.2': 3, '7.4': 2,
           '8': 1, '9': 2, '10': 8, '11': 9, '11.1': 2, '11.3': 5, '14': 2},
    7692: {'': 10, '5': 2, '6': 2, '7': 3, '7.1': 3, '7.1.1': 2, '7.1.2': 2, '7.2': 3, '7.2.3': 6, '9': 2, '10': 2},
}


class Ledger:
    def __init__(self, rfc):
        self.rfc = rfc
        self.name = f'docs/rfc{rfc}.md'
        self.text = (ROOT / self.name).read_text()
        contents = CONTENTS[rfc]
        self.sections = {f'{outer}.{inner}'.lstrip('.') for outer, count in contents.items()
                         for inner in range(1, count + 1)}
        self.all = f"1 to {contents['']}"


def rows(ledger):
    """The line number and the five cells of every row but the heads of tables."""
    for number, line in enumerate(ledger.text.splitlines(), 1):
        if not line.startswith('|'):
            continue
        cells = [cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
        if cells[0] == 'id' or re.fullmatch(r':?-+:?', cells[0]):
            continue
        yield number, cells


@functools.cache
def titles(path):
    """The titles of the test cases, or conversations, in a file; neighbouring literals are one title."""
    if path.suffix == '.md':
        return set(CONVERSATION.findall(path.read_text()))
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
        yield f'"{cell}" is not a list of: `file.cpp`: "title"'
        return
    for name, list_of_titles in items:
        if not (TESTS / name).is_file():
            yield f'there is no test file {name}'
            continue
        named = re.findall(STRING, list_of_titles)
        for title in named:
            if title[1:-1] not in titles(TESTS / name):
                yield f'{name} has no test {title}'
        if not named and titles(TESTS / name):
            yield f'{name} has tests with titles, so name one'
        elif not named and not name.startswith(TESTS_AS_A_WHOLE):
            yield f'{name} is no test'


def faults_of_words(requirement):
    expected = 0 if requirement.startswith(('(no word)', '(lower case)')) else 1
    words = WORD.findall(requirement)
    if len(words) != expected:
        yield f'{len(words)} requirement words instead of {expected}'


def faults_of_row(cells, seen):
    if len(cells) != 5:
        yield f'{len(cells)} cells instead of 5'
        return
    identity, section, requirement, header, test = cells
    if identity in seen:
        yield f'{identity} is already the id of line {seen[identity]}'
    if not (section and requirement and re.fullmatch(re.escape(section) + r'-\d+', identity)):
        yield 'no requirement, or an id that is not that of a section'
    yield from faults_of_words(requirement)
    if header.strip('`') in ('caller', 'extension'):
        left_to = f"left to the {header.strip('`')}: "
        if not test.startswith(left_to) or not test.removeprefix(left_to):
            yield f'"{test}" gives no reason: {left_to}...'
    else:
        yield from faults_of_header(header)
        yield from faults_of_test(test)


def faults_of_counts(ledger):
    """The table says how many requirement words a section of the RFC has: the rows have as many."""
    found = collections.defaultdict(collections.Counter)
    for _, cells in rows(ledger):
        words = [SAME.get(word, word) for word in WORD.findall(cells[2])] if len(cells) == 5 else []
        found[cells[1]].update(words)
        found[ledger.all].update(words)
    found = {section: [counter[word] for word in WORDS] for section, counter in found.items()}
    table = {section: [int(n) for n in re.findall(r'\d+', numbers)]
             for section, numbers in COUNTS.findall(ledger.text)}
    for section in found.keys() | table.keys():
        numbers = found.get(section, [0] * len(WORDS))
        expected = table.get(section, [0] * (len(WORDS) + 1))
        if numbers + [sum(numbers)] != expected:
            yield f'section {section} has the requirement words {numbers} in its rows'
    without = [section.strip() for sentence in NO_COUNTS.findall(ledger.text) for section in sentence.split(',')]
    listed = collections.Counter(without + [section for section in table if section != ledger.all])
    for section in listed.keys() | found.keys() - {ledger.all} | ledger.sections:
        if section not in ledger.sections:
            yield f'RFC {ledger.rfc} has no section {section}'
        elif listed[section] != 1:
            yield f'section {section} is {listed[section]} times among those that are counted'


def place(identity):
    """Where a row belongs: by its section, and then by its number."""
    return [int(number) for number in re.findall(r'\d+', identity)]


def faults_of_order(ledger):
    """The rows stand in the order of the text, and are numbered from 1."""
    before = None
    for number, cells in rows(ledger):
        section, _, index = cells[0].rpartition('-')
        expected = before[1] + 1 if before and before[0] == section else 1
        if not index.isdigit() or int(index) != expected:
            yield f'{ledger.name}:{number}: {cells[0]} should be {section}-{expected}'
        if before and before[0] != section and place(section) < place(before[0]):
            yield f'{ledger.name}:{number}: section {section} stands behind {before[0]}'
        before = section, expected


def rules_without_test():
    body = re.search(r'enum class rule\b[^{]*\{(.*?)\}', (HEADERS / 'outcome.hpp').read_text(), re.S)
    rules = re.findall(r'(\w+)\s*(?:=[^,]*)?,', re.sub(r'//.*', '', body[1]))
    tests = '\n'.join(path.read_text() for path in sorted(TESTS.rglob('*.[ch]pp')))
    return [rule for rule in rules if not re.search(rf'\brule::{rule}\b', tests)]


def faults_of(ledger, seen):
    for number, cells in rows(ledger):
        yield from (f'{ledger.name}:{number}: {fault}' for fault in faults_of_row(cells, seen))
        seen.setdefault(cells[0], number)
    if not seen:
        yield f'{ledger.name} has no rows'
    yield from (f'{ledger.name}: {fault}' for fault in sorted(faults_of_counts(ledger)))
    yield from faults_of_order(ledger)


def main():
    faults = [f'outcome.hpp: no test names rule::{rule}' for rule in rules_without_test()]
    counts = []
    for rfc in CONTENTS:
        seen = {}
        faults += faults_of(Ledger(rfc), seen)
        counts.append(f'RFC {rfc}: {len(seen)} requirements, each with its header and its test')
    print('\n'.join(faults or counts))
    return 1 if faults else 0


sys.exit(main())
