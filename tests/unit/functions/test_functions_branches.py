"""What a branch has to build and what of it was pushed, in repositories made by the real git."""

from __future__ import annotations

from pathlib import Path

from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.functions.branches import git_branch_state


async def test_a_branch_is_counted_beyond_its_base(repository: Repository, contexts: Contexts) -> None:
    """Its own commits, and that no remote has them, because there is none."""
    repository.git("checkout", "--quiet", "-b", "fix-7")
    sha = repository.commit("Fix", {"a": "1"})
    told = await git_branch_state(repo=str(repository.path), context=contexts())
    assert (told["branch"], told["sha"], told["commits"], told["base"]) == ("fix-7", sha, 1, "main")
    assert (told["remote"], told["remotes"], told["pushed"], told["staged"]) == ("", [], False, 0)
    assert told["argument"] == f"'{repository.path}'"


async def test_a_repository_that_was_just_made_has_a_branch_without_commits(tmp_path: Path, contexts: Contexts) -> None:
    """The branch has a name already; what is staged is counted without reading the work tree."""
    made = Repository(path=tmp_path)
    made.git("init", "--quiet")
    (tmp_path / "a").write_text("1")
    made.git("add", "a")
    told = await git_branch_state(repo=str(tmp_path), context=contexts())
    assert (told["branch"], told["sha"], told["commits"], told["staged"]) == ("main", "", 0, 1)


async def test_a_pushed_branch_says_how_far_it_is_ahead(
    repository: Repository, tmp_path: Path, contexts: Contexts
) -> None:
    """By what the repository knows of its only remote, whatever that is called."""
    repository.git("init", "--bare", "--quiet", str(tmp_path / "server.git"))
    repository.git("remote", "add", "upstream", str(tmp_path / "server.git"))
    repository.git("push", "--quiet", "upstream", "main")
    repository.git("checkout", "--quiet", "-b", "fix-7")
    repository.commit("Fix", {"a": "1"})
    before = await git_branch_state(repo=str(repository.path), context=contexts())
    repository.git("push", "--quiet", "upstream", "fix-7")
    repository.commit("More", {"a": "2"})
    after = await git_branch_state(repo=str(repository.path), branch="fix-7", context=contexts())
    assert (before["remote"], before["pushed"], before["ahead"]) == ("upstream", False, 1)
    assert (after["remote"], after["pushed"], after["ahead"]) == ("upstream", True, 1)


async def test_a_branch_that_is_not_there_has_nothing(repository: Repository, contexts: Contexts) -> None:
    """That is an answer, and no failure; no name is taken for an option."""
    told = await git_branch_state(repo=str(repository.path), branch="--all", context=contexts())
    assert (told["sha"], told["commits"], told["pushed"], told["ahead"]) == ("", 0, False, 0)
