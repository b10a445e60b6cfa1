"""One run under way: what every part of it shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from itertools import count
from typing import Any

from engine.heal.healer import Healer
from engine.library import SkillLibrary
from engine.model.event import EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import StepResult
from engine.model.past import PastRun, PastStep
from engine.model.prevention import CheckResult
from engine.model.question import Ask, Question
from engine.model.secret import Secrets
from engine.model.skill import Skill
from engine.model.tracing import Tracing
from engine.run.broadcast import Broadcast
from engine.run.domain import Domains
from engine.run.ending import Ending
from engine.sandbox import Sandbox

AFTER_THE_PAST = 1 << 40
"""Steps that end now come after all that ended in an earlier process."""


@dataclass(slots=True, kw_only=True)
class Running:
    """What the walk, the steps and the cleaning up of one run share; `results`, `notes` and `questions` grow.

    `called` are the paths of the steps whose tool was called, `preflight` is what was looked at before the first.

    `past` is what an earlier process did, and `reuses` says that it was another run, whose steps are told again as
    this one's. `answers` are known by question name, `given` beforehand by the name of the asking step too; `parks`
    says that the run may wait for one that is not. `breaking` tells how the whole run is being ended, if it is.
    """

    run_id: str
    library: SkillLibrary
    sandbox: Sandbox
    healer: Healer
    secrets: Secrets
    broadcast: Broadcast
    clock: Callable[[], float]
    config: Mapping[str, Any]
    env: Mapping[str, str]
    domains: Domains = dict
    ask: Ask | None = None
    parks: bool = True
    answers: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    breaking: Callable[[], Ending | None] = lambda: None
    past: PastRun | None = None
    reuses: bool = False
    results: list[StepResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    skills: dict[str, Skill] = field(default_factory=dict)
    told_breaking: bool = False
    called: set[str] = field(default_factory=set)
    preflight: list[CheckResult] = field(default_factory=list)
    _order: count[int] = field(default_factory=lambda: count(AFTER_THE_PAST))

    @property
    def tracing(self) -> Tracing:
        """What is told of its steps."""
        return self.healer.calls.tracing

    def past_step(self, path: str) -> PastStep | None:
        """What an earlier process did of the step; None when it did not come to it."""
        return self.past.steps.get(path) if self.past else None

    def now_ended(self) -> int:
        """A number greater than that of any step that has ended."""
        return next(self._order)

    def send(self, kind: EventKind, path: str, data: Mapping[str, Any], *, durable: bool = True) -> None:
        """Sends an event of the step at `path`."""
        self.broadcast.send(kind, data, step=path, durable=durable)

    def note(self, text: str, path: str) -> None:
        """Notes something worth a person's eye."""
        self.notes.append(text)
        self.broadcast.report(EventKind.NOTICE, {"text": text, "level": "warning"}, step=path)
