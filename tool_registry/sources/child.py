"""One running program: its pipes, its end, and how everything it started is stopped.

One selector holds the pipes and a descriptor of the process; the event loop waits on that selector alone, so a program
costs no thread and no extra task.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio

from tool_registry.sources.capture import Capture

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
LINGER = 0.5
"""Seconds that output is still read after the program ended, when something it started holds its pipes open."""
RUNAWAY = 100_000_000
"""A program that prints more bytes than this, or than 100 times what is kept, will not stop by itself and is ended."""
LOOK = 0.02
"""Seconds between two looks at what the system cannot tell by itself."""
UNKILLABLE = 5.0
"""Seconds that SIGKILL may take before the program is given up: it hangs inside the system."""
CHUNK = 65_536


class Child:
    """A started program, the leader of its own session.

    `forced` says that it was ended by us, `runaway` that this was because it printed more than `runaway_limit` bytes.
    """

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes | None, output_limit: int) -> None:
        self.forced = False
        self.runaway = False
        self.stdout = Capture(output_limit)
        self.stderr = Capture(output_limit)
        self._process = process
        self.runaway_limit = max(RUNAWAY, 100 * output_limit)
        self._unwritten = memoryview(stdin or b"")
        self._captures: dict[int, Capture] = {}
        self._gone = False
        self._selector = selectors.DefaultSelector()
        self._watch()

    @property
    def exit_status(self) -> int:
        """The exit status of a program that was waited for; negative when a signal ended it."""
        status = self._process.returncode
        return -int(signal.SIGKILL) if status is None else status

    def _watch(self) -> None:
        """Has the selector tell of output, of room in standard input and, where the system can, of the end."""
        for pipe, capture in ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr)):
            if pipe is not None:
                self._captures[pipe.fileno()] = capture
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe.fileno(), selectors.EVENT_READ)
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
            self._selector.register(self._process.stdin.fileno(), selectors.EVENT_WRITE)
        self._ended = os.pidfd_open(self._process.pid) if hasattr(os, "pidfd_open") else None
        if self._ended is not None:
            self._selector.register(self._ended, selectors.EVENT_READ)

    async def converse(self) -> None:
        """Feeds and reads the program until it has ended and its output is closed or has lingered."""
        while not self._gone and not self.runaway:
            await self._serve_next()
        with anyio.move_on_after(LINGER):
            while self._captures and not self.runaway:
                await self._serve_next()

    async def end(self) -> None:
        """Ends whatever still runs, and gives back every descriptor and the process' own entry.

        The program's entry in the process table is kept until its session has been killed, so that its number
        cannot have been given to somebody else.
        """
        try:
            if not self._gone:
                self.forced = True
                await self._stop()
        finally:
            self._close()
            self._process.poll()

    async def _stop(self) -> None:
        """Asks the session to end, and ends it; returns when nothing of it is left, or nothing can be done."""
        self._signal(signal.SIGTERM)
        with anyio.move_on_after(GRACE):
            await self._wait_for_session()
        self._signal(signal.SIGKILL)
        with anyio.move_on_after(UNKILLABLE):
            await self._wait_for_session()

    async def _wait_for_session(self) -> None:
        while not self._gone:
            await self._serve_next()
        while session_members(self._process.pid):  # noqa: ASYNC110 - only looking tells when other processes end
            await anyio.sleep(LOOK)

    def _signal(self, number: signal.Signals) -> None:
        for group in {self._process.pid, *session_members(self._process.pid).values()}:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)

    async def _serve_next(self) -> None:
        with anyio.move_on_after(LOOK if self._ended is None else None):
            await anyio.wait_readable(self._selector)
        for key, _ in self._selector.select(0):
            self._serve(key.fd)
        if self._ended is None:
            self._gone = self._process.poll() is not None

    def _serve(self, descriptor: int) -> None:
        if descriptor == self._ended:
            self._selector.unregister(descriptor)
            self._gone = True
        elif descriptor in self._captures:
            self._read(descriptor)
        else:
            self._write(descriptor)

    def _read(self, descriptor: int) -> None:
        chunk = os.read(descriptor, CHUNK)
        capture = self._captures[descriptor]
        capture.add(chunk)
        self.runaway = self.runaway or capture.total > self.runaway_limit
        if not chunk:
            self._selector.unregister(descriptor)
            del self._captures[descriptor]

    def _write(self, descriptor: int) -> None:
        """Writes what fits; a program that does not read its input has a right not to."""
        with suppress(BrokenPipeError):
            self._unwritten = self._unwritten[os.write(descriptor, self._unwritten[:CHUNK]) :]
            if self._unwritten:
                return
        self._selector.unregister(descriptor)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _close(self) -> None:
        self._selector.close()
        if self._ended is not None:
            os.close(self._ended)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def session_members(session: int) -> dict[int, int]:
    """The living processes of a session with their groups: a shell's jobs have groups of their own.

    Empty where the system has no `/proc`; the session's first group is then all that can be reached.
    """
    return {pid: group for pid, group, owner in _processes() if owner == session}


def _processes() -> Iterator[tuple[int, int, int]]:
    with suppress(FileNotFoundError):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError, ValueError):
                    state, _, group, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                    if state not in "ZX":
                        yield int(entry.name), int(group), int(session)
