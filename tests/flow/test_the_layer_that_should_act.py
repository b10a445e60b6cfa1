"""For each ordinary trouble, on the local profile: the layer that should act does, and the journal says why.

Each case is a real run against the real platform. What the journal told is compared with a recording in
`tests/flow/recorded`, written anew with `RECORD=1`: stages, checks, decisions, fixes and causes, without what changes
from run to run.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import anyio
import pytest

from engine import Event, EventKind, HealMode, RunResult
from tests.flow.real_places import RealPlace
from tests.unit.functions.shop_repository import Repository

RECORDED = Path(__file__).parent / "recorded"
SETTINGS = 'profile = "local"\n[env]\nallow = []\n'
LIST = "- {name: mine, tool: bonfire_namespace_list}\n"
PATIENT = "- {name: mine, tool: bonfire_namespace_list, timeout: 20}\n"
ASKS = """
parameters: {properties: {}}
command:
  argv: [sh, -c, "read -r answer < /dev/tty"]
"""
GIT = """
parameters: {{required: [repo], properties: {{repo: {{type: string}}}}}}
command:
  argv: [git, -C, "{{repo}}", {words}]
"""

Trouble = Callable[[RealPlace], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A trouble, who acts on it, and how the run ends; `cause` is the root cause that is told, empty for none."""

    acts: frozenset[str]
    status: str
    trouble: Trouble
    cause: str = ""
    kind: str = ""


def about_to_expire(place: RealPlace) -> str:
    """Twenty seconds are left, and a run needs a minute."""
    log_in(place, lifetime=20)
    return LIST


def expired(place: RealPlace) -> str:
    """It lived for a moment."""
    log_in(place, lifetime=0.05)
    time.sleep(0.1)
    return LIST


def revoked(place: RealPlace) -> str:
    """By what it says itself it holds for an hour; the platform does not take it any more."""
    posted(f"{place.url}/oauth/revoke", urlencode({"token": place.token}).encode())
    return LIST


def down(place: RealPlace) -> str:
    """Killed without a word."""
    os.kill(int(json.loads((place.platform / "endpoint.json").read_text())["pid"]), signal.SIGKILL)
    return LIST


def slow(place: RealPlace) -> str:
    """Longer than a call has, for as long as the first call takes."""
    place.set(slow_seconds=12)
    threading.Timer(5, place.set).start()
    place.tool("slow_list", SLOW_LIST.format(url=place.url, token=place.token))
    return "- {name: mine, tool: slow_list}\n"


SLOW_LIST = """
effect: read
idempotent: true
domain: ephemeral
timeout: 6
parameters: {{properties: {{}}}}
http:
  url: "{url}/api/namespaces"
  headers: {{Authorization: "Bearer {token}"}}
"""


def flapping(place: RealPlace) -> str:
    """It answers the look beforehand, and refuses the call."""
    place.set(flap=[1, 1.5])
    return LIST


def short_sha(place: RealPlace) -> str:
    """Eight digits where the registry's tags have forty."""
    full = forge(place).git("rev-parse", "main")
    tag = f"\"{{{{ '{full[:8]}' }}}}\""  # worked out when it runs: a literal one is refused when the skill is read
    return f"- {{name: look, tool: quay_get_tag, args: {{repository: demo/shop, tag: {tag}}}}}\n"


def no_registry_login(place: RealPlace) -> str:
    """The registry wants a login, and nobody is logged in."""
    place.set(registry_login=True)
    full = forge(place).git("rev-parse", "main")
    return f"- {{name: look, tool: quay_get_tag, args: {{repository: demo/shop, tag: {full}}}}}\n"


def somebody_elses(place: RealPlace) -> str:
    """Ben has reserved it."""
    (place.platform / "login" / "ben.secret").write_text("secret of ben\n")
    form = {"grant_type": "client_credentials", "client_id": "ben", "client_secret": "secret of ben"}
    token = posted(f"{place.url}/oauth/token", urlencode(form).encode())["access_token"]
    his = posted(f"{place.url}/api/namespaces", b'{"duration": 120}', authorization=f"Bearer {token}")["name"]
    return f"- {{name: pods, tool: kubectl_get_pods, args: {{namespace: {his}}}}}\n"


