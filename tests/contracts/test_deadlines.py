"""Every tool that asks a server, against servers that behave badly: it ends in time, says what was wrong, tells nobody.

The tools are those of the registry that connect when they are aimed at a server (`tests/servers/aimed.py`), and those
whose declaration says that they would: a new family is in here by itself.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from bench.texts import shipped
from engine.attempt import failure_of
from engine.heal.detect import diagnose
from engine.model.failure import Failure
from tests.servers.aimed import EITHER, MARK, Place, given_away, must_ask, place
from tests.servers.configured import living
from tests.servers.hostile import Behaviour, Hostile, hostile
from tool_registry.registry import default_registry, requirements
from tool_registry.tool import Tool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

KINDS: Mapping[Behaviour, set[str]] = {
    Behaviour.SILENT: {"timeout"},
    Behaviour.DRIP: {"timeout"},
    Behaviour.DRIP_BODY: {"timeout"},
    Behaviour.RATE_LIMITED: {"rate_limited"},
    Behaviour.CUT_BODY: {"connection_refused"},
    Behaviour.HANGS_UP: {"connection_refused"},
    Behaviour.REDIRECTS_FOR_EVER: {"api_contract_mismatch"},
    Behaviour.REDIRECTS_AWAY: {"api_contract_mismatch"},
    Behaviour.ENDLESS: {"resource_exhausted"},
    Behaviour.WRONG_TYPE: {"api_contract_mismatch"},
    Behaviour.BROKEN_JSON: {"api_contract_mismatch"},
    Behaviour.OTHER_SHAPE: {"api_contract_mismatch"},
    Behaviour.NO_HTTP: {"api_contract_mismatch"},
    Behaviour.HALF_TLS: {"timeout"},
    Behaviour.TELLS_TALES: {"permission_denied"},
}
OF_PROGRAMS: Mapping[Behaviour, set[str]] = {
    Behaviour.RATE_LIMITED: {"timeout"},
    Behaviour.ENDLESS: {"timeout", "api_contract_mismatch", "unknown"},
    Behaviour.REDIRECTS_FOR_EVER: {"unknown"},
    Behaviour.REDIRECTS_AWAY: {"unknown", "resource_not_found"},
    # git takes any page for a repository that has no branches yet
    Behaviour.WRONG_TYPE: {"ok", "unknown", "resource_not_found"},
    Behaviour.BROKEN_JSON: {"ok", "unknown", "resource_not_found"},
    Behaviour.OTHER_SHAPE: {"ok", "unknown", "resource_not_found"},
    Behaviour.NO_HTTP: {"unknown"},
    Behaviour.CUT_BODY: {"unknown"},
    Behaviour.HANGS_UP: {"unknown"},
}
"""What may be read from a program's words besides: some obey `Retry-After` or read to the end of their time, and some
say so little that `unknown` is the honest answer. A kind that a fix acts on is never among them."""
READS_NO_ANSWER = {
    "network_reachable": set(Behaviour),  # a connection is all it asks for
    "vpn_connect": set(Behaviour),  # the same, of its probe
    "http_get": {
        Behaviour.REDIRECTS_AWAY,  # followed, without credentials
        Behaviour.WRONG_TYPE,  # whatever page it is, is what was asked for
        Behaviour.BROKEN_JSON,
        Behaviour.OTHER_SHAPE,
    },
    "registry_login_state": {Behaviour.OTHER_SHAPE},  # of `GET /v2/` the specification says nothing but the status
    "registry_login": {Behaviour.OTHER_SHAPE},  # as the look that proves it
    "bonfire_namespace_release": {Behaviour.OTHER_SHAPE},  # that it was accepted is all it reads
}
"""Where a tool may take an answer that another tool could not."""
WAITS = {"local_platform_start"}
"""Tools that wait for somebody to answer well: whoever answers badly makes them wait on."""
PATIENT, QUICK = 20.0, 1.0
"""Seconds a call has where the server answers at once, and where it never does."""
GRACE = 9.0
"""Seconds beyond its deadline in which a call on a busy machine must have ended; the registry gives it up after ten."""
AT_ONCE = 12
TOOLS = dict(default_registry())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one call ended; `faults` says in words what it should not have done."""

    behaviour: Behaviour
    cluster: bool
    asked: int
    failure: Failure | None
    kind: str
    faults: Sequence[str]


async def _ended(tool: Tool, arguments: Mapping[str, Any], here: Place) -> tuple[Failure | None, str]:
    """What the call left: nothing and `ok`, or its failure and the kind that is read from it."""
    async with default_registry() as registry:
        try:
            await registry.call(tool.name, arguments, here.context(tool))
        except Exception as error:  # noqa: BLE001 - as the engine does at this border
            failure = failure_of(error, tool=tool.name)
            return failure, str(diagnose(failure, PATTERNS).kind)
    return None, "ok"


PATTERNS = shipped()


async def _left(server: Hostile) -> bool:
    """Whether the tool has let go of the server, now or soon."""
    for _ in range(200):
        if server.open == 0:
            return True
        await anyio.sleep(0.02)
    return False


async def _gone(folder: Path) -> None:
    """Waits for what the call left to end by itself, while the place is as it was."""
    for _ in range(100):
        if not living(MARK, folder):
            return
        await anyio.sleep(0.1)


