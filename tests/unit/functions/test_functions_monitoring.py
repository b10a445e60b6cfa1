"""What stands between us and Prometheus or Alertmanager, where the real ones would not do as a test wants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tool_registry.functions.moments import epoch_of, seconds_of
from tool_registry.functions.prometheus import prometheus_query, prometheus_query_range
from tool_registry.functions.silences import alertmanager_silence_create
from tool_registry.tool import ToolError

SCALAR = Answer(body={"status": "success", "data": {"resultType": "scalar", "result": [1.5, "1"]}})
MADE = "3a661998-983c-44bd-b6f6-2f6004e559a3"
SILENCE = {
    "id": MADE,
    "status": {"state": "active"},
    "matchers": [{"name": "a", "value": "b", "isRegex": False}],
    "createdBy": "ada",
    "comment": "x",
    "startsAt": "2020-01-01T00:00:00.000Z",
    "endsAt": "2020-01-01T01:00:00.000Z",
}


@pytest.mark.parametrize(
    ("duration", "seconds"), [("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("2d", 172_800), ("1w", 604_800)]
)
def test_durations_are_read_as_prometheus_writes_them(duration: str, seconds: float) -> None:
    """One unit or several."""
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["", "5", "m", "1.5h", "-1h", "1h ", "1 h"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    """Nothing is sent."""
    with pytest.raises(ToolError, match="is not a duration") as caught:
        seconds_of(duration)
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)


def test_moments_are_epoch_seconds_or_rfc_3339() -> None:
    """With any fraction and offset; NaN is no moment."""
    assert epoch_of("1767225600") == epoch_of("2026-01-01T00:00:00Z") == epoch_of("2026-01-01T01:00:00.000000000+01:00")
    for told in ("nan", "inf", "tomorrow"):
        with pytest.raises(ToolError, match="is not a moment"):
            epoch_of(told)


async def test_the_token_comes_from_the_environment_or_a_file(
    contexts: Contexts, secrets: list[Any], tmp_path: Path
) -> None:
    """As the domain says, else from the usual variable; a file that is not there is no token."""
    (tmp_path / "kept").write_text(" from-file \n")
    with StandIn({"GET /api/v1/query": SCALAR}) as server:
        for settings in ({}, {"env": "OTHER"}, {"file": "kept"}, {"file": "none"}):
            told = {"url": f"{server.url}/", **({"credential": settings} if settings else {})}
            await prometheus_query("1", contexts(told, PROMETHEUS_TOKEN="usual", OTHER="other"))
    sent = [asked.headers.get("authorization") for asked in server.asked]
    assert sent == ["Bearer usual", "Bearer other", "Bearer from-file", None]
    assert {"usual", "other", "from-file"} <= set(secrets)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1]}]}},
        {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "many"]}]}},
        {"status": "error", "data": {}},
        {"status": "success"},
        [],
        "up",
    ],
)
async def test_an_answer_of_another_form_is_told_as_such(contexts: Contexts, body: Any) -> None:
    """Never as an empty result."""
    with StandIn({"GET /api/v1/query": Answer(body=json.dumps(body))}) as server, pytest.raises(ToolError) as caught:
        await prometheus_query("up", contexts({"url": server.url}))
    assert caught.value.kind == "api_contract_mismatch"


async def test_a_range_is_divided_into_about_250_points(contexts: Contexts) -> None:
    """However long it is; a step that is given wins."""
    body = {"status": "success", "data": {"resultType": "matrix", "result": []}, "warnings": ["partial response"]}
    with StandIn({"GET /api/v1/query_range": Answer(body=body)}) as server:
        context = contexts({"url": server.url})
        day = await prometheus_query_range("up", context, last="1d", end="1767225600")
        fine = await prometheus_query_range("up", context, last="10s")
        given = await prometheus_query_range("up", context, last="1h", step="5m")
    assert (day["step"], fine["step"], given["step"]) == (346.0, 1.0, 300.0)
    assert (day["start"], day["end"], day["warnings"]) == (1767139200.0, 1767225600.0, ["partial response"])


async def test_a_silence_begins_by_the_servers_clock(contexts: Contexts) -> None:
    """A clock of ours that is years ahead would make one that has not begun."""
    date = {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}
    answers = {
        "GET /api/v2/silences": Answer(body=[], headers=date),
        "POST /api/v2/silences": Answer(body={"silenceID": MADE}),
        f"GET /api/v2/silence/{MADE}": Answer(body=SILENCE),
    }
    with StandIn(answers) as server:
        made = await alertmanager_silence_create(
            "x", contexts({"url": server.url}), labels={"a": "b"}, duration="1h", created_by="ada"
        )
    sent = json.loads(next(asked.body for asked in server.asked if asked.method == "POST"))
    assert (sent["startsAt"], sent["endsAt"]) == ("2020-01-01T00:00:00.000Z", "2020-01-01T01:00:00.000Z")
    assert sent["comment"] == "x (skill run run-1)"
    assert made["silence"]["matchers"] == ['a="b"']


@pytest.mark.parametrize(
    ("matcher", "sent"),
    [
        ("a=b", ("a", "b", False, True)),
        (' a != "b c" ', ("a", "b c", False, False)),
        ('a=~"x|y"', ("a", "x|y", True, True)),
        ('a!~"\\"q\\"\\\\d+\\n"', ("a", '"q"\\d+\n', True, False)),
        ("a=", ("a", "", False, True)),
    ],
)
async def test_matchers_are_read_as_people_write_them(
    contexts: Contexts, matcher: str, sent: tuple[str, str, bool, bool]
) -> None:
    """Quotes and escapes as in Alertmanager's own language."""
    answers = {
        "GET /api/v2/silences": Answer(body=[]),
        "POST /api/v2/silences": Answer(body={"silenceID": MADE}),
        f"GET /api/v2/silence/{MADE}": Answer(body=SILENCE),
    }
    with StandIn(answers) as server:
        await alertmanager_silence_create("x", contexts({"url": server.url}), matchers=[matcher])
    body = json.loads(next(asked.body for asked in server.asked if asked.method == "POST"))
    (made,) = body["matchers"]
    assert (made["name"], made["value"], made["isRegex"], made["isEqual"]) == sent
