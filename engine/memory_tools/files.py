"""`memory_read`, `memory_append`, `memory_update`, `memory_remove`, `memory_session_log`: the files, value by value."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from engine.documents import Editing
from engine.errors import InputError
from engine.memory.notes import add_line
from engine.memory.places import named, placed, writable
from engine.memory_tools.guarding import refuse_claims, refuse_mistakes
from engine.memory_tools.parts import MemoryParts
from engine.memory_tools.results import Changed, Remembered

LARGEST = 100_000
"""Characters of one value, as JSON."""
SESSIONS = "sessions"


async def memory_read(parts: MemoryParts, file: str = "", path: str = "") -> Remembered:
    """What stands in a memory file, or at a `path` in it (`tool_fixes.0.root_cause`); without `file`, which there are.

    A YAML file gives its value, the live one's, else the shipped one's; a Markdown file its text. Raises InputError for
    a file that is not there, DocumentError for one that cannot be read.
    """
    if not file:
        return Remembered(file="", path="", files=list(parts.memory.files()))
    name = named(file)
    placed(parts.memory.folder, name)
    if name.endswith(".md"):
        return Remembered(file=name, path="", value=_text(parts, name, path))
    document = parts.memory.document(name)
    if document is None:
        raise _absent(parts, name)
    found, value = _found(document.value, path)
    return Remembered(file=name, path=path, value=parts.secrets.mask(value), found=found)


async def memory_append(parts: MemoryParts, file: str, value: Any, path: str = "") -> Changed:
    """Adds `value` at the end of the list at `path` of a YAML file, or as lines at the end of a Markdown file.

    The file and the list are made when they are not there. Raises InputError and DocumentError; then nothing changed.
    """
    name, said = named(file), _fit(parts, value)
    target = writable(parts.memory.folder, name)
    if name.endswith(".md"):
        add_line(target, _line(said), header="")
        return Changed(file=name, path="", value=said)

    def append(editing: Editing) -> Any:
        editing.append(_steps(editing.value, path), said)
        return said

    return _changed(parts, name, path, append, backup="")


async def memory_update(parts: MemoryParts, file: str, path: str, value: Any) -> Changed:
    """Puts `value` at `path` of a YAML file, after a back-up; comments and all else stay.

    Raises InputError and DocumentError; then nothing changed.
    """
    name, said = named(file), _fit(parts, value)
    _refuse_text(parts, name, path)

    def put(editing: Editing) -> Any:
        editing.set(_steps(editing.value, path), said)
        return said

    return _changed(parts, name, path, put, backup="update")


async def memory_remove(parts: MemoryParts, file: str, path: str) -> Changed:
    """Takes out what stands at `path` of a YAML file, after a back-up, and gives what that was.

    Raises InputError and DocumentError; then nothing changed.
    """
    name = named(file)
    _refuse_text(parts, name, path)
    if not placed(parts.memory.folder, name).is_file():
        raise _absent(parts, name)

    def take_out(editing: Editing) -> Any:
        found, value = _found(editing.value, path)
        if not found:
            raise InputError(f"nothing stands at {path} of {name}", hint=f"`skill memory view {name}` shows it")
        editing.remove(_steps(editing.value, path))
        return value

    return _changed(parts, name, path, take_out, backup="remove")


async def memory_session_log(parts: MemoryParts, action: str, details: str = "") -> Changed:
    """Notes what was done, with the time, in today's `sessions/YYYY-MM-DD.md` (UTC).

    Raises InputError for an empty action, DocumentError when the file cannot be written.
    """
    now = datetime.fromtimestamp(parts.clock(), UTC)
    said = " ".join(str(parts.secrets.mask(action)).split())
    more = " ".join(str(parts.secrets.mask(details)).split())
    if not said:
        raise InputError("there is no action to note", hint="say in a few words what was done")
    name = f"{SESSIONS}/{now:%Y-%m-%d}.md"
    line = f"- {now:%H:%M:%SZ} {said}{f': {more}' if more else ''}"
    add_line(writable(parts.memory.folder, name), line[:LARGEST], header=f"# Session {now:%Y-%m-%d}\n\n")
    return Changed(file=name, path="", value=line)


def _changed(parts: MemoryParts, name: str, path: str, act: Callable[[Editing], Any], *, backup: str) -> Changed:
    """The file changed under its lock, checked before and after; a back-up is made before it is touched.

    A change that is refused leaves no back-up: they would push out those that undo something.
    """
    target, kept = writable(parts.memory.folder, name), ""
    with parts.memory.editing(name) as editing:
        before = editing.document
        value = act(editing)
        after = editing.document
        refuse_claims(name, before.value, after.value)
        refuse_mistakes(parts.memory, name, before, after)
        if backup and target.is_file() and before.text != after.text:
            kept = parts.memory.backups.take([name], backup).id
    return Changed(file=name, path=path, value=value, changed=before.text != after.text, backup=kept)


def _text(parts: MemoryParts, name: str, path: str) -> str:
    if path:
        raise InputError(f"{name} is text and has no {path}", hint="read all of it, without a path")
    target = placed(parts.memory.folder, name)
    if not target.is_file():
        raise _absent(parts, name)
    text: str = parts.secrets.mask(target.read_text(encoding="utf-8", errors="replace")[:1_000_000])
    return text


def _absent(parts: MemoryParts, name: str) -> InputError:
    from difflib import get_close_matches  # noqa: PLC0415 - late: only a mistyped name needs it

    near = get_close_matches(name, parts.memory.files(), n=1)
    hint = f"did you mean {near[0]}?" if near else "`skill memory view` lists the files"
    return InputError(f"there is no {name} in memory", hint=hint)


def _refuse_text(parts: MemoryParts, name: str, path: str) -> None:
    writable(parts.memory.folder, name)
    if name.endswith(".md"):
        raise InputError(f"{name} is text, and is changed by hand", hint=f"skill memory edit {name}")
    if not path:
        raise InputError(f"no path in {name} was given", hint="say where, as in tool_fixes.0.root_cause")


def _fit(parts: MemoryParts, value: Any) -> Any:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"this value cannot be kept: {error}", hint="give text, numbers, lists and mappings"
        ) from error
    if len(text) > LARGEST:
        raise InputError(f"this value is larger than {LARGEST:,} characters", hint="keep what matters of it")
    return parts.secrets.mask(json.loads(text))


def _line(value: Any) -> str:
    return value.rstrip("\n") if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _steps(value: Any, path: str) -> tuple[str | int, ...]:
    """The way to what the path names: positions in lists, keys in mappings."""
    steps: list[str | int] = []
    for part in path.split(".") if path else ():
        in_a_list = isinstance(value, list) and part.isdecimal()
        steps.append(int(part) if in_a_list else part)
        value = _inner(value, steps[-1])
    return tuple(steps)


def _found(value: Any, path: str) -> tuple[bool, Any]:
    for step in _steps(value, path):
        if not _holds(value, step):
            return False, None
        value = value[step]
    return True, value


def _inner(value: Any, step: str | int) -> Any:
    return value[step] if _holds(value, step) else None


def _holds(value: Any, step: str | int) -> bool:
    match value, step:
        case dict(), str():
            return step in value
        case list(), int():
            return step < len(value)
        case _:
            return False
