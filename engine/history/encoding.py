"""Values on their way into the database: masked first, then JSON, bounded, never refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from engine.model.secret import MASK, Secrets

LIMIT = 16_384
"""Characters of JSON one value of an event may take (STACK.md keeps a run's journal small enough to list)."""
WHOLE_LIMIT = 50_000_000
"""Characters of JSON of the largest value that is kept whole beside its event."""
LEAF = 2_000
ELEMENTS = 100
DEPTH = 40

INPUTS = "inputs"
_SINGLE = frozenset({type(None), bool, int, float, str})


class Kept(NamedTuple):
    """An event as it is kept: its fields without secrets, and their JSON, the body.

    `whole` is the JSON of the value that a resume must have whole; empty where the body has that already.
    """

    fields: dict[str, Any]
    body: str
    whole: str = ""


class Encoder:
    """Turns an event's fields into JSON text in which no known secret stands.

    `whole_limit`: characters of JSON of the largest value that is kept whole.
    """

    def __init__(self, secrets: Secrets, *, whole_limit: int = WHOLE_LIMIT) -> None:
        self._secrets = secrets
        self._whole_limit = whole_limit
        # What goes round in circles goes too deep, and is refused for that.
        encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
        self._dump = encoder.encode

    def kept(self, fields: Mapping[str, Any], needed: str = "", *, beside: str = "") -> Kept:
        """The fields as they are kept; in the body, values over LIMIT are cut and named in `truncated`.

        `needed` is the field a resume reads back: what of it is not what it was (masked, no plain JSON, too large) is
        named in `lost`. The field `beside` is only to be kept whole, as far as that goes.
        """
        masked = fields if type(fields) is dict else dict(fields)
        text = self._clean(masked)
        clean = text is not None
        if text is None:
            masked = self._secrets.mask_event(_flattened(masked)[0])
            text = self._dump(masked)
        if needed and not (clean and text.isascii() and _keys_are_texts(fields.get(needed))):
            masked, text = self._with_lost(fields, masked, needed, text=text, clean=clean)
        if len(text) > LIMIT:
            return self._bounded(masked, needed or beside)
        return Kept(masked, _storable(text))

    def _clean(self, fields: dict[str, Any]) -> str | None:
        """The JSON of fields as they are, if they are JSON and hold no secret: five times as quick as masking them."""
        try:
            text = self._dump(fields)
        except (TypeError, ValueError, RecursionError):
            return None
        return None if self._secrets.inside(text) else text

    def _with_lost(
        self, fields: Mapping[str, Any], masked: dict[str, Any], needed: str, *, text: str, clean: bool
    ) -> tuple[dict[str, Any], str]:
        """The masked fields and their JSON, with the names of what of the needed field was changed, if anything was."""
        before, after = _parts(fields, needed), _parts(masked, needed)
        lost = [
            name
            for name, value in before.items()
            if (not _keys_are_texts(value) if clean else _flattened(value)[1])
            or (not text.isascii() and self._is_spoilt(after.get(name, MASK)))
        ]
        if not lost:
            return masked, text
        told = {**masked, "lost": self._secrets.mask(lost)}
        return told, self._dump(told)

    def _is_spoilt(self, value: Any) -> bool:
        """Whether a mask stands in the value, or half of a surrogate pair, which cannot be stored."""
        text = self._dump(value)
        return MASK in text or _storable(text) != text

    def _bounded(self, fields: dict[str, Any], needed: str) -> Kept:
        texts = {name: self._dump(value) for name, value in fields.items()}
        cut = {name: self._cut(fields[name], len(text)) for name, text in texts.items() if len(text) > LIMIT}
        body = {**fields, **cut, "truncated": sorted(cut)} if cut else fields
        whole = _storable(texts[needed]) if needed in cut else ""
        if len(whole) > self._whole_limit:
            whole, body = "", {**body, "lost": [needed]}
        return Kept(fields, _storable(self._dump(body)), whole)

    def _cut(self, value: Any, size: int) -> Any:
        if isinstance(value, str):
            return value[: LIMIT // 2]
        smaller = _pruned(value)
        text = self._dump(smaller)
        return smaller if len(text) <= LIMIT else {"truncated": True, "size": size, "start": text[:LEAF]}


def _parts(fields: Mapping[str, Any], needed: str) -> dict[str, Any]:
    """The values that are kept or lost one by one: a run's inputs each, as `inputs.NAME`."""
    value = fields.get(needed)
    if needed == INPUTS and isinstance(value, Mapping):
        return {f"{needed}.{name}": inner for name, inner in value.items()}
    return {needed: value}


def _flattened(value: Any) -> tuple[Any, bool]:
    """`value` with JSON types only, and whether anything in it had to become something else."""
    flattening = _Flattening()
    return flattening.flat(value, DEPTH), flattening.lossy


class _Flattening:
    """Turns values into plain JSON trees, and notes whether anything became something else on the way."""

    def __init__(self) -> None:
        self.lossy = False

    def flat(self, value: Any, depth: int) -> Any:
        """`value` with JSON types only and at most `depth` levels, whatever was in it."""
        match value:
            case float() if not math.isfinite(value):
                return self._instead(str(value))
            case None | bool() | int() | float() | str():
                return value
            case bytes() | bytearray():
                return self._instead(value.decode("utf-8", "replace"))
            case Mapping() | list() | tuple() | AbstractSet():
                return self._collection(value, depth) if depth else self._instead("(too deep to keep)")
            case _:
                return self._instead(str(value))

    def _collection(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            self.lossy = self.lossy or not all(isinstance(key, str) for key in value)
            return {str(key): self.flat(inner, depth - 1) for key, inner in value.items()}
        self.lossy = self.lossy or isinstance(value, AbstractSet)
        return [self.flat(inner, depth - 1) for inner in value]

    def _instead(self, text: str) -> str:
        self.lossy = True
        return text


def _keys_are_texts(value: Any) -> bool:
    """Whether every mapping in a JSON-like tree has texts for keys: JSON would turn the others into such."""
    if type(value) in _SINGLE:
        return True
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            for key, inner in one.items():
                if type(key) is not str and not isinstance(key, str):
                    return False
                if type(inner) not in _SINGLE:
                    pending.append(inner)
        elif isinstance(one, list | tuple):
            pending += [inner for inner in one if type(inner) not in _SINGLE]
    return True


def _storable(text: str) -> str:
    """The text as it can be stored: half of a surrogate pair is no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _pruned(value: Any) -> Any:
    """A plain tree with long texts cut and long lists and mappings shortened, each saying so."""
    match value:
        case str() if len(value) > LEAF:
            return f"{value[:LEAF]}... ({len(value) - LEAF} characters more)"
        case dict():
            kept = {key[:LEAF]: _pruned(inner) for key, inner in list(value.items())[:ELEMENTS]}
            return kept if len(value) <= ELEMENTS else {**kept, "...": f"({len(value) - ELEMENTS} keys more)"}
        case list() | tuple():
            kept_list = [_pruned(inner) for inner in value[:ELEMENTS]]
            return kept_list if len(value) <= ELEMENTS else [*kept_list, f"... ({len(value) - ELEMENTS} elements more)"]
        case _:
            return value
