"""A memory file being edited by hand: a copy beside it, which takes its place only when it is right."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from engine.documents import files, parse
from engine.errors import DocumentError
from engine.memory import Memory
from engine.memory.places import writable
from engine.memory_tools.results import Changed
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place
from engine.workspace import make_private

MARK = ".edited"
"""What stands before the suffix of a copy: `patterns.edited.yaml`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A copy of the file `name` at `path`; `base` is what the file said when the editing began, None: not there."""

    name: str
    path: Path
    base: bytes | None
    start: bytes
    resumed: bool = False

    @property
    def changed(self) -> bool:
        """Whether it says something else than the file did."""
        return self.resumed or self.path.read_bytes() != self.start


def begin(memory: Memory, name: str, *, fresh: bool = False) -> Draft:
    """The copy to be edited: one kept from an edit that was not right, unless `fresh`, else a new one.

    Raises InputError for a file nobody else may write, DocumentError when the copy cannot be written.
    """
    target = writable(memory.folder, name)
    copy = target.with_name(f"{target.stem}{MARK}{target.suffix}")
    base = target.read_bytes() if target.is_file() else None
    if copy.is_file() and not fresh:
        return Draft(name=name, path=copy, base=base, start=copy.read_bytes(), resumed=True)
    start = base if base is not None else memory.start(name).encode()
    make_private(target.parent)
    try:
        copy.unlink(missing_ok=True)
        copy.write_bytes(start)
    except OSError as error:
        raise DocumentError(f"{copy} cannot be written: {error.strerror}", hint="make its folder writable") from error
    return Draft(name=name, path=copy, base=base, start=start)


def problems(memory: Memory, draft: Draft) -> tuple[Finding, ...]:
    """What is wrong with the copy as it is now, with its lines; empty when it may take the file's place."""
    try:
        text = draft.path.read_bytes().decode()
        return () if draft.name.endswith(".md") else memory.mistakes(draft.name, parse(text, str(draft.path)))
    except DocumentError as error:
        return error.told(str(draft.path))
    except UnicodeDecodeError as error:
        place = Place(file=str(draft.path), line=1, column=1)
        return (Finding(place=place, code="not-utf-8", message=f"it is not UTF-8: {error.reason}", hint="save it so"),)


def install(memory: Memory, draft: Draft) -> Changed:
    """Puts the copy in the file's place, after a back-up, and removes it.

    Raises DocumentError, and keeps the copy, when the file has changed since the editing began.
    """
    target, text = writable(memory.folder, draft.name), draft.path.read_bytes().decode()
    kept = memory.backups.take([draft.name], "edit")
    real = files.real(target)
    with files.locked(real):
        now = real.read_bytes() if real.is_file() else None
        if now != draft.base:
            raise DocumentError(
                f"{draft.name} has changed since you began to edit it",
                hint=f"your edit is kept in {draft.path}; `skill memory edit {draft.name}` goes on with it",
            )
        if now is not None:
            files.refuse_read_only(real)
        files.replace(real, text)
    drop(draft)
    return Changed(file=draft.name, path="", changed=True, backup=kept.id)


def drop(draft: Draft) -> None:
    """Removes the copy."""
    with suppress(OSError):
        draft.path.unlink(missing_ok=True)
