r"""Text with places for values: `{name}` in the definition of a command or HTTP tool.

`{name}` is a parameter of the tool, `{name.key}` a key of one, `{settings.key}` a setting of the tool's domain,
`{folder}` the workspace and `{state}` the tool's private folder. `{{...}}` stays as it stands (many programs have
templates of their own), `\{` is a brace, and braces around anything but a name are left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tool_registry.tool import ToolContext, ToolError

PLACE = re.compile(r"\\(?P<brace>\{)|(?P<kept>\{\{.*?\}\})|\{(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)\}", re.DOTALL)
WORLD = frozenset({"settings", "folder", "state"})
"""The names that are not parameters."""


class DefinitionError(ValueError):
    """A tool definition that cannot be used; says where it stands and what is wrong."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A place for a value, by its dotted path."""

    path: tuple[str, ...]

    @property
    def root(self) -> str:
        """The parameter, or one of `settings`, `folder`, `state`."""
        return self.path[0]

    def __str__(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a call has to fill places with."""

    arguments: Mapping[str, Any]
    context: ToolContext

    def find(self, name: Name) -> Any:
        """The value of a name; None where it was not given."""
        value = self._root(name.root)
        for key in name.path[1:]:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _root(self, root: str) -> Any:
        if root in self.arguments:
            return self.arguments[root]
        match root:
            case "settings":
                return self.context.settings
            case "folder":
                return str(self.context.folder)
            case "state":
                return str(self.context.state)
            case _:
                return None

    def setting(self, key: str) -> Any:
        """A setting of the domain; ToolError (`configuration_error`) when it is not set."""
        found = self.find(Name(path=("settings", *key.split("."))))
        if found is None:
            raise ToolError(f"the domain's setting {key} is not set", kind="configuration_error", sent=False)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A text taken apart into what stands fixed and the names in between."""

    parts: tuple[str | Name, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        """The names, in order."""
        return tuple(part for part in self.parts if isinstance(part, Name))

    @property
    def whole(self) -> Name | None:
        """The name, when the text is nothing else."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Name) else None

    @property
    def fixed(self) -> str | None:
        """The text, when it has no names."""
        return None if self.names else "".join(str(part) for part in self.parts)

    def starts_fixed(self) -> bool:
        """Whether its first character is the author's own, or at least not a caller's."""
        first = self.parts[0] if self.parts else ""
        return isinstance(first, str) or first.root in WORLD

    def value(self, values: Values) -> Any:
        """The value of a whole name with its type, else the text; None when a name in it has no value."""
        if self.whole is not None:
            return self._required(self.whole, values)
        return self.text(values)

    def text(self, values: Values) -> str | None:
        """The text with every name filled in; None when a name in it has no value."""
        words = [part if isinstance(part, str) else self._required(part, values) for part in self.parts]
        return None if any(word is None for word in words) else "".join(spelled(word) for word in words)

    @staticmethod
    def _required(name: Name, values: Values) -> Any:
        found = values.find(name)
        if found is None and name.root == "settings" and len(name.path) > 1:
            return values.setting(".".join(name.path[1:]))
        return found


def spelled(value: Any) -> str:
    """A value inside a text: text as it is, everything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the texts of one definition; `place` says in errors where it stands."""

    place: str
    parameters: Collection[str]

    def phrase(self, text: Any) -> Phrase:
        """The text taken apart; numbers and booleans are written out."""
        if not isinstance(text, str):
            return Phrase(parts=(spelled(text),))
        parts: list[str | Name] = []
        end = 0
        for match in PLACE.finditer(text):
            parts += [text[end : match.start()], self._part(match)]
            end = match.end()
        parts.append(text[end:])
        return Phrase(parts=tuple(part for part in parts if part != ""))

    def _part(self, match: re.Match[str]) -> str | Name:
        if match["name"] is None:
            return match["brace"] or match["kept"]
        return self.name(match["name"])

    def name(self, dotted: str) -> Name:
        """A name that must be a parameter or part of the world."""
        found = Name(path=tuple(dotted.split(".")))
        if found.root not in self.parameters and found.root not in WORLD:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise self.error(f"{{{dotted}}} is no parameter (there are: {known}); a literal brace is written \\{{")
        return found

    def tree(self, value: Any) -> Any:
        """A value with every text in it taken apart, through mappings and lists."""
        match value:
            case str():
                return self.phrase(value)
            case Mapping():
                return {key: self.tree(inner) for key, inner in value.items()}
            case list():
                return [self.tree(inner) for inner in value]
            case _:
                return value

    def error(self, message: str) -> DefinitionError:
        """The mistake, with its place."""
        return DefinitionError(self.place, message)


def filled(tree: Any, values: Values) -> Any:
    """A read tree with its names filled in; a key whose value was not given is left out."""
    match tree:
        case Phrase():
            return tree.value(values)
        case dict():
            pairs = ((key, inner, filled(inner, values)) for key, inner in tree.items())
            return {key: value for key, inner, value in pairs if value is not None or inner is None}
        case list():
            return [filled(inner, values) for inner in tree]
        case _:
            return tree
