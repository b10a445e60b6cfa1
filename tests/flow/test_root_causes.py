"""A call that stays failed says why, with values that were really looked up, and what a person should do."""

from __future__ import annotations

import json
import shlex
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import anyio
import pytest

from engine import Engine, Event, EventKind, HealMode, SkillExecutor
from tests.flow.real_places import SETTINGS, RealPlace
from tests.shell import Shell
from tests.unit.functions.shop_repository import Repository

DEPLOY = """
parameters:
  required: [image_tag]
  properties:
    image_tag: {{type: string}}
    image: {{type: string, default: demo/shop}}
    image_digest: {{type: string, default: ""}}
domain: registry
http:
  url: "{url}/v2/demo/shop/manifests/{{image_tag}}"
"""
REFUSED_TAG = """
effect: read
idempotent: true
parameters: {required: [image_tag], properties: {image_tag: {type: string}, image: {type: string, default: demo/shop}}}
domain: registry
command:
  argv: [sh, -c, "echo 'manifest unknown' >&2; exit 9"]
  exit: {"9": {kind: image_not_found, message: the manifest is unknown}}
"""
GIT = """
parameters: {{required: [repo], properties: {{repo: {{type: string}}}}}}
command:
  argv: [git, -C, "{{repo}}", {words}]
"""
ASKS = """
parameters: {properties: {}}
command:
  argv: [sh, -c, "read -r answer < /dev/tty"]
"""
FETCH = """
parameters: {{required: [url], properties: {{url: {{type: string}}}}}}
timeout: {timeout}
http:
  url: "{{url}}"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The live files of a person who has started the platform and logged in."""
    folder = tmp_path_factory.mktemp("person")
    (folder / "work").mkdir()
    (folder / "work" / "skill.toml").write_text(SETTINGS)
    made = RealPlace(folder=folder / "work", home=folder / "home")

    async def prepare() -> None:
        await made.call("local_platform_start")
        await made.call("kube_login")

    anyio.run(prepare)
    yield made.home
    made.stop()


@pytest.fixture
async def place(home: Path, tmp_path: Path) -> RealPlace:
    """A workspace of its own, the platform as it should be, and somebody logged in."""
    (tmp_path / "skill.toml").write_text(SETTINGS)
    made = RealPlace(folder=tmp_path, home=home)
    made.set()
    await made.call("kube_login")
    return made


def forge(place: RealPlace) -> Repository:
    """The demo project's real repository."""
    return Repository(path=place.platform / "forge" / "demo-shop.git")


async def test_a_short_sha_is_expanded_its_image_looked_up_and_the_call_written_out(place: RealPlace) -> None:
    """Real git gives the SHA, the real registry the digest; the call to make instead has both in it."""
    place.tool("deploy", DEPLOY.format(url=place.url))
    full = forge(place).git("rev-parse", "main")
    cause, step = await place.failing(f"- {{name: it, tool: deploy, args: {{image_tag: '{full[:8]}'}}}}")
    assert (cause.id, cause.found["sha"], cause.confirmed) == ("short_sha", full, True)
    digest = (await place.call("quay_get_tag", repository="demo/shop", tag=full))["digest"]
    assert cause.found["digest"] == digest
    expand, look, again = cause.steps
    assert (expand.command, expand.value) == (f"git -C {forge(place).path} rev-parse {full[:8]}", full)
    assert look.value == digest
    assert again.call is not None
    assert (again.call.args["image_tag"], again.call.args["image_digest"]) == (full, digest)
    assert step.failure is not None
    assert "404" in step.failure.message


async def test_a_short_sha_is_refused_before_the_registry_is_asked(place: RealPlace) -> None:
    """Where the tool's own schema wants all digits, the refusal has the same cause."""
    full = forge(place).git("rev-parse", "main")
    look = f"- {{name: it, tool: quay_get_tag, args: {{repository: demo/shop, tag: \"{{{{ '{full[:8]}' }}}}\"}}}}"
    cause, step = await place.failing(look)
    assert (cause.id, cause.found["sha"]) == ("short_sha", full)
    assert step.failure is not None
    assert step.failure.kind == "usage_error"


