"""The front matter of a SKILL.md: read with places, written so that every reader understands it the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.documents import parse
from engine.documents.written import double_quoted, scalar
from engine.errors import DocumentError
from engine.model.place import Finding, Place

_FENCE = re.compile(r"---[ \t]*\r?\n")
_END = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)


def split(text: str, name: str) -> tuple[dict[str, Any], str]:
    """What the front matter says, and the text below it; DocumentError with the place of every mistake."""
    start = _FENCE.match(text)
    if start is None:
        raise _refused(name, 1, "a SKILL.md begins with a line `---`, and the front matter below it")
    end = _END.search(text, start.end())
    if end is None:
        raise _refused(name, 1, "the front matter has no end", hint="close it with a line `---`")
    # The fence is replaced by an empty line, so that places are those of the file.
    value = parse("\n" + text[start.end() : end.start()], name).value
    if not isinstance(value, dict):
        raise _refused(name, 2, "the front matter is no mapping", hint="it needs `name:` and `description:`")
    return value, text[end.end() :]


def written(fields: Mapping[str, str | Mapping[str, str]]) -> str:
    """Texts, and mappings of texts, as front matter with its fences."""
    lines = []
    for key, value in fields.items():
        if isinstance(value, str):
            lines.append(f"{scalar(key)}: {_text(value)}")
        else:
            lines += [f"{scalar(key)}:", *(f"  {scalar(inner)}: {_text(each)}" for inner, each in value.items())]
    return "\n".join(["---", *lines, "---", ""])


def _text(value: str) -> str:
    """A text on one line, and never with three dashes in it: readers there are take those for the end."""
    plain = scalar(value)
    return double_quoted(value).replace("--", "-\\x2d") if "---" in plain else plain


def _refused(name: str, line: int, message: str, *, hint: str = "") -> DocumentError:
    place = Place(file=name, line=line, column=1)
    hint = hint or "agentskills.io/specification shows the format"
    return DocumentError(
        message, findings=(Finding(place=place, code="front-matter", message=message, hint=hint),), hint=hint
    )
