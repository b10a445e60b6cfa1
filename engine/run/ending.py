"""How a walk through steps comes to an end before its last step."""

from __future__ import annotations

import anyio

from engine.errors import JournalError
from engine.model.failure import Failure
from engine.model.heal import Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, RunStatus, StepResult, StepStatus
from engine.model.past import PastEnding
from engine.model.prevention import CheckAction
from engine.model.skill import Step, StopStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why steps came to an end.

    `failure` is that of the step that failed, None when a `stop` or something outside ended them; `repeatable` says
    that what failed may be done again without harm; `untouched` that nothing had begun, and so nothing is cleaned up.
    """

    status: RunStatus
    message: str = ""
    timed_out: bool = False
    failure: Failure | None = None
    repeatable: bool = True
    untouched: bool = False


RESTING = Ending(status=RunStatus.WAITING, message="a question has to be answered first")
"""Steps cannot go on before somebody has answered."""

HALTED = Ending(status=RunStatus.CANCELLED, message="another step had ended the run")
"""Nothing new was begun, because something else is ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What one round of a step's action gave; `ending` is set when more than the step ends, or the step cannot end."""

    healing: Healing
    ending: Ending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A step as its surroundings see it: its result (None when it has no end yet), and how it ends them, if so."""

    result: StepResult | None = None
    ending: Ending | None = None


def unrecorded(error: JournalError) -> Ending:
    """The end of a run whose history broke."""
    return Ending(status=RunStatus.FAILED, message=f"history could not be written: {error}")


def breaking(scope: anyio.CancelScope, clock: anyio.CancelScope, timeout: float | None) -> Ending | None:
    """How a run ends that is cancelled, or whose time is over; None for one that is neither."""
    if scope.cancel_called:
        return Ending(status=RunStatus.CANCELLED, message="cancelled")
    if clock.cancel_called and timeout is not None:
        return Ending(status=RunStatus.FAILED, message=f"the run did not end within {timeout:g} s", timed_out=True)
    return None


def broken_off(error: BaseException) -> Ending:
    """The end of a run that was cancelled from outside, or in which the engine itself broke."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, Exception):
        said = f"skill-engine itself broke: {type(error).__name__}: {error}"
        return Ending(status=RunStatus.FAILED, message=said)
    return Ending(status=RunStatus.CANCELLED, message="cancelled")


def counting(ending: Ending, past: PastEnding | None) -> Ending:
    """The ending that counts: the one an earlier process had begun to clean up after, if it had."""
    if past is None or (ending not in (HALTED, RESTING) and ending.status is past.status):
        return ending
    return Ending(status=past.status, message=past.message, timed_out=past.timed_out)


def ending_of(step: Step, result: StepResult, *, repeatable: bool = True) -> Ending | None:
    """How a finished step ends what it stands in; None when that goes on."""
    if result.status is StepStatus.FAILED:
        said = result.failure.message if result.failure else result.reason
        message = f"the step {step.name} failed: {said}"
        return Ending(status=RunStatus.FAILED, message=message, failure=result.failure, repeatable=repeatable)
    if isinstance(step, StopStep) and result.status is StepStatus.OK:
        return Ending(status=RunStatus(step.status.value), message=result.value["message"])
    return None


def worst(endings: list[Ending]) -> Ending | None:
    """What several branches come to: the first that really ended, else a question that is open, else none."""
    real = (ending for ending in endings if ending not in (HALTED, RESTING))
    return next(real, None) or (RESTING if RESTING in endings else endings[0] if endings else None)


def teaches(result: RunResult) -> bool:
    """Whether memory can learn from the run: something failed, or was stopped or repaired before it could."""
    acted = {CheckAction.FIXED, CheckAction.BLOCKED}
    failed = any(step.failure is not None or step.first_failure is not None for step in result.steps)
    return failed or any(check.action in acted for check in result.preflight)
