"""A call whose answer was lost is repeated only where that is safe."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine import StepStatus
from tests.flow.conftest import Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool, ToolError

DEFINITION = """
name: reserve
description: Reserves something by HTTP.
parameters: {{type: object, properties: {{}}}}
effect: {effect}
idempotent: {idempotent}
{verify}
timeout: 5
http:
  method: POST
  url: "http://127.0.0.1:{port}/reserve"
  json: {{wanted: 1}}
  output: json
"""
SKILL = "steps:\n  - {name: reserve, tool: reserve}\n"
ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{"n": 123}'
)


def whole_request(connection: socket.socket) -> bytes:
    """One request, to the last byte of its body."""
    request = b""
    while b"\r\n\r\n" not in request or len(request.partition(b"\r\n\r\n")[2]) < len(b'{"wanted": 1}'):
        request += connection.recv(65536)
    return request


@contextmanager
def server_that_loses(answers: int, *, halfway: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A real server that reads a request and then cuts the line, so many times; then it answers.

    `halfway` cuts in the middle of the answer instead of before it.
    """
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    requests.append(whole_request(connection))
                    if len(requests) > answers:
                        connection.sendall(ANSWER)
                    elif halfway:
                        connection.sendall(ANSWER[:-3])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], requests
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def define(rig: Any, port: int, *, effect: str, idempotent: bool = False, verify: str = "") -> None:
    """Adds the HTTP tool `reserve` to the workspace."""
    (rig.folder / "tools").mkdir()
    line = f"verify: {verify}" if verify else ""
    text = DEFINITION.format(effect=effect, idempotent=str(idempotent).lower(), verify=line, port=port)
    (rig.folder / "tools" / "reserve.yaml").write_text(text)


async def test_a_reserve_whose_answer_is_lost_is_not_called_twice(rig: Any) -> None:
    """A write that is not idempotent and cannot be verified fails, and says why it was not repeated."""
    with server_that_loses(1) as (port, requests):
        define(rig, port, effect="write")
        result = await rig.run(SKILL)
        assert len(requests) == 1
    step = result.step("reserve")
    assert step.status is StepStatus.FAILED
    assert "not called again" in step.reason


@pytest.mark.parametrize(("effect", "idempotent"), [("read", False), ("write", True)])
async def test_a_read_or_an_idempotent_write_is_called_again(rig: Any, effect: str, idempotent: bool) -> None:
    """Twice is the same as once, so the lost answer is simply asked for again."""
    with server_that_loses(1) as (port, requests):
        define(rig, port, effect=effect, idempotent=idempotent)
        result = await rig.run(SKILL)
        assert len(requests) == 2
    assert (result.status, result.step("reserve").value) == ("ok", {"n": 123})
    assert result.step("reserve").status is StepStatus.HEALED


async def test_a_server_that_dies_in_the_middle_of_its_answer_lost_it_too(rig: Any) -> None:
    """Half an answer is no answer: the same evidence, the same plain repeat."""
    with server_that_loses(1, halfway=True) as (port, requests):
        define(rig, port, effect="read")
        result = await rig.run(SKILL)
        assert len(requests) == 2
    assert result.status == "ok"


