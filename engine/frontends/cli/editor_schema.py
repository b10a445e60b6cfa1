"""The schema that editors read beside the skills of a workspace, made anew when its tools or skills changed."""

from __future__ import annotations

import json
from pathlib import Path

from engine.bundle import bundle
from engine.documents import files, schema
from engine.errors import DocumentError
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.library import catalog
from engine.frontends.cli.session import Session
from engine.frontends.cli.tools import open_registry
from engine.library.editor_schema import MARK, with_names

SCHEMA = Path("schemas", "skill.schema.json")
"""Where a workspace has it: under this path a skill finds it from `skills/`, in a checkout of this project too."""


def schema_with_tools(session: Session) -> str:
    """The text of the schema of skill files with the tools and skills of this workspace. Raises DocumentError."""
    skills = {entry.name: entry.description for entry in catalog(session)}
    made = with_names(schema("skill"), open_registry(session), skills)
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def provide_schema(session: Session) -> str:
    """Writes the schema of this workspace where its skills look for it; a sentence about it, empty when it was right.

    Another file of that name is left alone, and so is the schema of a checkout. A skill runs without it, so nothing is
    raised when it cannot be written.
    """
    path = session.workspace().folder / SCHEMA
    if path.resolve() == (bundle("schemas") / SCHEMA.name).resolve():
        return ""
    text = schema_with_tools(session)
    before = path.read_bytes() if path.is_file() else None
    if before == text.encode() or (before is not None and not _is_ours(before)):
        return ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.exchange(path, text, was=before)
    except (DocumentError, OSError) as error:
        return f"editors will miss {short_path(path)}: {error}"
    return (
        f"wrote {short_path(path)}, which editors read for completion"
        if before is None
        else f"renewed {short_path(path)}"
    )


def _is_ours(text: bytes) -> bool:
    try:
        return MARK in json.loads(text)
    except ValueError:
        return False
