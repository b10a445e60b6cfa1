"""Any Python function is healed by the pipeline that heals steps: async or not, a tool or not, in either order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
import pytest

from engine import EventKind, PreflightError, auto_heal, auto_heal_git, auto_heal_jira, auto_heal_k8s, pre_flight_check
from engine.decorators.healing import healed_by
from tool_registry.registry import ToolRegistry
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, ToolContext, ToolError

F = TypeVar("F", bound=Callable[..., Any])


class Room:
    """An object no JSON can hold."""


class Heal(Protocol):
    """`auto_heal` for the rig's door."""

    def __call__(self, **how: Any) -> Callable[[F], F]:
        """Decorates."""


@pytest.fixture
def heal(rig: Any) -> Heal:
    """`auto_heal` for the rig's door."""

    def made(**how: Any) -> Callable[[F], F]:
        return auto_heal(**{"domain": "door", "engine": rig.engine, **how})

    return made


async def test_an_async_function_is_healed_and_gives_its_own_object(rig: Any, heal: Heal) -> None:
    """401, login, again: what comes back is the very object the second call made."""
    room = Room()
    rig.door.token = False

    @heal()
    async def visit() -> Room:
        """Visits."""
        rig.door.log.append("visit")
        rig.door.check()
        return room

    assert await visit() is room
    assert rig.door.log == ["visit", "log_in", "visit"]


def test_a_function_that_is_not_async_stays_in_its_thread(make_rig: Any) -> None:
    """Both calls are made in the caller's thread, and it may have an event loop of its own."""
    rig = make_rig()
    rig.door.token = False
    threads = []

    @auto_heal(domain="door", engine=rig.engine)
    def visit() -> str:
        threads.append(threading.get_ident())
        rig.door.check()
        return asyncio.run(_inside())

    assert visit() == "inside"
    assert threads == [threading.get_ident()] * 2
    assert rig.door.log == ["log_in"]
    anyio.run(rig.engine.aclose)


async def _inside() -> str:
    return "inside"


async def test_a_function_that_is_not_async_is_healed_within_a_running_loop(rig: Any, heal: Heal) -> None:
    """Whoever calls it from async code waits for it, as for any such function."""
    rig.door.token = False

    @heal()
    def visit() -> str:
        rig.door.check()
        return "inside"

    assert visit() == "inside"


@pytest.mark.parametrize("healed_first", [True, False])
async def test_the_registered_function_is_the_healed_one(rig: Any, heal: Heal, healed_first: bool) -> None:
    """`@tool` above or below: the tool in the registry, and the function itself, are both healed."""

    async def visit(name: str, context: ToolContext) -> dict[str, str]:
        """Visits somebody.

        Args:
            name: Whom.
            context: Which step asks.
        """
        rig.door.log.append(f"visit {context.step}")
        rig.door.check()
        return {"name": name}

    declare = tool(effect=Effect.READ, timeout=5)
    made = declare(heal()(visit)) if healed_first else heal()(declare(visit))
    registry = ToolRegistry(tool_of(made))
    registered = registry["visit"]
    assert registered.parameters["properties"]["name"] == {"type": "string", "description": "Whom."}
    assert Path(registered.location.rpartition(":")[0]).name == Path(__file__).name
    rig.door.token = False
    given = await registry.call("visit", {"name": "ann"}, ToolContext(step="a"))
    assert given.value == {"name": "ann"}
    rig.door.token = False
    assert await made(name="bob", context=ToolContext(step="b")) == {"name": "bob"}
    assert rig.door.log == ["visit a", "log_in", "visit a", "visit b", "log_in", "visit b"]


