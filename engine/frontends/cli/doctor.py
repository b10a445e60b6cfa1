"""`skill doctor`: whether this machine and this workspace can do what is asked of them, and what to do where not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from engine.bundle import bundle
from engine.errors import DocumentError, EngineError
from engine.frontends.cli.layout import beside
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.settings_check import wrong_in_domain
from engine.frontends.cli.tools import lacks, some
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Severity
from engine.sandbox.compute import interpreter_version
from engine.telemetry.opening import Asked, is_installed, who_asks
from engine.wiring import Engine
from engine.workspace import Workspace, make_private
from tool_registry.local_platform.processes import NAMESPACES, isolation_of
from tool_registry.tool import Tool

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
            for line in beside(f"  {sign} {look.name:<22} ", look.found, screen.width, lines=10):
                screen.text(line, fg=colour)
            for way_out in look.way_out.splitlines():
                for line in beside("      ", way_out, screen.width, lines=10):
                    screen.text(line)
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
    yield _try("tools", lambda: str(len(engine.registry)))
    yield from _lacks(engine)
    yield _try("fixes", lambda: _count_fixes(engine))
    yield from _mcp_servers(engine)
    yield from _telemetry(engine)
    yield _try("skills", lambda: _count_skills(engine))
    yield _try("compute", lambda: f"pydantic-monty {interpreter_version()}")
    yield _memory(engine)
    yield _try("history", lambda: _history(engine))


def _python() -> Look:
    enough = sys.version_info >= LEAST_PYTHON
    return Look(
        name="python", found=platform.python_version(), way_out="" if enough else "install Python 3.11 or newer"
    )


def _writable(name: str, folder: Path) -> Look:
    try:
        make_private(folder)
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
    works = isolation_of() == NAMESPACES
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
        return Look(name=name, found=error.message, way_out="\n".join(map(str, error.findings)) or error.hint)
    except EngineError as error:
        return Look(name=name, found=error.message, way_out=error.hint or "see the message")


def _lacks(engine: Engine) -> Iterator[Look]:
    """What tools need and do not find here; nothing where the tools cannot be read."""
    try:
        missing = lacks((engine.registry[name] for name in sorted(engine.registry)), engine.domains)
    except EngineError:
        return  # the looks at the profile and at the tools have told
    for lack, names in missing.items():
        found = f"{lack.message}: {some(names)}"
        yield Look(name="tools lack", found=found, way_out=lack.way_out, needed=False)


def _mcp_servers(engine: Engine) -> Iterator[Look]:
    """The MCP servers of the workspace, none of which is started; nothing where it names none."""
    try:
        servers = engine.mcp
    except EngineError:
        return  # the look at the tools has told
    for name, known, why in servers.looks() if servers else ():
        yield Look(name="mcp server", found=f"{name} ({known})", way_out=why, needed=False)


def _telemetry(engine: Engine) -> Iterator[Look]:
    """Whether what is asked of telemetry can be had; nothing where nobody asks for it."""
    asked = who_asks(engine.telemetry, engine.workspace.settings.get("telemetry", {}), os.environ)
    if asked is not None:
        told = "asked for by skill.toml" if asked is Asked.BY_SETTINGS else "asked for by the environment"
        missing = "" if is_installed() else "pip install 'skill-engine[otel]'"
        yield Look(name="telemetry", found=told, way_out=missing, needed=asked is Asked.BY_SETTINGS)


def _count_fixes(engine: Engine) -> str:
    """How many fixes the domains name; a mistake in one would else be found when it is needed."""
    wrong = [each.message for domain in engine.domains.values() for each in wrong_in_domain(domain, engine.registry)]
    wrong += [
        f"{name} depends on {tool.domain}, which no profile describes"
        for name, tool in engine.registry.items()
        if tool.domain and tool.domain not in engine.domains and _is_own(tool, engine.workspace)
    ]
    if wrong:
        raise EngineError("; ".join(wrong), hint="docs/workspace.md shows a domain and its fixes")
    return str(sum(len(domain.fixes) for domain in engine.domains.values()))


def _is_own(tool: Tool, workspace: Workspace) -> bool:
    """Whether a person of this workspace wrote it; the domain of a shipped one is described where it is needed."""
    place = tool.location
    return place.startswith(str(workspace.folder)) and not place.startswith(str(bundle("tool_registry")))


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


def _memory(engine: Engine) -> Look:
    found = engine.memory.findings()
    way_out = "\n".join(map(str, found))
    return Look(name="memory", found=f"{engine.workspace.memory}", way_out=way_out, needed=False)


def _history(engine: Engine) -> str:
    if not engine.workspace.history.exists():
        return "no runs yet"
    totals = engine.journal.totals()
    engine.journal.close()
    failures = f"{totals.total:,} failure{'' if totals.total == 1 else 's'}"
    return f"{engine.workspace.history} ({failures}, {totals.auto_fixed:,} healed by a fix)"
