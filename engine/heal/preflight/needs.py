"""What a tool needs on this machine and of its domain, and what of it is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.configuration.naming import table_of, table_to_write
from engine.model.failure import FailureKind
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from tool_registry.registry import Requirement, requirements
from tool_registry.tool import Tool, ToolContext

EXTRA = re.compile(r"(?P<package>[A-Za-z0-9._-]+).*;.*extra\s*==\s*['\"](?P<extra>(?!dev)[A-Za-z0-9._-]+)")
"""A requirement of one of our extras, as the metadata of an installed package says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Something that is missing, in words, and the way out."""

    message: str
    way_out: str
    kind: FailureKind


def lacks(tool: Tool, domain: Domain | None, context: ToolContext) -> Iterator[Lack]:
    """What the tool needs and would not find if it were called with that context."""
    for requirement in requirements(tool, context.environment):
        if requirement.found is None:
            yield _machine(requirement)
    for setting in tool.needs.settings if domain is not None else ():
        if not any(has(context.settings, choice) for choice in setting.split("|")):
            listed = setting.replace("|", " or ")
            name, kind = (domain.name, domain.kind) if domain is not None else ("", "")
            yield Lack(
                message=f"the domain {name} has no setting {listed}",
                way_out=f"set {listed} under {table_of(name, kind)} in skill.toml",
                kind=FailureKind.CONFIGURATION_ERROR,
            )


def no_place(name: str) -> Lack:
    """The domain that a tool belongs to, and that nobody describes: so nothing says whom it would ask."""
    return Lack(
        message=f"nobody describes the domain {name}",
        way_out=f"describe it under {table_to_write(name)}",
        kind=FailureKind.CONFIGURATION_ERROR,
    )


def undescribed(name: str, known: Mapping[str, Domain]) -> Lack:
    """A domain that a step names, and that nobody describes."""
    from engine.library.nearest import did_you_mean  # noqa: PLC0415 - late: only a mistake needs it

    listed = f"there are {', '.join(sorted(known))}" if known else "there is none at all"
    near = did_you_mean(name, known)
    return Lack(
        message=f"no profile describes the domain {name} ({near} {listed})".replace("( ", "("),
        way_out=f"describe {name} in skill.toml, or name one that is described",
        kind=FailureKind.CONFIGURATION_ERROR,
    )


def minimums(tool: Tool, context: ToolContext) -> Iterator[ToolCall]:
    """The calls that look whether the programs a tool needs are new enough."""
    for requirement in requirements(tool, context.environment):
        if requirement.minimum and requirement.found is not None:
            args = {"program": requirement.name, "minimum": requirement.minimum}
            yield ToolCall(tool="program_version", args=args)


def too_old(looked: Any) -> Iterator[Lack]:
    """The program, if what was looked at is one and too old; a look that failed says nothing."""
    if isinstance(looked, Mapping) and looked.get("ok") is False:
        message, name = str(looked.get("message")), str(looked.get("program"))
        yield Lack(message=message, way_out=f"upgrade {name}", kind=FailureKind.DEPENDENCY_MISSING)


def has(settings: Mapping[str, Any], dotted: str) -> bool:
    """Whether a setting has a value; dots lead into mappings."""
    value: Any = settings
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value not in {None, ""} if isinstance(value, str | None) else True


def install_line(module: str) -> str:
    """How a module is installed: by the extra of ours that brings it, else by whichever package has it."""
    from importlib.metadata import PackageNotFoundError, requires  # noqa: PLC0415 - late: only what is missing needs it

    wanted = module.lower().replace(".", "_")
    try:
        ours = requires("skill-engine") or []
    except PackageNotFoundError:
        ours = []
    for line in ours:
        brought = EXTRA.match(line)
        if brought and re.sub(r"[-.]", "_", brought["package"].lower()) in {wanted, f"python_{wanted}"}:
            return f"pip install 'skill-engine[{brought['extra']}]'"
    return f"install the Python package that has {module}"


def _machine(requirement: Requirement) -> Lack:
    name = requirement.name
    match requirement.kind:
        case "program":
            return Lack(
                message=f"the program {name} is not on the PATH",
                way_out=f"install {name}",
                kind=FailureKind.DEPENDENCY_MISSING,
            )
        case "environment":
            return Lack(
                message=f"the environment variable {name} is not set",
                way_out=f"set {name}",
                kind=FailureKind.ENVIRONMENT_VARIABLE,
            )
        case "module":
            return Lack(
                message=f"the Python module {name} is not installed",
                way_out=install_line(name),
                kind=FailureKind.DEPENDENCY_MISSING,
            )