async def test_in_a_skill_it_is_healed_once_and_by_the_run(make_rig: Any) -> None:
    """The step's own pipeline heals it, so that the run tells of it; not both."""
    door: dict[str, Any] = {}

    @tool(effect=Effect.READ, timeout=5)
    @auto_heal(domain="door")
    async def visit() -> str:
        """Visits."""
        door["rig"].door.log.append("visit")
        door["rig"].door.check()
        return "inside"

    @auto_heal(domain="door")
    @tool(effect=Effect.READ, domain="door", timeout=5)
    def visit_again() -> str:
        """Visits in a thread."""
        door["rig"].door.log.append("again")
        door["rig"].door.check()
        return "inside"

    rig = door["rig"] = make_rig(tools=(tool_of(visit), tool_of(visit_again)))
    rig.door.token = False
    result = await rig.run(
        "steps:\n  - {name: one, tool: visit, heal: {domain: door}}\n  - {name: two, tool: visit_again}\n"
    )
    assert (result.status, result.healed, rig.door.log) == ("ok", 1, ["visit", "log_in", "visit", "again"])
    rig.door.log.clear()
    rig.door.token = False
    result = await rig.run("steps:\n  - {name: two, tool: visit_again}\n")
    assert (result.healed, rig.door.log) == (1, ["again", "log_in", "again"])
    assert [run.skill for run in rig.engine.journal.runs()] == ["promise", "promise"]
    await rig.engine.aclose()


async def test_what_still_fails_is_raised_as_itself_with_what_was_done(rig: Any, heal: Heal) -> None:
    """The exception of the last call, the same object; its notes tell what healing did and what to do."""
    error = ToolError("the server said 401", http_status=401, output="Unauthorized", sent=True)
    rig.door.login_works = False

    @heal()
    async def visit() -> None:
        raise error

    with pytest.raises(ToolError) as raised:
        await visit()
    assert raised.value is error
    assert any("closed on Sundays" in note for note in raised.value.__notes__)


async def test_a_call_that_works_leaves_no_trace(rig: Any, heal: Heal) -> None:
    """History is for what was amiss; a function called ten thousand times a day must not fill it."""

    @heal()
    async def visit() -> int:
        return 1

    assert [await visit() for _ in range(3)] == [1, 1, 1]
    assert rig.engine.journal.runs() == ()


async def test_a_healed_call_is_a_run_that_can_be_read_and_counted(rig: Any, heal: Heal) -> None:
    """Its failure and its fix stand in history and in the files people read; its secrets do not."""
    rig.door.token = False

    @heal()
    async def visit(name: str, password: str, room: Room) -> Room:
        rig.door.check()
        assert (name, password) == ("ann", "correct-horse-battery")
        return room

    await visit("ann", password="correct-horse-battery", room=Room())
    (run,) = rig.engine.journal.runs()
    assert run.skill.endswith("visit")
    assert run.status == "ok"
    assert run.inputs == {"name": "ann", "password": "•••", "room": "<Room>"}
    (step,) = rig.engine.journal.steps(run.id)
    assert (step.status, step.attempts) == ("healed", 2)
    assert rig.engine.journal.totals().auto_fixed == 1
    kept = b"".join(path.read_bytes() for path in (rig.folder / "home").rglob("*") if path.is_file())
    assert b"correct-horse-battery" not in kept


async def test_a_write_whose_answer_was_lost_is_not_called_again(heal: Heal) -> None:
    """A second call must be safe, outside of skills too."""
    calls = []

    @heal(effect=Effect.WRITE)
    async def order() -> None:
        calls.append(1)
        raise ConnectionResetError(104, "Connection reset by peer")

    with pytest.raises(ConnectionResetError):
        await order()
    assert len(calls) == 1


async def test_an_async_function_has_the_time_it_was_given(rig: Any, heal: Heal) -> None:
    """The time-out is a failure of the call, and passes by itself: a read is made again."""
    calls = []

    @heal(timeout=0.05)
    async def visit() -> str:
        calls.append(1)
        await anyio.sleep(0 if len(calls) > 1 else 30)
        return "inside"

    assert await visit() == "inside"
    assert len(calls) == 2
    assert rig.door.log == []


