"""Prometheus: what its expressions are worth now and over time, and which series and labels there are.

The domain `prometheus` gives the `url` (`tool_registry.functions.monitoring`). Numbers that JSON does not have (NaN,
+Inf) are null beside the text as Prometheus writes it.
"""

from __future__ import annotations

import time as clock
from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.moments import DURATION, epoch_of, seconds_of
from tool_registry.functions.monitoring import ask_monitoring, number, texts
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

LONG = 2_000
"""Characters of an expression beyond which it is sent as a form: addresses may not be endless."""
FINEST = 250
"""Points into which a range is divided where nobody says how fine."""
Span = Annotated[str, {"pattern": DURATION}]
Limit = Annotated[int, {"minimum": 1, "maximum": 10_000}]


class Sample(TypedDict):
    """What an expression is worth for one set of labels; `time` in epoch seconds, `text` as Prometheus writes it."""

    labels: dict[str, str]
    time: float
    value: float | None
    text: str


class Point(TypedDict):
    """A value at a moment (epoch seconds)."""

    time: float
    value: float | None


class Series(TypedDict):
    """What an expression was worth for one set of labels, oldest first, and the figures that sum it up."""

    labels: dict[str, str]
    points: list[Point]
    first: float | None
    last: float | None
    lowest: float | None
    highest: float | None
    mean: float | None


class Answered(TypedDict):
    """An expression's value: `series` for a matrix, `samples` for all other types; `count` before the limit."""

    type: str
    samples: list[Sample]
    series: list[Series]
    count: int
    truncated: bool
    warnings: list[str]


class Ranged(TypedDict):
    """An expression's values over a span of time; `start`, `end` in epoch seconds, `step` in seconds."""

    start: float
    end: float
    step: float
    series: list[Series]
    count: int
    truncated: bool
    warnings: list[str]


class LabelSets(TypedDict):
    """Series, as their labels; `count` before the limit."""

    series: list[dict[str, str]]
    count: int
    truncated: bool


