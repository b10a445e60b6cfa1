"""What log entries call their parts: the names of ECS, of OpenShift's logging and of OpenTelemetry, or the domain's.

The domain's setting `fields` names others, one or several each: `fields = {message = "msg", namespace = ["k8s.ns"]}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tool_registry.functions.moments import DURATION, epoch_of, seconds_of
from tool_registry.tool import ToolContext, ToolError

USUAL: Mapping[str, Sequence[str]] = {
    "time": ("@timestamp",),
    "message": ("message", "log", "msg", "body.text"),
    "level": ("level", "log.level", "severity", "severity_text", "levelname"),
    "namespace": (
        "kubernetes.namespace_name",
        "kubernetes.namespace",
        "k8s.namespace.name",
        "resource.attributes.k8s.namespace.name",
        "namespace",
    ),
    "pod": ("kubernetes.pod_name", "kubernetes.pod.name", "k8s.pod.name", "resource.attributes.k8s.pod.name"),
    "app": ("service.name", "kubernetes.labels.app", "resource.attributes.service.name", "app"),
}
LEVELS: Mapping[str, Sequence[str]] = {
    "error": ("error", "err", "fatal", "critical", "crit", "severe", "panic", "alert", "emergency", "emerg"),
    "warning": ("warning", "warn"),
}
"""What the two levels that are asked for are called; a warning or worse is all of them."""
Fields = Mapping[str, Sequence[str]]


def fields_of(context: ToolContext) -> Fields:
    """The names of each part, the domain's own before the usual ones.

    Raises:
        ToolError: `configuration_error` where the domain names a part that is none.
    """
    own = context.settings.get("fields") or {}
    if not isinstance(own, Mapping) or (odd := sorted(set(own) - set(USUAL))):
        told = f", not {', '.join(odd)}" if isinstance(own, Mapping) else ""
        message = f"fields names what entries call these parts: {', '.join(USUAL)}{told}"
        raise ToolError(message, kind="configuration_error", sent=False)
    return {part: _listed(own[part]) if part in own else names for part, names in USUAL.items()}


def filters(
    fields: Fields, *, since: str, until: str, level: str, namespace: str, app: str, query: str
) -> dict[str, Any]:
    """What is searched for, as Elasticsearch's query language has it; empty parts say nothing."""
    between = {"gte": _moment(since), "lte": _moment(until) if until else "now"}
    wanted: list[dict[str, Any]] = [{"range": {fields["time"][0]: between}}]
    wanted += [_phrase(fields[part], value) for part, value in (("namespace", namespace), ("app", app)) if value]
    if level:
        wanted.append(_any([{"terms": {name: _spelt(level)}} for name in fields["level"]]))
    if query:
        wanted.append({"query_string": {"query": query, "lenient": True}})
    return {"bool": {"filter": wanted}}


def read_part(source: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these names that an entry has a value for, as text; empty for none."""
    for name in names:
        found = _below(source, name)
        if isinstance(found, str | int | float) and found != "":
            return str(found)
    return ""


def _below(source: Any, name: str) -> Any:
    """What stands under a name with dots, which may lead inwards or be part of a key."""
    if not isinstance(source, Mapping):
        return None
    if name in source:
        return source[name]
    parts = name.split(".")
    for cut in range(1, len(parts)):
        if (found := _below(source.get(".".join(parts[:cut])), ".".join(parts[cut:]))) is not None:
            return found
    return None


def _listed(named: Any) -> Sequence[str]:
    return tuple(str(one) for one in named) if isinstance(named, list | tuple) and named else (str(named),)


def _moment(told: str) -> str:
    """By the server's clock where it is a duration before now."""
    if re.fullmatch(DURATION, told):
        return f"now-{int(seconds_of(told))}s"
    epoch_of(told)  # refuses what is no moment
    return told if not re.fullmatch(r"[0-9.]+", told) else str(int(float(told) * 1_000))


def _phrase(names: Sequence[str], value: str) -> dict[str, Any]:
    """A match of the whole phrase: right for keywords, and for text that was taken apart into words."""
    return _any([{"match_phrase": {name: value}} for name in names])


def _any(clauses: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _spelt(level: str) -> list[str]:
    words = [word for name in LEVELS for word in LEVELS[name] if level in ("warning", name)]
    return [spelt for word in words for spelt in (word, word.upper(), word.title())]