async def test_a_server_that_resets_the_connection_lost_the_answer_too(rig: Any) -> None:
    """A server that closes without having read everything makes the system say so; the meaning is the same."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked: list[int] = []

        def serve() -> None:
            for number in (1, 2):
                connection, _ = listener.accept()
                with connection:
                    asked.append(number)
                    if number == 1:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        connection.recv(1)
                    else:
                        whole_request(connection)
                        connection.sendall(ANSWER)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        define(rig, listener.getsockname()[1], effect="read")
        result = await rig.run(SKILL)
        thread.join(timeout=5)
    assert (result.status, asked) == ("ok", [1, 2])
    assert result.step("reserve").first_failure.evidence.errno == "ECONNRESET"


def teller(word: Any, calls: list[str]) -> Tool:
    """A tool that says whether a lost call had its effect."""

    @tool(effect=Effect.READ, timeout=5)
    async def happened() -> Any:
        """Whether it happened."""
        calls.append("happened")
        if isinstance(word, Exception):
            raise word
        return word

    return tool_of(happened)


@pytest.mark.parametrize(
    ("word", "requests_made", "status"),
    [
        ({"happened": True, "value": {"n": 7}}, 1, "ok"),
        ({"happened": False}, 2, "ok"),
        (False, 2, "ok"),
        (ToolError("nobody knows", http_status=500), 1, "failed"),
        ({"found": True}, 1, "failed"),
        (None, 1, "failed"),
        ("yes", 1, "failed"),
    ],
)
async def test_verify_decides_where_a_tool_declares_it(
    make_rig: Any, word: Any, requests_made: int, status: str
) -> None:
    """It happened: its value is taken. It did not: called again. It cannot tell: left alone."""
    calls: list[str] = []
    rig = make_rig(tools=(teller(word, calls),))
    with server_that_loses(1) as (port, requests):
        define(rig, port, effect="write", verify="happened")
        result = await rig.run(SKILL)
        assert len(requests) == requests_made
    await rig.engine.aclose()
    assert (result.status, calls) == (status, ["happened"])


@pytest.mark.parametrize(("happens", "calls_made"), [(True, 1), (False, 2)])
async def test_words_alone_do_not_spare_the_look(make_rig: Any, happens: bool, calls_made: int) -> None:
    """A pattern that is seldom seen says that nothing happened; `verify` is asked all the same, and decides."""
    calls: list[str] = []

    @tool(effect=Effect.WRITE, verify="happened", timeout=5)
    async def order() -> str:
        """Orders something, and says something odd the first time."""
        calls.append("order")
        if calls.count("order") == 1:
            raise ToolError("failed", exit_status=1, output="the shop is closed for a moment")
        return "ordered"

    rig = make_rig(tools=(teller({"happened": happens, "value": "ordered"}, calls), tool_of(order)))
    learned = rig.folder / "home" / "memory" / "learned"
    learned.mkdir(parents=True)
    row = "{id: closed, pattern: '^the shop is closed', kind: server_error, untouched: true, seen: 4, right: 4}"
    (learned / "patterns.yaml").write_text(f"patterns:\n  - {row}\n")
    result = await rig.run("steps:\n  - {name: order, tool: order}\n")
    await rig.engine.aclose()
    assert calls == ["order", "happened", "order"][: calls_made + 1]
    assert (result.status, result.step("order").value) == ("ok", "ordered")


async def test_a_refused_connection_proves_that_nothing_happened(rig: Any) -> None:
    """Nothing listens, so nothing was sent; and without a domain there is nothing that could help."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    define(rig, port, effect="write")
    result = await rig.run(SKILL)
    assert result.step("reserve").failure.kind == "connection_refused"
    assert result.step("reserve").attempts == 1


async def test_the_shipped_reserve_is_not_called_twice_either(make_rig: Any) -> None:
    """bonfire_namespace_reserve itself, against a server that takes the request and cuts the line."""
    with server_that_loses(5) as (port, requests):
        settings = f'[domains.ephemeral]\nsettings = {{url = "http://127.0.0.1:{port}"}}\n'
        rig = make_rig(settings=settings)
        result = await rig.run("steps:\n  - {name: reserve, tool: bonfire_namespace_reserve, args: {duration: 1h}}\n")
        await rig.engine.aclose()
        assert len(requests) == 1
    step = result.step("reserve")
    assert (step.status, step.attempts) == (StepStatus.FAILED, 1)
    assert "not called again" in step.reason


async def test_a_refused_second_call_does_not_hide_what_the_first_one_did(make_rig: Callable[..., Rig]) -> None:
    """The write happened and its answer was lost; what `verify` finds is taken back, as if it had been answered."""
    done: list[str] = []

    @tool(effect=Effect.WRITE, idempotent=True, verify="was_made")
    async def make() -> dict[str, str]:
        """Makes a thing, says nothing of it, and is forbidden from then on."""
        done.append("make")
        if len(done) > 1:
            raise ToolError("not for you any more", http_status=403, sent=True)
        raise ToolError("the server closed the connection", http_status=502, sent=True)

    @tool(effect=Effect.READ)
    async def was_made() -> dict[str, Any]:
        """Whether the thing is there."""
        return {"happened": True, "value": {"id": "the thing"}}

    @tool(effect=Effect.WRITE, idempotent=True)
    async def unmake(id: str) -> None:  # noqa: A002 - its name there
        """Takes the thing away."""
        done.append(f"unmake {id}")

    rig = make_rig(tools=(tool_of(make), tool_of(was_made), tool_of(unmake)))
    ended = await rig.run("steps: [{name: made, tool: make, undo: {tool: unmake, args: {id: '{{ made.id }}'}}}]")
    assert (ended.status, done) == ("failed", ["make", "make", "unmake the thing"])
    await rig.engine.aclose()
