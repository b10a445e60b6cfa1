"""From parser events to nodes and plain values, and every mistake that YAML itself lets pass."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from engine.documents.complaints import BRACES
from engine.documents.events import refuse
from engine.documents.nodes import AliasNode, MappingNode, Node, SequenceNode
from engine.documents.scalars import resolve
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a document may ask for: levels of nesting, bytes, and nodes with aliases counted in full."""

    depth: int = 64
    size: int = 1_000_000
    nodes: int = 100_000


DEFAULT_LIMITS = Limits()
MOST_MISTAKES = 200
_LONGEST_WORD = 60
Built = tuple[Node, Any]


class Builder:
    """Builds one document; mistakes that leave the rest readable gather in `mistakes`, others raise DocumentError."""

    __slots__ = ("_anchored", "_deepest", "_events", "_heights", "_left", "_limits", "_name", "mistakes")

    def __init__(self, events: Iterator[Any], name: str, limits: Limits) -> None:
        self.mistakes: list[Finding] = []
        self._events = events
        self._name = name
        self._limits = limits
        self._left = limits.nodes
        self._anchored: dict[str, Built | None] = {}
        self._heights: dict[str, int] = {}
        self._deepest = 0

    def document(self) -> tuple[Node | None, Any]:
        """The root node and its value; None and None for a file without content."""
        if self._next_document() is None:
            return None, None
        built = self._node(next(self._events), 1)
        if again := self._next_document():
            refuse(self._at(again), "several-documents", "a second document begins here", hint="keep one in each file")
        return built

    def _next_document(self) -> DocumentStartEvent | None:
        return next((event for event in self._events if type(event) is DocumentStartEvent), None)

    def _node(self, event: Any, depth: int) -> Built:
        self._left -= 1
        if self._left < 0:
            refuse(self._at(event), "too-many-nodes", f"there are more than {self._limits.nodes:,} values in this file")
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None:
            return event, self._plain(event) if event.implicit[0] else event.value
        if type(event) is AliasEvent:
            return self._alias(event, depth)
        return self._anchorable(event, depth)

    def _anchorable(self, event: Any, depth: int) -> Built:
        if event.tag is not None:
            self._mistake(
                event, "tag", f"the tag {_cut(event.tag)} is not used here", "remove it, or put the text in quotes"
            )
        self._descend(event, depth)
        if not event.anchor:
            return self._collection(event, depth)
        self._anchored[event.anchor] = None
        outer, self._deepest = self._deepest, depth
        built = self._anchored[event.anchor] = self._collection(event, depth)
        self._heights[event.anchor] = self._deepest - depth
        self._deepest = max(outer, self._deepest)
        return built

    def _descend(self, event: Any, depth: int) -> None:
        if depth > self._limits.depth:
            refuse(self._at(event), "too-deep", f"values are nested more than {self._limits.depth} levels deep")
        self._deepest = max(self._deepest, depth)

    def _collection(self, event: Any, depth: int) -> Built:
        if type(event) is ScalarEvent:
            return event, self._plain(event) if event.implicit[0] else event.value
        return self._mapping(event, depth) if type(event) is MappingStartEvent else self._sequence(event, depth)

    def _sequence(self, start: Any, depth: int) -> Built:
        before = self._left
        items: list[Node] = []
        values: list[Any] = []
        while type(event := next(self._events)) is not SequenceEndEvent:
            node, value = self._node(event, depth + 1)
            items.append(node)
            values.append(value)
        return SequenceNode(start, event, items, values, before - self._left + 1), values

    def _mapping(self, start: Any, depth: int) -> Built:
        before = self._left
        keys: dict[str, ScalarEvent] = {}
        nodes: dict[str, Node] = {}
        values: dict[str, Any] = {}
        while type(event := next(self._events)) is not MappingEndEvent:
            key = self._key(event, start, depth)
            node, value = self._node(next(self._events), depth + 1)
            if key is None:
                continue
            if key in keys:
                line = self._at(keys[key]).line
                self._mistake(
                    event, "duplicate-key", f"the key {_cut(key)!r} was given already on line {line}", "keep one"
                )
                continue
            keys[key], nodes[key], values[key] = event, node, value
        return MappingNode(start, event, keys, nodes, values, before - self._left + 1), values

    def _key(self, event: Any, mapping: Any, depth: int) -> str | None:
        """The text of a key; None where what stands there cannot be one, which is a mistake already noted."""
        self._left -= 1
        if type(event) is ScalarEvent:
            return self._scalar_key(event)
        self._node(event, depth + 1)
        if type(event) is MappingStartEvent and _index(event) == _index(mapping) + 1:
            self._mistake(mapping, "braces", BRACES.message, BRACES.hint)
        else:
            self._mistake(event, "key-type", "a key must be text", "write it as one word, or in quotes")
        return None

    def _scalar_key(self, event: ScalarEvent) -> str:
        word: str = event.value
        if event.tag is not None:
            self._mistake(event, "tag", f"the tag {_cut(event.tag)} is not used here", "remove it")
        if event.anchor:
            self._mistake(event, "key-type", "a key cannot have an anchor", "put the anchor on a value")
        if not event.implicit[0]:
            return word
        if word == "<<":
            hint = "write the keys out; an alias for a whole value (key: *name) is allowed"
            self._mistake(event, "merge-key", "merge keys (`<<`) are not part of YAML 1.2", hint)
        elif not isinstance(value := self._plain(event), str):
            kind = "empty" if word == "" else type(value).__name__ if value is not None else "null"
            called = {"int": "a number", "float": "a number", "bool": "true or false", "null": "null", "empty": "empty"}
            self._mistake(
                event, "key-type", f"this key is {called[kind]}, and a key must be text", f'write "{_cut(word)}"'
            )
        return word

    def _alias(self, event: AliasEvent, depth: int) -> Built:
        name = str(event.anchor)
        if name not in self._anchored:
            refuse(
                self._at(event), "alias", f"nothing above is anchored as &{_cut(name)}", hint="put the text in quotes"
            )
        anchored = self._anchored[name]
        if anchored is None:
            refuse(self._at(event), "alias", f"*{_cut(name)} stands inside the value it repeats")
        node, value = anchored
        self._descend(event, depth + self._heights[name])
        self._left -= node.size if isinstance(node, MappingNode | SequenceNode) else 1
        if self._left < 0:
            message = f"with every alias written out there are more than {self._limits.nodes:,} values in this file"
            refuse(self._at(event), "too-many-nodes", message)
        return AliasNode(event, node), deepcopy(value)

    def _plain(self, event: ScalarEvent) -> Any:
        try:
            return resolve(event.value)
        except ValueError as error:
            self._mistake(event, "number", f"this is {error}", "put it in quotes")
            return event.value

    def _mistake(self, event: Any, code: str, message: str, hint: str) -> None:
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(Finding(place=self._at(event), code=code, message=message, hint=hint))

    def _at(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(file=self._name, line=mark.line + 1, column=mark.column + 1)


def _cut(word: str) -> str:
    return word if len(word) <= _LONGEST_WORD else word[: _LONGEST_WORD - 3] + "..."


def _index(event: Any) -> int:
    return int(event.start_mark.index)
