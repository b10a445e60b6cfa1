"""A server behind an address: its refusals are evidence, and only what never reached it may be repeated for a write."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import anyio
import pytest

from engine.model.outcome import RunStatus
from engine.wiring import Engine
from tests.flow.mcp_places import Place, free_port, servers_of
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace."""
    return Place(tmp_path)


@pytest.mark.parametrize("way", ["http", "http-json"])
async def test_a_server_behind_an_address_is_called_as_any_other(place: Place, way: str) -> None:
    """Forty calls at once, progress, a deadline, and a cancellation."""
    lines: list[str] = []
    with place.over_http(way) as port:
        place.servers(odd={"type": "http", "url": f"http://127.0.0.1:{port}/mcp"})
        async with Engine.open(place.folder) as engine:
            await servers_of(engine).ask("odd")
            async with anyio.create_task_group() as tasks:
                for number in range(40):
                    tasks.start_soon(engine.registry.call, "odd.look", {"text": str(number)}, ToolContext())
            with pytest.raises(ToolError) as caught:
                await engine.registry.call("odd.slow", {}, ToolContext(timeout=0.5, report=lines.append))
            assert caught.value.kind == "timeout"
            assert (await engine.registry.call("odd.look", {"text": "on"}, ToolContext())).value == {"heard": "on"}
    assert sorted(int(line.split()[1]) for line in place.noted("calls") if line[5:].isdigit()) == list(range(40))
    if way == "http":
        assert lines[0] == "0 of 600: at 0"
        assert "cancelled" in place.noted("calls")


@pytest.mark.parametrize(("name", "status"), [("locked", 401), ("busy", 429)])
async def test_a_refusal_keeps_its_status(place: Place, name: str, status: int) -> None:
    """So that an expired token is one, and a busy server is waited for; before the first call and after it."""
    with place.over_http() as port:
        place.servers(odd={"url": f"http://127.0.0.1:{port}/mcp"})
        async with Engine.open(place.folder) as engine:
            for _ in range(2):
                (place.folder / "notes" / name).touch()
                with pytest.raises(ToolError) as caught:
                    await servers_of(engine).connection("odd").call("look", {})
                assert (caught.value.http_status, caught.value.retry_after) == (status, 1.0)
                assert "the token has expired" in caught.value.output
                (place.folder / "notes" / name).unlink()
                assert (await servers_of(engine).connection("odd").call("look", {"text": "on"}))["structuredContent"]


async def test_a_server_that_is_not_there_was_sent_nothing(place: Place) -> None:
    """The refused connection is told by its error number."""
    place.servers(odd={"url": f"http://127.0.0.1:{free_port()}/mcp"})
    async with Engine.open(place.folder) as engine:
        with pytest.raises(ToolError, match="cannot be reached") as caught:
            await servers_of(engine).ask("odd")
    assert (caught.value.errno, caught.value.sent) == ("ECONNREFUSED", False)


@pytest.mark.parametrize("way", ["http", "http-json"])
async def test_a_server_killed_in_mid_call_over_http_is_gone_and_its_write_not_repeated(place: Place, way: str) -> None:
    """Whether it had been done, nobody knows."""
    with place.over_http(way) as port:
        place.servers(odd={"url": f"http://127.0.0.1:{port}/mcp"})
        place.skill("  - name: act\n    tool: odd.push\n    args: {text: hello, die: true}\n")
        result = await place.run()
    failure = result.steps[0].failure
    assert result.status is RunStatus.FAILED
    assert failure is not None
    assert failure.evidence.sent is not False
    assert place.noted("calls") == ["push hello"]


async def test_a_server_that_came_back_is_found_again(place: Place) -> None:
    """Between two calls it ended and was started anew by whoever runs it."""
    port = free_port()
    place.servers(odd={"url": f"http://127.0.0.1:{port}/mcp"})
    async with Engine.open(place.folder) as engine:
        with place.over_http(port=port):
            await servers_of(engine).ask("odd")
            os.kill(int(place.noted("pids")[-1]), signal.SIGKILL)
        with pytest.raises(ToolError) as caught:
            await engine.registry.call("odd.push", {}, ToolContext())
        assert caught.value.sent is False
        with place.over_http(port=port):
            assert (await engine.registry.call("odd.look", {"text": "on"}, ToolContext())).value == {"heard": "on"}


async def test_headers_are_sent_and_stay_secret(place: Place) -> None:
    """A token in a header is filled in from the environment, and masked from then on."""
    with place.over_http() as port:
        headers = {"Authorization": "Bearer ${MCP_TEST_TOKEN:-tok-5f2c9a77}"}
        place.servers(odd={"url": f"http://127.0.0.1:{port}/mcp", "headers": headers})
        async with Engine.open(place.folder) as engine:
            await servers_of(engine).ask("odd")
            assert engine.secrets.mask("with tok-5f2c9a77 in it") == "with ••• in it"
