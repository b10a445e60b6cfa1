"""The one door to the YAML parser: bytes to text, text to events, every complaint with its line and column.

Only events are taken from PyYAML. Its `load` and `compose` recurse in C and end the process on 100,000 `[`; the event
parser keeps its stack on the heap, and the reader stops asking long before.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import Event
from yaml.reader import Reader

from engine.documents.complaints import explain
from engine.errors import DocumentError
from engine.model.place import Finding, Place

_UNPRINTABLE: re.Pattern[str] = Reader.NON_PRINTABLE
_REFUSED = re.compile("[\x85\u2028\u2029\ufeff]|\r(?!\n)")
"""What YAML 1.1 takes for line ends and editors do not, so that lines would be counted differently."""
_NAMES = {"\0": "a NUL byte", "\ufeff": "a byte order mark", "\r": "a carriage return that ends no line"}


class EventSource(Protocol):
    """What the C parser and the Python parser have in common."""

    def get_event(self) -> Event | None:
        """The next event, None after the last."""

    def dispose(self) -> None:
        """Lets go of everything."""


def decode(raw: bytes, name: str) -> str:
    """The text of a file, without a byte order mark; DocumentError naming the first byte that is no UTF-8."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8 text"
        refuse(place_of(before, len(before), name), "encoding", message, hint="save the file as UTF-8")


def events(text: str, name: str, *, pure: bool = False) -> Iterator[Any]:
    """The parser's events; DocumentError at the first place where the text is not YAML."""
    if found := _UNPRINTABLE.search(text) or _REFUSED.search(text):
        _refuse_character(text, found.start(), name)
    source = _source(text, pure=pure)
    try:
        while (event := source.get_event()) is not None:
            yield event
    except MarkedYAMLError as error:
        _refuse_syntax(text, error, name)
    except YAMLError as error:
        refuse(Place(file=name, line=1, column=1), "syntax", f"this is not YAML: {error}")
    finally:
        source.dispose()


def refuse(place: Place, code: str, message: str, *, hint: str = "") -> NoReturn:
    """Raises DocumentError with this one finding."""
    raise DocumentError(
        message, findings=(Finding(place=place, code=code, message=message, hint=hint),), hint=hint
    ) from None


def place_of(text: str, index: int, name: str) -> Place:
    """The line and column of a character of the text."""
    return Place(file=name, line=text.count("\n", 0, index) + 1, column=index - text.rfind("\n", 0, index))


def _source(text: str, *, pure: bool) -> EventSource:
    try:
        if pure:
            raise ImportError  # noqa: TRY301 - the same road as a PyYAML built without libyaml
        from yaml._yaml import CParser  # noqa: PLC0415 - absent where PyYAML was built without libyaml
    except ImportError:
        from engine.documents.fallback import PureParser  # noqa: PLC0415 - late: only where libyaml is missing

        return PureParser(text)
    parser: EventSource = CParser(text)
    return parser


def _refuse_character(text: str, index: int, name: str) -> NoReturn:
    character = text[index]
    called = _NAMES.get(character, f"the invisible character U+{ord(character):04X}")
    message = f"{called} stands here, which YAML text may not contain"
    hint = "remove it, or write it as an escape in double quotes" if character != "\r" else "end lines with a line feed"
    refuse(place_of(text, index, name), "character", message, hint=hint)


def _refuse_syntax(text: str, error: MarkedYAMLError, name: str) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    complaint = explain(error, text, line, column)
    place = Place(file=name, line=_first(complaint.line, line) + 1, column=_first(complaint.column, column) + 1)
    refuse(place, "syntax", complaint.message, hint=complaint.hint)


def _first(better: int | None, given: int) -> int:
    return given if better is None else better
