"""`skill memory`: what was learnt from failures, as people read it; its other commands are imported when they run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from engine.bundle import bundle
from engine.frontends.cli.commands import NearestGroup
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.memory import Memory

FILES = {
    "patterns": "learned/patterns.yaml",
    "fixes": "learned/tool_fixes.yaml",
    "failures": "learned/tool_failures.yaml",
}
ELSEWHERE: Mapping[str, str] = {
    "check": "known",
    "known": "known",
    "learn-fix": "known",
    "view": "memory_files",
    "append": "memory_files",
    "update": "memory_files",
    "remove": "memory_files",
    "log": "memory_files",
    "edit": "memory_editing",
    "init": "memory_upkeep",
    "cleanup": "memory_upkeep",
    "backups": "memory_upkeep",
    "restore": "memory_upkeep",
    "export": "memory_exchange",
    "import": "memory_exchange",
    "patterns": "reviewing",
}
"""Commands of the group by the module they are in."""


class MemoryGroup(NearestGroup):
    """The group, with the commands whose modules are imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order people meet them."""
        return [*super().list_commands(ctx), *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; None if there is none."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"engine.frontends.cli.{ELSEWHERE[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command


@click.group("memory", cls=MemoryGroup)
def memory_command() -> None:
    """Read, edit, review and back up what was learnt."""


@memory_command.command("show")
@click.argument("part", required=False, type=click.Choice(list(FILES)))
@screen_options
def show_command(session: Session, part: str | None, screen: Screen) -> None:
    """Show one part of memory as it counts, or a summary of all with the place of the files."""
    memory = Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)
    for finding in memory.findings():
        show_finding(finding, screen.note)
    content = {name: memory.read(FILES[name]) for name in ([part] if part else FILES)}
    if not screen.is_text:
        screen.result(content[part] if part else {"folder": str(memory.folder), **content})
    elif part:
        screen.table(*{"patterns": _patterns, "fixes": _fixes, "failures": _failures}[part](content[part] or {}))
    else:
        _summary(memory, content, screen)


def _summary(memory: Memory, content: dict[str, Any], screen: Screen) -> None:
    stats = _mapping((content["failures"] or {}).get("stats"))
    fixes = content["fixes"]["tool_fixes"]
    prevented = sum(entry["times_prevented"] for entry in fixes)
    screen.text(f"memory is in {memory.folder}", bold=True)
    screen.text(f"  patterns  {len(content['patterns']['patterns'])} errors the engine can name")
    screen.text(f"  fixes     {len(fixes)} written down by people and agents; {prevented} mistakes prevented")
    failures = f"{stats.get('total_failures', 0)} counted, {stats.get('auto_fixed', 0)} of them healed by a fix"
    screen.text(f"  failures  {failures}")
    screen.note("  skill memory show patterns|fixes|failures", dim=True)


def _patterns(content: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    rows = [
        [
            str(row.get("id") or row.get("pattern", "")),
            str(row["kind"]),
            str(row.get("fix") or ""),
            str(row.get("confidence", "")),
            str(row.get("observations", row.get("seen", 0))),
            str(row.get("meaning", "")),
        ]
        for row in content["patterns"]
    ]
    return rows, ["PATTERN", "KIND", "FIX", "AT LEAST", "SEEN", "MEANING"]


def _fixes(content: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    rows = [
        [row["tool_name"], row["error_pattern"], str(row["times_prevented"]), row["fix_applied"]]
        for row in content["tool_fixes"]
    ]
    return rows, ["TOOL", "ERROR", "PREVENTED", "FIX"]


def _failures(content: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    told = content.get("failures")
    entries = [_mapping(entry) for entry in told] if isinstance(told, list) else []
    rows = [
        [
            str(row.get("timestamp", "")),
            str(row.get("tool", "")),
            str(row.get("error_type", "")),
            "healed" if row.get("success") else "",
            str(row.get("error_snippet", "")),
        ]
        for row in entries
    ]
    return rows, ["WHEN", "TOOL", "KIND", "", "ERROR"]


def _mapping(value: Any) -> dict[str, Any]:
    """A mapping, also where a person has written something else."""
    return value if isinstance(value, dict) else {}
