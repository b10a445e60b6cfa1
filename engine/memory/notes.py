"""Text files of memory that grow line by line: one write at the end, so that notes of several processes do not mix."""

from __future__ import annotations

import os
from pathlib import Path

from engine.documents import files
from engine.memory.store import unwritable
from engine.workspace import make_private


def add_line(path: Path, line: str, *, header: str) -> None:
    """Adds one line, or lines that belong together, at the end; a new file begins with `header`.

    Raises DocumentError when the file cannot be written.
    """
    try:
        make_private(path.parent)
        # Held: whoever tidies the file puts another in its place, and a line added to the old one would be lost.
        with files.locked(files.real(path)):
            _append(path, line, header)
    except OSError as error:
        raise unwritable(path, error) from error


def _append(path: Path, line: str, header: str) -> None:
    # Not blocking: a pipe in the file's place would wait for a reader, for ever.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        before = "" if os.fstat(file).st_size else header
        os.write(file, f"{before}{line}\n".encode("utf-8", "replace"))
    finally:
        os.close(file)
