"""Work trees, branches and rebases, in repositories made by the real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.functions.git_branches import git_branch_list, git_diff_stat, git_merge_base
from tool_registry.functions.git_rebasing import git_rebase
from tool_registry.functions.git_work import git_branch_create, git_checkout, git_status
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def context(contexts: Contexts) -> ToolContext:
    """A context in which git knows whose commits it makes."""
    who = {f"GIT_{role}_{what}": "ada@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return contexts(**who)


def snapshot(repository: Repository) -> dict[str, tuple[bytes, int]]:
    """Every file, those of git too, with its time."""
    found = (path for path in repository.path.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def forked(repository: Repository, *, conflicting: bool) -> tuple[str, str]:
    """A branch `fix` of two commits, and a `main` that went on; both tips, `fix` is checked out."""
    repository.git("checkout", "--quiet", "-b", "fix")
    repository.commit("First", {"fix.txt": "1"}, day=3)
    tip = repository.commit("Second", {"shop/prices.py": "PRICE = 5"}, day=4)
    repository.git("checkout", "--quiet", "main")
    change = {"shop/prices.py": "PRICE = 9"} if conflicting else {"other.txt": "x"}
    main = repository.commit("Meanwhile", change, day=5)
    repository.git("checkout", "--quiet", "fix")
    return tip, main


async def test_a_status_tells_every_sort_of_change(repository: Repository, context: ToolContext) -> None:
    """Staged, changed, untracked, renamed and with odd names; nothing is written, the index neither."""
    clean = await git_status(context, repo=str(repository.path))
    assert (clean["clean"], clean["branch"], clean["upstream"]) == (True, "main", "")
    repository.git("mv", "Procfile", "Proc file\twith a tab")
    (repository.path / "README.md").write_text("changed")
    (repository.path / "new ü").write_text("x")
    before = snapshot(repository)
    told = await git_status(context, repo=str(repository.path))
    assert (told["staged"], told["changed"]) == (["Proc file\twith a tab"], ["README.md"])
    assert (told["untracked"], told["clean"], told["truncated"]) == (["new ü"], False, False)
    assert snapshot(repository) == before


async def test_a_branch_is_made_once(repository: Repository, context: ToolContext) -> None:
    """At the same commit the second call changes nothing; at another it is a conflict."""
    first = await git_branch_create("fix-7", context, repo=str(repository.path))
    before = snapshot(repository)
    again = await git_branch_create("fix-7", context, repo=str(repository.path))
    assert ((first["created"], again["created"]), snapshot(repository)) == ((True, False), before)
    with pytest.raises(ToolError, match="there is a branch fix-7 already") as caught:
        await git_branch_create("fix-7", context, start="main~1", repo=str(repository.path))
    assert caught.value.kind == "conflict"
    for name in ("-d", "a..b", "@{-1}", "x y"):
        with pytest.raises(ToolError, match="is no name of a branch"):
            await git_branch_create(name, context, repo=str(repository.path))


async def test_checking_out_goes_where_it_is_told(repository: Repository, context: ToolContext) -> None:
    """A branch, a commit, a branch that only the server has; twice is the same as once."""
    path = str(repository.path)
    await git_branch_create("fix", context, start="main~1", repo=path)
    there = await git_checkout("fix", context, repo=path)
    assert (there["branch"], there["previous_branch"], there["created"]) == ("fix", "main", False)
    assert not (repository.path / "shop").exists()
    again = await git_checkout("fix", context, repo=path)
    assert (again["sha"], again["previous_sha"]) == (there["sha"], there["sha"])
    commit = await git_checkout("main~1", context, repo=path)
    assert (commit["branch"], commit["sha"]) == ("", there["sha"])
    repository.git("update-ref", "refs/remotes/origin/theirs", "main")
    repository.git("remote", "add", "origin", "http://127.0.0.1:9/none.git")
    theirs = await git_checkout("theirs", context, repo=path)
    assert (theirs["branch"], theirs["created"]) == ("theirs", True)
    with pytest.raises(ToolError) as caught:
        await git_checkout("nowhere", context, repo=path)
    assert caught.value.kind == "resource_not_found"


async def test_checking_out_loses_no_change(repository: Repository, context: ToolContext) -> None:
    """The file is named and stays as it is."""
    (repository.path / "shop" / "prices.py").write_text("PRICE = 7")
    with pytest.raises(ToolError) as caught:
        await git_checkout("main~1", context, repo=str(repository.path))
    assert (caught.value.kind, caught.value.details["files"]) == ("conflict", ["shop/prices.py"])
    assert (repository.path / "shop" / "prices.py").read_text() == "PRICE = 7"


async def test_a_rebase_puts_commits_on_top_and_does_so_once(repository: Repository, context: ToolContext) -> None:
    """The second call finds nothing to do."""
    tip, main = forked(repository, conflicting=False)
    told = await git_rebase("main", context, repo=str(repository.path))
    assert (told["rebased"], told["changed"], told["before"], told["commits"]) == (True, True, tip, 2)
    assert repository.git("rev-parse", "HEAD~2") == main
    before = snapshot(repository)
    again = await git_rebase("main", context, repo=str(repository.path))
    assert (again["rebased"], again["changed"], again["after"], snapshot(repository)) == (
        True,
        False,
        told["after"],
        before,
    )


async def test_a_conflict_is_an_answer_and_nothing_is_left_half_done(
    repository: Repository, context: ToolContext
) -> None:
    """The files and the commit; the branch and the files stand as before."""
    tip, _ = forked(repository, conflicting=True)
    told = await git_rebase("main", context, repo=str(repository.path))
    assert (told["rebased"], told["conflicts"], told["stopped_at"]) == (False, ["shop/prices.py"], tip)
    state = await git_status(context, repo=str(repository.path))
    assert (state["sha"], state["clean"], state["operation"], state["branch"]) == (tip, True, "", "fix")


async def test_a_rebase_begins_only_where_nothing_can_be_lost(repository: Repository, context: ToolContext) -> None:
    """Not over changes, and not where another one was begun."""
    forked(repository, conflicting=True)
    (repository.path / "README.md").write_text("changed")
    with pytest.raises(ToolError, match=r"not committed: README\.md") as caught:
        await git_rebase("main", context, repo=str(repository.path))
    assert caught.value.kind == "conflict"
    repository.git("checkout", "--quiet", "README.md")
    with pytest.raises(Exception, match="returned non-zero"):
        repository.git("rebase", "--quiet", "main")
    with pytest.raises(ToolError, match="a rebase was begun") as begun:
        await git_rebase("main", context, repo=str(repository.path))
    assert begun.value.details == {"operation": "rebase"}
    assert (await git_status(context, repo=str(repository.path)))["operation"] == "rebase"


async def test_without_a_name_git_makes_no_commits(repository: Repository, contexts: Contexts, tmp_path: Path) -> None:
    """That is a matter of configuration, and nothing is left half done."""
    forked(repository, conflicting=False)
    (tmp_path / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    nobody = contexts(GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"), GIT_CONFIG_SYSTEM="/dev/null", EMAIL="")
    with pytest.raises(ToolError, match=r"user\.name") as caught:
        await git_rebase("main", nobody, repo=str(repository.path))
    assert caught.value.kind == "configuration_error"
    assert (await git_status(nobody, repo=str(repository.path)))["operation"] == ""


async def test_where_branches_parted_and_how_much_they_differ(repository: Repository, context: ToolContext) -> None:
    """Counted from the fork, or from what is named; two histories without a common commit are an answer."""
    path = str(repository.path)
    tip, main = forked(repository, conflicting=True)
    fork = await git_merge_base("main", "fix", context, repo=path)
    assert (fork["found"], fork["first"], fork["second"]) == (True, main, tip)
    assert (fork["only_first"], fork["only_second"]) == (1, 2)
    (repository.path / "picture").write_bytes(b"\0\1\2")
    repository.commit("Picture")
    stat = await git_diff_stat("main", context, head="fix", repo=path)
    assert stat["base"] == fork["sha"]
    assert [(each["path"], each["added"], each["removed"], each["binary"]) for each in stat["files"]] == [
        ("fix.txt", 1, 0, False),
        ("picture", 0, 0, True),
        ("shop/prices.py", 1, 1, False),
    ]
    assert (stat["count"], stat["added"], stat["removed"]) == (3, 2, 1)
    repository.git("checkout", "--quiet", "--orphan", "alone")
    repository.commit("Alone")
    assert (await git_merge_base("main", "alone", context, repo=path))["found"] is False


async def test_branches_are_listed_newest_first(repository: Repository, context: ToolContext) -> None:
    """With what is merged and what is checked out; a limit is told."""
    path = str(repository.path)
    forked(repository, conflicting=False)
    await git_branch_create("old", context, start="main~1", repo=path)
    told = await git_branch_list(context, repo=path)
    assert [(each["name"], each["merged"], each["current"]) for each in told["branches"]] == [
        ("main", True, False),
        ("fix", False, True),
        ("old", True, False),
    ]
    first = await git_branch_list(context, repo=path, limit=1)
    assert ([each["name"] for each in first["branches"]], first["truncated"]) == (["main"], True)
    assert (await git_branch_list(context, repo=path, remotes=True))["branches"] == []


@pytest.mark.parametrize(
    "setting", ["filter.x.clean", "filter.x.smudge", "merge.x.driver", "core.editor", "gpg.program", "diff.external"]
)
async def test_what_a_repository_would_have_started_is_refused(
    repository: Repository, context: ToolContext, tmp_path: Path, setting: str
) -> None:
    """By name, before anything runs."""
    forked(repository, conflicting=False)
    (repository.path / ".gitattributes").write_text("* filter=x merge=x\n")
    repository.git("config", setting, f"touch {tmp_path}/started")
    for call in (git_status(context, repo=str(repository.path)), git_checkout("main", context, str(repository.path))):
        with pytest.raises(ToolError, match=setting) as caught:
            await call
        assert caught.value.kind == "configuration_error"
    with pytest.raises(ToolError):
        await git_rebase("main", context, repo=str(repository.path))
    assert not (tmp_path / "started").exists()