def asks_without_a_terminal(place: RealPlace) -> str:
    """A program reads from the terminal, and there is none."""
    place.tool("asks", ASKS)
    return "- {name: ask_it, tool: asks}\n"


def not_built(place: RealPlace) -> str:
    """The newest commit of a merge request that nobody has built."""
    full = forge(place).git("rev-parse", "refs/merge-requests/1/head")
    look = f"{{repository: demo/shop, tag: {full}}}"
    return f"- {{name: look, tool: quay_get_tag, args: {look}, expect: result.found}}\n"


def without_commits(place: RealPlace) -> str:
    """A repository that was just made."""
    made = fresh(place.folder / "new_shop")
    place.tool("told", GIT.format(words="log"))
    return f"- {{name: told, tool: told, args: {{repo: '{made.path}'}}}}\n"


def not_pushed(place: RealPlace) -> str:
    """A branch the server has never seen."""
    made = fresh(place.folder / "shop")
    made.commit("Start", {"a": "1"})
    made.git("init", "--bare", "--quiet", str(place.folder / "server.git"))
    made.git("remote", "add", "origin", str(place.folder / "server.git"))
    made.git("push", "--quiet", "origin", "main")
    made.git("checkout", "--quiet", "-b", "fix-7")
    made.commit("Fix", {"a": "2"})
    place.tool("pushed", GIT.format(words="push"))
    return f"- {{name: pushed, tool: pushed, args: {{repo: '{made.path}'}}}}\n"


