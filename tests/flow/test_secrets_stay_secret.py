"""A secret goes through every kind of step, and stands nowhere afterwards, however it may be written."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine import EventKind, RunResult, RunStatus, SkillExecutor
from engine.errors import InputError
from engine.frontends.cli.complaint import BROKEN, complain
from engine.frontends.cli.session import Session
from engine.model.question import Question
from tests.flow.conftest import Rig
from tests.flow.hiding import ANSWER, HANDED, PASSWORD, TOKEN, TOLD, files, leaks, told
from tests.flow.leaky import ANSWERS, INNER, INPUTS, SECRETS, SETTINGS, SKILL, everywhere, tools
from tests.unit.tool_registry.small_server import Asked, Told, small_server
from tool_registry.sources.http import request
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, ToolContext


@pytest.fixture
def make_leaky(make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Rig]:
    """Makes workspaces with tools that repeat what they are given, and a variable that is secret."""
    monkeypatch.setenv("SECRET_TOKEN", TOKEN)

    def make(*more: Any) -> Rig:
        return make_rig(tools=(*tools(), *map(tool_of, more)), settings=SETTINGS)

    return make


@pytest.fixture
def rig(make_leaky: Callable[..., Rig]) -> Rig:
    """One such workspace."""
    return make_leaky()


def sentences(result: RunResult) -> str:
    """What a result says in words."""
    steps = [(step.failure, step.first_failure, step.reason, step.remediation, step.fixes) for step in result.steps]
    return told([result.message, *result.notes, *steps, *result.questions])


def assert_hidden(rig: Rig, **more: str) -> None:
    """No secret stands in an event, in a file, or in `more`."""
    rig.engine.journal.close()
    found = leaks(SECRETS, {"the events": told(rig.events), **more, **files(rig.folder / "home")})
    assert found == [], "\n".join([f"{len(found)} leaks", *found[:40]])


async def test_through_every_kind_of_step(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Events, history, memory, the sentences of the result, and whatever was logged."""
    caplog.set_level(logging.DEBUG)
    rig.write(INNER, "inner")
    executor = rig.executor
    executor.answers = ANSWERS
    result = await executor.run(rig.write(SKILL), INPUTS)
    await rig.engine.aclose()
    assert (result.status, result.outputs["everything"][0]) == (RunStatus.FAILED, PASSWORD)
    kinds = {event.kind for event in rig.events}
    assert {EventKind.FIX_FINISHED, EventKind.NOTICE, EventKind.QUESTION_ANSWERED, EventKind.HEAL_STAGE} <= kinds
    assert sum(event.kind is EventKind.STEP_FINISHED for event in rig.events) > 150
    assert_hidden(rig, result=sentences(result), log=caplog.text)


async def test_in_questions_that_wait(rig: Rig) -> None:
    """Their texts and defaults, as a result has them, as somebody is asked, and when an answer does not fit."""
    asked: list[Question] = []

    async def note(question: Question) -> Any:
        asked.append(question)
        return await anyio.sleep_forever()

    name = rig.write("""
        inputs: [{name: password, secret: true}]
        steps:
          - {name: words, tool: collect, args: {words: ["{{ inputs.password }}", "{{ env.SECRET_TOKEN }}"]}}
          - {name: first, ask: {question: "Is it {{ words }}?", default: "{{ words[0] }}"}}
          - {name: second, secret: true, ask: {question: "Which?", type: integer}}
    """)
    parked = await rig.executor.run(name, {"password": PASSWORD})
    assert (parked.status, parked.questions[0].default) == (RunStatus.WAITING, "•••")
    with pytest.raises(InputError, match="has no answer") as without:
        await rig.executor.answer(parked.run_id, {"first": None}, inputs={"password": PASSWORD})
    waits = await rig.executor.answer(parked.run_id, {"first": "x"}, inputs={"password": PASSWORD})
    with pytest.raises(InputError) as refused:
        await rig.executor.answer(parked.run_id, {"second": HANDED}, inputs={"password": PASSWORD})
    with anyio.move_on_after(1):
        await SkillExecutor(rig.engine, listeners=(rig.events.append,), ask=note).run(name, {"password": PASSWORD})
    assert [question.default for question in asked] == [PASSWORD]
    said = [sentences(parked), sentences(waits), str(refused.value), str(without.value), asked[0].text]
    assert_hidden(rig, said="\n".join(said))


