"""The door to healing: a call that works costs nothing more; a call that fails goes through the pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
    """What is asked when a call has failed or was cut off, and when a run in which one failed has ended."""

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:
        """What becomes of a call whose first attempt failed."""

    async def resume(self, request: HealRequest) -> Healing:
        """What becomes of a call that an earlier process had begun."""

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Learns from a run, and returns what people should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healer:
    """Makes healed calls; `mending` gives what heals a failed one, and is asked only when one failed or was cut off."""

    calls: Calls
    mending: Callable[[], Mends]

    async def call(self, request: HealRequest) -> Healing:
        """The call's outcome after all that healing may do; raises only JournalError and cancellation.

        With a `past` it goes on where an earlier process was cut off.
        """
        if request.past is not None and request.past.attempts:
            return await self._mended(request, (), lambda mends: mends.resume(request))
        first = await self.calls.own(request, number=request.attempts_before + 1)
        if first.failure is None:
            return Healing(value=first.value, attempts=(first,))
        request.emit(EventKind.ATTEMPT_FINISHED, attempt_data(first, request.tool.name))
        return await self._mended(request, (first,), lambda mends: mends.heal(request, first))

    async def settle(self, request: HealRequest) -> bool | None:
        """Whether a call that was cut off had its effect, as the tool's `verify` sees it; None when nothing can tell.

        For cleaning up: the tool itself is not called. Whoever was cancelled shields this.
        """
        from engine.heal.settle import settle  # noqa: PLC0415 - late: only a call that was cut off needs it

        return (await settle(self.calls, request)).happened

    async def _mended(
        self, request: HealRequest, attempts: tuple[Attempt, ...], mend: Callable[[Mends], Awaitable[Healing]]
    ) -> Healing:
        try:
            return await mend(self.mending())
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - healing that breaks must not hide the tool's failure
            from engine.heal.broken import broken  # noqa: PLC0415 - late: healing that works does not need it

            return broken(request, attempts, error)
