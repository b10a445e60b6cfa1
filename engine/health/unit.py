"""A systemd user unit that watches one workspace: its text, its place, putting it there and taking it away."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import WorkspaceError
from engine.model.lazy_dataclass import dataclass
from engine.systemd import command_line, environment_lines, escaped, slug

MARK = "# Written by `skill health install`; `skill health install --remove` takes it away."
"""The first line of a unit of ours; a file without it is somebody else's."""

_TEXT = """\
{mark}
[Unit]
Description=Watches tokens, networks and logins of {about}
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=exec
WorkingDirectory={folder}
{environment}ExecStart={command}
Restart=on-failure
RestartSec=30
RestartPreventExitStatus=2 5 6
TimeoutStopSec=10
Nice=10

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit: where it lies, what it says."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """What systemd calls it."""
        return self.path.name


def unit_for(
    folder: Path, *, program: Sequence[str], environment: Mapping[str, str], units: Path, interval: str = ""
) -> Unit:
    """The unit that watches the workspace `folder`; `units` is the folder of the person's units.

    `program` are the words that run `skill`, `environment` what it must be given besides a session's own. Raises
    WorkspaceError for what a unit file cannot say.
    """
    words = [*program, "-C", str(folder), "health", "watch", *(["--interval", interval] if interval else [])]
    text = _TEXT.format(
        mark=MARK,
        about=escaped(folder.name or "the root folder"),
        folder=escaped(str(folder)),
        environment=environment_lines(environment),
        command=command_line(words),
    )
    return Unit(path=units / f"skill-health-{slug(folder)}.service", text=text)


def write(unit: Unit) -> bool:
    """Puts the unit in its place; False when it was there as it is. WorkspaceError for a file that is not ours."""
    try:
        present = _ours(unit)
        if present == unit.text:
            return False
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        beside = unit.path.with_name(f".{unit.path.name}.{os.getpid()}")
        beside.write_text(unit.text, encoding="utf-8")
        beside.replace(unit.path)
    except OSError as error:
        raise _unwritable(unit, error) from error
    return True


def remove(unit: Unit) -> bool:
    """Takes the unit away; False when there is none. Raises WorkspaceError for a file that is not ours."""
    try:
        if _ours(unit) is None:
            return False
        unit.path.unlink()
    except OSError as error:
        raise _unwritable(unit, error) from error
    return True


def _ours(unit: Unit) -> str | None:
    """What the file says, if there is one."""
    try:
        present = unit.path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    if unit.path.is_symlink() or not present.startswith(MARK):
        raise WorkspaceError(
            f"{unit.path} was not written by skill", hint="move it away, or keep it and start it instead"
        )
    return present


def _unwritable(unit: Unit, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"{unit.path} cannot be written: {error.strerror or error}",
        hint="`skill health install --dry-run` shows the unit, to be put elsewhere by hand",
    )
