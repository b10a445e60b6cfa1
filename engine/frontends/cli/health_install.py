"""`skill health install`: the unit in its place, and the two commands that start it."""

from __future__ import annotations

import os

from engine.frontends.cli.itself import own_environment, own_program
from engine.frontends.cli.screen import Screen
from engine.health.built import seconds_of
from engine.health.unit import Unit, remove, unit_for, write
from engine.systemd import units_folder
from engine.workspace import Workspace


def installed(workspace: Workspace, screen: Screen, *, interval: str | None, dry_run: bool) -> None:
    """Writes the unit, unless it is only to be shown."""
    if interval:
        seconds_of(interval)
    unit = _unit(workspace, interval or "")
    changed = False if dry_run else write(unit)
    start = _start(unit)
    told = {"unit": unit.name, "path": str(unit.path), "text": unit.text, "written": changed, "start": start}
    if not screen.is_text:
        screen.result(told)
    elif dry_run:
        screen.text(unit.text.rstrip())
        screen.note(f"  would be written to {unit.path}", dim=True)
    else:
        screen.text(f"{unit.path} {'is written' if changed else 'was there already'}")
        screen.text("to start it, now and at every login:")
        for line in start:
            screen.text(f"  {line}")
        screen.note("  `loginctl enable-linger` keeps it going while nobody is logged in", dim=True)


def removed(workspace: Workspace, screen: Screen) -> None:
    """Takes the unit away."""
    unit = _unit(workspace, "")
    was = remove(unit)
    if not screen.is_text:
        screen.result({"unit": unit.name, "path": str(unit.path), "removed": was})
    elif was:
        screen.text(f"{unit.path} is gone; if it still runs: systemctl --user stop {unit.name}")
    else:
        screen.note(f"there is no {unit.path}")


def _unit(workspace: Workspace, interval: str) -> Unit:
    return unit_for(
        workspace.folder,
        program=own_program(),
        environment=own_environment(),
        units=units_folder(os.environ),
        interval=interval,
    )


def _start(unit: Unit) -> list[str]:
    return ["systemctl --user daemon-reload", f"systemctl --user enable --now {unit.name}"]
