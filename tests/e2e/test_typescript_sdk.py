"""Clients of the TypeScript SDK, in both generations and both eras of the protocol, over stdio and HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mcp_clients.serving import as_command, listening
from tests.e2e.mcp_clients.typescript import LEGACY, MODERN, RefusedError, TypeScriptClient, over_http, typescript
from tests.flow.workshop import TWO_ENTRIES, Workshop, until
from tests.ways import ways

GREETS = """
inputs:
  - {name: name, type: string, required: true, pattern: "^[a-z]+$"}
  - {name: times, type: integer, default: 2, minimum: 1, maximum: 5}
  - {name: tone, type: string, enum: [kind, short], default: kind}
steps:
  - {name: one, tool: enter, args: {name: "{{ inputs.name }}"}}
  - {name: many, compute: "result = [inputs['name']] * inputs['times']"}
outputs:
  - {name: names, value: "{{ many }}", description: The name that often}
  - {name: tone, value: "{{ inputs.tone }}"}
"""
SLOW = """
steps:
  - {name: first, tool: enter, args: {name: ann}, undo: {name: first_out, tool: leave, args: {name: ann}}}
  - {name: second, tool: wait_for, args: {name: go}}
always:
  - {name: tidy, tool: enter, args: {name: tidy}}
outputs:
  - {name: said, value: done}
"""
ASKS = """
steps:
  - {name: before, tool: enter, args: {name: before}}
  - {name: target, ask: {question: Where to?, choices: [staging, production]}}
  - {name: count, ask: {question: How many?, type: integer, default: 3}}
  - {name: after, tool: enter, args: {name: "{{ target }}-{{ count }}"}}
outputs:
  - {name: said, value: "{{ target }} {{ count }}"}