async def test_a_short_sha_of_what_was_never_built_says_that_too(place: RealPlace) -> None:
    """The whole SHA alone would not help: there is no image of it, and nobody asked for one."""
    place.tool("deploy", DEPLOY.format(url=place.url))
    full = forge(place).git("rev-parse", "refs/merge-requests/1/head")
    cause, _ = await place.failing(f"- {{name: it, tool: deploy, args: {{image_tag: '{full[:8]}'}}}}")
    assert "digest" not in cause.found
    assert "There is no image" in cause.because
    assert any(step.command == f"skill run build_local_image -i commit_sha={full}" for step in cause.steps)


async def test_a_short_sha_nobody_knows_is_not_made_up(place: RealPlace) -> None:
    """Git's own words are told, and no SHA."""
    place.tool("deploy", DEPLOY.format(url=place.url))
    cause, _ = await place.failing("- {name: it, tool: deploy, args: {image_tag: 'deadbee1'}}")
    assert "sha" not in cause.found
    assert "no commit called deadbee1" in cause.because


async def test_an_image_nobody_built_shows_its_build_and_how_to_get_one(place: RealPlace) -> None:
    """The author expected the tag; the platform's own word is that no build was ever asked for."""
    full = forge(place).git("rev-parse", "refs/merge-requests/1/head")
    look = f"""
        - name: it
          tool: quay_get_tag
          args: {{repository: demo/shop, tag: {full}}}
          expect: result.found
        """
    cause, step = await place.failing(look)
    assert (cause.id, cause.found["build"]) == ("image_not_built", "none")
    assert cause.steps[0].value == "no build was ever asked for"
    assert cause.steps[1].command == f"skill run build_local_image -i commit_sha={full}"
    assert step.failure is not None
    assert step.failure.kind == "unexpected_result"


async def test_a_registry_that_wants_a_login_says_which_and_how(place: RealPlace) -> None:
    """A real 401 of the registry; that nobody is logged in there was looked at, and the login is not tried."""
    place.set(registry_login=True)
    full = forge(place).git("rev-parse", "main")
    look = f"- {{name: it, tool: quay_get_tag, args: {{repository: demo/shop, tag: {full}}}}}"
    cause, step = await place.failing(look, heal=HealMode.AUTO)
    registry = place.url.removeprefix("http://")
    assert (cause.id, cause.found["registry"], cause.confirmed) == ("registry_login", registry, True)
    assert cause.steps[0].command == f"podman login --tls-verify=false {registry}"
    assert step.failure is not None
    assert (step.failure.kind, step.fixes) == ("auth_expired", ())


async def test_a_namespace_of_somebody_else_names_the_owner_and_yours(place: RealPlace) -> None:
    """Ben's, really reserved by Ben; ours is listed by the platform, and nothing is released."""
    (place.platform / "login" / "ben.secret").write_text("secret of ben\n")
    form = {"grant_type": "client_credentials", "client_id": "ben", "client_secret": "secret of ben"}
    token = posted(f"{place.url}/oauth/token", urlencode(form).encode())["access_token"]
    his = posted(f"{place.url}/api/namespaces", b'{"duration": 300}', authorization=f"Bearer {token}")["name"]
    ours = (await place.call("bonfire_namespace_reserve", duration="5m"))["name"]
    try:
        cause, _ = await place.failing(
            f"- {{name: it, tool: kubectl_get_pods, args: {{namespace: {his}}}}}", heal=HealMode.AUTO
        )
    finally:
        await place.call("bonfire_namespace_release", namespace=ours)
    assert (cause.id, cause.found["owner"]) == ("namespace_not_owned", "ben")
    assert ours in cause.found["yours"]
    assert cause.steps[0].value.split(", ") == cause.found["yours"]


