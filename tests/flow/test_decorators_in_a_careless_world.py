"""What a decorated function is given, and what breaks around it: no secret gets out, and its call is still its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import anyio
import pytest

from engine import auto_heal, pre_flight_check
from engine.errors import PreflightError
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, ToolError

F = TypeVar("F", bound=Callable[..., Any])
SECRET = "correct-horse-battery-staple"


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


@dataclasses.dataclass
class Login:
    """What a person logs in with."""

    password: str


@pytest.mark.parametrize(
    "given",
    [
        {"token": {"value": SECRET}},
        {"token": SECRET.encode()},
        {"tokens": [SECRET]},
        {"passphrase": SECRET},
        {"config": {"deep": {"api_key": SECRET}}},
        {"login": Login(SECRET)},
        {"url": f"https://ann:{SECRET}@forge.example/x"},
    ],
)
async def test_a_secret_inside_of_an_argument_stays_secret(rig: Any, heal: Heal, given: dict[str, Any]) -> None:
    """Though the failure repeats it: in no file, and in no note."""

    @heal()
    async def visit(**_: Any) -> None:
        raise ToolError(f"{SECRET} is refused", http_status=403, output=f"denied: {SECRET}", sent=True)

    with pytest.raises(ToolError) as raised:
        await visit(**given)
    kept = b"".join(path.read_bytes() for path in (rig.folder / "home").rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert SECRET not in str(raised.value.__notes__)


async def test_a_refused_format_does_not_repeat_a_secret(rig: Any) -> None:
    """The error says which argument, and not what it was."""

    @pre_flight_check(checks=["token"], formats={"token": "^x+$"}, engine=rig.engine)
    async def visit(token: str) -> str:
        return token

    with pytest.raises(PreflightError, match="token") as raised:
        await visit(SECRET)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "value", [1 << 20_000, float("nan"), "half \ud800", "\0\x1b[31m", b"\xff", [1 << 20_000], {1: 2}], ids=range(7)
)
async def test_no_argument_is_too_odd_to_be_written_down(rig: Any, heal: Heal, value: Any) -> None:
    """History takes what JSON does not."""

    @heal()
    async def visit(given: Any) -> Any:
        rig.door.check()
        return given

    rig.door.token = False
    assert await visit(value) is value
    assert len(rig.engine.journal.runs()) == 1


async def test_without_history_the_function_is_called_and_not_healed(make_rig: Any) -> None:
    """A fix that nobody can count does not run; what the function gives and raises is still its own."""
    rig = make_rig()
    (rig.folder / "home").write_text("a file where the folder belongs")
    error = ValueError("mine")

    @auto_heal(domain="door", engine=rig.engine)
    async def visit(fails: bool) -> str:
        if fails:
            raise error
        return "inside"

    with pytest.warns(RuntimeWarning, match="without healing"):
        assert await visit(False) == "inside"
    with pytest.warns(RuntimeWarning, match="without healing"), pytest.raises(ValueError, match="mine") as raised:
        await visit(True)
    assert raised.value is error
    await rig.engine.aclose()


async def test_a_refusal_that_cannot_be_written_down_is_a_refusal(make_rig: Any) -> None:
    """The function is not called, and the error is about its argument; a note says what was lost."""
    rig = make_rig()
    (rig.folder / "home").write_text("a file where the folder belongs")

    @pre_flight_check(checks=["image_tag"], engine=rig.engine)
    async def deploy(image_tag: str) -> None:
        pytest.fail(f"{image_tag} was deployed")

    with pytest.raises(PreflightError, match="74ec56e") as raised:
        await deploy("74ec56e")
    assert any("could not be written down" in note for note in raised.value.__notes__)
    await rig.engine.aclose()


async def test_a_look_that_is_cancelled_in_its_repair_ends_its_run(make_rig: Any, door: Any) -> None:
    """History says cancelled, and not that it still runs."""
    settings = '[domains.door]\nfixes.login = {call = {tool = "slow"}, cooldown = 0}\n'
    settings += 'checks.lock = {tool = "lock_is_open", role = "login", kind = "auth_expired"}\n'
    begun = anyio.Event()
    rig = make_rig(tools=_slow_login(begun), settings=settings)

    @pre_flight_check(checks=["auth"], domain="door", engine=rig.engine)
    async def visit() -> None:
        door.log.append("visit")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(visit)
        await begun.wait()
        tasks.cancel_scope.cancel()
    assert [run.status for run in rig.engine.journal.runs()] == ["cancelled"]
    assert door.log == []
    await rig.engine.aclose()


def _slow_login(begun: anyio.Event) -> tuple[Any, ...]:

    @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=50)
    async def slow() -> None:
        """Never ends."""
        begun.set()
        await anyio.sleep_forever()

    @tool(effect=Effect.READ, domain="door", timeout=5)
    async def lock_is_open() -> dict[str, Any]:
        """Whether the token is good."""
        return {"ok": False, "message": "it is not"}

    return tool_of(slow), tool_of(lock_is_open)
