"""No server outlives whoever started it, in whatever way that ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import anyio
import pytest

from engine.wiring import Engine
from tests.flow.mcp_places import Place, assert_ends, becomes, servers_of, wait_until
from tests.shell import Shell
from tool_registry.sources.mcp import McpConnection, McpServer
from tool_registry.tool import ToolContext, ToolError

SLOW = "  - name: see\n    tool: odd.slow\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace."""
    return Place(tmp_path)


@pytest.mark.parametrize("way", ["well", "stubborn"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_the_command(place: Place, way: str, number: signal.Signals) -> None:
    """After Ctrl-C, SIGTERM and SIGKILL in mid-call, also those that would rather not."""
    place.serve(way)
    place.skill(SLOW)
    process = Shell(folder=place.folder, home=place.folder / ".skill").start("run", "one")
    wait_until(lambda: "slow" in place.noted("calls"))
    os.kill(process.pid, number)
    process.communicate(timeout=60)
    assert_ends(place)


def test_every_event_loop_has_a_server_of_its_own(place: Place) -> None:
    """One connection serves two threads with a loop each, one after the other and at once."""
    entry = place.entry()
    connection = McpConnection(McpServer(name="odd", command=entry["command"], args=tuple(entry["args"])))
    answers: list[str] = []

    async def ask(text: str) -> None:
        answers.append((await connection.call("look", {"text": text}))["structuredContent"]["heard"])

    async def both() -> None:
        thread = threading.Thread(target=anyio.run, args=(ask, "other"))
        thread.start()
        await ask("one")
        await anyio.to_thread.run_sync(thread.join)
        await connection.aclose()

    anyio.run(ask, "first")
    assert_ends(place)
    anyio.run(both)
    assert sorted(answers) == ["first", "one", "other"]
    assert len(place.noted("pids")) == 3
    assert_ends(place)


def test_a_loop_that_ends_ends_its_servers(place: Place) -> None:
    """Though nobody closed the engine."""
    place.serve()

    async def forget() -> None:
        engine = Engine.open(place.folder)
        await servers_of(engine).ask("odd")

    anyio.run(forget)
    assert not place.alive()


async def test_a_start_that_one_caller_gives_up_goes_on_for_the_others(place: Place) -> None:
    """Cancelling who asked first does not take the server from who asked next."""
    place.serve()
    async with Engine.open(place.folder) as engine:
        connection = servers_of(engine).connection("odd")
        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(0.05):
                await connection.list_tools()
            tasks.start_soon(connection.list_tools)
            await connection.list_tools()
    assert len(place.noted("pids")) == 1
    assert_ends(place)


async def test_a_restart_tells_those_who_wait(place: Place) -> None:
    """Their answers will not come, and that is no time-out."""
    place.serve()
    failures: list[ToolError] = []
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")

        async def wait() -> None:
            with pytest.raises(ToolError) as caught:
                await engine.registry.call("odd.slow", {}, ToolContext())
            failures.append(caught.value)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await becomes(lambda: "slow" in place.noted("calls"))
            await engine.registry.call("mcp_restart", {"server": "odd"}, ToolContext())
        assert (await engine.registry.call("odd.look", {"text": "on"}, ToolContext())).value == {"heard": "on"}
    assert [failure.kind for failure in failures] == ["connection_refused"]
    assert len(place.noted("pids")) == 2
    assert_ends(place)


async def test_a_server_whose_tools_change_is_listed_anew(place: Place) -> None:
    """The next start of it shows them, without anybody asking."""
    place.serve()
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")
        assert "odd.late" not in list(engine.registry)
        (place.folder / "notes" / "more").touch()
    async with Engine.open(place.folder) as engine:
        assert "odd.late" not in list(engine.registry)
        await engine.registry.call("odd.look", {}, ToolContext())
        await becomes(lambda: "odd.late" in list(engine.registry))
    assert_ends(place)