async def test_cancelling_is_not_swallowed(rig: Any, heal: Heal) -> None:
    """Neither in the function nor in what healing does."""
    begun = anyio.Event()

    @heal()
    async def visit() -> None:
        begun.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(visit)
        await begun.wait()
        tasks.cancel_scope.cancel()
    assert rig.engine.journal.runs() == ()


async def test_a_fix_that_is_healed_itself_does_not_wait_for_itself(make_rig: Any) -> None:
    """A login that is refused by the domain it logs in to fails, instead of logging in to log in."""
    calls = []

    @auto_heal(domain="door")
    @tool(
        name="log_in_by_hand", effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=5
    )
    async def log_in() -> None:
        """Gets a token, in vain."""
        calls.append(1)
        raise ToolError("401", http_status=401)

    settings = '[domains.door.fixes.login]\ncall = {tool = "log_in_by_hand"}\ncooldown = 0\n'
    rig = make_rig(tools=(tool_of(log_in),), settings=settings)
    rig.door.token = False
    result = await rig.run("steps:\n  - {name: look, tool: look}\n")
    await rig.engine.aclose()
    assert (result.status, len(calls)) == ("failed", 1)


def test_the_named_ones_say_which_domain_and_which_fixes() -> None:
    """The names of the reference: a cluster by its parameter, Jira by login only, git by network only."""

    def call(environment: str = "stage") -> str:
        return environment

    cluster, tracker, server = (healed_by(make()(call)) for make in (auto_heal_k8s, auto_heal_jira, auto_heal_git))
    assert cluster is not None
    assert [cluster.domain_of({"environment": name}) for name in ("production", "stage", "ephemeral")] == [
        "prod",
        "stage",
        "ephemeral",
    ]
    assert cluster.domain_of({}) == "stage"
    assert tracker is not None
    assert (tracker.domain, tracker.fixes) == ("jira", ("login",))
    assert server is not None
    assert (server.domain, server.fixes) == ("git", ("connect",))


def test_a_function_without_an_environment_is_of_stage() -> None:
    """Nothing can say another cluster, so that one is meant."""

    def call(namespace: str) -> str:
        return namespace

    cluster = healed_by(auto_heal_k8s()(call))
    assert cluster is not None
    assert cluster.domain_of({"namespace": "production"}) == "stage"


async def test_arguments_that_do_not_fit_are_the_callers_mistake(rig: Any, heal: Heal) -> None:
    """TypeError at once, as from the function itself; nothing is healed."""

    @heal()
    async def visit(name: str) -> str:
        return name

    with pytest.raises(TypeError, match="name"):
        await visit()  # type: ignore[call-arg] # the caller's mistake
    assert rig.engine.journal.runs() == ()


async def test_calls_at_once_are_kept_apart(rig: Any, heal: Heal) -> None:
    """Thirty at once meet the same 401: one login, and each gets its own answer."""
    rig.door.token = False

    @heal()
    async def visit(number: int) -> int:
        await anyio.sleep(0.01)
        rig.door.check()
        return number

    answers: dict[int, int] = {}

    async def one(number: int) -> None:
        answers[number] = await visit(number)

    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(one, number)
    assert answers == {number: number for number in range(30)}
    assert rig.door.log == ["log_in"]


CHECKED = """
[domains.door]
description = "A door with a lock, at the end of a road."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
fixes.connect = {call = {tool = "build_road"}, verify = {tool = "road_is_open"}, ready_within = 2, cooldown = 0}
checks.road = {tool = "road_is_open", role = "connect", kind = "connection_refused"}
checks.lock = {tool = "lock_is_open", role = "login", kind = "auth_expired"}
"""


@pytest.fixture
async def checked(make_rig: Any, door: Any) -> Any:
    """A rig whose domain declares what can be looked at beforehand."""

    @tool(effect=Effect.READ, domain="door", timeout=5)
    async def lock_is_open() -> dict[str, Any]:
        """Whether the token is good."""
        door.log.append("lock_is_open")
        return {"ok": door.token, "message": "" if door.token else "the token of door is missing"}

    rig = make_rig(tools=(tool_of(lock_is_open),), settings=CHECKED)
    yield rig
    await rig.engine.aclose()


