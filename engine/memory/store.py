"""The folder of memory files: live ones first, shipped seeds until a file is first written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from engine.documents import Document, Editing, edit, read
from engine.errors import DocumentError
from engine.workspace import make_private

Figures = TypeVar("Figures")
Stamp = tuple[str, int, int, int]


class Store:
    """Reads and edits the files of one memory folder; a live file that is broken is never touched."""

    def __init__(self, folder: Path, *, seeds: Path) -> None:
        self.folder = folder
        self.seeds = seeds
        self._read: dict[Path, tuple[Stamp, Document]] = {}

    def live(self, name: str) -> Path:
        """Where the live file `name` (`learned/patterns.yaml`) is or will be."""
        return self.folder / name

    def document(self, name: str) -> Document | None:
        """The live file, else the seed, else None; read only when it has changed. DocumentError if it is broken."""
        for path in (self.live(name), self.seeds / name):
            stamp = _stamp(path)
            if stamp is not None:
                return self._cached(path, stamp)
        return None

    def readable(self, name: str) -> Document | None:
        """Like `document`, but what cannot be read is left out: the seed stands in for a broken live file."""
        try:
            return self.document(name)
        except DocumentError:
            return self.seed(name)

    def written(self, name: str) -> Document | None:
        """The live file, None where there is none; DocumentError if it is broken."""
        path = self.live(name)
        stamp = _stamp(path)
        return None if stamp is None else self._cached(path, stamp)

    def written_if_readable(self, name: str) -> Document | None:
        """Like `written`, but a broken file is left out."""
        with suppress(DocumentError):
            return self.written(name)
        return None

    def seed(self, name: str) -> Document | None:
        """What is shipped; None where nothing is."""
        path = self.seeds / name
        stamp = _stamp(path)
        with suppress(DocumentError):
            return None if stamp is None else self._cached(path, stamp)
        return None

    @contextmanager
    def editing(self, name: str, *, empty: str, seeded: bool = True) -> Iterator[Editing]:
        """The live file under the lock all processes share; made from the seed if `seeded`, else from the text `empty`.

        Raises DocumentError when it is broken, or cannot be written.
        """
        path = self.live(name)
        start = self._start(name, empty) if seeded else empty
        try:
            make_private(path.parent)
            # No schema: loading the validator costs 160 ms, and what the engine sets are counts and short texts.
            with edit(path, start=None if path.exists() else start) as editing:
                yield editing
        except OSError as error:
            raise unwritable(path, error) from error

    def _start(self, name: str, empty: str) -> str:
        seed = self.seeds / name
        return seed.read_text(encoding="utf-8") if seed.is_file() else empty

    def _cached(self, path: Path, stamp: Stamp) -> Document:
        known = self._read.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        document = read(path)
        self._read[path] = (stamp, document)
        return document


def settled(figures: Figures | Callable[[], Figures]) -> Figures:
    """The figures themselves, asked for now when they come as a question."""
    return figures() if callable(figures) else figures


def unwritable(path: Path, error: OSError) -> DocumentError:
    """Memory cannot be written at `path`."""
    return DocumentError(
        f"{path} cannot be written: {error.strerror or error}",
        hint="make the memory folder writable, or set SKILL_HOME to a folder that is",
    )


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file is replaced or edited; None if there is none (what is there but unreadable has one)."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return (str(path), 0, 0, 0)
    return (str(path), status.st_ino, status.st_size, status.st_mtime_ns)
