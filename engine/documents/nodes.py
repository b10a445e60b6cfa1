"""The parts of a parsed document, each with where it stands.

These are not frozen: thousands are made for every file read, and freezing would triple the time.
"""

from __future__ import annotations

from typing import Any

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.model.lazy_dataclass import dataclass


@dataclass(slots=True)
class MappingNode:
    """A mapping: the event of each key and the node of each value, in the file's order.

    `size` is the number of nodes in it, aliases counted as what they stand for.
    """

    start: MappingStartEvent
    end: MappingEndEvent
    keys: dict[str, ScalarEvent]
    values: dict[str, Node]
    value: dict[str, Any]
    size: int


@dataclass(slots=True)
class SequenceNode:
    """A list and its items."""

    start: SequenceStartEvent
    end: SequenceEndEvent
    items: list[Node]
    value: list[Any]
    size: int


@dataclass(slots=True)
class AliasNode:
    """An alias (`*name`), and the node it stands for."""

    start: AliasEvent
    target: Node


Node = ScalarEvent | MappingNode | SequenceNode | AliasNode
"""A scalar is its own parser event: nothing is known of it that the event does not say."""


def unaliased(node: Node) -> Node:
    """The node itself, or what the alias stands for."""
    while isinstance(node, AliasNode):
        node = node.target
    return node


def child(node: Node, step: str | int) -> Node | None:
    """The node one step further down, None where there is none."""
    match unaliased(node):
        case MappingNode(values=values):
            return values.get(step) if isinstance(step, str) else None
        case SequenceNode(items=items) if isinstance(step, int):
            return items[step] if -len(items) <= step < len(items) else None
        case _:
            return None


def opening(node: Node) -> Any:
    """The parser event that began the node; its `start_mark` says where."""
    return node if isinstance(node, ScalarEvent) else node.start
