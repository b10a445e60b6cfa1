"""`Serving`: what everything that answers one server's clients stands on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from select import select

import anyio

from engine.frontends.mcp_server.tiers import Tier
from engine.model.lazy_dataclass import dataclass
from engine.wiring import Engine

WAIT = 20.0
"""Seconds a call waits for its run, where the server was not told otherwise."""
LONGEST_WAIT = 600.0
"""Seconds a call may ask to wait."""
BEAT = 15.0
"""Seconds without a word after which a call that waits is told that its run goes on: clients give up after a minute or
so, and many count anew from every word of progress."""

LONGEST_LINE = 4_000
"""Characters of a line of the log: what a pipe takes at once when it takes anything."""


def to_stderr(line: str) -> None:
    """Writes a line of the server's log to standard error, unless nobody reads it.

    Many a host starts a server and never reads what it says there: when the pipe is full, a server that waited for it
    would answer nothing any more.
    """
    with suppress(OSError, ValueError):
        if select([], [sys.stderr], [], 0)[1]:
            sys.stderr.write(f"{line[:LONGEST_LINE]}\n")
            sys.stderr.flush()


@dataclass(slots=True, kw_only=True)
class Withdrawn:
    """Whether a request was taken back, and the reason its client gave."""

    reason: str = ""
    told: anyio.Event = field(default_factory=anyio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """One server: the engine whose skills it serves, what its clients may do, and how long their calls wait.

    `tags` and `skills` (globs of names) choose the skills that are tools of their own; both empty: all. `log` gets a
    short line, masked here, for everything that is asked; when `quiet`, only what is wrong. A call that waits hears
    something every `beat` seconds at least. `under_way` has the requests that are not answered yet.
    """

    engine: Engine
    allow: Tier = Tier.RUN
    wait: float = WAIT
    tags: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    log: Callable[[str], None] = to_stderr
    quiet: bool = False
    beat: float = BEAT
    under_way: dict[tuple[int, str], Withdrawn] = field(default_factory=dict)

    @property
    def approves_fixes(self) -> bool:
        """Whether a client may answer questions about fixes."""
        return self.allow.allows(Tier.APPROVE_FIXES)

    def say(self, line: str) -> None:
        """Logs a line that people should see: with the time, in UTC, and every known secret masked."""
        when = datetime.fromtimestamp(self.engine.clock(), UTC)
        self.log(f"{when:%Y-%m-%d %H:%M:%SZ} {self.engine.secrets.mask(line)}")

    def note(self, line: str) -> None:
        """Logs a line about what went as it should, unless asked to be quiet."""
        if not self.quiet:
            self.say(line)
