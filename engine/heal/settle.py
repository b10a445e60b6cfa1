"""What became of a call whose end nobody saw: the tool's own `verify` is asked, and its word is taken or it is not.

A call can lose its answer (the line was cut), or be cut off itself (the process died, Ctrl-C); either way the only
honest source is a read that looks.
"""

from __future__ import annotations

from typing import Any

from engine.heal.calls import Calls
from engine.heal.request import HealRequest
from engine.model.event import EventKind
from engine.model.heal import Stage
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, ToolCall

LATE_LOOK = 5.0
"""Seconds a look may take although the step's time is up: whether a write happened is worth knowing even then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Whether a call had its effect; `happened` None when nothing can tell, and `because` says why, as a clause."""

    happened: bool | None
    because: str = ""
    look: Attempt | None = None

    @property
    def value(self) -> Any:
        """What stands for the lost answer; None unless it happened."""
        return answer_in(self.look.value) if self.look and self.happened else None


async def settle(calls: Calls, request: HealRequest) -> Settled:
    """Asks the tool's `verify`, with the same arguments, whether the call had its effect; never calls the tool itself.

    Whoever cleans up after a cancellation shields this, and bounds it.
    """
    verify = request.tool.verify
    if verify is None:
        return Settled(happened=None, because=f"{request.tool.name} declares no way to verify")
    if verify not in calls.registry:
        return Settled(happened=None, because=f"there is no tool {verify} that could verify it")
    left = request.time_left
    look = await calls.beside(
        request,
        ToolCall(tool=verify, args=request.call.args),
        domain=request.narrowing.domain,
        within=None if left is None else max(left, LATE_LOOK),
        secret=request.secret,
    )
    if look.failure is not None:
        return Settled(happened=None, because=f"{verify} could not tell: {look.failure.message}")
    happened = look.value.get("happened") if isinstance(look.value, dict) else look.value
    if not isinstance(happened, bool):
        return Settled(happened=None, because=f"{verify} said neither true nor false")
    answer = f"{verify} says it {'happened' if happened else 'did not happen'}"
    request.emit(EventKind.HEAL_STAGE, {"stage": Stage.DECIDE, "answer": answer}, durable=False)
    return Settled(happened=happened, because=answer, look=look)


def answer_in(found: Any) -> Any:
    """The answer that was lost, in what `verify` found: its `value` if it gives one, else all of it."""
    return found["value"] if isinstance(found, dict) and "value" in found else found
