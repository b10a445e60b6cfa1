"""The door to healing: a call that works costs nothing more; a call that fails goes through the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import JournalError
from engine.heal.calls import Calls
from engine.heal.request import HealRequest
from engine.heal.told import attempt_data
from engine.model.event import EventKind
from engine.model.heal import Healing, Notice
from engine.model.outcome import Attempt


class Mends(Protocol):
    """What is asked when a call has failed, and when a run in which one failed has ended."""

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:
        """What becomes of a call whose first attempt failed."""

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Learns from a run, and returns what people should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healer:
    """Makes healed calls; `mending` gives what heals a failed one, and is asked only when one failed."""

    calls: Calls
    mending: Callable[[], Mends]

    async def call(self, request: HealRequest) -> Healing:
        """The call's outcome after all that healing may do; raises only JournalError and cancellation."""
        first = await self.calls.own(request, number=1)
        if first.failure is None:
            return Healing(value=first.value, attempts=(first,))
        request.emit(EventKind.ATTEMPT_FINISHED, attempt_data(first, request.tool.name))
        try:
            return await self.mending().heal(request, first)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - healing that breaks must not hide the tool's failure
            reason = f"healing itself broke ({type(error).__name__}: {error}); the tool's own failure stands"
            return Healing(failure=first.failure, first_failure=first.failure, attempts=(first,), reason=reason)
