"""Raw output that no program printed and no server sent, read as a tool's own definition says: for rehearsals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tool_registry.sources.command import Command
from tool_registry.sources.definition import core
from tool_registry.sources.http import Reply
from tool_registry.sources.http_failure import unsuccessful
from tool_registry.sources.http_tool import HttpRequest
from tool_registry.sources.process import Completed
from tool_registry.tool import Tool, ToolOutput

PROGRAM_KEYS = frozenset({"exit_status", "stdout", "stderr"})
SERVER_KEYS = frozenset({"status", "headers", "body"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOutput:
    """What a program printed (`exit_status`, `stdout`, `stderr`) or a server answered (`status`, `headers`, `body`)."""

    exit_status: int = 0
    stdout: str = ""
    stderr: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def raw_output(tool: Tool, said: Mapping[str, Any] | str) -> RawOutput | None:
    """Raw output for a tool; a plain text is what comes where the tool reads. None for such a text if it reads none.

    Raises ValueError, in a sentence, for keys that the tool's source does not have.
    """
    source = _source(tool)
    if isinstance(said, str):
        return RawOutput(stdout=said, stderr=said, body=said) if source is not None else None
    known = {Command: PROGRAM_KEYS, HttpRequest: SERVER_KEYS, None: frozenset[str]()}[source]
    if not known:
        raise ValueError(f"{tool.name} gives values; only commands and requests written in YAML have raw output")
    if strange := sorted(set(said) - known):
        raise ValueError(f"raw output of {tool.name} has {', '.join(sorted(known))}, and no {', '.join(strange)}")
    return RawOutput(**said)


def read_raw(tool: Tool, raw: RawOutput) -> ToolOutput:
    """What the tool makes of raw output: a value, "not found", or the ToolError it would raise."""
    match called := _asked(tool):
        case Command():
            program = Completed(program=tool.name, exit_status=raw.exit_status, stdout=raw.stdout, stderr=raw.stderr)
            return called.read(program)
        case HttpRequest():
            return _answered(called, tool, raw)
    raise ValueError(f"{tool.name} has no raw output")


def _answered(called: HttpRequest, tool: Tool, raw: RawOutput) -> ToolOutput:
    headers = {name.lower(): value for name, value in raw.headers.items()}
    if raw.status not in called.ok and raw.status not in called.not_found:
        raise unsuccessful(tool.name, raw.status, headers, raw.body)
    found = raw.status not in called.not_found
    url = f"https://rehearsal/{tool.name}"
    return called.read(Reply(status=raw.status, headers=headers, content=raw.body.encode(), url=url, found=found))


def _source(tool: Tool) -> type[Command | HttpRequest] | None:
    match _asked(tool):
        case Command():
            return Command
        case HttpRequest():
            return HttpRequest
        case _:
            return None


def _asked(tool: Tool) -> object:
    """The command or request behind a tool; None if it is something else."""
    return getattr(core(tool.call), "__self__", None)
