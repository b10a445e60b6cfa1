"""Which characters of a text to change, so that a value changes and all else stays as a person wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from yaml.events import ScalarEvent

from engine.documents import written as yaml_text
from engine.documents.document import Document, Path
from engine.documents.layout import (
    Splice,
    column,
    comment_below,
    dash_of,
    end_of,
    in_flow,
    is_flow,
    line_end,
    line_start,
    newline,
    next_line,
    node_at,
    start_of,
)
from engine.documents.nodes import MappingNode, Node, SequenceNode
from engine.model.lazy_dataclass import dataclass

_COMMENT = re.compile(r"[^#]*?(?=\s*(?:#|$))")
"""What stands before a comment and the blanks that set it off."""


def replaced(document: Document, path: Path, value: Any) -> list[Splice]:
    """The changes that put `value` where another stands."""
    if document.root is None:
        return [_at_end(document, yaml_text.dump(value).splitlines())]
    node = node_at(document, path)
    if in_flow(document, path):
        return [_in_flow(document, node, value)]
    holder = _Holder.of(document, path)
    literal = not _comment_would_join(document, node, holder)
    written = holder.written(_in_style(node, value, literal=literal))
    if _stands_below(document, path, node):
        return _replace_below(document, node, holder, written)
    return _replace_inline(document, node, holder, written)


def _comment_would_join(document: Document, node: Node, holder: _Holder) -> bool:
    """Whether a comment behind or below the value would become part of a literal block in its place."""
    text, end = document.text, end_of(document.text, node)
    behind = holder.is_root and text[end : line_end(text, end)].strip()
    return bool(behind) or comment_below(text, end, holder.indent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """What a value hangs on: a key, a dash, or nothing at the root; `end` is where a value may begin."""

    indent: int
    end: int
    is_dash: bool = False
    is_root: bool = False

    @classmethod
    def of(cls, document: Document, path: Path) -> _Holder:
        if not path:
            return cls(indent=-yaml_text.STEP, end=0, is_root=True)
        parent, text = node_at(document, path[:-1]), document.text
        if isinstance(parent, MappingNode):
            key: Any = parent.keys[str(path[-1])]
            colon = text.index(":", key.end_mark.index)
            return cls(indent=column(text, key.start_mark.index), end=colon + 1)
        indent = column(text, start_of(parent))
        return cls(indent=indent, end=dash_of(document, path[:-1], int(path[-1])) + 1, is_dash=True)

    def written(self, value: yaml_text.Written) -> yaml_text.Written:
        """The value with its lines indented for this holder; behind a dash the first stands on its line."""
        pad = " " * (self.indent + yaml_text.STEP)
        if self.is_root and value.inline and value.below:
            pad = " " * yaml_text.STEP
        below = [pad + line if line else line for line in value.below]
        if self.is_dash and not value.inline and below:
            return yaml_text.Written(inline=value.below[0], below=tuple(below[1:]))
        return yaml_text.Written(inline=value.inline, below=tuple(below))


def _in_style(node: Node, value: Any, *, literal: bool) -> yaml_text.Written:
    """The value written as the one before was, where that can hold it: its quotes, its brackets."""
    if isinstance(node, ScalarEvent) and isinstance(value, str) and "\n" not in value:
        if node.style == "'" and (quoted := yaml_text.single_quoted(value)):
            return yaml_text.Written(inline=quoted)
        if node.style == '"':
            return yaml_text.Written(inline=yaml_text.double_quoted(value))
    if isinstance(node, MappingNode | SequenceNode) and is_flow(node) and node.value and isinstance(value, dict | list):
        return yaml_text.Written(inline=yaml_text.flow(value))
    return yaml_text.write(value, literal=literal)


def _stands_below(document: Document, path: Path, node: Node) -> bool:
    """Whether the value is a block collection that begins on a line after its key or dash."""
    if not path or is_flow(node) or not isinstance(node, MappingNode | SequenceNode):
        return False
    start = start_of(node)
    return not document.text[line_start(document.text, start) : start].strip()


def _replace_inline(document: Document, node: Node, holder: _Holder, written: yaml_text.Written) -> list[Splice]:
    text, start, end = document.text, start_of(node), end_of(document.text, node)
    if isinstance(node, ScalarEvent) and node.style in {"|", ">"}:
        header = line_end(text, start)
        inline = written.inline + _COMMENT.sub("", text[start:header], count=1)
        return [
            _inline(text, start, header, inline),
            Splice(start=header, end=end, text=lines_below(text, written.below)),
        ]
    if holder.is_root and not written.inline:
        return [Splice(start=start, end=end, text=newline(text).join(written.below))]
    if start == end and not holder.is_root:
        start = end = holder.end
    bottom = line_end(text, end)
    below = Splice(start=bottom, end=bottom, text=lines_below(text, written.below))
    return [_inline(text, start, end, written.inline), below]


def _inline(text: str, start: int, end: int, inline: str) -> Splice:
    if not inline:
        blanks = len(text[:start]) - len(text[:start].rstrip(" \t"))
        return Splice(start=start - blanks, end=end, text="")
    before = " " if start and not text[start - 1].isspace() and text[start - 1] in ":-" else ""
    after = " " if end < len(text) and text[end] == "#" else ""
    return Splice(start=start, end=end, text=before + inline + after)


def _replace_below(document: Document, node: Node, holder: _Holder, written: yaml_text.Written) -> list[Splice]:
    text = document.text
    first, last = line_start(text, start_of(node)), next_line(text, end_of(text, node))
    lines = "".join(line + newline(text) for line in written.below)
    if last == len(text) and not text.endswith("\n"):
        lines = lines.removesuffix(newline(text))
    below = Splice(start=first, end=last, text=lines)
    if not written.inline:
        return [below]
    return [Splice(start=holder.end, end=holder.end, text=" " + written.inline), below]


def _in_flow(document: Document, node: Node, value: Any) -> Splice:
    text, start, end = document.text, start_of(node), end_of(document.text, node)
    inline = yaml_text.flow(value, depth=1)
    if isinstance(node, ScalarEvent) and isinstance(value, str):
        quoted = yaml_text.single_quoted(value) if node.style == "'" else None
        inline = yaml_text.double_quoted(value) if node.style == '"' else quoted or inline
    before = " " if start == end and start and not text[start - 1].isspace() else ""
    return Splice(start=start, end=end, text=before + inline)


def lines_below(text: str, lines: Iterable[str]) -> str:
    """The lines as they follow the end of another line of this text."""
    return "".join(newline(text) + line for line in lines)


def _at_end(document: Document, lines: list[str]) -> Splice:
    text = document.text
    before = newline(text) if text and not text.endswith("\n") else ""
    written = "".join(line + newline(text) for line in lines)
    return Splice(start=len(text), end=len(text), text=before + written)
