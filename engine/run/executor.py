"""`SkillExecutor`: runs a skill, heals its steps, keeps its history, and always cleans up."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import anyio

from engine.errors import JournalError
from engine.heal.healer import Healer
from engine.heal.request import Ask
from engine.library import SkillLibrary, bind_inputs
from engine.model.event import EventKind, Journal
from engine.model.heal import Notice
from engine.model.outcome import RunResult, RunStatus
from engine.model.secret import MASK, Secrets
from engine.model.skill import Skill
from engine.run.broadcast import Broadcast, Listener
from engine.run.flow import Ending, Flow, unrecorded
from engine.run.perform import Performer
from engine.run.scope import new_scope
from engine.sandbox import Sandbox


class Parts(Protocol):
    """What an executor needs; `engine.Engine` has all of it."""

    @property
    def library(self) -> SkillLibrary:
        """The skills."""

    @property
    def sandbox(self) -> Sandbox:
        """Where authors' text is evaluated."""

    @property
    def healer(self) -> Healer:
        """Makes healed calls."""

    @property
    def journal(self) -> Journal:
        """Where events are kept."""

    @property
    def secrets(self) -> Secrets:
        """What is masked."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since the epoch."""

    @property
    def new_run_id(self) -> Callable[[], str]:
        """Makes run ids."""

    @property
    def config(self) -> Mapping[str, Any]:
        """What skills see as `config`."""

    @property
    def env(self) -> Mapping[str, str]:
        """What skills see as `env`."""

    @property
    def profile(self) -> str:
        """The name of the profile in use."""

    def learn(self, run_id: str) -> tuple[Notice, ...]:
        """Brings the memory files up to date with history, after that run; returns what people should know."""


@dataclass(slots=True)
class SkillExecutor:
    """Runs skills.

    `listeners` get every event once it is kept; `ask` is asked (a sentence, answered True or False) before a fix that
    is not low risk, and without it such a fix is only suggested.
    """

    parts: Parts
    listeners: tuple[Listener, ...] = ()
    ask: Ask | None = None
    _scope: anyio.CancelScope | None = None

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
        bound = bind_inputs(loaded, inputs or {}, from_text=from_text)
        for declared in loaded.inputs:
            if declared.secret:
                parts.secrets.add(bound[declared.name])
        run_id, started = parts.new_run_id(), parts.clock()
        flow = self._flow(loaded, bound, run_id=run_id, started=started)
        flow.performer.broadcast.send(EventKind.RUN_STARTED, _started_data(loaded, bound, parts))
        return await self._through(flow, started=started, timeout=timeout)

    def cancel(self) -> None:
        """Ends the run that is under way: its step is cancelled, then it is undone and cleaned up."""
        if self._scope is not None:
            self._scope.cancel()

    async def _through(self, flow: Flow, *, started: float, timeout: float | None) -> RunResult:
        try:
            ending = await self._steps(flow, timeout)
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self._finish(flow, _broken_off(error), started=started)
            raise
        return await self._finish(flow, ending, started=started)

    async def _steps(self, flow: Flow, timeout: float | None) -> Ending:
        with anyio.CancelScope() as scope, anyio.move_on_after(timeout) as clock:
            self._scope = scope
            try:
                return await flow.steps()
            except JournalError as error:
                return unrecorded(error)
            finally:
                self._scope = None
        if clock.cancelled_caught:
            return Ending(status=RunStatus.FAILED, message=f"the run did not end within {timeout:g} s", timed_out=True)
        return Ending(status=RunStatus.CANCELLED, message="cancelled")

    async def _finish(self, flow: Flow, ending: Ending, *, started: float) -> RunResult:
        ending = await flow.clean_up(ending)
        outputs, ending = flow.outputs(ending)
        result = self._result(flow, ending, outputs, started=started)
        flow.performer.broadcast.report(EventKind.RUN_FINISHED, _finished_data(result))
        if result.status is RunStatus.OK and (broken := flow.performer.broadcast.failure):
            result = self._result(flow, unrecorded(broken), outputs, started=started)
        return self._learnt(flow, result)

    def _result(self, flow: Flow, ending: Ending, outputs: Mapping[str, Any], *, started: float) -> RunResult:
        return RunResult(
            run_id=flow.performer.run_id,
            skill=flow.skill.name,
            status=ending.status,
            steps=tuple(flow.results),
            outputs=outputs,
            message=ending.message,
            notes=tuple(flow.notes),
            duration=max(0.0, self.parts.clock() - started),
            timed_out=ending.timed_out,
        )

    def _learnt(self, flow: Flow, result: RunResult) -> RunResult:
        """Lets memory learn from a run in which something failed; what people should know of it becomes a notice."""
        if all(step.failure is None and step.first_failure is None for step in result.steps):
            return result
        for notice in self.parts.learn(result.run_id):
            flow.performer.broadcast.report(EventKind.NOTICE, {"text": notice.text, "level": notice.level})
        return result

    def _flow(self, skill: Skill, inputs: Mapping[str, Any], *, run_id: str, started: float) -> Flow:
        parts = self.parts
        scope = new_scope(
            skill=skill,
            inputs=inputs,
            config=parts.config,
            env=parts.env,
            run={
                "id": run_id,
                "name": skill.name,
                "started_at": started,
                "status": RunStatus.RUNNING.value,
                "message": "",
            },
        )
        broadcast = Broadcast(run_id, parts.journal, clock=parts.clock, secrets=parts.secrets, listeners=self.listeners)
        performer = Performer(
            run_id=run_id,
            sandbox=parts.sandbox,
            healer=parts.healer,
            secrets=parts.secrets,
            broadcast=broadcast,
            clock=parts.clock,
            ask=self.ask,
        )
        return Flow(skill=skill, scope=scope, performer=performer)


def _broken_off(error: BaseException) -> Ending:
    """The end of a run that was cancelled from outside, or in which the engine itself broke."""
    if isinstance(error, Exception):
        said = f"skill-engine itself broke: {type(error).__name__}: {error}"
        return Ending(status=RunStatus.FAILED, message=said)
    return Ending(status=RunStatus.CANCELLED, message="cancelled")


def _started_data(skill: Skill, inputs: Mapping[str, Any], parts: Parts) -> dict[str, Any]:
    import hashlib  # noqa: PLC0415 - late: only a run needs it

    hidden = {declared.name for declared in skill.inputs if declared.secret}
    return {
        "skill": skill.name,
        "version": skill.version,
        "file": skill.file,
        "digest": hashlib.sha256(skill.text.encode()).hexdigest(),
        "text": skill.text,
        "inputs": {name: MASK if name in hidden and value is not None else value for name, value in inputs.items()},
        "profile": parts.profile,
        "pid": os.getpid(),
    }


def _finished_data(result: RunResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "message": result.message,
        "duration": result.duration,
        "outputs": dict(result.outputs),
        "notes": list(result.notes),
        "healed": result.healed,
    }
