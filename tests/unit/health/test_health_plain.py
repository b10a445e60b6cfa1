"""What tools say of their health may be shown, written and sent anywhere; and a lock is a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.errors import WorkspaceError
from engine.health.lease import FILE, held, holder
from engine.health.plain import LONGEST, plain
from engine.model.health import HealthCheck, Part, Wellbeing
from engine.model.secret import Secrets


def said(message: str, *secrets: str) -> str:
    """A message as it is kept."""
    known = Secrets()
    known.add(list(secrets))
    part = Part(name="road", state=Wellbeing.UNWELL, at=0.0, message=message, user=message, trouble=message)
    (kept,) = plain(HealthCheck(name="door", parts=(part,)), known.mask).parts
    assert kept.message == kept.user == kept.trouble
    return kept.message


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("it is\n  closed", "it is closed"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07\0bell\x07", "red bell"),
        ("half \ud800 a pair", "half a pair"),
        ("turned \u202e round", "turned round"),
        ("Straße 12 - 5 °C", "Straße 12 - 5 °C"),
    ],
)
def test_a_message_is_one_line_that_every_file_and_terminal_takes(message: str, kept: str) -> None:
    """What would move a cursor, and what is no Unicode, is left out."""
    assert said(message) == kept
    json.dumps(kept, ensure_ascii=False).encode()


def test_a_message_is_short_and_without_secrets() -> None:
    """Also one that is cut, and one that hides a secret behind what is left out."""
    secret = "correct-horse-battery"
    assert len(said("y " * 900_000)) <= LONGEST
    assert "horse" not in said("y" * (LONGEST - 10) + secret, secret)
    assert "horse" not in said("correct-ho\0rse-battery", secret)


def test_a_pipe_in_the_place_of_the_lock_holds_nobody_up(tmp_path: Path) -> None:
    """It is no lock, and whoever only asks does not wait for it."""
    os.mkfifo(tmp_path / FILE)
    assert holder(tmp_path) is None
    with pytest.raises(WorkspaceError, match="cannot be written"), held(tmp_path, clock=lambda: 0.0):
        pytest.fail("a pipe was taken for a lock")
