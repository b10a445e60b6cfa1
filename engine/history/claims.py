"""Who has a run: one lock file a run, held by `flock`, so that a process that dies lets go of it at once."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.errors import JournalError, RunBusyError, RunNotFoundError
from engine.history.leftovers import ROOM
from engine.history.mishaps import full, unusable
from engine.workspace import make_private

PATIENCE = 0.1
"""Seconds for which a taken lock is tried again: somebody who only asks whether a run lives holds it for a moment."""
PAUSE = 0.005
LEFT = ".end"
"""What is left of a run stands in RUN.end, beside the locks."""

_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST_ID = 200
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW


class Claims:
    """The runs that one journal has claimed, and whether anybody has claimed any other.

    Every claim opens its file anew, so two claims in one process exclude each other as two processes do; programs that
    a step starts do not inherit it. `folder` holds the lock files, `clock` gives seconds since the epoch.
    """

    def __init__(self, folder: Path, *, host: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._host = host
        self._clock = clock
        self._turn = threading.Lock()
        self._held: dict[str, tuple[str, int]] = {}  # what a run's events are signed with, and the file that locks

    def take(self, run_id: str) -> str:
        """Locks the run and returns a fresh token for it.

        Raises RunBusyError when somebody has it, JournalError when the lock file cannot be made, and RunNotFoundError
        for what is no run's id.
        """
        path = self._path(run_id)
        if path is None:
            raise RunNotFoundError(f"there is no run {run_id!r}", hint="a run's id has letters, digits, - and _ only")
        try:
            make_private(self._folder)
            descriptor = _locked(path)
        except BlockingIOError as error:
            raise _busy(run_id, path) from error
        except OSError as error:
            raise unlockable(path, error) from error
        return self._signed(run_id, path, descriptor)

    def token(self, run_id: str) -> str:
        """What this journal's events of the run are signed with; empty when it has not claimed the run."""
        claim = self._held.get(run_id)
        return claim[0] if claim else ""

    def release(self, run_id: str) -> None:
        """Unlocks the run if it is held; never raises."""
        with self._turn:
            claim, path = self._held.pop(run_id, None), self._path(run_id)
        if claim is not None and path is not None:
            _let_go(path, claim[1])

    def release_all(self) -> None:
        """Unlocks every run that is held."""
        for run_id in tuple(self._held):
            self.release(run_id)

    def leave(self, run_id: str, text: bytes) -> None:
        """Writes what history could not take over the lock file, which becomes RUN.end; never raises.

        No new room on the disk is needed for that.
        """
        claim, path = self._held.get(run_id), self._path(run_id)
        if claim is None or path is None or not _is_at(claim[1], path):
            return
        with suppress(OSError):
            os.pwrite(claim[1], text, 0)
            os.ftruncate(claim[1], len(text))
            path.rename(path.with_suffix(LEFT))

    def left(self, run_id: str) -> bytes | None:
        """What history could not take of a run; None when it had everything."""
        path = self._path(run_id)
        try:
            return path.with_suffix(LEFT).read_bytes() if path else None
        except OSError:
            return None

    def taken_up(self, run_id: str) -> None:
        """History has what was left of the run."""
        path = self._path(run_id)
        if path is not None:
            with suppress(OSError):
                path.with_suffix(LEFT).unlink()

    def leaving(self) -> tuple[str, ...]:
        """The runs of which something was left."""
        return tuple(sorted(path.stem for path in self._folder.glob(f"*{LEFT}")))

    def taken(self, run_id: str) -> bool | None:
        """Whether a living process of this machine has claimed the run; None when that cannot be found out."""
        path = self._path(run_id)
        if path is None:
            return None
        try:
            descriptor = os.open(path, os.O_RDONLY | _OPEN)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return None
        else:
            return False
        finally:
            os.close(descriptor)

    def _path(self, run_id: str) -> Path | None:
        """The lock file of a run; None for what is no id, for ids come from outside and lead nowhere else."""
        fits = 0 < len(run_id) <= _LONGEST_ID and _SIGNS.issuperset(run_id)
        return self._folder / f"{run_id}.lock" if fits else None

    def _signed(self, run_id: str, path: Path, descriptor: int) -> str:
        """Writes into the locked file who holds it, and keeps the claim."""
        told = {"pid": os.getpid(), "host": self._host, "since": self._clock()}
        try:
            # The room is for what may have to be left here on a disk that is full by then.
            os.pwrite(descriptor, json.dumps(told).encode().ljust(ROOM), 0)
            os.ftruncate(descriptor, ROOM)
        except OSError as error:
            _let_go(path, descriptor)
            raise unlockable(path, error) from error
        token = os.urandom(8).hex()
        with self._turn:
            self._held[run_id] = (token, descriptor)
        return token


def _locked(path: Path) -> int:
    """The open, locked lock file; BlockingIOError when somebody has it.

    Whoever lets go unlinks the file first, so a lock may turn out to be on a file that is no longer there; then the one
    that is there is tried.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _OPEN, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise
            time.sleep(PAUSE)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _let_go(path: Path, descriptor: int) -> None:
    """Unlinks the lock file, unless another stands in its place, and closes it, which unlocks it; never raises."""
    try:
        if _is_at(descriptor, path):
            path.unlink()
    except OSError:
        pass  # a lock file that stays is taken over by the next claim
    finally:
        os.close(descriptor)


def _busy(run_id: str, path: Path) -> RunBusyError:
    return RunBusyError(
        f"run {run_id} is in the hands of {_holder(path)}",
        hint=f"`skill watch {run_id}` follows it, `skill cancel {run_id}` ends it",
    )


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(told["since"]))
        return f"process {told['pid']} on {told['host']} since {since}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "another process"  # which has let go since, or has not signed yet


def unlockable(path: Path, error: OSError) -> JournalError:
    """Why a lock file cannot be made or locked, and the way out."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return full(path)
        case errno.EMFILE | errno.ENFILE:
            return JournalError(
                f"{path} cannot be locked: too many files are open",
                hint="allow more (ulimit -n), or run fewer skills at once",
            )
        case errno.ENOLCK | errno.ENOTSUP:
            return JournalError(
                f"{path} cannot be locked: its file system knows no locks",
                hint="set SKILL_HOME to a folder on a disk of this machine",
            )
        case _:
            return unusable(path, error.strerror or str(error))
