"""Healing around a function that is not async: the pipeline has a thread of its own, the function stays in its own."""

from __future__ import annotations

import queue
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from engine.heal.calls import HEALING

Action = Callable[[], Awaitable[Any]]
Job = tuple[Future[Any], frozenset[str]]
"""One call: where its outcome goes, and the domains that are healed around it."""


def in_callers_thread(heal: Callable[[Action], Awaitable[Any]], function: Callable[[], Any]) -> Any:
    """What `heal` gives, which may call `function` several times: always here, in the thread of the caller.

    So thread-locals, context variables, event loops of the function's own and Ctrl-C are for it as they always were.
    Whatever the caller's thread is interrupted with ends the healing, and goes on.
    """
    jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    with start_blocking_portal() as portal:
        healing = portal.start_task_soon(heal, lambda: _handed_over(portal, jobs))
        healing.add_done_callback(lambda _: jobs.put(None))
        try:
            while (job := jobs.get()) is not None:
                _work(*job, function)
        except BaseException:
            healing.cancel()
            raise
    return _outcome(healing)


def _work(job: Future[Any], domains: frozenset[str], function: Callable[[], Any]) -> None:
    around = HEALING.set(domains)
    try:
        job.set_result(function())
    except Exception as error:  # noqa: BLE001 - handed to the healing, which decides what becomes of it
        job.set_exception(error)
    finally:
        HEALING.reset(around)


def _outcome(healing: Future[Any]) -> Any:
    try:
        return healing.result()
    except RuntimeError as error:
        # No coroutine can raise StopIteration; a function that is not one may.
        if not isinstance(error.__cause__, StopIteration):
            raise
        raise error.__cause__ from None


async def _handed_over(portal: BlockingPortal, jobs: queue.SimpleQueue[Job | None]) -> Any:
    """What the function gives, once the caller's thread has called it."""
    job: Future[Any] = Future()
    done = anyio.Event()
    job.add_done_callback(lambda _: portal.call(done.set))
    jobs.put((job, HEALING.get()))
    await done.wait()
    return job.result()
