"""The nouns of the registry: a tool, what it is called with, what it gives back, how it fails.

Nothing here knows the engine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Effect(StrEnum):
    """What a call does to the world."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class FixScope(StrEnum):
    """What a fix touches: only credentials, only connectivity, or something else (which is never low risk)."""

    CREDENTIALS = "credentials"
    CONNECTIVITY = "connectivity"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a tool needs: programs on the PATH, environment variables, Python modules, settings of its domain.

    A program `git>=2.30` is at least of that version. A setting `a|b` is one of the two; dots lead into mappings.
    """

    programs: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def _ignore(_: Any) -> None:
    return None


def read_json(path: Path) -> Any:
    """What a JSON file holds; every JSON file is YAML. Raises OSError and ValueError."""
    import json  # noqa: PLC0415 - late: few tools read a file that is YAML

    return json.loads(path.read_text(encoding="utf-8"))


def parse_json(text: str, _: str) -> Any:
    """What a JSON text holds. Raises ValueError."""
    import json  # noqa: PLC0415 - late, as above

    return json.loads(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What the world hands a tool beside its arguments.

    `settings` are those of the tool's domain, `folder` the workspace, `state` a private folder the tool may write to,
    `environment` what a child process inherits, `timeout` the seconds this call has. `secret` keeps a value out of
    everything written or shown, and `secret_result` says that what the call gives is such a value; `report` shows a
    line of progress. `read_yaml` gives what a YAML file holds, `parse_yaml` what a text called NAME does (without an
    engine around it, both only JSON). `connections` are open connections that the calls of one registry share; the
    registry sets and closes them, None means that each call opens and closes its own. `trace_headers` tell a server of
    which trace the call is a part.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)
    state: Path = field(default_factory=Path.cwd)
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    run_id: str = ""
    step: str = ""
    secret: Callable[[Any], None] = _ignore
    secret_result: bool = False
    report: Callable[[str], None] = _ignore
    read_yaml: Callable[[Path], Any] = read_json
    parse_yaml: Callable[[str, str], Any] = parse_json
    connections: MutableMapping[Any, Any] | None = None
    trace_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """What a call gives back: a structured value (JSON types), and the raw text it came from, for the log.

    `found` is False where the tool declares that "not found" is a normal answer and that is the answer.
    """

    value: Any = None
    text: str = ""
    found: bool = True


Call = Callable[[Mapping[str, Any], ToolContext], Awaitable[ToolOutput]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A thing that can be called, and everything the engine must know to call it, or call it again.

    `parameters` and `result` are JSON Schemas (`parameters` of type object); `timeout` in seconds; `fix` says what it
    may repair, None for an ordinary tool; `location` is `file:line`. `verify` names a read tool that takes the same
    arguments and tells, by `true` or a mapping with `happened: true`, whether a call whose answer was lost took effect.
    What a `secret` tool gives is for a step that says `secret: true`.
    """

    name: str
    call: Call
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    result: Mapping[str, Any] | None = None
    effect: Effect = Effect.READ
    idempotent: bool = False
    domain: str | None = None
    timeout: float = 60.0
    fix: FixScope | None = None
    verify: str | None = None
    needs: Needs = field(default_factory=Needs)
    examples: tuple[Mapping[str, Any], ...] = ()
    secret: bool = False
    source: str = "python"
    location: str = ""


class ToolError(Exception):
    """A call failed. What is known is given as evidence, never left to words.

    `kind` is a failure kind's name when the tool itself knows it; `errno` a symbolic name (`ECONNREFUSED`);
    `output` what the program or server said; `sent` False when the request provably never left;
    `retry_after` in seconds; `details` anything structured that helps explain.
    """

    def __init__(  # noqa: PLR0913 - evidence is a flat record, and every field is by keyword
        self,
        message: str,
        *,
        kind: str | None = None,
        http_status: int | None = None,
        exit_status: int | None = None,
        errno: str | None = None,
        program: str | None = None,
        output: str = "",
        sent: bool | None = None,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.http_status = http_status
        self.exit_status = exit_status
        self.errno = errno
        self.program = program
        self.output = output
        self.sent = sent
        self.retry_after = retry_after
        self.details = dict(details or {})

    def forget_answer(self) -> None:
        """Leaves out the answer that was not what had been promised, if that is what failed."""
        if self.kind == "api_contract_mismatch":
            self.output, self.details = "", {}


class UnknownToolError(ToolError):
    """No tool of that name; `nearest` are the names most like it."""

    def __init__(self, name: str, nearest: tuple[str, ...] = ()) -> None:
        near = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"there is no tool called {name}{near}", kind="usage_error", sent=False)
        self.name = name
        self.nearest = nearest
