"""What the stand-in for Elasticsearch understands of its query language, and of Lucene's.

Of Elasticsearch's: bool, match_all, match_phrase, term, terms, range over dates, query_string. Of Lucene's: words,
quoted phrases, `field:value`, `*` in words, AND, OR, NOT and parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Entry = Mapping[str, Any]
Holds = Callable[[Entry], bool]
TOKEN = re.compile(r'\s*(\(|\)|[\w@.]+:"[^"]*"|"[^"]*"|[^\s()"]+)')
JOINED = {"AND", "OR"}


class NoQueryError(Exception):
    """It is no query."""


def holds(query: Mapping[str, Any]) -> Holds:
    """Whether an entry fits a query."""
    ((kind, said),) = query.items()
    match kind:
        case "match_all":
            return lambda _: True
        case "bool":
            return _bool(said)
        case "match_phrase":
            ((name, value),) = said.items()
            return lambda entry: _has(entry, name, str(value))
        case "term" | "terms":
            ((name, value),) = said.items()
            wanted = {str(one) for one in (value if isinstance(value, list) else [value])}
            return lambda entry: str(_under(entry, name)) in wanted
        case "range":
            ((name, ends),) = said.items()
            return lambda entry: _between(_under(entry, name), ends)
        case "query_string":
            return lucene(said["query"])
    raise NoQueryError(f"unknown query [{kind}]")


def _bool(said: Mapping[str, Any]) -> Holds:
    every = [holds(one) for name in ("filter", "must") for one in said.get(name) or ()]
    some = [holds(one) for one in said.get("should") or ()]
    none = [holds(one) for one in said.get("must_not") or ()]
    return lambda entry: (
        all(each(entry) for each in every)
        and (not some or any(each(entry) for each in some))
        and not any(each(entry) for each in none)
    )


def lucene(text: str) -> Holds:
    """Whether an entry fits words as people write them."""
    if text.count('"') % 2:
        raise NoQueryError(f"Failed to parse query [{text}]")
    tokens = TOKEN.findall(text)
    try:
        fits = _either(tokens)
    except IndexError as error:
        raise NoQueryError(f"Failed to parse query [{text}]") from error
    if tokens:
        raise NoQueryError(f"Failed to parse query [{text}]")
    return fits


def _either(tokens: list[str]) -> Holds:
    some = [_both(tokens)]
    while tokens and tokens[0] != ")":
        if tokens[0] == "OR":
            tokens.pop(0)
        some.append(_both(tokens))
    return lambda entry: any(each(entry) for each in some)


def _both(tokens: list[str]) -> Holds:
    every = [_one(tokens)]
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        every.append(_one(tokens))
    return lambda entry: all(each(entry) for each in every)


def _one(tokens: list[str]) -> Holds:
    token = tokens.pop(0)
    if token in JOINED or token == ")":
        raise IndexError
    if token == "NOT":
        inner = _one(tokens)
        return lambda entry: not inner(entry)
    if token == "(":
        fits = _either(tokens)
        if not tokens or tokens.pop(0) != ")":
            raise IndexError
        return fits
    name, colon, value = token.partition(":") if not token.startswith('"') else ("", "", token)
    return _word(value.strip('"'), name) if colon else _word(token.strip('"'))


def _word(wanted: str, name: str = "") -> Holds:
    pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.IGNORECASE)
    return lambda entry: any(pattern.search(text) for text in ([str(_under(entry, name))] if name else _texts(entry)))


def _has(entry: Entry, name: str, phrase: str) -> bool:
    """A keyword is the phrase, a text has its words one after the other."""
    found = _under(entry, name)
    return found is not None and _words(phrase) in _words(str(found))


def _words(text: str) -> str:
    return f" {' '.join(re.findall('[a-z0-9_]+', text.lower()))} "


def _under(entry: Any, name: str) -> Any:
    for part in name.split("."):
        entry = entry.get(part) if isinstance(entry, Mapping) else None
    return entry


def _texts(entry: Any) -> Iterator[str]:
    if isinstance(entry, Mapping):
        for each in entry.values():
            yield from _texts(each)
    else:
        yield str(entry)


def _between(told: Any, ends: Mapping[str, Any]) -> bool:
    if told is None:
        return False
    at = datetime.fromisoformat(str(told))
    return all(
        {"gte": at >= _when(end), "lte": at <= _when(end), "gt": at > _when(end), "lt": at < _when(end)}[name]
        for name, end in ends.items()
    )


def _when(told: str) -> datetime:
    if before := re.fullmatch(r"now(?:-(\d+)s)?", told):
        return datetime.now(UTC) - timedelta(seconds=int(before[1] or 0))
    if told.isdecimal():
        return datetime.fromtimestamp(int(told) / 1_000, UTC)
    read = datetime.fromisoformat(told)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
