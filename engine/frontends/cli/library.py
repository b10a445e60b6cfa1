"""`skill list`, `skill show`, `skill check`, `skill schema`: what can be run, and whether it would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from engine.bundle import bundle
from engine.errors import EngineError, SkillNotFoundError
from engine.frontends.cli.screen import Screen, screen_options
from engine.library import SkillLibrary
from engine.model.place import Severity
from engine.model.skill import Input, Skill, Step, ToolStep
from engine.run.perform import action_of
from engine.wiring import Engine
from engine.workspace import find_workspace

INVALID = 6


def open_library(workspace: str | None) -> SkillLibrary:
    """The skills seen from a workspace."""
    return Engine(find_workspace(Path(workspace) if workspace else None)).library


@click.command("list")
@click.option("--tag", help="Only skills with this tag.")
@click.pass_obj
@screen_options
def list_command(workspace: str | None, tag: str | None, screen: Screen) -> None:
    """List the skills that can be run: the workspace's own, then the shipped ones."""
    entries = [entry for entry in open_library(workspace).entries() if tag is None or tag in entry.tags]
    if not screen.is_text:
        screen.result(
            [
                {
                    "name": entry.name,
                    "description": entry.description,
                    "tags": list(entry.tags),
                    "path": str(entry.path),
                    "hides": str(entry.hides) if entry.hides else None,
                    "error": entry.error or None,
                }
                for entry in entries
            ]
        )
        return
    rows = [[entry.name, ", ".join(entry.tags), entry.error or _one_line(entry.description)] for entry in entries]
    screen.table(rows, ["SKILL", "TAGS", "WHAT IT DOES"])
    for entry in entries:
        if entry.hides:
            screen.note(f"{entry.name}: {entry.path} hides {entry.hides}", dim=True)


@click.command("show")
@click.argument("name")
@click.pass_obj
@screen_options
def show_command(workspace: str | None, name: str, screen: Screen) -> None:
    """Show the skill NAME: what it takes, what it does, what it returns."""
    skill = open_library(workspace).load(name)
    if not screen.is_text:
        screen.result(skill_data(skill))
        return
    screen.text(f"{skill.name} {skill.version}".rstrip(), bold=True)
    screen.text(f"  {skill.description.strip()}")
    _section(screen, "inputs", [input_row(declared) for declared in skill.inputs])
    _section(screen, "steps", [(step.name, _step_line(step)) for step in skill.steps])
    _section(screen, "always", [(step.name, _step_line(step)) for step in skill.always])
    _section(screen, "outputs", [(output.name, output.description) for output in skill.outputs])
    screen.note(f"\n  {skill.file}", dim=True)


@click.command("check")
@click.argument("names", nargs=-1, metavar="[SKILL|FILE]...")
@click.option("--format", "report", type=click.Choice(["text", "json", "github", "sarif"]), help="For machines.")
@click.pass_obj
@screen_options
def check_command(workspace: str | None, names: tuple[str, ...], report: str | None, screen: Screen) -> int:
    """Find every mistake in the named skills or files; without a name, in every skill.

    Exit status: 0 no errors (there may be warnings), 6 at least one error.
    """
    from engine.library import reports  # noqa: PLC0415 - late: only this command writes reports

    library = open_library(workspace)
    wanted = names or tuple(entry.name for entry in library.entries())
    found = [finding for name in wanted for finding in library.check(name)]
    form: Any = report or ("json" if screen.format != "text" else "text")
    if form == "text":
        for finding in found:
            screen.text(str(finding), **({"fg": "yellow"} if finding.severity is Severity.WARNING else {}))
        errors = sum(finding.severity is Severity.ERROR for finding in found)
        noun = "skill" if len(wanted) == 1 else "skills"
        screen.note(f"{len(wanted)} {noun} checked: {errors} errors, {len(found) - errors} warnings")
    else:
        click.echo(reports.report(found, form))
    return INVALID if any(finding.severity is Severity.ERROR for finding in found) else 0


@click.command("schema")
@click.argument("name", default="skill")
def schema_command(name: str) -> None:
    """Print the JSON Schema NAME (skill, tool, profile, settings, or a memory file's)."""
    known = sorted(path.name.removesuffix(".schema.json") for path in bundle("schemas").glob("*.schema.json"))
    if name not in known:
        raise SkillNotFoundError(f"there is no schema called {name}", hint=f"there are {', '.join(known)}")
    click.echo((bundle("schemas") / f"{name}.schema.json").read_text(encoding="utf-8"), nl=False)


def describe_inputs(name: str, formatter: click.HelpFormatter, workspace: str | None) -> None:
    """Adds a skill's own inputs to `skill run NAME --help`; says why when there is no such skill."""
    try:
        skill = open_library(workspace).load(name)
    except EngineError as error:
        formatter.write_paragraph()
        formatter.write_text(str(error))
        return
    formatter.write_paragraph()
    formatter.write_text(_one_line(skill.description))
    if skill.inputs:
        with formatter.section(f"Inputs of {skill.name} (-i NAME=VALUE)"):
            formatter.write_dl([input_row(declared) for declared in skill.inputs])


def input_row(declared: Input) -> tuple[str, str]:
    """An input's name, and everything else about it in a line."""
    facts = [declared.type.value if declared.type else "any"]
    facts += ["required"] if declared.required else []
    facts += [f"default {json.dumps(declared.default)}"] if declared.has_default and not declared.secret else []
    facts += [f"one of {', '.join(map(str, declared.enum))}"] if declared.enum else []
    facts += ["secret"] if declared.secret else []
    return declared.name, f"({'; '.join(facts)}) {_one_line(declared.description)}".strip()


def skill_data(skill: Skill) -> dict[str, Any]:
    """A skill as JSON-like data."""
    return {
        "name": skill.name,
        "description": skill.description,
        "version": skill.version,
        "tags": list(skill.tags),
        "file": skill.file,
        "inputs": [
            {
                "name": declared.name,
                "type": declared.type.value if declared.type else None,
                "description": declared.description,
                "required": declared.required,
                "default": None if declared.secret else declared.default,
                "enum": list(declared.enum),
                "secret": declared.secret,
            }
            for declared in skill.inputs
        ],
        "steps": [
            {"name": step.name, "action": action_of(step), "description": step.description} for step in skill.steps
        ],
        "always": [{"name": step.name, "action": action_of(step)} for step in skill.always],
        "outputs": [{"name": output.name, "description": output.description} for output in skill.outputs],
    }


def _section(screen: Screen, title: str, rows: list[tuple[str, str]]) -> None:
    if not rows:
        return
    screen.text(f"\n  {title}", bold=True)
    width = min(30, max(len(name) for name, _ in rows))
    for name, told in rows:
        screen.text(f"    {name:<{width}}  {told}".rstrip())


def _step_line(step: Step) -> str:
    action = step.tool if isinstance(step, ToolStep) else action_of(step)
    condition = f"  if {step.condition.text}" if step.condition else ""
    told = f"  {_one_line(step.description)}" if step.description else ""
    return f"{action}{told}{condition}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