async def test_in_what_an_http_library_logs(make_leaky: Callable[..., Rig], caplog: pytest.LogCaptureFixture) -> None:
    """Addresses and headers, where a program that embeds the engine writes down everything that is logged."""

    @tool(effect=Effect.READ, timeout=5)
    async def ask_server(url: str, token: str, context: ToolContext) -> Any:
        """Sends a token in every way."""
        reply = await request(
            "GET", f"{url}/{token}", context=context, params={"token": token}, headers={"X-Token": token}, ok=[200, 403]
        )
        return [reply.text, dict(reply.headers)]

    def answer(asked: Asked) -> Told:
        return Told(status=403, headers={"X-Seen": asked.headers.get("X-Token", "")}, body=asked.path.encode())

    caplog.set_level(logging.DEBUG)
    rig = make_leaky(ask_server)
    with small_server(answer) as server:
        args = f"{{url: '{server.url}', token: '{{{{ env.SECRET_TOKEN }}}}'}}"
        result = await rig.run(f"steps: [{{name: one, tool: ask_server, args: {args}}}]")
    assert result.status is RunStatus.OK, result.message
    await rig.engine.aclose()
    assert_hidden(rig, log=caplog.text)


async def test_when_the_engine_itself_breaks(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person is told, the file with the details, and what history says of it."""
    broken: list[bool] = []

    def clock() -> float:
        """Breaks once, when the first step has ended."""
        if not broken and any(event.kind is EventKind.STEP_FINISHED for event in rig.events):
            broken.append(True)
            raise KeyError(everywhere(PASSWORD))
        return time.time()

    monkeypatch.setenv("SKILL_HOME", str(rig.folder / "home"))
    monkeypatch.setenv("SKILL_DEBUG", "1")
    name = rig.write("""
        inputs: [{name: password, secret: true}]
        steps: [{name: one, tool: hand_out}, {name: two, tool: hand_out}]
    """)
    rig.engine.clock = clock
    with pytest.raises(KeyError) as raised:
        await rig.executor.run(name, {"password": PASSWORD})
    assert complain(raised.value, Session(folder=rig.folder, secrets=rig.engine.secrets)) == BROKEN
    assert any((rig.folder / "home" / "crashes").iterdir())
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert_hidden(rig, shown=shown)


async def test_in_the_path_of_a_skill_and_in_the_notes_of_a_run(rig: Rig, tmp_path: Path) -> None:
    """A skill may lie in a folder that is called like a secret; then its file is changed while the run waits."""
    folder = tmp_path / ANSWER
    folder.mkdir()
    path = folder / "moved.yaml"
    steps = "inputs: [{name: word, secret: true}]\nsteps: [{name: one, ask: {question: Q?}}]\n"
    text = f"name: moved\ndescription: A test.\n{steps}"
    path.write_text(text)
    parked = await rig.executor.run(str(path), {"word": ANSWER})
    path.write_text(text + "# changed\n")
    result = await rig.executor.answer(parked.run_id, {"one": "x"}, inputs={"word": ANSWER})
    assert result.status is RunStatus.OK
    assert_hidden(rig, result=sentences(result))


async def test_a_secret_that_is_part_of_a_name_takes_no_run_apart(make_leaky: Callable[..., Rig]) -> None:
    """Somebody's user is called like a step, a tool and an input: what was done is still found, and not done again."""
    calls = []

    @tool(effect=Effect.WRITE, timeout=5)
    async def shop_order(user: str) -> str:
        """Orders once."""
        calls.append(user)
        return "ordered"

    rig = make_leaky(shop_order)
    parked = await rig.run(
        """
        inputs: [{name: user, secret: true}]
        steps:
          - {name: shop_order, tool: shop_order, args: {user: "{{ inputs.user }}"}}
          - {name: shop_asks, ask: {question: "Is that all?"}}
        """,
        {"user": "shop"},
    )
    result = await rig.executor.answer(parked.run_id, {"shop_asks": "yes"}, inputs={"user": "shop"})
    await rig.engine.aclose()
    assert (result.status, calls) == (RunStatus.OK, ["shop"])


async def test_what_was_told_by_one_process_stays_hidden_in_the_next(make_leaky: Callable[..., Rig]) -> None:
    """The next one is given the inputs again, and reads again what was secret."""
    first = make_leaky()
    parked = await first.run(
        """
        inputs: [{name: password, secret: true}]
        steps:
          - {name: fetched, tool: fetch, secret: true}
          - {name: asked, ask: {question: Go on?}}
          - {name: told, tool: repeat, args: {value: "{{ fetched.token }} {{ inputs.password }}"}}
          - {name: guessed, tool: fetch}
        """,
        {"password": PASSWORD},
    )
    await first.engine.aclose()
    second = make_leaky()
    result = await second.executor.answer(parked.run_id, {"asked": "yes"}, inputs={"password": PASSWORD})
    await second.engine.aclose()
    assert (result.status, result.step("guessed").value["token"]) == (RunStatus.OK, TOLD)
    assert_hidden(second, before=told(first.events))
