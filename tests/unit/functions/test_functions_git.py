"""Repositories and commits, by the real git."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.functions.git import (
    git_changed_files,
    git_commit_message,
    git_repository,
    git_rev_parse,
    git_show_file,
)
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def context(contexts: Contexts) -> ToolContext:
    """A context without a configured repository."""
    return contexts()


async def test_a_short_sha_is_expanded(repository: Repository, context: ToolContext) -> None:
    """Images are tagged with full SHAs, so a short one has to become one."""
    full = repository.git("rev-parse", "HEAD")
    assert await git_rev_parse(full[:7], context, repo="My Shop") == {
        "sha": full,
        "short": full[:8],
        "ref": full[:7],
        "expanded": True,
    }


async def test_a_full_sha_is_not_called_expanded(repository: Repository, context: ToolContext) -> None:
    """Nobody is told about an expansion that did not happen, whatever case the digits are in."""
    full = repository.git("rev-parse", "HEAD")
    answer = await git_rev_parse(full.upper(), context, repo="My Shop")
    assert (answer["sha"], answer["expanded"]) == (full, False)


@pytest.mark.usefixtures("repository")
async def test_an_unknown_commit_is_resource_not_found(context: ToolContext) -> None:
    """A SHA that was never fetched is told apart from a mistyped command."""
    with pytest.raises(ToolError, match=r"has no commit called 74ec56e; .*fetched") as caught:
        await git_rev_parse("74ec56e", context, repo="My Shop")
    assert (caught.value.kind, caught.value.exit_status, caught.value.program) == ("resource_not_found", 128, "git")


async def test_an_ambiguous_sha_names_its_candidates(repository: Repository, context: ToolContext) -> None:
    """Among 600 commits two share their first four digits; which one is meant is for the person to say."""
    commits = "".join(f"commit refs/heads/many\ncommitter A <a@b> {number} +0000\ndata 1\nx\n" for number in range(600))
    repository.git("fast-import", "--quiet", stdin=commits)
    names = sorted(repository.git("rev-list", "many").split())
    first = next(one for one, other in itertools.pairwise(names) if one[:4] == other[:4])
    with pytest.raises(ToolError, match="is ambiguous") as caught:
        await git_rev_parse(first[:4], context, repo="My Shop")
    assert caught.value.kind == "usage_error"
    assert first in caught.value.details["candidates"]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("ref", ["", "-h", "--upload-pack=touch /tmp/x"])
async def test_an_option_is_no_commit(context: ToolContext, ref: str) -> None:
    """What would be read as an option never reaches git."""
    with pytest.raises(ToolError, match="no name of a commit") as caught:
        await git_rev_parse(ref, context, repo="My Shop")
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)


@pytest.mark.usefixtures("repository")
async def test_the_message_comes_in_parts(context: ToolContext) -> None:
    """Subject, body, author and date are told apart."""
    told = await git_commit_message("main", context, repo="My Shop")
    assert {**told, "sha": ""} == {
        "sha": "",
        "subject": "Sell",
        "body": "Things have prices.",
        "author": "Ada Moor",
        "date": "2026-01-02T09:00:00+00:00",
    }


async def test_changes_are_counted_from_where_the_branch_left(repository: Repository, context: ToolContext) -> None:
    """What main did in the meantime is not the merge request's doing."""
    sha = repository.merge_request(1, "Bill", {"billing/invoice é.py": "x"}, day=3)
    fork = repository.git("rev-parse", "main")
    repository.commit("Meanwhile", {"other.py": "y"}, day=4)
    assert await git_changed_files(sha, context, repo="My Shop") == {
        "files": ["billing/invoice é.py"],
        "count": 1,
        "base": fork,
    }


async def test_a_commit_on_main_is_compared_with_its_parent(repository: Repository, context: ToolContext) -> None:
    """Compared with main itself it would have changed nothing."""
    changed = await git_changed_files("main", context, repo="My Shop")
    assert changed["files"] == ["shop/prices.py"]
    assert changed["base"] == repository.git("rev-parse", "main^")


