"""`skill schema`: the JSON Schemas of everything written in YAML, for editors."""

from __future__ import annotations

import json

import click

from engine.bundle import bundle
from engine.errors import SkillNotFoundError
from engine.frontends.cli.completing import known_schemas, schema_names
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session


@click.command("schema")
@click.argument("name", default="skill", shell_complete=schema_names)
@screen_options
def schema_command(_: Session, name: str, screen: Screen) -> None:
    """Print the JSON Schema NAME (skill, tool, profile, settings, or a memory file's)."""
    known = known_schemas()
    if name not in known:
        from engine.library.nearest import did_you_mean  # noqa: PLC0415 - late: only a wrong name needs it

        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise SkillNotFoundError(f"there is no schema called {name}", hint=hint)
    text = (bundle("schemas") / f"{name}.schema.json").read_text(encoding="utf-8")
    if screen.is_text:
        click.echo(text, nl=False)
    else:
        screen.result(json.loads(text))
