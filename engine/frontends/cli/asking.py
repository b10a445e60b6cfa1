"""Asking the person at the terminal while a run goes on: an author's questions, and whether a fix may run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import field
from typing import Any

import anyio
import click

from engine.errors import InputError, UnansweredError
from engine.frontends.cli.layout import beside, terminal_width
from engine.frontends.cli.progress import Progress
from engine.frontends.cli.questions import INDENT, asked_lines, meaning, refusal
from engine.model.lazy_dataclass import dataclass
from engine.model.question import Ask, Question

HANGUP = 1.0
"""Seconds in which a terminal that has gone sends its signal, too, which cancels the run unless it is ignored."""


def may_ask(*, no_input: bool) -> bool:
    """Whether there is a person to ask: both ends are a terminal, and nobody said not to."""
    return not no_input and not os.environ.get("CI") and sys.stdin.isatty() and sys.stderr.isatty()


def asker(progress: Progress, *, asks: bool, yes: bool) -> Ask | None:
    """What answers a run's questions: `-y` where that is enough, the person at the terminal, or nobody."""
    return Asker(progress=progress, asks=asks, yes=yes) if asks or yes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Answers questions, one after the other; nothing else is shown while one stands there.

    `yes` agrees to fixes and takes the default of a question that has one. What became of a call that was cut off, only
    a person can say.
    """

    progress: Progress
    asks: bool
    yes: bool
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def __call__(self, question: Question) -> Any:
        """The answer as a value of the question's type; UnansweredError when nobody gives one."""
        if self.yes and question.about == "fix":
            return True
        if self.yes and question.about == "ask" and question.default is not None:
            return question.default
        if not self.asks:
            raise UnansweredError(f"nobody is there to answer {question.name}")
        async with self._turn:
            with self.progress.aside():
                try:
                    return await self._answer(question)
                except OSError as error:
                    await anyio.sleep(HANGUP)
                    raise UnansweredError(f"the terminal has gone, and {question.name} was left open") from error

    async def _answer(self, question: Question) -> Any:
        *above, line = asked_lines(question, terminal_width(sys.stderr))
        for text in above:
            self._write(text + "\n", bold=True)
        while True:
            with _unseen() if question.secret else nullcontext():
                self._write(f"{line} ", bold=not above)
                typed = await _typed()
            if not typed:
                self._write("\n")
                raise UnansweredError(f"{question.name} was left open")
            try:
                return meaning(question, typed)
            except InputError:
                for text in beside(INDENT, refusal(question), terminal_width(sys.stderr)):
                    self._write(f"{text}\n", fg="yellow")

    def _write(self, text: str, **style: Any) -> None:
        click.echo(self.progress.screen.styled(text, **style), err=True, nl=False, color=True)


@contextmanager
def _unseen() -> Iterator[None]:
    """Meanwhile the terminal does not show what is typed."""
    import termios  # noqa: PLC0415 - late: few questions are secret

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        click.echo(err=True)  # the line end that was typed was not shown either


async def _typed() -> str:
    """The next line from the terminal; empty at its end (Ctrl-D)."""
    # Waiting for the terminal, not reading in a thread: a thread that reads cannot be cancelled by Ctrl-C.
    await anyio.wait_readable(sys.stdin)
    return sys.stdin.readline()
