"""The door to healing: a call that works costs nothing more; a call that fails goes through the pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from engine.errors import JournalError
from engine.heal.calls import Calls
from engine.heal.preflight.arguments import fits
from engine.heal.request import Ahead, HealRequest
from engine.heal.told import attempt_data
from engine.model.event import EventKind
from engine.model.heal import Healing, Notice
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt
from engine.model.prevention import CheckResult


class Mends(Protocol):
    """What is asked when a call has failed or was cut off, and when a run in which one failed has ended."""

    async def heal(self, request: HealRequest, first: Attempt) -> Healing:
        """What becomes of a call whose first attempt failed."""

    async def resume(self, request: HealRequest) -> Healing:
        """What becomes of a call that an earlier process had begun."""

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Learns from a run, and returns what people should know."""


class Prevents(Protocol):
    """What looks before a call, and repairs beforehand what would make it fail."""

    async def before_run(self, ahead: Ahead) -> tuple[CheckResult, ...]:
        """What was found and repaired; a result that is `blocked` says that the run must not begin."""

    async def before_call(self, request: HealRequest) -> Healing | None:
        """None: the call may be made. A Healing without attempts: it is not made, and that is how it ended."""


def nothing_prevents() -> None:
    """Nothing looks before a call."""
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Healer:
    """Makes healed calls.

    `mending` gives what heals a failed one, and is asked only when one failed or was cut off; `preventing` what looks
    before a call that depends on a domain or whose arguments do not fit, None where there is nothing to look at.
    """

    calls: Calls
    mending: Callable[[], Mends]
    preventing: Callable[[], Prevents | None] = nothing_prevents

    async def call(self, request: HealRequest) -> Healing:
        """The call's outcome after all that healing may do; raises only JournalError and cancellation.

        With a `past` it goes on where an earlier process was cut off.
        """
        if request.past is not None and request.past.attempts:
            return await self._mended(request, (), lambda mends: mends.resume(request))
        stopped = await self._looked(request)
        if stopped is not None:
            return stopped
        first = await self.calls.own(request, number=request.attempts_before + 1)
        if first.failure is None:
            return Healing(value=first.value, attempts=(first,))
        request.emit(EventKind.ATTEMPT_FINISHED, attempt_data(first, request.tool.name, request.domain))
        return await self._mended(request, (first,), lambda mends: mends.heal(request, first))

    async def settle(self, request: HealRequest) -> tuple[bool | None, Any]:
        """Whether a call that was cut off had its effect, as the tool's `verify` sees it; None when nothing can tell.

        With it the answer that was lost, where `verify` found that too, else None. For cleaning up: the tool itself is
        not called. Whoever was cancelled shields this.
        """
        from engine.heal.settle import settle  # noqa: PLC0415 - late: only a call that was cut off needs it

        settled = await settle(self.calls, request)
        return settled.happened, None if settled.value is True else settled.value

    async def _looked(self, request: HealRequest) -> Healing | None:
        """How the call ended before it was made; None: it is to be made. What looks and breaks stops nothing."""
        prevents = self.preventing() if request.domain or not fits(request.tool, request.call.args) else None
        if prevents is None:
            return None
        try:
            with self.calls.tracing.ahead(request.tool.name):
                return await prevents.before_call(request)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - looking ahead must not hide what the call itself would say
            said = f"looking ahead broke and was left out: {type(error).__name__}: {error}"
            request.emit(EventKind.NOTICE, {"text": said, "level": "warning"}, durable=False)
            return None

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
