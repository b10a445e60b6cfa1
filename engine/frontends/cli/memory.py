"""`skill memory`: what was learnt from failures, as people read it."""

from __future__ import annotations

from collections.abc import Iterable
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


@click.group("memory", cls=NearestGroup)
def memory_command() -> None:
    """Show what was learnt from failures."""


@memory_command.command("show")
@click.argument("part", required=False, type=click.Choice(list(FILES)))
@screen_options
def show_command(session: Session, part: str | None, screen: Screen) -> None:
    """Show one part of memory, or a summary of all with the place of the files."""
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
    stats = (content["failures"] or {}).get("stats", {})
    screen.text(f"memory is in {memory.folder}", bold=True)
    screen.text(f"  patterns  {len(list(_rows(content['patterns'])))} errors the engine can name")
    screen.text(f"  fixes     {len((content['fixes'] or {}).get('tool_fixes', []))} written down by people and agents")
    failures = f"{stats.get('total_failures', 0)} counted, {stats.get('auto_fixed', 0)} of them healed by a fix"
    screen.text(f"  failures  {failures}")
    screen.note("  skill memory show patterns|fixes|failures", dim=True)


def _patterns(content: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    rows = [
        [
            row["id"],
            row["kind"],
            row.get("fix") or "",
            row.get("confidence", ""),
            str(row.get("observations", 0)),
            row["meaning"],
        ]
        for row in _rows(content)
    ]
    return rows, ["PATTERN", "KIND", "FIX", "AT LEAST", "SEEN", "MEANING"]


def _fixes(content: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    rows = [[row["tool_name"], row["error_pattern"], row["fix_applied"]] for row in content.get("tool_fixes", [])]
    return rows, ["TOOL", "ERROR", "FIX"]


def _failures(content: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    rows = [
        [row["timestamp"], row["tool"], row["error_type"], "healed" if row["success"] else "", row["error_snippet"]]
        for row in content.get("failures", [])
    ]
    return rows, ["WHEN", "TOOL", "KIND", "", "ERROR"]


def _rows(content: dict[str, Any] | None) -> Iterable[dict[str, Any]]:
    """Every pattern of every section."""
    for section in (content or {}).values():
        if isinstance(section, list):
            yield from section
