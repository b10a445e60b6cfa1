"""The tools of GitLab, against the stand-in with real repositories."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.gitlab import GitLab, gitlab
from tests.servers.gitlab_project import BEGAN, Project
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.gitlab import gitlab_mr_pipeline
from tool_registry.functions.gitlab_pipeline_changes import gitlab_ci_cancel, gitlab_ci_retried, gitlab_ci_retry
from tool_registry.functions.gitlab_pipelines import (
    Pipelines,
    gitlab_ci_jobs,
    gitlab_ci_list,
    gitlab_ci_trace,
    gitlab_ci_view,
)
from tool_registry.functions.gitlab_repository import gitlab_branch_list, gitlab_commit, gitlab_file_read
from tool_registry.functions.gitlab_request_changes import (
    gitlab_mr_close,
    gitlab_mr_comment,
    gitlab_mr_create,
    gitlab_mr_merge,
    gitlab_mr_update,
)
from tool_registry.functions.gitlab_requests import gitlab_mr_list, gitlab_mr_view
from tool_registry.functions.logins import gitlab_login_state
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitLab]:
    """A GitLab with one project: main, a branch with a change, one that conflicts."""
    with gitlab(tmp_path / "gitlab") as made:
        project = made.project("group/shop")
        project.commit("main", "Start", {"README.md": "a shop\n", "docs/a b.md": "about\n"})
        project.commit("prices", "Show prices", {"prices.py": "PRICE = 1\n"}, base="main")
        project.commit("rival", "Another shop", {"README.md": "a rival\n"}, base="main")
        project.commit("main", "The shop", {"README.md": "the shop\n"})
        yield made


@pytest.fixture
def project(server: GitLab) -> Project:
    """Its project."""
    return server.found("group/shop")


@pytest.fixture
def context(server: GitLab, contexts: Contexts) -> ToolContext:
    """Somebody with a token."""
    return contexts({"url": server.url, "project": "group/shop"}, GITLAB_TOKEN=server.token())


def writes(server: GitLab) -> list[str]:
    """What was asked that writes."""
    return [each for each in server.asked if not each.startswith("GET")]


async def test_a_merge_request_is_opened_once(server: GitLab, context: ToolContext) -> None:
    """The second call finds it, and says so."""
    made = await gitlab_mr_create("prices", "Show prices", context, description="All of them", labels=["a", "b"])
    again = await gitlab_mr_create("prices", "Show prices", context)
    assert (made["created"], again["created"], again["merge_request"]["mr_id"]) == (True, False, 1)
    assert (made["merge_request"]["labels"], made["merge_request"]["state"]) == (["a", "b"], "opened")
    assert len(writes(server)) == 1


async def test_a_creation_whose_answer_is_lost_is_found_again(server: GitLab, context: ToolContext) -> None:
    """The server had done it: the repeated call makes no second one."""
    server.losing = "POST /projects/group%2Fshop/merge_requests"
    with pytest.raises(ToolError) as lost:
        await gitlab_mr_create("prices", "Show prices", context)
    assert (lost.value.sent, lost.value.errno) == (True, "ECONNRESET")
    assert (await gitlab_mr_create("prices", "Show prices", context))["created"] is False
    assert (await gitlab_mr_list(context))["count"] == 1


async def test_a_branch_that_is_not_there_is_refused_in_gitlabs_words(context: ToolContext) -> None:
    """What was asked is wrong: neither a login nor a repetition helps."""
    with pytest.raises(ToolError, match="Source branch does not exist") as refused:
        await gitlab_mr_create("none", "Nothing", context)
    assert (refused.value.kind, refused.value.http_status) == ("usage_error", 422)


async def test_a_merge_request_is_viewed_with_its_approvals(project: Project, context: ToolContext) -> None:
    """And one that is not there is a normal answer."""
    project.approvals_required = 2
    project.request("prices", "main", "Show prices", {"username": "ada"}, description="All")
    project.pipeline(12, "prices", {"build": "running"}, merge_request=1)
    seen = await gitlab_mr_view(1, context)
    assert (seen["found"], seen["description"], seen["can_merge"], seen["pipeline"]) == (
        True,
        "All",
        "mergeable",
        "running",
    )
    assert seen["approvals"] == {"approved": False, "required": 2, "left": 2, "by": []}
    assert (await gitlab_mr_view(99, context))["found"] is False


async def test_a_project_that_is_not_there_is_a_failure(context: ToolContext) -> None:
    """Whoever may not see a project is told the same, so that it is no answer about a merge request."""
    with pytest.raises(ToolError, match="404 Project Not Found") as refused:
        await gitlab_mr_view(1, context, project="group/none")
    assert refused.value.http_status == 404


async def test_merge_requests_are_listed_page_by_page(server: GitLab, project: Project, context: ToolContext) -> None:
    """The newest first, no more than are wanted, and whether there are more."""
    for number in range(120):
        project.request("prices", "main", f"No. {number}", {"username": "ada"}, labels="odd" if number % 2 else "")
    listed = await gitlab_mr_list(context, limit=110)
    assert (listed["count"], listed["truncated"], listed["merge_requests"][0]["title"]) == (110, True, "No. 119")
    odd = await gitlab_mr_list(context, labels=["odd"])
    assert (odd["count"], odd["truncated"]) == (60, False)
    assert (await gitlab_mr_list(context, state="merged"))["merge_requests"] == []
    assert len(server.asked) == 4


async def test_an_update_changes_what_is_named_and_only_once(
    server: GitLab, project: Project, context: ToolContext
) -> None:
    """What stands so already is not written."""
    project.request("prices", "main", "Show prices", {"username": "ada"}, description="All", labels="a")
    done = await gitlab_mr_update(1, context, title="Prices", labels=["b", "a"])
    again = await gitlab_mr_update(1, context, title="Prices", labels=["a", "b"])
    assert (done["changed"], again["changed"], len(writes(server))) == (True, False, 1)
    assert (project.merge_requests[1]["title"], project.merge_requests[1]["description"]) == ("Prices", "All")
    assert await gitlab_mr_update(99, context, title="x") == {"found": False, "changed": False, "merge_request": None}
    with pytest.raises(ToolError, match="say what is to change"):
        await gitlab_mr_update(1, context)


async def test_a_comment_is_made_once_in_a_run(server: GitLab, project: Project, contexts: Contexts) -> None:
    """The run is written where GitLab does not show it; another run says the same again."""
    project.request("prices", "main", "Show prices", {"username": "ada"})
    settings, token = {"url": server.url, "project": "group/shop"}, server.token()
    first = contexts(settings, GITLAB_TOKEN=token)
    second = replace(first, run_id="run-2")
    made = [(await gitlab_mr_comment(1, "ready", each))["created"] for each in (first, first, second)]
    assert made == [True, False, True]
    assert [one["body"] for one in project.merge_requests[1]["notes"]] == [
        f"ready\n\n<!-- skill run {run} -->" for run in ("run-1", "run-2")
    ]
    assert (await gitlab_mr_comment(99, "ready", first))["found"] is False


async def test_what_is_quoted_does_nothing_at_gitlab(project: Project, context: ToolContext) -> None:
    """A line of a log or a commit may be one of GitLab's quick actions, and would be done in our name."""
    quoted = "its log:\n/approve\n  /label ~ready\r/merge\n/usr/lib/python3 is /close to full\n/close"
    plain = quoted.replace("/approve", "\\/approve").replace("/label", "\\/label").replace("/merge", "\\/merge")
    plain = f"{plain[:-6]}\\/close"
    await gitlab_mr_create("prices", "Show prices", context, description=quoted)
    assert project.merge_requests[1]["description"] == plain
    assert not (await gitlab_mr_update(1, context, description=quoted))["changed"]
    assert [(await gitlab_mr_comment(1, quoted, context))["created"] for _ in range(2)] == [True, False]
    assert project.merge_requests[1]["notes"][0]["body"].startswith(f"{plain}\n")


