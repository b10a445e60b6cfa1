"""What a run does is told to OpenTelemetry: spans that nest as the run does, and the figures of them."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, StatusCode, format_span_id, format_trace_id

from engine import Event, EventKind, SkillExecutor, auto_heal
from engine.model.tracing import Providers
from engine.telemetry import names
from engine.telemetry.told import STAGES
from tests.flow.bench_of_tools import Tools
from tests.flow.conftest import Rig
from tool_registry.sources.http import request
from tool_registry.sources.process import run_program
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, Tool, ToolContext, ToolError

LOOK = "steps:\n  - {name: look, tool: look}\n"
CODE = "correct-horse-battery"
ATTRIBUTES = {
    value for name, value in vars(names).items() if isinstance(value, str) and name.isupper() and "." in value
}


@dataclass(slots=True)
class Traced:
    """A rig whose runs are traced in memory."""

    rig: Rig
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that ended, in that order."""
        return self.exporter.get_finished_spans()

    def one(self, name: str) -> ReadableSpan:
        """The only span of that name."""
        [found] = [span for span in self.spans if span.name == name]
        return found

    def under(self, name: str) -> list[str]:
        """The names of the spans right under the only one of that name, in the order they began."""
        outer = self.one(name).context
        inner = [span for span in self.spans if span.parent and outer and span.parent.span_id == outer.span_id]
        return [span.name for span in sorted(inner, key=lambda span: span.start_time or 0)]

    def told(self, name: str) -> dict[str, Any]:
        """The attributes of the only span of that name."""
        return dict(self.one(name).attributes or {})

    def points(self, metric: str) -> list[Any]:
        """The points of a metric."""
        found = self.reader.get_metrics_data()
        assert found is not None
        every = [
            each for resource in found.resource_metrics for scope in resource.scope_metrics for each in scope.metrics
        ]
        return [point for each in every if each.name == metric for point in each.data.data_points]


@pytest.fixture
def tools() -> Tools:
    """Nothing was called yet, and nothing fails."""
    return Tools()


@pytest.fixture
def trace(make_rig: Callable[..., Rig], tools: Tools) -> Callable[..., Traced]:
    """Makes traced rigs; `content` lets arguments and messages go along."""

    def made(*more: Tool, content: bool = False) -> Traced:
        exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracer = TracerProvider(shutdown_on_exit=False)
        tracer.add_span_processor(SimpleSpanProcessor(exporter))
        meter = MeterProvider([reader], shutdown_on_exit=False)
        rig = make_rig(tools=(*tools.all(), *more))
        rig.engine.telemetry = Providers(tracer=tracer, meter=meter, content=content)
        return Traced(rig, exporter, reader)

    return made


@pytest.fixture
async def traced(trace: Callable[..., Traced]) -> AsyncIterator[Traced]:
    """A traced rig with the settings of the workspace."""
    made = trace()
    yield made
    await made.rig.engine.aclose()


async def test_a_run_holds_its_steps_and_a_step_its_call(traced: Traced) -> None:
    """skill.run <- step <- execute_tool, in one trace, with what there is to know of each."""
    result = await traced.rig.run("steps:\n  - {name: greet, tool: say, args: {word: hi}}\n")
    assert [span.name for span in traced.spans] == ["execute_tool say", "step greet", "skill.run promise"]
    assert traced.under("skill.run promise") == ["step greet"]
    assert traced.under("step greet") == ["execute_tool say"]
    run = traced.told("skill.run promise")
    assert run["skill.run.id"] == result.run_id
    assert (run["skill.run.status"], run["skill.run.healed"], run["skill.profile"]) == ("ok", 0, "local")
    step = traced.told("step greet")
    assert (step["skill.step.path"], step["skill.step.action"], step["skill.step.status"]) == ("greet", "tool", "ok")
    call = traced.told("execute_tool say")
    assert call["gen_ai.operation.name"] == "execute_tool"
    assert (call["gen_ai.tool.name"], call["skill.call.purpose"], call["skill.call.number"]) == ("say", "step", 1)
    assert "gen_ai.tool.call.arguments" not in call
    assert all(span.status.status_code is StatusCode.UNSET for span in traced.spans)


