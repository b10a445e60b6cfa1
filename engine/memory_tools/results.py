"""What the memory tools answer: the same values for programs, skills and commands, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Any

from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something memory knows: in which file it stands, for which tool, the words, why, and what helps.

    `times_prevented` is None for a pattern, which is about no single mistake.
    """

    source: str
    tool_name: str = ""
    meaning: str = ""
    root_cause: str = ""
    fix: str = ""
    commands: list[str] = field(default_factory=list)
    date_learned: str = ""
    times_prevented: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIssues:
    """What is known of a tool, an error, or both; `kind` and `confidence` say what the error's words mean."""

    tool_name: str
    error_text: str
    kind: str
    confidence: float
    because: str
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was kept of a fix; `changed` is false when all of it was known, `again` tells what happens next time."""

    file: str
    tool_name: str
    error_pattern: str
    root_cause: str
    fix: str
    changed: bool
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFailure:
    """A step of history that failed with the tool; `at` is UTC."""

    at: str
    kind: str
    error: str
    fix: str
    healed: bool
    skill: str
    step: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReport:
    """All that helps to mend a failing tool: its text and contract, its past, what is known, and what to do."""

    tool_name: str
    source: str
    file: str
    first_line: int
    last_line: int
    code: str
    contract: dict[str, Any]
    missing: list[str]
    known: KnownIssues
    recent_failures: list[PastFailure]
    steps: list[str]
    reminder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """How one call of a tool went; `run` names it in history, `status` is that of its step, or of the run without one.

    `failure`, `first_failure` and `root_cause` are as in the result of a run; `known` is what memory says about it.
    """

    run: str
    tool: str
    status: str
    value: Any = None
    message: str = ""
    failure: dict[str, Any] | None = None
    first_failure: dict[str, Any] | None = None
    root_cause: dict[str, Any] | None = None
    attempts: int = 0
    fixes: list[str] = field(default_factory=list)
    duration: float = 0.0
    reason: str = ""
    remediation: list[str] = field(default_factory=list)
    known: list[Issue] = field(default_factory=list)
    reminder: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call worked in the end."""
        return self.status in {"ok", "healed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What stands in a memory file at a path; `files` are those there are when none was named."""

    file: str
    path: str
    value: Any = None
    found: bool = True
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A change of a memory file: what stands at the path now, whether it was news, and the back-up made before."""

    file: str
    path: str
    value: Any = None
    changed: bool = True
    backup: str = ""


def as_json(value: Any) -> dict[str, Any]:
    """An answer as JSON has it."""
    told: Mapping[str, Any] = asdict(value)
    return dict(told)
