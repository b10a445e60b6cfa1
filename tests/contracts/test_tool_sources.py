"""What every source of tools promises, whatever it is made of."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.unit.tool_registry.small_server import Asked, Told, small_server
from tool_registry import ToolContext, ToolError, ToolOutput, ToolRegistry, tool
from tool_registry.sources.mcp import McpConnection, McpServer, calling, tool_of_listing

PARAMETERS = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "integer", "default": 1}},
    "required": ["name"],
}
VALUE = {"name": "ns-1", "pods": [{"ready": True}], "note": None}
ALARMING = "error: 401 Unauthorized, 3 failed, timeout, Traceback (most recent call last)"
TOKEN = "t0ken-that-nobody-may-see"

Outcome = dict[str, Any]


class PythonSource:
    """Functions."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def register(self, registry: ToolRegistry, name: str, outcome: Outcome) -> None:
        """Adds a tool that ends as the outcome says."""

        @tool(name=name)
        async def probe(name: str, context: ToolContext, size: int = 1) -> ToolOutput:
            """Ends as it is told."""
            self._calls.append(f"{name} {size}")
            await anyio.sleep(outcome.get("delay", 0))
            if "failure" in outcome:
                raise ToolError("it failed", exit_status=outcome["failure"], output=outcome.get("says", ""))
            if outcome.get("secret"):
                context.secret(outcome["value"]["token"])
            return ToolOutput(value=outcome.get("value"), found=not outcome.get("not_found", False))

        registry.add(probe)


class CommandSource:
    """Programs."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def register(self, registry: ToolRegistry, name: str, outcome: Outcome) -> None:
        """Defines a program that ends as the outcome says."""
        status = 44 if outcome.get("not_found") else outcome.get("failure", 0)
        says = outcome.get("says", "") if "failure" in outcome else json.dumps(outcome.get("value"))
        script = 'sleep "$1"; if [ "$2" = 0 ]; then cat; else cat >&2; fi; exit "$2"'
        registry.define(
            {
                "name": name,
                "parameters": PARAMETERS,
                "command": {
                    "argv": ["sh", "-c", script, "-", str(outcome.get("delay", 0)), str(status), "{name}", "{size}"],
                    "stdin": says,
                    "output": "json",
                    "output_limit": 20_000_000,
                    "exit": {44: "not_found"},
                },
                "secret": ["token"] if outcome.get("secret") else False,
            },
            "probe.yaml",
        )


class HttpSource:
    """A web server."""

    def __init__(self, calls: list[str], stack: ExitStack) -> None:
        self._calls = calls
        self._told: dict[str, Told] = {}
        self._server = stack.enter_context(small_server(self._answer))

    def _answer(self, asked: Asked) -> Told:
        self._calls.append(asked.path)
        return self._told[asked.path.split("/")[1]]

    def register(self, registry: ToolRegistry, name: str, outcome: Outcome) -> None:
        """Defines a request whose answer is as the outcome says."""
        status = 404 if outcome.get("not_found") else outcome.get("failure", 200)
        says = outcome.get("says", "") if "failure" in outcome else json.dumps(outcome.get("value"))
        self._told[name] = Told(status=status, body=says.encode(), pause=outcome.get("delay", 0))
        registry.define(
            {
                "name": name,
                "parameters": PARAMETERS,
                "http": {
                    "url": f"{self._server.url}/{name}/{{name}}/{{size}}",
                    "not_found": [404],
                    "output_limit": 20_000_000,
                },
                "secret": ["token"] if outcome.get("secret") else False,
            },
            "probe.yaml",
        )


class CannedSource:
    """A list of answers."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def register(self, registry: ToolRegistry, name: str, outcome: Outcome) -> None:
        """Defines a list of one answer as the outcome says."""
        answer: dict[str, Any] = {"delay": outcome.get("delay", 0)}
        if "failure" in outcome:
            answer["failure"] = {"exit_status": outcome["failure"], "output": outcome.get("says", "")}
        elif outcome.get("not_found"):
            answer["not_found"] = True
        else:
            answer["value"] = outcome.get("value")
        secret = ["token"] if outcome.get("secret") else False
        definition = {"name": name, "parameters": PARAMETERS, "canned": {"answers": [answer]}, "secret": secret}
        registry.define(definition, "probe.yaml")


class McpSource:
    """A server that speaks MCP over its pipes."""

    def __init__(self, calls: list[str], folder: Path) -> None:
        self._calls, self._folder = calls, folder

    def register(self, registry: ToolRegistry, name: str, outcome: Outcome) -> None:
        """Adds the tool of a server whose calls end as the outcome says; the server starts with the first."""
        if outcome.get("not_found") or outcome.get("secret"):
            pytest.skip("the protocol has no word for that")
        told, heard = self._folder / "outcome.json", self._folder / "calls"
        told.write_text(json.dumps(outcome), encoding="utf-8")
        server = McpServer(name="probe", command=sys.executable, args=(str(PROBE_SERVER), str(told), str(heard)))
        listing = {"name": name, "inputSchema": {**PARAMETERS, "additionalProperties": False}}
        connection = McpConnection(server)
        registry.add(tool_of_listing(calling(lambda: connection, name), listing, name=name, domain=None))


