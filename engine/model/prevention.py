"""What is looked at before a call or a run, what history foretells, and what is done about either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, NamedTuple

from engine.model.call import ToolCall
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.remediation import RootCause


class FixCause(StrEnum):
    """Why a fix is run: something failed, a check says that it would, history says so, or the monitor saw it."""

    FAILURE = "failure"
    PREFLIGHT = "preflight"
    PREDICTION = "prediction"
    HEALTH = "health"


class Lasts(StrEnum):
    """How long what a check found is believed: for the whole run, or until the next call."""

    RUN = "run"
    CALL = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something a domain declares that can be looked at beforehand: a read tool, and the role of what repairs it.

    The tool works: good. It fails, or gives a mapping with `ok: false`: not good. `expires_at` or `expires_in` in what
    it gives (seconds) is until when that holds. `kind` is the failure that would follow, where the look does not name
    it. `within` is the seconds the look may take. `offline`: it looks at this machine only.
    """

    name: str
    call: ToolCall
    role: str | None = None
    kind: FailureKind = FailureKind.UNKNOWN
    lasts: Lasts = Lasts.CALL
    within: float = 2.0
    offline: bool = False


class CheckAction(StrEnum):
    """What came of a check: good, repaired beforehand, the run or call was blocked, or only noted."""

    PASSED = "passed"
    FIXED = "fixed"
    BLOCKED = "blocked"
    NOTED = "noted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one look found; `ok` None: not known. `expires_at` in seconds since the epoch; `at` when it was looked.

    `kind` and `message` say what would fail and why, `cause` what a person can do, `fix` what was run for it; `tool` is
    the one whose arguments or needs it is about, empty where it is about the domain.
    """

    check: str
    domain: str
    ok: bool | None
    at: float
    message: str = ""
    kind: FailureKind = FailureKind.UNKNOWN
    role: str | None = None
    expires_at: float | None = None
    user: str = ""
    action: CheckAction = CheckAction.PASSED
    fix: str = ""
    cause: RootCause | None = None
    tool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known at the moment of a call that may foretell its failure; what is not known is None.

    `since_wake` and `token_left` in seconds, `hour` 0 to 23 and `weekday` (`mon`) in local time, `last_calls` the tools
    of at most five calls before it, oldest first, `last_failure` the kind of the domain's newest failure in history;
    `first_call_...` says whether it is the first in its domain.
    """

    tool: str
    domain: str
    at: float
    hour: int
    weekday: str
    first_call_of_day: bool | None = None
    first_call_since_wake: bool | None = None
    since_wake: float | None = None
    token_left: float | None = None
    last_calls: tuple[str, ...] = ()
    last_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One entry of `failure_contexts.yaml`: a situation, and what follows from it.

    `context` holds the conditions as they are written in the file; all must hold. `observations` and `confirmed` count
    calls that ran without the fix, and those of them that failed so; `predicted`, `prevented` and `false_alarms` what
    came of its predictions.
    """

    trigger: str
    context: Mapping[str, Any]
    kind: FailureKind
    domain: str | None = None
    cascades: tuple[str, ...] = ()
    fix: str | None = None
    fix_args: Mapping[str, Any] = field(default_factory=dict)
    observations: int = 0
    confirmed: int = 0
    predicted: int = 0
    prevented: int = 0
    false_alarms: int = 0
    retired: bool = False


class Learning(NamedTuple):
    """A sequence as it should stand in memory: with its counts, its bound as `probability`, and its word."""

    sequence: Sequence
    probability: float = 0.0
    confidence: str = "none"


class PredictAction(StrEnum):
    """What a prediction led to: the fix ran first, the call ran without it for comparison, or it was only noted."""

    FIX = "fix"
    SHADOW = "shadow"
    NOTED = "noted"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What history foretells of one call, and what was decided; costs in seconds. `sequence` empty: nothing."""

    situation: Situation
    sequence: str = ""
    kind: FailureKind = FailureKind.UNKNOWN
    probability: float = 0.0
    fix: str = ""
    cost_of_fix: float = 0.0
    cost_of_failure: float = 0.0
    action: PredictAction = PredictAction.NONE
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """A call that was looked at, as history knows it: what was foretold, what was done, and what came.

    `came` is the kind its first attempt failed with, empty when that worked, None while nobody knows. `fix_ok`: whether
    the fix worked, None if none ran. `cost` is the seconds the step took.
    """

    prediction: Prediction
    run_id: str
    step: str
    came: str | None = None
    cost: float | None = None
    fix_ok: bool | None = None

    @property
    def situation(self) -> Situation:
        """In what situation the call was made."""
        return self.prediction.situation

    @property
    def treated(self) -> bool:
        """Whether the fix was run before the call; what came then says nothing of the situation."""
        return self.prediction.action is PredictAction.FIX
