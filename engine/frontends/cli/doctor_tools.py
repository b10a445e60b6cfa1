"""Tools and skills that cannot work here, and why: what `skill doctor` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.errors import EngineError
from engine.frontends.cli.doctor_looks import Look, Section, State, looked, tried
from engine.frontends.cli.tools import some
from engine.heal.preflight.needs import Lack
from engine.memory_tools.contracts import lacking_here
from engine.model.place import Severity
from engine.surroundings.skills import Called, called
from engine.wiring import Engine

DESCRIBING = "describe what you use under [services.NAME] or [clusters.NAME] in skill.toml: docs/configuration.md"


def tools(engine: Engine) -> Iterator[Look]:
    """How many there are, and what they need and do not find; one line for all that belongs to services not used."""
    yield tried(Section.TOOLS, "tools", lambda: str(len(engine.registry)))
    try:
        every = [engine.registry[name] for name in sorted(engine.registry)]
        described = engine.domains
    except (EngineError, ImportError):
        return  # the looks at the profile and at the tools have told
    lacking: dict[Lack, list[str]] = {}
    idle: dict[str, list[str]] = {}
    for tool in every:
        if tool.domain and tool.domain not in described:
            idle.setdefault(tool.domain, []).append(tool.name)
            continue
        for lack in lacking_here(tool, described):
            lacking.setdefault(lack, []).append(tool.name)
    for lack, names in lacking.items():
        look = looked(Section.TOOLS, "tools lack", f"{lack.message}: {some(names)}", lack.way_out, needed=False)
        yield replace(look, more={"tools": names})
    if idle:
        yield Look(
            section=Section.TOOLS,
            name="not described",
            found=f"tools of {', '.join(sorted(idle))}",
            way_out=DESCRIBING,
            state=State.IDLE,
            more={"domains": dict(sorted(idle.items()))},
        )


def skills(engine: Engine) -> Iterator[Look]:
    """How many there are, whether they are valid, and a line for each of which something cannot work here."""
    yield tried(Section.SKILLS, "skills", lambda: _count(engine))
    try:
        names = sorted(entry.name for entry in engine.library.entries() if not entry.error)
        found = {name: _missing(name, engine) for name in names}
    except (EngineError, ImportError):
        return  # told above
    for name, (surely, perhaps) in found.items():
        if surely or perhaps:
            told = "; ".join([*([f"needs {', '.join(surely)}"] if surely else []), *_partly(perhaps)])
            more = {"needs": surely, "parts_need": perhaps}
            yield Look(section=Section.SKILLS, name=name, found=told, state=State.IDLE, more=more)


def _partly(perhaps: list[str]) -> list[str]:
    return [f"parts need {', '.join(perhaps)}"] if perhaps else []


def _count(engine: Engine) -> str:
    entries = engine.library.entries()
    broken = [
        entry.name
        for entry in entries
        if any(finding.severity is Severity.ERROR for finding in engine.library.check(entry.name))
    ]
    if broken:
        raise EngineError(f"{', '.join(broken)} cannot run", hint="skill check " + " ".join(broken))
    return f"{len(entries)}, all valid"


def _missing(name: str, engine: Engine) -> tuple[list[str], list[str]]:
    """What keeps a skill from working here, and what only parts of it miss."""
    surely: dict[str, None] = {}
    perhaps: dict[str, None] = {}
    for call in called(name, engine.library, engine.registry, engine.sandbox.render, engine.config):
        for lack in _lacks(call, engine):
            (surely if call.surely else perhaps)[lack] = None
    return list(surely), [lack for lack in perhaps if lack not in surely]


def _lacks(call: Called, engine: Engine) -> Iterator[str]:
    if call.domain and call.domain not in engine.domains:
        yield call.domain
    elif call.domain == call.tool.domain:
        yield from (lack.message for lack in lacking_here(call.tool, engine.domains))
