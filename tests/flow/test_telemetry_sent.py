"""The real command and a real collector: what arrives, and what happens where there is none."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.collector import Collector, collecting
from tests.flow.workshop import Workshop
from tests.shell import SKILL

VISIT = """
inputs:
  - {name: code, type: string, secret: true, default: ""}
steps:
  - {name: look, tool: look}
  - {name: enter, tool: enter, args: {name: "{{ inputs.code or 'ann' }}"}}
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A locked door, a login, and a skill that goes in."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.skill(VISIT, name="visit")
    return made


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that takes everything."""
    with collecting() as kept:
        yield kept


def test_a_run_arrives_whole(workshop: Workshop, collector: Collector) -> None:
    """Spans and metrics are there when the command has ended, with who sent them; nothing is said about it."""
    done = workshop.run("run", "visit", environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert (done.returncode, "telemetry" in done.stderr) == (0, False), done.stderr
    run = collector.one("skill.run visit")
    assert (run.service, run.scope, run.parent, run.error) == ("skill-engine", "skill-engine", "", False)
    assert {span.trace for span in collector.spans} == {run.trace}
    calls = [(span.name, span.error) for span in collector.named("execute_tool")]
    assert calls == [
        ("execute_tool look", True),
        ("execute_tool log_in", False),
        ("execute_tool look", False),
        ("execute_tool enter", False),
    ]
    assert set(collector.metrics) == {
        "skill.run.duration",
        "skill.step.duration",
        "gen_ai.execute_tool.duration",
        "skill.heal.fixes",
    }
    assert {name: metric.unit for name, metric in collector.metrics.items()}["skill.heal.fixes"] == "{fix}"


def test_settings_switch_it_on_and_variables_say_where_to(workshop: Workshop, collector: Collector) -> None:
    """`enabled = true` is enough where a collector listens; headers, compression and names are the usual variables."""
    settle(workshop, "\n[telemetry]\nenabled = true\n")
    environment = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-token=abc",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "deploys",
        "TRACEPARENT": PARENT,
    }
    done = workshop.run("run", "visit", environment=environment)
    assert done.returncode == 0, done.stderr
    run = collector.one("skill.run visit")
    assert (run.service, run.trace, run.parent) == ("deploys", PARENT[3:35], PARENT[36:52])
    assert [headers["x-token"] for headers in collector.headers] == ["abc"]
    assert collector.metrics == {}


def test_a_resumed_run_links_to_the_trace_it_began_in(workshop: Workshop, collector: Collector) -> None:
    """Two processes, two traces; the journal carries the link."""
    workshop.skill("steps:\n  - {name: sure, ask: {question: Really?, type: boolean}}\n", name="asks")
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    assert workshop.run("run", "asks", environment=environment).returncode == 4
    assert workshop.run("answer", "last", "sure=true", environment=environment).returncode == 0
    first, second = collector.named("skill.run asks")
    assert first.trace != second.trace
    assert second.links == (first.trace,)


def test_no_secret_leaves_not_even_in_what_a_library_quotes(workshop: Workshop, collector: Collector) -> None:
    """A secret input is in no request, with `content` and in the spans of the MCP library too."""
    settle(workshop, "\n[telemetry]\nenabled = true\ncontent = true\n")
    program = """
        import anyio
        from opentelemetry import trace
        from engine import Engine, SkillExecutor

        async def main():
            async with Engine.open() as engine:
                result = await SkillExecutor(engine).run("visit", {"code": "correct-horse-battery"})
                assert result.status == "ok", result.message
                tracer = trace.get_tracer("mcp-python-sdk")
                try:
                    with tracer.start_as_current_span("MCP send tools/call x", kind=trace.SpanKind.CLIENT) as span:
                        span.set_attribute("mcp.method.name", "tools/call")
                        raise ValueError("the server quotes correct-horse-battery")
                except ValueError:
                    pass

        anyio.run(main)
    """
    done = python(workshop, program, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert done.returncode == 0, done.stderr
    assert collector.one("MCP send").said == "ValueError: the server quotes •••"
    assert '{"name": "•••"}' in [span.attributes.get("gen_ai.tool.call.arguments") for span in collector.spans]
    assert b"correct-horse-battery" not in collector.raw
    assert "mcp.client.operation.duration" in collector.metrics


@pytest.mark.parametrize("kind", ["closed", "mute", "refusing"])
def test_a_collector_that_is_down_costs_a_line(workshop: Workshop, kind: str) -> None:
    """The run's result and exit status are as ever; one line tells, without credentials; it ends by itself."""
    with down(kind) as address:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:hush@{address}"}
        done = workshop.run("run", "visit", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"
    [line] = [line for line in done.stderr.splitlines() if "telemetry" in line or "opentelemetry" in line.lower()]
    assert line.startswith("telemetry could not be sent: ")
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_collector_is_sent_goes_nowhere_else(workshop: Workshop, collector: Collector) -> None:
    """A redirect would take the key in the headers along."""
    with collecting(status=307) as first:
        first.elsewhere = f"{collector.url}/v1/traces"
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": first.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hush"}
        done = workshop.run("run", "visit", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert first.headers
    assert collector.headers == []
    assert "telemetry could not be sent: " in done.stderr


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        ("", {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}),
        ("[telemetry]\nenabled = false\n", {"OTEL_TRACES_EXPORTER": "otlp"}),
        ("", {"OTEL_TRACES_EXPORTER": "none"}),
        ("", {"OTEL_SERVICE_NAME": "x"}),
        ("", {}),
    ],
)
def test_switched_off_nothing_of_it_is_even_imported(
    workshop: Workshop, settings: str, environment: dict[str, str]
) -> None:
    """A run that is not traced pays nothing, whatever is installed."""
    settle(workshop, settings)
    program = """
        import sys
        from engine.frontends.cli import main
        sys.argv = ["skill", "run", "visit"]
        try:
            main()
        except SystemExit as ended:
            assert not ended.code, ended.code
        loaded = [name for name in sys.modules if name.split(".")[0] in ("opentelemetry", "requests", "google", "mcp")]
        assert loaded == [], loaded
    """
    done = python(workshop, program, **environment)
    assert done.returncode == 0, done.stderr