async def test_a_merge_request_is_merged_once_and_only_as_it_was_looked_at(
    project: Project, context: ToolContext
) -> None:
    """The merge is in the repository; what was pushed meanwhile is not merged, a conflict is one."""
    project.request("prices", "main", "Show prices", {"username": "ada"})
    project.request("rival", "main", "Another", {"username": "ada"})
    with pytest.raises(ToolError, match="SHA does not match") as stale:
        await gitlab_mr_merge(1, context, sha="0" * 40)
    assert stale.value.http_status == 409
    done = await gitlab_mr_merge(1, context, sha=project.sha("prices"))
    assert done["merge_request"] is not None
    assert project.sha("main") == done["merge_request"]["merge_commit"]
    assert (await gitlab_mr_merge(1, context))["changed"] is False
    with pytest.raises(ToolError) as conflict:
        await gitlab_mr_merge(2, context)
    assert (conflict.value.kind, conflict.value.http_status) == ("conflict", 422)


async def test_a_merge_whose_answer_is_lost_is_found_again(
    server: GitLab, project: Project, context: ToolContext
) -> None:
    """The branch is merged once, and the second call says by which commit."""
    project.request("prices", "main", "Show prices", {"username": "ada"})
    server.losing = "PUT /projects/group%2Fshop/merge_requests/1/merge"
    with pytest.raises(ToolError):
        await gitlab_mr_merge(1, context)
    merged = project.sha("main")
    again = await gitlab_mr_merge(1, context)
    assert again["merge_request"] is not None
    assert (again["changed"], again["merge_request"]["merge_commit"], project.sha("main")) == (False, merged, merged)


