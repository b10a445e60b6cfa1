"""Which characters to add to a text for one more key of a mapping or one more item of a list."""

from __future__ import annotations

from typing import Any

from engine.documents import written as yaml_text
from engine.documents.document import Document, Path
from engine.documents.layout import Splice, column, comment_below, dash_of, end_of, in_flow, is_flow, line_end, node_at
from engine.documents.nodes import Node
from engine.documents.splices import lines_below


def inserted(document: Document, path: Path, key: str, value: Any) -> list[Splice]:
    """The changes that add a key to the mapping at `path`, which has others."""
    node: Any = node_at(document, path)
    text, last = document.text, list(node.values.values())[-1]
    if is_flow(node) or in_flow(document, path):
        return [_behind(text, last, f"{yaml_text.scalar(key, flow=True)}: {yaml_text.flow(value, depth=1)}")]
    indent = column(text, next(iter(node.keys.values())).start_mark.index)
    return [_below(text, last, indent, yaml_text.entry(key, value, literal=_may_be_literal(text, last, indent)))]


def appended(document: Document, path: Path, value: Any) -> list[Splice]:
    """The changes that add an item to the list at `path`, which has others."""
    node: Any = node_at(document, path)
    text, last = document.text, node.items[-1]
    if is_flow(node) or in_flow(document, path):
        return [_behind(text, last, yaml_text.flow(value, depth=1))]
    indent = column(text, dash_of(document, path, 0))
    return [_below(text, last, indent, yaml_text.item(value, literal=_may_be_literal(text, last, indent)))]


def _may_be_literal(text: str, last: Node, indent: int) -> bool:
    return not comment_below(text, end_of(text, last), indent)


def _behind(text: str, last: Node, written: str) -> Splice:
    end = end_of(text, last)
    return Splice(start=end, end=end, text=f", {written}")


def _below(text: str, last: Node, indent: int, lines: list[str]) -> Splice:
    end = line_end(text, end_of(text, last))
    return Splice(start=end, end=end, text=lines_below(text, (" " * indent + line if line else line for line in lines)))
