"""The tools of the main job against the real local platform, its real processes and the real git."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.unit.functions.shop_repository import Repository
from tool_registry.functions.platform import platform_port
from tool_registry.registry import default_registry
from tool_registry.tool import ToolContext, ToolError

SERVER = """import http.server, os
class Healthy(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Healthy).serve_forever()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """A person's machine: a state folder, the settings of the local profile, and what was masked and reported."""

    state: Path
    user: str = ""
    secrets: list[Any] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)

    @property
    def platform(self) -> Path:
        """The platform's data folder."""
        return self.state / "platform"

    @property
    def settings(self) -> dict[str, Any]:
        """What the domains of the local profile give their tools."""
        return {
            "profile": "local",
            "platform": str(self.platform),
            "forge": str(self.platform / "forge/demo-shop.git"),
            "image": "demo/shop",
            "kubeconfig": str(self.state / f"kubeconfig{self.user}"),
            **({"user": self.user} if self.user else {}),
        }

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        """What the tool gives back."""
        async with default_registry() as tools:
            context = ToolContext(
                settings=self.settings,
                folder=self.state,
                state=self.state,
                environment=dict(os.environ),
                timeout=tools[tool].timeout,
                run_id="run-1",
                secret=self.secrets.append,
                report=self.reports.append,
            )
            return (await tools.call(tool, arguments, context)).value

    async def deployed(self, image: str, sha: str, app: str = "main") -> str:
        """A namespace with the image of a commit deployed into it."""
        digest = (await self.call("quay_get_tag", repository=image, tag=sha))["digest"]
        namespace: str = (await self.call("bonfire_namespace_reserve", duration="10m"))["name"]
        await self.call("bonfire_deploy", namespace=namespace, app=app, image=image, digest=digest)
        return namespace

    def set(self, **numbers: float) -> None:
        """Writes the platform's settings, as a person would."""
        (self.platform / "settings.json").write_text(json.dumps(numbers))

    def stop(self) -> None:
        """Ends the platform, which is a child of this process, and waits for its end."""
        pid = json.loads((self.platform / "endpoint.json").read_text())["pid"]
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


@pytest.fixture
def empty(tmp_path: Path) -> Workplace:
    """A machine on which nothing ran yet."""
    return Workplace(state=tmp_path)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A machine with the platform running and somebody logged in."""
    made = Workplace(state=tmp_path_factory.mktemp("workplace"))

    async def prepared() -> None:
        await made.call("local_platform_start")
        await made.call("kube_login")

    anyio.run(prepared)
    yield made
    made.stop()


@pytest.fixture
def own(tmp_path: Path) -> Repository:
    """A person's own project, which serves and has a test."""
    path = tmp_path / "my project"
    path.mkdir()
    made = Repository(path=path)
    made.git("init", "--quiet")
    made.commit("Start", {"Procfile": "web: python3 serve.py", "serve.py": SERVER})
    return made


async def kind_of(call: Any) -> ToolError:
    """How an awaited call failed."""
    with pytest.raises(ToolError) as caught:
        await call
    return caught.value


async def test_a_first_run_meets_a_refused_connection_then_a_401_and_both_fixes_take(empty: Workplace) -> None:
    """The two ordinary failures of a fresh machine, by evidence, and what repairs each."""
    refused = await kind_of(empty.call("git_repository"))
    assert (refused.errno, refused.sent) == ("ECONNREFUSED", False)
    started = await empty.call("local_platform_start")
    try:
        assert started["started"] is True
        assert (await empty.call("local_platform_ready"))["status"] == "ok"
        assert (await empty.call("git_repository"))["demo"] is True
        unauthorised = await kind_of(empty.call("bonfire_namespace_reserve"))
        assert (unauthorised.http_status, unauthorised.kind) == (401, None)
        await empty.call("kube_login")
        assert (await empty.call("kube_whoami"))["expires_at"] > time.time()
        reserved = await empty.call("bonfire_namespace_reserve", duration="5m")
        assert (await empty.call("bonfire_namespace_list"))["names"] == [reserved["name"]]
    finally:
        empty.stop()
    assert (await kind_of(empty.call("kube_whoami"))).errno == "ECONNREFUSED"


