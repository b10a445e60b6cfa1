"""What a JSON document says of the call that printed it, without the data that it merely hands on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

BEGINS = re.compile(r"^[ \t]{0,8}(?=[{\[])", re.MULTILINE)
MOST_DOCUMENTS = 50
"""A log of JSON lines has one each; those that follow are left as they are."""
DATA = frozenset(
    {
        "data",
        "result",
        "results",
        "items",
        "values",
        "value",
        "hits",
        "rows",
        "records",
        "log",
        "logs",
        "lines",
        "output",
    }
)
"""Keys under which answers keep what was asked for: lines of logs, titles of changes, pages of somebody else."""
ERRORS = re.compile(r"error|fault|exception|cause|detail|reason|problem|status|response|message", re.IGNORECASE)
"""Keys beneath which an answer that is an error tells more of it."""
OF_AN_ERROR = frozenset(
    {"code", "message", "detail", "details", "status", "title", "source", "path", "locations", "extensions", "reason"}
    | {"error", "errors", "error_description", "domain", "type"}
)
"""The only keys that an entry of a list of errors has."""
WENT_WELL: Mapping[str, set[Any]] = {
    "status": {"success", "ok"},
    "ok": {True},
    "success": {True},
    "level": {"trace", "debug", "info", "notice"},
}
"""What says that all is well, or of a log's line that it is below a warning."""


def without_quotes(heard: str) -> str:
    """The text, with every JSON document that begins a line cut down to what blames somebody."""
    decoder, told, at = json.JSONDecoder(), [], 0
    for found in list(BEGINS.finditer(heard))[:MOST_DOCUMENTS]:
        if found.start() < at:
            continue
        try:
            document, end = decoder.raw_decode(heard, found.end())
        except (ValueError, RecursionError):
            continue
        told += [heard[at : found.end()], json.dumps(_blaming(document), ensure_ascii=False)]
        at = end
    return "".join([*told, heard[at:]])


def _blaming(document: Any) -> Any:
    match document:
        case Mapping() if any(_equal(document.get(key), good) for key, good in WENT_WELL.items()):
            return {}
        case Mapping():
            return {key: value for key, value in document.items() if _of_the_call(str(key), value)}
        case list() if not all(isinstance(each, Mapping) and OF_AN_ERROR.issuperset(each) for each in document):
            return []
    return document


def _equal(value: Any, good: set[Any]) -> bool:
    plain = value.lower() if isinstance(value, str) else value
    return isinstance(plain, str | bool) and plain in good


def _of_the_call(key: str, value: Any) -> bool:
    if key.lower() in DATA:
        return False
    return not isinstance(value, Mapping | list) or ERRORS.search(key) is not None
