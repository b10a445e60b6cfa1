"""Tools of MCP servers are called, healed and journaled like any other; the server is a process that misbehaves."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from engine.errors import WorkspaceError
from engine.model.outcome import RunStatus, StepStatus
from engine.run.executor import SkillExecutor
from engine.wiring import Engine
from tests.flow.mcp_places import Place, assert_ends, becomes, servers_of
from tool_registry.tool import Effect, ToolContext, ToolError

LOOK = "  - name: see\n    tool: odd.look\n    args: {text: hello}\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace."""
    return Place(tmp_path)


async def test_a_skill_calls_a_tool_of_a_server_nobody_has_asked_before(place: Place) -> None:
    """The run asks the server what it has, and knows then that the tool only reads."""
    place.serve()
    place.skill(LOOK)
    result = await place.run()
    assert result.status is RunStatus.OK, result.message
    assert result.steps[0].value == {"heard": "hello"}
    async with Engine.open(place.folder) as engine:
        assert engine.registry["odd.look"].effect is Effect.READ
        assert engine.registry["odd.push"].effect is Effect.WRITE
        assert engine.registry["odd.fell"].effect is Effect.DESTRUCTIVE
        assert engine.registry["odd.look"].domain == "mcp:odd"
    assert len(place.noted("pids")) == 1, "a known listing starts nothing"
    assert_ends(place)


async def test_no_server_is_started_before_a_step_needs_it(place: Place) -> None:
    """Nor for a skill that stops before, nor another one of the file, though nobody has asked either what it has."""
    begun = place.folder / "begun"
    place.servers(odd=place.entry("well"), other={"command": "sh", "args": ["-c", f"touch '{begun}'"]})
    place.skill(LOOK)
    assert (await place.run()).status is RunStatus.OK
    place.skill("  - {name: enough, stop: {status: ok, message: enough}}\n" + LOOK, "early")
    async with Engine.open(place.folder) as engine:
        assert (await SkillExecutor(engine).run("early")).status is RunStatus.OK
    assert len(place.noted("pids")) == 1
    assert not begun.exists()
    assert_ends(place)


async def test_a_server_killed_in_mid_call_is_restarted_for_a_read(place: Place) -> None:
    """The call is healed by `mcp_restart`, and the journal says so."""
    place.serve()
    place.skill("  - name: see\n    tool: odd.look\n    args: {text: hello, die: true}\n")
    result = await place.run()
    step = result.steps[0]
    assert (result.status, step.status) == (RunStatus.OK, StepStatus.HEALED), step.failure
    assert step.fixes == ("mcp_restart(server='odd')",)
    assert step.value == {"heard": "hello"}
    assert_ends(place)


async def test_a_server_killed_in_mid_call_is_not_asked_again_to_write(place: Place) -> None:
    """Nobody knows whether the write was done, so it is not repeated, and the failure names the server."""
    place.serve()
    place.skill("  - name: act\n    tool: odd.push\n    args: {text: hello, die: true}\n")
    result = await place.run()
    failure = result.steps[0].failure
    assert result.status is RunStatus.FAILED
    assert failure is not None
    assert "is gone" in failure.message
    assert failure.evidence.details["server"] == "odd"
    assert place.noted("calls") == ["push hello"]
    assert_ends(place)


async def test_a_write_to_a_server_that_went_away_before_is_healed(place: Place) -> None:
    """Nothing was sent to it, so the write cannot have been done."""
    place.serve()
    place.skill(
        "  - name: kill\n    tool: odd.look\n    args: {die: true}\n    heal: false\n    on_error: continue\n"
        "  - name: act\n    tool: odd.push\n    args: {text: hello}\n"
    )
    result = await place.run()
    assert result.steps[1].status is StepStatus.HEALED, result.steps[1].failure
    assert place.noted("calls") == ["look", "push hello"]
    assert_ends(place)


async def test_a_tool_that_fails_is_not_a_server_that_is_gone(place: Place) -> None:
    """Its words are evidence, as a program's are."""
    place.serve()
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")
        with pytest.raises(ToolError, match="failed: error: 401 Unauthorized") as caught:
            await engine.registry.call("odd.fail", {}, ToolContext())
    assert caught.value.kind is None
    assert "expired" in caught.value.output
    assert_ends(place)