async def test_two_starts_at_once_start_one_even_where_the_port_is_taken(empty: Workplace) -> None:
    """Both come back with the same process; a stranger on the expected port only moves it to another."""
    answers: list[Mapping[str, Any]] = []

    async def start() -> None:
        answers.append(await empty.call("local_platform_start"))

    with socket.create_server(("127.0.0.1", platform_port(empty.settings))) as stranger:
        stranger.listen(8)  # it takes connections and never says a word
        async with anyio.create_task_group() as both:
            both.start_soon(start)
            both.start_soon(start)
    try:
        assert len({(answer["pid"], answer["url"]) for answer in answers}) == 1
        assert not answers[0]["url"].endswith(str(platform_port(empty.settings)))
        assert (await empty.call("local_platform_start"))["started"] is False
    finally:
        empty.stop()


async def test_the_newest_merge_request_is_deployed_and_its_tests_pass(workplace: Workplace) -> None:
    """The whole main job, tool by tool."""
    repository = await workplace.call("git_repository")
    newest = (await workplace.call("git_merge_request_list"))[0]
    assert f"the newest is !{newest['id']}" in workplace.reports[-1]
    namespace = await workplace.deployed(repository["image"], newest["sha"])
    assert (await workplace.call("bonfire_namespace_wait", namespace=namespace, app="main"))["status"] == "ready"
    pods = await workplace.call("kubectl_get_pods", namespace=namespace)
    assert ([pod["ready"] for pod in pods["pods"]], pods["failing"]) == ([True], [])
    database = await workplace.call("kubectl_get_secret", namespace=namespace, name="database", keys=["password"])
    assert database in workplace.secrets
    tests = await workplace.call("kubectl_exec_pytest", namespace=namespace, app="main")
    assert (tests["ok"], tests["failing"], tests["passed"] > 0) == (True, [], True)
    assert (await workplace.call("bonfire_namespace_release", namespace=namespace))["released"] is True
    assert namespace not in (await workplace.call("bonfire_namespace_list"))["names"]


async def test_a_merge_request_whose_tests_fail_names_the_test(workplace: Workplace) -> None:
    """An answer with names, from the real pytest inside the namespace."""
    failing = await workplace.call("git_merge_request", mr_id=2)
    namespace = await workplace.deployed("demo/shop", failing["sha"])
    await workplace.call("bonfire_namespace_wait", namespace=namespace, app="main")
    tests = await workplace.call("kubectl_exec_pytest", namespace=namespace, app="main")
    assert (tests["ok"], tests["failed"], len(tests["failing"])) == (False, 1, 1)
    assert "test_discounts" in tests["failing"][0]
    await workplace.call("bonfire_namespace_release", namespace=namespace)


async def test_what_is_not_built_is_a_normal_answer_and_can_be_built(workplace: Workplace) -> None:
    """The registry knows no such tag; after a build it has the digest the build named, the same one every time."""
    waiting = await workplace.call("git_merge_request", mr_id=1)
    wanted = {"repository": "demo/shop", "commit": waiting["sha"]}
    tag = {"repository": "demo/shop", "tag": waiting["sha"]}
    assert (await workplace.call("quay_get_tag", **tag))["found"] is False
    assert (await workplace.call("image_build_status", **wanted))["status"] == "none"
    built = await workplace.call("image_build", repository="demo/shop", commit=waiting["sha"][:9])
    assert (await workplace.call("image_build", **wanted)) == built
    assert (await workplace.call("quay_get_tag", **tag))["digest"] == built["digest"]