async def _call(tool: Tool, number: int, behaviour: Behaviour, folder: Path, *, cluster: bool) -> Ending:
    endless = behaviour is Behaviour.ENDLESS and bool(tool.needs.programs)
    waiting = KINDS[behaviour] == {"timeout"} or tool.name in WAITS or endless
    with ExitStack() as stack:
        away = stack.enter_context(hostile(Behaviour.OTHER_SHAPE)) if behaviour is Behaviour.REDIRECTS_AWAY else None
        server = stack.enter_context(hostile(behaviour, away.url if away else ""))
        here = stack.enter_context(place(folder, tool, server.url, QUICK if waiting else PATIENT, cluster=cluster))
        began = time.monotonic()
        failure, kind = await _ended(tool, here.calls(tool)[number], here)
        took, left = time.monotonic() - began, await _left(server)
        if tool.name in WAITS:
            await _gone(folder)
    said = f"{failure.message} {failure.evidence.text} {failure.evidence.details}" if failure else ""
    faults = {
        f"it took {took:.1f} s of {here.timeout:g} s": took > here.timeout + GRACE,
        "it did not let go of the connection": not left,
        "it told its token to the server it was redirected to": any(map(given_away, away.heads if away else ())),
        f"it shows a token that nobody masks: {said[:300]}": here.untold(said),
    }
    return Ending(
        behaviour=behaviour,
        cluster=cluster,
        asked=server.connections,
        failure=failure,
        kind=kind,
        faults=[words for words, holds in faults.items() if holds],
    )


async def _all(tools: Sequence[Tool], folder: Path) -> Mapping[str, list[Ending]]:
    """Every call of every tool to every server, many at once."""
    endings: dict[str, list[Ending]] = defaultdict(list)
    limit = anyio.CapacityLimiter(AT_ONCE)

    async def one(tool: Tool, number: int, behaviour: Behaviour, cluster: bool = False) -> None:
        async with limit:
            own = folder / f"{tool.name}-{number}-{behaviour.name}{'-cluster' if cluster else ''}"
            own.mkdir()
            endings[tool.name].append(await _call(tool, number, behaviour, own, cluster=cluster))

    async with anyio.create_task_group() as group:
        for tool in tools:
            for number in range(1 + ("repo" in tool.parameters.get("properties", {}))):
                for behaviour in Behaviour:
                    group.start_soon(one, tool, number, behaviour)
                    if tool.needs.settings == EITHER:
                        group.start_soon(one, tool, number, behaviour, True)
    return endings


def lacking(tool: Tool) -> list[str]:
    """The programs that the tool needs and this machine has not."""
    return [each.name for each in requirements(tool, os.environ) if each.kind == "program" and each.found is None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every call has a folder of its own."""
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def endings(folder: Path, request: pytest.FixtureRequest) -> Mapping[str, list[Ending]]:
    """How every tool ended with every server; nobody who ran meanwhile runs any more."""
    chosen = {name for name in TOOLS if any(f"[{name}]" in item.name for item in request.session.items)}
    able = [tool for name, tool in TOOLS.items() if name in chosen and name != "wait" and not lacking(tool)]
    return anyio.run(_all, able, folder)


def _expected(tool: Tool, ending: Ending) -> set[str]:
    """The kinds that are right: those of the behaviour, and what this tool or the program it ran may make of it."""
    right = set(KINDS[ending.behaviour])
    right |= {"ok"} if ending.behaviour in READS_NO_ANSWER.get(tool.name, ()) else set()
    right |= {"timeout"} if tool.name in WAITS else set()
    if tool.needs.programs:
        right |= OF_PROGRAMS.get(ending.behaviour, set())
    return right


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_bad_server_is_left_in_time_and_named_for_what_it_is(tool: Tool, endings: Mapping[str, list[Ending]]) -> None:
    """Whatever the server does, the call ends by its own deadline with the right kind, and no token goes astray."""
    if missing := lacking(tool):
        assert not os.environ.get("CI"), f"CI must have {', '.join(missing)}"
        pytest.skip(f"{', '.join(missing)} is not on this machine")
    met = [ending for ending in endings[tool.name] if ending.asked]
    unmet = {(each.behaviour.name, each.cluster) for each in endings[tool.name]}
    unmet -= {(each.behaviour.name, each.cluster) for each in met}
    assert not unmet or not must_ask(tool), f"{unmet}: teach tests/servers/aimed.py what it calls a server"
    wrong = [
        f"{each.behaviour.name}: {each.kind}, not {' or '.join(sorted(_expected(tool, each)))}: {each.failure}"
        for each in met
        if each.kind not in _expected(tool, each)
    ]
    wrong += [f"{each.behaviour.name}: {fault}" for each in met for fault in each.faults]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_what_a_server_asks_to_wait_is_kept_as_evidence(endings: Mapping[str, list[Ending]]) -> None:
    """`Retry-After` reaches whoever decides about a second call, and nobody obeys it on the way."""
    limited = [
        each.failure.evidence
        for name, ended in endings.items()
        for each in ended
        if each.behaviour is Behaviour.RATE_LIMITED and each.failure and name not in WAITS
    ]
    asked = [evidence for evidence in limited if evidence.http_status and not evidence.program]
    assert {(evidence.http_status, evidence.retry_after) for evidence in asked} == {(429, 3600.0)}


def test_nothing_that_was_started_still_runs(endings: Mapping[str, list[Ending]], folder: Path) -> None:
    """No program outlives the call that started it."""
    assert endings
    assert running_below(folder) == []


def running_below(folder: Path) -> list[str]:
    """The processes that were started from one of the folders in it, as their command lines."""
    wanted, found = f"{MARK}={folder}".encode(), []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
