"""What history knows of an earlier part of a run: all that a resumed run goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """One call of a step; `ok` None: it was begun and nobody knows how it ended. `failure` as the event gave it."""

    number: int
    tool: str
    started_at: float
    ok: bool | None = None
    finished_at: float | None = None
    value: Any = None
    failure: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFix:
    """One use of a fix in a step; `after` counts the attempts before it.

    `ok` None: it was begun and nobody knows how it ended.
    """

    fix: str
    domain: str
    call: str
    after: int
    ok: bool | None = None
    shared: bool = False
    kind: str = ""
    signature: str = ""
    pattern: str | None = None
    started_at: float = 0.0
    finished_at: float = 0.0
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStep:
    """One step that was begun; `status` None: it has no end.

    `begun` counts the processes that began it; `ended` is the number of the event that ended it (steps are undone in
    the reverse of that order). `lost` says that the value could not be kept, for it holds a secret or was no plain
    JSON; of a step without an end, that of its last attempt that worked, or the list of a `foreach` (`items` is None
    then). `skill_text` and `digest` are those of the sub-skill it ran.
    """

    path: str
    action: str = ""
    section: str = "steps"
    status: StepStatus | None = None
    begun: int = 1
    ended: int = 0
    value: Any = None
    lost: bool = False
    items: tuple[Any, ...] | None = None
    attempts: tuple[PastAttempt, ...] = ()
    fixes: tuple[PastFix, ...] = ()
    finished: Mapping[str, Any] = field(default_factory=dict)
    skill_text: str = ""
    skill_file: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEnding:
    """How a run, or a sub-skill in it, had ended when its cleaning up began."""

    status: RunStatus
    message: str = ""
    timed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run as far as it came.

    `steps` by path in the order they began; `asked` the fields of the questions that were asked, and `answers`, by
    question name; `endings` by the path of the sub-skill's step, "" for the run itself. `text` is the skill as it was,
    secrets masked: whoever parses it compares its SHA-256 with `digest`. `folder` is the workspace it began in,
    `traceparent` the newest trace of it, if it was traced; `timeout` the seconds it was given, if it was.
    """

    run_id: str
    skill: str
    file: str
    text: str
    digest: str
    started_at: float
    inputs: Mapping[str, Any] = field(default_factory=dict)
    masked_inputs: frozenset[str] = frozenset()
    steps: Mapping[str, PastStep] = field(default_factory=dict)
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    endings: Mapping[str, PastEnding] = field(default_factory=dict)
    finished: bool = False
    folder: str = ""
    traceparent: str = ""
    timeout: float | None = None