"""
GENERAL = {
    *("skill_list", "skill_describe", "skill_run", "run_status", "run_answer", "run_cancel", "run_logs", "tool_exec"),
    *("check_known_issues", "debug_tool", "learn_tool_fix", "memory_read", "get_health"),
}
FIX = {
    "tool_name": "enter",
    "error_pattern": "the hinge is stuck",
    "root_cause": "Nobody has oiled it",
    "fix_description": "Oil it",
}
Answers = Sequence[dict[str, Any]]


UNHURRIED = """
steps:
  - {name: first, tool: enter, args: {name: ann}}
  - {name: second, tool: wait, args: {seconds: 1}}
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to speak with the server."""

    sdk: int
    era: str
    http: bool

    @contextmanager
    def to(self, workshop: Workshop, *words: str, answers: Answers | None = None) -> Iterator[TypeScriptClient]:
        """A client of this kind, connected to a server of its own."""
        if self.http:
            with listening(workshop, *words) as server:
                there = over_http(server.url, server.token)
                with typescript(there, sdk=self.sdk, era=self.era, answers=answers) as client:
                    yield client
            return
        with typescript(as_command(workshop, *words), sdk=self.sdk, era=self.era, answers=answers) as client:
            yield client


WAYS = [
    pytest.param(Way(1, LEGACY, http=False), id="first generation, stdio"),
    pytest.param(Way(1, LEGACY, http=True), id="first generation, HTTP"),
    pytest.param(Way(2, LEGACY, http=True), id="second generation, legacy era, HTTP"),
    pytest.param(Way(2, MODERN, http=False), id="second generation, modern era, stdio"),
    pytest.param(Way(2, MODERN, http=True), id="second generation, modern era, HTTP"),
]
every_way = pytest.mark.parametrize("way", [*ways(*WAYS[:2]), *WAYS[2:]])
two_ways = pytest.mark.parametrize("way", [WAYS[0], WAYS[4]])


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Skills that greet, wait, ask."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.tool("wait_for", 'touch begun\nwhile ! test -e "$1"; do sleep 0.05; done\n', effect="read")
    for name, text in {"greets": GREETS, "slow": SLOW, "asks": ASKS, "two": TWO_ENTRIES}.items():
        made.skill(text, name)
    return made


def refused(client: TypeScriptClient, name: str, arguments: dict[str, Any]) -> str:
    """Why a call is refused, as an error of the protocol or as a result that is one."""
    told = client.tell("call", name=name, arguments=arguments)
    if told.error is not None:
        return str(told.error["message"])
    assert told.result["isError"] is True, told
    return str(told.result["content"][0]["text"])


@every_way
def test_tools_are_listed_with_exact_schemas_and_results_pass_the_clients_own_validation(
    workshop: Workshop, way: Way
) -> None:
    """The SDK checks structured content with ajv against the schema it was given; wrong arguments run nothing."""
    with way.to(workshop) as client:
        assert client.connected["server"]["name"] == "skill-engine"
        tools = client.list()
        assert set(tools) >= GENERAL | {"greets", "slow", "asks", "two"}
        assert all("outputSchema" in tool and tool["inputSchema"]["type"] == "object" for tool in tools.values())
        schema = tools["greets"]["inputSchema"]
        assert (schema["required"], schema["additionalProperties"]) == (["name"], False)
        assert schema["properties"]["tone"]["enum"] == ["kind", "short"]
        assert (schema["properties"]["times"]["minimum"], schema["properties"]["times"]["default"]) == (1, 2)
        result = client.call("greets", {"name": "ann", "times": 3})
        assert result["structuredContent"]["outputs"] == {"names": ["ann", "ann", "ann"], "tone": "kind"}
        assert not result.get("isError")
        assert "ok" in result["content"][0]["text"]
        for wrong in (
            {},
            {"name": 3},
            {"name": "ANN"},
            {"name": "ann", "times": 9},
            {"name": "ann", "more": 1},
        ):
            assert refused(client, "greets", wrong)
        assert "nothing_like_it" in refused(client, "nothing_like_it", {})
        assert client.call("skill_list", {})["structuredContent"]
        described = client.call("skill_describe", {"name": "greets"})["structuredContent"]
        assert "greets" in str(described)
    assert workshop.log == ["enter ann"]


@two_ways
def test_every_general_tool_keeps_the_schema_it_shows(workshop: Workshop, way: Way) -> None:
    """What each answers is checked by the client against the output schema that was listed."""
    with way.to(workshop) as client:
        assert set(client.list()) >= GENERAL
        run = client.call("skill_run", {"name": "greets", "inputs": {"name": "ann"}})["structuredContent"]
        asks = client.call("skill_run", {"name": "asks"})["structuredContent"]
        calls: list[tuple[str, dict[str, Any]]] = [
            ("skill_list", {}),
            ("skill_list", {"query": "greet", "limit": 1}),
            ("skill_describe", {"name": "greets"}),
            ("skill_describe", {"name": "test_mr_ephemeral"}),
            ("run_status", {}),
            ("run_status", {"run_id": run["run_id"]}),
            ("run_status", {"run_id": asks["run_id"]}),
            ("run_logs", {"run_id": run["run_id"], "limit": 3}),
            ("tool_exec", {"name": "echo", "args": {"value": {"deep": [1, None]}}}),
            ("check_known_issues", {"error_text": "401 Unauthorized"}),
            ("debug_tool", {"tool_name": "enter", "error_message": "the door is locked"}),
            ("learn_tool_fix", FIX),
            ("memory_read", {}),
            ("get_health", {}),
            ("run_cancel", {"run_id": asks["run_id"]}),
        ]
        for name, arguments in calls:
            result = client.call(name, arguments)
            assert not result.get("isError"), (name, result)
            assert result["structuredContent"], name
        for name in ("run_status", "run_logs", "run_cancel"):
            assert "no-such-run" in refused(client, name, {"run_id": "no-such-run"})
        assert "skill_list" in refused(client, "skill_run", {"name": "no_such_skill"})
    assert workshop.json("status", asks["run_id"])["status"] == "cancelled"


@two_ways
def test_a_client_that_dies_leaves_its_run_alone(workshop: Workshop, way: Way) -> None:
    """SIGKILL for the client in mid-call: nobody has cancelled anything, so the run goes on to its end."""
    with way.to(workshop) as client:
        client.begin("call", name="slow", arguments={})
        until((workshop.folder / "begun").exists)
        client.process.kill()
        client.process.wait()
        assert workshop.json("status", "last")["status"] == "running"
    (workshop.folder / "go").touch()
    until(lambda: workshop.json("status", "last")["status"] == "ok", within=30)
    assert workshop.log == ["enter ann", "enter tidy"]


@two_ways
def test_progress_is_told_while_a_skill_runs(workshop: Workshop, way: Way) -> None:
    """Numbers that only grow, of a known total, each with the step it is about.

    The last step takes a while: a client forgets a request's progress once it reads the answer, in the same chunk too.
    """
    workshop.skill(UNHURRIED, "unhurried")
    with way.to(workshop) as client:
        told = client.tell("call", name="unhurried", arguments={})
        assert told.result["structuredContent"]["status"] == "ok"
    numbers = [each["progress"] for each in told.progress]
    assert numbers
    assert numbers == sorted(set(numbers))
    assert {each["total"] for each in told.progress} == {2}
    assert any("second" in each["message"] for each in told.progress)


@two_ways
def test_a_cancelled_call_cancels_its_run_which_is_undone(workshop: Workshop, way: Way) -> None:
    """The request is taken back at the first progress; the step that was done is undone, and `always` has run.

    In the modern era over HTTP nothing but the end of the connection tells of it, and a run outlives that: there the
    client says `run_cancel`.
    """
    with way.to(workshop) as client:
        told = client.tell("call", name="slow", arguments={}, cancelAtProgress=1)
        assert told.error is not None
        if (way.era, way.http) == (MODERN, True):
            until((workshop.folder / "begun").exists)
            run = client.call("run_status", {})["structuredContent"]["runs"][0]
            assert run["status"] == "running"
            client.call("run_cancel", {"run_id": run["run_id"]})
        until(lambda: "enter tidy" in workshop.log, within=30)
    assert workshop.log == ["enter ann", "leave ann", "enter tidy"]
    assert workshop.json("status", "last")["status"] == "cancelled"


@two_ways
def test_a_client_whose_time_is_over_leaves_its_run_alone(workshop: Workshop, way: Way) -> None:
    """The SDK takes the request back as a cancelled one; the run is longer than its call, and is found by its id."""
    with way.to(workshop) as client:
        told = client.tell("call", name="slow", arguments={}, timeout=2_500)
        assert told.error is not None
        assert "timed out" in told.error["message"]
        until((workshop.folder / "begun").exists)
        run = client.call("run_status", {})["structuredContent"]["runs"][0]
        (workshop.folder / "go").touch()
        ended = client.call("run_status", {"run_id": run["run_id"], "wait_seconds": 30})["structuredContent"]
    assert (ended["status"], ended["outputs"]) == ("ok", {"said": "done"})
    assert workshop.log == ["enter ann", "enter tidy"]


@every_way
def test_a_run_asks_through_the_client_and_goes_on_with_the_answers(workshop: Workshop, way: Way) -> None:
    """The person behind the client is asked what the skill asks; every step is done once."""
    answers: Answers = [{"action": "accept", "values": ["production"]}, {"action": "accept", "values": [7]}]
    with way.to(workshop, answers=answers) as client:
        client.list()
        told = client.tell("call", name="asks", arguments={})
        assert told.error is None
        assert told.result["structuredContent"]["status"] == "ok", told.result
    assert told.result["structuredContent"]["outputs"] == {"said": "production 7"}
    assert [any(text in each["message"] for each in told.asked) for text in ("Where to?", "How many?")] == [True, True]
    assert workshop.log == ["enter before", "enter production-7"]


@two_ways
@pytest.mark.parametrize("answers", [None, [{"action": "decline"}] * 4], ids=["cannot ask", "declined"])
def test_a_run_nobody_answers_waits_and_is_answered_later(
    workshop: Workshop, way: Way, answers: list[dict[str, Any]] | None
) -> None:
    """The result names the questions and what to call; `run_answer` goes on, and nothing is done twice."""
    with way.to(workshop, answers=answers) as client:
        client.list()
        waiting = client.call("asks", {})["structuredContent"]
        assert waiting["status"] == "waiting"
        assert "run_answer" in waiting["next"]
        assert waiting["questions"][0]["choices"] == ["staging", "production"]
        while waiting["status"] == "waiting":
            wanted = {"target": "staging", "count": 2}
            given = {each["name"]: wanted[each["name"]] for each in waiting["questions"]}
            waiting = client.call("run_answer", {"run_id": waiting["run_id"], "answers": given})["structuredContent"]
        assert waiting["outputs"] == {"said": "staging 2"}
    assert workshop.log == ["enter before", "enter staging-2"]


@two_ways
def test_a_long_run_answers_with_its_id_and_is_found_by_it(workshop: Workshop, way: Way) -> None:
    """Longer than the client wants to wait: `running`, then `run_status` until it has ended, and ever after."""
    with way.to(workshop) as client:
        client.list()
        begun = client.call("skill_run", {"name": "slow", "wait_seconds": 0})["structuredContent"]
        assert begun["status"] == "running"
        until((workshop.folder / "begun").exists)
        (workshop.folder / "go").touch()
        ended = client.call("run_status", {"run_id": begun["run_id"], "wait_seconds": 30})["structuredContent"]
        assert (ended["status"], ended["outputs"]) == ("ok", {"said": "done"})
        again = client.call("run_status", {"run_id": begun["run_id"]})["structuredContent"]
        assert again == ended
    assert workshop.log == ["enter ann", "enter tidy"]


@two_ways
def test_what_is_above_the_tier_is_neither_listed_nor_done(workshop: Workshop, way: Way) -> None:
    """A client that may only read is told the way out, and nothing runs."""
    with way.to(workshop, "--allow", "read") as client:
        tools = client.list()
        assert {"skill_list", "run_status"} <= set(tools)
        assert not {"skill_run", "greets", "tool_exec"} & set(tools)
        assert "--allow" in refused(client, "skill_run", {"name": "greets", "inputs": {"name": "ann"}})
        assert refused(client, "greets", {"name": "ann"})
        assert client.call("skill_list", {})["structuredContent"]
    assert workshop.log == []


@pytest.mark.parametrize(("sdk", "era"), [(1, LEGACY), (2, LEGACY), (2, MODERN)])
def test_without_the_token_nobody_connects(workshop: Workshop, sdk: int, era: str) -> None:
    """No token and a wrong one are refusals that the SDK knows for what they are; the next client is served."""
    with listening(workshop) as server:
        for token in (None, "wrong"):
            with pytest.raises(RefusedError, match=r"401|[Uu]nauthorized"):
                connected(over_http(server.url, token), sdk=sdk, era=era)
        with typescript(over_http(server.url, server.token), sdk=sdk, era=era) as client:
            assert "greets" in client.list()


def connected(server: dict[str, Any], *, sdk: int, era: str) -> None:
    """Connects, and no more."""
    with typescript(server, sdk=sdk, era=era):
        pass


def test_eight_calls_at_once_are_eight_runs(workshop: Workshop) -> None:
    """One connection, eight calls in flight: each has its own run and its own result."""
    way = Way(2, MODERN, http=True)
    with way.to(workshop) as client:
        results = client.call("greets", {"name": "ann"}, times=8)
    ids = [each["structuredContent"]["run_id"] for each in results]
    assert len(set(ids)) == 8
    assert all(each["structuredContent"]["status"] == "ok" for each in results)
    assert workshop.log == ["enter ann"] * 8
