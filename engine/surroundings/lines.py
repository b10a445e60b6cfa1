"""The lines of `skill.toml` that use what was found; secrets stand in them by reference only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.surroundings.found import Asked, Lines

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def lines_of(asked: Iterable[Asked]) -> Lines:
    """The short forms of what works and is not used yet; of one kind of service the first.

    What did not answer is written too, for the network may be down; so is a cluster whose token is over, since that is
    what its login is for. A service that refuses the login is not.
    """
    merged: dict[str, dict[str, Mapping[str, Any]]] = {}
    for each in asked:
        for section, named in each.find.lines.items() if not each.find.used else ():
            if each.ok is False and section != "clusters":
                continue
            for name, settings in named.items():
                merged.setdefault(section, {}).setdefault(name, settings)
    return merged


def toml(lines: Lines) -> str:
    """The lines as TOML, a table for each; empty where there are none."""
    tables = [
        "\n".join([f"[{section}.{_key(name)}]", *(f"{_key(key)} = {_value(value)}" for key, value in settings.items())])
        for section, named in lines.items()
        for name, settings in named.items()
    ]
    return "\n\n".join(tables) + ("\n" if tables else "")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: Any) -> str:
    match value:
        case dict():
            inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
            return f"{{{inner}}}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case str():
            return _text(value)
    return json.dumps(value)


def _text(text: str) -> str:
    """A basic string of TOML in one line: JSON's, with everything escaped that does not print."""
    clean = json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in clean)


def headed(lines: Lines, *, cluster: str = "") -> Iterator[str]:
    """A whole `skill.toml` that uses them, line by line; `cluster` is the one that skills may mean unless told."""
    yield "# Settings of this workspace: docs/configuration.md names every key."
    yield "# Secrets stand here by reference only."
    if text := toml(lines):
        yield ""
        yield from text.splitlines()
    if cluster:
        yield ""
        yield "# Which cluster skills mean unless they are told (-i environment=NAME);"
        yield "# left out, it is the local profile."
        yield "# [config]"
        yield f"# environment = {_text(cluster)}"
