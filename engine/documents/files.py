"""Files replaced whole, one writer at a time, or not at all."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import DocumentError
from engine.model.place import Place

PATIENCE = 20.0
"""Seconds a writer waits for others; each holds the lock for a few milliseconds."""
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05


def real(path: Path) -> Path:
    """Where the file really lies: behind a symbolic link, the link's target."""
    return Path(os.path.realpath(path))


@contextmanager
def locked(path: Path, *, patience: float = PATIENCE) -> Iterator[None]:
    """Holds the file against all other writers, of this process and others; DocumentError when they do not finish.

    The lock is on a file beside it (`.NAME.lock`), because the file itself is replaced; the system lets go of it when
    the process ends in any way.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        _wait(descriptor, path, patience)
        yield
    finally:
        os.close(descriptor)


def replace(path: Path, text: str) -> None:
    """Puts the text in the file's place, durably, with the file's rights; readers see the old text or the new.

    DocumentError, and nothing changed, where that cannot be done. The caller holds the lock.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        with suppress(FileNotFoundError):
            fresh.unlink()
        _write(fresh, text, _rights(path))
        fresh.replace(path)
        _settle(path.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def exchange(path: Path, text: str, *, was: bytes | None) -> None:
    """Puts the text in the file's place, durably, with the file's rights, if the file still says `was`.

    None stands for a file that is not there yet. No lock is left beside it: this is for files of which a person is the
    usual writer. DocumentError, and nothing changed, where another was quicker or it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}.new")
    try:
        _write(fresh, text, _rights(path) if was is not None else None)
        if was is None:
            os.link(fresh, path)
        elif path.read_bytes() == was:
            fresh.replace(path)
        else:
            raise DocumentError("somebody else changed this file just now", place=_top(path), hint="try again")
        _settle(path.parent)
    except FileExistsError:
        raise DocumentError("there is a file of this name already", place=_top(path)) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def refuse_read_only(path: Path) -> None:
    """DocumentError if a person has taken the right to write the file; replacing it would go around that."""
    with suppress(FileNotFoundError):
        if not stat.S_IMODE(path.stat().st_mode) & 0o222 or not os.access(path, os.W_OK):
            raise DocumentError("this file is read-only", place=_top(path), hint=f"chmod u+w {path}")


def _wait(descriptor: int, path: Path, patience: float) -> None:
    import fcntl  # noqa: PLC0415 - late: reading needs no lock, and other systems than POSIX can still read

    deadline, pause = time.monotonic() + patience, _FIRST_PAUSE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another process has been writing this file for {patience:.0f} s"
                raise DocumentError(message, place=_top(path), hint="end it, then try again") from None
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _rights(path: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return path.stat()
    return None


def _write(path: Path, text: str, rights: os.stat_result | None) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        if rights is not None:
            os.fchmod(file.fileno(), stat.S_IMODE(rights.st_mode))
            with suppress(PermissionError):
                os.fchown(file.fileno(), rights.st_uid, rights.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Makes the new name durable too, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> DocumentError:
    reason = error.strerror or str(error)
    hint = "free some space, or make its folder writable; nothing was changed"
    return DocumentError(f"this file cannot be written: {reason}", place=_top(path), hint=hint)


def _top(path: Path) -> Place:
    return Place(file=str(path), line=1, column=1)
