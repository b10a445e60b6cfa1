"""What healing decides and does, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, Literal

from engine.model.failure import Diagnosis, Failure, FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, FixCause
from engine.model.question import Question
from engine.model.remediation import RootCause


class HealMode(StrEnum):
    """What healing may do on its own; a workspace sets it, a domain may narrow it."""

    AUTO = "auto"
    ASK = "ask"
    SUGGEST = "suggest"
    OFF = "off"


class Risk(StrEnum):
    """The worst of a fix's effect, its scope and the diagnosis' confidence."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Stage(StrEnum):
    """The stages of healing, in order; not every one leaves a `heal_stage` event: attempts and fixes have their own."""

    PREFLIGHT = "preflight"
    PREDICT = "predict"
    ATTEMPT = "attempt"
    DETECT = "detect"
    RECALL = "recall"
    DECIDE = "decide"
    FIX = "fix"
    RETRY = "retry"
    MERGE = "merge"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixPlan:
    """A fix as a domain configures it.

    `verify` is polled after the fix until it works, for at most `ready_within` seconds; a fix that worked is not
    repeated within `cooldown` seconds. `of_process`: it repairs something of this process alone, so that no other one
    can use its outcome.
    """

    call: ToolCall
    verify: ToolCall | None = None
    ready_within: float = 15.0
    cooldown: float = 30.0
    of_process: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExpiry:
    """How is read until when a domain's token holds: a read tool that gives `expires_at` or `expires_in`, in seconds.

    `offline`: it looks at this machine only, so that a dry run may call it.
    """

    call: ToolCall
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a tool depends on: credentials and network of one environment.

    `settings` are handed to the tools of the domain; `fixes` maps a role (`login`, `connect`) or a fix's tool name to
    its plan; `mode` narrows the workspace's policy; `expiry` tells how long its token holds, `checks` what else can be
    looked at beforehand, by name. `kind` is `cluster` or `service` for one that was described as such, `look` a call
    that only reads and says whether its login counts.
    """

    name: str
    kind: str = ""
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    fixes: Mapping[str, FixPlan] = field(default_factory=dict)
    mode: HealMode | None = None
    expiry: TokenExpiry | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    look: ToolCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIssue:
    """What memory knows about a failure: from `patterns.yaml` or `tool_fixes.yaml`."""

    source: str
    meaning: str
    fix: str
    root_cause: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyFix:
    """Decision: run this fix, then call again. `ask` is true when a person must agree first."""

    role: str
    plan: FixPlan
    domain: str
    risk: Risk
    ask: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlain:
    """Decision: the kind passes by itself and a second call is safe; call again after `delay` seconds."""

    delay: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveAlone:
    """Decision: do nothing, and why; `suggestion` is the fix a person could run, if one is known."""

    because: str
    suggestion: ToolCall | None = None


Decision = ApplyFix | RetryPlain | LeaveAlone


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOutcome:
    """What a fix did.

    `shared` is true when another step, run or process had just run it and its outcome was used; `helped` is known only
    after the retry; `ran` is false when it was held back because it had just worked. `started_at` and `finished_at` are
    seconds since the epoch; `signature`, `kind` and `pattern` name the failure it was run for, `cause` says why it ran.
    """

    fix: str
    domain: str
    call: ToolCall
    ok: bool
    shared: bool
    started_at: float
    finished_at: float
    failure: Failure | None = None
    ran: bool = True
    helped: bool | None = None
    signature: str = ""
    kind: FailureKind | None = None
    pattern: str | None = None
    cause: FixCause = FixCause.FAILURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something people should know; `level` is `note` or `warning`."""

    text: str
    level: Literal["note", "warning"] = "warning"


class BreakerState(StrEnum):
    """A circuit breaker's state: closed acts, open suggests, half-open tries once."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """How a healed call ended: the attempt that counts, and everything on the way; the first failure is never lost.

    `question` set means that it has not ended: the call rests until that is answered, and what is asked for is the same
    call again, with its past. `answer_lost`: it is known to have had its effect, but its value is not. `repeatable`: it
    failed, and a second call cannot do anything twice (which does not say that it is worth it: a call refused for its
    arguments is safe to repeat, too). `recorded`: the journal has every attempt; of a first one that worked it has not,
    because that is told together with the end of its step.
    """

    value: Any = None
    failure: Failure | None = None
    first_failure: Failure | None = None
    diagnosis: Diagnosis | None = None
    attempts: tuple[Attempt, ...] = ()
    fixes: tuple[FixOutcome, ...] = ()
    remediation: tuple[str, ...] = ()
    root_cause: RootCause | None = None
    reason: str = ""
    question: Question | None = None
    answer_lost: bool = False
    repeatable: bool = False
    recorded: bool = False

    @property
    def ok(self) -> bool:
        """Whether the call worked in the end."""
        return self.failure is None

    @property
    def healed(self) -> bool:
        """Whether it failed first and worked in the end."""
        return self.failure is None and self.first_failure is not None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before a second call, where the failure named them."""
        return self.failure.evidence.retry_after if self.failure else None
