"""Cloning, fetching, pulling and pushing over HTTP, against git's own server program."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.texts import shipped
from engine.heal.detect import diagnose
from engine.model.failure import Evidence, Failure
from tests.servers.git_http import PASSWORD, USER, GitServer, git_server
from tests.unit.functions.shop_repository import Contexts, Repository
from tool_registry.functions.git_clones import git_clone
from tool_registry.functions.git_remotes import git_fetch, git_pull, git_push
from tool_registry.tool import ToolContext, ToolError


def kind_of(error: ToolError) -> str:
    """What the engine makes of it."""
    evidence = Evidence(
        declared=error.kind,
        http_status=error.http_status,
        exit_status=error.exit_status,
        errno=error.errno,
        program=error.program,
        text=error.output,
    )
    return diagnose(Failure(message=error.message, evidence=evidence), shipped()).kind.value


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """A server with a repository of one commit, `shop.git`."""
    with git_server(tmp_path / "served") as made:
        fill(made, tmp_path)
        yield made


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[GitServer]:
    """The same, for who knows the password."""
    with git_server(tmp_path / "served", login=True) as made:
        fill(made, tmp_path)
        yield made


def fill(server: GitServer, tmp_path: Path) -> None:
    """Puts a commit on `main`, by the file system."""
    bare = server.bare("shop.git")
    seed = Repository(path=tmp_path / "seed")
    seed.path.mkdir()
    seed.git("init", "--quiet")
    seed.commit("Start", {"README.md": "a shop", "prices": "1\n"})
    seed.git("push", "--quiet", str(bare), "main")


def somebody_pushes(tmp_path: Path, text: str = "2\n") -> str:
    """Another commit on the server's `main`, and its SHA."""
    seed = Repository(path=tmp_path / "seed")
    sha = seed.commit("Dearer", {"prices": text}, day=3)
    seed.git("push", "--quiet", str(tmp_path / "served" / "shop.git"), "main")
    return sha


async def cloned(server: GitServer, context: ToolContext, name: str = "mine") -> Repository:
    """A clone in the workspace."""
    done = await git_clone(f"{server.url}/shop.git", name, context)
    return Repository(path=Path(done["path"]))


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, with size and time."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


