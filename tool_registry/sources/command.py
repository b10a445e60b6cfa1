"""Tools that are programs, declared in YAML: an argument list and never a shell.

    command:
      argv: [git, -C, "{repo}", rev-parse, {if: short, then: [--short]}, HEAD]
      output: text

`docs/tools-authoring.md` describes every key. Python tools run programs by `sources.process.run_program`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tool_registry.sources.argv import ArgumentList, read_arguments
from tool_registry.sources.credentials import Credential, credential
from tool_registry.sources.endings import (
    FAILED,
    OK,
    Ending,
    Marker,
    NotFound,
    Said,
    read_endings,
    read_markers,
    read_not_found,
)
from tool_registry.sources.outputs import Output, read_output
from tool_registry.sources.placeholders import Phrase, Reader, Values
from tool_registry.sources.process import Completed, run_program
from tool_registry.tool import Call, ToolContext, ToolOutput

KEYS = frozenset(
    {
        "argv", "allow_dash", "cwd", "stdin", "environment", "output", "select", "stream", "exit", "not_found",
        "failed_when", "output_limit",
    }
)  # fmt: skip
OUTPUT_LIMIT = 1_000_000
"""Bytes of each stream that are kept, unless the definition says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program and how its ending is read."""

    argv: ArgumentList
    output: Output
    cwd: Phrase | None = None
    stdin: Phrase | None = None
    environment: Mapping[str, Phrase | Credential] = field(default_factory=dict)
    stream: str = "stdout"
    endings: Mapping[int, Ending] = field(default_factory=dict)
    not_found: NotFound | None = None
    failed_when: tuple[Marker, ...] = ()
    output_limit: int = OUTPUT_LIMIT

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        """Runs the program and reads its ending."""
        values = Values(arguments=arguments, context=context)
        stdin = self.stdin.text(values) if self.stdin else None
        completed = await run_program(
            self.argv.filled(values),
            cwd=(self.cwd.text(values) if self.cwd else None) or context.folder,
            environment={**context.environment, **self._own_environment(values)},
            stdin=None if stdin is None else stdin.encode(),
            timeout=context.timeout,
            output_limit=self.output_limit,
            shared=context.connections,
        )
        return self.read(completed)

    def _own_environment(self, values: Values) -> dict[str, str]:
        named = {name: source.text(values) for name, source in self.environment.items()}
        return {name: value for name, value in named.items() if value is not None}

    def read(self, completed: Completed) -> ToolOutput:
        """What an ending means: by exit status, then by the signs the definition declares, never by other words."""
        said = Said(stdout=completed.stdout, stderr=completed.stderr)
        ending = self.endings.get(completed.exit_status, OK if completed.exit_status == 0 else FAILED)
        missing = self.not_found and self.not_found.holds(completed.exit_status, said, ok=ending.means == "ok")
        if missing or ending.means == "not_found":
            return ToolOutput(text=completed.evidence, found=False)
        if ending.means == "failed":
            raise completed.failure(ending.message, kind=ending.kind)
        for marker in self.failed_when:
            if marker.holds(said):
                raise completed.failure(marker.message, kind=marker.kind)
        text = completed.stderr if self.stream == "stderr" else completed.stdout
        value = self.output.value(text, completed.program, truncated=completed.truncated)
        return ToolOutput(value=value, text="\n".join(part for part in (completed.stdout, completed.stderr) if part))


def command_call(spec: Mapping[str, Any], reader: Reader, optional: frozenset[str]) -> Call:
    """What a tool with this `command` does when it is called; DefinitionError names what is wrong in it."""
    environment = spec.get("environment") or {}
    command = Command(
        argv=read_arguments(spec.get("argv"), spec.get("allow_dash"), reader, optional),
        output=read_output(spec.get("output", "text"), spec.get("select"), reader.place),
        cwd=reader.phrase(spec["cwd"]) if "cwd" in spec else None,
        stdin=reader.phrase(spec["stdin"]) if "stdin" in spec else None,
        environment={
            name: credential(value, reader) if isinstance(value, Mapping) else reader.phrase(value)
            for name, value in environment.items()
        },
        stream=_stream(spec.get("stream", "stdout"), reader),
        endings=read_endings(spec.get("exit"), reader.place),
        not_found=read_not_found(spec.get("not_found"), reader.place),
        failed_when=read_markers(spec.get("failed_when"), reader.place),
        output_limit=int(spec.get("output_limit", OUTPUT_LIMIT)),
    )
    return command.call


def _stream(name: Any, reader: Reader) -> str:
    if name not in ("stdout", "stderr"):
        raise reader.error(f"stream is stdout or stderr, not {name!r}")
    return str(name)
