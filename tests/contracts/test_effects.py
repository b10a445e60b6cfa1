"""Every tool that needs nothing but the local profile, called as its examples say: it does what it declares.

What a read leaves is what it found; an idempotent write leaves the same the second time. The names in the examples are
made up, so each stands for what it means on this machine (`World.real`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.documents import read
from engine.memory_tools.contracts import lacking_here
from engine.model.heal import Domain
from tests.contracts.second_calls import claims
from tests.e2e.test_tools_on_local_platform import Workplace
from tests.unit.functions.shop_repository import Repository
from tool_registry.functions import NAMES
from tool_registry.functions.platform import platform_url
from tool_registry.registry import default_registry
from tool_registry.tool import Effect, Tool, ToolError

pytestmark = pytest.mark.slow

PROFILE = Path(__file__).parents[2] / "tool_registry" / "definitions" / "local_profile.yaml"
NO_SHA = "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"
NO_DIGEST = "sha256:" + 64 * "0"
LACKS = {
    "vpn_connect": "the local profile lies in no network",
    "registry_login": "nobody has a name and a password at the local registry",
    "quay_get_vulnerabilities": "the local registry has no scanner, and no tag that is called v1",
    **dict.fromkeys(
        (*NAMES["cluster_state"], *NAMES["deployments"], *NAMES["running_images"]),
        "a cluster's API, which the embedded platform does not speak",
    ),
}
"""What the local profile cannot give, though no declaration says so: these have to fail there, and in no other way."""
LAST = ("local_platform_start", "kube_login", "bonfire_namespace_release")
"""Those after which something else is there than before, for the tests of the others."""
TOOLS = dict(default_registry())


def local_domains() -> Mapping[str, Domain]:
    """The domains of the local profile, with their settings."""
    known = read(PROFILE).value["domains"]
    return {name: Domain(name=name, settings=said.get("settings") or {}) for name, said in known.items()}


def here() -> list[Tool]:
    """The tools that need nothing but the local profile, and what this machine has."""
    domains = local_domains()
    able = [tool for tool in TOOLS.values() if not lacking_here(tool, domains)]
    return sorted(able, key=lambda tool: (LAST.index(tool.name) if tool.name in LAST else -1, tool.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A workplace with a namespace in which something runs, and a clone of a repository with a branch."""

    workplace: Workplace
    namespace: str
    pod: str
    sha: str
    digest: str
    clone: Repository
    server: Path

    def real(self, example: Any) -> Any:
        """The example with what its names stand for here."""
        match example:
            case Mapping():
                return {name: self.real(value) for name, value in example.items()}
            case list() | tuple():
                return [self.real(value) for value in example]
            case str():
                return self._word(example)
            case 443 | 8080:
                return int(self._url.rpartition(":")[2])
        return example

    @property
    def _url(self) -> str:
        return platform_url(self.workplace.settings)

    def _word(self, word: str) -> str:
        whole = {".": str(self.clone.path), "74ec56e": self.clone.git("rev-parse", "--short", "HEAD")}
        parts = {
            "ephemeral-abc": self.namespace,
            "main-1": self.pod,
            NO_SHA: self.sha,
            NO_DIGEST: self.digest,
            "https://example.org/health": f"{self._url}/healthz",
            "https://gitlab.example/group/shop.git": str(self.server),
            "http://127.0.0.1:5000": self._url,
            "quay.io/team/app": "demo/shop",
            "quay.io": self._url,
        }
        if word in whole:
            return whole[word]
        for made_up, real in parts.items():
            word = word.replace(made_up, real)
        return word

    async def state(self) -> dict[str, Any]:
        """All there is that a tool could change, without what changes by itself."""
        call = self.workplace.call
        pods = (await call("kubectl_get_pods", namespace=self.namespace))["pods"] if await self._has_namespace() else []
        return {
            "namespaces": (await call("bonfire_namespace_list", mine=False))["namespaces"],
            "pods": sorted(pod["app"] for pod in pods),
            "platform": _files(self.workplace.platform / "images") | _refs(self.workplace.platform / "forge"),
            "files": {
                name: digest
                for name, digest in _files(self.workplace.state).items()
                if not name.startswith("platform/")
            },
            "login": (await call("local_token_expiry"))["user"],
        }

    async def _has_namespace(self) -> bool:
        return self.namespace in (await self.workplace.call("bonfire_namespace_list"))["names"]


