"""What `skill doctor` looks at on this machine and in this workspace, without asking anybody."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.bundle import bundle
from engine.errors import EngineError
from engine.frontends.cli.doctor_looks import Look, Section, at_home, looked, tried
from engine.frontends.cli.settings_check import wrong_in_domain
from engine.sandbox.compute import interpreter_version
from engine.telemetry.opening import Asked, is_installed, who_asks
from engine.wiring import Engine
from engine.workspace import Workspace, make_private
from tool_registry.local_platform.processes import NAMESPACES, isolation_of
from tool_registry.tool import Tool

LEAST_PYTHON = (3, 11)


def machine() -> Iterator[Look]:
    """Python, git, isolation, and the interpreter of compute steps."""
    enough = sys.version_info >= LEAST_PYTHON
    yield looked(Section.MACHINE, "python", platform.python_version(), "" if enough else "install Python 3.11 or newer")
    git = shutil.which("git")
    yield looked(Section.MACHINE, "git", at_home(git) if git else "not found", "" if git else "install git")
    yield _isolation()
    yield tried(Section.MACHINE, "compute", lambda: f"pydantic-monty {interpreter_version()}")


def _isolation() -> Look:
    works = isolation_of() == NAMESPACES
    found = "user and network namespaces" if works else "process groups only"
    shared = "local namespaces share this machine's network; allow unprivileged user namespaces to change that"
    return looked(Section.MACHINE, "isolation", found, "" if works else shared, needed=False)


def workspace(engine: Engine) -> Iterator[Look]:
    """Where things are, and whether what is written there can be used."""
    here = engine.workspace
    settings = at_home(here.settings_file) if here.settings_file else "none"
    found = f"{at_home(here.folder)} (settings: {settings})"
    yield looked(Section.WORKSPACE, "workspace", found)
    yield _writable(here.home)
    profile = tried(
        Section.WORKSPACE, "profile", lambda: f"{engine.profile}: {engine.loaded_profile.description}".rstrip(": ")
    )
    yield profile
    if profile.ok:
        yield tried(Section.WORKSPACE, "fixes", lambda: _count_fixes(engine))
    yield from _mcp_servers(engine)
    yield from _telemetry(engine)
    yield _memory(engine)
    yield tried(Section.WORKSPACE, "history", lambda: _history(engine))


def _writable(folder: Path) -> Look:
    try:
        make_private(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        way_out = "set SKILL_HOME to a folder you may write to"
        return looked(Section.WORKSPACE, "live files", f"{at_home(folder)}: {error.strerror}", way_out)
    return looked(Section.WORKSPACE, "live files", at_home(folder))


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


def _is_own(tool: Tool, here: Workspace) -> bool:
    """Whether a person of this workspace wrote it; the domain of a shipped one is described where it is needed."""
    place = tool.location
    return place.startswith(str(here.folder)) and not place.startswith(str(bundle("tool_registry")))


def _mcp_servers(engine: Engine) -> Iterator[Look]:
    """The MCP servers of the workspace, none of which is started; nothing where it names none."""
    try:
        servers = engine.mcp
    except EngineError:
        return  # the look at the tools has told
    for name, known, why in servers.looks() if servers else ():
        yield looked(Section.WORKSPACE, "mcp server", f"{name} ({known})", why, needed=False)


def _telemetry(engine: Engine) -> Iterator[Look]:
    """Whether what is asked of telemetry can be had; nothing where nobody asks for it."""
    asked = who_asks(engine.telemetry, engine.workspace.settings.get("telemetry", {}), os.environ)
    if asked is not None:
        told = "asked for by skill.toml" if asked is Asked.BY_SETTINGS else "asked for by the environment"
        missing = "" if is_installed() else "pip install 'skill-engine[otel]'"
        yield looked(Section.WORKSPACE, "telemetry", told, missing, needed=asked is Asked.BY_SETTINGS)


def _memory(engine: Engine) -> Look:
    way_out = "\n".join(map(str, engine.memory.findings()))
    return looked(Section.WORKSPACE, "memory", at_home(engine.workspace.memory), way_out, needed=False)


def _history(engine: Engine) -> str:
    if not engine.workspace.history.exists():
        return "no runs yet"
    totals = engine.journal.totals()
    engine.journal.close()
    failures = f"{totals.total:,} failure{'' if totals.total == 1 else 's'}"
    return f"{at_home(engine.workspace.history)} ({failures}, {totals.auto_fixed:,} healed by a fix)"