async def test_forty_calls_at_once_each_get_their_own_answer(place: Place) -> None:
    """One server answers all of them."""
    place.serve()
    answers: dict[int, str] = {}
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")

        async def call(number: int) -> None:
            output = await engine.registry.call("odd.look", {"text": str(number)}, ToolContext())
            answers[number] = output.value["heard"]

        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(call, number)
    assert answers == {number: str(number) for number in range(40)}
    assert len(place.noted("pids")) == 1
    assert_ends(place)


async def test_progress_is_reported_and_cancellation_reaches_the_server(place: Place) -> None:
    """Whoever waits no longer makes the server stop, too, and the server serves on."""
    place.serve()
    heard: list[str] = []
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")
        with anyio.CancelScope() as scope:

            def report(line: str) -> None:
                heard.append(line)
                if len(heard) == 3:
                    scope.cancel()

            await engine.registry.call("odd.slow", {}, ToolContext(report=report))
        assert scope.cancelled_caught
        assert heard[1] == "1 of 600: at 1"
        await becomes(lambda: "cancelled" in place.noted("calls"))
        assert (await engine.registry.call("odd.look", {"text": "on"}, ToolContext())).value == {"heard": "on"}
    assert_ends(place)


async def test_a_call_has_a_deadline_and_the_server_lives_on(place: Place) -> None:
    """What takes too long is a time-out; the server is told, and answers the next call."""
    place.serve()
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")
        with pytest.raises(ToolError, match="no answer from odd") as caught:
            await engine.registry.call("odd.slow", {}, ToolContext(timeout=0.3))
        assert caught.value.kind == "timeout"
        await engine.registry.call("odd.look", {}, ToolContext())
    assert_ends(place)


@pytest.mark.parametrize(
    ("way", "says"), [("silent", "no answer within"), ("exits", "exit status 3"), ("nowhere", "no program")]
)
async def test_a_server_that_cannot_start_says_why(place: Place, way: str, says: str) -> None:
    """With how it ended and what it wrote to standard error; and nothing of it is left."""
    if way == "silent":
        place.settings("[mcp.servers.odd]\nstart_within = 3\n")
    place.serve(way) if way != "nowhere" else place.servers(odd={"command": "no-such-program-here"})
    async with Engine.open(place.folder) as engine:
        with pytest.raises(ToolError, match=says) as caught:
            await servers_of(engine).ask("odd")
    assert caught.value.sent is False
    assert caught.value.details["server"] == "odd"
    if way != "nowhere":
        assert caught.value.kind == "connection_refused"
        assert f"starting as {way}" in caught.value.output
        assert_ends(place)


async def test_rubbish_on_standard_output_is_noted_and_no_more(place: Place) -> None:
    """Servers that greet people work all the same."""
    place.serve("rubbish")
    place.skill(LOOK)
    assert (await place.run()).status is RunStatus.OK
    log = (place.folder / ".skill/state/mcp/odd.log").read_text(encoding="utf-8")
    assert "Welcome to the server!" in log
    assert_ends(place)


async def test_a_listing_of_a_thousand_tools_comes_in_pages(place: Place) -> None:
    """All of them can be called."""
    place.serve("thousand")
    async with Engine.open(place.folder) as engine:
        assert len(await servers_of(engine).ask("odd")) == 1000
        assert (await engine.registry.call("odd.number-999", {}, ToolContext())).value["text"] == "number-999: "
        assert sum(name.startswith("odd.") for name in engine.registry) == 1000
    assert_ends(place)


async def test_a_huge_result_fails_its_call_and_no_other(place: Place) -> None:
    """Too large a value is refused, too large a message dropped; the server serves on."""
    place.serve()
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")
        for size in (6_000_000, 33_000_000):
            with pytest.raises(ToolError) as caught:
                await engine.registry.call("odd.big", {"size": size}, ToolContext())
            assert caught.value.kind == "resource_exhausted"
        assert (await engine.registry.call("odd.look", {"text": "on"}, ToolContext())).value == {"heard": "on"}
    assert_ends(place)


