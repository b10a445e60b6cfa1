"""One call of a Python function, healed like a step of a skill, and written down as a run if anything was amiss."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from typing import Any

from engine.attempt import attempt
from engine.errors import EngineError, JournalError, PreflightError
from engine.heal.calls import HEALING, Calls, traced_own
from engine.heal.healer import Healer, Mends
from engine.heal.request import HealRequest
from engine.mending import Mending
from engine.model.event import Event, EventKind
from engine.model.heal import Healing
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Attempt, RunStatus, ToolCall
from engine.model.place import Place
from engine.model.skill import HealOption, ToolStep
from engine.run.telling import finished_data, result_of
from engine.wiring import Engine
from tool_registry.tool import Tool

STEP = "call"
"""The name of the one step of such a run."""

Action = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lone:
    """What is called: its declaration, its place in the source, and the arguments as history may show them."""

    tool: Tool
    args: Mapping[str, Any]
    narrowing: HealOption
    limit: float | None


@dataclass(slots=True, kw_only=True)
class Answered:
    """What the function's newest call gave or raised, as the object it is: an attempt holds only data."""

    begun: bool = False
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCalls(Calls):
    """Calls a Python function as the step's own call, and registered tools beside it."""

    action: Action
    answered: Answered
    limit: float | None

    async def own(self, request: HealRequest, *, number: int) -> Attempt:
        """One try at the function; what it gave or raised is kept as it is in `answered`."""

        async def act() -> None:
            around = HEALING.set(HEALING.get() | {request.domain or ""})
            self.answered.begun = True
            self.answered.value = self.answered.error = None
            try:
                self.answered.value = await self.action()
            except (Exception, SystemExit) as error:
                self.answered.error = error
                raise
            finally:
                HEALING.reset(around)

        request.emit(
            EventKind.ATTEMPT_STARTED, {"number": number, "tool": request.tool.name, "args": request.call.args}
        )
        with self.tracing.call(traced_own(request, number)) as span:
            tried = await attempt(
                request.call, act, clock=self.clock, number=number, timeout=self._limit(request), mask=self.mask
            )
            if tried.failure is not None:
                span.failed(tried.failure)
        return tried

    def _limit(self, request: HealRequest) -> float | None:
        left = [limit for limit in (self.limit, request.time_left) if limit is not None]
        return min(left) if left else None


