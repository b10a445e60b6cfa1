"""A secret goes through every kind of step, and stands nowhere afterwards, however it may be written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import EventKind, RunResult, RunStatus
from tests.flow.conftest import Rig
from tests.flow.hiding import TOKEN, files, leaks, told
from tests.flow.leaky import ANSWERS, INNER, INPUTS, SECRETS, SETTINGS, SKILL, tools


@pytest.fixture
def rig(make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A workspace with tools that repeat what they are given, and a variable that is secret."""
    monkeypatch.setenv("SECRET_TOKEN", TOKEN)
    return make_rig(tools=tuple(tools()), settings=SETTINGS)


def sentences(result: RunResult) -> str:
    """What a result says in words."""
    steps = [(step.failure, step.first_failure, step.reason, step.remediation, step.fixes) for step in result.steps]
    return told([result.message, *result.notes, *steps, *result.questions])


async def test_through_every_kind_of_step(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Events, history, memory, the sentences of the result, and whatever was logged."""
    caplog.set_level(logging.DEBUG)
    rig.write(INNER, "inner")
    executor = rig.executor
    executor.answers = ANSWERS
    result = await executor.run(rig.write(SKILL), INPUTS)
    await rig.engine.aclose()
    assert result.status is RunStatus.FAILED, result.message
    assert result.outputs["everything"][0] == INPUTS["password"]
    kinds = {event.kind for event in rig.events}
    assert {EventKind.FIX_FINISHED, EventKind.NOTICE, EventKind.QUESTION_ANSWERED, EventKind.HEAL_STAGE} <= kinds
    places = {
        "the events": told(rig.events),
        "the sentences of the result": sentences(result),
        "the log": caplog.text,
        **files(rig.folder / "home"),
    }
    found = leaks(SECRETS, places)
    assert found == [], "\n".join([f"{len(found)} leaks", *found[:40]])
