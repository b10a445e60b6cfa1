"""The tools of Kibana, against the stand-in for Elasticsearch, directly and through Kibana."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.attempt import failure_of
from engine.heal.detect import diagnose
from tests.servers.elasticsearch import ENDED, KEY, Elasticsearch, elasticsearch
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.kibana import kibana_errors, kibana_search_logs, pattern_of
from tool_registry.functions.kibana_state import kibana_index_list, kibana_status
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def server() -> Iterator[Elasticsearch]:
    """A server with the logs of a shop, in the names of OpenShift's logging and of ECS."""
    with elasticsearch() as made:
        shop = {"namespace_name": "shop", "pod_name": "checkout-1"}
        made.log("order 4711 failed: timed out after 30 s", ago=50, level="ERROR", kubernetes=shop)
        made.log("order 4712 failed: timed out after 31 s", ago=40, level="error", kubernetes=shop)
        made.log("order 4713 done", ago=30, level="info", kubernetes=shop)
        ecs = {"log": {"level": "error"}, "kubernetes": {"namespace": "till", "pod": {"name": "till-1"}}}
        made.log("no route to the bank", index="logs-till", ago=20, service={"name": "till"}, **ecs)
        made.log("the day before", ago=90_000, level="error", kubernetes=shop)
        yield made


@pytest.fixture
def context(server: Elasticsearch, contexts: Contexts) -> ToolContext:
    """Somebody with an API key."""
    return contexts({"url": server.url}, ELASTIC_API_KEY=KEY)


async def test_logs_are_searched_newest_first(context: ToolContext) -> None:
    """By time, namespace, application, level and words, whatever the entries call these."""
    found = await kibana_search_logs(context)
    assert [one["message"] for one in found["entries"]] == [
        "no route to the bank",
        "order 4713 done",
        "order 4712 failed: timed out after 31 s",
        "order 4711 failed: timed out after 30 s",
    ]
    assert (found["count"], found["total"], found["truncated"], found["complete"]) == (4, 4, False, True)
    newest = found["entries"][0]
    assert (newest["level"], newest["namespace"], newest["pod"], newest["app"]) == ("error", "till", "till-1", "till")
    assert newest["time"] is not None
    assert abs(time.time() - newest["time"] - 20) < 10
    assert (await kibana_search_logs(context, namespace="shop", level="error"))["count"] == 2
    assert (await kibana_search_logs(context, app="till"))["count"] == 1
    assert (await kibana_search_logs(context, "order AND NOT failed"))["count"] == 1
    assert (await kibana_search_logs(context, "message:failed OR bank", limit=2))["truncated"]
    assert (await kibana_search_logs(context, since="2d", until="2099-01-01T00:00:00Z"))["count"] == 5


async def test_what_cannot_be_searched_is_told(server: Elasticsearch, context: ToolContext) -> None:
    """No index of that pattern, shards that are lost, a search that took too long: none of it looks like no errors."""
    nowhere = await kibana_search_logs(context, index="metrics-*")
    assert (nowhere["count"], nowhere["indices"]) == (0, False)
    server.late, server.lost_shards = True, 1
    partly = await kibana_search_logs(context)
    assert (partly["complete"], partly["indices"]) == (False, True)
    assert partly["warnings"] == [
        "the search took too long and was ended early",
        "node_disconnected_exception: [es-1] disconnected",
    ]
    with pytest.raises(ToolError, match=r"no such index \[metrics\]") as none:
        await kibana_search_logs(context, index="metrics")
    assert none.value.kind == "resource_not_found"


@pytest.mark.parametrize(
    ("settings", "asked", "kind"),
    [
        ({}, {"query": "order AND"}, "usage_error"),
        ({}, {"since": "yesterday"}, "usage_error"),
        ({"via": "grafana"}, {}, "configuration_error"),
        ({"fields": {"colour": "red"}}, {}, "configuration_error"),
        ({"token_type": "secret"}, {}, "configuration_error"),
        ({"url": ""}, {}, "configuration_error"),
        ({"credential": {"env": "ENDED"}}, {}, "auth_expired"),
        ({}, {"index": "logs-secret"}, "permission_denied"),
    ],
)
async def test_a_refusal_has_its_kind(
    server: Elasticsearch, context: ToolContext, settings: dict[str, Any], asked: dict[str, Any], kind: str
) -> None:
    """As the server's words and status say, also through Kibana."""
    server.log("hush", index="logs-secret")
    server.forbidden.add("logs-secret")
    for way in ("elasticsearch", "kibana"):
        own = replace(
            context,
            settings={**context.settings, "via": way, **settings},
            environment={**context.environment, "ENDED": ENDED},
        )
        with pytest.raises(ToolError) as refused:
            await kibana_search_logs(own, **asked)
        assert str(diagnose(failure_of(refused.value, tool="kibana_search_logs"), ()).kind) == kind