async def test_what_a_look_bore_out_counts_for_the_pattern_and_is_counted_by_name(place: RealPlace) -> None:
    """Words named the kind, git and the registry confirmed it: history has the cause, and the pattern was right."""
    full = forge(place).git("rev-parse", "main")
    said = REFUSED_TAG.partition("  exit:")[0].replace("manifest unknown", f"demo/shop:{full[:8]}: manifest unknown")
    place.tool("deploy", said)
    await place.failing(f"- {{name: it, tool: deploy, args: {{image_tag: '{full[:8]}'}}}}")
    with closing(sqlite3.connect(place.home / "history.db")) as history:
        rows = history.execute("SELECT root_cause, pattern_right, kind FROM steps ORDER BY rowid DESC LIMIT 1")
        assert list(rows) == [("short_sha", 1, "image_not_found")]


async def test_a_prompt_without_a_terminal_names_the_program_and_the_tools_file(place: RealPlace) -> None:
    """A shell that really reads from the terminal, in a session that has none."""
    place.tool("asks", ASKS)
    cause, step = await place.failing("- {name: it, tool: asks}")
    assert step.failure is not None
    assert (cause.id, step.failure.kind) == ("no_terminal", "tty_required")
    assert any("tools/asks.yaml" in step.text for step in cause.steps)


async def test_a_branch_without_commits_says_what_to_commit(place: RealPlace, tmp_path: Path) -> None:
    """Git's own refusal in a repository that was just made; what is staged was counted."""
    made = fresh(tmp_path / "new shop")
    (made.path / "one.txt").write_text("1")
    made.git("add", "--all")
    place.tool("told", GIT.format(words="log"))
    cause, step = await place.failing(f"- {{name: it, tool: told, args: {{repo: '{made.path}'}}}}")
    assert step.failure is not None
    assert "does not have any commits yet" in step.failure.message
    assert (cause.id, cause.found["branch"], cause.found["staged"]) == ("branch_without_commits", "main", 1)
    assert cause.steps[0].command == f"git -C {shlex.quote(str(made.path))} commit"


async def test_a_branch_that_was_not_pushed_gets_its_own_push_command(place: RealPlace, tmp_path: Path) -> None:
    """With its own name and its own remote, which is not called origin."""
    made = fresh(tmp_path / "shop")
    made.commit("Start", {"a": "1"})
    made.git("init", "--bare", "--quiet", str(tmp_path / "server.git"))
    made.git("remote", "add", "upstream", str(tmp_path / "server.git"))
    made.git("push", "--quiet", "upstream", "main")
    made.git("checkout", "--quiet", "-b", "fix-7")
    made.commit("Fix", {"a": "2"})
    place.tool("pushed", GIT.format(words="push"))
    cause, step = await place.failing(f"- {{name: it, tool: pushed, args: {{repo: '{made.path}'}}}}")
    assert step.failure is not None
    assert (cause.id, cause.found["branch"], cause.found["ahead"]) == ("branch_not_pushed", "fix-7", 1)
    assert cause.steps[0].command == f"git -C {made.path} push --set-upstream upstream fix-7"


async def test_an_expired_token_says_when_it_ended(place: RealPlace) -> None:
    """It really lived for a moment; the end is the server's own word."""
    place.set(token_lifetime=0.05)
    await place.call("kube_login")
    place.set()
    await anyio.sleep(0.1)
    cause, step = await place.failing("- {name: it, tool: bonfire_namespace_list}")
    assert (cause.id, cause.found["state"]) == ("token", "expired")
    assert cause.found["expires_at"] < time.time()
    assert [str(each.call) for each in cause.steps] == ["kube_login()"]
    assert step.remediation[0].startswith("The fix for this would be kube_login()")


