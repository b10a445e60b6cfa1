"""A skill written for other agents: found, read and taken apart; all of it is data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.agent_skills.describing import one_line
from engine.agent_skills.front_matter import split
from engine.agent_skills.naming import PAGE
from engine.documents.events import decode
from engine.documents.reader import read_bytes
from engine.errors import DocumentError, InputError
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place

LARGEST = 400_000
"""Bytes of a SKILL.md; the format's own advice is less than a tenth."""
_ITEM = re.compile(r"^ ?(\d{1,4})[.)][ \t]+(?=\S)")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_BLANK = re.compile(r"^[ \t]+$", re.MULTILINE)
_FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSkill:
    """What a SKILL.md says; `text` is all of it, `metadata` only texts, `beside` whether other files lie with it."""

    path: Path
    text: str
    name: str
    description: str
    body: str
    license: str = ""
    compatibility: str = ""
    allowed_tools: str = ""
    metadata: Mapping[str, str]
    beside: bool = False


def agent_skill(given: Path) -> AgentSkill:
    """The skill in a SKILL.md, or in a folder that holds one.

    Raises InputError where there is none, and DocumentError with places for what is wrong with it.
    """
    path = _page(given)
    text = decode(read_bytes(path, str(path), LARGEST), str(path))
    fields, body = split(text, str(path))
    known = fields.get("metadata")
    return AgentSkill(
        path=path,
        text=text,
        name=_said(fields, "name", path),
        description=one_line(_said(fields, "description", path)),
        body=_BLANK.sub("", body.replace("\r\n", "\n")).strip("\n"),
        license=_word(fields.get("license")),
        compatibility=_word(fields.get("compatibility")),
        allowed_tools=_word(fields.get("allowed-tools")),
        metadata={key: _word(value) for key, value in known.items()} if isinstance(known, dict) else {},
        beside=any(each.name != path.name for each in path.parent.iterdir() if not each.name.startswith(".")),
    )


def steps_of(body: str) -> tuple[str, tuple[str, ...]]:
    """What stands before the first item, and the items, where a text is plainly a numbered list: 1, 2, 3 to its end.

    No items where it is not: where numbers are missing, where something stands behind the list, or for one item only.
    """
    before: list[str] = []
    items: list[list[str]] = []
    fence = ""
    for line in body.split("\n"):
        mark = _FENCE.match(line)
        number = None if fence else _ITEM.match(line)
        if mark is not None:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        if number is not None:
            if int(number[1]) != len(items) + 1:
                return body, ()
            items.append([line[number.end() :]])
        elif not items:
            before.append(line)
        elif _ends(line, items[-1], fenced=bool(fence or mark)):
            return body, ()
        else:
            items[-1].append(line)
    if len(items) < _FEWEST:
        return body, ()
    return "\n".join(before).strip("\n"), tuple("\n".join(item).strip("\n") for item in items)


def _ends(line: str, item: list[str], *, fenced: bool) -> bool:
    """Whether a line no longer belongs to the item: it is not indented, and nothing of the item stands right above."""
    if not line.strip() or line.startswith(("  ", "\t")):
        return False
    return not item[-1].strip() or line.startswith("#") or (fenced and not line.startswith(" "))


def _page(given: Path) -> Path:
    if not given.is_dir():
        if given.name.lower() != PAGE.lower():
            raise InputError(f"{given} is no {PAGE}", hint=f"give the path of a {PAGE}, or the folder it lies in")
        return given
    path = next((given / name for name in (PAGE, PAGE.lower()) if (given / name).is_file()), None)
    if path is None:
        raise InputError(f"there is no {PAGE} in {given}", hint="give the folder of one skill")
    return path


def _said(fields: Mapping[str, Any], key: str, path: Path) -> str:
    value = fields.get(key)
    if isinstance(value, str) and value.strip():
        return value.strip()
    message = f"`{key}:` is missing" if value in (None, "") else f"`{key}:` is no text"
    place, hint = Place(file=str(path), line=2, column=1), "the front matter needs a name and a description"
    raise DocumentError(
        message, findings=(Finding(place=place, code="front-matter", message=message, hint=hint),), hint=hint
    )


def _word(value: Any) -> str:
    return one_line(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
