#!/usr/bin/env python3
"""demo.py -- builds the demo and opens its page in headless Chromium: see node/demo_page.js.

The picture goes to build/demo.png. Installs what is missing; a machine that cannot have it says why
and skips.
"""

import os
import subprocess
import sys

import peers

try:
    peers.need('c++:g++', 'chromium:chromium')
    peers.install_node()
except peers.Missing as missing:
    print(f'the demo in a browser: skipped: {missing}')
    sys.exit(0)

demo = peers.ROOT / 'build/demo'
build = ['c++', '-std=c++20', '-O1', '-Iinclude', 'examples/demo/demo.cpp', '-o', demo]
subprocess.run(build, cwd=peers.ROOT, check=True)
page = ['node', peers.HERE / 'node/demo_page.js', demo, peers.ROOT / 'build/demo.png']
environment = {**os.environ, 'NODE_PATH': str(peers.CACHE / 'node/node_modules')}
sys.exit(subprocess.run(page, env=environment, timeout=120).returncode)