@dataclass(slots=True, kw_only=True)
class Diary:
    """The events of one call, kept back until there is something to tell: a call that just works leaves no trace."""

    engine: Engine
    lone: Lone
    run_id: str
    begun: float
    waiting: list[Event] = field(default_factory=list)
    open: bool = False

    def emit(self, kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
        """Keeps an event of the call; from the first failure, look ahead or fix on it goes straight to the journal."""
        event = self._event(kind, data, step=STEP)
        if self.open:
            self.engine.journal.record(event)
            return
        self.waiting.append(event)
        # A prediction that foretells nothing, or a check that is fine, is nothing to tell by itself.
        quiet = kind is EventKind.ATTEMPT_STARTED or (kind is EventKind.HEAL_STAGE and not durable)
        if not quiet:
            self.begin()

    def begin(self) -> None:
        """Writes what was kept back: from here on there is something to tell."""
        if not self.open:
            self._open()

    def close(self, healing: Healing, *, status: RunStatus | None = None) -> None:
        """Writes how the call ended, if anything was told of it, and lets memory learn from it."""
        if not self.open:
            return
        step = _step(self.lone)
        took = max(0.0, self.engine.clock() - self.begun)
        result = replace(result_of(step, STEP, healing), duration=took)
        status = status or (RunStatus.OK if healing.ok else RunStatus.FAILED)
        ended = {
            "status": status,
            "message": healing.failure.message if healing.failure else "",
            "duration": took,
            "timed_out": False,
            "outputs": {},
            "notes": [],
            "healed": int(healing.healed),
        }
        told = {**finished_data(step, result, healing), "repeatable": healing.repeatable, "value": None}
        self.engine.journal.record(
            self._event(EventKind.STEP_FINISHED, told, step=STEP), self._event(EventKind.RUN_FINISHED, ended)
        )
        self.engine.journal.release(self.run_id)
        self.engine.learn(self.run_id)

    def broken_off(self) -> None:
        """Writes that the call was cancelled; where that cannot be written, history says that it was interrupted."""
        if self.open:
            took = max(0.0, self.engine.clock() - self.begun)
            told = {"status": RunStatus.CANCELLED, "message": "cancelled", "duration": took, "outputs": {}, "notes": []}
            with suppress(EngineError):
                self.engine.journal.record(self._event(EventKind.RUN_FINISHED, told))
            self.engine.journal.release(self.run_id)

    def _open(self) -> None:
        self.engine.journal.claim(self.run_id)
        started = {
            "skill": self.lone.tool.name,
            "version": "",
            "file": self.lone.tool.location,
            "digest": "",
            "text": "",
            "inputs": dict(self.lone.args),
            "profile": self.engine.profile,
            "pid": 0,
            "folder": self.engine.folder,
            "reused_from": "",
        }
        step = {"index": 0, "action": "tool", "section": "steps", "foreach": False}
        first = replace(self._event(EventKind.RUN_STARTED, started), at=self.begun)
        second = replace(self._event(EventKind.STEP_STARTED, step, step=STEP), at=self.begun)
        try:
            self.engine.journal.record(first, second, *self.waiting)
        except EngineError:
            self.engine.journal.release(self.run_id)
            raise
        self.open = True
        self.waiting.clear()

    def _event(self, kind: EventKind, data: Mapping[str, Any], *, step: str = "") -> Event:
        return Event(kind=kind, run_id=self.run_id, at=self.engine.clock(), step=step, data=data)


async def call(engine: Engine, lone: Lone, action: Action) -> Any:
    """What the function gives, after all that healing may do.

    Raises what its last call raised, with notes that say what healing did about it and what a person can do; and
    PreflightError when it was not called, because a check says that it cannot work. History that cannot be written ends
    healing, and hides neither: it is a note on the exception, or a warning.
    """
    answered = Answered()
    shared = engine.healer.calls
    calls = FunctionCalls(
        registry=shared.registry,
        contexts=shared.contexts,
        clock=shared.clock,
        mask=shared.mask,
        tracing=shared.tracing,
        action=action,
        answered=answered,
        limit=lone.limit,
    )
    diary = Diary(engine=engine, lone=lone, run_id=engine.new_run_id(), begun=engine.clock())
    healer = Healer(
        calls=calls,
        mending=lambda: _mends(engine, calls),
        preventing=engine.healer.preventing,
    )
    try:
        healing = await healer.call(_request(lone, diary))
    except JournalError as error:
        diary.broken_off()
        if not answered.begun:
            return await _unhealed(lone, action, error)
        if answered.error is None:
            raise
        raise _noted(answered.error, [f"Nothing is repaired, for {error}"]) from None
    except BaseException:
        diary.broken_off()
        raise
    lost = _closed(diary, healing)
    if healing.ok:
        if lost:
            warnings.warn(lost, RuntimeWarning, stacklevel=2)
        return healing.value if answered.error else answered.value
    raise _noted(_raised(healing, answered), (healing.reason, *healing.remediation, lost))


async def _unhealed(lone: Lone, action: Action, error: JournalError) -> Any:
    """What the function gives as it is: without history it is neither looked at beforehand nor healed."""
    warnings.warn(f"{lone.tool.name} is called without healing, for {error}", RuntimeWarning, stacklevel=2)
    return await action()


def _closed(diary: Diary, healing: Healing) -> str:
    """Writes how the call ended; what cannot be written is told."""
    try:
        diary.close(healing)
    except EngineError as error:
        return f"{diary.lone.tool.name} was called, and what became of it could not be written down: {error}"
    return ""


def _mends(engine: Engine, calls: Calls) -> Mends:
    """What heals failed calls in this workspace, with the function in the place of the step's own call."""
    mends = engine.healer.mending()
    if not isinstance(mends, Mending):
        return mends
    return replace(mends, pipeline=replace(mends.pipeline, calls=calls))


def _request(lone: Lone, diary: Diary) -> HealRequest:
    return HealRequest(
        call=ToolCall(tool=lone.tool.name, args=lone.args),
        tool=lone.tool,
        run_id=diary.run_id,
        step=STEP,
        emit=diary.emit,
        timeout=lone.tool.timeout,
        narrowing=lone.narrowing,
    )


def _raised(healing: Healing, answered: Answered) -> BaseException:
    said = healing.failure.message if healing.failure else "it failed"
    if answered.error is None and healing.attempts:
        return TimeoutError(said)
    return answered.error or PreflightError(said)


def _noted(error: BaseException, notes: Iterable[str]) -> BaseException:
    """The exception with notes it has not yet; whatever its class makes of assignments and of the notes it has."""
    before = getattr(error, "__notes__", None)
    kept = list(before) if isinstance(before, list | tuple) else []
    new = [note for note in dict.fromkeys(notes) if note and note not in kept]
    if new:
        object.__setattr__(error, "__notes__", [*kept, *new])
    return error


def _step(lone: Lone) -> ToolStep:
    file, _, line = lone.tool.location.rpartition(":")
    place = Place(file=file, line=int(line) if line.isdigit() else 1, column=1)
    return ToolStep(name=STEP, place=place, output=STEP, tool=lone.tool.name, args=lone.args)
