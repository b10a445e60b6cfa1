"""`skill doctor`: whether this machine and this workspace can do what is asked of them, and what to do where not."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from engine.errors import DocumentError, EngineError
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.tools import missing
from engine.model.place import Severity
from engine.wiring import Engine
from engine.workspace import Workspace

LEAST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One thing that was looked at; `way_out` is empty when it is well; `needed` things make the command fail."""

    name: str
    found: str
    way_out: str = ""
    needed: bool = True


@click.command("doctor")
@screen_options
def doctor_command(session: Session, screen: Screen) -> int:
    """Check this machine and this workspace, and say what to do.

    Exit status: 0 all that is needed is there, 1 something is not.
    """
    looks = list(look_at(session.workspace()))
    if not screen.is_text:
        screen.result(
            [
                {"name": look.name, "found": look.found, "way_out": look.way_out, "ok": not look.way_out}
                for look in looks
            ]
        )
    else:
        for look in looks:
            sign, colour = ("✓", "green") if not look.way_out else ("✗", "red") if look.needed else ("!", "yellow")
            screen.text(f"  {sign} {look.name:<22} {look.found}", fg=colour)
            if look.way_out:
                screen.text(f"      {look.way_out}")
    return int(any(look.way_out and look.needed for look in looks))


def look_at(workspace: Workspace) -> Iterator[Look]:
    """Everything that is looked at, in the order of what stands on what."""
    yield _python()
    yield Look(name="workspace", found=f"{workspace.folder} (settings: {workspace.settings_file or 'none'})")
    yield _writable("live files", workspace.home)
    yield _program("git", needed=True)
    yield _isolation()
    engine = Engine(workspace)
    yield _try("profile", lambda: f"{engine.profile}: {engine.loaded_profile.description}")
    yield _try("tools", lambda: _count_tools(engine))
    yield _try("skills", lambda: _count_skills(engine))
    yield _try("compute", _interpreter)
    yield _memory(engine)
    yield _try("history", lambda: _history(engine))


def _python() -> Look:
    enough = sys.version_info >= LEAST_PYTHON
    return Look(
        name="python", found=platform.python_version(), way_out="" if enough else "install Python 3.11 or newer"
    )


def _writable(name: str, folder: Path) -> Look:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Look(
            name=name, found=f"{folder}: {error.strerror}", way_out="set SKILL_HOME to a folder you may write to"
        )
    return Look(name=name, found=str(folder))


def _program(name: str, *, needed: bool) -> Look:
    path = shutil.which(name)
    return Look(name=name, found=path or "not found", way_out="" if path else f"install {name}", needed=needed)


def _isolation() -> Look:
    command = ["unshare", "-Urn", "--fork", "true"]
    works = (
        shutil.which("unshare") is not None
        and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )
    found = "user and network namespaces" if works else "process groups only"
    way_out = (
        ""
        if works
        else "local namespaces share this machine's network; allow unprivileged user namespaces to change that"
    )
    return Look(name="isolation", found=found, way_out=way_out, needed=False)


def _try(name: str, look: Callable[[], str]) -> Look:
    try:
        return Look(name=name, found=look())
    except DocumentError as error:
        return Look(name=name, found=error.message, way_out="; ".join(map(str, error.findings)) or error.hint)
    except EngineError as error:
        return Look(name=name, found=error.message, way_out=error.hint or "see the message")


def _count_tools(engine: Engine) -> str:
    lacking = sorted(name for name, tool in engine.registry.items() if missing(tool))
    return f"{len(engine.registry)}" + (f", {len(lacking)} lack something: {', '.join(lacking)}" if lacking else "")


def _count_skills(engine: Engine) -> str:
    entries = engine.library.entries()
    broken = [
        entry.name
        for entry in entries
        if any(finding.severity is Severity.ERROR for finding in engine.library.check(entry.name))
    ]
    if broken:
        raise EngineError(f"{', '.join(broken)} cannot run", hint="skill check " + " ".join(broken))
    return f"{len(entries)}, all valid"


def _interpreter() -> str:
    try:
        from pydantic_monty import __version__  # noqa: PLC0415 - late: an import of its own, and the thing looked at
    except ImportError as error:
        raise EngineError(
            f"no interpreter for compute steps: {error}", hint="pip install pydantic-monty==1.4.0"
        ) from error
    return f"pydantic-monty {__version__}"


def _memory(engine: Engine) -> Look:
    found = engine.memory.findings()
    way_out = "; ".join(map(str, found))
    return Look(name="memory", found=f"{engine.workspace.memory}", way_out=way_out, needed=False)


def _history(engine: Engine) -> str:
    if not engine.workspace.history.exists():
        return "no runs yet"
    totals = engine.journal.totals()
    engine.journal.close()
    return f"{engine.workspace.history} ({totals.total} failures, {totals.auto_fixed} healed by a fix)"