class Words(TypedDict):
    """The names of labels, or the values of one; `count` before the limit."""

    label: str
    values: list[str]
    count: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=30,
    examples=({"query": "up == 0"}, {"query": "sum(rate(http_requests_total[5m]))", "time": "2026-01-31T09:00:00Z"}),
    exact=True,
    needs=SERVICE,
)
async def prometheus_query(query: str, context: ToolContext, time: str = "", limit: Limit = 1_000) -> Answered:
    """Says what an expression is worth at one moment; nothing that matches is an empty list.

    Args:
        query: The expression (PromQL).
        time: The moment, as epoch seconds or RFC 3339; empty for now.
        limit: How many samples or series are given at most.

    Returns:
        type, samples, series, count, truncated and warnings.
    """
    params = {"query": query, "time": epoch_of(time) if time else None}
    answer = await ask_prometheus("query", context, params)
    with expected("Prometheus"):
        kind, result = str(answer["data"]["resultType"]), answer["data"]["result"]
        if kind in ("scalar", "string"):
            result = [{"metric": {}, "value": result}]
        given = result[:limit]
        return {
            "type": kind,
            "samples": [] if kind == "matrix" else [_sample(one, kind) for one in given],
            "series": [_series(one) for one in given] if kind == "matrix" else [],
            "count": len(result),
            "truncated": len(result) > limit,
            "warnings": _warnings(answer),
        }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=60,
    examples=(
        {"query": "up", "last": "1h"},
        {"query": "up", "last": "1d", "end": "2026-01-31T09:00:00Z", "step": "5m"},
    ),
    exact=True,
    needs=SERVICE,
)
async def prometheus_query_range(
    query: str,
    context: ToolContext,
    last: Span = "1h",
    end: str = "",
    step: Annotated[str, {"pattern": f"^$|{DURATION}"}] = "",
    limit: Annotated[int, {"minimum": 1, "maximum": 1_000}] = 100,
) -> Ranged:
    """Says what an expression was worth over a span of time, with the lowest, highest and mean value of each series.

    Args:
        query: The expression (PromQL).
        last: How long the span is, as in 1h or 2d.
        end: When it ends, as epoch seconds or RFC 3339; empty for now.
        step: The time between two points; empty for one that gives about 250 of them.
        limit: How many series are given at most.

    Returns:
        start, end, step, series, count, truncated and warnings.
    """
    until = epoch_of(end) if end else clock.time()
    span = seconds_of(last)
    width = seconds_of(step) if step else max(1.0, round(span / FINEST))
    if not width:
        raise ToolError("a step of no time would never come to an end", kind="usage_error", sent=False)
    params = {"query": query, "start": until - span, "end": until, "step": width}
    answer = await ask_prometheus("query_range", context, params)
    with expected("Prometheus"):
        result = answer["data"]["result"]
        return {
            "start": until - span,
            "end": until,
            "step": width,
            "series": [_series(one) for one in result[:limit]],
            "count": len(result),
            "truncated": len(result) > limit,
            "warnings": _warnings(answer),
        }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=30,
    examples=({"match": ["up"]}, {"match": ['{job="shop"}'], "last": "1d"}),
    exact=True,
    needs=SERVICE,
)
async def prometheus_series(
    match: Annotated[list[str], {"minItems": 1}], context: ToolContext, last: Span = "1h", limit: Limit = 1_000
) -> LabelSets:
    """Lists the series that were there in the last hour, or another span, by their labels.

    Args:
        match: Selectors (PromQL); a series that fits one of them is listed.
        last: How far back is looked.
        limit: How many series are given at most.

    Returns:
        series, count and truncated.
    """
    now = clock.time()
    params = {"match[]": match, "start": now - seconds_of(last), "end": now}
    answer = await ask_prometheus("series", context, params)
    with expected("Prometheus"):
        found = [texts(one) for one in answer["data"]]
    return {"series": found[:limit], "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="prometheus",
    timeout=30,
    examples=({}, {"label": "job"}, {"label": "instance", "match": ['up{job="shop"}']}),
    exact=True,
    needs=SERVICE,
)
async def prometheus_labels(
    context: ToolContext, label: str = "", match: list[str] | None = None, last: Span = "1h", limit: Limit = 1_000
) -> Words:
    """Lists the names of all labels, or the values of one; a label that nothing has is an empty list.

    Args:
        label: The label whose values are wanted; empty for the names of all.
        match: Selectors (PromQL) that narrow which series count.
        last: How far back is looked.
        limit: How many words are given at most.

    Returns:
        label, values, count and truncated.
    """
    now = clock.time()
    params = {"match[]": match, "start": now - seconds_of(last), "end": now}
    path = f"label/{quote(label, safe='')}/values" if label else "labels"
    answer = await ask_prometheus(path, context, params)
    with expected("Prometheus"):
        found = [str(one) for one in answer["data"]]
    return {"label": label, "values": found[:limit], "count": len(found), "truncated": len(found) > limit}


async def ask_prometheus(path: str, context: ToolContext, params: dict[str, Any]) -> dict[str, Any]:
    """What Prometheus' API (version 1) answers, in its envelope; one that is none fails."""
    if len(str(params.get("query", ""))) > LONG:
        sent: dict[str, Any] = {"method": "POST", "form": params}
    else:
        sent = {"method": "GET", "params": params}
    reply = await ask_monitoring(
        path=f"/api/v1/{path}",
        context=context,
        of="Prometheus",
        variable="PROMETHEUS_TOKEN",
        **sent,
    )
    answer = reply.json()
    with expected("Prometheus"):
        if answer["status"] != "success":
            raise ValueError(f"its status is {answer['status']!r}")
        return dict(answer)


def _sample(one: dict[str, Any], kind: str) -> Sample:
    moment, text = one["value"]
    value = None if kind == "string" else number(text)
    return {"labels": texts(one["metric"]), "time": float(moment), "value": value, "text": str(text)}


def _series(one: dict[str, Any]) -> Series:
    points: list[Point] = [{"time": float(when), "value": number(text)} for when, text in one.get("values", [])]
    known = [point["value"] for point in points if point["value"] is not None]
    return {
        "labels": texts(one["metric"]),
        "points": points,
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "lowest": min(known, default=None),
        "highest": max(known, default=None),
        "mean": sum(known) / len(known) if known else None,
    }


def _warnings(answer: dict[str, Any]) -> list[str]:
    return [str(one) for name in ("warnings", "infos") for one in answer.get(name) or ()]
