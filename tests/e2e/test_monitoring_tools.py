"""The tools of Prometheus and Alertmanager against the real servers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.attempt import failure_of
from engine.heal.detect import diagnose
from tests.flow.workshop import until
from tests.servers import alertmanager, prometheus
from tests.servers.guarded import PASSWORD, Guard, guarded
from tests.servers.prometheus import FRIGHTENING, Shop, firing
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolContext, ToolError

NO_SILENCE = "11111111-1111-4111-8111-111111111111"
FAMILIES = ("prometheus_", "alertmanager_")
READS = [tool for tool in default_registry().values() if tool.name.startswith(FAMILIES) and tool.effect is Effect.READ]
WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """A shop, the Prometheus that reads it, and the Alertmanager that is told."""

    shop: Shop
    prometheus: str
    alertmanager: str
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: list[Any] = field(default_factory=list)

    async def call(self, name: str, /, run_id: str = "run-1", **arguments: Any) -> Any:
        """What the tool gives back."""
        url = self.prometheus if name.startswith("prometheus") else self.alertmanager
        async with default_registry() as tools:
            context = ToolContext(
                settings={"url": url, **self.settings},
                environment={**os.environ, "USER": "cleo"},
                timeout=tools[name].timeout,
                run_id=run_id,
                secret=self.secrets.append,
            )
            return (await tools.call(name, arguments, context)).value

    async def refused(self, name: str, /, **arguments: Any) -> tuple[str, str, int | None]:
        """The kind `detect` reads from the failure, its message, and the status."""
        with pytest.raises(ToolError) as caught:
            await self.call(name, **arguments)
        found = diagnose(failure_of(caught.value, tool=name), ())
        return found.kind.value, caught.value.message, caught.value.http_status


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """All of them, with two alerts of a long queue firing and known to Alertmanager."""
    folder = tmp_path_factory.mktemp("monitored")
    with (
        prometheus.shop() as shop,
        alertmanager.alertmanager(folder / "alertmanager") as alerts,
        prometheus.prometheus(folder / "prometheus", shop, alerts) as watching,
    ):
        shop.queues |= {"orders": 40.0, "returns": 12.0}
        until(lambda: {"QueueTooLong orders", "QueueTooLong returns", "NobodyHome"} <= firing(watching), within=WITHIN)
        until(lambda: len(alertmanager.told(alerts, "/alerts")) == 3, within=WITHIN)
        yield Monitored(shop=shop, prometheus=watching, alertmanager=alerts)


async def test_a_query_gives_samples_with_their_labels(servers: Monitored) -> None:
    """Each queue of the shop, by its labels; what matches nothing is empty, and no failure."""
    found = await servers.call("prometheus_query", query="shop_queue_length")
    assert {one["labels"]["queue"]: one["value"] for one in found["samples"]} == {"orders": 40.0, "returns": 12.0}
    assert (found["type"], found["count"], found["truncated"]) == ("vector", 2, False)
    assert (await servers.call("prometheus_query", query="nothing_of_that_name"))["samples"] == []
    assert (await servers.call("prometheus_query", query="shop_queue_length", limit=1))["truncated"]


@pytest.mark.parametrize(
    ("query", "kind", "value", "text"),
    [
        ("2 * 21", "scalar", 42.0, "42"),
        ("0 / 0", "scalar", None, "NaN"),
        ("1 / 0", "scalar", None, "+Inf"),
        ('"a"', "string", None, "a"),
    ],
)
async def test_what_json_cannot_say_is_said_in_text(
    servers: Monitored, query: str, kind: str, value: float | None, text: str
) -> None:
    """NaN and the infinities are null beside their text."""
    found = await servers.call("prometheus_query", query=query)
    assert found["type"] == kind
    assert [(one["value"], one["text"]) for one in found["samples"]] == [(value, text)]


async def test_a_query_of_a_span_gives_series(servers: Monitored) -> None:
    """A selector with a span is a matrix."""
    found = await servers.call("prometheus_query", query='shop_queue_length{queue="orders"}[30s]')
    assert (found["type"], found["samples"], found["series"][0]["last"]) == ("matrix", [], 40.0)


async def test_a_range_gives_the_course_and_its_figures(servers: Monitored) -> None:
    """The points are in order, and the figures are theirs."""
    found = await servers.call(
        "prometheus_query_range", query='shop_queue_length{queue="orders"}', last="5m", step="1s"
    )
    (series,) = found["series"]
    values = [point["value"] for point in series["points"]]
    assert (series["first"], series["last"]) == (values[0], values[-1])
    assert (series["lowest"], series["highest"]) == (min(values), max(values))
    assert found["end"] - found["start"] == pytest.approx(300)
    assert [point["time"] for point in series["points"]] == sorted(point["time"] for point in series["points"])


async def test_a_long_expression_is_sent_as_a_form(servers: Monitored) -> None:
    """An address would be too long for it."""
    query = " or ".join(f'shop_queue_length{{queue="{number}"}}' for number in range(400)) + " or vector(7)"
    assert (await servers.call("prometheus_query", query=query))["samples"][0]["value"] == 7.0


async def test_series_and_labels_are_listed(servers: Monitored) -> None:
    """A label that nothing has is an empty list."""
    series = await servers.call("prometheus_series", match=['{job="shop",__name__="shop_queue_length"}'])
    assert {one["queue"] for one in series["series"]} == {"orders", "returns"}
    assert (await servers.call("prometheus_labels", label="queue"))["values"] == ["orders", "returns"]
    assert "queue" in (await servers.call("prometheus_labels"))["values"]
    assert (await servers.call("prometheus_labels", label="nobody_has_it"))["values"] == []


async def test_alerts_rules_and_targets_are_told_with_all_their_frightening_words(servers: Monitored) -> None:
    """They fire for somebody else's failures; every one of these calls went well."""
    alerts = await servers.call("prometheus_alerts", name="QueueTooLong", labels={"queue": "orders"})
    (alert,) = alerts["alerts"]
    assert (alert["state"], alert["value"], alert["labels"]["severity"]) == ("firing", 40.0, "critical")
    assert FRIGHTENING in alert["annotations"]["summary"]
    assert time.time() - WITHIN * 3 < alert["since"] <= time.time()
    (rule,) = (await servers.call("prometheus_rules", names=["QueueTooLong"]))["rules"]
    assert (rule["type"], rule["query"], rule["alerts"]) == ("alert", "shop_queue_length > 10", 2)
    targets = await servers.call("prometheus_targets")
    assert targets["down"] == ["gone 127.0.0.1:1"]
    (down,) = (await servers.call("prometheus_targets", health="down"))["targets"]
    assert "connection refused" in down["error"]