async def test_a_revoked_token_is_not_called_expired(place: RealPlace) -> None:
    """It would hold for an hour by what it says itself."""
    assert posted(f"{place.url}/oauth/revoke", urlencode({"token": place.token}).encode()) == {"revoked": True}
    cause, _ = await place.failing("- {name: it, tool: bonfire_namespace_list}")
    assert (cause.id, cause.found["state"]) == ("token", "revoked")


async def test_a_token_that_was_never_there_is_called_missing(place: RealPlace) -> None:
    """The kubeconfig is gone."""
    place.kubeconfig.unlink()
    cause, _ = await place.failing("- {name: it, tool: bonfire_namespace_list}")
    assert (cause.id, cause.found["state"]) == ("token", "missing")


async def test_a_port_nobody_listens_at_is_told_with_its_number(place: RealPlace) -> None:
    """Really refused, and looked at again."""
    place.tool("fetch", FETCH.format(timeout=5))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    cause, _ = await place.failing(f"- {{name: it, tool: fetch, args: {{url: 'http://127.0.0.1:{port}/'}}}}")
    assert (cause.id, cause.found["state"], cause.found["port"]) == ("unreachable", "refused", port)
    assert (cause.found["accepts"], cause.confirmed) == (False, True)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ("true", "Network is unreachable"),
        ("ip link set lo up && ip route add unreachable 10.9.9.0/24", "No route to host"),
    ],
)
async def test_a_host_without_a_route_is_told_with_the_kernels_words(
    place: RealPlace, prepare: str, words: str
) -> None:
    """In a network of its own, which has no way out; the route is asked of the kernel there."""
    alone = ("unshare", "--user", "--map-root-user", "--net", "sh", "-c", f'{prepare} && exec "$@"', "sh")
    if (await anyio.run_process([*alone, "true"], check=False)).returncode != 0:
        pytest.skip("this machine gives nobody a network of their own")
    place.tool("fetch", FETCH.format(timeout=5))
    place.write("- {name: it, tool: fetch, args: {url: 'http://10.9.9.9:8080/'}}")
    shell = Shell(folder=place.folder, home=place.folder / "home")
    done = await anyio.to_thread.run_sync(partial(shell.run, "run", "tried", "--json", prefix=alone))
    step = json.loads(done.stdout)["steps"][-1]
    cause = step["root_cause"]
    assert (step["failure"]["kind"], cause["id"], cause["found"]["state"]) == (
        "network_unreachable",
        "unreachable",
        "no route",
    )
    assert cause["because"] == f"There is no route from this machine to 10.9.9.9 ({words})."
    assert cause["confirmed"] is True


async def test_a_name_nobody_knows_is_told_with_the_resolvers_words(place: RealPlace) -> None:
    """`.invalid` is never given to anybody (RFC 2606)."""
    place.tool("fetch", FETCH.format(timeout=5))
    cause, step = await place.failing("- {name: it, tool: fetch, args: {url: 'http://shop.invalid/'}}")
    assert step.failure is not None
    assert (step.failure.kind, cause.found["state"]) == ("dns_failure", "unresolved")
    assert cause.found["reason"].startswith("EAI_")


async def test_a_platform_that_is_slow_does_not_make_the_explanation_hang(place: RealPlace) -> None:
    """The looks have seconds, whatever the platform takes; what git knows is told all the same."""
    place.tool("deploy", REFUSED_TAG)
    full = forge(place).git("rev-parse", "main")
    place.set(slow_seconds=60)
    cause, _ = await place.failing(f"- {{name: it, tool: deploy, args: {{image_tag: '{full[:8]}'}}}}")
    assert cause.found["sha"] == full
    assert "digest" not in cause.found
    looks = place.explained().data["looks"]
    assert [look.endswith("it failed") for look in looks if look.startswith("quay_get_tag")] == [True]


