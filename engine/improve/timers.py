"""What starts the nightly job: a systemd user timer or a line of the crontab; the texts, and which are ours."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engine.errors import WorkspaceError
from engine.model.lazy_dataclass import dataclass
from engine.systemd import command_line, environment_lines, escaped, slug

MARK = "# Written by `skill learn --install-timer`; `skill learn --uninstall-timer` takes it away."
"""The first line of a file of ours; one without it is somebody else's."""

_SERVICE = """\
{mark}
[Unit]
Description=Learns from the failures of {about}

[Service]
Type=oneshot
WorkingDirectory={folder}
{environment}ExecStart={command}
Nice=10
IOSchedulingClass=idle
"""
_TIMER = """\
{mark}
[Unit]
Description=Learns every night from the failures of {about}

[Timer]
OnCalendar=*-*-* {at}:00
RandomizedDelaySec=10m
Persistent=true

[Install]
WantedBy=timers.target
"""
_TABLE_MARK = "# skill learn {slug}: the next line is taken away by `skill learn --uninstall-timer`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The nightly job of one workspace: `program` are the words that run `skill`, `at` is local time (`03:30`).

    `environment` is what it must be given besides a session's own.
    """

    folder: Path
    program: Sequence[str]
    environment: Mapping[str, str]
    at: str = "03:30"

    @property
    def words(self) -> list[str]:
        """Its command line."""
        return [*self.program, "-C", str(self.folder), "learn", "--quiet"]

    @property
    def slug(self) -> str:
        """A name for the workspace that no other has."""
        return slug(self.folder)


def units(job: Job, folder: Path) -> dict[Path, str]:
    """The unit files by their place; `folder` is that of the person's units. WorkspaceError for what none can say."""
    about = escaped(job.folder.name or "the root folder")
    service = _SERVICE.format(
        mark=MARK,
        about=about,
        folder=escaped(str(job.folder)),
        environment=environment_lines(job.environment),
        command=command_line(job.words),
    )
    name = folder / f"skill-learn-{job.slug}"
    timer = _TIMER.format(mark=MARK, about=about, at=job.at)
    return {name.with_suffix(".service"): service, name.with_suffix(".timer"): timer}


def write(files: Mapping[Path, str]) -> list[Path]:
    """Puts the files in their places and returns those that were not so before; none if one is somebody else's.

    Raises WorkspaceError.
    """
    try:
        changed = [path for path, text in files.items() if _ours(path) != text]
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            beside.write_text(files[path], encoding="utf-8")
            beside.replace(path)
    except OSError as error:
        raise _unwritable(error) from error
    return changed


def remove(files: Iterable[Path]) -> list[Path]:
    """Takes the files away and returns those there were; WorkspaceError, and none is taken, if one is not ours."""
    try:
        there = [path for path in files if _ours(path) is not None]
        for path in there:
            path.unlink()
    except OSError as error:
        raise _unwritable(error) from error
    return there


def with_line(table: str, job: Job) -> str:
    """The crontab with the job in it, once."""
    rest = without_line(table, job)
    return f"{rest}{'' if not rest or rest.endswith(chr(10)) else chr(10)}{line(job)}"


def without_line(table: str, job: Job) -> str:
    """The crontab without the job; every other line stays as it is."""
    mark = _TABLE_MARK.format(slug=job.slug)
    kept, ours = [], False
    for each in table.splitlines(keepends=True):
        if not ours and each.strip() != mark:
            kept.append(each)
        ours = each.strip() == mark
    return "".join(kept)


def line(job: Job) -> str:
    """The two lines of the job in a crontab."""
    given = "".join(f"{name}={shlex.quote(value)} " for name, value in sorted(job.environment.items()))
    command = f"cd {shlex.quote(str(job.folder))} && {given}{shlex.join(job.words)}"
    if re.search(r"[\x00-\x1f\x7f]", command):
        raise WorkspaceError(f"{job.folder} cannot stand in a crontab", hint="rename the folder")
    hour, minute = job.at.split(":")
    # crontab(5): a `%` begins the command's input unless it is escaped.
    escaped = command.replace("%", "\\%")
    return f"{_TABLE_MARK.format(slug=job.slug)}\n{int(minute)} {int(hour)} * * * {escaped}\n"


def _ours(path: Path) -> str | None:
    """What the file says, if there is one; WorkspaceError if it is not ours."""
    try:
        present = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        present = None
    if path.is_symlink() or (present is not None and not present.startswith(MARK)):
        raise WorkspaceError(f"{path} was not written by skill", hint="move it away, or keep it and start it instead")
    return present


def _unwritable(error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"{error.filename} cannot be written: {error.strerror or error}",
        hint="`skill learn --install-timer --dry-run` shows what would be written, to be put elsewhere by hand",
    )
