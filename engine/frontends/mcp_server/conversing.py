"""One call that has to do with one run: it follows the run, asks what the run asks, and cancels it if it is cancelled.

The run goes on in a process of its own, whatever becomes of the call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import field, replace
from typing import Any

import anyio
import anyio.to_thread
from mcp_types import CallToolResult, InputRequiredResult

from engine.errors import EngineError, InputError, RunBusyError, RunStateError
from engine.frontends.background.request import Request
from engine.frontends.background.starting import begin
from engine.frontends.background.watching import followed
from engine.frontends.mcp_server.progress import Progress
from engine.frontends.mcp_server.questions import (
    TIMES,
    Context,
    Parked,
    answer_of,
    elicited,
    is_modern,
    may_ask,
    required,
    responses,
)
from engine.frontends.mcp_server.results import Seen, answerable, reply, seen
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.withdrawing import is_withdrawn, waits_no_longer
from engine.model.event import EventKind
from engine.model.heal import HealMode
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus
from engine.model.question import Question
from engine.telemetry.carrying import current_headers, in_environment

TRIES = 50
PAUSE = 0.1
"""How often, and after how many seconds, a run is tried again that another process is just about to let go of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A call about the run `run_id`, which waits for it at most `wait` seconds at a time.

    `inputs` are what is given again of the run's inputs, the secret ones.
    """

    ctx: Context
    serving: Serving
    run_id: str
    wait: float
    progress: Progress
    inputs: Mapping[str, Any] = field(default_factory=dict)

    async def through(
        self, declined: Collection[str] = (), complaints: Mapping[str, str] | None = None, times: int = 1
    ) -> CallToolResult | InputRequiredResult:
        """How the run is when it has ended, or the wait is over, or it asks what this call cannot have answered.

        `declined` is not asked any more; `complaints` say what was wrong with an answer, which is asked for once more.
        """
        async with self.cancelling():
            while True:
                run = await self.followed()
                asks = self._asks(run, declined)
                if not asks:
                    return reply(self.serving, run)
                if is_modern(self.ctx):
                    names = tuple(each.name for each in asks)
                    state = Parked(run_id=self.run_id, asked=names, declined=tuple(declined), times=times)
                    return required(asks, state, complaints or {})
                answers, declined = await self._elicited(asks, declined)
                if not answers:
                    return reply(self.serving, await self.seen())
                await self.answer(answers)

    async def back(self, parked: Parked) -> CallToolResult | InputRequiredResult:
        """The same call once more, with what its client's user answered; each answer is given once."""
        async with self.cancelling():
            run = await self.seen()
            asked = [each for each in self._asks(run, parked.declined) if each.name in parked.asked]
            answers, refused, complaints = _read(self.ctx, asked)
            if answers:
                await self.answer(answers)
        declined = (*parked.declined, *refused)
        if not complaints:
            return await self.through(declined)
        if parked.times >= TIMES:
            return await self.through((*declined, *complaints))
        return await self.through(declined, complaints, parked.times + 1)

    async def followed(self) -> Seen:
        """The run when nobody works on it any more, or when the wait is over; meanwhile its progress is told."""
        engine, beat = self.serving.engine, self.serving.beat
        looks = followed(engine.journal, engine.workspace.history, self.run_id, after=self.progress.after, beat=beat)
        with anyio.move_on_after(self.wait):
            async with aclosing(looks) as batches:
                async for batch in batches:
                    await self.progress.tell(batch)
        return await self.seen()

    async def seen(self) -> Seen:
        """The run as it is now."""
        return await anyio.to_thread.run_sync(seen, self.serving.engine.journal, self.run_id)

    async def answer(self, answers: Mapping[str, Any]) -> None:
        """Gives the answers that nobody has given yet, and goes on with the run; without answers, with a dead one.

        Raises InputError for one that does not fit, and RunStateError (its secret inputs are needed, it has ended).
        """
        request = Request(act="answer", run_id=self.run_id, inputs=self.inputs, trace=trace())
        given = answers
        for left in reversed(range(TRIES)):
            try:
                await begin(self.serving.engine.workspace, replace(request, answers=given, heal=self._heal))
            except (RunBusyError, RunStateError, InputError) as error:
                # Whoever has the run may be about to ask the same again, or something else.
                run = await (self.followed() if isinstance(error, RunBusyError) else self.seen())
                wanted = await self._wanted(given)
                moot = not wanted if given else not run.record.interrupted
                if moot:
                    return
                if not left or (wanted == given and not isinstance(error, RunBusyError)):
                    raise
                given = wanted
                await anyio.sleep(PAUSE)
            else:
                return

    async def _wanted(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the answers whose questions nobody has answered until now."""
        events = await anyio.to_thread.run_sync(self.serving.engine.journal.events, self.run_id)
        last = {
            str(event.data.get("name")): event.kind
            for _, event in events
            if event.kind in {EventKind.QUESTION_ASKED, EventKind.QUESTION_ANSWERED}
        }
        return {name: answer for name, answer in answers.items() if last.get(name) is EventKind.QUESTION_ASKED}

    async def cancel(self) -> None:
        """Has the run cancelled: by the process that has it, or, if none has, by a new one."""
        for left in reversed(range(TRIES)):
            run = await self.seen()
            if run.status not in {RunStatus.RUNNING, RunStatus.WAITING}:
                return
            try:
                if run.status is RunStatus.RUNNING:
                    await anyio.to_thread.run_sync(self.serving.engine.journal.request_cancel, self.run_id)
                else:
                    await begin(self.serving.engine.workspace, self._end())
            except (RunBusyError, RunStateError):
                if not left:
                    raise
                await anyio.sleep(PAUSE)
            else:
                return

    @asynccontextmanager
    async def cancelling(self) -> AsyncIterator[None]:
        """Within it, the client's cancellation of the call cancels the run.

        A connection that goes away does not, nor does a client that only waits no longer: the run is longer than its
        call, and is found by its id.
        """
        try:
            yield
        except anyio.get_cancelled_exc_class():
            if is_withdrawn(self.ctx):
                with anyio.CancelScope(shield=True):
                    await self._withdrawn()
            raise

    async def _withdrawn(self) -> None:
        if await waits_no_longer(self.serving, self.ctx):
            self.serving.note(f"run {self.run_id}: its client waits no longer; it goes on")
            return
        try:
            await self.cancel()
            self.serving.say(f"run {self.run_id}: cancelled by its client")
        except EngineError as error:
            self.serving.say(f"run {self.run_id}: could not be cancelled: {error}")

    @property
    def _heal(self) -> HealMode | None:
        return self.serving.engine.heal_mode

    def _end(self) -> Request:
        return Request(act="end", run_id=self.run_id, inputs=self.inputs, trace=trace())

    def _asks(self, run: Seen, declined: Collection[str]) -> list[Question]:
        """What this call can have answered by its client's user."""
        if not may_ask(self.ctx) or run.status is not RunStatus.WAITING:
            return []
        mask = self.serving.engine.secrets.mask
        return [
            replace(each, text=mask(each.text))
            for each in run.record.questions
            if answerable(self.serving, each) and each.name not in declined
        ]

    async def _elicited(
        self, asks: list[Question], declined: Collection[str]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What the client's user answered, one question after the other, and what they would not."""
        answers: dict[str, Any] = {}
        for question in asks:
            async with self.progress.beating():
                answered, answer = await elicited(self.ctx, question)
            if answered:
                answers[question.name] = answer
            else:
                declined = (*declined, question.name)
        return answers, tuple(declined)


def _read(ctx: Context, asked: list[Question]) -> tuple[dict[str, Any], tuple[str, ...], dict[str, str]]:
    """The answers brought back that fit; the questions that were declined; what is wrong with the other answers."""
    brought = responses(ctx)
    answers: dict[str, Any] = {}
    declined: list[str] = []
    complaints: dict[str, str] = {}
    for question in asked:
        result = brought.get(question.name)
        if result is None:
            complaints[question.name] = ""
        elif result.action != "accept":
            declined.append(question.name)
        else:
            try:
                answers[question.name] = answer_of(question, result)
            except InputError as error:
                complaints[question.name] = error.message
    return answers, tuple(declined), complaints


def trace() -> dict[str, str]:
    """The context of the trace this call is in, as a worker's environment takes it; empty where nothing is traced."""
    return {in_environment(name): value for name, value in current_headers().items()}