async def test_the_journal_says_what_was_looked_at_and_the_failure_is_still_the_first(place: RealPlace) -> None:
    """Every look is a tool that only reads; the step's failure is the call's own, not that of a look."""
    place.tool("deploy", REFUSED_TAG)
    _, step = await place.failing("- {name: it, tool: deploy, args: {image_tag: 'deadbee1'}}")
    async with Engine.open(place.folder, home=place.home) as engine:
        named = {str(look).partition("(")[0] for look in place.explained().data["looks"]}
        assert named
        assert {engine.registry[name].effect.value for name in named} == {"read"}
        (kept,) = [kept for kept in engine.journal.steps(place.events[0].run_id) if kept.name == "it"]
    assert kept.root_cause == step.root_cause
    assert step.failure is not None
    assert (step.failure.message, step.attempts) == ("the manifest is unknown", 1)


@pytest.mark.parametrize("stopped", ["mode", "step", "kill switch"])
async def test_where_healing_is_stopped_nothing_is_looked_at(place: RealPlace, stopped: str) -> None:
    """What the call itself left behind is explained; no tool is called for it."""
    place.tool("deploy", REFUSED_TAG)
    switch = place.home / "state" / "heal-off"
    if stopped == "kill switch":
        switch.touch()
    narrowed = "heal: false, " if stopped == "step" else ""
    text = f"- {{name: it, {narrowed}tool: deploy, args: {{image_tag: 'deadbee1'}}}}"
    try:
        cause, _ = await place.failing(text, heal=HealMode.OFF if stopped == "mode" else HealMode.AUTO)
    finally:
        switch.unlink(missing_ok=True)
    assert cause.id == "short_sha"
    assert list(place.explained().data["looks"]) == []


async def test_a_run_that_is_cancelled_is_not_explained_any_further(place: RealPlace) -> None:
    """The look is given up at once, and the call's own failure is kept."""
    place.tool("deploy", REFUSED_TAG)
    full = forge(place).git("rev-parse", "main")
    place.set(slow_seconds=60)
    failed = anyio.Event()
    place.write(f"- {{name: it, tool: deploy, args: {{image_tag: '{full[:8]}'}}}}")

    def watch(event: Event) -> None:
        place.events.append(event)
        if event.kind is EventKind.ATTEMPT_FINISHED:
            failed.set()

    async with Engine.open(place.folder, home=place.home) as engine, anyio.create_task_group() as tasks:
        executor = SkillExecutor(engine, listeners=(watch,))

        async def cancel() -> None:
            await failed.wait()
            await anyio.sleep(0.5)  # the look at the platform takes its three seconds, and is under way by now
            executor.cancel()

        tasks.start_soon(cancel)
        result = await executor.run("tried")
    assert result.status == "cancelled"
    assert [event.data for event in place.events if event.data.get("stage") == "explain"] == []
    (tried,) = [event for event in place.events if event.kind is EventKind.ATTEMPT_FINISHED]
    assert tried.data["failure"]["message"] == "the manifest is unknown"


async def test_a_step_that_is_repeated_is_looked_into_once_at_its_end(place: RealPlace) -> None:
    """Not after every round: another may follow, and looking takes time."""
    place.tool("deploy", REFUSED_TAG)
    text = """
        - name: it
          tool: deploy
          args: {image_tag: deadbee1}
          retry: {attempts: 3, delay: 0.01}
        """
    result = await place.run(text)
    explained = [event.data["looks"] for event in place.events if event.data.get("stage") == "explain"]
    assert result.steps[-1].attempts == 3
    assert [bool(looks) for looks in explained] == [False, False, True]


def posted(url: str, body: bytes, *, authorization: str = "") -> dict[str, Any]:
    """What the platform answers to somebody who is not us."""
    headers = {"Authorization": authorization} if authorization else {}
    with urlopen(Request(url, data=body, headers=headers, method="POST")) as answer:  # noqa: S310 - the platform's own address
        told: dict[str, Any] = json.loads(answer.read())
        return told


def fresh(path: Path) -> Repository:
    """A repository that was just made."""
    path.mkdir()
    made = Repository(path=path)
    made.git("init", "--quiet")
    return made
