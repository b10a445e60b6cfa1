"""`debug_tool`: where a failing tool stands, what it promises, how it failed before, what is known, and what to do."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.memory_tools.contracts import contract, lacking
from engine.memory_tools.known import LONGEST, known_issues, program_heard
from engine.memory_tools.parts import MemoryParts
from engine.memory_tools.results import KnownIssues, PastFailure, ToolReport
from engine.model.lazy_dataclass import dataclass
from engine.model.tally import FailureRecord
from tool_registry.tool import Tool, UnknownToolError

MOST_LINES = 400
"""Lines of a tool's text that are given."""
RECENT = 10
"""Failures of its past that are given."""
REMINDER = (
    "When it works again, save what was learnt: learn_tool_fix({tool!r}, error_pattern, root_cause, fix_description)"
)


async def debug_tool(parts: MemoryParts, tool_name: str, error_message: str = "") -> ToolReport:
    """All that helps to mend a failing tool. Raises InputError for a name that no tool has."""
    try:
        tool = parts.registry.get_tool(tool_name)
    except UnknownToolError as error:
        raise InputError(error.message, hint="`skill tools` lists them") from error
    text = _text(tool)
    recent = _recent(parts, tool.name)
    said = str(parts.secrets.mask(error_message[:LONGEST])) or (recent[0].error if recent else "")
    known = known_issues(parts.memory, tool.name, said, program=program_heard(tool))
    missing = lacking(tool)
    return ToolReport(
        tool_name=tool.name,
        source=tool.source,
        file=text.file,
        first_line=text.first,
        last_line=text.last,
        code=str(parts.secrets.mask(text.code)),
        contract=contract(tool),
        missing=missing,
        known=known,
        recent_failures=recent,
        steps=_steps(tool, text, known, missing, recent),
        reminder=REMINDER.format(tool=tool.name),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """Where a tool is written, and its lines from `first` to `last`; 0 where that is not known."""

    file: str
    first: int = 0
    last: int = 0
    code: str = ""


def _text(tool: Tool) -> _Text:
    """The function's or the definition's own lines; only the place where they cannot be read."""
    file, _, line = tool.location.rpartition(":")
    first = int(line) if file and line.isdecimal() else 1
    path = Path(file if file and line.isdecimal() else tool.location)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError:
        return _Text(file=str(path))
    # A definition is a file of its own; a function ends where its block does.
    own = inspect.getblock(lines[first - 1 :]) if tool.source == "python" and lines[first - 1 :] else lines
    return _Text(file=str(path), first=first, last=first + len(own) - 1, code="".join(own[:MOST_LINES]))


def _recent(parts: MemoryParts, tool: str) -> list[PastFailure]:
    """Its newest failures; none is asked for where nothing ever ran, because asking would make a history."""
    if not parts.workspace.history.exists():
        return []
    return [_past(each) for each in parts.journal.failures(RECENT, tool=tool)]


def _past(failure: FailureRecord) -> PastFailure:
    return PastFailure(
        at=datetime.fromtimestamp(failure.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        kind=failure.kind,
        error=failure.error,
        fix=failure.fix,
        healed=failure.success,
        skill=failure.skill,
        step=failure.step,
        run=failure.run_id,
    )


def _steps(tool: Tool, text: _Text, known: KnownIssues, missing: list[str], recent: list[PastFailure]) -> list[str]:
    """What to do, in order; each step is a sentence, or a command behind one."""
    told = [f"Provide what is missing here: {lack}" for lack in missing]
    told += [f"It is {known.kind.replace('_', ' ')}. {known.because}"] if known.kind not in {"", "unknown"} else []
    for issue in known.issues:
        why = f"{issue.root_cause.rstrip('.')}: " if issue.root_cause else ""
        told += [f"Known: {why}{issue.fix or issue.meaning}"]
        told += [f"Try: {command}" for command in issue.commands]
    told += [f"See how it went last: skill status {recent[0].run}"] if recent else []
    where = f"{text.file}:{text.first}" if text.first else text.file
    told += [f"Look at its text: {where}"] if where else []
    told += [f"Check its arguments against its contract: skill tools {tool.name}"]
    return [*told, f"Call it alone: skill tools exec {tool.name}{_arguments(tool.parameters)}"]


def _arguments(parameters: Mapping[str, Any]) -> str:
    return "".join(f" -i {name}=VALUE" for name in parameters.get("required", ()))
