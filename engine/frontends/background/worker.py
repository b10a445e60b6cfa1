"""The program that has one run: `python -P -m engine.frontends.background.worker`.

It reads a request on standard input, answers one line on standard output as soon as the run is in the journal, and lets
go of whoever began it: from then on its output goes to `background/RUN.log` in the state folder.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskStatus

from engine.errors import EngineError, UnansweredError
from engine.frontends.background.manner import manner_of
from engine.frontends.background.request import Request, began, refused, unpacked
from engine.history import History
from engine.model.event import Event
from engine.model.question import Question
from engine.model.secret import Secrets
from engine.run.executor import SkillExecutor
from engine.wiring import Engine
from engine.workspace import Workspace, find_workspace, make_private, under

Raised = TypeVar("Raised", bound=Exception)

LOGS = "background"
"""The folder of the workers' logs, in the state folder."""
ABORT_AT = 3
"""The signal that ends the process at once, cleaned up or not; the first cancels the run."""


def main() -> None:
    """Reads the request, lets go of whoever began this process, and does what is asked."""
    text = sys.stdin.buffer.read()
    if os.fork():
        os._exit(0)  # whoever began the run waits for this process; the run's is its child, which nobody waits for
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # no terminal of ours can close
    request, folder, home = unpacked(text)
    os.environ.update(request.trace)
    answer = Answer(Path(home))
    try:
        engine = _engine(request, find_workspace(folder, home=home))
    except EngineError as error:
        answer.refuse(error)
        return
    _conduct(engine, request, answer)


def _engine(request: Request, workspace: Workspace) -> Engine:
    """The engine for what is asked; a run is gone on with in the manner it was begun, where nothing else is said."""
    profile, heal = ("", None) if request.act == "run" else manner_of(_past(workspace, request.run_id))
    return Engine(under(workspace, request.profile or profile), heal_mode=request.heal or heal)


def _past(workspace: Workspace, run_id: str) -> list[Event]:
    if not workspace.history.exists():
        return []  # whoever is to go on with the run says that there is none
    with History.open(workspace.history, secrets=Secrets()) as history:
        return [event for _, event in history.events(run_id)]


class Answer:
    """The one line to whoever began the run; until then, what is written to standard error reaches them too."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "state" / LOGS
        self._log: Path | None = None
        self.told = False

    def __call__(self, event: Event) -> None:
        """Tells the run's id, at the first event of the run: only what is kept comes here."""
        if not self.told:
            self._say(began(event.run_id), self._folder / f"{event.run_id}.log")

    def refuse(self, error: EngineError) -> None:
        """Tells why no run began."""
        if not self.told:
            self._say(refused(error), None)

    def close(self) -> None:
        """Leaves no empty log."""
        with suppress(OSError):
            if self._log and not self._log.stat().st_size:
                self._log.unlink()

    def _say(self, line: bytes, log: Path | None) -> None:
        """Whoever waited for the line may be gone: the run is in the journal, and that finds it."""
        self.told = True
        listener = os.dup(sys.stdout.fileno())
        self._turn_to(log)
        with suppress(OSError):
            os.write(listener, line)
        os.close(listener)

    def _turn_to(self, log: Path | None) -> None:
        """From now on nothing reaches whoever began the run: what they hold open would keep them waiting."""
        try:
            if log is not None:
                make_private(log.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
            opened = os.open(log, flags, 0o600) if log is not None else os.open(os.devnull, os.O_WRONLY)
            self._log = log
        except OSError:
            opened = os.open(os.devnull, os.O_WRONLY)
        for standard in (sys.stdout, sys.stderr):
            os.dup2(opened, standard.fileno())
        os.close(opened)


def _conduct(engine: Engine, request: Request, answer: Answer) -> None:
    try:
        anyio.run(_run, engine, request, answer)
    except* EngineError as errors:
        for error in _leaves(errors):
            answer.refuse(error)
            sys.stderr.write(engine.secrets.mask(f"{type(error).__name__}: {error}\n"))
    except* Exception as errors:  # noqa: BLE001 - the outermost loop of a frontend: somebody must read what went wrong
        for broken in _leaves(errors):
            sys.stderr.write(engine.secrets.mask("".join(traceback.format_exception(broken))))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        answer.close()


async def _run(engine: Engine, request: Request, answer: Answer) -> None:
    async with engine:
        executor = SkillExecutor(
            engine,
            listeners=(answer,),
            ask=_agreeing if request.agrees else None,
            answers=request.answers if request.act == "run" else {},
        )
        async with anyio.create_task_group() as tasks:
            await tasks.start(_cancel_on_signals, executor)
            await _act(engine, executor, request)
            tasks.cancel_scope.cancel()


async def _act(engine: Engine, executor: SkillExecutor, request: Request) -> None:
    """What is asked for; how it ends stands in the journal."""
    match request.act:
        case "run":
            skill = engine.library.load(request.skill)
            engine.secrets.add([request.inputs.get(each.name) for each in skill.inputs if each.secret])
            await executor.run(skill, request.inputs, from_text=request.from_text, timeout=request.timeout)
        case "answer":
            await executor.answer(
                request.run_id,
                request.answers,
                inputs=request.inputs,
                from_text=request.from_text,
                timeout=request.timeout,
            )
        case "end":
            await executor.end(request.run_id, request.inputs, from_text=request.from_text)


async def _agreeing(question: Question) -> Any:
    """Agrees to a fix, and takes the default of an author's question; nobody is there to answer any other."""
    if question.about == "fix":
        return True
    if question.about == "ask" and question.default is not None:
        return question.default
    raise UnansweredError(f"nobody is there to answer {question.name}")


async def _cancel_on_signals(
    executor: SkillExecutor, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """The first signal cancels the run, which cleans up; the third leaves at once."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        count = 0
        async for _ in signals:
            count += 1
            if count == ABORT_AT:
                os._exit(1)
            executor.cancel()


def _leaves(errors: BaseExceptionGroup[Raised]) -> Iterator[Raised]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
