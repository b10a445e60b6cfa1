"""Checks the arguments of a call, and what came back, against a tool's schemas.

Most schemas are flat and most calls are right: those are accepted without jsonschema, whose import costs more than a
whole run may. Everything else, and every sentence about a mistake, is jsonschema's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from tool_registry.plain import plain
from tool_registry.tool import Tool, ToolError, ToolOutput

ARGUMENTS_LIMIT = 5_000_000
"""Characters that the arguments of one call may hold."""
RESULT_LIMIT = 5_000_000
"""Characters that one result may hold; the history keeps far less."""
TEXT_LIMIT = 1_000_000
"""Characters of raw text kept beside a result."""
MOST_REFERENCES = 100_000
"""References of a schema that are followed for one value: those that fork can lead on without an end."""
SHOWN = 80
"""Characters of a wrong value that a sentence shows."""

NOTES = frozenset({"description", "title", "default", "examples", "$schema", "$comment", "deprecated"})
BOUNDS = {"pattern", "minimum", "maximum", "minLength", "maxLength"}
KNOWN = NOTES | BOUNDS | {"type", "enum", "properties", "required", "additionalProperties", "items"}
TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}
_END = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""The signs of a pattern among which `$` is one that means the end: not after a backslash, and not in brackets."""


def accepts(schema: Any, value: Any) -> bool:
    """True only if the value certainly fits the schema; False means that jsonschema has to look."""
    if schema is True:
        return True
    if not isinstance(schema, Mapping) or not KNOWN.issuperset(schema):
        return False
    return (
        ("type" not in schema or _is_of(schema["type"], value))
        and ("enum" not in schema or (type(value) is str and value in schema["enum"]))
        and (BOUNDS.isdisjoint(schema) or _within_bounds(schema, value))
        and (type(value) is not dict or _accepts_members(schema, value))
        and (type(value) is not list or "items" not in schema or all(accepts(schema["items"], item) for item in value))
    )


def _is_of(wanted: Any, value: Any) -> bool:
    kinds = (wanted,) if isinstance(wanted, str) else wanted
    return any(TYPES[kind](value) for kind in kinds if kind in TYPES)


def _within_bounds(schema: Mapping[str, Any], value: Any) -> bool:
    if type(value) is str:
        long_enough = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return long_enough and ("pattern" not in schema or _pattern(schema["pattern"]).search(value) is not None)
    if type(value) in {int, float}:
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


@lru_cache(maxsize=1_000)
def _pattern(text: str) -> re.Pattern[str]:
    """A schema's pattern (ECMA 262): its `$` is the end, and no line's end before it as in Python."""
    return re.compile(_END.sub(lambda found: r"\Z" if found[0] == "$" else found[0], text))


def _accepts_members(schema: Mapping[str, Any], value: dict[Any, Any]) -> bool:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    return all(name in value for name in schema.get("required", ())) and all(
        type(name) is str and accepts(properties.get(name, others), inner) for name, inner in value.items()
    )


