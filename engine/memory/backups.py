"""Back-ups: what memory files said before somebody changed them, kept beside them and put back on request."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from engine.documents import dump, files, read
from engine.errors import DocumentError, InputError
from engine.memory.store import unwritable
from engine.model.lazy_dataclass import dataclass
from engine.workspace import make_private

FOLDER = "backups"
MANIFEST = "backup.yaml"
KEPT = 50
"""The newest back-ups that are kept; an older one goes when another is made."""
_ID = r"[0-9]{8}-[0-9]{6}-[a-z]{1,20}(?:-[0-9]{1,4})?"
_LARGEST = 5_000_000
"""Bytes of a file that is backed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One back-up; `files` are those it holds, `absent` those that were not there when it was made."""

    id: str
    made_at: str
    reason: str
    files: tuple[str, ...]
    absent: tuple[str, ...] = ()


class Backups:
    """The back-ups in `backups/` of a memory folder; `clock` gives seconds since the epoch."""

    def __init__(self, folder: Path, *, clock: Callable[[], float]) -> None:
        self._memory = folder
        self._clock = clock

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._memory / FOLDER

    def take(self, names: Iterable[str], reason: str) -> Backup:
        """Copies the files of these names, each as it is at that moment, whole or not at all.

        Raises DocumentError when that cannot be done: then nothing may be changed either.
        """
        try:
            made = self._take(sorted(set(names)), reason)
            for old in self.all()[KEPT:]:
                shutil.rmtree(self.folder / old.id, ignore_errors=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        return made

    def all(self) -> tuple[Backup, ...]:
        """Every back-up, newest first."""
        found = sorted(self.folder.iterdir(), key=_made, reverse=True) if self.folder.is_dir() else []
        return tuple(each for path in found if (each := _read(path)) is not None)

    def get(self, backup_id: str) -> Backup:
        """One back-up by its id, the beginning of one, or `last`. Raises InputError."""
        known = self.all()
        found = known[:1] if backup_id == "last" else [each for each in known if each.id.startswith(backup_id)]
        exact = [each for each in found if each.id == backup_id] or found
        if not backup_id or len(exact) != 1:
            problem = f"several back-ups begin with {backup_id}" if exact else f"there is no back-up {backup_id!r}"
            raise InputError(problem, hint="`skill memory backups` lists them")
        return exact[0]

    def restore(self, backup: Backup, names: Sequence[str] = ()) -> Backup:
        """Puts the files back as they were, after a back-up of what they say now, which is returned.

        With `names`, only those. Raises InputError for one that it does not hold, DocumentError when it cannot be done.
        """
        wanted = tuple(names) or (*backup.files, *backup.absent)
        strange = [name for name in wanted if name not in {*backup.files, *backup.absent}]
        if strange:
            raise InputError(f"back-up {backup.id} holds no {strange[0]}", hint=f"it holds {', '.join(backup.files)}")
        before = self.take(wanted, "restore")
        try:
            texts = {name: self.text(backup, name) for name in wanted}
            with ExitStack() as held:
                for name in sorted(wanted):
                    make_private((self._memory / name).parent)
                    held.enter_context(files.locked(files.real(self._memory / name)))
                self.put(texts)
        except OSError as error:
            raise unwritable(self._memory, error) from error
        return before

    def put(self, texts: Mapping[str, str | None]) -> None:
        """Makes the files say these texts, and removes those of None; the caller holds them and has a back-up."""
        for name, text in texts.items():
            path = files.real(self._memory / name)
            if text is None:
                path.unlink(missing_ok=True)
            else:
                files.refuse_read_only(path)
                files.replace(path, text)

    def text(self, backup: Backup, name: str) -> str | None:
        """What the file said then; None when it was not there."""
        if name in backup.absent:
            return None
        return (self.folder / backup.id / "files" / name).read_text(encoding="utf-8")

    def _take(self, names: list[str], reason: str) -> Backup:
        now = datetime.fromtimestamp(self._clock(), UTC)
        present = [name for name in names if (self._memory / name).is_file()]
        make_private(self.folder)
        made = Backup(
            id="",
            made_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            reason=reason,
            files=tuple(present),
            absent=tuple(name for name in names if name not in present),
        )
        fresh = _new_folder(self.folder, f".{now:%Y%m%d-%H%M%S}-{reason}")
        try:
            self._fill(fresh, made)
            return replace(made, id=_settled(fresh))
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def _fill(self, folder: Path, made: Backup) -> None:
        """Copies the files into the folder, and says there what they are."""
        for name in made.files:
            target = folder / "files" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(self._memory / name, target)
        told = {"made_at": made.made_at, "reason": made.reason, "files": list(made.files), "absent": list(made.absent)}
        (folder / MANIFEST).write_text(dump(told), encoding="utf-8")


def _made(path: Path) -> tuple[str, int, str]:
    """When a back-up was made: by its id, and of several in one second by the file system."""
    moment = 0
    with suppress(OSError):  # another process has just removed it
        moment = path.stat().st_mtime_ns
    return path.name[: len("20260101-000000")], moment, path.name


def _names(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in range(2, 10_000))


def _new_folder(folder: Path, stem: str) -> Path:
    for name in _names(stem):
        with suppress(FileExistsError):
            (folder / name).mkdir(mode=0o700)
            return folder / name
    raise FileExistsError(f"{folder / stem} is taken")


def _settled(fresh: Path) -> str:
    """The name under which a finished back-up is found; until it has it, nobody sees it."""
    for name in _names(fresh.name.removeprefix(".")):
        if not (fresh.parent / name).exists():
            with suppress(OSError):
                fresh.rename(fresh.parent / name)
                return name
    raise FileExistsError(f"{fresh} cannot be given its name")


def _copy(source: Path, target: Path) -> None:
    raw = source.read_bytes()
    if len(raw) > _LARGEST:
        raise DocumentError(f"{source} is larger than {_LARGEST:,} bytes", hint="shorten it; nothing was changed")
    target.write_bytes(raw)


def _read(path: Path) -> Backup | None:
    """The back-up in a folder; None for what is none."""
    if not re.fullmatch(_ID, path.name):
        return None
    try:
        told = read(path / MANIFEST).value
        names = {key: tuple(str(name) for name in told.get(key) or ()) for key in ("files", "absent")}
        return Backup(id=path.name, made_at=str(told["made_at"]), reason=str(told["reason"]), **names)
    except (DocumentError, OSError, KeyError, TypeError, AttributeError):
        return None
