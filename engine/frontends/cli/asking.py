"""Questions of a run: whether a fix that is not low risk may run."""

from __future__ import annotations

import os
import sys

import anyio
import click

from engine.frontends.cli.layout import beside, printable, terminal_width
from engine.frontends.cli.progress import Progress
from engine.heal.request import Ask

YES = frozenset({"y", "yes"})


def may_ask(*, no_input: bool) -> bool:
    """Whether there is a person to ask: both ends are a terminal, and nobody said not to."""
    return not no_input and not os.environ.get("CI") and sys.stdin.isatty() and sys.stderr.isatty()


def asker(progress: Progress, *, asks: bool, yes: bool) -> Ask | None:
    """What answers a run's questions: always yes, the person at the terminal, or nobody."""

    async def agree(_: str) -> bool:
        return True

    async def prompt(question: str) -> bool:
        progress.pause()
        progress.asking = True
        try:
            asked = f"{printable(question)} [y/N]"
            lines = beside("      ?        ", asked, terminal_width(sys.stderr), lines=20)
            click.echo("\n".join(lines) + " ", err=True, nl=False)
            # Waiting for the terminal, not reading in a thread: a thread that reads cannot be cancelled by Ctrl-C.
            await anyio.wait_readable(sys.stdin)
            return sys.stdin.readline().strip().lower() in YES
        finally:
            progress.asking = False

    if yes:
        return agree
    return prompt if asks else None
