"""How a document lies in its text: where parts end, where lines begin, what stands between."""

from __future__ import annotations

from typing import Any

from yaml.events import ScalarEvent

from engine.documents.document import Document, Path
from engine.documents.nodes import AliasNode, MappingNode, Node, SequenceNode, opening
from engine.errors import DocumentError
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """A change to a text: what stands from `start` up to `end` becomes `text`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: list[Splice]) -> str:
    """The text with all changes made; positions count in the text as it was."""
    parts, position = [], 0
    for each in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        parts += [text[position : each.start], each.text]
        position = each.end
    return "".join([*parts, text[position:]])


def start_of(node: Node) -> int:
    """The index of a node's first character."""
    return int(opening(node).start_mark.index)


def end_of(text: str, node: Node) -> int:
    """The index after a node's last character; of a block scalar, the end of its last line."""
    match node:
        case ScalarEvent(style="|" | ">"):
            return _block_end(text, node)
        case ScalarEvent():
            return _index(node.end_mark)
        case AliasNode(start=start):
            return _index(start.end_mark)
        case MappingNode(values=values) if not is_flow(node) and values:
            return end_of(text, list(values.values())[-1])
        case SequenceNode(items=items) if not is_flow(node) and items:
            return end_of(text, items[-1])
        case MappingNode(end=end) | SequenceNode(end=end):
            return _index(end.end_mark)


def is_flow(node: Node) -> bool:
    """Whether a collection is written in brackets."""
    return isinstance(node, MappingNode | SequenceNode) and bool(node.start.flow_style)


def in_flow(document: Document, path: Path) -> bool:
    """Whether the value at a path stands inside brackets."""
    return any(is_flow(node_at(document, path[:depth])) for depth in range(len(path)))


def node_at(document: Document, path: Path) -> Node:
    """The node at a path that exists; DocumentError where the way leads through an alias."""
    node = document.root
    for step in path:
        if isinstance(node, AliasNode):
            hint = f"change it where it is anchored, on line {opening(node.target).start_mark.line + 1}"
            raise DocumentError("this value is an alias", place=document.place(path), hint=hint)
        match node, step:
            case MappingNode(values=values), str():
                node = values[step]
            case SequenceNode(items=items), int():
                node = items[step]
            case _:
                raise KeyError(path)
    if node is None:
        raise KeyError(path)
    return node


def dash_of(document: Document, path: Path, position: int) -> int:
    """The index of the dash of an item of the block list at a path."""
    node, text = node_at(document, path), document.text
    if not isinstance(node, SequenceNode):
        raise KeyError(path)
    if position:
        before = line_end(text, end_of(text, node.items[position - 1]))
        return skip_blanks(text, before, len(text))
    start = start_of(node)
    return skip_blanks(text, line_end(text, start), len(text)) if node.start.anchor else start


def line_start(text: str, index: int) -> int:
    """The index of the first character of the line."""
    return text.rfind("\n", 0, index) + 1


def line_end(text: str, index: int) -> int:
    """The index of the line's end, before what ends it."""
    end = text.find("\n", index)
    if end < 0:
        return len(text)
    return end - 1 if end and text[end - 1] == "\r" else end


def next_line(text: str, index: int) -> int:
    """The index of the first character of the next line, or the end of the text."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def column(text: str, index: int) -> int:
    """How many characters stand before on the line."""
    return index - line_start(text, index)


def newline(text: str) -> str:
    """What ends the lines of this text."""
    return "\r\n" if "\r\n" in text else "\n"


def skip_blanks(text: str, index: int, stop: int) -> int:
    """The index of the next character that is neither blank nor in a comment."""
    while index < stop:
        if text[index] == "#":
            index = next_line(text, index)
        elif text[index].isspace():
            index += 1
        else:
            break
    return min(index, stop)


def comment_below(text: str, index: int, indent: int) -> bool:
    """Whether a comment indented deeper than `indent` follows on the next lines with nothing but comments."""
    start = next_line(text, index)
    while start < len(text):
        line = text[start : line_end(text, start)]
        bare = line.lstrip(" ")
        if bare.startswith("#") and len(line) - len(bare) > indent:
            return True
        if bare.strip() and not bare.startswith("#"):
            return False
        start = next_line(text, start)
    return False


def _block_end(text: str, node: Any) -> int:
    start, end = _index(node.start_mark), _index(node.end_mark)
    header = text[start : line_end(text, start)].partition("#")[0]
    kept = text[start:end] if "+" in header else text[start:end].rstrip(" \t\r\n")
    return line_end(text, start + len(kept.removesuffix("\n").removesuffix("\r")))


def _index(mark: Any) -> int:
    return int(mark.index)
