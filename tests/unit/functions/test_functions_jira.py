"""The tools of Jira, against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.jira import TOKEN, Jira, jira
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.jira import jira_list_issues, jira_login_state, jira_view_issue
from tool_registry.functions.jira_changes import jira_add_comment, jira_create_issue, jira_transition
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def server() -> Iterator[Jira]:
    """A Jira with one project."""
    with jira() as made:
        yield made


@pytest.fixture
def context(server: Jira, contexts: Contexts) -> ToolContext:
    """Somebody with a token."""
    return contexts({"url": server.url, "project": "SHOP"}, JIRA_API_TOKEN=TOKEN)


async def test_issues_are_listed_page_by_page(server: Jira, context: ToolContext) -> None:
    """In the order of the query, no more than are wanted; a query that is none is refused in Jira's words."""
    for number in range(130):
        server.issue("SHOP", f"No. {number}")
    listed = await jira_list_issues("project = SHOP ORDER BY created DESC", context, limit=120)
    assert (listed["count"], listed["truncated"], listed["issues"][0]["summary"]) == (120, True, "No. 129")
    assert (await jira_list_issues('summary ~ "none"', context))["issues"] == []
    with pytest.raises(ToolError, match="Error in the JQL Query") as refused:
        await jira_list_issues("project ==== SHOP", context)
    assert (refused.value.kind, refused.value.http_status) == ("usage_error", 400)


async def test_issues_are_found_in_atlassians_cloud(server: Jira, context: ToolContext) -> None:
    """Which has no such search as a server of one's own has, and says so; made once they are there, too."""
    server.cloud = True
    made = [await jira_create_issue("Prices", context) for _ in range(2)]
    assert [one["created"] for one in made] == [True, False]
    for number in range(130):
        server.issue("SHOP", f"No. {number}")
    listed = await jira_list_issues("project = SHOP ORDER BY created DESC", context, limit=120)
    assert (listed["count"], listed["truncated"], listed["issues"][0]["summary"]) == (120, True, "No. 129")
    everything = await jira_list_issues("project = SHOP", context, limit=1_000)
    assert (everything["count"], everything["truncated"]) == (131, False)
    with pytest.raises(ToolError, match="Error in the JQL Query"):
        await jira_list_issues("project ==== SHOP", context)


async def test_an_issue_is_made_once_in_a_run(server: Jira, context: ToolContext) -> None:
    """Also when the answer to the first call was lost."""
    server.losing = "POST /issue"
    with pytest.raises(ToolError) as lost:
        await jira_create_issue("Prices are missing", context, description="All of them", type="Bug")
    assert lost.value.sent
    again = await jira_create_issue("Prices are missing", context, description="All of them", type="Bug")
    assert (again["created"], again["issue"]["key"], again["issue"]["type"]) == (False, "SHOP-1", "Bug")
    other = await jira_create_issue("Returns are missing", context)
    assert (other["created"], len(server.issues)) == (True, 2)
    assert server.issues["SHOP-1"]["fields"]["description"] == "All of them\n\n(skill run run-1)"
    with pytest.raises(ToolError, match="valid issue type is required"):
        await jira_create_issue("Odd", context, type="Odd")


async def test_a_comment_is_made_once_in_a_run(server: Jira, context: ToolContext) -> None:
    """And on an issue that is not there, none."""
    server.issue("SHOP", "Prices")
    assert [(await jira_add_comment("SHOP-1", "seen", context))["created"] for _ in range(2)] == [True, False]
    assert len(server.issues["SHOP-1"]["fields"]["comment"]["comments"]) == 1
    assert (await jira_add_comment("SHOP-9", "seen", context))["found"] is False


async def test_an_issue_is_moved_along_its_workflow(server: Jira, context: ToolContext) -> None:
    """To where it stands nothing is done; a way that is none says which there are."""
    server.issue("SHOP", "Prices")
    assert await jira_transition("SHOP-1", "in progress", context) == {
        "found": True,
        "changed": True,
        "before": "To Do",
        "status": "In Progress",
    }
    assert (await jira_transition("SHOP-1", "In Progress", context))["changed"] is False
    assert (await jira_transition("SHOP-1", "Finish", context))["status"] == "Done"
    with pytest.raises(ToolError, match="no transition leads to In Progress, but to: To Do") as refused:
        await jira_transition("SHOP-1", "In Progress", context)
    assert (refused.value.kind, refused.value.details["ways"]) == ("conflict", ["To Do"])
    assert (await jira_transition("SHOP-9", "Done", context))["found"] is False


async def test_whose_the_token_is(server: Jira, context: ToolContext) -> None:
    """As Jira itself tells; a token that it does not take is a 401."""
    assert await jira_login_state(context) == {"ok": True, "user": "ada"}
    server.tokens.clear()
    with pytest.raises(ToolError) as refused:
        await jira_login_state(context)
    assert refused.value.http_status == 401


async def test_a_token_that_has_ended_is_a_401(server: Jira, context: ToolContext) -> None:
    """So that the domain's login helps."""
    server.issue("SHOP", "Prices")
    server.tokens.clear()
    with pytest.raises(ToolError, match="Client must be authenticated") as refused:
        await jira_view_issue("SHOP-1", context)
    assert refused.value.http_status == 401
