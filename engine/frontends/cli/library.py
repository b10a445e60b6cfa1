"""`skill list` and `skill show`: what can be run, and what it takes, does and returns."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from engine.bundle import bundle
from engine.frontends.cli.completing import skill_names
from engine.frontends.cli.layout import beside, one_line, short_path, terminal_width
from engine.frontends.cli.marks import Marks, marks
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.library import SkillEntry, SkillLibrary
from engine.model.skill import ComputeStep, Input, Skill, Step, StopStep, ToolStep, action_of
from engine.sandbox import Sandbox

WIDEST_NAME = 30
"""Columns a name may take of a line."""


def catalog(session: Session) -> tuple[SkillEntry, ...]:
    """Every skill seen from here; read without the tools, which a list does not need."""
    folders = session.workspace().skill_folders
    return SkillLibrary(folders, sandbox=Sandbox(), tools={}).entries()


@click.command("list")
@click.option("--tag", help="Only skills with this tag.")
@screen_options
def list_command(session: Session, tag: str | None, screen: Screen) -> None:
    """List the skills that can be run: the workspace's own, then the shipped ones."""
    entries = [entry for entry in catalog(session) if tag is None or tag in entry.tags]
    needed = {} if screen.is_text and screen.quiet else _needed(entries, session)
    if not screen.is_text:
        screen.result([{**entry_record(entry), "needs": list(needed.get(entry.name, ()))} for entry in entries])
        return
    if not entries:
        screen.note(f"no skill has the tag {tag}" if tag else "there are no skills")
        return
    show_entries(entries, needed, screen)
    if needed:
        screen.note("what a skill needs is described in skill.toml: docs/configuration.md", dim=True)
    if not screen.quiet:
        screen.note("`skill run NAME --help` shows what a skill takes", dim=True)


def _needed(entries: list[SkillEntry], session: Session) -> Marks:
    """What each skill needs that nobody describes here; nothing where no skill is listed."""
    workspace = session.workspace()

    def find() -> Marks:
        from engine.frontends.cli.undescribed import undescribed  # noqa: PLC0415 - late: all tools, for a first list
        from engine.wiring import Engine  # noqa: PLC0415 - late, as above

        return undescribed(entries, Engine(workspace, secrets=session.secrets))

    try:
        return marks(entries, workspace, find) if entries else {}
    except ImportError:
        return {}  # of tools that cannot be imported nothing is known, and nothing is kept; the doctor tells


def show_entries(entries: list[SkillEntry], needed: Mapping[str, tuple[str, ...]], screen: Screen) -> None:
    """The skills as a table, each with what it needs and is not described, and which of them hide a shipped one."""
    rows = [[entry.name, ", ".join(entry.tags), _told(entry, needed.get(entry.name, ()))] for entry in entries]
    screen.table(rows, ["SKILL", "TAGS", "WHAT IT DOES"], spare=["TAGS"], lines=4)
    for entry in entries:
        if entry.hides:
            hidden = short_path(entry.hides, shipped=bundle("skills"))
            screen.note(f"{entry.name}: {short_path(entry.path)} hides {hidden}", dim=True)


def _told(entry: SkillEntry, needed: tuple[str, ...]) -> str:
    if entry.error:
        return one_line(f"cannot be read: {entry.error}")
    mark = f"needs {', '.join(needed)}: " if needed else ""
    return f"{mark}{one_line(entry.description)}"


def show_names(entries: tuple[SkillEntry, ...], screen: Screen) -> None:
    """The skills by name and first sentence, on standard error."""
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        first = one_line(entry.error or entry.description).partition(". ")[0]
        for line in beside(f"  {entry.name:<{width}}  ", first, terminal_width(sys.stderr)):
            screen.note(line)


