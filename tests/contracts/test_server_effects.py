"""Every tool that asks a git server or a registry, or connects a network: it does what it declares.

Called as its examples say, a read leaves everything as it was, and an idempotent write the same the second time: in the
repositories on both sides, in the registry's own folder, in the file of logins. What the examples name stands for what
is there.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.second_calls import claims
from tests.servers.git_http import GitServer, git_server
from tests.servers.quay_security import Scanner, finding, scanning
from tests.servers.registry import PASSWORD, USER, Registry, registry
from tests.unit.functions.shop_repository import Repository
from tests.unit.functions.test_functions_vpn import OPENS, free
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolContext

NO_SHA = "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"
KNOWN = dict(default_registry())
OF_GIT = [tool for tool in KNOWN.values() if tool.domain == "git"]
OF_REGISTRIES = [tool for tool in KNOWN.values() if tool.domain == "registry" or tool.name == "registry_login_state"]
NETWORK = KNOWN["vpn_connect"]
TOOLS = [*OF_GIT, *OF_REGISTRIES, NETWORK]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A clone whose server has gone on, and which has commits that the server has not."""

    server: GitServer
    bare: Path
    clone: Repository
    folder: Path

    def context(self) -> ToolContext:
        """What a tool is handed."""
        environment = {**os.environ, "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        return ToolContext(folder=self.folder, state=self.folder / "state", environment=environment, timeout=30)

    def real(self, example: dict[str, Any]) -> dict[str, Any]:
        """The example with the clone and the server's address."""
        names = {".": str(self.clone.path), "https://gitlab.example/group/shop.git": f"{self.server.url}/shop.git"}
        return {name: names.get(value, value) if isinstance(value, str) else value for name, value in example.items()}

    def state(self) -> Any:
        """What the repositories have checked out, staged and tagged, and all their branches."""
        known = [self.bare, self.clone.path, *(path.parent for path in self.folder.glob("*/.git"))]
        asked = (("for-each-ref",), ("rev-parse", "--symbolic-full-name", "HEAD"), ("config", "--list", "--local"))
        told = {(str(path), words): Repository(path=path).git(*words) for path in known for words in asked}
        return told, Repository(path=self.clone.path).git("status", "--porcelain"), self.clone.git("ls-files", "-s")


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Place]:
    """What the examples speak of is there."""
    with git_server(tmp_path / "served") as server:
        bare = server.bare("shop.git")
        seed = Repository(path=tmp_path / "seed")
        seed.path.mkdir()
        seed.git("init", "--quiet")
        seed.commit("Start", {"README.md": "a shop"})
        seed.git("push", "--quiet", str(bare), "main")
        clone = Repository(path=tmp_path / "clone")
        seed.git("clone", "--quiet", f"{server.url}/shop.git", str(clone.path))
        clone.git("remote", "add", "upstream", f"{server.url}/shop.git")
        clone.git("branch", "fix-7")
        yield Place(server=server, bare=bare, clone=clone, folder=tmp_path / "work")


def somebody_works(tool: Tool, git: Place) -> None:
    """Commits here, for who pushes; and on the server, for everybody else."""
    if tool.name == "git_push":
        git.clone.commit("fix: 401 Unauthorized, fatal: connection refused", {"here": "1"}, day=2)
        return
    seed = Repository(path=git.bare.parent.parent / "seed")
    seed.commit("error: failed to push, 3 failed, timed out", {"there": "1"}, day=3)
    seed.git("push", "--quiet", str(git.bare), "main")


@pytest.mark.parametrize("tool", OF_GIT, ids=lambda tool: tool.name)
async def test_every_example_runs_and_does_to_both_repositories_what_the_tool_declares(tool: Tool, git: Place) -> None:
    """Twice, where that is said to be the same as once; and the words of a commit mean nothing."""
    git.folder.mkdir()
    somebody_works(tool, git)
    for example in tool.examples:
        before = git.state()
        await tool.call(git.real(dict(example)), git.context())
        once = git.state()
        assert (once == before) == (tool.effect is Effect.READ) or example != tool.examples[0]
        if tool.idempotent:
            second = await tool.call(git.real(dict(example)), git.context())
            assert (git.state(), claims(second.value)) == (once, [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """A registry that wants a login, its scanner, and a file of logins."""

    registry: Registry
    scanner: Scanner
    folder: Path

    def context(self) -> ToolContext:
        """What a tool is handed; its domain knows the password."""
        settings = {
            "url": self.registry.url,
            "api_url": self.scanner.url,
            "username": USER,
            "credential": {"env": "SHOP_PASSWORD"},
            "auth_file": str(self.folder / "logins.json"),
        }
        environment = {"SHOP_PASSWORD": PASSWORD, "PATH": os.defpath}
        return ToolContext(
            settings=settings, folder=self.folder, state=self.folder, environment=environment, timeout=30
        )

    def real(self, example: dict[str, Any]) -> dict[str, Any]:
        """The example with this registry's address."""
        here = {"registry": self.registry.url, "repository": f"{self.registry.host}/team/app"}
        away = ("quay.io", "http://127.0.0.1:5000")
        return {
            name: here.get(name, value) if str(value).startswith(away) else value for name, value in example.items()
        }

    def state(self) -> Any:
        """Every file of the registry, and of whoever asks."""
        files = [*(self.registry.folder / "images").rglob("*"), *self.folder.rglob("*")]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Debian's registry with two images."""
    with registry(tmp_path_factory.mktemp("images"), login=True) as made:
        made.push("team/app:v1", text="v1")
        made.push(f"demo/shop:{NO_SHA}", text="a shop")
        yield made


@pytest.fixture
def images(filled: Registry, tmp_path: Path) -> Iterator[Images]:
    """What the examples speak of is there, and somebody who is logged in."""
    with scanning({filled.images["team/app:v1"]: [finding("CVE-2026-1", "High")]}) as scanner:
        (tmp_path / "logins.json").write_text(filled.auth_file().read_text())
        yield Images(registry=filled, scanner=scanner, folder=tmp_path)


@pytest.mark.parametrize("tool", OF_REGISTRIES, ids=lambda tool: tool.name)
async def test_every_example_runs_and_does_to_the_registry_what_the_tool_declares(tool: Tool, images: Images) -> None:
    """A login is kept here, and the same login is kept the same way; a registry is never changed."""
    if tool.name == "registry_login":
        (images.folder / "logins.json").unlink()
    for example in tool.examples:
        before = images.state()
        await tool.call(images.real(dict(example)), images.context())
        once = images.state()
        assert (once == before) == (tool.effect is Effect.READ) or example != tool.examples[0]
        if tool.idempotent:
            second = await tool.call(images.real(dict(example)), images.context())
            assert (images.state(), claims(second.value)) == (once, [])


@pytest.mark.parametrize("example", NETWORK.examples, ids=str)
async def test_every_example_connects_a_network_once(example: dict[str, Any], tmp_path: Path) -> None:
    """The probe answers from then on, so that the command is not run a second time."""
    port, log = free(), tmp_path / "log"
    command = [sys.executable, "-S", "-c", OPENS, str(port), str(log)]
    settings = {"network": {"name": "corporate", "command": command, "probe": f"127.0.0.1:{port}"}}
    context = ToolContext(settings=settings, folder=tmp_path, state=tmp_path, environment=dict(os.environ), timeout=30)
    assert claims((await NETWORK.call(example, context)).value) == ["changed"]
    assert claims((await NETWORK.call(example, context)).value) == []
    assert log.read_text() == "connect\n"