NOBODY: frozenset[str] = frozenset()
CASES = {
    "token about to expire": Case(trouble=about_to_expire, acts=frozenset({"preflight"}), status="ok"),
    "token expired": Case(trouble=expired, acts=frozenset({"preflight"}), status="ok"),
    "token revoked": Case(trouble=revoked, acts=frozenset({"heal"}), status="ok", kind="auth_expired"),
    "platform down": Case(trouble=down, acts=frozenset({"preflight"}), status="ok"),
    "platform slow": Case(trouble=slow, acts=frozenset({"heal"}), status="ok", kind="timeout"),
    "platform flapping": Case(trouble=flapping, acts=frozenset({"heal"}), status="ok", kind="connection_refused"),
    "short SHA": Case(trouble=short_sha, acts=frozenset({"preflight", "explain"}), status="blocked", cause="short_sha"),
    "registry login missing": Case(
        trouble=no_registry_login,
        acts=frozenset({"explain"}),
        status="failed",
        cause="registry_login",
        kind="auth_expired",
    ),
    "namespace of another owner": Case(
        trouble=somebody_elses,
        acts=frozenset({"explain"}),
        status="failed",
        cause="namespace_not_owned",
        kind="permission_denied",
    ),
    "prompt without a terminal": Case(
        trouble=asks_without_a_terminal,
        acts=frozenset({"explain"}),
        status="failed",
        cause="no_terminal",
        kind="tty_required",
    ),
    "image not built": Case(
        trouble=not_built,
        acts=frozenset({"explain"}),
        status="failed",
        cause="image_not_built",
        kind="unexpected_result",
    ),
    "branch without commits": Case(
        trouble=without_commits,
        acts=frozenset({"explain"}),
        status="failed",
        cause="branch_without_commits",
        kind="resource_not_found",
    ),
    "branch not pushed": Case(
        trouble=not_pushed,
        acts=frozenset({"explain"}),
        status="failed",
        cause="branch_not_pushed",
        kind="resource_not_found",
    ),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The live files of a person who has started the platform."""
    folder = tmp_path_factory.mktemp("person")
    (folder / "skill.toml").write_text(SETTINGS)
    made = RealPlace(folder=folder, home=folder / "home")
    anyio.run(made.call, "local_platform_start")
    yield made.home
    made.stop()


@pytest.fixture
def place(home: Path, tmp_path: Path) -> RealPlace:
    """A workspace of its own, the platform as it should be, and somebody logged in."""
    (tmp_path / "skill.toml").write_text(SETTINGS)
    made = RealPlace(folder=tmp_path, home=home)
    anyio.run(made.call, "local_platform_start")
    made.set()
    log_in(made)
    shutil.rmtree(home / "state" / "fixes", ignore_errors=True)  # each trouble comes on another day
    return made


def log_in(place: RealPlace, *, lifetime: float = 3600) -> None:
    """A token that lives so long."""
    place.set(token_lifetime=lifetime)
    anyio.run(place.call, "kube_login")
    place.set()


def forge(place: RealPlace) -> Repository:
    """The demo project's real repository."""
    return Repository(path=place.platform / "forge" / "demo-shop.git")


def fresh(path: Path) -> Repository:
    """A new repository."""
    path.mkdir()
    made = Repository(path=path)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("config", "user.name", "A")
    made.git("config", "user.email", "a@example.com")
    return made


def posted(url: str, content: bytes, **headers: str) -> Any:
    """What the platform answers."""
    request = Request(url, data=content, headers=headers)  # noqa: S310 - loopback http of ours
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.load(answer)


def acted(events: list[Event]) -> frozenset[str]:
    """The layers that did something: looked and repaired or blocked, foretold, healed, explained."""
    layers = set()
    for event in events:
        match event.kind, event.data.get("stage"), event.data:
            case EventKind.HEAL_STAGE, "preflight", {"action": "fixed" | "blocked"}:
                layers.add("preflight")
            case EventKind.HEAL_STAGE, "predict", {"action": "fix"}:
                layers.add("predict")
            case EventKind.HEAL_STAGE, "decide", {"decision": "fix" | "retry"}:
                layers.add("heal")
            case EventKind.HEAL_STAGE, "explain", _:
                layers.add("explain")
        if event.data.get("cause", {}) and event.data.get("action") == "blocked":
            layers.add("explain")
    return frozenset(layers)


def story(events: list[Event]) -> str:
    """What the journal told, line by line, without what changes from run to run."""
    return "".join(f"{line}\n" for line in map(_line, events) if line)


def _line(event: Event) -> str:
    where, data = event.step or "run", event.data
    match event.kind:
        case EventKind.HEAL_STAGE:
            told = [str(data[name]) for name in ("check", "domain", "action", "kind", "decision") if data.get(name)]
            cause = data.get("root_cause") or data.get("cause") or {}
            named = f" cause={cause['id']}" if isinstance(cause, dict) and cause.get("id") else ""
            return f"{where}: {data['stage']} {' '.join(told)}".rstrip() + named
        case EventKind.ATTEMPT_FINISHED:
            return f"{where}: attempt {data['number']} {'worked' if data['ok'] else 'failed'}"
        case EventKind.FIX_FINISHED:
            how = "worked" if data["ok"] else "failed"
            return f"{where}: fix {data['fix']} in {data['domain']} for {data.get('cause') or 'failure'} {how}"
        case EventKind.STEP_FINISHED | EventKind.RUN_FINISHED:
            cause = (data.get("root_cause") or {}).get("id", "")
            return f"{where}: {data['status']}" + (f" cause={cause}" if cause else "")
    return ""


def causes(result: RunResult) -> list[str]:
    """The root causes that were told, of checks and of steps."""
    found = [check.cause for check in result.preflight if check.cause] + [
        step.root_cause for step in result.steps if step.root_cause
    ]
    return [cause.id for cause in found]


@pytest.mark.parametrize("name", CASES)
def test_the_layer_that_should_act_does_and_the_others_do_not(place: RealPlace, name: str) -> None:
    """By what was done, by the kind that was seen, by the cause that was told; and all of it is in the journal."""
    case = CASES[name]
    steps = case.trouble(place)
    result = anyio.run(lambda: place.run(steps, heal=HealMode.AUTO))
    told = story(place.events)
    assert (result.status, acted(place.events)) == (case.status, case.acts), told
    assert causes(result) == ([case.cause] if case.cause else []), told
    first = [step.first_failure or step.failure for step in result.steps]
    assert [failure.kind.value for failure in first if failure] == ([case.kind] if case.kind else []), told
    recording = RECORDED / f"{shlex.quote(name).strip(chr(39)).replace(' ', '_')}.txt"
    if os.environ.get("RECORD"):
        recording.write_text(told, encoding="utf-8")
    assert told == recording.read_text(encoding="utf-8")


def test_every_recording_is_of_a_case() -> None:
    """None is left over from a case that is gone."""
    assert {path.stem.replace("_", " ") for path in RECORDED.glob("*.txt")} == set(CASES)
