"""What is secret among the arguments of a decorated function: known by its name, and masked from before the call."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from engine.model.secret import Secrets

NAMES = re.compile(
    r"password|passwd|passphrase|secret|token|credential|api_?key|private_?key|authorization", re.IGNORECASE
)
"""What has one of these in its name is secret: a parameter, a key of a mapping, an attribute of an object."""
IN_ADDRESS = re.compile(r"://[^/@:\s]{0,200}:([^/@\s]{1,500})@")
"""A password that stands in an address."""
DEPTH = 5
"""How far inside an argument names are looked for."""
MOST = 50
"""Entries of one mapping, list or object that are looked at."""


def sounds_secret(name: str) -> bool:
    """Whether what has that name is masked wherever it is written down."""
    return NAMES.search(name) is not None


def hide(secrets: Secrets, arguments: Mapping[str, Any]) -> None:
    """Masks from now on what sounds secret in the arguments of a call, whatever text it stands in."""
    found = list(_secret_in(arguments, DEPTH))
    if found:
        secrets.add(found)


def _secret_in(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, str):
        yield from IN_ADDRESS.findall(value) if "://" in value else ()
    elif depth:
        for name, inner in islice(_inside(value), MOST):
            if isinstance(name, str) and sounds_secret(name):
                yield from _texts(inner, depth)
            else:
                yield from _secret_in(inner, depth - 1)


def _texts(value: Any, depth: int) -> Iterator[Any]:
    """Every text in something that is secret as a whole."""
    match value:
        case None | int() | float():
            return
        case str():
            yield value
        case bytes() | bytearray():
            yield value.decode(errors="replace")
        case _ if depth:
            for _name, inner in islice(_inside(value), MOST):
                yield from _texts(inner, depth - 1)


def _inside(value: Any) -> Iterable[tuple[Any, Any]]:
    """What a value holds, by name; nothing of it is called."""
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list | tuple | set | frozenset):
        return ((None, inner) for inner in value)
    if isinstance(value, type):
        return ()
    if dataclasses.is_dataclass(value):
        return ((field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value))
    own = getattr(value, "__dict__", None)
    return own.items() if isinstance(own, dict) else ()
