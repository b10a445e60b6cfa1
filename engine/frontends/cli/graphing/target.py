"""Where a picture goes and in which format: what `-o` and `--format` together ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from click.shell_completion import CompletionItem

from engine.frontends.cli.screen import FORMATS
from engine.model.lazy_dataclass import dataclass

Form = Literal["tree", "mermaid", "dot", "svg", "json"]
FORMS: tuple[Form, ...] = ("tree", "mermaid", "dot", "svg")
"""The pictures; data is asked for by `-o json`."""
SUFFIXES: dict[str, Form] = {
    ".txt": "tree",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
    ".json": "json",
}
_FILE = "graph.file"


class FormatOrFile(click.ParamType):  # type: ignore[type-arg] # older versions of click know no arguments here
    """One of the formats of every command, or a file to write the picture to."""

    name = "format or file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's
        """The format; a file is kept with the call, and what stands on the screen stays text."""
        if value in FORMATS or ctx is None:
            return value
        ctx.meta[_FILE] = Path(value)
        return "text"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002 - click's
        """As help shows it."""
        return f"[{'|'.join(FORMATS)}|FILE]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's
        """The formats, and files."""
        formats = [CompletionItem(form) for form in FORMATS if form.startswith(incomplete)]
        return [*formats, CompletionItem(incomplete, type="file")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be drawn, and the file it goes to; None for standard output."""

    form: Form
    file: Path | None = None


def target(ctx: click.Context, form: str | None, *, data: bool) -> Target:
    """What was asked for; `data` when `-o` names a format for data. Raises click.UsageError where that is unclear."""
    file: Path | None = ctx.meta.get(_FILE)
    if data:
        if form is not None:
            raise click.UsageError(f"choose one: --format {form} is a picture, and -o asks for data", ctx)
        return Target(form="json", file=None)
    if form is not None:
        return Target(form=next(each for each in FORMS if each == form), file=file)
    if file is None:
        return Target(form="tree")
    if file.suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise click.UsageError(f"{file} does not say which format it should have: add --format, or one of {known}", ctx)
    return Target(form=SUFFIXES[file.suffix], file=file)