async def test_an_alert_is_silenced_found_silenced_and_unsilenced(servers: Monitored) -> None:
    """One of two alerts of the name, by all its labels; the other one is still heard."""
    (orders,) = (await servers.call("alertmanager_alerts", labels={"queue": "orders"}))["alerts"]
    assert (orders["state"], orders["silenced_by"], orders["receivers"]) == ("active", [], ["nobody"])
    made = await servers.call(
        "alertmanager_silence_create", labels=orders["labels"], duration="1h", comment="new printer"
    )
    silence = made["silence"]
    assert (made["created"], silence["state"], silence["created_by"]) == (True, "active", "cleo")
    assert silence["comment"] == "new printer (skill run run-1)"
    assert silence["ends_at"] - silence["starts_at"] == pytest.approx(3600, abs=30)
    listed = await servers.call("alertmanager_alerts", matchers=['alertname="QueueTooLong"'])
    assert {one["labels"]["queue"]: one["silenced_by"] for one in listed["alerts"]} == {
        "orders": [silence["id"]],
        "returns": [],
    }
    in_force = await servers.call("alertmanager_silences", state="active", ids=[silence["id"]])
    assert in_force["silences"] == [silence]
    ended = await servers.call("alertmanager_silence_expire", id=silence["id"])
    assert (ended["changed"], ended["state"]) == (True, "expired")
    assert (await servers.call("alertmanager_alerts", state="suppressed"))["alerts"] == []


