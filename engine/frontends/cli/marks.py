"""The marks of `skill list`, kept until a file that they were found in changes: finding them takes all the tools."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from engine.library import SkillEntry
from engine.workspace import Workspace
from tool_registry.registry import definitions_folder

Marks = Mapping[str, tuple[str, ...]]


def marks(entries: Sequence[SkillEntry], workspace: Workspace, find: Callable[[], Marks]) -> Marks:
    """What `find` gives, or gave when every file that has a say in it was what it is now."""
    digest = _digest(_read(entries, workspace))
    kept = workspace.cache / f"needs-{digest}.json"
    with suppress(OSError, ValueError):
        return {str(name): tuple(needed) for name, needed in json.loads(kept.read_text(encoding="utf-8")).items()}
    found = find()
    if workspace.remembers:
        with suppress(OSError):
            _keep(kept, found)
    return found


def _read(entries: Sequence[SkillEntry], workspace: Workspace) -> Iterator[Path]:
    """The files that say what skills and tools need, and who describes it."""
    yield from (entry.path for entry in entries)
    for folder in (*workspace.tool_folders, workspace.folder / "config"):
        yield from sorted(folder.glob("*.yaml"))
    yield workspace.settings_file or workspace.folder
    yield workspace.folder / str(workspace.settings.get("mcp", {}).get("file", ".mcp.json"))
    shipped = definitions_folder()
    yield from sorted(shipped.glob("*.yaml"))
    yield from sorted(shipped.with_name("functions").glob("*.py"))


def _digest(paths: Iterator[Path]) -> str:
    """Which files they are, and in which state, in a few letters."""
    summed = hashlib.sha256()
    for path in paths:
        try:
            told = path.stat()
        except OSError:
            continue
        summed.update(f"{path}\0{told.st_mtime_ns}\0{told.st_size}\0{told.st_ino}\n".encode(errors="surrogateescape"))
    return summed.hexdigest()[:32]


def _keep(path: Path, found: Marks) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for older in path.parent.glob("needs-*.json"):
        older.unlink(missing_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")
