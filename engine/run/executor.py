"""`SkillExecutor`: runs skills, goes on with runs, cancels them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import field, replace
from typing import Any

import anyio

from engine.library import bind_inputs
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, RunStatus
from engine.model.past import PastEnding, PastRun
from engine.model.progress import ProgressListener
from engine.model.question import Ask
from engine.model.skill import Skill
from engine.run.asking import refuse_unasked
from engine.run.broadcast import Listener
from engine.run.course import Course, Start
from engine.run.parts import Parts
from engine.run.stream import RunStream


@dataclass(slots=True)
class SkillExecutor:
    """Runs skills; one executor may run any number of them side by side, in one event loop.

    `listeners` get every event once it is kept, `progress` a line now and then; both are called in the event loop, must
    not block, and hear no more of a run once they have raised (the log tells). `ask` is asked every question of a run:
    an author's `ask`, and whether a fix may run that is not low risk. `answers` are known beforehand, by the step's
    path or name. A question nobody answers parks the run (status `waiting`), unless `parks` is False: then its step
    fails.
    """

    parts: Parts
    listeners: tuple[Listener, ...] = ()
    ask: Ask | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    parks: bool = True
    progress: ProgressListener | None = None
    _scopes: list[anyio.CancelScope] = field(default_factory=list)
    _streams: list[RunStream] = field(default_factory=list)

    async def run(
        self,
        skill: str | Skill,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_text: Collection[str] = (),
        timeout: float | None = None,
    ) -> RunResult:
        """Runs a skill by name, path or value, for at most `timeout` seconds, and returns how it ended.

        Names in `from_text` were given as text and are coerced. Raises SkillNotFoundError, SkillInvalidError,
        InputError, and JournalError when history cannot be written, before anything has happened; a history that breaks
        later ends the run as failed. When the caller is cancelled, the run is cleaned up first and cancellation goes
        on.
        """
        parts = self.parts
        loaded = parts.library.load(skill) if isinstance(skill, str) else skill
        refuse_unasked(loaded, self.answers)
        bound = bind_inputs(loaded, inputs or {}, from_text=from_text)
        started = parts.clock()
        return await self._course(loaded).begin(
            Start(run_id=parts.new_run_id(), skill=loaded, inputs=bound, started=started, timeout=timeout)
        )

    def stream(
        self,
        skill: str | Skill,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_text: Collection[str] = (),
        timeout: float | None = None,
    ) -> RunStream:
        """As `run`, as an async context manager that gives the events as they happen: see `RunStream`.

        Entering its block raises what `run` raises beforehand; leaving it early cancels the run.
        """
        return self._streamed(lambda own: own.run(skill, inputs, from_text=from_text, timeout=timeout))

    def stream_answer(
        self,
        run_id: str,
        answers: Mapping[str, Any],
        *,
        inputs: Mapping[str, Any] | None = None,
        from_text: Collection[str] = (),
        timeout: float | None = None,
    ) -> RunStream:
        """As `answer`, as a stream of the events from there on; without answers, as `resume`."""
        return self._streamed(
            lambda own: own.answer(run_id, answers, inputs=inputs, from_text=from_text, timeout=timeout)
        )

    def _streamed(self, act: Callable[[SkillExecutor], Awaitable[RunResult]]) -> RunStream:
        """A stream of what an executor like this one does, which can be cancelled by itself."""

        def begin(hear: Listener, scopes: list[anyio.CancelScope]) -> Awaitable[RunResult]:
            return act(replace(self, listeners=(*self.listeners, hear), _scopes=scopes))

        return RunStream(begin, self._streams)

    async def resume(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_text: Collection[str] = (),
        timeout: float | None = None,
        with_new_version: bool = False,
    ) -> RunResult:
        """Goes on with a run whose process died, or which waits for answers, after its last finished step.

        `inputs` gives the secret ones again, which are not kept. The skill is the one the run began with, unless
        `with_new_version`; it has as many seconds again as it had, unless `timeout` says otherwise. Raises
        RunNotFoundError, RunBusyError, RunStateError (it has ended, or the new version does not fit what was done),
        InputError and JournalError.
        """
        return await self.answer(
            run_id, {}, inputs=inputs, from_text=from_text, timeout=timeout, with_new_version=with_new_version
        )

    async def answer(
        self,
        run_id: str,
        answers: Mapping[str, Any],
        *,
        inputs: Mapping[str, Any] | None = None,
        from_text: Collection[str] = (),
        timeout: float | None = None,
        with_new_version: bool = False,
    ) -> RunResult:
        """Keeps the answers to a run's open questions, by their names, and goes on with it; raises as `resume` does.

        An answer given as text is read as a value of the question's type. Raises InputError for one that does not fit.
        """
        from engine.run import prepare  # noqa: PLC0415 - late: few runs are resumed

        with prepare.claimed(self.parts.journal, run_id) as kept:
            prepare.refuse_ended(kept)
            prepare.refuse_elsewhere(kept, self.parts.folder)
            given = prepare.named_answers(kept, answers)
            skill, notes = prepare.skill_to_resume(self.parts.library, kept, with_new_version=with_new_version)
            bound = prepare.inputs_to_resume(skill, kept, inputs or {}, from_text=from_text)
            past = replace(kept, answers={**kept.answers, **given})
            start = Start(
                run_id=past.run_id,
                skill=skill,
                inputs=bound,
                started=past.started_at,
                timeout=past.timeout if timeout is None else timeout,
                past=past,
                notes=notes,
            )
            return await self._course(skill, kept).go_on(start, given)

    async def end(
        self, run_id: str, inputs: Mapping[str, Any] | None = None, *, from_text: Collection[str] = ()
    ) -> RunResult:
        """Cancels a run that no process has: undoes what it did, and runs its `always`; raises as `resume` does."""
        from engine.run import prepare  # noqa: PLC0415 - late: few runs are cancelled from outside

        with prepare.claimed(self.parts.journal, run_id) as kept:
            prepare.refuse_ended(kept)
            prepare.refuse_elsewhere(kept, self.parts.folder)
            skill, notes = prepare.skill_to_resume(self.parts.library, kept)
            bound = prepare.inputs_to_resume(skill, kept, inputs or {}, from_text=from_text)
            ending = None if "" in kept.endings else PastEnding(status=RunStatus.CANCELLED, message="cancelled")
            start = Start(
                run_id=kept.run_id,
                skill=skill,
                inputs=bound,
                started=kept.started_at,
                past=replace(kept, endings={**kept.endings, "": ending}) if ending else kept,
                ending=ending,
                notes=notes,
            )
            return await self._course(skill, kept).go_on(start, {})

    async def retry(
        self,
        run_id: str,
        *,
        from_step: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        from_text: Collection[str] = (),
        timeout: float | None = None,
    ) -> RunResult:
        """Starts a new run of the same skill that reuses what the old one's steps gave.

        Reused are the steps before `from_step`; without it, those before the first that failed, was undone, or never
        ran. `inputs` replaces or adds to the old run's. Raises RunNotFoundError, RunStateError, InputError and
        SkillInvalidError.
        """
        from engine.run import prepare  # noqa: PLC0415 - late: few runs are begun from others

        parts = self.parts
        old = prepare.settled(parts.journal, run_id)
        prepare.refuse_unended(old)
        prepare.refuse_elsewhere(old, parts.folder)
        skill = prepare.skill_to_retry(parts.library, old)
        bound = prepare.inputs_to_resume(skill, old, inputs or {}, from_text=from_text, changes=True)
        past = prepare.reusable(skill, old, from_step=from_step)
        start = Start(
            run_id=parts.new_run_id(),
            skill=skill,
            inputs=bound,
            started=parts.clock(),
            timeout=timeout,
            past=past,
            reuses=True,
        )
        return await self._course(skill, past).begin(start)

    def cancel(self) -> None:
        """Ends the runs that are under way: their steps are cancelled, then undone and cleaned up."""
        for scope in tuple(self._scopes):
            scope.cancel()
        for stream in tuple(self._streams):
            stream.cancel()

    def _course(self, skill: Skill, past: PastRun | None = None) -> Course:
        return Course(
            parts=self.parts,
            listeners=(*self.listeners, *self._counting(skill, past)),
            ask=self.ask,
            answers=self.answers,
            parks=self.parks,
            scopes=self._scopes,
        )

    def _counting(self, skill: Skill, past: PastRun | None) -> tuple[Listener, ...]:
        if self.progress is None:
            return ()
        from engine.run.progressing import Counting  # noqa: PLC0415 - late: few runs are counted

        return (Counting(self.progress, skill, past),)