async def test_groups_and_status_are_told(servers: Monitored) -> None:
    """Both queues are told together."""
    groups = (await servers.call("alertmanager_alert_groups"))["groups"]
    assert {each["labels"]["alertname"]: len(each["alerts"]) for each in groups} == {"NobodyHome": 1, "QueueTooLong": 2}
    status = await servers.call("alertmanager_status")
    assert (status["cluster"], status["receivers"]) == ("disabled", ["nobody"])


async def test_a_second_call_of_a_write_changes_nothing(servers: Monitored) -> None:
    """Alertmanager itself would make a second silence, and knows nothing of one that is not there."""
    arguments: dict[str, Any] = {
        "matchers": ['queue=~"or.*|x\\"y"', 'severity!="none"'],
        "duration": "2h",
        "comment": "twice",
    }
    first = await servers.call("alertmanager_silence_create", **arguments)
    before = alertmanager.state(servers.alertmanager)
    second = await servers.call("alertmanager_silence_create", **arguments)
    assert (first["created"], second["created"]) == (True, False)
    assert second["silence"] == first["silence"]
    assert sorted(first["silence"]["matchers"]) == sorted(arguments["matchers"])
    looked = await servers.call("alertmanager_silence_made", **arguments)
    assert (looked["happened"], looked["value"]["silence"]) == (True, first["silence"])
    never = await servers.call("alertmanager_silence_made", **{**arguments, "comment": "thrice"})
    assert never == {"happened": False, "value": None}
    assert alertmanager.state(servers.alertmanager) == before
    another = await servers.call("alertmanager_silence_create", run_id="run-2", **arguments)
    assert (another["created"], another["silence"]["id"] != first["silence"]["id"]) == (True, True)
    for made in (first, another):
        await servers.call("alertmanager_silence_expire", id=made["silence"]["id"])
    before = alertmanager.state(servers.alertmanager)
    again = await servers.call("alertmanager_silence_expire", id=first["silence"]["id"])
    assert (again["found"], again["changed"], again["state"]) == (True, False, "expired")
    never = await servers.call("alertmanager_silence_expire", id=NO_SILENCE)
    assert (never["found"], never["changed"]) == (False, False)
    assert alertmanager.state(servers.alertmanager) == before


