"""Mistakes in calls of tools: the tool, its arguments, and constants of the wrong type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.documents.values import Breach, breaches
from engine.library.codes import FindingCode
from engine.library.nearest import did_you_mean
from engine.library.outline import Outline, holds_template, is_whole_expression
from engine.library.part import Part
from engine.model.place import Finding, Severity
from tool_registry.arguments import accepts
from tool_registry.sources.mcp_server import LACKING
from tool_registry.tool import Tool


def tool_findings(outlined: Outline, tools: Mapping[str, Tool]) -> Iterator[Finding]:
    """Everything wrong with calls of tools, in steps and in their undos."""
    for step in outlined.steps:
        for part in (step.part, *([step.part["undo"]] if "undo" in step.part else [])):
            if isinstance(part.get("tool"), str):
                yield from _call(part, tools)


def _call(part: Part, tools: Mapping[str, Tool]) -> Iterator[Finding]:
    name = part.value["tool"]
    tool = tools.get(name)
    if tool is None:
        yield Finding(
            place=part["tool"].place,
            code=FindingCode.UNKNOWN_TOOL,
            message=f"there is no tool called {name}",
            hint=did_you_mean(name, tools) or "`skill tools` lists the tools",
        )
    elif tool.source == LACKING:
        yield Finding(
            place=part["tool"].place,
            code=FindingCode.UNKNOWN_TOOL,
            message=f"{name} was not there when its MCP server was last asked",
            hint=did_you_mean(name, [each for each in tools if each != name]) or "a run asks the server again",
            severity=Severity.WARNING,
        )
    elif "args" not in part or isinstance(part.value["args"], dict):
        yield from argument_findings(part, "args", f"the tool {name}", tool.parameters)


def argument_findings(part: Part, key: str, callee: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the arguments under `key` of a call; `parameters` is a JSON Schema of type object."""
    given = part.mapping(key)
    known = parameters.get("properties", {})
    yield from (_unknown(part[key], name, callee, known) for name in given if not _takes(name, parameters))
    for name in parameters.get("required", ()):
        if name not in given:
            yield Finding(
                place=part.place_of("tool" if "tool" in part else "skill"),
                code=FindingCode.MISSING_ARGUMENT,
                message=f"{callee} needs the argument {name}",
                hint=_example(key, name, known.get(name, {})),
            )
    if given:
        yield from _wrong(part[key], callee, parameters)


def _takes(name: str, parameters: Mapping[str, Any]) -> bool:
    others = parameters.get("additionalProperties", "patternProperties" in parameters)
    return name in parameters.get("properties", {}) or others is not False


def _unknown(args: Part, name: str, callee: str, known: Mapping[str, Any]) -> Finding:
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    return Finding(
        place=args[name].key_place,
        code=FindingCode.UNKNOWN_ARGUMENT,
        message=f"{callee} has no argument {name}",
        hint=did_you_mean(name, known) or takes,
    )


def _example(key: str, name: str, rules: Mapping[str, Any]) -> str:
    about = rules.get("description", "")
    return f"under `{key}`, add `{name}: ...`" + (f" ({about.rstrip('.')})" if about else "")


def _wrong(args: Part, callee: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """The constants that break the parameters' schema; what is rendered is only known in a run."""
    if _surely_right(args.value, parameters):
        return
    for breach in breaches(args.value, parameters):
        if _is_inside(breach) and _is_certain(breach):
            yield Finding(
                place=args.document.place((*args.route, *breach.sentence.path), key=breach.sentence.at_key),
                code=FindingCode.WRONG_ARGUMENT,
                message=f"{callee}: {breach.sentence.message}",
                hint=breach.sentence.hint,
            )


def _surely_right(args: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """True when nothing can be wrong; saves asking the schema library, whose import takes longer than a whole check."""
    rules = parameters.get("properties", {})
    return all(
        is_whole_expression(value) or accepts(rules[name], value) for name, value in args.items() if name in rules
    )


def _is_inside(breach: Breach) -> bool:
    """Whether the breach is inside an argument; missing and unknown arguments are told by name already."""
    return len(breach.sentence.path) > (1 if breach.rule == "additionalProperties" else 0)


def _is_certain(breach: Breach) -> bool:
    """Whether the rule stays broken whatever the templates inside the value turn into."""
    if breach.rule in {"type", "required", "additionalProperties"} and not isinstance(breach.value, str):
        return True
    if breach.rule == "type":
        return not is_whole_expression(breach.value)
    return not holds_template(breach.value)
