"""What a run asks reaches the person behind an agent, in both protocol eras, and each step runs once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequestParams, ElicitResult, InputRequiredResult, InputResponses

from tests.flow.agents import ERAS, Agent, accepts, agent, declines, events_of
from tests.flow.workshop import Workshop

ASKS = """
inputs:
  - {name: who, type: string, default: cid}
steps:
  - {name: first, tool: enter, args: {name: ann}, undo: {name: out, tool: leave, args: {name: ann}}}
  - name: sure
    ask: {question: "Go on with {{ inputs.who }}?", type: boolean, default: false}
  - {name: third, condition: sure, tool: enter, args: {name: "{{ inputs.who }}"}}
outputs:
  - {name: sure, value: "{{ sure }}"}
"""
ASKS_MUCH = """
steps:
  - {name: first, tool: enter, args: {name: ann}}
  - name: both
    parallel:
      - {name: count, ask: {question: "How many?", type: integer}}
      - {name: colour, ask: {question: "Which?", choices: [red, green]}}
      - {name: words, ask: {question: "What words?", type: array}}
outputs:
  - {name: told, value: "{{ [both.count, both.colour, both.words] }}"}
"""
SECRET = """
inputs:
  - {name: token, type: string, secret: true}
steps:
  - {name: first, tool: enter, args: {name: "{{ inputs.token }}"}}
  - name: pin
    ask: {question: "The PIN?", type: string}
    secret: true
  - {name: third, tool: enter, args: {name: bob}}
"""
NEEDS_LOGIN = "\nsteps:\n  - {name: look, tool: look}\n"

in_both_eras = pytest.mark.parametrize("era", ERAS)
in_the_newest_era = pytest.mark.parametrize("era", ERAS[-1:])
"""For what is behind the protocol, the same in each era; and for states, which only the era without a handshake has."""


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """Tools that write down what they did, and a skill that asks."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.skill(ASKS)
    return made


@in_both_eras
async def test_the_person_is_asked_within_the_call(shop: Workshop, era: str) -> None:
    """The agent calls once, its person answers a form, and the result is that of the whole run."""
    async with agent(shop, era=era, answering=accepts(True)) as one:
        told = await one.call("promise", who="bob")
    assert (told["status"], told["outputs"]) == ("ok", {"sure": True})
    assert one.asked == ["Go on with bob?"]
    assert shop.log == ["enter ann", "enter bob"]


@pytest.mark.parametrize("answering", [declines, None], ids=["declined", "no forms"])
@in_the_newest_era
async def test_who_does_not_answer_finds_the_run_waiting(shop: Workshop, era: str, answering: Any) -> None:
    """Nothing is undone; the answer says what is asked and how to answer, and answering goes on."""
    async with agent(shop, era=era, answering=answering) as one:
        waiting = await one.call("promise")
        (question,) = waiting["questions"]
        assert (waiting["status"], waiting["outputs"], waiting["failed"]) == ("waiting", None, None)
        assert (question["name"], question["type"], question["default"]) == ("sure", "boolean", False)
        assert f'run_answer(run_id="{waiting["run_id"]}"' in waiting["next"]
        told = await one.call("run_answer", run_id=waiting["run_id"], answers={"sure": True})
        again = await one.call("run_answer", run_id=waiting["run_id"], answers={"sure": True})
    assert (told["status"], again["outputs"]) == ("ok", {"sure": True})
    assert shop.log == ["enter ann", "enter cid"]


@in_both_eras
async def test_several_questions_are_asked_each_by_a_form_of_its_own(shop: Workshop, era: str) -> None:
    """Whole numbers, choices, and a list as JSON in a text."""
    shop.skill(ASKS_MUCH)
    answers: dict[str, Any] = {"How many?": 3, "Which?": "green", "What words?": '["a", "b"]'}
    schemas = {}

    def answering(params: ElicitRequestParams) -> ElicitResult:
        schemas[params.message] = params.requested_schema["properties"]["answer"]  # type: ignore[union-attr] # a form
        return ElicitResult(action="accept", content={"answer": answers[params.message]})

    async with agent(shop, era=era, answering=answering) as one:
        told = await one.call("promise")
    assert told["outputs"] == {"told": [3, "green", ["a", "b"]]}, told
    assert (schemas["How many?"]["type"], schemas["Which?"]["enum"]) == ("integer", ["red", "green"])
    assert sorted(one.asked) == sorted(answers)
    assert shop.log == ["enter ann"]


@in_the_newest_era
async def test_an_answer_that_does_not_fit_is_asked_for_again_a_few_times(shop: Workshop, era: str) -> None:
    """The form says what was wrong; at last the run waits, and a good answer is still taken."""
    shop.skill("\nsteps:\n  - {name: count, ask: {question: How many?, type: integer}}\n")
    async with agent(shop, era=era, answering=accepts("many")) as one:
        waiting = await one.call("promise")
        assert waiting["status"] == "waiting"
        assert len(one.asked) == 3
        assert "whole number" in one.asked[-1]
        refused = await one.result("run_answer", run_id=waiting["run_id"], answers={"count": "many"})
        assert refused.is_error
        assert (await one.call("run_answer", run_id=waiting["run_id"], answers={"count": "7"}))["status"] == "ok"


