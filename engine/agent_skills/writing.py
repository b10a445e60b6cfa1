"""Folders written all of them or none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from engine.agent_skills.standing import Change, Standing
from engine.documents.files import exchange
from engine.errors import DocumentError, EngineError, WorkspaceError


def refuse_blocked(found: Sequence[Standing]) -> None:
    """Raises WorkspaceError that names what is in the way, when something is."""
    blocked = [each for each in found if each.in_the_way]
    if not blocked:
        return
    told = [line for each in blocked for line in each.in_the_way]
    more = f"\n... and {len(told) - 5} more" if len(told) > 5 else ""  # noqa: PLR2004 - as many as a glance takes
    hint = "take it away, or replace it with --force" if all(each.forcible for each in blocked) else "take it away"
    raise WorkspaceError("\n".join(told[:5]) + more, hint=f"{hint}; nothing was written")


def write_all(changes: Iterable[Change]) -> None:
    """Makes every change, or none: where one cannot be made, those before it are taken back.

    Each file is replaced whole, so that a reader finds the old one or the new one. Raises WorkspaceError.
    """
    undo: list[Callable[[], None]] = []
    try:
        for change in changes:
            _make(change, undo)
    except BaseException as error:
        for each in reversed(undo):
            with suppress(OSError, EngineError):
                each()
        if isinstance(error, OSError | DocumentError):
            raise _unwritable(error) from error
        raise


def _make(change: Change, undo: list[Callable[[], None]]) -> None:
    _make_folder(change.path.parent, undo)
    if change.text is None:
        change.path.unlink()
    else:
        exchange(change.path, change.text, was=change.was)
    undo.append(partial(_put_back, change))


def _make_folder(folder: Path, undo: list[Callable[[], None]]) -> None:
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir()
        undo.append(missing.rmdir)


def _put_back(change: Change) -> None:
    if change.was is None:
        change.path.unlink()
        return
    fresh = change.path.with_name(f".{change.path.name}.{os.getpid()}-{time.monotonic_ns()}.old")
    fresh.write_bytes(change.was)
    fresh.replace(change.path)


def _unwritable(error: OSError | DocumentError) -> WorkspaceError:
    if isinstance(error, DocumentError):
        where = f"{error.place.file}: " if error.place else ""
        return WorkspaceError(f"{where}{error.message}", hint="nothing was written")
    return WorkspaceError(
        f"{error.filename} cannot be written: {error.strerror}", hint="choose another folder; nothing was written"
    )
