"""One run from its start to its end: claimed, walked, cleaned up, told, and learnt from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import field, replace
from typing import Any

import anyio

from engine.errors import JournalError, OwnershipLostError
from engine.model.event import EventKind, Journal
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, RunStatus
from engine.model.past import PastEnding, PastRun
from engine.model.question import Ask
from engine.model.secret import MASK
from engine.model.skill import Skill
from engine.model.tracing import Span, TracedRun
from engine.run.ahead import look_ahead
from engine.run.asking import asker, question_data
from engine.run.broadcast import Broadcast, Listener
from engine.run.cleaning import clean_up, ending_data, outputs
from engine.run.ending import RESTING, Ending, breaking, broken_off, counting, teaches, unrecorded
from engine.run.frame import Frame, Gate
from engine.run.parts import Parts
from engine.run.perform import Performer
from engine.run.replay import reused_events
from engine.run.running import Running
from engine.run.scope import new_scope
from engine.run.subskill import digest_of, skill_data
from engine.run.telling import check_in_words, in_words, manner_data, run_data
from engine.run.traced import tell_run, trace_data
from engine.run.walk import Walk

LOOK_FOR_CANCEL = 0.5
"""Seconds between looks whether somebody else has asked for the run to be cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run about to go on: `reuses` when its past is another run's; an `ending` is how it ends now."""

    run_id: str
    skill: Skill
    inputs: Mapping[str, Any]
    started: float
    timeout: float | None = None
    past: PastRun | None = None
    reuses: bool = False
    ending: PastEnding | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Takes runs from their start to their end; `scopes` holds what cancels those under way."""

    parts: Parts
    listeners: tuple[Listener, ...]
    ask: Ask | None
    answers: Mapping[str, Any]
    parks: bool
    scopes: list[anyio.CancelScope] = field(default_factory=list)

    async def begin(self, start: Start) -> RunResult:
        """A new run."""
        await self.parts.healer.calls.registry.prepare(start.skill.text)
        parts = self.parts
        with parts.under_way.one(self.scopes), _claimed(parts.journal, start.run_id), self._span(start) as span:
            walk, frame = self._walk(start)
            reused = list(reused_events(start.past)) if start.past else []
            begun = {**self._started_data(start), **trace_data(span)}
            walk.running.broadcast.send(EventKind.RUN_STARTED, begun, durable=not reused)
            for at, (kind, step, data) in enumerate(reused, start=1):
                walk.running.broadcast.send(kind, data, step=step, durable=at == len(reused))
            return tell_run(span, await self._through(walk, frame, start))

    async def go_on(self, start: Start, answers: Mapping[str, Any]) -> RunResult:
        """A run that another process began, and this one has claimed."""
        await self.parts.healer.calls.registry.prepare(start.skill.text)
        with self.parts.under_way.one(self.scopes), self._span(start) as span:
            walk, frame = self._walk(start)
            *events, last = self._resumed(start, answers, span)
            for kind, step, data in events:
                walk.running.broadcast.send(kind, data, step=step, durable=False)
            kind, step, data = last
            walk.running.broadcast.send(kind, data, step=step)
            return tell_run(span, await self._through(walk, frame, start))

    def _span(self, start: Start) -> AbstractContextManager[Span]:
        skill, earlier = start.skill, start.past.traceparent if start.past else ""
        profile, tracing = self.parts.profile, self.parts.healer.calls.tracing
        return tracing.run(
            TracedRun(run_id=start.run_id, skill=skill.name, version=skill.version, profile=profile, earlier=earlier)
        )

    def _resumed(
        self, start: Start, answers: Mapping[str, Any], span: Span
    ) -> Iterator[tuple[EventKind, str, dict[str, Any]]]:
        """What is told before a run goes on, in one transaction: an answer is not lost, and a cancel stays one."""
        done = sum(step.status is not None for step in start.past.steps.values()) if start.past else 0
        digest = digest_of(start.skill.text)
        newer = {"text": start.skill.text} if start.past and digest != start.past.digest else {}
        told = {"pid": os.getpid(), "digest": digest, "from": done, **newer, **trace_data(span)}
        yield EventKind.RUN_RESUMED, "", told | manner_data(start.timeout, self.parts.heal_mode)
        for name, answer in answers.items():
            told = {"name": name, "answer": self._shown(start, name, answer), "by": "person"}
            yield EventKind.QUESTION_ANSWERED, _step_of(start, name), told
        for note in start.notes:
            yield EventKind.NOTICE, "", {"text": note, "level": "note"}
        if start.ending is not None:
            yield EventKind.RUN_ENDING, "", ending_data(start.ending)

    def _shown(self, start: Start, name: str, answer: Any) -> Any:
        """An answer as it may be kept."""
        if start.past is None or not start.past.asked.get(name, {}).get("secret"):
            return answer
        self.parts.secrets.add(answer)
        return MASK

    async def _through(self, walk: Walk, frame: Frame, start: Start) -> RunResult:
        try:
            ending = await self._steps(walk, frame, start.timeout)
        except OwnershipLostError:
            raise
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self._finish(walk, frame, broken_off(error), start)
            raise
        if ending is not RESTING:
            return await self._finish(walk, frame, ending, start)
        try:
            return self._rest(walk, start)
        except OwnershipLostError:
            raise
        except JournalError as error:
            return await self._finish(walk, frame, unrecorded(error), start)

    async def _steps(self, walk: Walk, frame: Frame, timeout: float | None) -> Ending:
        with anyio.CancelScope() as scope, anyio.move_on_after(timeout) as clock:
            self.scopes.append(scope)
            walk.running.breaking = lambda: breaking(scope, clock, timeout)
            try:
                return await self._watched(walk, frame, scope)
            except OwnershipLostError:
                raise
            except JournalError as error:
                return unrecorded(error)
            finally:
                self.scopes.remove(scope)
        walk.running.broadcast.refuse_lost()
        return breaking(scope, clock, timeout) or broken_off(anyio.get_cancelled_exc_class()())

    async def _watched(self, walk: Walk, frame: Frame, scope: anyio.CancelScope) -> Ending:
        """The steps, cancelled when somebody else asks for it; what they raise comes out as it is."""
        broken: Exception | None = None
        ending = Ending(status=RunStatus.OK)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._look_for_cancel, walk.running, scope)
            try:
                ending = await _walked(walk, frame)
            except Exception as error:  # noqa: BLE001 - a task group would wrap it; it is raised just below
                broken = error
            tasks.cancel_scope.cancel()
        if broken is not None:
            raise broken
        return ending

    async def _look_for_cancel(self, running: Running, scope: anyio.CancelScope) -> None:
        asked = False
        while not asked:
            await anyio.sleep(LOOK_FOR_CANCEL)
            try:
                asked = self.parts.journal.cancel_requested(running.run_id)
            except OwnershipLostError as error:
                running.broadcast.lose(error)
                asked = True
            except JournalError:
                continue  # the next event says what is wrong with history, or it was busy for a moment
        scope.cancel()

    async def _finish(self, walk: Walk, frame: Frame, ending: Ending, start: Start) -> RunResult:
        given: Mapping[str, Any] = {}
        if not ending.untouched:
            ending = await clean_up(walk, frame, ending)
            given, ending = outputs(walk, frame, ending)
        result = self._result(walk, ending, given, start)
        walk.running.broadcast.end(run_data(result))
        if result.status is RunStatus.OK and (broken := walk.running.broadcast.failure):
            result = self._result(walk, unrecorded(broken), given, start)
        return self._learnt(walk, result)

    def _rest(self, walk: Walk, start: Start) -> RunResult:
        """Parks the run: nothing is undone, and whoever answers goes on with it."""
        mask = self.parts.secrets.mask
        questions = tuple(
            replace(asked, text=mask(asked.text), default=mask(asked.default), choices=tuple(map(mask, asked.choices)))
            for asked in walk.running.questions.values()
        )
        told = {"questions": [question_data(question) for question in questions]}
        walk.running.broadcast.send(EventKind.RUN_WAITING, told)
        return replace(self._result(walk, RESTING, {}, start), questions=questions)

    def _result(self, walk: Walk, ending: Ending, given: Mapping[str, Any], start: Start) -> RunResult:
        """The result: its values as they are, its sentences without secrets."""
        mask = self.parts.secrets.mask
        return RunResult(
            run_id=start.run_id,
            skill=start.skill.name,
            status=ending.status,
            steps=tuple(in_words(step, mask) for step in walk.running.results),
            outputs=given,
            message=mask(ending.message),
            notes=tuple(map(mask, walk.running.notes)),
            duration=max(0.0, self.parts.clock() - start.started),
            timed_out=ending.timed_out,
            preflight=tuple(check_in_words(check, mask) for check in walk.running.preflight),
        )

    def _learnt(self, walk: Walk, result: RunResult) -> RunResult:
        """Lets memory learn from a run that teaches something; what people should know of it becomes a notice."""
        if not teaches(result):
            return result
        for notice in self.parts.learn(result.run_id):
            walk.running.broadcast.report(EventKind.NOTICE, {"text": notice.text, "level": notice.level})
        return result

    def _walk(self, start: Start) -> tuple[Walk, Frame]:
        parts = self.parts
        for declared in start.skill.inputs:
            if declared.secret:
                parts.secrets.add(start.inputs[declared.name])
        running = Running(
            run_id=start.run_id,
            library=parts.library,
            sandbox=parts.sandbox,
            healer=parts.healer,
            secrets=parts.secrets,
            broadcast=Broadcast(
                start.run_id,
                parts.journal,
                clock=parts.clock,
                secrets=parts.secrets,
                listeners=(*self.listeners, *parts.healer.calls.tracing.listeners),
            ),
            clock=parts.clock,
            config=parts.config,
            env=parts.env,
            domains=lambda: parts.domains,
            parks=self.parks,
            answers={**self.answers, **(start.past.answers if start.past else {})},
            given=self.answers,
            past=start.past,
            reuses=start.reuses,
        )
        running.ask = asker(self.ask, running) if self.ask else None
        run: dict[str, Any] = {"id": start.run_id, "name": start.skill.name, "started_at": start.started}
        run |= {"status": RunStatus.RUNNING.value, "message": ""}
        scope = new_scope(skill=start.skill, inputs=start.inputs, config=parts.config, env=parts.env, run=run)
        walk = Walk(running=running, performer=Performer(running=running))
        return walk, Frame(skill=start.skill, scope=scope, gate=Gate())

    def _started_data(self, start: Start) -> dict[str, Any]:
        hidden = {declared.name for declared in start.skill.inputs if declared.secret}
        shown = {name: MASK if name in hidden and value is not None else value for name, value in start.inputs.items()}
        told = {**skill_data(start.skill), "inputs": shown, "profile": self.parts.profile, "pid": os.getpid()}
        told |= {"folder": self.parts.folder, "reused_from": start.past.run_id if start.past else ""}
        return told | manner_data(start.timeout, self.parts.heal_mode)


@contextmanager
def _claimed(journal: Journal, run_id: str) -> Iterator[None]:
    """A new run is this process' own meanwhile."""
    journal.claim(run_id)
    try:
        yield
    finally:
        journal.release(run_id)


async def _walked(walk: Walk, frame: Frame) -> Ending:
    """How the run's own steps ended; where an earlier process had begun to clean up, only what it did is read again."""
    past = walk.running.past.endings.get("") if walk.running.past else None
    going = replace(frame, gate=Gate(shut=True)) if past else frame
    if ahead := await look_ahead(walk, frame):
        return ahead
    ending = await walk.sequence(frame.skill.steps, going) or Ending(status=RunStatus.OK)
    return counting(ending, past)


def _step_of(start: Start, name: str) -> str:
    asked = start.past.asked.get(name, {}) if start.past else {}
    return str(asked.get("step") or name)
