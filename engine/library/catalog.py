"""`SkillLibrary`: which skills there are, and each of them by name or path."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.documents import Document, read
from engine.errors import DocumentError, SkillInvalidError, SkillNotFoundError
from engine.library.approval import approved, remember
from engine.library.parse import parse_skill
from engine.library.part import Part, whole
from engine.model.place import Finding, Severity
from engine.model.skill import Skill
from engine.sandbox import Sandbox
from tool_registry.tool import Tool

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


class SkillLibrary:
    """The skills of some folders; a skill in an earlier folder hides one of the same name in a later folder.

    `tools` are what steps may call; `cache` is a folder that remembers which files were found right.
    """

    def __init__(
        self, folders: Sequence[Path], *, sandbox: Sandbox, tools: Mapping[str, Tool], cache: Path | None = None
    ) -> None:
        self._folders = tuple(folders)
        self._sandbox = sandbox
        self._tools = tools
        self._cache = cache

    def entries(self) -> tuple[SkillEntry, ...]:
        """Every skill by name, broken ones included, without checking them."""
        return tuple(_entry(name, paths) for name, paths in sorted(self._files().items()))

    def load(self, name_or_path: str) -> Skill:
        """The skill, ready to run.

        `name_or_path` is a path when it contains a slash or ends in `.yaml`. Raises SkillNotFoundError with the nearest
        names, and SkillInvalidError with every finding when the file has errors; warnings keep nothing from running.
        """
        path = self.path(name_or_path)
        document = _read(path)
        if not document.mistakes and approved(document, self._tools, self._cache):
            return parse_skill(document)
        errors = [finding for finding in self._check(document) if finding.severity is Severity.ERROR]
        if errors:
            raise _invalid(document.name, errors)
        remember(document, self._tools, self._cache)
        return parse_skill(document)

    def check(self, name_or_path: str) -> tuple[Finding, ...]:
        """Every finding about a skill file in one pass, in the order of the file. Raises SkillNotFoundError."""
        path, refusal = self._find(name_or_path)
        if refusal:
            return SkillInvalidError(refusal).told(str(path))
        try:
            return self._check(_read(path))
        except SkillInvalidError as error:
            return error.told(str(path))

    def _check(self, document: Document) -> tuple[Finding, ...]:
        # late: a file that was found right before needs none of it
        from engine.library.check import Surroundings, check_document  # noqa: PLC0415 - a run should start at once

        around = Surroundings(
            sandbox=self._sandbox, tools=self._tools, skills=self._files(), find=self._part, cache=self._cache
        )
        return check_document(document, around)

    def _part(self, name: str) -> Part | None:
        paths = self._files().get(name)
        try:
            return whole(_read(paths[0])) if paths and not _refusal(paths[0]) else None
        except SkillInvalidError:
            return None

    def path(self, name_or_path: str) -> Path:
        """The file of a skill. Raises SkillNotFoundError with the nearest names."""
        path, refusal = self._find(name_or_path)
        if refusal:
            raise SkillNotFoundError(f"{path} is not a skill: {refusal}")
        return path

    def _find(self, name_or_path: str) -> tuple[Path, str]:
        """The file of a skill, and why it is not taken for one, if so."""
        if "/" in name_or_path or name_or_path.endswith(SUFFIX):
            return _given(name_or_path), ""
        files = self._files()
        if name_or_path in files:
            return files[name_or_path][0], _refusal(files[name_or_path][0])
        from engine.library.nearest import did_you_mean  # noqa: PLC0415 - late: only a wrong name needs it

        looked = " and ".join(str(folder) for folder in self._folders)
        hint = did_you_mean(name_or_path, files) or f"`skill list` lists the skills; looked for in {looked}"
        raise SkillNotFoundError(f"there is no skill called {name_or_path}", hint=hint)

    def _files(self) -> dict[str, list[Path]]:
        """The files of every name, the one that counts first."""
        files: dict[str, list[Path]] = {}
        for folder in self._folders:
            for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
                if path.is_file():
                    files.setdefault(path.stem, []).append(path)
        return files


def _refusal(path: Path) -> str:
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


def _read(path: Path) -> Document:
    try:
        return read(path, tolerant=True)
    except DocumentError as error:
        raise SkillInvalidError(error.message, findings=error.findings, hint=error.hint, place=error.place) from error


def _invalid(file: str, errors: Sequence[Finding]) -> SkillInvalidError:
    if len(errors) == 1:
        return SkillInvalidError(errors[0].message, findings=errors, hint=errors[0].hint)
    hint = f"`skill check {file}` shows them all"
    return SkillInvalidError(
        f"the skill has {len(errors)} errors; the first: {errors[0].message}", findings=errors, hint=hint
    )


def _entry(name: str, paths: Sequence[Path]) -> SkillEntry:
    entry = SkillEntry(name=name, path=paths[0], hides=paths[1] if len(paths) > 1 else None)
    if refusal := _refusal(paths[0]):
        return replace(entry, error=f"{paths[0]}: {refusal}")
    try:
        value = _read(paths[0]).value
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
