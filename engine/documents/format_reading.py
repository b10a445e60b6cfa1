"""Takes a document apart for the formatter, so that every comment has an entry it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn, TypeGuard

from yaml.events import ScalarEvent

from engine.documents.document import Document, Path
from engine.documents.events import place_of
from engine.documents.format_lines import Lines
from engine.documents.format_parts import Atom, Block, Entry, Parts, single_spaced
from engine.documents.format_scalars import block_atom, line_atom
from engine.documents.layout import column, end_of, is_flow, start_of
from engine.documents.nodes import AliasNode, MappingNode, Node, SequenceNode
from engine.errors import DocumentError

_BEGIN = re.compile(r"---(?=[ \t]|$)")
_END = re.compile(r"\.\.\.(?=[ \t]|$)")
_COLON = re.compile(r"[ \t]*:(?=[ \t\n]|$)")
_DASH = re.compile(r"-(?=[ \t\n]|$)")


def parts(document: Document) -> Parts:
    """The parts of a document whose lines end with line feeds; DocumentError where something cannot be moved."""
    return _Reading(document).whole()


class _Reading:
    """One walk over the nodes, with a place in the text that only moves forward."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._lines = Lines(document.text)

    def whole(self) -> Parts:
        """All of it."""
        prologue, root = self._prologue(), self._document.root
        value = self._root_block(root) if _is_block(root) else self._alone(root)
        return Parts(prologue=prologue, value=value, epilogue=self._epilogue())

    def _prologue(self) -> tuple[str, ...]:
        """The lines up to the marker `---`, if there is one; comments below belong to the first entry."""
        start, above = self._lines.at, self._lines.above()
        if self._lines.rest().startswith("%"):
            self._refuse("lines beginning with % are not used here", "remove it")
        if column(self._text, self._lines.at) or not _BEGIN.match(self._lines.rest()):
            self._lines.at = start
            return ()
        self._lines.at += len("---")
        beside = self._lines.beside()
        if beside is None:
            self._refuse("the document begins on the line of `---`", "begin it on the next line")
        return (*above, f"---{beside}")

    def _epilogue(self) -> tuple[str, ...]:
        """The lines after the last value: comments, and the marker `...`."""
        below = self._lines.above()
        if _END.match(self._lines.rest()):
            self._lines.at += len("...")
            below += [f"...{self._beside()}", *self._lines.above()]
        if self._lines.at < len(self._text):
            self._refuse("nothing can follow here", "remove it")
        return tuple(below)

    def _root_block(self, root: MappingNode | SequenceNode) -> Block:
        if root.start.anchor:
            self._refuse(
                "the file as a whole has an anchor", "remove it; nothing can repeat a whole file inside itself"
            )
        return self._block(root, ())

    def _alone(self, root: Node | None) -> Atom:
        """A document that is one pair of brackets, or nothing: kept to the letter."""
        above = tuple(self._lines.above())
        if root is None or _is_empty(root):
            return Atom(above=above)
        if isinstance(root, ScalarEvent):
            self._refuse("this file is one piece of text", "only mappings and lists are formatted")
        end = self._lines.end(end_of(self._text, root))
        first, *more = self._text[start_of(root) : end].split("\n")
        self._lines.at = min(end + 1, len(self._text))
        return Atom(first=first.rstrip(), more=tuple((0, line) for line in more), above=above)

    def _block(self, node: MappingNode | SequenceNode, path: Path, holder: int = -1) -> Block:
        """A collection whose key or dash stands in the column `holder`; a list may begin in that column too."""
        entries, indent = list[Entry](), 0
        for name, key, value in _entries(node):
            above = single_spaced(self._lines.above())
            indent = column(self._text, self._lines.at)
            written = self._dash() if key is None else self._key(key)
            inner = (*path, name)
            entry = self._nested(value, inner, indent) if _is_block(value) else self._plain(value, inner, indent)
            entries.append(replace(entry, key=written, above=above))
        return Block(path=path, entries=tuple(entries), foot=self._lines.foot(max(indent, holder + 1)))

    def _key(self, key: Any) -> str:
        """Takes a key and its colon."""
        if self._lines.at != key.start_mark.index:
            self._refuse("a key that is announced with `?` cannot be formatted", "write `key: value`")
        colon = _COLON.match(self._text, key.end_mark.index)
        if colon is None:
            self._refuse("this key has no colon on its line", "write `key: value`")
        self._lines.at = colon.end()
        return self._text[key.start_mark.index : key.end_mark.index]

    def _dash(self) -> str:
        """Takes the dash of an item, which has no key."""
        if not _DASH.match(self._text, self._lines.at):
            self._refuse("no dash stands before this item", "begin each item with `- `")
        self._lines.at += 1
        return ""

    def _nested(self, value: MappingNode | SequenceNode, path: Path, indent: int) -> Entry:
        """The entry of a mapping or list: what stands beside its key, and everything below."""
        anchor, head, between = self._anchor(value.start.anchor)
        ended = self._lines.beside()
        if ended is None:
            self._lines.skip_blanks()
        comments = [*between, ended.strip()] if head and ended else between
        inner = self._block(value, path, indent)
        first, *others = inner.entries
        first = replace(first, above=single_spaced([*comments, *first.above]))
        return Entry(
            name=path[-1],
            anchor=anchor,
            beside=head or ended or "",
            value=replace(inner, entries=(first, *others)),
            tied=bool(anchor) or any(entry.tied for entry in inner.entries),
        )

    def _anchor(self, name: str | None) -> tuple[str, str, list[str]]:
        """Takes an anchor: as it is written, the comment that ends the line before it, and comments in between."""
        if not name:
            return "", "", []
        head, between = self._before_value()
        if not self._lines.rest().startswith(f"&{name}"):
            self._refuse("this anchor cannot be formatted", "write it behind the key or the dash")
        self._lines.at += len(name) + 1
        return f"&{name}", head or "", between

    def _plain(self, value: Node, path: Path, indent: int) -> Entry:
        if _is_empty(value):
            # Deeper comments below a key without a value are what it had once.
            beside = self._beside()
            atom = Atom(above=self._lines.foot(indent + 1))
        else:
            atom, beside = self._atom(value, indent)
        keeps = atom.header and "+" in atom.first  # a blank line that came to stand below would become part of it
        return Entry(name=path[-1], value=atom, beside=beside, tied=keeps or self._is_tied(value))

    def _atom(self, value: Node, indent: int) -> tuple[Atom, str]:
        """A value kept as it is, and the comment beside it."""
        head, between = self._before_value()
        start, end = start_of(value), end_of(self._text, value)
        if self._lines.at != start:
            self._refuse("this value cannot be told from what stands around it", "write it on the line of its key")
        if isinstance(value, ScalarEvent) and value.style in {"|", ">"}:
            atom, beside, self._lines.at = block_atom(self._document, value, indent)
        else:
            self._lines.at = end
            beside = self._beside()
            atom = line_atom(self._text[start:end], indent, flow=is_flow(value))
        comments = [head.strip(), *between] if head else between
        return replace(atom, above=tuple(line for line in comments if line), below=head is not None), beside

    def _before_value(self) -> tuple[str | None, list[str]]:
        """The comment that ends this line and those before a value on a later one; None when it follows right here."""
        head = self._lines.beside()
        if head is None:
            self._lines.skip_blanks()
            return None, []
        return head, self._lines.above()

    def _beside(self) -> str:
        found = self._lines.beside()
        if found is None:
            self._refuse("it cannot be told what this belongs to", "put it on a line of its own")
        return found

    def _is_tied(self, value: Node) -> bool:
        """Whether an anchor or an alias stands in the value; looked for as text in brackets, where either may be."""
        match value:
            case ScalarEvent():
                return value.anchor is not None
            case AliasNode():
                return True
            case _:
                written = self._text[start_of(value) : end_of(self._text, value)]
                return "&" in written or "*" in written

    def _refuse(self, message: str, hint: str) -> NoReturn:
        raise DocumentError(message, place=place_of(self._text, self._lines.at, self._document.name), hint=hint)


def _is_block(node: Node | None) -> TypeGuard[MappingNode | SequenceNode]:
    return isinstance(node, MappingNode | SequenceNode) and not is_flow(node)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarEvent) and node.start_mark.index == node.end_mark.index  # type: ignore[union-attr]


def _entries(node: MappingNode | SequenceNode) -> Iterator[tuple[str | int, Any, Node]]:
    """Each entry's name, the event of its key (None for an item), and its value."""
    if isinstance(node, MappingNode):
        yield from ((name, key, node.values[name]) for name, key in node.keys.items())
    else:
        yield from ((position, None, item) for position, item in enumerate(node.items))
