"""One trace through four processes: a client, `skill mcp serve`, the worker that has the run, an MCP server it uses."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.collector import Seen, collecting
from tests.flow.workshop import until
from tests.shell import SKILL, Shell

SERVER = Path(__file__).parents[1] / "servers" / "traced_server.py"
DURATIONS = {"mcp.client.operation.duration", "mcp.server.operation.duration"}
SKILL_TEXT = """
name: ask_it
description: Asks the other server.
steps:
  - {name: ask, tool: other.trace, output: said}
outputs:
  - {name: said, value: "{{ said.text }}"}
"""
CLIENT = """
    import json, os, sys
    import anyio
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "agent"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)

    async def main():
        server = StdioServerParameters(command=sys.argv[1], args=["mcp", "serve"], env=dict(os.environ))
        with trace.get_tracer("agent").start_as_current_span("agent turn"):
            async with Client(stdio_client(server)) as client:
                result = await client.call_tool("skill_run", {"name": "ask_it", "wait_seconds": 50})
        print(json.dumps(result.structured_content or {"status": str(result.content)}))

    anyio.run(main)
"""


def test_the_trace_of_an_agent_goes_on_to_the_tools_of_other_servers(tmp_path: Path) -> None:
    """Agent turn <- MCP send <- tools/call (server) <- skill.run (worker) <- step <- execute_tool <- MCP send."""
    shell = Shell(tmp_path / "work", tmp_path / "home")
    (shell.folder / "skills").mkdir(parents=True)
    (shell.folder / "skill.toml").touch()
    (shell.folder / "skills" / "ask_it.yaml").write_text(SKILL_TEXT)
    servers = {"other": {"command": sys.executable, "args": [str(SERVER)]}}
    (shell.folder / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    with collecting() as collector:
        environment = {**shell.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(CLIENT), str(SKILL)],
            cwd=shell.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["status"] == "ok", answer
        said = answer["outputs"]["said"]
        until(lambda: collector.named("skill.run ask_it") and collector.named("tools/call skill_run"))
        until(lambda: set(collector.metrics) >= DURATIONS)
        spans = {span.id: span for span in collector.spans}
    deepest = spans[said.split("-")[2]]
    assert [name for name, _ in upwards(deepest, spans)] == [
        "MCP send tools/call trace",
        "execute_tool other.trace",
        "step ask",
        "skill.run ask_it",
        "tools/call skill_run",
        "MCP send tools/call skill_run",
        "agent turn",
    ]
    assert {service for _, service in upwards(deepest, spans)} == {"agent", "skill-engine"}
    assert {span.trace for span in spans.values() if span.id in said} == {deepest.trace}


def upwards(span: Seen | None, spans: dict[str, Seen]) -> list[tuple[str, str]]:
    """The span and those around it, each with who sent it."""
    found = []
    while span is not None:
        found.append((span.name, span.service))
        span = spans.get(span.parent)
    return found
