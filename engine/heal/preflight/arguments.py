"""The format of arguments: what a tool would refuse is refused before anything is called, with the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.remediation import RemedyStep, RootCause
from tool_registry.arguments import accepted, accepts
from tool_registry.tool import Tool, ToolError

SHORT_SHA = re.compile(r"[0-9a-f]{4,39}")
FULL_SHA = "0123456789abcdef0123456789abcdef01234567"
"""What a pattern that wants a full commit SHA accepts, and one that wants a shortened one does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Arguments that a tool does not take, and why; `cause` where it is known what was meant."""

    message: str
    kind: FailureKind
    cause: RootCause | None = None


def fits(tool: Tool, args: Mapping[str, Any], *, whole: bool = True) -> bool:
    """Whether the tool certainly takes these arguments; False means that `refusal` has to look."""
    return accepts(_asked(tool, whole=whole).parameters, dict(args))


def refusal(tool: Tool, args: Mapping[str, Any], *, whole: bool = True) -> Refusal | None:
    """Why the tool would not take these arguments; None when it would. Unless `whole`, others may come."""
    try:
        accepted(_asked(tool, whole=whole), args)
    except ToolError as error:
        cause = next(_shortened(tool, args), None)
        return Refusal(message=error.message, kind=FailureKind.USAGE_ERROR, cause=cause)
    return None


def _asked(tool: Tool, *, whole: bool) -> Tool:
    return tool if whole else replace(tool, parameters={**tool.parameters, "required": []})


def _shortened(tool: Tool, args: Mapping[str, Any]) -> Iterator[RootCause]:
    """For each argument that is a shortened SHA where the tool wants a full one, what to do."""
    for name, schema in tool.parameters.get("properties", {}).items():
        pattern, value = schema.get("pattern"), args.get(name)
        if not pattern or not isinstance(value, str) or not SHORT_SHA.fullmatch(value):
            continue
        if re.search(pattern, FULL_SHA) and not re.search(pattern, value):
            yield RootCause(
                id="short_sha",
                because=f"{value} is a shortened SHA ({len(value)} of 40 digits); {tool.name} takes only full ones.",
                steps=(RemedyStep(text="Expand it in the repository", command=f"git rev-parse {value}"),),
                found={"argument": name, "short": value, "tool": tool.name},
                source="preflight",
            )
