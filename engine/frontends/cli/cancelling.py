"""Ctrl-C, SIGTERM and a closed terminal in a run: cancel and clean up; the third time, leave at once."""

from __future__ import annotations

import os
import signal
import sys

import anyio
from anyio.abc import TaskStatus

from engine.frontends.cli.progress import Progress
from engine.run.executor import SkillExecutor

INTERRUPTED = 130
SAID = (
    "cancelling: the step is stopped, then what was done is undone",
    "cleaning up is under way; once more leaves at once, and whatever is not undone yet stays",
    "aborted; `skill status last` shows what was done, `skill cancel last` undoes what is not undone yet",
)


async def cancel_on_signals(
    executor: SkillExecutor, progress: Progress, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Cancels the run at the first signal, says that cleaning up takes its time at the second, aborts at the third."""
    with anyio.open_signal_receiver(*_watched()) as signals:
        task_status.started()
        count = 0
        async for _ in signals:
            _say(SAID[count], progress)
            count += 1
            if count == len(SAID):
                _abort()
            executor.cancel()


def _watched() -> list[signal.Signals]:
    """A closed terminal ends a run as Ctrl-C does, except under nohup, which asks for the opposite."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if ignored else [signal.SIGHUP])]


def _say(text: str, progress: Progress) -> None:
    try:
        progress.say(f"  {text}", fg="yellow")
    except OSError:
        return  # the terminal is gone, and cleaning up is not for it


def _abort() -> None:
    """Ends this process now: history survives that, and the programs a step started end with their session."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
