"""What a person sees: results on standard output, everything else on standard error, colours only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from functools import wraps
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.frontends.cli.layout import json_text, printable, table, terminal_width
from engine.frontends.cli.session import Session
from engine.model.lazy_dataclass import dataclass
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

    @property
    def width(self) -> int | None:
        """The columns of the terminal results go to; None for a pipe or a file."""
        return terminal_width(sys.stdout)

    def result(self, value: Any) -> None:
        """Writes a structured result to standard output in the format asked for; `jsonl` writes a line per element."""
        masked = self.secrets.mask(value)
        match self.format:
            case "jsonl":
                for element in masked if isinstance(masked, list) else [masked]:
                    click.echo(json_text(element))
            case "yaml":
                from engine.documents import dump  # noqa: PLC0415 - late: only this format needs it

                click.echo(dump(json.loads(json.dumps(masked, default=str))), nl=False)
            case _:
                click.echo(json_text(masked, indent=2))

    def text(self, text: str = "", **style: Any) -> None:
        """Writes a line for people to standard output."""
        click.echo(self._styled(text, style), color=self._colors)

    def note(self, text: str, **style: Any) -> None:
        """Writes a line for people to standard error, unless asked to be quiet."""
        if not self.quiet:
            click.echo(self._styled(text, style), err=True, color=self._colors)

    def styled(self, text: str, **style: Any) -> str:
        """`text` as it may be written to a terminal that draws it itself: masked, harmless, in colour if so wished."""
        return self._styled(text, {} if self._colors is False else style)

    def table(
        self,
        rows: Sequence[Sequence[str]],
        head: Sequence[str],
        *,
        spare: Collection[str] = (),
        lines: int = 1,
        colours: Sequence[str | None] = (),
    ) -> None:
        """Writes rows in columns fitted to the terminal; when quiet only the first column, for scripts.

        `colours` are those of the rows, where each takes one line.
        """
        if self.quiet:
            for row in rows:
                self.text(row[0])
            return
        title, *drawn = table(rows, head, width=self.width, spare=spare, lines=lines)
        self.text(title, bold=True)
        for line, colour in zip_longest(drawn, colours):
            self.text(line, fg=colour)

    @property
    def _colors(self) -> bool | None:
        """True and False as asked; None lets the terminal decide."""
        return False if self.color is None and os.environ.get("NO_COLOR") else self.color

    def _styled(self, text: str, style: dict[str, Any]) -> str:
        mask = self.secrets.mask
        clean = mask(printable(mask(text)))  # again: what was left out may have stood in the middle of a secret
        told = {name: value for name, value in style.items() if value is not None}
        accent = told.pop("accent", 0) or len(clean)
        return f"{click.style(clean[:accent], **told)}{clean[accent:]}" if told else clean


def screen_options(function: Function, *, written: click.ParamType[Any] | None = None) -> Function:
    """Adds the options every command has, and hands the command its `session` first and a `Screen` as `screen`.

    `written` is what `-o` takes, where that is more than the formats.
    """
    formats = written or click.Choice(FORMATS)

    @click.option("-o", "--output", type=formats, default="text", help="How the result is written.")
    @click.option("--json", "as_json", is_flag=True, help="Same as -o json.")
    @click.option("-q", "--quiet", is_flag=True, help="Only the result; of a table, only the first column.")
    @click.option("-v", "--verbose", is_flag=True, help="Everything that happens.")
    @click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto: on a terminal only.",
    )
    @click.option("-C", "--workspace", type=click.Path(file_okay=False), help="Work in this folder.")
    @wraps(function)
    def wrapped(
        *args: Any,
        output: str,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        color: str,
        workspace: str | None,
        **rest: Any,
    ) -> Any:
        session = click.get_current_context().ensure_object(Session)
        session.folder = Path(workspace) if workspace else session.folder
        session.color = {"auto": None, "always": True, "never": False}[color]
        screen = Screen(
            format="json" if as_json else output,
            quiet=quiet,
            verbose=verbose,
            color=session.color,
            secrets=session.secrets,
        )
        return function(session, *args, screen=screen, **rest)

    return wrapped  # type: ignore[return-value] # the wrapper takes the options click passes, and returns what it returns
