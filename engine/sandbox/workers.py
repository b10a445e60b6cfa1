"""The interpreter's worker processes: started on first need, kept, and killed when a block must not go on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import anyio
import anyio.to_thread
import pydantic_monty

from engine.errors import SandboxError
from engine.model.lazy_dataclass import dataclass
from engine.sandbox.limits import COMPUTE_DEPTH, COMPUTE_GRACE, COMPUTE_MEMORY, COMPUTE_PRINT, COMPUTE_SECONDS

WORKERS: Final = 4
_ADDRESS_SPACE: Final = 1024 * 1024 * 1024
_LIMITS: Final[pydantic_monty.ResourceLimits] = {
    "max_feed_duration_secs": COMPUTE_SECONDS,
    "max_memory": COMPUTE_MEMORY,
    "max_recursion_depth": COMPUTE_DEPTH,
    "max_suspensions": 1_000,
    "max_total_sleep_secs": 0.0,
}


def _zone_offset(key: str, seconds: float, wall: bool) -> list[Any]:
    """The seconds east of UTC and the name of a zone at a moment: all that a block can ask of this process."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - late: few blocks ask

    if not (isinstance(key, str) and isinstance(seconds, int | float)):
        raise TypeError("a zone has a name")
    try:
        zone = ZoneInfo(key)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"there is no time zone {key[:60]}") from None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    local = moment.replace(tzinfo=zone) if wall else moment.astimezone(zone)
    return [int((local.utcoffset() or timedelta(0)).total_seconds()), local.tzname() or key]


_OUTSIDE: Final = {"_skill_zone_offset": _zone_offset}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one block needs: its source, what is run before it, the names it reads, and the time it is told."""

    source: str
    prelude: str
    inputs: Mapping[str, Any]
    now: datetime


class _Turn:
    """One block's time with a worker; `stop` from another thread kills the worker, and only while it is ours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._worker: int | None = None

    def begin(self, worker: int | None) -> None:
        with self._lock:
            self._worker = worker
            if self._stopped:
                raise SandboxError("this block was cancelled")

    def end(self) -> None:
        with self._lock:
            self._worker = None

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._worker is not None:
                os.kill(self._worker, signal.SIGKILL)


class Workers:
    """A pool of interpreter processes; a fresh session per block, a killed worker is replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: pydantic_monty.Monty | None = None
        self._walled: set[int] = set()

    async def run(self, feed: Feed) -> Any:
        """The value of `feed`'s last expression; a cancelled scope kills the worker that is busy with it."""
        turn = _Turn()
        try:
            return await anyio.to_thread.run_sync(self._run, feed, turn, abandon_on_cancel=True)
        except anyio.get_cancelled_exc_class():
            turn.stop()
            raise

    def _run(self, feed: Feed, turn: _Turn) -> Any:
        policy: pydantic_monty.OSPolicy = {"datetime": feed.now, "sleep": "zero", "random_start": {"seed": 0}}
        printed = pydantic_monty.CollectString(COMPUTE_PRINT)
        with self._started().checkout(limits=_LIMITS, os_policy=policy, assert_message_annotations=False) as session:
            turn.begin(session.worker_pid)
            try:
                self._wall(session.worker_pid)
                session.feed_run(feed.prelude, print_callback=printed, external_lookup=_OUTSIDE)
                return session.feed_run(
                    feed.source, inputs=dict(feed.inputs), print_callback=printed, external_lookup=_OUTSIDE
                )
            finally:
                turn.end()

    def _started(self) -> pydantic_monty.Monty:
        with self._lock:
            if self._pool is None:
                pool = pydantic_monty.Monty(
                    min_processes=1,
                    max_processes=WORKERS,
                    request_timeout=2 * COMPUTE_SECONDS,
                    feed_duration_limit_grace=COMPUTE_GRACE,
                )
                self._pool = pool.__enter__()
            return self._pool

    def _wall(self, worker: int | None) -> None:
        """A second wall on Linux: no files, no core dumps, a bounded address space."""
        if worker is None or worker in self._walled or sys.platform != "linux":
            return
        import resource  # noqa: PLC0415 - late: exists on Unix only

        resource.prlimit(worker, resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, 0))
        resource.prlimit(worker, resource.RLIMIT_CORE, (0, 0))
        self._walled.add(worker)

    async def aclose(self) -> None:
        """Stops the workers; a later block starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(pool.__exit__, None, None, None)