def _files(folder: Path) -> dict[str, str]:
    """Each file by the digest of its content; of git's own, what is kept: refs, what is staged, and settings."""
    told = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "/objects/" not in name and "/logs/" not in name and "token" not in path.name:
            told[name] = "" if path.name.startswith("kubeconfig") else hashlib.sha256(path.read_bytes()).hexdigest()
    return told


def _refs(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in _files(folder).items() if "/refs/" in name or name.endswith("HEAD")}


async def _made(workplace: Workplace) -> tuple[str, str, str, str]:
    call = workplace.call
    await call("local_platform_start")
    await call("kube_login")
    newest = (await call("git_merge_request_list"))[0]
    digest = (await call("quay_get_tag", repository="demo/shop", tag=newest["sha"]))["digest"]
    namespace = await workplace.deployed("demo/shop", newest["sha"])
    await call("bonfire_namespace_wait", namespace=namespace, app="main")
    pod = (await call("kubectl_get_pods", namespace=namespace))["pods"][0]["name"]
    return namespace, pod, newest["sha"], digest


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world of this module, for one tool after the other."""
    folder = tmp_path_factory.mktemp("world")
    server = Repository(path=folder / "server.git")
    server.path.mkdir()
    server.git("init", "--quiet", "--bare")
    clone = Repository(path=folder / "workplace" / "clone")
    clone.path.mkdir(parents=True)
    clone.git("init", "--quiet")
    clone.commit("Start", {"Procfile": "web: serve", "README.md": "a shop"})
    clone.git("remote", "add", "origin", str(server.path))
    clone.git("remote", "add", "upstream", str(server.path))
    clone.git("push", "--quiet", "--set-upstream", "origin", "main")
    clone.git("branch", "fix-7")
    workplace = Workplace(state=folder / "workplace")
    namespace, pod, sha, digest = anyio.run(_made, workplace)
    yield World(
        workplace=workplace, namespace=namespace, pod=pod, sha=sha, digest=digest, clone=clone, server=server.path
    )
    workplace.stop()


@pytest.mark.parametrize("tool", here(), ids=lambda tool: tool.name)
async def test_every_example_runs_and_does_to_the_world_what_the_tool_declares(tool: Tool, world: World) -> None:
    """A read leaves everything as it was, and an idempotent write leaves the same the second time."""
    for example in tool.examples:
        arguments, before = world.real(dict(example)), await world.state()
        if tool.name in LACKS:
            with pytest.raises(ToolError) as refused:
                await world.workplace.call(tool.name, **arguments)
            assert refused.value.kind in {"configuration_error", "image_not_found"}
            continue
        await world.workplace.call(tool.name, **arguments)
        once = await world.state()
        if tool.effect is Effect.READ:
            assert once == before
        if tool.idempotent:
            second = await world.workplace.call(tool.name, **arguments)
            assert (await world.state(), claims(second)) == (once, [])


def test_the_examples_of_most_shipped_tools_are_run_here() -> None:
    """The families of the local profile, git and this machine: none of them is lost by a word in its declaration."""
    ran = {tool.name for tool in here()}
    missed = {name for name, tool in TOOLS.items() if tool.domain in {None, *local_domains()} and name not in ran}
    assert {name for name in missed if not lacking_here(TOOLS[name], local_domains())} == set()
    assert {"bonfire_deploy", "git_rev_parse", "file_write", "kubectl_get_pods"} <= ran