async def test_a_look_before_a_call_repairs_what_would_make_it_fail(checked: Any) -> None:
    """Road and token are repaired beforehand, in that order; the function is called once, and works."""
    checked.door.road = checked.door.token = False

    @pre_flight_check(checks=["auth", "vpn"], domain="door", engine=checked.engine)
    async def visit() -> str:
        checked.door.log.append("visit")
        checked.door.check()
        return "inside"

    assert await visit() == "inside"
    assert [name for name in checked.door.log if name in {"build_road", "log_in", "visit"}] == [
        "build_road",
        "log_in",
        "visit",
    ]
    (run,) = checked.engine.journal.runs()
    assert run.status == "ok"


def test_a_look_that_is_not_good_and_cannot_be_repaired_blocks(make_rig: Any, door: Any) -> None:
    """The function is not called; the error says what is wrong, and its notes what to do."""
    door.login_works = door.token = False

    @tool(effect=Effect.READ, domain="door", timeout=5)
    async def lock_is_open() -> dict[str, Any]:
        """Whether the token is good."""
        return {"ok": door.token, "message": "the token of door is missing"}

    rig = make_rig(tools=(tool_of(lock_is_open),), settings=CHECKED)

    @pre_flight_check(checks=["lock"], domain="door", engine=rig.engine)
    def visit() -> None:
        door.log.append("visit")

    with pytest.raises(PreflightError, match="token of door is missing") as raised:
        visit()
    assert "visit" not in door.log
    assert any("log_in" in note for note in raised.value.__notes__)
    (run,) = rig.engine.journal.runs()
    assert run.status == "blocked"
    anyio.run(rig.engine.aclose)


async def test_a_short_sha_is_refused_before_the_call(checked: Any) -> None:
    """The reference's own example: eight digits where the registry wants forty, and how to get them."""

    @pre_flight_check(checks=["image_tag"], engine=checked.engine)
    async def deploy(image_tag: str) -> str:
        return image_tag

    full = "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"
    assert await deploy(full) == full
    with pytest.raises(PreflightError, match="74ec56e") as raised:
        await deploy("74ec56e")
    assert raised.value.__notes__ == ["Expand it in the repository: git rev-parse 74ec56e"]
    (run,) = checked.engine.journal.runs()
    told = [event.data for _, event in checked.engine.journal.events(run.id) if event.kind is EventKind.HEAL_STAGE]
    assert [(each["check"], each["action"], each["kind"]) for each in told] == [("arguments", "blocked", "usage_error")]


@pytest.mark.parametrize("looks_first", [True, False])
async def test_looking_and_healing_stand_in_either_order_with_tool(checked: Any, looks_first: bool) -> None:
    """A token that is gone is repaired beforehand; one that is revoked in between is healed."""

    async def visit() -> str:
        """Visits."""
        checked.door.log.append("visit")
        if checked.door.called("visit") == 1:
            checked.door.token = False
        checked.door.check()
        return "inside"

    looks = pre_flight_check(checks=["auth"], domain="door", engine=checked.engine)
    heals = auto_heal(domain="door", engine=checked.engine)
    declare = tool(effect=Effect.READ, timeout=5)
    made = looks(heals(declare(visit))) if looks_first else declare(heals(looks(visit)))
    checked.door.token = False
    given = await ToolRegistry(tool_of(made)).call("visit", {}, ToolContext())
    assert given.value == "inside"
    done = [name for name in checked.door.log if name in {"log_in", "visit"}]
    assert done == ["log_in", "visit", "log_in", "visit"]


async def test_a_check_nobody_declared_is_the_authors_mistake(checked: Any) -> None:
    """The error names the checks there are."""

    @pre_flight_check(checks=["moon"], domain="door", engine=checked.engine)
    async def visit() -> None:
        return

    with pytest.raises(ValueError, match=r"no check called moon.*road, lock"):
        await visit()
