"""One monitor a workspace: a file locked for as long as the monitor lives, in which it says who it is."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import MonitorBusyError, WorkspaceError
from engine.model.lazy_dataclass import dataclass
from engine.workspace import make_private

FILE = "health.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that watches; `since` in seconds since the epoch, `pid` 0 when it has not said yet."""

    pid: int
    host: str
    since: float


@contextmanager
def held(folder: Path, *, clock: Callable[[], float]) -> Iterator[None]:
    """Makes this process the only one that watches the workspace of this state folder.

    The system lets go of it when the process ends in any way, so nothing stale can stay. Raises MonitorBusyError, which
    names who has it, and WorkspaceError when the file cannot be made.
    """
    path = folder / FILE
    try:
        make_private(folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        hint = "set SKILL_HOME to a folder you may write to"
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}", hint=hint) from error
    try:
        _lock(descriptor, path)
        _sign(descriptor, path, clock())
        yield
    finally:
        os.close(descriptor)


def holder(folder: Path) -> Holder | None:
    """Who watches the workspace of this state folder now; None when nobody does."""
    try:
        # Not blocking: a pipe in the file's place would wait for a writer, for ever.
        descriptor = os.open(folder / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _signed(descriptor)
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(descriptor)


PATIENCE = 0.2
"""Seconds for which a taken lock is tried again: somebody who only asks who watches holds it for a moment."""


def _lock(descriptor: int, path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < until:
                time.sleep(PATIENCE / 20)
                continue
            found = _signed(descriptor)
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.since))
            raise MonitorBusyError(
                f"this workspace is watched already, by process {found.pid} on {found.host} since {since}",
                hint=f"`skill health status` shows what it finds; `kill {found.pid}` ends it",
            ) from error
        except OSError as error:
            hint = "set SKILL_HOME to a folder on a disk of this machine"
            raise WorkspaceError(f"{path} cannot be locked: {error.strerror}", hint=hint) from error
        else:
            return


def _sign(descriptor: int, path: Path, now: float) -> None:
    told = {"pid": os.getpid(), "host": os.uname().nodename, "since": now}
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(told).encode(), 0)
    except OSError as error:
        hint = "a lock must be a file on a disk with room; move away what stands there"
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


def _signed(descriptor: int) -> Holder:
    try:
        told = json.loads(os.pread(descriptor, 4_096, 0))
        return Holder(pid=int(told["pid"]), host=str(told["host"]), since=float(told["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(pid=0, host="this machine", since=0.0)
