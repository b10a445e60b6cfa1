"""A call that succeeded is a success, whatever it says; a call that failed is a failure, even if it says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

WORDS = (
    "error: 401 Unauthorized",
    "12 passed, 0 failed",
    "fix: 401 handling (token expired, connection refused)",
    "timeout: none; failed: none",
    "❌ No route to host",
)
TOOL = """
name: say
description: Says what it is told.
parameters:
  type: object
  properties: {text: {type: string}, status: {type: string}}
  required: [text, status]
effect: read
domain: door
command:
  argv: [sh, -c, 'printf "%s\\n" "$1" >&2; printf "%s\\n" "$1"; exit "$2"', say, "{text}", "{status}"]
  output: text
"""


def define(rig: Any) -> None:
    """Adds the command tool `say` to the workspace."""
    folder: Path = rig.folder / "tools"
    folder.mkdir()
    (folder / "say.yaml").write_text(TOOL)


def skill(text: str, status: int) -> str:
    """One step that says `text` and exits with `status`."""
    return f"steps:\n  - name: say\n    tool: say\n    args: {{text: {text!r}, status: '{status}'}}\n"


@pytest.mark.parametrize("text", WORDS)
async def test_a_program_that_succeeded_is_a_success(rig: Any, text: str) -> None:
    """Exit status 0 counts, on standard output and standard error alike; nothing is fixed, nothing repeated."""
    define(rig)
    result = await rig.run(skill(text, 0))
    assert (result.status, result.healed, result.step("say").attempts) == ("ok", 0, 1)
    assert text in result.step("say").value
    assert rig.door.log == []


@pytest.mark.parametrize("text", ["", "all is well", "200 OK success"])
async def test_a_program_that_failed_is_a_failure(rig: Any, text: str) -> None:
    """A non-zero exit status counts, though the program says nothing, or something nice."""
    define(rig)
    result = await rig.run(skill(text, 3))
    assert (result.status, result.step("say").status) == ("failed", "failed")


@pytest.mark.parametrize("text", WORDS)
async def test_a_value_full_of_bad_words_is_a_value(rig: Any, text: str) -> None:
    """The same holds for Python tools."""
    rig.door.answer = text
    result = await rig.run("steps:\n  - name: look\n    tool: look\n")
    assert (result.status, result.step("look").value) == ("ok", text)
