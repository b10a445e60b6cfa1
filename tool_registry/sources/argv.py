"""The argument list of a command tool: made of whole arguments, so that a value never becomes two, or an option."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_registry.sources.placeholders import Name, Phrase, Reader, Values, spelled
from tool_registry.tool import ToolError

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "csh", "tcsh", "busybox"})
END_OF_OPTIONS = "--"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenGiven:
    """Arguments that are there only when a parameter has a value (and that value is not false or empty)."""

    name: Name
    then: tuple[Piece, ...]


Piece = Phrase | WhenGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentList:
    """What a program is called with; `allow_dash` are parameters whose value may start with a dash."""

    pieces: tuple[Piece, ...]
    allow_dash: Collection[str] = ()

    @property
    def program(self) -> str:
        """The program's name, when the definition says it."""
        first = self.pieces[0]
        return (first.fixed or "") if isinstance(first, Phrase) else ""

    def filled(self, values: Values) -> list[str]:
        """The arguments; ToolError (`usage_error`) when a value would be taken for an option."""
        argv: list[str] = []
        ended = False
        for phrase in _present(self.pieces, values):
            words = list(_words(phrase, values))
            if not ended:
                for word in words:
                    self._refuse_option(phrase, word)
            ended = ended or phrase.fixed == END_OF_OPTIONS
            argv += words
        return argv

    def _refuse_option(self, phrase: Phrase, word: str) -> None:
        if not word.startswith("-") or phrase.starts_fixed():
            return
        name = phrase.names[0]
        if name.root not in self.allow_dash:
            raise ToolError(
                f"`{name}` must not start with a dash, or {word[:80]!r} would be taken for an option",
                kind="usage_error",
                sent=False,
            )


def _present(pieces: tuple[Piece, ...], values: Values) -> Iterator[Phrase]:
    for piece in pieces:
        if isinstance(piece, Phrase):
            yield piece
        elif _is_given(values.find(piece.name)):
            yield from _present(piece.then, values)


def _is_given(value: Any) -> bool:
    """Zero is a value; false, and what is empty, mean "without"."""
    return value is not None and value is not False and not (isinstance(value, str | list | Mapping) and not value)


def _words(phrase: Phrase, values: Values) -> Iterator[str]:
    """One argument, or one for each element where a list stands in it."""
    lists = [name for name in phrase.names if isinstance(values.find(name), list)]
    if not lists:
        word = phrase.text(values)
        if word is not None:
            yield word
        return
    for element in values.find(lists[0]):
        parts = (element if part == lists[0] else part for part in phrase.parts)
        filled = (spelled(values.find(part) if isinstance(part, Name) else part) for part in parts)
        yield "".join(filled)


def read_arguments(spec: Any, allow_dash: Any, reader: Reader, optional: Collection[str]) -> ArgumentList:
    """The `argv` of a definition; `optional` are the parameters a call may leave out.

    Raises:
        DefinitionError: an argument decides which program runs or what a shell reads, or one that may be missing
            stands outside `{if: ..., then: [...]}`.
    """
    if not isinstance(spec, list) or not spec:
        raise reader.error("argv must be a list: the program, and its arguments one by one")
    pieces = tuple(_piece(part, reader) for part in spec)
    first = pieces[0]
    if not isinstance(first, Phrase) or not first.starts_fixed() or any(n.root != "settings" for n in first.names):
        raise reader.error("the program must stand in the definition: no argument may choose it")
    _refuse_shell_text(pieces, reader)
    _refuse_gaps(pieces, frozenset(optional), reader)
    return ArgumentList(pieces=pieces, allow_dash=frozenset(allow_dash or ()))


def _piece(part: Any, reader: Reader) -> Piece:
    match part:
        case {"if": str(name), "then": list(then)} if len(part) == 2:  # noqa: PLR2004 - these two keys and no other
            return WhenGiven(name=reader.name(name), then=tuple(_piece(inner, reader) for inner in then))
        case Mapping() | list() | None:
            raise reader.error(f"an argument is a text, or {{if: parameter, then: [...]}}, not {part!r}")
        case _:
            return reader.phrase(part)


def _refuse_shell_text(pieces: tuple[Piece, ...], reader: Reader) -> None:
    """No value may stand in the text that a shell runs; it can be handed over as `$1` instead."""
    flat = list(_all(pieces))
    words = [phrase.fixed or "" for phrase in flat]
    if not any(Path(word).name in SHELLS for word in words):
        return
    for option, text in zip(words, flat[1:], strict=False):
        if (
            option.startswith("-")
            and option.endswith("c")
            and any(name.root not in ("folder", "state") for name in text.names)
        ):
            raise reader.error('a value inside a shell\'s text could be anything: pass it as an argument and use "$1"')


def _all(pieces: tuple[Piece, ...]) -> Iterator[Phrase]:
    for piece in pieces:
        if isinstance(piece, Phrase):
            yield piece
        else:
            yield from _all(piece.then)


def _refuse_gaps(pieces: tuple[Piece, ...], optional: frozenset[str], reader: Reader) -> None:
    for piece in pieces:
        if isinstance(piece, WhenGiven):
            _refuse_gaps(piece.then, optional - {piece.name.root}, reader)
            continue
        for name in piece.names:
            if name.root in optional:
                raise reader.error(
                    f"{{{name}}} may be left out: give it a default, or write {{if: {name.root}, then: [...]}}"
                )
