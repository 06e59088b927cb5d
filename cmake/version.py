#!/usr/bin/env python3
"""Prints the version, as include/sockless/version.hpp has it, for meson."""
import pathlib
import re

header = pathlib.Path(__file__).parent.parent / 'include/sockless/version.hpp'
print('.'.join(re.findall(r'#define SOCKLESS_VERSION_\w+ (\d+)', header.read_text())))