async def test_a_merge_request_is_closed_once(project: Project, context: ToolContext) -> None:
    """One that is closed stays as it is, and one that is not there is a normal answer."""
    project.request("prices", "main", "Show prices", {"username": "ada"})
    assert [(await gitlab_mr_close(1, context))["changed"] for _ in range(2)] == [True, False]
    assert project.merge_requests[1]["state"] == "closed"
    assert (await gitlab_mr_close(99, context))["found"] is False


def ids(told: Pipelines) -> list[int]:
    """The numbers of the pipelines."""
    return [each["pipeline_id"] for each in told["pipelines"]]


async def test_pipelines_and_jobs_are_told(project: Project, context: ToolContext) -> None:
    """By branch and by merge request, only those that go on, and what a job wrote last."""
    project.request("prices", "main", "Show prices", {"username": "ada"})
    project.pipeline(11, "prices", {"build": "success", "test": "failed"}, merge_request=1)
    project.pipeline(12, "prices", {"build": "running"}, merge_request=1)
    project.pipeline(13, "main", {"deploy": "manual"})
    assert ids(await gitlab_ci_list(context)) == [13, 12, 11]
    assert ids(await gitlab_ci_list(context, mr_id=1, state="active")) == [12]
    assert ids(await gitlab_ci_list(context, ref="main", state="finished")) == [13]
    assert (await gitlab_ci_list(context, mr_id=99))["found"] is False
    jobs = await gitlab_ci_jobs(11, context)
    assert (jobs["failed"], [one["why"] for one in jobs["jobs"]]) == (["test"], ["", "script_failure"])
    trace = await gitlab_ci_trace(jobs["jobs"][1]["job_id"], context, lines=1)
    assert trace == {"found": True, "text": "failed", "lines": 2, "truncated": True}
    assert (await gitlab_ci_trace(5, context))["found"] is False
    assert await gitlab_ci_view(99, context) == {"found": False, "pipeline": None}


async def test_the_newest_pipeline_of_a_merge_request_that_is_not_there_is_none(context: ToolContext) -> None:
    """Which is an answer; that the project is not there is none."""
    assert (await gitlab_mr_pipeline("group/shop", 99, context)).value == {"found": False}
    with pytest.raises(ToolError, match="404 Project Not Found"):
        await gitlab_mr_pipeline("group/none", 99, context)