def entry_record(entry: SkillEntry) -> dict[str, Any]:
    """A line of the catalog as JSON-like data."""
    return {
        "name": entry.name,
        "description": entry.description,
        "version": entry.version,
        "tags": list(entry.tags),
        "path": str(entry.path),
        "hides": str(entry.hides) if entry.hides else None,
        "error": entry.error or None,
    }


@click.command("show")
@click.argument("name", shell_complete=skill_names)
@screen_options
def show_command(session: Session, name: str, screen: Screen) -> None:
    """Show the skill NAME: what it takes, what it does, what it returns."""
    from engine.wiring import Engine  # noqa: PLC0415 - late: 40 ms that a list does not need

    skill = Engine(session.workspace(), secrets=session.secrets).library.load(name)
    if not screen.is_text:
        screen.result(skill_record(skill))
        return
    screen.text(f"{skill.name} {skill.version}".rstrip(), bold=True)
    for line in beside("  ", one_line(skill.description), screen.width, lines=20):
        screen.text(line)
    _section(screen, "inputs", [input_row(declared) for declared in skill.inputs])
    _section(screen, "steps", [(step.name, _step_line(step, verbose=screen.verbose)) for step in skill.steps])
    _section(screen, "always", [(step.name, _step_line(step, verbose=screen.verbose)) for step in skill.always])
    _section(screen, "outputs", [(output.name, one_line(output.description)) for output in skill.outputs])
    screen.note(f"\n  {short_path(skill.file, shipped=bundle('skills'))}    skill run {skill.name}", dim=True)


def input_row(declared: Input) -> tuple[str, str]:
    """An input's name, and everything else about it in a line."""
    facts = [declared.type.value if declared.type else "any"]
    facts += ["required"] if declared.must_be_given else []
    facts += [f"default {json.dumps(declared.default)}"] if declared.has_default and not declared.secret else []
    facts += [f"one of {', '.join(map(str, declared.enum))}"] if declared.enum else []
    facts += ["secret"] if declared.secret else []
    return declared.name, f"({'; '.join(facts)}) {one_line(declared.description)}".strip()


def skill_record(skill: Skill) -> dict[str, Any]:
    """A skill as JSON-like data."""
    return {
        "name": skill.name,
        "description": skill.description,
        "version": skill.version,
        "tags": list(skill.tags),
        "file": skill.file,
        "inputs": [_input_record(declared) for declared in skill.inputs],
        "steps": [_step_record(step) for step in skill.steps],
        "always": [_step_record(step) for step in skill.always],
        "outputs": [{"name": output.name, "description": output.description} for output in skill.outputs],
    }


def _input_record(declared: Input) -> dict[str, Any]:
    return {
        "name": declared.name,
        "type": declared.type.value if declared.type else None,
        "description": declared.description,
        "required": declared.must_be_given,
        "default": None if declared.secret else declared.default,
        "enum": list(declared.enum),
        "secret": declared.secret,
    }


def _step_record(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "action": action_of(step),
        "tool": step.tool if isinstance(step, ToolStep) else None,
        "description": step.description,
        "condition": step.condition.text if step.condition else None,
    }


def _section(screen: Screen, title: str, rows: list[tuple[str, str]]) -> None:
    if not rows:
        return
    screen.text(f"\n  {title}", bold=True)
    width = min(WIDEST_NAME, max(len(name) for name, _ in rows))
    for name, told in rows:
        for line in beside(f"    {name:<{width}}  ", told, screen.width, lines=6):
            screen.text(line)


def _step_line(step: Step, *, verbose: bool) -> str:
    """What a step is for, else what it does; when verbose both, and its condition."""
    action = step.tool if isinstance(step, ToolStep) else action_of(step)
    told = one_line(step.description)
    condition = f"  [if {one_line(step.condition.text)}]" if step.condition else ""
    if verbose or not told:
        return f"{action}{': ' if told else ''}{told}{condition}"
    extra = f" ({action})" if not isinstance(step, ComputeStep | StopStep) else ""
    return f"{told}{extra}{condition}"