@pytest.mark.usefixtures("repository")
async def test_the_first_commit_adds_everything(context: ToolContext) -> None:
    """There is nothing to compare it with."""
    changed = await git_changed_files("main~1", context, repo="My Shop")
    assert (changed["files"], changed["base"]) == (["Procfile", "README.md"], "")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("path", "found", "text"),
    [("Procfile", True, "web: serve"), ("shop/prices.py", True, "PRICE = 1"), ("shop", False, ""), ("no*", False, "")],
)
async def test_a_missing_file_is_a_normal_answer(context: ToolContext, path: str, found: object, text: str) -> None:
    """A folder is no file, and a star is a character."""
    answer = await git_show_file("main", path, context, repo="My Shop")
    assert (answer.found, answer.value) == (found, {"found": found, "path": path, "text": text})


async def test_a_repository_is_found_from_inside(repository: Repository, context: ToolContext) -> None:
    """A folder below its top means the whole of it; its images are named after it."""
    answer = await git_repository(context, repo="My Shop/shop")
    assert answer == {
        "path": str(repository.path),
        "argument": f"'{repository.path}'",
        "name": "my-shop",
        "image": "local/my-shop",
        "default_branch": "refs/heads/main",
        "demo": False,
    }


async def test_the_configured_repository_is_the_demo(repository: Repository, contexts: Contexts) -> None:
    """Without a name the configured one is meant, and its images are called as configured."""
    bare = repository.path.parent / "demo-shop.git"
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(bare))
    answer = await git_repository(contexts({"forge": str(bare), "image": "demo/shop"}))
    assert (answer["path"], answer["image"], answer["demo"]) == (str(bare), "demo/shop", True)


async def test_without_a_name_the_workspaces_own_repository_is_meant(repository: Repository) -> None:
    """Also from a folder inside it; where there is none, a name is asked for."""
    (inner := repository.path / "docs").mkdir()
    for folder in (repository.path, inner):
        found = await git_rev_parse("main", ToolContext(folder=folder, environment=os.environ))
        assert found["sha"] == repository.git("rev-parse", "main")
    with pytest.raises(ToolError, match="is in none; name one with repo") as caught:
        await git_rev_parse("main", ToolContext(folder=repository.path.parent))
    assert (caught.value.kind, caught.value.sent) == ("usage_error", False)


async def test_a_demo_nobody_made_yet_is_a_refused_connection(contexts: Contexts, tmp_path: Path) -> None:
    """The platform makes it when it starts, so what is missing is the platform."""
    settings = {"forge": str(tmp_path / "none.git"), "platform": str(tmp_path / "platform")}
    with pytest.raises(ToolError, match="Connection refused") as caught:
        await git_repository(contexts(settings))
    assert (caught.value.errno, caught.value.sent) == ("ECONNREFUSED", False)


@pytest.mark.parametrize(
    ("repo", "sentence"),
    [
        ("nowhere", "no folder nowhere$"),
        ("https://example.org/shop.git", "clone it and give the clone's folder"),
        ("plain", "is not a git repository"),
    ],
)
async def test_a_wrong_repository_is_a_usage_error(
    context: ToolContext, tmp_path: Path, repo: str, sentence: str
) -> None:
    """What is no folder, an address, and a folder without a repository are told apart."""
    (tmp_path / "plain").mkdir()
    with pytest.raises(ToolError, match=sentence) as caught:
        await git_repository(context, repo=repo)
    assert caught.value.kind == "usage_error"


async def test_a_surrounding_git_does_not_steer(repository: Repository, contexts: Callable[..., ToolContext]) -> None:
    """Run from a git hook, GIT_DIR points at that repository; the one that was named is still the one that is read."""
    context = contexts(GIT_DIR="/nowhere", GIT_WORK_TREE="/nowhere")
    answer = await git_repository(context, repo="My Shop")
    assert answer["path"] == str(repository.path)