async def test_pipelines_are_cancelled_and_repeated(server: GitLab, project: Project, context: ToolContext) -> None:
    """Only where there is something to do."""
    project.pipeline(12, "prices", {"build": "running", "test": "pending"})
    first, second = await gitlab_ci_cancel(12, context), await gitlab_ci_cancel(12, context)
    assert (first["changed"], second["changed"], second["pipeline"]) == (True, False, first["pipeline"])
    assert first["pipeline"] is not None
    assert first["pipeline"]["status"] == "canceled"
    assert (await gitlab_ci_retried(12, context))["happened"] is None
    for job in project.jobs.values():
        job["finished_at"] = BEGAN if job["pipeline_id"] == 12 else job["finished_at"]
    assert (await gitlab_ci_retried(12, context))["happened"] is False
    again = await gitlab_ci_retry(12, context)
    assert (again["changed"], project.status(12)) == (True, "pending")
    assert await gitlab_ci_retried(12, context) == {"happened": True, "value": again}
    assert (await gitlab_ci_retry(12, context))["changed"] is False
    assert (await gitlab_ci_cancel(99, context))["found"] is False
    assert len(writes(server)) == 2


async def test_files_branches_and_commits_are_read(project: Project, context: ToolContext) -> None:
    """As they are in the repository; what is not there is a normal answer."""
    project.commit("main", "Bytes", {"odd": "x"})
    read = await gitlab_file_read("docs/a b.md", context, ref="main")
    assert (read["text"], read["size"], read["sha"]) == ("about\n", 6, project.sha("main"))
    assert [
        (await gitlab_file_read("none", context))["found"],
        (await gitlab_file_read("odd", context, ref="x"))["found"],
    ] == [
        False,
        False,
    ]
    names = [one["name"] for one in (await gitlab_branch_list(context))["branches"]]
    assert names == ["main", "prices", "rival"]
    commit = await gitlab_commit("prices", context)
    assert (commit["sha"], commit["title"], commit["added"]) == (project.sha("prices"), "Show prices", 1)
    assert (await gitlab_commit("none", context))["found"] is False


async def test_the_token_comes_from_a_file_a_program_or_the_environment(
    server: GitLab, contexts: Contexts, tmp_path: Path, secrets: list[Any]
) -> None:
    """Read anew for every call, and masked wherever it comes from."""
    token = server.token()
    (tmp_path / "token").write_text(f"{token}\n")
    command = [sys.executable, "-c", f"print({token!r})"]
    told = {"url": server.url, "token_type": "oauth"}
    for kept in ({"file": str(tmp_path / "token")}, {"command": command}, {"env": "GITLAB_TOKEN"}):
        state = await gitlab_login_state(contexts({**told, "credential": kept}, GITLAB_TOKEN=token))
        assert (state["user"], token in secrets) == ("ada", True)
        secrets.clear()
    with pytest.raises(ToolError, match="printed none") as failed:
        await gitlab_login_state(contexts({"url": server.url, "credential": {"command": ["false"]}}))
    assert (failed.value.kind, failed.value.sent) == ("configuration_error", False)


async def test_what_gitlab_refuses_is_told_in_its_words(server: GitLab, contexts: Contexts) -> None:
    """An ended token, one that may not, too many requests; and without a project nothing is asked."""
    settings = {"url": server.url, "project": "group/shop"}
    reading = contexts(settings, GITLAB_TOKEN=server.token("read_api"))
    with pytest.raises(ToolError, match="insufficient_scope: The request requires higher privileges") as scope:
        await gitlab_mr_create("prices", "Show prices", reading)
    assert (scope.value.http_status, scope.value.kind) == (403, None)
    server.expire()
    with pytest.raises(ToolError, match="Token is expired") as ended:
        await gitlab_mr_list(reading)
    assert ended.value.http_status == 401
    server.remaining = 0
    with pytest.raises(ToolError) as many:
        await gitlab_mr_list(reading)
    assert (many.value.http_status, many.value.retry_after) == (429, 60)
    with pytest.raises(ToolError, match="has no project"):
        await gitlab_mr_list(contexts({"url": server.url}))