async def test_a_stubborn_server_and_what_it_started_end_all_the_same(place: Place) -> None:
    """It ignores its input's end and SIGTERM, and has a child."""
    place.serve("stubborn")
    place.skill(LOOK)
    assert (await place.run()).status is RunStatus.OK
    assert len(place.noted("pids")) == 2
    assert_ends(place)


@pytest.mark.parametrize("listed", [False, True])
async def test_a_variable_that_is_not_set_keeps_a_run_from_beginning(place: Place, *, listed: bool) -> None:
    """The sentence names file, line, column, server, key and variable; nothing was started."""
    place.serve(env={"TOKEN": "${NOBODY_SETS_THIS}"})
    place.skill(LOOK)
    if listed:
        async with Engine.open(place.folder) as engine:
            servers_of(engine).listings.keep(servers_of(engine).servers.entries["odd"], ({"name": "look"},))
    with pytest.raises(WorkspaceError, match=r"\.mcp\.json:\d+:\d+: the MCP server odd needs .*NOBODY_SETS_THIS"):
        await place.run()
    assert not place.noted("pids")


async def test_a_tool_the_server_does_not_have_keeps_a_run_from_beginning(place: Place) -> None:
    """As one that does not exist does elsewhere."""
    place.serve()
    place.skill(LOOK + "  - name: other\n    tool: odd.nothing\n")
    with pytest.raises(Exception, match="odd has no tool called nothing"):
        await place.run()
    assert not place.noted("calls")
    assert_ends(place)


async def test_a_tool_that_the_server_has_got_since_is_found(place: Place) -> None:
    """What is kept of a server is no reason to refuse: it is asked once more; a check warns."""
    place.serve()
    place.skill(LOOK)
    assert (await place.run()).status is RunStatus.OK
    (place.folder / "notes" / "more").touch()
    place.skill("  - name: see\n    tool: odd.late\n")
    async with Engine.open(place.folder) as engine:
        found = engine.library.check("one")
    assert [(finding.code, finding.severity.value) for finding in found] == [("unknown-tool", "warning")]
    assert (await place.run()).status is RunStatus.OK
    assert_ends(place)


async def test_settings_say_what_the_server_does_not(place: Place) -> None:
    """A tool without annotations counts as destructive, until somebody who knows says otherwise."""
    place.settings('[domains.mine]\n[mcp.servers.odd]\ndomain = "mine"\ntools.fell = {effect = "read", timeout = 5}\n')
    place.serve()
    async with Engine.open(place.folder) as engine:
        await servers_of(engine).ask("odd")
        tool = engine.registry["odd.fell"]
        assert engine.domains["mine"].fixes["connect"].call.args == {"server": "odd"}
    assert (tool.effect, tool.timeout, tool.domain) == (Effect.READ, 5.0, "mine")
    assert_ends(place)


async def test_a_server_has_a_deadline_for_its_calls_and_a_tool_one_of_its_own(place: Place) -> None:
    """The one in the settings ends a call that takes longer."""
    place.settings("[mcp.servers.odd]\ntimeout = 1.5\ntools.push = {timeout = 9}\n")
    place.serve()
    place.skill("  - {name: long, tool: odd.slow, heal: false}\n")
    result = await place.run()
    failure = result.steps[0].failure
    assert failure is not None
    assert failure.kind == "timeout"
    assert "1.5 s" in failure.message
    async with Engine.open(place.folder) as engine:
        assert [engine.registry[f"odd.{name}"].timeout for name in ("look", "push")] == [1.5, 9.0]
    assert_ends(place)


async def test_secrets_of_a_server_stand_nowhere(place: Place) -> None:
    """Neither in its log nor in what a call gives nor in history."""
    place.serve(env={"API_TOKEN": "${MCP_TEST_TOKEN:-tok-5f2c9a77}"})
    place.skill("  - name: see\n    tool: odd.environment\n")
    events: list[str] = []
    async with Engine.open(place.folder) as engine:
        result = await SkillExecutor(engine, listeners=(lambda event: events.append(repr(event)),)).run("one")
    assert result.status is RunStatus.OK
    assert "tok-5f2c9a77" not in "".join(events)
    kept = [path.read_bytes() for path in (place.folder / ".skill").rglob("*") if path.is_file()]
    assert not [text for text in kept if b"tok-5f2c9a77" in text]
    assert_ends(place)
