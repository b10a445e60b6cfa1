"""Where each key and value of a TOML text stands; the parser of the standard library says only what they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from engine.documents.document import Document, Path
from engine.documents.events import place_of
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Place

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FORMS = (r'"""(?:\\.|[^\\])*?"""(?!")', r"'''.*?'''(?!')", r'"(?:\\.|[^"\\\n])*"', r"'[^'\n]*'")
_STRING = re.compile("|".join(_FORMS), re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_WORD = re.compile(r"[^,\]}#\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlDocument(Document):
    """A TOML text; `spots` gives for each path the offsets of its key and of its value."""

    spots: Mapping[Path, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Where the value at a path stands, or its key; the nearest parent's place when the path does not exist."""
        route = tuple(path)
        while route and route not in self.spots:
            route, key = route[:-1], True
        if not route:
            return Place(file=self.name, line=1, column=1)
        return place_of(self.text, self.spots[route][0 if key else 1], self.name)


def toml_document(text: str, name: str) -> TomlDocument:
    """The document in a TOML text. Raises tomllib.TOMLDecodeError."""
    return TomlDocument(value=tomllib.loads(text), name=name, text=text, root=None, spots=_Scan(text=text).spots())


@dataclass(slots=True, kw_only=True)
class _Scan:
    """One walk over a text that is known to be right; `counts` are the tables in each list of tables so far."""

    text: str
    at: int = 0
    found: dict[Path, tuple[int, int]] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)

    def spots(self) -> dict[Path, tuple[int, int]]:
        """Everything that stands in the text."""
        table: Path = ()
        while self._blank() and self.at < len(self.text):
            table = self._header() if self.text[self.at] == "[" else self._pair(table)
        return self.found

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the table that what follows belongs to."""
        several = self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        path: Path = ()
        for word, offset in self._key():
            path = (*self._newest(path), word)
            self.found.setdefault(path, (offset, offset))
        self.at = self.text.index("]]" if several else "]", self.at) + (2 if several else 1)
        if several:
            self.counts[path] = self.counts.get(path, -1) + 1
            self.found[self._newest(path)] = self.found[path]
        return self._newest(path)

    def _newest(self, path: Path) -> Path:
        """A path, led into the newest table where it is that of a list of tables."""
        return (*path, self.counts[path]) if path in self.counts else path

    def _pair(self, table: Path) -> Path:
        """`key = value`; gives the table back that it stands in."""
        path = table
        for word, offset in self._key():
            path = (*path, word)
            self.found.setdefault(path, (offset, offset))
        self.at = self.text.index("=", self.at) + 1
        self._blank()
        self.found[path] = (self.found[path][0], self.at)
        self._value(path)
        return table

    def _key(self) -> Iterator[tuple[str, int]]:
        """The words of a key with dots, each with its offset."""
        while True:
            self._blank()
            word = _STRING.match(self.text, self.at) or _BARE.match(self.text, self.at)
            if word is None:
                return
            quoted = word[0][0] in "\"'"
            self.at = word.end()
            yield tomllib.loads(f"x = {word[0]}")["x"] if quoted else word[0], word.start()
            self._blank()
            if not self.text.startswith(".", self.at):
                return
            self.at += 1

    def _value(self, path: Path) -> None:
        match self.text[self.at : self.at + 1]:
            case "[":
                self._list(path)
            case "{":
                self._inline(path)
            case _:
                found = _STRING.match(self.text, self.at) or _WORD.match(self.text, self.at)
                self.at = found.end() if found else self.at + 1

    def _list(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self._blank() and not self.text.startswith("]", self.at):
            self.found[*path, number] = (self.at, self.at)
            self._value((*path, number))
            number += 1
            self._comma()
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while self._blank() and not self.text.startswith("}", self.at):
            self._pair(path)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        self._blank()
        self.at += self.text.startswith(",", self.at)

    def _blank(self) -> bool:
        """Goes to what is no blank, line end or comment; always true, so that it can stand in a condition."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return True
