"""Memory as one document: written for another machine, and taken in from one, all of it or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from engine.documents import Document, Editing, files, parse
from engine.errors import DocumentError, InputError
from engine.memory import Memory
from engine.memory.backups import Backup
from engine.memory.places import KNOWN, named, placed, writable
from engine.memory_tools.upkeep import entries, row_key
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding
from engine.model.secret import Secrets
from engine.workspace import make_private

FORMAT = "skill-memory/1"
LEFT_OUT = frozenset({KNOWN["failures"], KNOWN["health"], KNOWN["dashboard"], KNOWN["inbox"]})
"""Files that say what happened on one machine; another has its own."""
COUNTS = frozenset({"observations", "confirmed", "confidence", "weight", "times_prevented"})
"""Fields counted on one machine, which healing and prediction act by; they are left out."""
FORETOLD = COUNTS | {"predicted", "prevented", "false_alarms"}
"""The same of what foretells failures."""
MOST_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of an import: by file what was added, replaced or left as it was; the back-up undoes it."""

    files: Mapping[str, str]
    backup: str = ""


def exported(memory: Memory, secrets: Secrets, *, now: float) -> dict[str, Any]:
    """The live files with their comments, secrets masked; what only happened on this machine is left out.

    Raises InputError for a file that a symbolic link has outside of the memory folder.
    """
    texts = {
        name: secrets.mask(placed(memory.folder, name).read_text(encoding="utf-8", errors="replace"))
        for name in memory.files()
        if name not in LEFT_OUT and (memory.folder / name).is_file()
    }
    made = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {"format": FORMAT, "exported_at": made, "files": texts}


def taken_in(memory: Memory, package: Document, *, replace: bool = False, dry: bool = False) -> Taken:
    """Brings the package's files into memory, after all of them were found right, and after a back-up.

    Merged: rows and keys that are not there yet are added, and what is there stays. With `replace` the package's files
    take the place of those there are. Raises InputError and DocumentError; then nothing was changed.
    """
    texts = _texts(package)
    wanted = {name: _wanted(memory, name, text, replace=replace) for name, text in _valid(memory, texts).items()}
    told = {name: what for name, (what, _) in wanted.items()}
    news = {name: text for name, (what, text) in wanted.items() if what != "unchanged"}
    if dry or not news:
        return Taken(files=told)
    backup = memory.backups.take(news, "import")
    _write(memory, news, texts, backup, replace=replace)
    return Taken(files=told, backup=backup.id)


def _texts(package: Document) -> dict[str, str]:
    """The files of a package by their whole names. Raises InputError for what is none, or leads elsewhere."""
    value = package.value
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("files"), dict):
        raise InputError(f"{package.name} is no exported memory", hint="`skill memory export` writes one")
    given = value["files"]
    if len(given) > MOST_FILES:
        raise InputError(f"{package.name} holds more than {MOST_FILES} files", hint="import it in parts")
    if strange := [name for name, text in given.items() if not isinstance(text, str) or named(name) != name]:
        raise InputError(f"{strange[0]} in {package.name} is no file of memory", hint="leave it out")
    return dict(given)


def _valid(memory: Memory, texts: Mapping[str, str]) -> dict[str, str]:
    """The texts, when each of them may be written and is right. Raises DocumentError with every finding."""
    found: list[Finding] = []
    for name, text in texts.items():
        writable(memory.folder, name)
        found.extend(_mistakes(memory, name, text))
    if found:
        raise DocumentError(found[0].message, findings=found, hint=f"{found[0].hint}; nothing was changed")
    return dict(texts)


def _mistakes(memory: Memory, name: str, text: str) -> Iterable[Finding]:
    if name.endswith(".md"):
        return ()
    try:
        return memory.mistakes(name, parse(text, f"import:{name}"))
    except DocumentError as error:
        return error.told(f"import:{name}")


def _wanted(memory: Memory, name: str, text: str, *, replace: bool) -> tuple[str, str]:
    """What is to become of a file: in a word, and its new text."""
    path = memory.folder / name
    now = path.read_text(encoding="utf-8") if path.is_file() else None
    if now == text:
        return "unchanged", text
    if now is None or replace:
        return "added" if now is None else "replaced", _uncounted(name, text)
    if name.endswith(".md"):
        added = [line for line in text.splitlines() if line and line not in set(now.splitlines())]
        return (f"{len(added)} lines added", _with_lines(now, added)) if added else ("unchanged", now)
    editing = Editing(parse(now, str(path)))
    count = _merge(editing, parse(_uncounted(name, text), f"import:{name}"))
    return (f"{count} entries added", editing.finished().text) if count else ("unchanged", now)


def _uncounted(name: str, text: str) -> str:
    """The text without what was counted on another machine."""
    counts = {KNOWN["patterns"]: COUNTS, KNOWN["fixes"]: COUNTS, KNOWN["contexts"]: FORETOLD}.get(name)
    if counts is None:
        return text
    editing = Editing(parse(text, name))
    value = editing.value if isinstance(editing.value, dict) else {}
    lists = {section: rows for section, rows in value.items() if isinstance(rows, list)}
    rows = [((section, at), row) for section, each in lists.items() for at, row in enumerate(each)]
    for path, row in rows:
        for key in [key for key in row if key in counts] if isinstance(row, dict) else ():
            editing.remove((*path, key))
    return editing.finished().text


def _write(memory: Memory, news: Mapping[str, str], texts: Mapping[str, str], backup: Backup, *, replace: bool) -> None:
    """Writes every file while all are held; where one cannot be written, those before it are put back.

    What another process wrote in the meantime is merged with, not lost.
    """
    with ExitStack() as held:
        for name in sorted(news):
            make_private((memory.folder / name).parent)
            held.enter_context(files.locked(files.real(memory.folder / name)))
        now = {name: _wanted(memory, name, texts[name], replace=replace)[1] for name in news}
        done: list[str] = []
        try:
            for name, text in now.items():
                memory.backups.put({name: text})
                done.append(name)
        except (DocumentError, OSError):
            memory.backups.put({name: memory.backups.text(backup, name) for name in done})
            raise


def _merge(editing: Editing, other: Document) -> int:
    """Adds what the other document has and this one has not; how much that was."""
    rows = {row_key(row) for _, row in entries(editing.document)}
    fresh = [(path[0], row) for path, row in entries(other) if row_key(row) not in rows]
    for section, row in fresh:
        editing.append((section,), dict(row))
    more = list(_missing(editing.value, other.value, ()))
    for path, value in more:
        editing.set(path, value)
    return len(fresh) + len(more)


def _missing(mine: Any, theirs: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The keys of mappings that only the other has; lists of rows have been merged by what tells rows apart."""
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        return
    for key, value in theirs.items():
        if key not in mine:
            yield (*path, key), value
        else:
            yield from _missing(mine[key], value, (*path, key))


def _with_lines(text: str, lines: list[str]) -> str:
    return "".join([text, "" if text.endswith("\n") or not text else "\n", *(f"{line}\n" for line in lines)])
