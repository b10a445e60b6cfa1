"""The files of skills: which there are in some folders, and the one that a name or a path stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.documents import Document, read
from engine.errors import DocumentError, SkillInvalidError, SkillNotFoundError
from engine.model.lazy_dataclass import dataclass

SUFFIX = ".yaml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillEntry:
    """A line of the catalog; `hides` is the file of the same name in a later folder, `error` why it cannot be read."""

    name: str
    path: Path
    description: str = ""
    tags: tuple[str, ...] = ()
    version: str = ""
    hides: Path | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The skill files of some folders; a file in an earlier folder hides one of the same name in a later one."""

    folders: tuple[Path, ...]

    def files(self) -> dict[str, list[Path]]:
        """The files of every name, the one that counts first."""
        files: dict[str, list[Path]] = {}
        for folder in self.folders:
            for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
                if path.is_file():
                    files.setdefault(path.stem, []).append(path)
        return files

    def entries(self) -> tuple[SkillEntry, ...]:
        """Every skill by name, broken ones included, without checking them."""
        return tuple(_entry(name, paths) for name, paths in sorted(self.files().items()))

    def find(self, name_or_path: str) -> tuple[Path, str]:
        """The file of a skill, and why it is not taken for one, if so. Raises SkillNotFoundError."""
        if "/" in name_or_path or name_or_path.endswith(SUFFIX):
            return _given(name_or_path), ""
        files = self.files()
        if name_or_path in files:
            return files[name_or_path][0], refusal(files[name_or_path][0])
        from engine.library.nearest import did_you_mean  # noqa: PLC0415 - late: only a wrong name needs it

        looked = " and ".join(str(folder) for folder in self.folders)
        hint = did_you_mean(name_or_path, files) or f"`skill list` lists the skills; looked for in {looked}"
        raise SkillNotFoundError(f"there is no skill called {name_or_path}", hint=hint)

    def named(self, name: str) -> Path | None:
        """The file that a name stands for; None when there is none, or none that is taken for a skill."""
        if _NAME.fullmatch(name) is None:
            return None
        paths = (folder / f"{name}{SUFFIX}" for folder in self.folders)
        path = next((path for path in paths if path.is_file()), None)
        return path if path is not None and not refusal(path) else None


def refusal(path: Path) -> str:
    """Why a file in a folder of skills is not taken for one; empty when it is."""
    if path.is_symlink():
        # A link could lead out of the folder, to a file that nobody meant to be run.
        return "this is a link, and links are not followed; copy the file, or give its path"
    if _NAME.fullmatch(path.stem) is None:
        return "a skill's name is made of letters, digits, - and _; rename the file"
    return ""


def _given(text: str) -> Path:
    path = Path(text)
    if path.suffix != SUFFIX:
        raise SkillNotFoundError(
            f"{text} is no skill file", hint=f"a path must end in {SUFFIX}, and a name has no slash"
        )
    if not path.is_file():
        raise SkillNotFoundError(f"there is no file {text}", hint="check the path")
    return path


def read_skill(path: Path) -> Document:
    """What a skill file says, its smaller mistakes kept; SkillInvalidError when it cannot be read."""
    try:
        return read(path, tolerant=True)
    except DocumentError as error:
        raise SkillInvalidError(error.message, findings=error.findings, hint=error.hint, place=error.place) from error


def _entry(name: str, paths: Sequence[Path]) -> SkillEntry:
    entry = SkillEntry(name=name, path=paths[0], hides=paths[1] if len(paths) > 1 else None)
    if why := refusal(paths[0]):
        return replace(entry, error=f"{paths[0]}: {why}")
    try:
        value = read_skill(paths[0]).value
    except SkillInvalidError as error:
        return replace(entry, error=str(error))
    if not isinstance(value, dict):
        return replace(entry, error=f"{paths[0]}: this is no skill: the file is not a mapping")
    tags = value.get("tags")
    return replace(
        entry,
        description=str(value.get("description") or "").strip(),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        version=str(value.get("version") or ""),
    )