def accepted(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in JSON types, once they fit; ToolError (`usage_error`, never sent) lists every mistake."""
    given = dict(arguments)
    if _fits(tool.parameters, given):
        return given
    given = dict(plain(given, ARGUMENTS_LIMIT, f"what {tool.name} was called with"))
    if _fits(tool.parameters, given):
        return given
    mistakes = _mistakes(tool.parameters, given, "argument")
    if mistakes:
        listed = "; ".join(mistakes)
        raise ToolError(
            f"{tool.name} was not called: {listed}", kind="usage_error", sent=False, details={"arguments": mistakes}
        )
    return given


def checked(tool: Tool, output: ToolOutput) -> ToolOutput:
    """The output in JSON types and bounded; ToolError (`api_contract_mismatch`) if it breaks the tool's own promise."""
    value = plain(output.value, RESULT_LIMIT, f"the result of {tool.name}")
    if output.found and tool.result is not None and not _fits(tool.result, value):
        mistakes = _mistakes(tool.result, value, "key")
        if mistakes:
            raise ToolError(
                f"{tool.name} gave something else than it promises: {'; '.join(mistakes)}",
                kind="api_contract_mismatch",
                output=output.text[-8_000:],
                details={"result": mistakes},
            )
    return ToolOutput(value=value, text=shortened(output.text, TEXT_LIMIT), found=output.found)


def shortened(text: str, limit: int) -> str:
    """The text, its middle replaced by a note when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half:,} characters left out ...\n{text[-half:]}"


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """As `accepts`, for schemas of other people too, which may be none."""
    try:
        return accepts(schema, value)
    except (TypeError, ValueError, AttributeError, RecursionError, re.error):
        return False


def _mistakes(schema: Mapping[str, Any], value: Any, noun: str) -> list[str]:
    """What is wrong with the value; nothing by a schema that cannot be followed, for nobody could keep to it."""
    try:
        found = list(_errors(schema, value))
    except Exception:  # noqa: BLE001 - somebody else's schema breaks its reader in any way: no end, no type, no regex
        return []
    ordered = sorted(found, key=lambda error: [str(part) for part in error.absolute_path])
    sentences = (sentence for error in ordered for sentence in _sentences(error, noun))
    return list(dict.fromkeys(sentences))


def _errors(schema: Mapping[str, Any], value: Any) -> Iterator[Any]:
    from jsonschema import Draft202012Validator, ValidationError, validators  # noqa: PLC0415 - late: costs 0.1 s, and most calls never need it

    follow, left = Draft202012Validator.VALIDATORS["$ref"], MOST_REFERENCES

    def counted(validator: Any, reference: Any, instance: Any, within: Any) -> Iterator[Any]:
        nonlocal left
        left -= 1
        if left < 0:
            raise RecursionError
        yield from follow(validator, reference, instance, within)

    def fitting(_validator: Any, pattern: str, instance: Any, _within: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not _pattern(pattern).search(instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")

    extend: Any = validators.extend
    bounded = extend(Draft202012Validator, {"$ref": counted, "pattern": fitting})
    yield from bounded(dict(schema)).iter_errors(value)


def _sentences(error: Any, noun: str) -> list[str]:
    """What one jsonschema error says, in our words where it is one of the usual mistakes."""
    spot = ".".join(str(part) for part in error.absolute_path)
    name = f"`{spot}`" if spot else "the whole"
    inside = f" in `{spot}`" if spot else ""
    match error.validator:
        case "required":
            absent = [key for key in error.validator_value if key not in error.instance]
            return [f"the {noun} `{key}` is missing{inside}" for key in absent]
        case "additionalProperties" if error.validator_value is False:
            known = list(error.schema.get("properties", ()))
            return [_unknown(key, known, noun, inside) for key in error.instance if key not in known]
        case "type":
            return [f"{name} must be {_kinds(error.validator_value)}, not {shown(error.instance)}"]
        case "enum":
            choices = ", ".join(shown(choice) for choice in error.validator_value)
            return [f"{name} must be one of {choices}, not {shown(error.instance)}"]
        case "pattern":
            return [f"{name} must match {error.validator_value}, which {shown(error.instance)} does not"]
        case _:
            return [f"{name}: {error.message[:300]}"]


def _unknown(key: str, known: list[str], noun: str, inside: str) -> str:
    import difflib  # noqa: PLC0415 - late: only mistakes need it

    nearest = difflib.get_close_matches(key, known, n=1)
    way_out = f"; did you mean `{nearest[0]}`?" if nearest else f" (there are: {', '.join(known) or 'none'})"
    return f"there is no {noun} `{key}`{inside}{way_out}"


WORDS: Mapping[str, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}


def _kinds(wanted: Any) -> str:
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    return " or ".join(WORDS.get(kind, kind) for kind in kinds)


def shown(value: Any) -> str:
    """A value as a sentence shows it: as JSON would write it, and short."""
    import json  # noqa: PLC0415 - late: only mistakes need it

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
