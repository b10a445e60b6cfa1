"""Values on their way into the database: masked first, then JSON, bounded, never refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from engine.model.secret import Secrets

LIMIT = 16_384
"""Characters of JSON one value of an event may take (STACK.md keeps a run's journal small enough to list)."""
LEAF = 2_000
ELEMENTS = 100
DEPTH = 40


class Encoder:
    """Turns an event's fields into JSON text in which no known secret stands."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

    def kept(self, fields: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The fields without secrets, and their JSON; there, values over LIMIT are cut and named in `truncated`."""
        masked = fields if type(fields) is dict else dict(fields)
        text = self._clean(masked)
        if text is None:
            masked = self._secrets.mask(_plain(masked, DEPTH))
            text = self._dump(masked)
        if len(text) > LIMIT:
            text = self._dump(self._bounded(masked))
        # Half of a surrogate pair cannot be stored as UTF-8.
        return masked, text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")

    def _clean(self, fields: dict[str, Any]) -> str | None:
        """The JSON of fields as they are, if they are JSON and hold no secret: five times as quick as masking them."""
        try:
            text = self._dump(fields)
        except (TypeError, ValueError, RecursionError):
            return None
        return None if self._secrets.inside(text) else text

    def _bounded(self, fields: dict[str, Any]) -> dict[str, Any]:
        sizes = {name: len(self._dump(value)) for name, value in fields.items()}
        cut = {name: self._cut(fields[name], size) for name, size in sizes.items() if size > LIMIT}
        return {**fields, **cut, "truncated": sorted(cut)} if cut else fields

    def _cut(self, value: Any, size: int) -> Any:
        if isinstance(value, str):
            return value[: LIMIT // 2]
        smaller = _pruned(value)
        text = self._dump(smaller)
        return smaller if len(text) <= LIMIT else {"truncated": True, "size": size, "start": text[:LEAF]}


def _plain(value: Any, depth: int) -> Any:
    """`value` with JSON types only and at most `depth` levels, whatever was in it."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return value.decode("utf-8", "replace")
        case Mapping() | list() | tuple() | AbstractSet():
            return _plain_collection(value, depth) if depth else "(too deep to keep)"
        case _:
            return str(value)


def _plain_collection(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth - 1) for key, inner in value.items()}
    return [_plain(inner, depth - 1) for inner in value]


def _pruned(value: Any) -> Any:
    """A plain tree with long texts cut and long lists and mappings shortened, each saying so."""
    match value:
        case str() if len(value) > LEAF:
            return f"{value[:LEAF]}... ({len(value) - LEAF} characters more)"
        case dict():
            kept = {key[:LEAF]: _pruned(inner) for key, inner in list(value.items())[:ELEMENTS]}
            return kept if len(value) <= ELEMENTS else {**kept, "...": f"({len(value) - ELEMENTS} keys more)"}
        case list():
            kept_list = [_pruned(inner) for inner in value[:ELEMENTS]]
            return kept_list if len(value) <= ELEMENTS else [*kept_list, f"... ({len(value) - ELEMENTS} elements more)"]
        case _:
            return value