async def test_what_heals_stands_beside_the_call_and_every_try_is_one_of_its_own(traced: Traced) -> None:
    """Looking ahead, the first try, the fix, the second try; the first one failed, and its kind is named."""
    traced.rig.door.token = False
    await traced.rig.run(LOOK)
    beside = ["look_ahead look", "execute_tool look", "execute_tool log_in", "execute_tool look"]
    assert traced.under("step look") == beside
    calls = sorted((span for span in traced.spans if span.name.startswith("execute_tool")), key=_began)
    assert [span.name for span in calls] == beside[1:]
    assert [_told(span)["skill.call.purpose"] for span in calls] == ["step", "fix", "step"]
    assert [_told(span)["skill.call.number"] for span in calls] == [1, 1, 2]
    assert [_told(span).get("error.type") for span in calls] == ["auth_expired", None, None]
    assert [span.status.status_code for span in calls] == [StatusCode.ERROR, StatusCode.UNSET, StatusCode.UNSET]
    assert traced.told("step look")["skill.step.status"] == "healed"
    told = [event.name for event in traced.one("step look").events]
    assert told == ["skill.heal.detect", "skill.heal.decide", "skill.heal.fix"]
    [fix] = traced.points("skill.heal.fixes")
    assert (fix.value, fix.attributes["skill.fix.outcome"], fix.attributes["skill.fix.name"]) == (1, "worked", "log_in")


async def test_a_fix_with_a_check_is_a_repair_and_a_look(traced: Traced) -> None:
    """The road is built, then looked at: two calls for two purposes."""
    traced.rig.door.road = False
    await traced.rig.run(LOOK)
    purposes = {span.name: _told(span)["skill.call.purpose"] for span in traced.spans if "road" in span.name}
    assert purposes == {"execute_tool build_road": "fix", "execute_tool road_is_open": "look"}


async def test_a_failure_marks_its_call_its_step_and_its_run_by_its_kind(traced: Traced) -> None:
    """The kind, and never the words: those quote what runs work with."""
    traced.rig.door.failure = ToolError(f"no room for {CODE}", kind="conflict", sent=True)
    await traced.rig.run(LOOK)
    for name in ("execute_tool look", "step look", "skill.run promise"):
        span = traced.one(name)
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert _told(span)["error.type"] == "conflict"
    assert traced.told("skill.run promise")["skill.run.status"] == "failed"
    [point] = traced.points("skill.run.duration")
    assert (point.attributes["error.type"], point.attributes["skill.run.status"]) == ("conflict", "failed")


async def test_a_tolerated_failure_marks_its_call_only(traced: Traced) -> None:
    """The step and the run went on."""
    traced.rig.door.failure = ToolError("no", kind="conflict", sent=True)
    await traced.rig.run("steps:\n  - {name: look, tool: look, on_error: continue}\n")
    marked = [span.name for span in traced.spans if span.status.status_code is StatusCode.ERROR]
    assert marked == ["execute_tool look"]
    assert traced.told("step look")["skill.step.status"] == "tolerated"


async def test_lists_groups_branches_and_sub_skills_nest_as_they_are_written(traced: Traced) -> None:
    """Each under its own, also where several go on at the same time."""
    traced.rig.write("steps:\n  - {name: inner, tool: say, args: {word: x, seconds: 0.01}}\n", name="other")
    await traced.rig.run("""
        steps:
          - name: each
            foreach: "['a', 'b']"
            as: letter
            parallel: 2
            tool: say
            args: {word: "{{ letter }}", seconds: 0.01}
          - name: both
            parallel:
              - {name: left, tool: say, args: {word: l, seconds: 0.01}}
              - {name: right, skill: other}
    """)
    by_id = {span.context.span_id: span for span in traced.spans if span.context}
    lines = {_path(span): _path(by_id[span.parent.span_id]) for span in traced.spans if span.parent}
    assert lines == {
        "each": "",
        "each[0]": "each",
        "each[1]": "each",
        "both": "",
        "both/left": "both",
        "both/right": "both",
        "both/right/inner": "both/right",
        "each[0] called": "each[0]",
        "each[1] called": "each[1]",
        "both/left called": "both/left",
        "both/right/inner called": "both/right/inner",
    }
    assert len({span.context.trace_id for span in traced.spans if span.context}) == 1


async def test_an_author_s_retry_is_as_many_tries(traced: Traced, tools: Tools) -> None:
    """Three calls under one step, numbered."""
    tools.fails["w"] = 2
    await traced.rig.run("""
        steps:
          - name: stubborn
            tool: make
            args: {word: w}
            heal: false
            retry: {attempts: 3, delay: 0, on: [server_error]}
    """)
    calls = [span for span in traced.spans if span.name == "execute_tool make"]
    assert len(calls) == tools.log.count("make w")
    assert [_told(span)["skill.call.number"] for span in calls] == list(range(1, len(calls) + 1))


