"""Names of memory files as people and agents give them, and where each lies: never outside the memory folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from engine.errors import InputError

KNOWN = {
    "patterns": "learned/patterns.yaml",
    "fixes": "learned/tool_fixes.yaml",
    "failures": "learned/tool_failures.yaml",
    "contexts": "learned/failure_contexts.yaml",
    "proposals": "learned/proposals.yaml",
    "health": "state/environment_health.yaml",
    "dashboard": "stats/auto_heal_dashboard.yaml",
    "inbox": "inbox.md",
}
"""Short names of the files the engine reads and writes."""
WRITTEN_BY_THE_ENGINE = frozenset({KNOWN["failures"], KNOWN["health"], KNOWN["dashboard"]})
"""Files whose whole content comes from history or from looking; what anybody else writes there is overwritten."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,79}")
_DEEPEST = 6


def named(name: str) -> str:
    """The file's name in the memory folder: a short name in full, `learned/notes` with its `.yaml`.

    Raises InputError for what could lead elsewhere, or is no text file of memory.
    """
    if name in KNOWN:
        return KNOWN[name]
    parts = name.split("/")
    if not name or len(parts) > _DEEPEST or not all(_PART.fullmatch(part) and ".." not in part for part in parts):
        raise InputError(
            f"{name!r} is not a file of memory",
            hint="name it by its place in the memory folder (learned/patterns.yaml), without `..` and not from `/` on",
        )
    path = PurePosixPath(name)
    if path.suffix in {".yaml", ".md"}:
        return str(path)
    if path.suffix == ".yml" or re.fullmatch(r"\.[a-z]{1,5}", path.suffix):
        raise InputError(f"{name} is neither .yaml nor .md", hint="memory holds nothing else")
    return f"{path}.yaml"


def placed(folder: Path, name: str) -> Path:
    """Where the file `name` of the memory folder is or will be.

    Raises InputError when a symbolic link in its path leads out of the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{name} leads out of the memory folder", hint="a symbolic link stands in its path")
    return path


def writable(folder: Path, name: str) -> Path:
    """Like `placed`, for a file that somebody other than the engine may write. Raises InputError."""
    if name in WRITTEN_BY_THE_ENGINE:
        raise InputError(f"{name} is written by the engine", hint="what is changed there is overwritten after a run")
    if name.startswith("backups/"):
        raise InputError("back-ups are not changed", hint="`skill memory restore` puts one back")
    return placed(folder, name)