@pytest.mark.parametrize("tool", READS, ids=[tool.name for tool in READS])
async def test_a_read_leaves_the_servers_as_they_are(servers: Monitored, tool: Tool) -> None:
    """With every example it gives; each of them works."""
    before = prometheus.state(servers.prometheus), alertmanager.state(servers.alertmanager)
    for example in tool.examples:
        await servers.call(tool.name, **example)
    assert (prometheus.state(servers.prometheus), alertmanager.state(servers.alertmanager)) == before


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "says"),
    [
        ("prometheus_query", {"query": "sum("}, 400, "parse error: unclosed left parenthesis"),
        ("prometheus_query", {"query": "nofunc(up)"}, 400, "unknown function"),
        ("prometheus_query", {"query": "up * on() up"}, 422, "many-to-many matching not allowed"),
        ("prometheus_query", {"query": "up", "time": "yesterday"}, None, "is not a moment"),
        ("prometheus_query_range", {"query": "up", "last": "1d", "step": "1s"}, 400, "exceeded maximum resolution"),
        ("prometheus_query_range", {"query": "up", "step": "0s"}, None, "a step of no time"),
        ("prometheus_labels", {"label": "9-"}, 400, "invalid label name"),
        ("prometheus_series", {"match": ["{}"]}, 400, "at least one non-empty matcher"),
        ("alertmanager_alerts", {"matchers": ["bad{"]}, 400, "bad matcher format"),
        ("alertmanager_silence_create", {"comment": "x", "matchers": ['a=~"("']}, 400, "invalid regular expression"),
        ("alertmanager_silence_create", {"comment": "x", "matchers": ['a=""']}, 400, "must not match the empty string"),
        ("alertmanager_silence_create", {"comment": "x", "matchers": ["a{"]}, None, "is not a matcher"),
        ("alertmanager_silence_create", {"comment": "x"}, None, "a silence of everything is refused"),
        ("alertmanager_silence_create", {"comment": "x", "labels": {"a": "b"}, "duration": "0s"}, None, "up to a year"),
        ("alertmanager_silence_expire", {"id": "nonsense"}, None, "must match"),
    ],
)
async def test_what_was_asked_wrongly_is_a_usage_error(
    servers: Monitored, tool: str, arguments: dict[str, Any], status: int | None, says: str
) -> None:
    """The server's own words are in the message; nothing was changed, and no login would help."""
    before = alertmanager.state(servers.alertmanager)
    kind, message, answered = await servers.refused(tool, **arguments)
    assert (kind, answered) == ("usage_error", status)
    assert says in message
    assert alertmanager.state(servers.alertmanager) == before


@pytest.fixture
def guard(servers: Monitored) -> Iterator[Guard]:
    """The guard before Prometheus."""
    with guarded(servers.prometheus) as made:
        yield made


async def test_an_expired_token_is_told_from_a_bad_expression(servers: Monitored, guard: Guard, tmp_path: Path) -> None:
    """The token is read anew for each call, sent as a bearer token, and masked."""
    kept = tmp_path / "token"
    asked = Monitored(
        shop=servers.shop, prometheus=guard.url, alertmanager=guard.url, settings={"credential": {"file": str(kept)}}
    )
    assert (await asked.refused("prometheus_query", query="up"))[::2] == ("auth_expired", 401)
    guard.tokens.add("a-token")
    kept.write_text("a-token\n")
    assert (await asked.call("prometheus_query", query="1"))["samples"][0]["value"] == 1.0
    assert (await asked.refused("prometheus_query", query="sum("))[::2] == ("usage_error", 400)
    guard.expire()
    assert (await asked.refused("prometheus_query", query="up"))[::2] == ("auth_expired", 401)
    assert "a-token" in asked.secrets
    assert PASSWORD not in str(asked.secrets)


async def test_who_does_not_speak_the_api_is_found_out(servers: Monitored) -> None:
    """The shop answers everything with 200 and its metrics; nobody listens at port 1."""
    shop = f"http://{servers.shop.address}"
    mistaken = Monitored(shop=servers.shop, prometheus=shop, alertmanager=servers.prometheus)
    assert (await mistaken.refused("prometheus_query", query="up"))[0] == "api_contract_mismatch"
    assert (await mistaken.refused("alertmanager_alerts"))[0] == "resource_not_found"
    nobody = Monitored(shop=servers.shop, prometheus="http://127.0.0.1:1", alertmanager="")
    assert (await nobody.refused("prometheus_alerts"))[0] == "connection_refused"
    assert (await nobody.refused("alertmanager_alerts"))[0] == "configuration_error"


async def test_a_query_that_takes_too_long_says_so(servers: Monitored, tmp_path: Path) -> None:
    """Prometheus gives up by its own clock, and says that it was the time."""
    with prometheus.prometheus(tmp_path, servers.shop, options=("--query.timeout=1ms",)) as impatient:
        asked = Monitored(shop=servers.shop, prometheus=impatient, alertmanager="")
        heavy = "+".join(["count_over_time(vector(1)[1d:1s])"] * 3)
        kind, message, status = await asked.refused("prometheus_query", query=heavy)
    assert (kind, status) == ("timeout", 503)
    assert "query timed out" in message