async def test_errors_are_grouped_by_what_they_say(context: ToolContext) -> None:
    """But for the numbers in it; the largest group first, each with its newest message."""
    found = await kibana_errors(context)
    assert [(one["pattern"], one["count"]) for one in found["groups"]] == [
        ("order # failed: timed out after # s", 2),
        ("no route to the bank", 1),
    ]
    largest = found["groups"][0]
    assert (largest["message"], largest["pods"]) == ("order 4712 failed: timed out after 31 s", ["checkout-1"])
    assert (largest["first"] or 0) < (largest["last"] or 0)
    assert (found["read"], found["total"], found["truncated"]) == (3, 3, False)
    assert (await kibana_errors(context, limit=1))["truncated"]


def test_a_pattern_leaves_out_what_varies() -> None:
    """Identifiers, addresses, numbers, and every line but the first."""
    said = "\n  request 5f1c24be-9d1e-4a86-9c3a-2f6b1a0c9d11 at 0x7ffe from deadbeef01: decade failed\n at line 3"
    assert pattern_of(said) == "request # at # from #: decade failed"
    assert pattern_of("") == ""


async def test_a_domain_says_how_its_entries_are_written(server: Elasticsearch, contexts: Contexts) -> None:
    """The index, and what entries call their parts."""
    told: dict[str, Any] = {"@timestamp": "2026-01-31T09:00:00Z"}
    server.log("", index="app-1", msg={"text": "own words"}, where="shop", **told)
    settings = {
        "url": server.url,
        "index": "app-*",
        "fields": {"message": "msg.text", "namespace": ["nowhere", "where"]},
        "credential": {"env": "OWN_KEY"},
        "token_type": "bearer",
    }
    own = contexts(settings, OWN_KEY=KEY)
    (found,) = (await kibana_search_logs(own, since="2026-01-01T00:00:00Z", namespace="shop"))["entries"]
    assert (found["message"], found["time"], found["index"]) == ("own words", 1769850000.0, "app-1")


async def test_kibana_hands_requests_on(server: Elasticsearch, context: ToolContext) -> None:
    """Where only Kibana is to be reached, its console asks."""
    through = replace(context, settings={**context.settings, "via": "kibana"})
    assert (await kibana_search_logs(through, namespace="shop"))["count"] == 3
    assert server.asked == ["POST /api/console/proxy", "POST /logs-*/_search"]
    assert (await kibana_index_list(through, "logs-t*"))["count"] == 1
    standing = await kibana_status(through)
    assert (standing["kibana"], standing["user"]) == ("available", "ada")


async def test_indices_and_the_cluster_are_told(server: Elasticsearch, context: ToolContext) -> None:
    """An index that is not there is none; who may not see the cluster's health is told the rest."""
    listed = await kibana_index_list(context)
    assert [(one["name"], one["documents"]) for one in listed["indices"]] == [("logs-shop", 4), ("logs-till", 1)]
    assert (await kibana_index_list(context, "metrics"))["indices"] == []
    assert (await kibana_index_list(context, "logs-*", limit=1))["truncated"]
    standing = await kibana_status(context)
    assert standing == {
        "cluster": "logging",
        "version": "9.1.0",
        "health": "yellow",
        "user": "ada",
        "roles": ["viewer"],
        "kibana": "",
    }
    server.forbidden.add("health")
    assert (await kibana_status(context))["health"] == ""


async def test_a_user_s_password_is_shown_as_such(server: Elasticsearch, contexts: Contexts) -> None:
    """And kept out of everything written, in both spellings."""
    kept: list[Any] = []
    own = replace(contexts({"url": server.url, "username": "ada"}, ELASTIC_API_KEY="pass"), secret=kept.append)
    assert (await kibana_status(own))["user"] == "ada"
    assert kept[:2] == ["pass", "YWRhOnBhc3M="]
