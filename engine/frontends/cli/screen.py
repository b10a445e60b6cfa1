"""What a person sees: results on standard output, everything else on standard error, colours only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import click

from engine.model.secret import Secrets

FORMATS = ("text", "json", "jsonl", "yaml")
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How this command was asked to show things."""

    format: str = "text"
    quiet: bool = False
    verbose: bool = False
    color: bool | None = None
    secrets: Secrets = field(default_factory=Secrets)

    @property
    def is_text(self) -> bool:
        """Whether people read the result."""
        return self.format == "text"

    def result(self, value: Any) -> None:
        """Writes a structured result to standard output in the format asked for; `jsonl` writes a line per element."""
        masked = self.secrets.mask(value)
        match self.format:
            case "jsonl":
                for element in masked if isinstance(masked, list) else [masked]:
                    click.echo(json.dumps(element, ensure_ascii=False, default=str))
            case "yaml":
                from engine.documents import dump  # noqa: PLC0415 - late: only this format needs it

                click.echo(dump(json.loads(json.dumps(masked, default=str))), nl=False)
            case _:
                click.echo(json.dumps(masked, ensure_ascii=False, indent=2, default=str))

    def text(self, text: str = "", **style: Any) -> None:
        """Writes a line for people to standard output."""
        click.echo(self._styled(self.secrets.mask(text), style), color=self.color)

    def note(self, text: str, **style: Any) -> None:
        """Writes a line for people to standard error, unless asked to be quiet."""
        if not self.quiet:
            click.echo(self._styled(self.secrets.mask(text), style), err=True, color=self.color)

    def table(self, rows: Sequence[Sequence[str]], head: Sequence[str]) -> None:
        """Writes rows in columns as wide as they need; the last column takes what is left of the terminal."""
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
        room = _terminal_width() - sum(widths[:-1]) - 2 * (len(widths) - 1)
        for number, row in enumerate([head, *rows]):
            cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
            last = row[-1] if room < 20 or len(row[-1]) <= room else row[-1][: room - 1] + "…"  # noqa: PLR2004 - too narrow to cut
            self.text("  ".join([*cells, last]).rstrip(), bold=number == 0)

    def _styled(self, text: str, style: dict[str, Any]) -> str:
        if not style or self.color is False or (self.color is None and "NO_COLOR" in os.environ):
            return text
        return click.style(text, **style)


def _terminal_width() -> int:
    if not sys.stdout.isatty():
        return 10_000
    return click.get_current_context().max_content_width or os.get_terminal_size().columns


def screen_options(function: Function) -> Function:
    """Adds the options every command has, and hands the command a `Screen` as `screen`."""

    @click.option("-o", "--output", type=click.Choice(FORMATS), default="text", help="How the result is written.")
    @click.option("--json", "as_json", is_flag=True, help="Same as -o json.")
    @click.option("-q", "--quiet", is_flag=True, help="Only the result.")
    @click.option("-v", "--verbose", is_flag=True, help="Everything that happens.")
    @click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto: on a terminal only.",
    )
    @wraps(function)
    def wrapped(*args: Any, output: str, as_json: bool, quiet: bool, verbose: bool, color: str, **rest: Any) -> Any:
        colours = {"auto": None, "always": True, "never": False}[color]
        screen = Screen(format="json" if as_json else output, quiet=quiet, verbose=verbose, color=colours)
        return function(*args, screen=screen, **rest)

    return wrapped  # type: ignore[return-value] # the wrapper takes the options click passes, and returns what it returns
