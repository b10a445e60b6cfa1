"""A parsed document: its value, and the place of everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from yaml.events import ScalarEvent

from engine.documents.nodes import AliasNode, MappingNode, Node, SequenceNode, child, opening, unaliased
from engine.documents.texts import TextFinder
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place, Text
from engine.model.skill import Tree

Path = tuple[str | int, ...]
"""The way to a value: keys and positions from the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a YAML file says: `value` in plain Python types, `text` as it was read, `root` the nodes with their places.

    `mistakes` is empty unless the document was read `tolerant`.
    """

    value: Any
    name: str
    text: str
    root: Node | None
    mistakes: tuple[Finding, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return sha256(self.text.encode()).hexdigest()

    def node(self, path: Sequence[str | int]) -> Node | None:
        """The node at a path, None if there is none."""
        node = self.root
        for step in path:
            if node is None:
                return None
            node = child(node, step)
        return node

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Where the value at a path stands, or its key; the nearest parent's place when the path does not exist."""
        node, depth = self._nearest(path)
        if node is None:
            return Place(file=self.name, line=1, column=1)
        if key and depth == len(path) and path:
            parent = self.node(path[:-1])
            inside = unaliased(parent) if parent is not None else None
            if isinstance(inside, MappingNode) and path[-1] in inside.keys:
                return self._at(inside.keys[str(path[-1])])
        return self._at(opening(node))

    def tree(self, path: Sequence[str | int] = ()) -> Tree:
        """The value at a path with every string as a `Text`; KeyError if there is none."""
        node = self.node(path)
        if node is None:
            if not path:
                return None
            raise KeyError(tuple(path))
        return self._tree(node, self._value(path), TextFinder(self.text, self.name))

    def text_at(self, path: Sequence[str | int]) -> Text:
        """The string at a path with its place; KeyError if there is none, TypeError if it is no string."""
        found = self.tree(path)
        if not isinstance(found, Text):
            raise TypeError(f"{'.'.join(map(str, path))} is not text")
        return found

    def _nearest(self, path: Sequence[str | int]) -> tuple[Node | None, int]:
        node = self.root
        for depth, step in enumerate(path):
            inner = child(node, step) if node is not None else None
            if inner is None:
                return node, depth
            node = inner
        return node, len(path)

    def _value(self, path: Sequence[str | int]) -> Any:
        value = self.value
        for step in path:
            value = value[step]
        return value

    def _tree(self, node: Node, value: Any, finder: TextFinder) -> Tree:
        match node:
            case ScalarEvent():
                return finder.text(node) if isinstance(value, str) else value
            case MappingNode(values=values):
                return {key: self._tree(inner, value[key], finder) for key, inner in values.items()}
            case SequenceNode(items=items):
                return [self._tree(inner, each, finder) for inner, each in zip(items, value, strict=True)]
            case AliasNode(target=target):
                return self._tree(target, value, finder)

    def _at(self, event: Any) -> Place:
        return Place(file=self.name, line=event.start_mark.line + 1, column=event.start_mark.column + 1)
