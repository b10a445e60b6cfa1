"""A tool from its YAML definition: what every kind has in common; what it does is its source's business."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from tool_registry.sources import canned, command, http_tool
from tool_registry.sources.outputs import selected
from tool_registry.sources.placeholders import PLACE, DefinitionError, Reader
from tool_registry.tool import Call, Effect, FixScope, Needs, Tool, ToolContext, ToolError, ToolOutput

SOURCES: Mapping[str, Collection[str]] = {"command": command.KEYS, "http": http_tool.KEYS, "canned": canned.KEYS}
KEYS = frozenset(
    {
        "name", "description", "parameters", "effect", "idempotent", "domain", "timeout", "fix", "verify", "needs",
        "result", "examples", "secret", *SOURCES,
    }
)  # fmt: skip
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
DURATION = re.compile(r"(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>s|m|h)?")
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
Choice = TypeVar("Choice", bound=StrEnum)
READING = ("GET", "HEAD", "OPTIONS")


def tool_from(definition: Mapping[str, Any], place: str) -> Tool:
    """The tool a definition describes; `place` says where it stands.

    An `effect` that is not said counts as `write` (for a GET, HEAD or canned tool as `read`): what nobody vouched for
    is not repeated. Arguments that `parameters` does not list are refused, unless it says otherwise.

    Raises:
        DefinitionError: something in it is unknown, missing or contradicts itself.
    """
    source = _source(definition, place)
    parameters = _parameters(definition.get("parameters"), place)
    return Tool(
        name=definition["name"],
        call=_kept_secret(_call(definition, source, parameters, place), definition.get("secret", False), place),
        description=str(definition.get("description", "")).strip(),
        parameters=parameters,
        result=definition.get("result"),
        effect=_effect(definition, source, place),
        idempotent=bool(definition.get("idempotent", False)),
        domain=definition.get("domain"),
        timeout=seconds(definition.get("timeout", 60), place),
        fix=_member(FixScope, definition["fix"], "fix", place) if definition.get("fix") else None,
        verify=definition.get("verify"),
        needs=_with_read(_needs(definition.get("needs") or {}, place), definition[source]),
        examples=tuple(definition.get("examples") or ()),
        source=source,
        location=place,
    )


def _source(definition: Mapping[str, Any], place: str) -> str:
    """Which of the sources it is; every key must be known and the name fit to be written in a skill."""
    _only(definition, KEYS, place)
    if not isinstance(definition.get("name"), str) or not NAME.fullmatch(definition["name"]):
        raise DefinitionError(place, f"a tool's name is letters, digits, _ and -, not {definition.get('name')!r}")
    named = [source for source in SOURCES if source in definition]
    if len(named) != 1:
        raise DefinitionError(place, f"a tool is exactly one of {', '.join(SOURCES)}; this one says {named or 'none'}")
    if not isinstance(definition[named[0]], Mapping):
        raise DefinitionError(place, f"{named[0]} must be a mapping")
    _only(definition[named[0]], SOURCES[named[0]], place)
    return named[0]


def _only(mapping: Mapping[str, Any], known: Collection[str], place: str) -> None:
    for key in mapping:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1)
            way_out = f"; did you mean {nearest[0]}?" if nearest else f" (there are: {', '.join(sorted(known))})"
            raise DefinitionError(place, f"{key} is no key of a tool definition{way_out}")


def _parameters(spec: Any, place: str) -> dict[str, Any]:
    schema = dict(spec or {})
    if schema.setdefault("type", "object") != "object":
        raise DefinitionError(place, "parameters must be a JSON Schema of type object")
    schema.setdefault("properties", {})
    schema.setdefault("additionalProperties", False)
    for name, rules in schema["properties"].items() if isinstance(schema["properties"], Mapping) else ():
        _readable(rules.get("pattern") if isinstance(rules, Mapping) else None, name, place)
    return schema


def _readable(pattern: Any, name: str, place: str) -> None:
    """DefinitionError where the format of a parameter is no expression that a value could be held against."""
    try:
        re.compile(pattern or "")
    except (re.error, TypeError) as error:
        raise DefinitionError(place, f"the pattern of {name} cannot be read: {error}") from error


def _call(definition: Mapping[str, Any], source: str, parameters: Mapping[str, Any], place: str) -> Call:
    properties = parameters["properties"]
    defaults = {name: rules["default"] for name, rules in properties.items() if _has_default(rules)}
    reader = Reader(place=place, parameters=frozenset(properties))
    optional = frozenset(properties) - set(parameters.get("required", ())) - set(defaults)
    match source:
        case "command":
            call = command.command_call(definition["command"], reader, optional)
        case "http":
            call = http_tool.http_call(definition["http"], reader, optional)
        case _:
            call = canned.canned_call(definition["canned"], definition["name"], place)
    return functools.partial(_with_defaults, call, defaults) if defaults else call


def _has_default(rules: Any) -> bool:
    return isinstance(rules, Mapping) and rules.get("default") is not None


async def _with_defaults(
    call: Call, defaults: Mapping[str, Any], arguments: Mapping[str, Any], context: ToolContext
) -> ToolOutput:
    return await call({**defaults, **arguments}, context)


def _kept_secret(call: Call, spec: Any, place: str) -> Call:
    """A call whose result, or the parts of it that `secret` names, are secret from the moment it is known."""
    if spec is False:
        return call
    if spec is not True and not isinstance(spec, list):
        raise DefinitionError(place, f"secret is true, or a list of paths into the result, not {spec!r}")
    paths = ((),) if spec is True else tuple(tuple(str(path).split(".")) for path in spec)
    return functools.partial(_secretly, call, paths)


async def _secretly(
    call: Call, paths: tuple[tuple[str, ...], ...], arguments: Mapping[str, Any], context: ToolContext
) -> ToolOutput:
    try:
        output = await call(arguments, context)
        for path in paths if output.found else ():
            context.secret(selected(output.value, path, "the tool"))
    except ToolError as error:
        error.forget_answer()
        raise
    return output


def core(call: Call) -> Call:
    """What a defined tool does at the core of its call, beneath its defaults and what it keeps secret."""
    while isinstance(call, functools.partial) and call.func in (_with_defaults, _secretly):
        call = call.args[0]
    return call


def program_of(tool: Tool) -> str | None:
    """The program that a tool declared as one runs; None for other tools."""
    runs = getattr(core(tool.call), "__self__", None)
    return runs.argv.program if isinstance(runs, command.Command) else None


def with_core(call: Call, other: Call) -> Call:
    """The same call around another core: with the same defaults, and the same parts of its result kept secret."""
    if isinstance(call, functools.partial) and call.func in (_with_defaults, _secretly):
        return functools.partial(call.func, with_core(call.args[0], other), *call.args[1:])
    return other


def _effect(definition: Mapping[str, Any], source: str, place: str) -> Effect:
    if "effect" in definition:
        return _member(Effect, definition["effect"], "effect", place)
    reads = source == "canned" or (source == "http" and definition["http"].get("method", "GET").upper() in READING)
    return Effect.READ if reads else Effect.WRITE


def _member(kind: type[Choice], value: Any, key: str, place: str) -> Choice:
    try:
        return kind(value)
    except ValueError as error:
        raise DefinitionError(place, f"{key} is one of {', '.join(kind)}, not {value!r}") from error


def seconds(spec: Any, place: str) -> float:
    """A duration: a number of seconds, or text such as `90s`, `5m`, `1h`."""
    match = DURATION.fullmatch(str(spec).strip())
    if match is None or isinstance(spec, bool):
        raise DefinitionError(place, f"a timeout is seconds, or text such as 90s, 5m, 1h, not {spec!r}")
    return float(match["amount"]) * SECONDS[match["unit"] or "s"]


def _needs(spec: Mapping[str, Any], place: str) -> Needs:
    _only(spec, ("programs", "environment", "modules", "settings"), place)
    return Needs(**{key: tuple(str(name) for name in names) for key, names in spec.items()})


def _with_read(needs: Needs, definition: Mapping[str, Any]) -> Needs:
    """The needs, with each setting and secret variable that the definition reads without asking whether it is there."""
    read = tuple(_read(definition))
    settings = (*needs.settings, *(name for kind, name in read if kind == "settings"))
    variables = (*needs.environment, *(name for kind, name in read if kind == "secret_env"))
    return replace(needs, settings=tuple(dict.fromkeys(settings)), environment=tuple(dict.fromkeys(variables)))


def _read(value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            for found in PLACE.finditer(value):
                root, _, key = (found["name"] or "").partition(".")
                if root == "settings" and key:
                    yield root, key
        case {"settings": str(name)} | {"secret_env": str(name)} if len(value) == 1:
            yield next(iter(value)), name
        case Mapping():
            for key, inner in value.items():
                if key != "then":
                    yield from _read(inner)
        case list():
            for inner in value:
                yield from _read(inner)
