"""`skill schema`: the JSON Schemas of everything written in YAML, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine.bundle import bundle
from engine.errors import SkillNotFoundError
from engine.frontends.cli.completing import known_schemas, schema_names
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session

SKILL = "skill"


@click.command("schema")
@click.argument("name", default=SKILL, shell_complete=schema_names)
@click.option("--tools", "with_tools", is_flag=True, help="With this workspace's tools and skills, for completion.")
@click.option("--path", "only_path", is_flag=True, help="Print where the schema's file is, not what it says.")
@screen_options
def schema_command(session: Session, name: str, with_tools: bool, only_path: bool, screen: Screen) -> None:
    """Print the JSON Schema NAME (skill, tool, profile, settings, or a memory file's)."""
    path = _schema_file(name)
    if with_tools and (name != SKILL or only_path):
        raise click.UsageError("--tools goes with the schema `skill` alone", click.get_current_context())
    if only_path:
        screen.text(str(path)) if screen.is_text else screen.result(str(path))
        return
    text = _with_tools(session) if with_tools else path.read_text(encoding="utf-8")
    if screen.is_text:
        click.echo(text, nl=False)
    else:
        screen.result(json.loads(text))


def _with_tools(session: Session) -> str:
    from engine.frontends.cli.editor_schema import schema_with_tools  # noqa: PLC0415 - late: the tools cost time

    return schema_with_tools(session)


def _schema_file(name: str) -> Path:
    """The file of the schema that ships with the engine. Raises SkillNotFoundError with the nearest names."""
    known = known_schemas()
    if name in known:
        return bundle("schemas") / f"{name}.schema.json"
    from engine.library.nearest import did_you_mean  # noqa: PLC0415 - late: only a wrong name needs it

    hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
    raise SkillNotFoundError(f"there is no schema called {name}", hint=hint)