@in_the_newest_era
async def test_a_secret_question_is_left_to_a_terminal(shop: Workshop, era: str) -> None:
    """No form asks it and no agent may answer it; the secret input of the agent stands nowhere."""
    shop.skill(SECRET)
    secret = "hunter2-of-the-agent"
    async with agent(shop, era=era, answering=accepts("1234")) as one:
        waiting = await one.call("promise", token=secret)
        assert (waiting["status"], one.asked) == ("waiting", [])
        assert f"skill answer {waiting['run_id']}" in waiting["next"]
        refused = await one.result("run_answer", run_id=waiting["run_id"], answers={"pin": "1234"})
        assert refused.is_error
        assert "secret" in str(refused.content)
    answered = shop.run("answer", waiting["run_id"], "pin=99-secret-pin", "-i", f"token={secret}")
    assert answered.returncode == 0, answered.stderr
    assert shop.log == [f"enter {secret}", "enter bob"]
    kept = b"".join(path.read_bytes() for path in shop.home.rglob("*") if path.is_file())
    assert secret.encode() not in kept
    assert secret not in str(waiting)


@in_the_newest_era
async def test_a_secret_input_is_there_when_the_call_comes_back(shop: Workshop, era: str) -> None:
    """It is not kept with the parked run; the same call has it again."""
    shop.skill(
        "\ninputs:\n  - {name: token, type: string, secret: true}\n  - {name: pin, type: string, secret: true, "
        "default: none}\nsteps:\n  - {name: sure, ask: {question: Sure?, type: boolean}}\n"
        '  - {name: third, tool: enter, args: {name: "{{ inputs.token }}"}}\n'
    )
    async with agent(shop, era=era, answering=accepts(True)) as one:
        result = await one.result("promise", token="hunter2-of-the-agent")
    assert result.structured_content["status"] == "ok", result.structured_content
    assert shop.log == ["enter hunter2-of-the-agent"]
    assert "hunter2" not in str(result)
    assert "hunter2" not in str(events_of(shop, result.structured_content["run_id"]))


@in_both_eras
async def test_a_fix_waits_for_a_person_unless_the_server_lets_agents_approve(shop: Workshop, era: str) -> None:
    """In tier `run` the agent cannot answer it; in `approve-fixes` its person is asked."""
    shop.skill(NEEDS_LOGIN)
    (shop.folder / "skill.toml").write_text('[heal]\nmode = "ask"\n' + (shop.folder / "skill.toml").read_text())
    async with agent(shop, era=era, answering=accepts(True)) as one:
        waiting = await one.call("promise")
        (question,) = waiting["questions"]
        assert (waiting["status"], question["about"], one.asked) == ("waiting", "fix", [])
        assert f"skill answer {waiting['run_id']}" in waiting["next"]
        refused = await one.result("run_answer", run_id=waiting["run_id"], answers={question["name"]: True})
        assert refused.is_error
        assert "approve-fixes" in str(refused.content)
    async with agent(shop, "--allow", "approve-fixes", era=era, answering=accepts(True)) as one:
        told = await one.call("promise")
    assert (told["status"], len(one.asked), shop.log) == ("ok", 1, ["log_in"])


async def parked(one: Agent, **arguments: Any) -> InputRequiredResult:
    """The first answer of a call whose run asks, in the era that answers so."""
    result = await one.client.session.call_tool("promise", arguments, allow_input_required=True)
    assert isinstance(result, InputRequiredResult), result
    return result


@in_the_newest_era
async def test_the_same_state_twice_gives_one_run_and_one_result(shop: Workshop, era: str) -> None:
    """At once and afterwards, with the same server and with the next one: no step runs again."""
    told: list[Any] = []

    async def back(one: Agent, question: InputRequiredResult) -> None:
        given: InputResponses = {"sure": ElicitResult(action="accept", content={"answer": True})}
        state = question.request_state
        result = await one.client.session.call_tool("promise", {}, input_responses=given, request_state=state)
        told.append(result.structured_content)

    async with agent(shop, era=era, answering=accepts(True)) as one:
        question = await parked(one)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(back, one, question)
            tasks.start_soon(back, one, question)
        await back(one, question)
    async with agent(shop, era=era, answering=accepts(True)) as other:
        await back(other, question)
    assert {each["run_id"] for each in told} == {told[0]["run_id"]}
    assert [(each["status"], each["outputs"]) for each in told] == [("ok", {"sure": True})] * 4
    assert shop.log == ["enter ann", "enter cid"]


@in_the_newest_era
async def test_a_state_that_is_not_for_this_call_is_refused(shop: Workshop, era: str, tmp_path: Path) -> None:
    """Forged, of other arguments, of another tool or another workspace: nothing runs, and the server goes on."""
    shop.skill(ASKS, "other")
    elsewhere = Workshop(tmp_path / "elsewhere", shop.home)
    elsewhere.furnish()
    elsewhere.skill(ASKS)
    given: InputResponses = {"sure": ElicitResult(action="accept", content={"answer": True})}
    async with agent(shop, era=era, answering=accepts(True)) as one:
        question = await parked(one)
        state = question.request_state or ""
        call = one.client.session.call_tool
        for tool, arguments, wrong in (
            ("promise", {}, f"{state[:-6]}AAAAAA"),
            ("promise", {}, "v1.abc"),
            ("promise", {"who": "bob"}, state),
            ("other", {}, state),
        ):
            with pytest.raises(MCPError, match="requestState"):
                await call(tool, arguments, input_responses=given, request_state=wrong)
        async with agent(elsewhere, era=era, answering=accepts(True)) as two:
            with pytest.raises(MCPError, match="requestState"):
                await two.client.session.call_tool("promise", {}, input_responses=given, request_state=state)
        assert shop.log == ["enter ann"]
        assert elsewhere.log == []
        good = await call("promise", {}, input_responses=given, request_state=state)
    assert good.structured_content["status"] == "ok"
