"""Configured services, against a server that answers in their words, and where none is configured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.configuration.services import SERVICES
from tests.unit.functions.shop_repository import Contexts
from tests.unit.functions.stand_in_server import Answer, StandIn
from tests.unit.tool_registry.small_server import Told, small_server
from tool_registry.functions.gitlab import gitlab_mr_pipeline
from tool_registry.functions.jira import jira_view_issue
from tool_registry.functions.kept_namespaces import remember_namespace
from tool_registry.registry import default_registry
from tool_registry.tool import ToolError

TOOLS = dict(default_registry())


async def test_the_newest_pipeline_is_told(contexts: Contexts, secrets: list[Any]) -> None:
    """The token goes along in GitLab's own header, and is masked."""
    newest = {"id": 8, "status": "running", "sha": "abc", "web_url": "https://gitlab/8", "ref": "x"}
    with StandIn({"GET /api/v4/projects/group%2Fshop/merge_requests/7/pipelines": Answer(body=[newest])}) as gitlab:
        context = contexts({"url": gitlab.url}, GITLAB_TOKEN="glpat-1")
        answer = await gitlab_mr_pipeline("group/shop", 7, context)
    assert answer.value == {"found": True, "id": 8, "status": "running", "sha": "abc", "url": "https://gitlab/8"}
    assert gitlab.asked[0].headers["private-token"] == "glpat-1"
    assert secrets == ["glpat-1"]


async def test_no_pipeline_is_a_normal_answer(contexts: Contexts) -> None:
    """A project without CI has none."""
    with StandIn({"GET /api/v4/projects/shop/merge_requests/7/pipelines": Answer(body=[])}) as gitlab:
        answer = await gitlab_mr_pipeline("shop", 7, contexts({"url": gitlab.url}))
    assert (answer.found, answer.value) == (False, {"found": False})


async def test_an_issue_is_shown_in_the_parts_a_skill_reads(contexts: Contexts) -> None:
    """Nobody assigned is the empty text."""
    fields = {"summary": "Show prices", "status": {"name": "Open"}, "issuetype": {"name": "Bug"}, "assignee": None}
    with StandIn({"GET /rest/api/2/issue/SHOP-12": Answer(body={"key": "SHOP-12", "fields": fields})}) as jira:
        context = contexts({"url": f"{jira.url}/", "credential": {"env": "MY_TOKEN"}}, MY_TOKEN="t-1")
        issue = await jira_view_issue("SHOP-12", context)
    assert issue == {
        "key": "SHOP-12",
        "summary": "Show prices",
        "status": "Open",
        "type": "Bug",
        "assignee": "",
        "url": f"{jira.url}/browse/SHOP-12",
    }
    assert jira.asked[0].headers["authorization"] == "Bearer t-1"


@pytest.mark.parametrize(
    ("title", "tool", "arguments"),
    [
        ("GitLab", "gitlab_mr_view", {"mr_id": 7, "project": "group/shop"}),
        ("Jira", "jira_view_issue", {"key": "SHOP-12"}),
        ("Prometheus", "prometheus_alerts", {}),
        ("Alertmanager", "alertmanager_silences", {}),
        ("Kibana", "kibana_search_logs", {}),
        ("Slack", "slack_login_state", {}),
        ("calendar", "google_calendar_status", {}),
    ],
)
async def test_a_service_nobody_configured_says_where_it_belongs(
    contexts: Contexts, title: str, tool: str, arguments: dict[str, Any]
) -> None:
    """By the name under which the configuration knows it; nothing is sent anywhere."""
    found = TOOLS[tool]
    with pytest.raises(ToolError, match=f"no {title} is configured") as caught:
        await found.call(arguments, contexts())
    assert (caught.value.kind, caught.value.sent) == ("configuration_error", False)
    assert f"[services.{found.domain}] in skill.toml" in caught.value.message
    assert found.domain in SERVICES


def test_a_kept_namespace_is_written_down_until_its_lease_ends(contexts: Contexts) -> None:
    """Once each, the newest word counts, and leases that ended are dropped."""
    context = contexts()
    far = 4_000_000_000.0
    remember_namespace("ended", 1.0, context)
    remember_namespace("a", far, context, commit_sha="abc", mr_id=4)
    told = remember_namespace("a", far + 60, context)
    text = (context.state / "kept_namespaces.json").read_text()
    assert told["file"] == str(context.state / "kept_namespaces.json")
    assert "ended" not in text
    assert text.count('"namespace": "a"') == 1
    assert str(far + 60) in text


@pytest.mark.parametrize(
    "body", [b"[" * 7_000, b'{"kind": "Status", "message": "no", "details": {"retryAfterSeconds": -5}}']
)
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("gitlab_mr_view", {"mr_id": 7, "project": "group/shop"}),
        ("jira_view_issue", {"key": "SHOP-12"}),
        ("prometheus_query", {"query": "up"}),
        ("kibana_status", {}),
        ("google_calendar_status", {}),
        ("kube_whoami", {}),
    ],
)
async def test_a_refusal_stays_one_whatever_its_body_is(
    contexts: Contexts, tmp_path: Path, tool: str, arguments: dict[str, Any], body: bytes
) -> None:
    """Its status is what it means; a body that nobody can read to its end adds nothing, and hides nothing."""
    (tmp_path / "token").write_text("t-1")
    with small_server(lambda _: Told(status=403, body=body)) as server:
        settings = {"url": server.url, "token_file": "token", "caldav_url": ""}
        async with default_registry() as registry:
            with pytest.raises(ToolError) as refused:
                await registry.call(tool, arguments, contexts(settings))
    assert (refused.value.http_status, refused.value.retry_after) == (403, None)
