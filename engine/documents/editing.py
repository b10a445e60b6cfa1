"""Changing a file that people edit: a value changes, and every comment, quote and blank line stays."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from yaml.events import ScalarEvent

from engine.documents.additions import appended, inserted
from engine.documents.document import Document, Path
from engine.documents.layout import Splice, node_at, spliced
from engine.documents.nodes import Node
from engine.documents.plain import at, holds, kept_items, plain, same, stored
from engine.documents.reader import parse
from engine.documents.removals import removed
from engine.documents.splices import replaced
from engine.errors import DocumentError


class Editing:
    """One document being changed; `value` is what it will say."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._value = deepcopy(document.value)
        self._pending: dict[Path, Splice] = {}

    @property
    def value(self) -> Any:
        """The document's value with all changes so far; for reading only."""
        return self._value

    @property
    def document(self) -> Document:
        """The document with all changes so far."""
        if self._pending:
            splices = list(self._pending.values())
            self._pending.clear()
            self._splice(splices)
        return self._document

    def set(self, path: Path, value: Any) -> None:
        """Puts `value` at a path, with the mappings on the way to it; lists on the way must have the item."""
        value = plain(value)
        depth = self._existing(path)
        if depth < len(path):
            parent, key = path[:depth], path[depth]
            for inner in reversed(path[depth + 1 :]):
                value = {str(inner): value}
            self._insert(parent, key, value)
        else:
            self._change(path, value)

    def replace(self, path: Path, value: Any) -> None:
        """Puts `value` where another stands, all of it new; `set` would leave standing what is the same inside."""
        if self._existing(path) < len(path):
            raise KeyError(path)
        self._put(path, plain(value))

    def append(self, path: Path, value: Any) -> None:
        """Adds an item at the end of the list at a path; a list is made where there is nothing yet."""
        value = plain(value)
        if self._existing(path) < len(path) or (current := at(self._value, path)) is None:
            self.set(path, [value])
            return
        if not isinstance(current, list):
            raise self._unfit(path, "is no list")
        if current:
            self._splice(appended(self.document, path, value))
        else:
            self._splice(replaced(self.document, path, [value]))
        current.append(value)

    def remove(self, path: Path) -> None:
        """Takes out what stands at a path; KeyError if nothing does."""
        if not path or self._existing(path) < len(path):
            raise KeyError(path)
        parent = at(self._value, path[:-1])
        if len(parent) == 1:
            self._put(path[:-1], type(parent)())
            return
        position = path[-1]
        path = (*path[:-1], position % len(parent)) if isinstance(position, int) else path
        self._splice(removed(self.document, path))
        del parent[path[-1]]

    def finished(self) -> Document:
        """The document as it will be written; DocumentError if its text does not say what was asked for."""
        document = self.document
        if not same(document.value, self._value):
            raise self._refused()
        return document

    def _existing(self, path: Path) -> int:
        """How many steps of the path lead to something."""
        value = self._value
        for depth, step in enumerate(path):
            if not holds(value, step):
                return depth
            value = value[step]
        return len(path)

    def _insert(self, parent: Path, key: str | int, value: Any) -> None:
        holder = at(self._value, parent)
        if holder is None or holder == {}:
            self._put(parent, {key: value})
            return
        if not isinstance(holder, dict) or not isinstance(key, str):
            raise self._unfit(parent, f"holds no {key!r} and cannot be given one")
        self._splice(inserted(self.document, parent, key, value))
        holder[key] = value

    def _change(self, path: Path, value: Any) -> None:
        current = at(self._value, path)
        if same(current, value):
            return
        if isinstance(value, dict) and isinstance(current, dict) and value and current:
            self._change_mapping(path, current, value)
        elif isinstance(value, list) and isinstance(current, list) and value and current:
            self._change_list(path, current, value)
        else:
            self._put(path, value)

    def _change_mapping(self, path: Path, current: dict[str, Any], value: dict[str, Any]) -> None:
        for key, inner in value.items():
            self.set((*path, key), inner)
        for key in [key for key in current if key not in value]:
            self.remove((*path, key))

    def _change_list(self, path: Path, current: list[Any], value: list[Any]) -> None:
        kept = kept_items(current, value)
        if kept is None:
            for index, inner in enumerate(value[: len(current)]):
                self._change((*path, index), inner)
            kept = list(range(min(len(current), len(value))))
        for index in reversed(range(len(current))):
            if index not in kept:
                self.remove((*path, index))
        for inner in value[len(kept) :]:
            self.append(path, inner)

    def _put(self, path: Path, value: Any) -> None:
        """Replaces what stands at the path; words on one line wait for each other and are spliced together."""
        if self._document.root is not None and _fits_in_line(node_at(self._document, path), value):
            (splice,) = (each for each in replaced(self._document, path, value) if each.text)
            self._pending[path] = splice
        else:
            self._splice(replaced(self.document, path, value))
        self._value = stored(self._value, path, value)

    def _splice(self, splices: list[Splice]) -> None:
        self._document = self._read(spliced(self._document.text, splices))

    def _read(self, text: str) -> Document:
        try:
            return parse(text, self._document.name)
        except DocumentError as error:
            raise self._refused() from error

    def _refused(self) -> DocumentError:
        message = "this change cannot be written without disturbing the rest of the file"
        return DocumentError(message, place=self._document.place(()), hint="make it by hand; the file is as it was")

    def _unfit(self, path: Path, problem: str) -> DocumentError:
        called = ".".join(map(str, path)) or "the file"
        return DocumentError(f"{called} {problem}", place=self.document.place(path), hint="the file is as it was")


def _fits_in_line(node: Node, value: Any) -> bool:
    """Whether a word replaces a word, which moves nothing that another change could stand on."""
    is_word = isinstance(node, ScalarEvent) and node.style not in {"|", ">"}
    return is_word and not isinstance(value, dict | list) and not (isinstance(value, str) and "\n" in value)
