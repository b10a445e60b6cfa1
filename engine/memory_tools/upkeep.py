"""Making memory's folder ready, and taking out of it what nobody needs any more."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.documents import Document, Editing, files
from engine.memory import Memory
from engine.memory.backups import KEPT
from engine.memory.fixes import levelled
from engine.memory.notes import add_line
from engine.memory.places import KNOWN
from engine.memory.rows import SECTION
from engine.model.lazy_dataclass import dataclass

PATTERNS, FIXES, INBOX = KNOWN["patterns"], KNOWN["fixes"], KNOWN["inbox"]
COUNTED = {
    PATTERNS: ("id", "observations", "confirmed", "confidence", "weight"),
    FIXES: ("tool_name", "error_pattern", "times_prevented"),
}
"""What stays of a row that says otherwise just what is shipped."""
_NOTE = re.compile(r"- (\d{4}-\d{2}-\d{2}) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to be tidied: in which file, what in a sentence, and where in it."""

    file: str
    what: str
    path: tuple[str, int] | None = None
    keep: tuple[str, ...] = ()
    """Fields of a row that stay; none: the row goes."""


def make_ready(memory: Memory) -> dict[str, bool]:
    """Makes the files that people write, each empty but for what it is for; true for those that were made."""
    made = {}
    for name in (PATTERNS, FIXES):
        made[name] = not (memory.folder / name).exists()
        if made[name]:
            with memory.editing(name):
                pass
    made[INBOX] = not (memory.folder / INBOX).exists()
    if made[INBOX]:
        add_line(memory.folder / INBOX, memory.start(INBOX).rstrip("\n"), header="")
    return made


def chores(memory: Memory, *, now: float, days: int, keep: int = KEPT) -> tuple[Chore, ...]:
    """What can go: rows that say what is shipped, notes and sessions older than `days`, back-ups beyond the newest.

    A file that cannot be read is left out.
    """
    before = f"{datetime.fromtimestamp(now, UTC) - timedelta(days=days):%Y-%m-%d}"
    rows = (each for name in (PATTERNS, FIXES) for each in _rows(memory, name))
    backups = (
        Chore(file=f"backups/{old.id}", what=f"back-up of {old.made_at}, beyond the newest {keep}")
        for old in memory.backups.all()[keep:]
    )
    return (*rows, *_old_notes(memory, before), *_old_sessions(memory, before), *backups)


def tidy(memory: Memory, found: tuple[Chore, ...]) -> str:
    """Does the chores after a back-up of the files they are about, whose id is returned; empty when nothing was to do.

    Raises DocumentError; files that came before the one it is about are tidied then.
    """
    names = [each.file for each in found if not each.file.startswith("backups/")]
    kept = memory.backups.take(names, "cleanup").id if names else ""
    for name in dict.fromkeys(names):
        mine = [each for each in found if each.file == name]
        if name in COUNTED:
            _tidy_rows(memory, name, mine)
        elif name == INBOX:
            _tidy_notes(memory, {each.what for each in mine})
        else:
            (memory.folder / name).unlink(missing_ok=True)
    for each in found:
        if each.file.startswith("backups/"):
            shutil.rmtree(memory.folder / each.file, ignore_errors=True)
    return kept


def _rows(memory: Memory, name: str) -> Iterator[Chore]:
    live, seed = memory.written(name), memory.seed(name)
    if live is not None and seed is not None:
        yield from _needless(name, live, seed)


def _needless(name: str, live: Document, seed: Document) -> Iterator[Chore]:
    """The rows of a file that can go, or of which only the counts need stay."""
    shipped = {row_key(row): row for _, row in entries(seed)}
    for path, row in entries(live):
        beneath = shipped.get(row_key(row))
        whole = {key for key in row if key not in COUNTED[name]}
        if beneath is None and path[0] == "shipped_patterns" and not whole - {"kind"}:
            yield Chore(file=name, what=f"statistics of {row.get('id')}, which is no longer shipped", path=path)
        elif beneath is not None and whole and all(row[key] == beneath.get(key) for key in whole):
            stays = tuple(key for key in COUNTED[name] if key in row and (row[key] or key != "times_prevented"))
            counted = any(key in stays for key in ("observations", "times_prevented"))
            what = f"{' '.join(row_key(row)).strip()} says what is shipped; its counts stay"
            yield Chore(file=name, what=what, path=path, keep=stays if counted else ())


def entries(document: Document) -> Iterator[tuple[tuple[str, int], Mapping[str, Any]]]:
    """The rows of a file of patterns or fixes that are mappings, and where each stands."""
    value = document.value if isinstance(document.value, dict) else {}
    for section, rows in value.items():
        if isinstance(rows, list) and (section == "tool_fixes" or re.fullmatch(SECTION, section)):
            yield from (((section, at), row) for at, row in enumerate(rows) if isinstance(row, dict))


def row_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells two rows of a file apart."""
    if "tool_name" in row:
        return str(row["tool_name"]), levelled(str(row.get("error_pattern", "")))
    return (str(row.get("id") or row.get("pattern") or row.get("expression", "")),)


def _old_notes(memory: Memory, before: str) -> Iterator[Chore]:
    path = memory.folder / INBOX
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    for line in lines:
        found = _NOTE.match(line)
        if found and found[1] < before:
            yield Chore(file=INBOX, what=line)


def _old_sessions(memory: Memory, before: str) -> Iterator[Chore]:
    for path in sorted((memory.folder / "sessions").glob("????-??-??.md")):
        if path.stem < before:
            yield Chore(file=f"sessions/{path.name}", what=f"the session of {path.stem}")


def _tidy_rows(memory: Memory, name: str, found: list[Chore]) -> None:
    seed, wanted = memory.seed(name), {each.what for each in found}
    with memory.editing(name) as editing:
        # Looked at again under the lock: what stands where may have changed since.
        now = _needless(name, editing.document, seed) if seed is not None else ()
        mine = [each for each in now if each.what in wanted]
        for chore in sorted(mine, key=lambda each: each.path or ("", 0), reverse=True):
            if chore.path is not None:
                _tidy_row(editing, chore, chore.path)


def _tidy_row(editing: Editing, chore: Chore, path: tuple[str, int]) -> None:
    if not chore.keep:
        editing.remove(path)
        return
    row = editing.value[path[0]][path[1]]
    for key in [key for key in row if key not in chore.keep]:
        editing.remove((*path, key))


def _tidy_notes(memory: Memory, old: set[str]) -> None:
    path = memory.folder / INBOX
    with files.locked(files.real(path)):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        memory.backups.put({INBOX: "".join(line for line in lines if line.rstrip("\n") not in old)})
