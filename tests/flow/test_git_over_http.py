"""Git against its own server program, by skills that the real command runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.git_http import PASSWORD, USER, GitServer, git_server
from tests.shell import Shell
from tests.unit.functions.shop_repository import Repository

pytestmark = pytest.mark.timeout(240)
SETTINGS = """
[services.git]
description = "The shop's forge."
url = "{url}"
username = "{user}"
credential = {{env = "FORGE_PASSWORD"}}
"""
CHANGE = """
name: change
description: Clones, makes a branch, and pushes it.
inputs:
  - {name: url, type: string, required: true}
steps:
  - {name: clone, tool: git_clone, args: {url: "{{ inputs.url }}", folder: shop}}
  - {name: branch, tool: git_branch_create, args: {repo: "{{ clone.path }}", name: fix}}
  - {name: checkout, tool: git_checkout, args: {repo: "{{ clone.path }}", ref: fix}}
  - {name: push, tool: git_push, args: {repo: "{{ clone.path }}", set_upstream: true}}
  - {name: fetch, tool: git_fetch, args: {repo: "{{ clone.path }}"}}
  - {name: status, tool: git_status, args: {repo: "{{ clone.path }}"}}
outputs:
  - {name: pushed, value: "{{ push.created }}"}
  - {name: upstream, value: "{{ status.upstream }}"}
"""
RENEWED = """
[services.git]
url = "{url}"
username = "{user}"
credential = {{file = "password"}}
login = {{tool = "forge_login"}}
"""
FORGE_LOGIN = """
name: forge_login
description: Gets the password of today.
effect: write
idempotent: true
domain: git
fix: credentials
command:
  argv: [sh, -c, 'echo login >> log; cp todays password']
  output: none
"""
PUSH = """
name: push_it
description: Pushes what is checked out.
steps:
  - {name: push, tool: git_push, args: {repo: shop}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """A server that wants a login, with one commit on `main`."""
    with git_server(tmp_path / "served", login=True) as made:
        bare = made.bare("shop.git")
        seed = Repository(path=tmp_path / "seed")
        seed.path.mkdir()
        seed.git("init", "--quiet")
        seed.commit("Start", {"README.md": "a shop"})
        seed.git("push", "--quiet", str(bare), "main")
        yield made


@pytest.fixture
def shell(tmp_path: Path, server: GitServer) -> Shell:
    """A workspace that knows the login by the name of a variable."""
    folder = tmp_path / "work"
    (folder / "skills").mkdir(parents=True)
    (folder / "skill.toml").write_text(SETTINGS.format(url=server.url, user=USER))
    (folder / "skills" / "change.yaml").write_text(CHANGE)
    (folder / "skills" / "push_it.yaml").write_text(PUSH)
    return Shell(folder=folder, home=tmp_path / "home")


def run(shell: Shell, *words: str, password: str = PASSWORD, status: int = 0) -> Any:
    """The record of a run."""
    done = shell.run("run", *words, "--json", environment={"FORGE_PASSWORD": password})
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_branch_goes_to_the_server_twice_the_same(server: GitServer, shell: Shell) -> None:
    """The second run finds everything as it should be; the password is in no file that either leaves behind."""
    first = run(shell, "change", "-i", f"url={server.url}/shop.git")
    assert first["outputs"] == {"pushed": True, "upstream": "origin/fix"}
    second = run(shell, "change", "-i", f"url={server.url}/shop.git")
    assert (second["status"], second["outputs"]["pushed"]) == ("ok", False)
    kept = [*shell.home.rglob("*"), *shell.folder.rglob("*")]
    assert [path for path in kept if path.is_file() and PASSWORD.encode() in path.read_bytes()] == []


def test_a_push_that_lost_a_race_is_not_repeated(server: GitServer, shell: Shell, tmp_path: Path) -> None:
    """A conflict is for a person, or for a rebase: no fix, no second try, and the server is as it was."""
    run(shell, "change", "-i", f"url={server.url}/shop.git")
    seed = Repository(path=tmp_path / "seed")
    ahead = seed.commit("Faster", {"x": "1"}, day=3)
    seed.git("push", "--quiet", str(tmp_path / "served" / "shop.git"), "HEAD:refs/heads/fix")
    Repository(path=shell.folder / "shop").commit("Slower", {"y": "1"}, day=4)
    server.asked.clear()
    record = run(shell, "push_it", status=1)
    failed = record["steps"][0]
    assert (failed["status"], record["healed"]) == ("failed", 0)
    assert "fetch first" in record["message"]
    asked = [each for each in server.asked if "git-receive-pack" in each and "with login" in each]
    assert len(asked) <= 2, asked
    assert Repository(path=tmp_path / "served" / "shop.git").git("rev-parse", "fix") == ahead


def test_a_wrong_password_ends_the_run_and_asks_nobody(server: GitServer, shell: Shell) -> None:
    """A 401 with no login to renew it: the step says so, and the folder is not there."""
    record = run(shell, "change", "-i", f"url={server.url}/shop.git", password="wrong-and-secret", status=1)
    assert "Authentication failed" in record["message"]
    assert "wrong-and-secret" not in str(record)
    assert not (shell.folder / "shop").exists()


@pytest.mark.parametrize(("todays", "healed", "status"), [(PASSWORD, 1, 0), ("wrong-again", 0, 1)])
def test_a_password_that_is_over_is_renewed_once(
    server: GitServer, shell: Shell, todays: str, healed: int, status: int
) -> None:
    """The server's 401 runs the service's own login; where the new one is refused too, nothing is tried again."""
    (shell.folder / "skill.toml").write_text(RENEWED.format(url=server.url, user=USER))
    (shell.folder / "tools").mkdir()
    (shell.folder / "tools" / "forge_login.yaml").write_text(FORGE_LOGIN)
    (shell.folder / "password").write_text("of-yesterday")
    (shell.folder / "todays").write_text(todays)
    record = run(shell, "change", "-i", f"url={server.url}/shop.git", status=status)
    first = record["steps"][0]
    assert (record["healed"], first["attempts"], first["first_failure"]["kind"]) == (healed, 2, "auth_expired")
    assert (shell.folder / "log").read_text() == "login\n"
    assert (shell.folder / "shop").exists() is bool(healed)
    assert not {"of-yesterday", todays} & set(json.dumps(record).split('"'))
