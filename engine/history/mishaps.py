"""What can go wrong with the files history is kept in, each as a JournalError with a way out."""

from __future__ import annotations

from pathlib import Path

from engine.errors import JournalError

PATIENCE = 5.0
"""Seconds to wait for another process that is writing; waited for twice before giving up."""


def is_busy(error: Exception) -> bool:
    """Whether another connection was in the way."""
    return _name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _name(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def unusable(path: Path, why: str) -> JournalError:
    """History cannot live at `path`."""
    if path.is_dir():
        return JournalError(f"history cannot be kept in {path}: it is a folder", hint="remove that folder")
    return JournalError(
        f"history cannot be kept in {path}: {why}",
        hint="make its folder writable, or set SKILL_HOME to one that is",
    )


def full(path: Path) -> JournalError:
    """The disk under `path` has no room left."""
    return JournalError(
        f"history cannot be written to {path}: the disk is full",
        hint="free some space, or set SKILL_HOME to a folder on another disk",
    )


def moved(path: Path) -> JournalError:
    """The file at `path` is no longer the one that was written to."""
    return JournalError(
        f"{path} was deleted or replaced while a run was writing to it; what it had recorded went with it",
        hint="leave history alone while skills run; those that were under way have to be started again",
    )


def explained(error: Exception, path: Path, patience: float = PATIENCE) -> JournalError:
    """What a database error means, and the way out."""
    match _name(error).split("_")[1:2]:
        case ["FULL"]:
            return full(path)
        case ["READONLY"] | ["CANTOPEN"] | ["PERM"] | ["AUTH"]:
            return unusable(path, "it cannot be opened for writing")
        case ["CORRUPT"] | ["NOTADB"] | ["FORMAT"]:
            return JournalError(
                f"{path} is damaged or not a database: {error}",
                hint=f"move it aside (mv {path} {path}.broken) and a new history begins; memory's files stay",
            )
        case ["BUSY"] | ["LOCKED"]:
            return JournalError(
                f"{path} was kept busy by another process for {2 * patience:g} seconds",
                hint="see who has it open (fuser), and try again",
            )
        case ["IOERR"]:
            return JournalError(
                f"the disk refused {path}: {error}", hint="check the disk, or set SKILL_HOME to a folder on another one"
            )
        case _:
            return JournalError(
                f"history in {path} failed: {error}", hint="this is a defect of skill-engine; please report it"
            )
