"""What is left of a call when healing itself broke: the tool's own failure, as far as evidence alone names it."""

from __future__ import annotations

from dataclasses import replace

from engine.heal.detect import diagnose
from engine.heal.request import HealRequest
from engine.heal.safety import repeats
from engine.model.failure import Failure, FailureKind
from engine.model.heal import Healing
from engine.model.outcome import Attempt


def broken(request: HealRequest, attempts: tuple[Attempt, ...], error: Exception) -> Healing:
    """The end of a call in which healing broke with `error`; without attempts it was cut off in an earlier process."""
    reason = f"healing itself broke ({type(error).__name__}: {error}); the tool's own failure stands"
    failures = [tried.failure for tried in attempts if tried.failure is not None]
    failure = failures[-1] if failures else _cut_off(request)
    diagnosis = diagnose(failure, ())
    named = replace(failure, kind=diagnosis.kind)
    return Healing(
        failure=named,
        first_failure=failures[0] if len(failures) > 1 else named,
        diagnosis=diagnosis,
        attempts=(*attempts[:-1], replace(attempts[-1], failure=named)) if attempts else (),
        reason=reason,
        repeatable=repeats(request.tool),  # a retry may have come after the failures known here
        recorded=True,
    )


def _cut_off(request: HealRequest) -> Failure:
    message = f"{request.tool.name} was cut off in an earlier process, and nothing could be made of that"
    return Failure(message=message, tool=request.tool.name, kind=FailureKind.CANCELLED)