def test_without_the_extra_settings_are_refused_and_variables_warned_of(workshop: Workshop) -> None:
    """What this workspace asks for cannot be had: exit 2, nothing run. What the machine asks of all: one line."""
    program = """
        import sys
        sys.modules["opentelemetry"] = None
        from engine.frontends.cli import main
        sys.argv = ["skill", "run", "visit"]
        main()
    """
    warned = python(workshop, program, OTEL_TRACES_EXPORTER="otlp")
    assert warned.returncode == 0, warned.stderr
    assert warned.stderr.count("telemetry is off: OTEL_TRACES_EXPORTER is set") == 1
    assert "pip install 'skill-engine[otel]'" in warned.stderr
    log = workshop.log
    settle(workshop, "\n[telemetry]\nenabled = true\n")
    refused = python(workshop, program)
    assert refused.returncode == 2, refused.stderr
    assert "pip install 'skill-engine[otel]'" in refused.stderr
    assert workshop.log == log


def test_the_provider_of_an_embedding_program_is_told_and_never_replaced(workshop: Workshop) -> None:
    """Whoever has set one gets the spans there, under the span it has open; closing the engine closes nothing of it."""
    program = """
        import anyio
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from engine import Engine, SkillExecutor

        kept, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(kept))
        trace.set_tracer_provider(provider)

        async def main():
            with trace.get_tracer("program").start_as_current_span("request"):
                async with Engine.open(telemetry=True) as engine:
                    await SkillExecutor(engine).run("visit")
            assert trace.get_tracer_provider() is provider

        anyio.run(main)
        spans = {span.name: span for span in kept.get_finished_spans()}
        assert spans["skill.run visit"].parent.span_id == spans["request"].context.span_id
    """
    done = python(workshop, program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "")


def test_several_engines_of_a_process_share_what_the_first_has_made(workshop: Workshop, collector: Collector) -> None:
    """One after the other and side by side: every run arrives, once."""
    program = """
        import anyio
        from engine import Engine, SkillExecutor

        async def one():
            async with Engine.open(telemetry=True) as engine:
                await SkillExecutor(engine).run("visit")

        async def main():
            await one()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one)
                tasks.start_soon(one)

        anyio.run(main)
    """
    done = python(workshop, program, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert done.returncode == 0, done.stderr
    assert len({span.trace for span in collector.named("skill.run visit")}) == 3
    assert len(collector.named("skill.run visit")) == 3


def settle(workshop: Workshop, more: str) -> None:
    """Adds to the settings."""
    path = workshop.folder / "skill.toml"
    path.write_text(path.read_text() + more)


def python(workshop: Workshop, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, in the workshop."""
    return subprocess.run(
        [SKILL.with_name(Path(sys.executable).name), "-c", textwrap.dedent(program)],
        cwd=workshop.folder,
        env={**workshop.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def down(kind: str) -> Iterator[str]:
    """The address of a collector that is not there, never answers, or takes nothing."""
    if kind == "refusing":
        with collecting(status=401) as kept:
            yield kept.url.removeprefix("http://")
        return
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        if kind == "mute":
            server.listen()
        else:
            server.close()
        yield f"127.0.0.1:{port}"
