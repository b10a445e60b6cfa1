"""The schema of skill files for editors, with the tools and skills of one workspace in it.

What JSON Schema has no word for is said in the words of yaml-language-server (`patternErrorMessage`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.documents.wording import KINDS
from tool_registry.tool import Tool

MARK = "x-made-by"
"""The key by which a written schema is known as ours, so that it may be made anew."""
MADE_BY = "skill schema skill --tools"

_CALLS = ("step", "undo")
"""What of the language calls a tool."""
_TEMPLATE = r"\{\{|\{%"
"""Text that becomes something else when it is rendered, so that nothing can be said of it before a run."""
_UNSUITED = frozenset({"default", "pattern", "minLength", "maxLength", "format", "oneOf"})
"""What an editor would insert unasked, or say of a text that is only rendered in a run."""


def with_names(schema: Mapping[str, Any], tools: Mapping[str, Tool], skills: Mapping[str, str]) -> dict[str, Any]:
    """The schema of skill files where `tool` is one of these tools, and `args` are what that tool takes.

    `skills` are completed with their descriptions; another name is no mistake, for a skill may be written next.
    """
    known = [tools[name] for name in sorted(tools)]
    parts = {**schema["$defs"], **{_called(tool): _arguments(tool) for tool in known}}
    for part in _CALLS:
        parts[part] = _choosing(schema["$defs"][part], known, skills)
    return {**schema, MARK: MADE_BY, "$defs": parts}


def _choosing(part: Mapping[str, Any], tools: Sequence[Tool], skills: Mapping[str, str]) -> dict[str, Any]:
    """The schema of something that calls a tool or a skill, knowing which there are."""
    properties = dict(part["properties"])
    properties["tool"] = {
        **_offering(properties["tool"], ((tool.name, tool.description) for tool in tools)),
        "pattern": f"^(?:{'|'.join(re.escape(tool.name) for tool in tools)})$",
        "patternErrorMessage": "there is no tool of this name here; `skill tools` lists them",
    }
    if "skill" in properties:
        properties["skill"] = _offering(properties["skill"], sorted(skills.items()))
    return {**part, "properties": properties, "allOf": [*part.get("allOf", ()), *map(_when, tools)]}


def _offering(rules: Mapping[str, Any], names: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A text for which names are offered, each with its description; what fits none of them fits the last choice."""
    offered = [{"const": name, "description": _one_line(told)} for name, told in names]
    return {**rules, "anyOf": [*offered, {"type": "string"}]}


def _when(tool: Tool) -> dict[str, Any]:
    """The rule that holds where this tool is called."""
    then: dict[str, Any] = {"properties": {"args": {"$ref": f"#/$defs/{_called(tool)}"}}}
    if tool.parameters.get("required"):
        then["required"] = ["args"]
    return {"if": {"type": "object", "required": ["tool"], "properties": {"tool": {"const": tool.name}}}, "then": then}


def _called(tool: Tool) -> str:
    return f"args of {tool.name}"


def _arguments(tool: Tool) -> dict[str, Any]:
    return {**_loose(tool.parameters), "type": "object", "description": _one_line(tool.description)}


def _loose(rules: Any) -> dict[str, Any]:
    """The rules of one value, which a text with a template in it keeps too, however deep it stands."""
    if not isinstance(rules, Mapping) or "$ref" in rules:
        return {}
    kept = {key: rule for key, rule in rules.items() if key not in _UNSUITED}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), Mapping):
            kept[key] = _loose(kept[key])
    if "properties" in rules:
        kept["properties"] = {name: _with_default(_loose(inner), inner) for name, inner in rules["properties"].items()}
    if choices := [*rules.get("anyOf", ()), *rules.get("oneOf", ())]:
        return {**kept, "anyOf": [_loose(choice) for choice in choices]}
    return _or_template(kept)


def _or_template(rules: dict[str, Any]) -> dict[str, Any]:
    kinds = [rules["type"]] if isinstance(rules.get("type"), str) else list(rules.get("type", ()))
    template = {
        "pattern": _TEMPLATE,
        "patternErrorMessage": f"this is neither {_kinds(kinds)} nor {{{{ a template }}}}",
    }
    if "enum" in rules or "const" in rules:
        told = {"description": rules["description"]} if "description" in rules else {}
        return {**told, "anyOf": [rules, {"type": "string", "pattern": _TEMPLATE}]}
    if not kinds or "string" in kinds:
        return rules
    return {**rules, "type": [*kinds, "string"], **template}


def _kinds(kinds: Sequence[str]) -> str:
    return " nor ".join(KINDS.get(kind, kind) for kind in kinds)


def _with_default(rules: dict[str, Any], given: Any) -> dict[str, Any]:
    """The rules with the value that is taken when none is given told in words."""
    default = given.get("default") if isinstance(given, Mapping) else None
    if default is None or default == "":
        return rules
    told = f"{rules.get('description', '')} Left out: {json.dumps(default, ensure_ascii=False)}."
    return {**rules, "description": told.strip()}


def _one_line(text: str) -> str:
    return " ".join(text.split())
