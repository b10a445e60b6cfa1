"""Requests and answers between whoever begins a run and the process that has it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.errors import (
    DocumentError,
    EngineError,
    InputError,
    MissingExtraError,
    PreflightError,
    RunBusyError,
    SkillInvalidError,
)
from engine.frontends.background.request import Request, began, packed, refused, run_id_of, unpacked
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from engine.model.place import Finding, Place, Severity

PLACE = Place(file="a.yaml", line=3, column=4)
FINDING = Finding(place=PLACE, code="unknown-key", message="what is this", hint="drop it", severity=Severity.WARNING)


@pytest.mark.parametrize(
    "request_",
    [
        Request(act="run", skill="deploy", inputs={"ä": ["\ud800", 1.5, None]}, from_text=("ä",), timeout=2.0),
        Request(act="answer", run_id="x", answers={"sure": True}, profile="stage", heal=HealMode.ASK, agrees=True),
        Request(act="end", run_id="x", trace={"TRACEPARENT": "00-1-2-03"}),
    ],
)
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    """Whatever stands in it, halves of surrogate pairs included."""
    folder, home = Path("/somewhere"), Path("/elsewhere")
    assert unpacked(packed(request_, folder=folder, home=home)) == (request_, folder, home)


def test_what_is_no_json_is_refused_before_a_process_is_started() -> None:
    """A date of a YAML file, say."""
    with pytest.raises(InputError, match="JSON"):
        packed(Request(act="run", inputs={"day": date(2026, 1, 1)}), folder=Path(), home=Path())


def test_a_run_that_began_is_told_by_its_id() -> None:
    """One line, so that whoever waits knows when it has all."""
    assert began("20261121-081500-1f3a9c").count(b"\n") == 1
    assert run_id_of(began("20261121-081500-1f3a9c")) == "20261121-081500-1f3a9c"


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (InputError("n is missing", hint="give it"), {}),
        (RunBusyError("it is busy"), {}),
        (SkillInvalidError("two errors", findings=[FINDING], place=PLACE), {"findings": (FINDING,)}),
        (DocumentError("unreadable"), {"findings": ()}),
        (PreflightError("no", kind=FailureKind.AUTH_EXPIRED, hint="log in"), {"kind": FailureKind.AUTH_EXPIRED}),
        (MissingExtraError("mcp", "speaking MCP"), {"extra": "mcp"}),
    ],
)
def test_an_error_is_raised_as_the_other_process_met_it(error: EngineError, attributes: dict[str, Any]) -> None:
    """Its kind, sentence, way out, place, and what else its kind has."""
    with pytest.raises(type(error)) as caught:
        run_id_of(refused(error))
    found = caught.value
    assert (str(found), found.message, found.hint, found.place) == (str(error), error.message, error.hint, error.place)
    assert found.exit_status == error.exit_status
    assert {name: getattr(found, name) for name in attributes} == attributes
