"""Ending a server in an orderly way, and in time whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskStatus

from engine.frontends.mcp_server.serving import Serving

PROMPT = 4.0
"""Seconds after a signal, or the end of the input, within which the process is gone; runs go on without it."""


async def until_a_signal(
    serving: Serving, serve: Callable[[], Awaitable[None]], *, stop: Callable[[], bool] = bool
) -> None:
    """Serves until that ends, or a signal: then `stop` is told, and unless it says True everything is cancelled."""
    async with anyio.create_task_group() as group:

        async def wait(*, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
                task_status.started()
                async for each in signals:
                    leave_for_certain()
                    serving.say(f"ended by {each.name}")
                    if not stop():
                        group.cancel_scope.cancel()

        await group.start(wait)
        await serve()
        group.cancel_scope.cancel()


def leave_for_certain() -> None:
    """From now on the process ends in time, whatever does not let itself be cancelled."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, PROMPT)
