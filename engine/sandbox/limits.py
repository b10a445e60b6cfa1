"""How much an author's text may ask for, and the meter that says when it has asked for too much."""

from __future__ import annotations

import time
from typing import Final

EXPRESSION_CHARACTERS: Final = 4_096
EXPRESSION_NODES: Final = 2_000
EXPRESSION_DEPTH: Final = 100
TEMPLATE_CHARACTERS: Final = 32_768
TEMPLATE_OUTPUT: Final = 1_000_000
COMPUTE_BYTES: Final = 65_536
COMPUTE_SECONDS: Final = 1.0
COMPUTE_MEMORY: Final = 64 * 1024 * 1024
COMPUTE_DEPTH: Final = 200
COMPUTE_PRINT: Final = 65_536
COMPUTE_GRACE: Final = 0.25
"""Seconds a worker gets past its own time limit before it is killed."""

CPU_SECONDS: Final = 0.25
STEPS: Final = 250_000
BUILT: Final = 2_000_000
"""Characters, and eight per element, that one evaluation may build in total."""
TEXT_CHARACTERS: Final = 1_000_000
WHOLE_NUMBER_BITS: Final = 8_192
VALUE_NODES: Final = 250_000
VALUE_DEPTH: Final = 100
ELEMENT: Final = 8

_LOOK_AT_CLOCK: Final = 0xFF
_LOOK_AFTER_BUILT: Final = 100_000


class Refused(Exception):  # noqa: N818 - a refusal becomes a SandboxError where its place is known
    """An author's text did what it may not, or failed; `offset` counts characters from the start of the text."""

    def __init__(self, message: str, hint: str = "", *, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset


class Exceeded(Refused):
    """An author's text asked for more than it may have."""


class Meter:
    """Counts what one evaluation costs; raises Exceeded when it is too much.

    The clock is the thread's CPU time, first read after 256 steps: what ends before that is never timed.
    """

    __slots__ = ("_cpu_seconds", "_started", "_unlooked", "built", "containers", "steps")

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        self.steps = 0
        self.built = 0
        self.containers = False
        self._cpu_seconds = cpu_seconds
        self._started: float | None = None
        self._unlooked = 0

    def step(self) -> None:
        """Counts one evaluated node, or one turn of a loop."""
        self.steps += 1
        if not self.steps & _LOOK_AT_CLOCK:
            self.look()

    def steps_at_once(self, count: int) -> None:
        """Counts the elements a filter or function goes through by itself."""
        self.steps += count
        self.look()

    def charge(self, size: int) -> None:
        """Counts `size` characters about to be built, or just built from something no bigger."""
        self.built += size
        if self.built > BUILT:
            raise Exceeded(
                f"this builds more than {BUILT:,} characters or {BUILT // ELEMENT:,} elements",
                "do it in a compute step, or work on less",
            )
        self._unlooked += size
        if self._unlooked > _LOOK_AFTER_BUILT:
            self._unlooked = 0
            self.look()

    def charge_elements(self, count: int) -> None:
        """Counts the elements of a list, mapping or set that is built."""
        self.containers = True
        self.charge(ELEMENT * count)

    def look(self) -> None:
        """Compares steps and CPU time with what is allowed."""
        if self.steps > STEPS:
            raise Exceeded(f"this takes more than {STEPS:,} steps", "do it in a compute step, or work on less")
        now = time.thread_time()
        if self._started is None:
            self._started = now
        elif now - self._started > self._cpu_seconds:
            raise Exceeded(f"this takes more than {self._cpu_seconds:g} s", "do it in a compute step, or work on less")
