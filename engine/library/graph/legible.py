"""Skills that are only looked at: as they were once, whether or not they could run today."""

from __future__ import annotations

from engine.documents import findings, parse
from engine.errors import DocumentError
from engine.library.parse import parse_skill
from engine.model.skill import Skill


def legible(text: str, file: str) -> Skill | None:
    """The skill in a text as history kept it; None when it is no skill any more, say because a key was masked.

    The tools and skills it calls are not looked for: they may have gone since.
    """
    try:
        document = parse(text, file, tolerant=True)
        return None if findings(document, "skill") else parse_skill(document)
    except (DocumentError, ValueError):
        return None