PROBE_SERVER = Path(__file__).parents[1] / "servers" / "probe_server.py"
Source = PythonSource | CommandSource | HttpSource | CannedSource | McpSource


@pytest.fixture
def calls() -> list[str]:
    """What reached the world, where the source can tell."""
    return []


@pytest.fixture(params=["python", "command", "http", "canned", "mcp"])
def source(request: pytest.FixtureRequest, calls: list[str], tmp_path: Path) -> Iterator[Source]:
    """Each source in turn."""
    with ExitStack() as stack:
        makers: dict[str, Callable[[], Source]] = {
            "python": lambda: PythonSource(calls),
            "command": lambda: CommandSource(calls),
            "http": lambda: HttpSource(calls, stack),
            "canned": lambda: CannedSource(calls),
            "mcp": lambda: McpSource(calls, tmp_path),
        }
        yield makers[request.param]()


def starting(source: Source) -> float:
    """Seconds that starting and ending what answers may take, on a machine that is busy."""
    return 8.0 if isinstance(source, McpSource) else 0.0


async def _call(
    source: Source, outcome: Outcome, *, context: ToolContext | None = None, **arguments: Any
) -> ToolOutput:
    async with ToolRegistry() as registry:
        source.register(registry, "probe", outcome)
        world = context or ToolContext(timeout=20, environment={"PATH": os.defpath})
        return await registry.call("probe", arguments or {"name": "a"}, world)


async def _failure(source: Source, outcome: Outcome, **rest: Any) -> ToolError:
    with pytest.raises(ToolError) as caught:
        await _call(source, outcome, **rest)
    return caught.value


async def test_value_is_structured(source: Source) -> None:
    """A call gives JSON values, not text to be parsed."""
    output = await _call(source, {"value": VALUE})
    assert (output.value, output.found) == (VALUE, True)


async def test_wrong_arguments_never_reach_the_world(source: Source, calls: list[str]) -> None:
    """Missing, unknown and mistyped arguments are refused, all at once, before anything is called."""
    failure = await _failure(source, {"value": 1}, nam="a", size="large")
    assert (failure.kind, failure.sent) == ("usage_error", False)
    assert failure.details["arguments"] == [
        "the argument `name` is missing",
        "there is no argument `nam`; did you mean `name`?",
        '`size` must be a whole number, not "large"',
    ]
    assert calls == []


async def test_deadline_is_kept(source: Source) -> None:
    """A call that takes longer than its time fails as a timeout, soon after."""
    began = time.monotonic()
    failure = await _failure(source, {"delay": 1.5}, context=ToolContext(timeout=0.2, environment={"PATH": os.defpath}))
    assert failure.kind == "timeout"
    assert time.monotonic() - began < 1.5 + starting(source)


async def test_cancellation_is_never_swallowed(source: Source) -> None:
    """A cancelled call does not turn into a value or a failure."""
    with anyio.move_on_after(0.2) as scope:
        await _call(source, {"delay": 1})
    assert scope.cancelled_caught


async def test_failure_carries_evidence(source: Source) -> None:
    """A failure has the status and what was said, and no kind is guessed from the words."""
    failure = await _failure(source, {"failure": 103 if isinstance(source, CommandSource) else 503, "says": ALARMING})
    assert failure.http_status == 503 or failure.exit_status in (103, 503) or isinstance(source, McpSource)
    assert failure.output == ALARMING
    assert failure.kind is None


async def test_silent_failure_is_a_failure(source: Source) -> None:
    """A failure that says nothing is one all the same."""
    failure = await _failure(source, {"failure": 103 if isinstance(source, CommandSource) else 503})
    assert failure.output == ""
    assert failure.message


async def test_alarming_success_is_a_success(source: Source) -> None:
    """A good answer is good, whatever words are in it."""
    assert (await _call(source, {"value": ALARMING})).value == ALARMING


async def test_not_found_is_an_answer(source: Source) -> None:
    """Where a tool declares "not found" as an answer, it is one: no value, and no failure."""
    output = await _call(source, {"not_found": True})
    assert (output.value, output.found) == (None, False)


async def test_result_is_bounded(source: Source) -> None:
    """A result of 10 MB is refused with a clear sentence."""
    failure = await _failure(source, {"value": "x" * 10_000_000})
    assert failure.kind == "resource_exhausted"
    assert len(str(failure)) < 500


async def test_secret_is_known_before_the_value_is(source: Source) -> None:
    """A credential in a result is handed to the run's secrets."""
    secrets: list[Any] = []
    context = ToolContext(timeout=20, environment={"PATH": os.defpath}, secret=secrets.append)
    output = await _call(source, {"value": {"token": TOKEN, "user": "u"}, "secret": True}, context=context)
    assert output.value == {"token": TOKEN, "user": "u"}
    assert secrets == [TOKEN]


async def test_calls_run_at_the_same_time(source: Source) -> None:
    """Ten slow calls take about as long as one."""
    began = time.monotonic()
    values: list[Any] = []
    async with ToolRegistry() as registry:
        source.register(registry, "probe", {"value": 1, "delay": 0.3})
        context = ToolContext(timeout=20, environment={"PATH": os.defpath})

        async def one() -> None:
            values.append((await registry.call("probe", {"name": "a"}, context)).value)

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(one)
    assert values == [1] * 10
    assert time.monotonic() - began < 2.5 + starting(source)
