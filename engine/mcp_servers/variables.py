"""`${VAR}` and `${VAR:-default}` in the texts of `.mcp.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class Unset(NamedTuple):
    """A variable that has no value and no default."""

    name: str

    @classmethod
    def in_text(cls, text: str, environment: Mapping[str, str]) -> Iterator[Unset]:
        """Those that a text names."""
        for found in VARIABLE.finditer(text):
            if found[2] is None and found[1] not in environment:
                yield cls(found[1])


def expanded(value: Any, environment: Mapping[str, str], *, unset: str | None = None) -> Any:
    """The value with the variables in its texts filled in; `unset` stands for those nobody set, else KeyError.

    As in a shell, the default counts for an empty variable, too; what is filled in is not looked at again.
    """

    def filled(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        if default is not None:
            return environment.get(name) or default
        if unset is not None:
            return environment.get(name, unset)
        return environment[name]

    match value:
        case str():
            return VARIABLE.sub(filled, value)
        case dict():
            return {key: expanded(inner, environment, unset=unset) for key, inner in value.items()}
        case list():
            return [expanded(inner, environment, unset=unset) for inner in value]
    return value