async def test_cancelled_is_told_as_cancelled_and_what_cleans_up_is_in_the_trace(traced: Traced) -> None:
    """The step under way, its call and the run; the undo is a step of the same trace."""
    begun = anyio.Event()

    def hear(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_STARTED and event.step == "slow":
            begun.set()

    executor = SkillExecutor(traced.rig.engine, listeners=(hear,))
    name = traced.rig.write("""
        steps:
          - {name: first, tool: make, args: {word: a}, undo: {name: back, tool: unmake, args: {word: a}}}
          - {name: slow, tool: say, args: {word: b, seconds: 5}}
    """)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(executor.run, name)
        await begun.wait()
        await anyio.lowlevel.checkpoint()
        executor.cancel()
    for span in ("step slow", "execute_tool say", "skill.run promise"):
        assert traced.told(span)["error.type"] == "cancelled"
    assert traced.told("execute_tool unmake")["gen_ai.tool.name"] == "unmake"
    assert traced.one("execute_tool unmake").context.trace_id == traced.one("skill.run promise").context.trace_id


async def test_a_run_that_goes_on_links_to_the_trace_it_began_in(traced: Traced) -> None:
    """Parked for an answer, then answered: two traces, the second linked to the first."""
    parked = await traced.rig.run("steps:\n  - {name: sure, ask: {question: Really?, type: boolean}}\n")
    first = traced.one("skill.run promise")
    assert (_told(first)["skill.run.status"], first.status.status_code) == ("waiting", StatusCode.UNSET)
    assert traced.told("step sure")["skill.step.status"] == "waiting"
    traced.exporter.clear()
    await traced.rig.executor.answer(parked.run_id, {"sure": True})
    second = traced.one("skill.run promise")
    assert [link.context for link in second.links] == [_remote(first)]
    assert second.context is not None
    assert first.context is not None
    assert second.context.trace_id != first.context.trace_id
    assert _told(second)["skill.run.id"] == parked.run_id


async def test_arguments_go_along_only_where_they_are_wanted_and_never_a_secret(
    trace: Callable[..., Traced], tools: Tools
) -> None:
    """With `content` arguments and messages are there, masked; those of a secret step never."""
    told = trace(content=True)
    tools.fails[f"open {CODE}"] = 9
    await told.rig.run(
        """
        inputs:
          - {name: code, type: string, secret: true, required: true}
        steps:
          - {name: hidden, tool: make, args: {word: hidden-word}, secret: true}
          - {name: say, tool: say, args: {word: "open {{ inputs.code }}"}, heal: false}
        """,
        {"code": CODE},
    )
    await told.rig.engine.aclose()
    assert told.told("execute_tool say")["gen_ai.tool.call.arguments"] == '{"word": "open •••"}'
    assert told.one("execute_tool say").status.description == "open ••• went wrong"
    assert "gen_ai.tool.call.arguments" not in told.told("execute_tool make")
    every = "".join(span.to_json() for span in told.spans)
    assert CODE not in every
    assert "hidden-word" not in every


async def test_without_it_nothing_a_run_works_with_is_told(traced: Traced, tools: Tools) -> None:
    """No argument, no value and no message, wherever one could stand."""
    tools.fails["plain-word"] = 9
    await traced.rig.run("""
        steps:
          - {name: each, foreach: "['item-word']", as: x, tool: say, args: {word: "{{ x }}"}}
          - {name: say, tool: say, args: {word: plain-word}}
    """)
    every = "".join(span.to_json() for span in traced.spans).lower()
    assert "plain-word" not in every
    assert "item-word" not in every


async def test_servers_and_programs_that_tools_ask_are_told_of_the_trace(trace: Callable[..., Traced]) -> None:
    """`traceparent` in a request's headers, TRACEPARENT in a program's environment: the call's own span."""
    with listening() as (port, heard):

        @tool(effect=Effect.READ, timeout=5)
        async def ask(context: ToolContext) -> str:
            """Asks a server and a program."""
            await request("GET", f"http://127.0.0.1:{port}/", context=context)
            done = await run_program(
                ["sh", "-c", "echo $TRACEPARENT"], cwd=context.folder, environment=context.environment, timeout=5
            )
            return str(done.stdout.strip())

        told = trace(tool_of(ask))
        result = await told.rig.run(
            "steps:\n  - {name: ask, tool: ask, output: o}\noutputs:\n  - {name: o, value: '{{ o }}'}\n"
        )
        await told.rig.engine.aclose()
    span = told.one("execute_tool ask").context
    assert span is not None
    flags = f"{span.trace_flags:02x}"
    wanted = f"00-{format_trace_id(span.trace_id)}-{format_span_id(span.span_id)}-{flags}"
    assert heard == [wanted]
    assert result.outputs == {"o": wanted}


async def test_durations_are_seconds_in_the_advised_boundaries(traced: Traced) -> None:
    """One point each for the run, its steps by action, and the calls by tool."""
    await traced.rig.run("steps:\n  - {name: a, tool: say, args: {word: a}}\n  - {name: b, compute: 'result = 1'}\n")
    [run] = traced.points("skill.run.duration")
    assert (run.count, tuple(run.explicit_bounds)) == (1, names.BUCKETS)
    assert dict(run.attributes) == {"skill.name": "promise", "skill.run.status": "ok"}
    steps = {point.attributes["skill.step.action"]: point.count for point in traced.points("skill.step.duration")}
    assert steps == {"tool": 1, "compute": 1}
    [call] = traced.points("gen_ai.execute_tool.duration")
    assert dict(call.attributes) == {"gen_ai.tool.name": "say", "skill.call.purpose": "step"}


async def test_a_check_that_repairs_beforehand_is_counted_as_prevented(
    make_rig: Callable[..., Rig], trace: Callable[..., Traced]
) -> None:
    """The road is looked at before the run, built, and the call never fails."""
    told = trace()
    settings = (told.rig.folder / "skill.toml").read_text()
    checks = 'checks.road = {tool = "road_is_open", role = "connect", kind = "connection_refused"}\n'
    again = make_rig(settings=settings + checks)
    again.engine.telemetry = told.rig.engine.telemetry
    again.door.road = False
    await again.run(LOOK)
    await again.engine.aclose()
    [point] = told.points("skill.heal.prevented")
    assert (point.value, point.attributes["skill.check.name"], point.attributes["skill.check.action"]) == (
        1,
        "road",
        "fixed",
    )
    [fix] = told.points("skill.heal.fixes")
    assert fix.attributes["skill.fix.cause"] == "preflight"
    assert "execute_tool build_road" in told.under("skill.run promise")


async def test_a_decorated_function_is_a_call_with_what_healed_it_beside(traced: Traced) -> None:
    """It is no run: its tries and the fix stand where it was called."""
    door = traced.rig.door
    door.token = False

    @auto_heal(domain="door", engine=traced.rig.engine)
    async def knock() -> str:
        door.check()
        return "who is there"

    assert await knock() == "who is there"
    calls = sorted((span for span in traced.spans if span.name.startswith("execute_tool")), key=_began)
    assert [(span.name.rpartition(".")[2].split()[-1], _told(span).get("error.type")) for span in calls] == [
        ("knock", "auth_expired"),
        ("log_in", None),
        ("knock", None),
    ]


async def test_only_listed_attributes_are_told(traced: Traced) -> None:
    """Every attribute of a run with all its troubles is one of `engine.telemetry.names`."""
    traced.rig.door.road = traced.rig.door.token = False
    await traced.rig.run(LOOK + "  - {name: sure, ask: {question: Really?, type: boolean}}\n")
    told = {name for span in traced.spans for name in _told(span)}
    told |= {name for span in traced.spans for event in span.events for name in (event.attributes or {})}
    assert told <= ATTRIBUTES
    assert {name for stage in STAGES.values() for name in stage.values()} <= ATTRIBUTES


@contextmanager
def listening() -> Iterator[tuple[int, list[str | None]]]:
    """A server that notes the `traceparent` it is asked with."""
    heard: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers.get("traceparent"))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], heard
        server.shutdown()
        thread.join()


def _began(span: ReadableSpan) -> int:
    return span.start_time or 0


def _told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def _path(span: ReadableSpan) -> str:
    """Where in the run a span stands."""
    called = " called" if span.name.startswith("execute_tool") else ""
    return f"{_told(span).get('skill.step.path', '')}{called}"


def _remote(span: ReadableSpan) -> Any:
    """The span's context as it comes back out of a header."""
    kept = span.context
    assert kept is not None
    return SpanContext(kept.trace_id, kept.span_id, is_remote=True, trace_flags=kept.trace_flags)
