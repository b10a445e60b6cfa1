"""Every tool of GitLab and Jira, called as its examples say: it does to the server what it declares.

A read leaves it as it was, an idempotent write leaves the same the second time. The examples fit what the stand-ins
hold.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.second_calls import claims
from tests.servers.gitlab import GitLab, gitlab
from tests.servers.jira import TOKEN, Jira, jira
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolContext

WORDS = "fix: 401 Unauthorized, connection refused, timed out, 3 failed"
"""What stands in the titles, and means nothing."""
TOOLS = [tool for tool in dict(default_registry()).values() if tool.domain in ("gitlab", "jira")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """A GitLab and a Jira, and somebody who is logged in at both."""

    gitlab: GitLab
    jira: Jira
    folder: Path
    token: str

    def context(self, tool: Tool) -> ToolContext:
        """What the tool is handed."""
        url = self.gitlab.url if tool.domain == "gitlab" else self.jira.url
        environment = {"GITLAB_TOKEN": self.token, "JIRA_API_TOKEN": TOKEN}
        settings = {"url": url, "project": "group/shop" if tool.domain == "gitlab" else "SHOP"}
        return ToolContext(
            settings=settings,
            folder=self.folder,
            state=self.folder,
            environment=environment,
            timeout=20,
            run_id="run-1",
        )

    def state(self) -> Any:
        """All there is that a tool could change, without the moments at which it was changed."""
        project = self.gitlab.found("group/shop")
        refs = project.git("for-each-ref")
        kept = (project.merge_requests, project.pipelines, project.jobs, self.jira.issues)
        return refs, _timeless(copy.deepcopy(kept))

    def real(self, example: dict[str, Any]) -> dict[str, Any]:
        """The example with the commit that is there."""
        head = self.gitlab.found("group/shop").sha("prices")
        return {name: head if name == "sha" else value for name, value in example.items()}


def _timeless(value: Any) -> Any:
    match value:
        case dict():
            return {name: _timeless(each) for name, each in value.items() if not str(name).endswith("_at")}
        case list() | tuple():
            return [_timeless(each) for each in value]
    return value


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """What the examples speak of is there."""
    with gitlab(tmp_path / "gitlab") as server, jira() as tracker:
        project = server.project("group/shop")
        project.commit("main", "Start", {"README.md": "a shop\n"})
        project.commit("prices", "Show prices", {"prices.py": "PRICE = 1\n"}, base="main")
        project.commit("returns", "Returns", {"returns.py": "\n"}, base="main")
        for _ in range(7):
            project.request("prices", "main", f"Prices: {WORDS}", {"username": "ada"})
        for number in range(1, 7):
            project.merge_requests[number]["state"] = "closed"
        project.pipeline(4711, "prices", {"build": "failed", "test": "running"}, merge_request=7)
        for number in range(12):
            tracker.issue("SHOP", f"No. {number}: {WORDS}")
        yield Forge(gitlab=server, jira=tracker, folder=tmp_path, token=server.token())


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_every_example_runs_and_does_to_the_server_what_the_tool_declares(tool: Tool, forge: Forge) -> None:
    """Twice, where that is said to be the same as once."""
    for example in tool.examples:
        before = forge.state()
        await tool.call(forge.real(dict(example)), forge.context(tool))
        once = forge.state()
        if tool.effect is Effect.READ:
            assert once == before
        if tool.idempotent:
            second = await tool.call(forge.real(dict(example)), forge.context(tool))
            assert (forge.state(), claims(second.value)) == (once, [])


@pytest.mark.parametrize("tool", [each for each in TOOLS if each.effect is not Effect.READ], ids=lambda tool: tool.name)
async def test_every_write_changes_something(tool: Tool, forge: Forge) -> None:
    """So that the test above sees what it should."""
    before = forge.state()
    changed = {"source_branch": "returns"} if tool.name == "gitlab_mr_create" else {}
    await tool.call(forge.real({**tool.examples[0], **changed}), forge.context(tool))
    assert forge.state() != before
