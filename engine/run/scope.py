"""The names a step sees; the one mutable thing in a run, changed only by the functions below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.model.outcome import Absent, RunStatus, StepResult, StepStatus
from engine.model.skill import Skill, Step

NOT_REACHED = {"status": None, "error": None, "kind": None, "attempts": 0, "healed": False, "duration": 0.0}
"""The `steps.NAME` entry of a step the run has not come to."""

VALUE_STATUSES = frozenset({StepStatus.OK, StepStatus.HEALED})


@dataclass(slots=True)
class Scope:
    """Inputs, defaults, configuration, the run, finished steps, and every output so far."""

    names: dict[str, Any] = field(default_factory=dict)

    def finished(self, step: Step, result: StepResult) -> None:
        """Binds a finished step's output and its `steps.NAME` entry."""
        self.names["steps"][step.name] = {
            "status": result.status.value,
            "error": result.failure.message if result.failure else None,
            "kind": result.failure.kind.value if result.failure else None,
            "attempts": result.attempts,
            "healed": result.status is StepStatus.HEALED,
            "duration": result.duration,
        }
        if result.status in VALUE_STATUSES:
            self.names[step.output] = result.value
        else:
            self.names[step.output] = Absent(step=step.name, reason=_why_absent(result))

    def ended(self, status: RunStatus, message: str) -> None:
        """Tells `undo`, `always` and `outputs` how the run ended."""
        self.names["run"] |= {"status": status.value, "message": message}


def new_scope(
    *,
    skill: Skill,
    inputs: Mapping[str, Any],
    config: Mapping[str, Any],
    env: Mapping[str, str],
    run: Mapping[str, Any],
) -> Scope:
    """The scope of a run that has not begun: every output exists and has no value yet."""
    steps = (*skill.steps, *skill.always)
    waiting = {step.output: Absent(step=step.name, reason="the run has not come to it") for step in steps}
    names = {"inputs": dict(inputs), "defaults": dict(skill.defaults), "config": dict(config), "env": dict(env)}
    return Scope(
        names={**waiting, **names, "run": dict(run), "steps": {step.name: dict(NOT_REACHED) for step in steps}}
    )


def _why_absent(result: StepResult) -> str:
    if result.status is StepStatus.SKIPPED:
        return "it was skipped because its condition was false"
    said = result.failure.message if result.failure else "it gave no reason"
    return f"it failed ({said})"