async def test_a_clone_is_whole_and_made_once(server: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """The second call finds it, asks nobody and changes nothing."""
    first = await git_clone(f"{server.url}/shop.git", "work/shop", contexts())
    assert (first["branch"], first["cloned"], first["path"]) == ("main", True, str(tmp_path / "work" / "shop"))
    assert first["sha"] == Repository(path=tmp_path / "seed").git("rev-parse", "HEAD")
    before, asked = everything(tmp_path / "work"), len(server.asked)
    again = await git_clone(f"{server.url}/shop.git", "work/shop", contexts())
    assert (again, everything(tmp_path / "work"), len(server.asked)) == ({**first, "cloned": False}, before, asked)


async def test_a_folder_that_is_something_else_is_left_alone(
    server: GitServer, contexts: Contexts, repository: Repository
) -> None:
    """A conflict, and no file of it is touched."""
    before = everything(repository.path)
    with pytest.raises(ToolError, match="is no clone of") as caught:
        await git_clone(f"{server.url}/shop.git", str(repository.path), contexts())
    assert (caught.value.kind, everything(repository.path)) == ("conflict", before)


async def test_a_clone_that_fails_leaves_nothing(server: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """Neither the folder nor a half of one; what is not there is a 404."""
    with pytest.raises(ToolError) as caught:
        await git_clone(f"{server.url}/none.git", "work/none", contexts())
    assert (caught.value.http_status, kind_of(caught.value)) == (404, "resource_not_found")
    assert list((tmp_path / "work").iterdir()) == []


async def test_a_fetch_says_what_moved_and_a_second_one_nothing(
    server: GitServer, contexts: Contexts, tmp_path: Path
) -> None:
    """Branches here and files stay as they are."""
    mine = await cloned(server, contexts())
    before, sha = mine.git("rev-parse", "HEAD"), somebody_pushes(tmp_path)
    told = await git_fetch(contexts(), repo=str(mine.path))
    assert told["refs"] == [{"ref": "refs/remotes/origin/main", "old": before, "new": sha}]
    kept = everything(mine.path)
    assert (await git_fetch(contexts(), repo=str(mine.path)))["count"] == 0
    assert (mine.git("rev-parse", "HEAD"), everything(mine.path)) == (before, kept)


async def test_a_pull_only_goes_forward(server: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """And is done once; where both went on, it is a conflict and nothing is merged."""
    mine = await cloned(server, contexts())
    sha = somebody_pushes(tmp_path)
    told = await git_pull(contexts(), repo=str(mine.path))
    assert (told["after"], told["commits"], (mine.path / "prices").read_text()) == (sha, 1, "2\n")
    again = await git_pull(contexts(), repo=str(mine.path))
    assert (again["before"], again["after"], again["commits"]) == (sha, sha, 0)
    own = mine.commit("Mine", {"mine": "x"})
    somebody_pushes(tmp_path, "3\n")
    with pytest.raises(ToolError) as caught:
        await git_pull(contexts(), repo=str(mine.path))
    assert (kind_of(caught.value), caught.value.details) == ("conflict", {"ahead": 1, "behind": 1})
    assert mine.git("rev-parse", "HEAD") == own


async def test_a_pull_does_not_overwrite_changes(server: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """The files are named, and stay."""
    mine = await cloned(server, contexts())
    somebody_pushes(tmp_path)
    (mine.path / "prices").write_text("9\n")
    with pytest.raises(ToolError, match="changes would be lost: prices") as caught:
        await git_pull(contexts(), repo=str(mine.path))
    assert (caught.value.kind, caught.value.details["files"]) == ("conflict", ["prices"])
    assert (mine.path / "prices").read_text() == "9\n"


async def test_a_push_is_done_once(server: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """A new branch is created; the second call finds that the server has it."""
    mine = await cloned(server, contexts())
    mine.git("checkout", "--quiet", "-b", "fix")
    sha = mine.commit("Fix", {"fix": "x" * 2_000_000})
    first = await git_push(contexts(), repo=str(mine.path), set_upstream=True)
    assert (first["pushed"], first["created"], first["sha"], first["branch"]) == (True, True, sha, "fix")
    bare = Repository(path=tmp_path / "served" / "shop.git")
    assert bare.git("rev-parse", "refs/heads/fix") == sha
    again = await git_push(contexts(), repo=str(mine.path), set_upstream=True)
    assert (again["pushed"], again["created"]) == (False, False)
    assert mine.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/fix"


async def test_a_push_that_lost_a_race_is_a_conflict(server: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """Structured, sent, and the server's branch stays what it was."""
    mine = await cloned(server, contexts())
    mine.commit("Mine", {"mine": "x"})
    sha = somebody_pushes(tmp_path)
    with pytest.raises(ToolError, match="fetch first") as caught:
        await git_push(contexts(), repo=str(mine.path))
    assert (kind_of(caught.value), caught.value.sent) == ("conflict", True)
    assert caught.value.details == {"rejected": "fetch first", "by_server": False}
    assert Repository(path=tmp_path / "served" / "shop.git").git("rev-parse", "main") == sha


async def test_what_a_servers_hook_declines_is_not_permitted(
    server: GitServer, contexts: Contexts, tmp_path: Path
) -> None:
    """Its words stand behind `remote:` and mean nothing, whatever they are."""
    mine = await cloned(server, contexts())
    mine.commit("Mine", {"mine": "x"})
    hook = tmp_path / "served" / "shop.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'fatal: Authentication failed for everybody' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ToolError, match="pre-receive hook declined") as caught:
        await git_push(contexts(), repo=str(mine.path))
    assert (kind_of(caught.value), caught.value.http_status) == ("permission_denied", None)


async def test_a_login_is_wanted_and_nobody_is_asked(locked: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """Not in the terminal, and not in a window either."""
    asker = tmp_path / "asker"
    asker.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-asked\necho x\n")
    asker.chmod(0o755)
    asking = contexts(GIT_ASKPASS=str(asker), SSH_ASKPASS=str(asker), DISPLAY=":0", HOME=str(tmp_path))
    with pytest.raises(ToolError) as caught:
        await git_clone(f"{locked.url}/shop.git", "mine", asking)
    assert (caught.value.http_status, kind_of(caught.value)) == (401, "auth_expired")
    assert not (tmp_path / "was-asked").exists()


def login(server: GitServer, contexts: Contexts, password: str = PASSWORD, **settings: Any) -> ToolContext:
    """A context whose domain knows the login of this server."""
    known = {"url": server.url, "username": USER, "credential": {"env": "FORGE_PASSWORD"}, **settings}
    return contexts(known, FORGE_PASSWORD=password)


async def test_the_domains_login_is_used_and_seen_nowhere(
    locked: GitServer, contexts: Contexts, tmp_path: Path, secrets: list[Any]
) -> None:
    """Clone, fetch and push; it is in no file of the clone, in no result, and on no command line."""
    context = login(locked, contexts, GIT_TRACE2="1")
    trace = tmp_path / "trace"
    context.environment["GIT_TRACE2_EVENT"] = str(trace)  # type: ignore[index] # a dictionary in tests
    mine = await cloned(locked, context)
    mine.commit("Mine", {"mine": "x"})
    fetched, pushed = await git_fetch(context, repo=str(mine.path)), await git_push(context, repo=str(mine.path))
    assert pushed["pushed"] is True
    written = [path.read_bytes() for path in mine.path.rglob("*") if path.is_file()]
    assert not [text for text in [*written, str([fetched, pushed]).encode()] if PASSWORD.encode() in text]
    assert PASSWORD in secrets
    lines = trace.read_text()
    assert "git_credential.py" in lines, "the commands of git were traced"
    assert PASSWORD not in lines


async def test_a_wrong_password_is_a_401_and_is_not_told(locked: GitServer, contexts: Contexts) -> None:
    """So that a login may be renewed, and nothing else be tried."""
    with pytest.raises(ToolError) as caught:
        await git_clone(f"{locked.url}/shop.git", "mine", login(locked, contexts, "quite-another"))
    assert (caught.value.http_status, kind_of(caught.value)) == (401, "auth_expired")
    assert "quite-another" not in f"{caught.value.message}{caught.value.output}{caught.value.details}"


async def test_the_login_is_for_its_own_server_only(locked: GitServer, contexts: Contexts, tmp_path: Path) -> None:
    """Another server that asks for one gets none; nor does one that the repository's settings put in between."""
    with git_server(tmp_path / "other", login=True) as other:
        with pytest.raises(ToolError) as caught:
            await git_clone(f"{other.url}/shop.git", "theirs", login(locked, contexts))
        assert caught.value.http_status == 401
        assert not [asked for asked in other.asked if "with login" in asked]
    mine = await cloned(locked, login(locked, contexts))
    mine.git("config", "http.proxy", "http://127.0.0.1:9")
    with pytest.raises(ToolError, match=r"http\.proxy") as steered:
        await git_fetch(login(locked, contexts), repo=str(mine.path))
    assert (steered.value.kind, steered.value.sent) == ("configuration_error", False)


@pytest.mark.parametrize(
    "url",
    [
        "http://ann:s3cret@forge.example/shop.git",
        "ext::sh -c true",
        "--upload-pack=x",
        "shop",
        "javascript://x/y",
        "ext::sh",
    ],
)
async def test_an_address_that_is_none_is_refused(contexts: Contexts, tmp_path: Path, url: str) -> None:
    """Before git is started, and without what is secret in it."""
    with pytest.raises(ToolError) as caught:
        await git_clone(url, "mine", contexts(HOME=str(tmp_path)))
    assert "s3cret" not in caught.value.message
    assert kind_of(caught.value) in {"usage_error", "unknown"}  # git itself refuses the transport `ext`
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, "permission_denied"), (404, "resource_not_found"), (429, "rate_limited"), (503, "server_error")],
)
async def test_what_the_server_answers_is_known_by_its_status(
    server: GitServer, contexts: Contexts, status: int, kind: str
) -> None:
    """Git says "unable to access" for all of them."""
    mine = await cloned(server, contexts())
    server.refuse = status
    for call in (git_fetch, git_push):
        with pytest.raises(ToolError) as caught:
            await call(contexts(), repo=str(mine.path))
        assert (caught.value.http_status, kind_of(caught.value)) == (status, kind)


async def test_a_page_for_people_is_no_repository_without_branches(
    server: GitServer, contexts: Contexts, tmp_path: Path
) -> None:
    """Git takes the page of somebody's login for an empty repository, and with `prune` would forget every branch."""
    mine = await cloned(server, contexts())
    server.page = b"<html><body>Please log in</body></html>"
    for call in (
        git_clone(f"{server.url}/shop.git", "other", contexts()),
        git_fetch(contexts(), repo=str(mine.path), prune=True),
        git_push(contexts(), repo=str(mine.path)),
    ):
        with pytest.raises(ToolError) as caught:
            await call
        assert kind_of(caught.value) in {"api_contract_mismatch", "resource_not_found"}
    assert not (tmp_path / "other").exists()
    assert mine.git("rev-parse", "origin/main")


async def test_an_empty_repository_is_cloned(server: GitServer, contexts: Contexts) -> None:
    """One that really has no branches yet."""
    server.bare("new.git")
    done = await git_clone(f"{server.url}/new.git", "new", contexts())
    assert (done["cloned"], done["sha"], done["branch"]) == (True, "", "main")


async def test_a_branch_that_is_gone_is_forgotten_when_asked(
    server: GitServer, contexts: Contexts, tmp_path: Path
) -> None:
    """And stays otherwise."""
    bare = Repository(path=tmp_path / "served" / "shop.git")
    bare.git("branch", "old", "main")
    mine = await cloned(server, contexts())
    bare.git("branch", "-D", "old")
    assert (await git_fetch(contexts(), repo=str(mine.path)))["count"] == 0
    told = await git_fetch(contexts(), repo=str(mine.path), prune=True)
    assert [(each["ref"], each["new"]) for each in told["refs"]] == [("refs/remotes/origin/old", "")]


async def test_who_cannot_be_reached_is_known_by_the_systems_error(server: GitServer, contexts: Contexts) -> None:
    """Git says "Couldn't connect to server" for a refusal and for no route; a name that nobody knows is a third."""
    mine = await cloned(server, contexts())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mine.git("remote", "set-url", "origin", f"http://127.0.0.1:{free.getsockname()[1]}/shop.git")
        with pytest.raises(ToolError) as caught:
            await git_push(contexts(), repo=str(mine.path))
    assert (caught.value.errno, caught.value.sent) == ("ECONNREFUSED", False)
    mine.git("remote", "set-url", "origin", "http://no-such-host.invalid/shop.git")
    with pytest.raises(ToolError) as unknown:
        await git_fetch(contexts(http_proxy="", https_proxy="", HTTP_PROXY="", HTTPS_PROXY=""), repo=str(mine.path))
    assert (kind_of(unknown.value), unknown.value.sent) == ("dns_failure", False)


async def test_a_server_that_never_answers_is_left_in_time(contexts: Contexts, tmp_path: Path) -> None:
    """And no process of git stays behind."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/shop.git"
        with pytest.raises(ToolError) as caught:
            await git_clone(url, "mine", contexts(timeout=1.5))
    assert caught.value.kind == "timeout"
    assert url not in running()
    assert left_of(tmp_path, "mine") == []


def left_of(folder: Path, name: str) -> list[Path]:
    """Whatever has that name in its own."""
    return [path for path in folder.iterdir() if name in path.name]


def running() -> str:
    """The command lines of everything that runs."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


async def test_a_password_is_not_sent_in_the_clear(contexts: Contexts, tmp_path: Path) -> None:
    """Neither the name nor the host is asked for."""
    context = contexts({"url": "http://forge.example", "credential": {"env": "PW"}}, PW="x")
    with pytest.raises(ToolError, match="not sent there in the clear") as caught:
        await git_clone("http://forge.example/shop.git", "mine", context)
    assert (caught.value.kind, caught.value.sent, left_of(tmp_path, "mine")) == ("configuration_error", False, [])
