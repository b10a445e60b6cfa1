"""One part of a skill file: its value, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.documents import Document
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place, Text
from engine.model.skill import Tree

Route = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The value at `route` of a document; forgiving, so that a broken file can still be looked at.

    `tree` is the same value with every string placed.
    """

    document: Document
    route: Route
    value: Any
    tree: Tree

    def __contains__(self, key: str) -> bool:
        """Whether the author wrote this key."""
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str | int) -> Part:
        """The part under a key or index that exists."""
        return Part(document=self.document, route=(*self.route, key), value=self.value[key], tree=self.tree[key])

    def get(self, key: str, default: Any = None) -> Any:
        """The plain value under `key`, or `default`."""
        return self.value.get(key, default) if isinstance(self.value, dict) else default

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.document.place(self.route)

    @property
    def key_place(self) -> Place:
        """Where the key before the value stands."""
        return self.document.place(self.route, key=True)

    def place_of(self, key: str) -> Place:
        """Where `key` stands; where this part stands when it is not written."""
        return self[key].key_place if key in self else self.place

    def mapping(self, key: str) -> Mapping[str, Any]:
        """The mapping under `key`; empty when there is none."""
        value = self.get(key)
        return value if isinstance(value, dict) else {}

    def listed(self, key: str) -> Iterator[Part]:
        """Each mapping in the list under `key`; nothing when it is not a list."""
        inner = self.get(key)
        for index, value in enumerate(inner if isinstance(inner, list) else ()):
            if isinstance(value, dict):
                yield self[key][index]

    def name(self) -> str:
        """The `name` the author gave; empty when it is missing or no text."""
        name = self.get("name")
        return name if isinstance(name, str) else ""

    def placed(self, key: str) -> Tree:
        """The value under `key` with every string placed; None when it is not written."""
        return self.tree[key] if key in self else None

    def text(self, key: str) -> Text | None:
        """The text under `key` with its place; a boolean as the word that expressions use; None for anything else."""
        value = self.get(key)
        if isinstance(value, bool):
            return Text(text=str(value), place=self[key].place)
        return self.tree[key] if isinstance(value, str) else None


def whole(document: Document) -> Part:
    """The whole document as a part."""
    return Part(document=document, route=(), value=document.value, tree=document.tree())
