"""What stands where a folder is to go: nothing, what an export wrote, or what is somebody's own."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.agent_skills.contents import GENERATOR, Folder, digest
from engine.agent_skills.front_matter import split
from engine.agent_skills.naming import PAGE, REFERENCES
from engine.errors import DocumentError
from engine.model.lazy_dataclass import dataclass

LARGEST = 2_000_000
"""Bytes of a file that is read to see whose it is; one that an export wrote is smaller."""
_ENTRY = re.compile(rf"({REFERENCES}/[A-Za-z0-9][A-Za-z0-9_-]*\.yaml)=([0-9a-f]{{16}})")
_PAGE_LINE = re.compile(r"^  page: \"?([0-9a-f]{16})\"?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file to be written (or, where `text` is None, removed), and what it says before; None where there is none."""

    path: Path
    text: str | None
    was: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is to be done for a folder, and what is in the way of it, in words."""

    folder: Folder
    path: Path
    changes: tuple[Change, ...] = ()
    in_the_way: tuple[str, ...] = ()
    forcible: bool = True

    @property
    def what(self) -> str:
        """In a word: `new`, `changed` or `unchanged`."""
        if not self.changes:
            return "unchanged"
        return "new" if all(change.was is None for change in self.changes) else "changed"


def standing(folder: Folder, directory: Path, *, force: bool = False) -> Standing:
    """What must change so that `directory` holds the folder; with `force` files of other people's making are replaced.

    Links are never followed, and what lies beside our files stays.
    """
    path = directory / folder.name
    if wrong := next(_no_folders(path), ""):
        return Standing(folder=folder, path=path, in_the_way=(wrong,), forcible=False)
    if wrong := next(_no_files(path, folder), ""):
        return Standing(folder=folder, path=path, in_the_way=(wrong,), forcible=False)
    ours = recorded(path)
    changes, blocked = [], []
    for name, text in folder.files.items():
        was = _bytes(path / name)
        if was == text.encode():
            continue
        changes.append(Change(path=path / name, text=text, was=was))
        if was is not None and not force and _digest(name, was) != ours.get(name):
            known = "was changed since it was exported" if name in ours else "was not written by an export"
            blocked.append(f"{path / name} {known}")
    gone = [name for name in ours if name not in folder.files and _digest(name, _bytes(path / name)) == ours[name]]
    changes += [Change(path=path / name, text=None, was=_bytes(path / name)) for name in gone]
    return Standing(folder=folder, path=path, changes=tuple(_page_last(changes)), in_the_way=tuple(blocked))


def recorded(path: Path) -> Mapping[str, str]:
    """The files an export wrote into a folder, with the digest each had then; empty where no export was."""
    try:
        text = (_bytes(path / PAGE) or b"").decode("utf-8")
        known = split(text, PAGE)[0].get("metadata")
    except (DocumentError, UnicodeDecodeError):
        return {}
    signed = _PAGE_LINE.search(text)
    if not isinstance(known, dict) or known.get("generator") != GENERATOR or signed is None:
        return {}
    return {PAGE: signed[1], **dict(_ENTRY.findall(str(known.get("files", ""))))}


def untouched(text: str) -> bool:
    """Whether a SKILL.md still says what an export wrote."""
    signed = _PAGE_LINE.search(text)
    return signed is not None and digest(_PAGE_LINE.sub("", text, count=1)) == signed[1]


def _digest(name: str, raw: bytes | None) -> str | None:
    if raw is None:
        return None
    text = raw.decode("utf-8", errors="replace")
    return digest(_PAGE_LINE.sub("", text, count=1) if name == PAGE else text)


def _no_folders(path: Path) -> Iterator[str]:
    """What should be a folder and is none."""
    for each in (path, path / REFERENCES):
        if each.is_symlink():
            yield f"{each} is a link, and links are not followed"
        elif os.path.lexists(each) and not each.is_dir():
            yield f"{each} is no folder"


def _no_files(path: Path, folder: Folder) -> Iterator[str]:
    """What should be a file of ours and cannot be one."""
    for each in (path / name for name in folder.files):
        if each.is_symlink():
            yield f"{each} is a link, and links are not followed"
        elif os.path.lexists(each) and not each.is_file():
            yield f"{each} is no file"
        elif each.is_file() and not stat.S_IMODE(each.stat().st_mode) & 0o222:
            yield f"{each} is read-only"


def _bytes(path: Path) -> bytes | None:
    """What a file says, as far as it matters; None where there is none."""
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(LARGEST)


def _page_last(changes: list[Change]) -> list[Change]:
    """In an order in which an agent that looks in between finds what the page speaks of."""
    return sorted(changes, key=lambda change: (change.text is None, change.path.name == PAGE, change.path))
