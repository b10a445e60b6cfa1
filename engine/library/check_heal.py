"""Names under `heal:` that nothing here answers to: a domain, without which no call is made; a fix that never acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.errors import EngineError
from engine.library.codes import FindingCode
from engine.library.nearest import did_you_mean
from engine.library.outline import Outline
from engine.library.part import Part
from engine.model.heal import Domain
from engine.model.place import Finding, Severity
from engine.sandbox import is_marked
from tool_registry.tool import Tool

Domains = Callable[[], Mapping[str, Domain]]
"""Gives the domains of the profile in use; asked only where a step names one."""

ROLES = frozenset({"login", "connect", "registry_login"})
"""What a fix may be called by everywhere."""


def heal_findings(outlined: Outline, tools: Mapping[str, Tool], domains: Domains | None) -> Iterator[Finding]:
    """A warning for each such name: under another profile it may stand for something."""
    narrowed = [
        part["heal"]
        for step in outlined.steps
        for part in (step.part, *([step.part["undo"]] if "undo" in step.part else []))
        if isinstance(part.get("heal"), dict)
    ]
    if narrowed and domains is not None and (known := _known(domains)) is not None:
        for part in narrowed:
            yield from _domain(part, known)
            yield from _fixes(part, known, tools)


def _known(domains: Domains) -> Mapping[str, Domain] | None:
    """The domains; None where the profile cannot be read, which is told elsewhere."""
    try:
        return domains()
    except EngineError:
        return None


def _domain(heal: Part, known: Mapping[str, Domain]) -> Iterator[Finding]:
    name = heal.get("domain")
    if isinstance(name, str) and not is_marked(name) and name not in known:
        yield Finding(
            place=heal["domain"].place,
            code=FindingCode.UNKNOWN_DOMAIN,
            message=f"no profile in use describes the domain {name}, so the step would fail",
            hint=did_you_mean(name, known) or f"there are {', '.join(sorted(known))}",
            severity=Severity.WARNING,
        )


def _fixes(heal: Part, known: Mapping[str, Domain], tools: Mapping[str, Tool]) -> Iterator[Finding]:
    """Fixes that are neither a role, nor a tool that a domain calls, nor any other tool that is a fix."""
    plans = [(role, plan.call.tool) for domain in known.values() for role, plan in domain.fixes.items()]
    names = ROLES | {name for plan in plans for name in plan}
    listed = heal.get("fixes")
    for index, name in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(name, str) and name not in names and not _is_fix(tools.get(name)):
            yield Finding(
                place=heal["fixes"][index].place,
                code=FindingCode.UNKNOWN_FIX,
                message=f"{name} is no fix, so naming it allows nothing",
                hint=did_you_mean(name, names) or f"there are {', '.join(sorted(names))}",
                severity=Severity.WARNING,
            )


def _is_fix(tool: Tool | None) -> bool:
    return tool is not None and tool.fix is not None
