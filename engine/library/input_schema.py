"""What a skill takes and gives as JSON Schema (draft 2020-12), for models that call tools and for MCP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.library.values import LONGEST_MATCHED, Wanted
from engine.model.place import Text
from engine.model.skill import Input, Skill, Tree
from engine.sandbox.whole import is_marked, is_whole

_ALIKE = re.compile(
    r"""(?: [^\\\[\](){}]                              # a character that both languages read alike
          | \\[dDwWsSbBtnrfv^$\\.*+?()\[\]{}|/]         # an escape both know
          | \[\^?(?: [^\\\[\]] | \\[dDwWsStnrfv^$\\.*+?()\[\]{}|/-] )+\]
          | \((?! \? ) | \(\?[:=!] | \(\?<[=!] | \)
          | \{\d+(?:,\d*)?\}
        )*""",
    re.VERBOSE,
)
"""Patterns of Python that a reader of JSON Schema, whose language is JavaScript's, can be given as they are."""
_CONSTANTS = {bool: "boolean", int: "integer", float: "number", list: "array"}
_POSSESSIVE = re.compile(r"(?<!\\)[*+?}]\+")


def input_schema(skill: Skill) -> dict[str, Any]:
    """The schema of the object a run of `skill` is given: what it accepts, `bind_inputs` accepts.

    A secret input is marked `writeOnly` and `format: password`, and its default is not told. A pattern that only Python
    reads is said in the description; null stands for an input that is not given, and is in no schema.
    """
    return {
        "type": "object",
        "properties": {asked.name: _input(asked) for asked in skill.inputs},
        "required": [asked.name for asked in skill.inputs if asked.must_be_given],
        "additionalProperties": False,
    }


def output_schema(skill: Skill, *, complete: bool = False) -> dict[str, Any]:
    """The schema of a run's `outputs`, as far as the skill's file tells their types.

    All of them are there when the run ended `ok`, which `complete` says in `required`; in other endings, those that
    could be rendered.
    """
    properties = {output.name: _described(_rendered(output.value), output.description) for output in skill.outputs}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(properties)} if complete else schema


def _input(asked: Input) -> dict[str, Any]:
    schema = _described(_rules(Wanted.of(asked)), asked.description)
    if asked.secret:
        return {**schema, "writeOnly": True, "format": "password"}
    return {**schema, "default": asked.default} if asked.default is not None else schema


def _rules(wanted: Wanted) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if wanted.type is not None:
        schema["type"] = wanted.type.value
    if wanted.enum:
        schema["enum"] = list(wanted.enum)
    if wanted.pattern is not None:
        schema |= _pattern(wanted.pattern)
    if wanted.minimum is not None:
        schema["minimum"] = wanted.minimum
    if wanted.maximum is not None:
        schema["maximum"] = wanted.maximum
    if wanted.items is not None:
        schema["items"] = _items(wanted.items)
    return schema


def _items(rules: Mapping[str, Any]) -> dict[str, Any]:
    return _described(_rules(Wanted.written(rules)), rules.get("description", ""))


def _pattern(pattern: str) -> dict[str, Any]:
    """The whole text must match, where JSON Schema looks for the pattern anywhere."""
    if _ALIKE.fullmatch(pattern) is None or _POSSESSIVE.search(pattern):
        return {"description": f"Matches the Python pattern {pattern}", "maxLength": LONGEST_MATCHED}
    anchored = pattern if "|" not in pattern and re.fullmatch(r"\^.*(?<!\\)\$", pattern) else f"^(?:{pattern})$"
    return {"pattern": anchored, "maxLength": LONGEST_MATCHED}


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    """The schema with what its author says of it, before what is said of it here."""
    told = " ".join(filter(None, (description.strip(), schema.get("description", ""))))
    return {**schema, "description": told} if told else schema


def _rendered(value: Tree) -> dict[str, Any]:
    """What is known of a value before it is rendered: text around an expression makes text."""
    match value:
        case Text(text=text):
            return {} if is_marked(text) and is_whole(text) else {"type": "string"}
        case dict():
            properties = {str(name): _rendered(inner) for name, inner in value.items()}
            return {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": _CONSTANTS[type(value)]} if type(value) in _CONSTANTS else {}
