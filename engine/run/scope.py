"""The names a step sees; the one mutable thing in a run, changed only by the functions below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Absent, RunStatus, StepResult, StepStatus
from engine.model.skill import GroupStep, Skill, Step

NOT_REACHED = {"status": None, "error": None, "kind": None, "attempts": 0, "healed": False, "duration": 0.0}
"""The `steps.NAME` entry of a step the run has not come to."""

VALUE_STATUSES = frozenset({StepStatus.OK, StepStatus.HEALED})


@dataclass(slots=True)
class Scope:
    """Inputs, defaults, configuration, the run, finished steps, and every output so far."""

    names: dict[str, Any] = field(default_factory=dict)

    def finished(self, step: Step, result: StepResult, *, lost: bool = False) -> None:
        """Binds a finished step's output and its `steps.NAME` entry; `lost`: it worked, but its value is not known."""
        self.names["steps"][step.name] = {
            "status": result.status.value,
            "error": result.failure.message if result.failure else None,
            "kind": result.failure.kind.value if result.failure else None,
            "attempts": result.attempts,
            "healed": result.status is StepStatus.HEALED,
            "duration": result.duration,
        }
        if lost and result.status in VALUE_STATUSES:
            self.names[step.output] = Absent(step=step.name, reason="it worked, but its value could not be kept")
        # A list of which some elements failed is still a list.
        elif result.status in VALUE_STATUSES or (step.foreach and result.status is StepStatus.TOLERATED):
            self.names[step.output] = result.value
        else:
            self.names[step.output] = Absent(step=step.name, reason=_why_absent(result))

    def ended(self, status: RunStatus, message: str) -> None:
        """Tells `undo`, `always` and `outputs` how the run ended."""
        self.names["run"] |= {"status": status.value, "message": message}

    def inner(self, steps: Iterable[Step]) -> Scope:
        """The scope of a group: its outputs end with it, the `steps.NAME` entries of its steps stay."""
        return Scope(names={**self.names, **_absent(steps)})

    def branch(self) -> Scope:
        """The scope of a branch that others must not look into until it has ended."""
        return Scope(names={**self.names, "steps": dict(self.names["steps"])})

    def element(self, bind: str, item: Any) -> Scope:
        """The scope of one element of a list; nothing it defines is seen outside."""
        return Scope(names={**self.names, bind: item, "steps": dict(self.names["steps"])})

    def joined(self, step: Step, branch: Scope) -> None:
        """Takes over what a branch defined, once all branches have ended."""
        self.names[step.output] = branch.names[step.output]
        known = self.names["steps"]
        for name in (each.name for each in all_steps([step])):
            known[name] = branch.names["steps"][name]

    def outputs(self, steps: Iterable[Step]) -> dict[str, Any]:
        """The outputs of a group's steps; None where there is none."""
        found = ((step.output, self.names[step.output]) for step in steps)
        return {output: None if isinstance(value, Absent) else value for output, value in found}


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
    names = {"inputs": dict(inputs), "defaults": dict(skill.defaults), "config": dict(config), "env": dict(env)}
    known = {step.name: dict(NOT_REACHED) for step in all_steps(steps)}
    return Scope(names={**_absent(steps), **names, "run": dict(run), "steps": known})


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps and those inside them, not those of other skills."""
    for step in steps:
        yield step
        if isinstance(step, GroupStep):
            yield from all_steps(step.steps)


def _absent(steps: Iterable[Step]) -> dict[str, Any]:
    return {step.output: Absent(step=step.name, reason="the run has not come to it") for step in steps}


def _why_absent(result: StepResult) -> str:
    if result.status is StepStatus.SKIPPED:
        return "it was skipped because its condition was false"
    said = result.failure.message if result.failure else "it gave no reason"
    return f"it failed ({said})"
