"""Something that was asked for and is not there, where nothing more is known: the line that says so."""

from __future__ import annotations

from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks
from engine.heal.detect import told_line
from engine.model.remediation import RootCause

ID = "not_there"
SHOWN = 200


async def find(case: Case, looks: Looks) -> RootCause | None:  # noqa: ARG001 - nothing says where to look
    """The line on which the failure says what is missing; None where a pattern named none."""
    line = told_line(case.text, case.diagnosis.pattern) if case.diagnosis.pattern else ""
    if not line:
        return None
    return RootCause(id=ID, because=f"What it asks for is not there: {line[:SHOWN]}", source=ID)