async def test_a_persons_own_repository_is_built_and_served(workplace: Workplace, own: Repository) -> None:
    """A short SHA of a folder somewhere on this machine is all it takes; a project without tests says so."""
    repository = await workplace.call("git_repository", repo=str(own.path))
    assert repository["image"] == "local/my-project"
    sha = own.git("rev-parse", "--short", "HEAD")
    built = await workplace.call("image_build", repo=str(own.path), repository=repository["image"], commit=sha)
    namespace = await workplace.deployed(repository["image"], built["tag"])
    await workplace.call("bonfire_namespace_wait", namespace=namespace, app="main")
    tests = await workplace.call("kubectl_exec_pytest", namespace=namespace, app="main")
    assert (tests["ok"], tests["total"], tests["exit_status"]) == (False, 0, 5)
    await workplace.call("bonfire_namespace_release", namespace=namespace)


async def test_a_repository_without_a_procfile_says_what_it_lacks(workplace: Workplace, own: Repository) -> None:
    """Nothing says how to start it, and the sentence says what to add."""
    own.git("rm", "--quiet", "Procfile")
    sha = own.commit("Nothing to start")
    failed = await kind_of(workplace.call("image_build", repo=str(own.path), repository="local/x", commit=sha))
    assert (failed.kind, failed.http_status) == ("configuration_error", 422)
    assert "no Procfile" in failed.message


async def test_a_service_that_crashes_is_told_with_its_last_words(workplace: Workplace, own: Repository) -> None:
    """Waiting ends early, with the log, and the pod is listed as failing."""
    sha = own.commit("Break", {"serve.py": "raise SystemExit('no such table: prices')"})
    await workplace.call("image_build", repo=str(own.path), repository="local/my-project", commit=sha)
    namespace = await workplace.deployed("local/my-project", sha)
    crashed = await kind_of(workplace.call("bonfire_namespace_wait", namespace=namespace, app="main"))
    assert (crashed.kind, "no such table: prices" in crashed.output) == ("code_error", True)
    failing = (await workplace.call("kubectl_get_pods", namespace=namespace))["failing"]
    logs = await workplace.call("kubectl_logs", namespace=namespace, pod=failing[0], tail=1)
    assert logs["text"] == "no such table: prices"
    await workplace.call("bonfire_namespace_release", namespace=namespace)


async def test_a_full_pool_is_told_from_other_conflicts(workplace: Workplace) -> None:
    """Who holds the places is part of the sentence."""
    held = await workplace.call("bonfire_namespace_reserve", duration="5m")
    workplace.set(pool_limit=1)
    try:
        full = await kind_of(workplace.call("bonfire_namespace_reserve"))
    finally:
        workplace.set()
    assert (full.kind, full.http_status) == ("resource_exhausted", 409)
    later = await workplace.call("bonfire_namespace_extend", namespace=held["name"], duration="5m")
    assert later["expires_at"] == pytest.approx(held["expires_at"] + 300)
    await workplace.call("bonfire_namespace_release", namespace=held["name"])


async def test_an_expired_token_is_a_real_401_and_a_login_renews_it(workplace: Workplace) -> None:
    """The platform says when it expired."""
    workplace.set(token_lifetime=1)
    await workplace.call("kube_login")
    workplace.set()
    await anyio.sleep(1.1)
    expired = await kind_of(workplace.call("kube_whoami"))
    assert (expired.http_status, "expired" in expired.message) == (401, True)
    await workplace.call("kube_login")
    assert (await workplace.call("kube_whoami"))["expires_at"] > time.time() + 60


async def test_somebody_elses_namespace_stays_theirs(workplace: Workplace) -> None:
    """Ben may not release what is not his, and is told what is."""
    held = await workplace.call("bonfire_namespace_reserve", duration="5m")
    (workplace.platform / "login/ben.secret").write_text("ben's own secret\n")
    ben = replace(workplace, user="ben")
    await ben.call("kube_login")
    his = await ben.call("bonfire_namespace_reserve", duration="5m")
    refused = await kind_of(ben.call("bonfire_namespace_release", namespace=held["name"]))
    assert (refused.kind, refused.http_status) == ("permission_denied", 403)
    assert refused.details["ours"] == [his["name"]]
    await ben.call("bonfire_namespace_release", namespace=his["name"])
    await workplace.call("bonfire_namespace_release", namespace=held["name"])
