"""processes.py -- programs that are started, watched and always ended again."""

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time


class Program:
    """A running program whose lines of standard output are collected; it ends with its whole group."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            env={**os.environ, **{name: str(value) for name, value in environment.items()}},
            start_new_session=True,
        )
        self.unread = queue.Queue()
        self.all_lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.all_lines.append(line.rstrip())
            self.unread.put(line.rstrip())
        self.unread.put(None)

    def wait_for_line(self, wanted, seconds):
        """The first unread line that matches, or None when it does not come in time."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.unread.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                self.unread.put(None)
                return None
            if found := re.fullmatch(wanted, line):
                return found

    def forget_lines(self):
        with contextlib.suppress(queue.Empty):
            while self.unread.get_nowait() is not None:
                pass
            self.unread.put(None)

    def wait(self, seconds):
        """The exit status, or None when the time is up."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join(2)
        return status

    def end(self):
        for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            if self.wait(seconds) is not None:
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what it may have left behind

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class NotListening(Exception):
    pass


@contextlib.contextmanager
def server(command, **environment):
    """A server program, and the port that it says it listens on."""
    with Program(command, **environment) as program:
        found = program.wait_for_line(r'listening on 127\.0\.0\.1:(\d+)', 20)
        if not found:
            raise NotListening(' | '.join(program.all_lines[-3:]) or 'it printed nothing')
        yield program, int(found[1])


def output_of(command, seconds=20, **options):
    """What a short command prints, or an exception that says why not."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        timeout=seconds,
        **options,
    )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        raise RuntimeError(f'{command[0]} ended with {done.returncode}: {" | ".join(lines[-3:])}')
    return done.stdout
