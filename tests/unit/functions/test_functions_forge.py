"""Merge requests as refs, by the real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.functions.forge import git_merge_request, git_merge_request_list
from tool_registry.tool import ToolError


@pytest.fixture
def forge(repository: Repository) -> Repository:
    """A forge with two open merge requests and a merged one."""
    repository.merge_request(9, "Sell vouchers", {"vouchers.py": "x"}, day=9)
    repository.merge_request(10, "Give discounts", {"discounts.py": "x"}, day=5)
    repository.git("update-ref", "refs/merge-requests/8/head", "main")
    return repository


@pytest.mark.usefixtures("forge")
async def test_open_merge_requests_come_newest_first(contexts: Contexts) -> None:
    """The newest is the one committed last, not the highest number; a merged one is not open."""
    found = await git_merge_request_list(contexts(), repo="My Shop")
    assert [(one["id"], one["title"], one["open"]) for one in found] == [
        (9, "Sell vouchers", True),
        (10, "Give discounts", True),
    ]


async def test_one_is_shown_with_its_branch(forge: Repository, contexts: Contexts) -> None:
    """The ref does not name a branch; the branch that ends in the same commit is it."""
    forge.git("branch", "feature/discounts", "refs/merge-requests/10/head")
    found = await git_merge_request(10, contexts(), repo="My Shop")
    assert (found["branch"], found["sha"]) == ("feature/discounts", forge.git("rev-parse", "feature/discounts"))
    assert found["date"] == "2026-01-05T09:00:00+00:00"


@pytest.mark.usefixtures("forge")
async def test_a_merged_one_can_still_be_shown(contexts: Contexts) -> None:
    """Testing what is merged already is a fair wish."""
    assert (await git_merge_request(8, contexts(), repo="My Shop"))["open"] is False


@pytest.mark.usefixtures("forge")
async def test_an_unknown_one_names_the_known(contexts: Contexts) -> None:
    """Whoever mistyped a number sees what there is."""
    with pytest.raises(ToolError, match=r"no merge request !7 in .*; known are !9 'Sell vouchers', !10 ") as caught:
        await git_merge_request(7, contexts(), repo="My Shop")
    assert (caught.value.kind, caught.value.details) == ("resource_not_found", {"known": [8, 9, 10]})


async def test_a_clone_is_asked_through_its_remote(forge: Repository, contexts: Contexts, tmp_path: Path) -> None:
    """A clone has no merge requests of its own; what the server serves arrives under the same names."""
    forge.git("clone", "--quiet", str(forge.path), str(tmp_path / "clone"))
    clone = Repository(path=tmp_path / "clone")
    found = await git_merge_request_list(contexts(), repo="clone")
    assert [one["id"] for one in found] == [9, 10]
    forge.git("update-ref", "refs/merge-requests/9/head", "refs/merge-requests/10/head")
    moved = await git_merge_request(9, contexts(), repo="clone")
    assert moved["title"] == "Give discounts"
    assert clone.git("rev-parse", "refs/merge-requests/9/head") == moved["sha"]
    assert clone.git("status", "--porcelain") == ""


async def test_a_remote_that_is_gone_is_a_failure(repository: Repository, contexts: Contexts) -> None:
    """An unreachable server is not the same as a server without merge requests."""
    repository.git("remote", "add", "origin", str(repository.path.parent / "gone"))
    with pytest.raises(ToolError, match="git ls-remote failed") as caught:
        await git_merge_request_list(contexts(), repo="My Shop")
    assert (caught.value.program, caught.value.exit_status) == ("git", 128)


async def test_an_empty_repository_has_none(contexts: Contexts, tmp_path: Path) -> None:
    """Not even a first commit is there to be compared with."""
    (tmp_path / "empty").mkdir()
    Repository(path=tmp_path / "empty").git("init", "--quiet")
    assert await git_merge_request_list(contexts(), repo="empty") == []
