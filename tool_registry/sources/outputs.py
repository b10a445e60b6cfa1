"""How what a program printed or a server answered becomes a value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_registry.sources.placeholders import DefinitionError
from tool_registry.tool import ToolError

FORMS = ("text", "lines", "json", "none")
EVIDENCE_LIMIT = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One way to read text: `form` is one of FORMS or `regex`, `select` a path into what was read."""

    form: str = "text"
    expression: re.Pattern[str] | None = None
    many: bool = False
    select: tuple[str, ...] = ()

    def value(self, text: str, source: str, *, truncated: bool = False) -> Any:
        """The value in the text.

        Raises:
            ToolError: it is not of that form (`api_contract_mismatch`), or was too long to be kept whole and only plain
                text may have a gap (`resource_exhausted`).
        """
        if truncated and self.form not in ("text", "none"):
            raise ToolError(
                f"{source} printed more than may be kept, and what is left cannot be read as {self.form}",
                kind="resource_exhausted",
                output=text[-EVIDENCE_LIMIT:],
            )
        return selected(self._read(text, source), self.select, source)

    def _read(self, text: str, source: str) -> Any:
        match self.form:
            case "text":
                return text.rstrip("\r\n")
            case "lines":
                return text.rstrip("\r\n").splitlines()
            case "json":
                return _json(text, source)
            case "regex":
                return self._matched(text, source)
            case _:
                return None

    def _matched(self, text: str, source: str) -> Any:
        assert self.expression is not None  # noqa: S101 - the form is regex
        found = [match.groupdict() for match in self.expression.finditer(text)]
        if self.many:
            return found
        if not found:
            raise ToolError(
                f"nothing {source} printed matches {self.expression.pattern}",
                kind="api_contract_mismatch",
                output=text[-EVIDENCE_LIMIT:],
            )
        return found[0]


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        what = "nothing" if not text.strip() else "something"
        raise ToolError(
            f"{source} gave {what} that is not JSON: {error}",
            kind="api_contract_mismatch",
            output=text[-EVIDENCE_LIMIT:],
        ) from error


def selected(value: Any, path: tuple[str, ...], source: str) -> Any:
    """The part of a value at a path of keys and positions; ToolError (`api_contract_mismatch`) if there is none."""
    for depth, key in enumerate(path):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ToolError(
                f"the answer of {source} has no {'.'.join(path[: depth + 1])}",
                kind="api_contract_mismatch",
                output=json.dumps(value, default=str)[:EVIDENCE_LIMIT],
            ) from error
    return value


def read_output(spec: Any, select: Any, place: str) -> Output:
    """The `output` and `select` of a definition."""
    path = tuple(str(select).split(".")) if select else ()
    if isinstance(spec, str) and spec in FORMS:
        return Output(form=spec, select=path)
    if isinstance(spec, Mapping) and "regex" in spec:
        expression = pattern(spec["regex"], place)
        if not expression.groupindex:
            raise DefinitionError(place, f"the expression {expression.pattern} names no group, as in (?P<name>...)")
        return Output(form="regex", expression=expression, many=bool(spec.get("many", False)), select=path)
    raise DefinitionError(place, f"output must be one of {', '.join(FORMS)} or {{regex: ...}}, not {spec!r}")


def pattern(text: Any, place: str) -> re.Pattern[str]:
    """A regular expression of a definition, matched line by line."""
    try:
        return re.compile(str(text), re.MULTILINE)
    except re.error as error:
        raise DefinitionError(place, f"{text!r} is not a regular expression: {error}") from error
