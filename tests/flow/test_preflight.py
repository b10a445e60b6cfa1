"""Before a run all that it certainly stands on is looked at, and repaired where that may be; else it does not begin."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest

from engine import EventKind, RunStatus
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from engine.model.prevention import CheckAction, CheckResult
from engine.run.dry.runner import DryRunner
from tests.flow.conftest import Door, Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Needs, Tool, ToolError

SETTINGS = """
[domains.door]
description = "A door with a lock, at the end of a road."
fixes.login = {call = {tool = "log_in"}, cooldown = 5}
fixes.connect = {call = {tool = "build_road"}, cooldown = 5}
checks.road = {tool = "road_is_open", role = "connect", kind = "connection_refused"}
expiry = {tool = "token_time", offline = true}
"""
LOOK = "steps: [{name: a, tool: look}]\nalways: [{name: bye, tool: leave}]\n"


class Clockwork:
    """A door whose token ends at a moment of `now`; every login gives one that holds an hour."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.now = time.time()
        self.ends = self.now + 3600.0
        self._logins = 0

    def clock(self) -> float:
        """The time, a millisecond later each time somebody asks."""
        self.now += 0.001
        return self.now

    def lost(self) -> None:
        """The token does not count any more, and nothing can be seen of that."""
        self._logins = self.door.called("log_in")
        self.ends = self.now + 3600.0
        self.door.token = False

    def tools(self) -> tuple[Tool, ...]:
        """How long the token holds, and something that takes twenty minutes."""

        @tool(effect=Effect.READ)
        async def token_time() -> dict[str, Any]:
            """Says how long the token holds."""
            self.door.log.append("token_time")
            if self.door.called("log_in") > self._logins:
                self._logins, self.ends = self.door.called("log_in"), self.now + 3600.0
            return {"expires_at": self.ends if self.door.token else None}

        @tool(effect=Effect.READ)
        async def nap() -> None:
            """Lets twenty minutes pass."""
            self.now += 1200.0

        return tool_of(token_time), tool_of(nap)


BARE = '[domains.door]\ndescription = "A door."\nfixes.login = {call = {tool = "log_in"}}\n'


@pytest.fixture
def clockwork(door: Door) -> Clockwork:
    """A token that holds an hour."""
    return Clockwork(door)


@pytest.fixture
async def rig(make_rig: Callable[..., Rig], clockwork: Clockwork) -> AsyncIterator[Rig]:
    """A door with checks."""
    made = make_rig(tools=clockwork.tools(), settings=SETTINGS)
    made.engine.clock = clockwork.clock
    yield made
    await made.engine.aclose()


def fixed(results: tuple[CheckResult, ...]) -> list[tuple[str, str]]:
    """What was repaired, and by what."""
    return [(each.check, each.fix) for each in results if each.action is CheckAction.FIXED]


async def test_road_and_token_are_repaired_before_the_first_step(rig: Rig) -> None:
    """First the road, then the login that needs it; then the step works at once, and nothing failed."""
    rig.door.road = rig.door.token = False
    done = await rig.run(LOOK)
    assert (done.status, done.healed) == (RunStatus.OK, 0)
    assert fixed(done.preflight) == [("road", "build_road()"), ("token", "log_in()")]
    assert [name for name in rig.door.log if name in {"build_road", "log_in", "look"}] == [
        "build_road",
        "log_in",
        "look",
    ]
    first = next(spot for spot, event in enumerate(rig.events) if event.kind is EventKind.STEP_STARTED)
    assert {event.step for event in rig.stages(EventKind.FIX_FINISHED)} == {""}
    assert all(rig.events.index(event) < first for event in rig.stages(EventKind.FIX_FINISHED))
    assert [event.data["cause"] for event in rig.stages(EventKind.FIX_STARTED)] == ["preflight", "preflight"]


async def test_where_all_is_good_nothing_is_done(rig: Rig) -> None:
    """Each check is made once, is told in an event, and the step is called."""
    done = await rig.run("steps: [{name: a, tool: look}, {name: b, tool: look}]")
    assert [(each.check, each.action) for each in done.preflight] == [
        ("road", CheckAction.PASSED),
        ("token", CheckAction.PASSED),
    ]
    assert rig.door.log == ["road_is_open", "token_time", "look", "look"]
    told = [event.data for event in rig.stages(EventKind.HEAL_STAGE) if event.data["stage"] == "preflight"]
    assert [(data["check"], data["domain"], data["ok"], data["action"]) for data in told] == [
        ("road", "door", True, "passed"),
        ("token", "door", True, "passed"),
    ]


@pytest.mark.parametrize("mode", [HealMode.SUGGEST, HealMode.OFF])
async def test_where_nothing_may_be_repaired_the_run_does_not_begin(
    make_rig: Callable[..., Rig], clockwork: Clockwork, mode: HealMode
) -> None:
    """It ends blocked with the way out; no step, no undo and no `always` has run."""
    rig = make_rig(tools=clockwork.tools(), settings=SETTINGS, heal=mode)
    rig.door.token = False
    done = await rig.run(LOOK)
    assert done.status is RunStatus.BLOCKED
    assert "the token of door is missing" in done.message
    assert "skill tools exec log_in" in done.message
    assert done.steps == ()
    assert set(rig.door.log) == {"road_is_open", "token_time"}
    [blocked] = [each for each in done.preflight if each.action is CheckAction.BLOCKED]
    assert blocked.cause is not None
    assert (blocked.cause.id, str(blocked.cause.steps[0].call)) == ("token", "log_in()")
    await rig.engine.aclose()


async def test_who_wants_to_be_asked_is_asked_by_the_call(make_rig: Callable[..., Rig], clockwork: Clockwork) -> None:
    """Nothing runs beforehand and nothing is blocked; the call fails, and its fix waits for an agreement."""
    rig = make_rig(tools=clockwork.tools(), settings=SETTINGS, heal=HealMode.ASK)
    rig.door.token = False
    rested = await rig.run(LOOK)
    assert (rested.status, rig.door.called("log_in")) == (RunStatus.WAITING, 0)
    assert [each.action for each in rested.preflight] == [CheckAction.PASSED, CheckAction.NOTED]
    done = await rig.executor.answer(rested.run_id, {"a.fix": True})
    assert (done.status, done.healed) == (RunStatus.OK, 1)
    await rig.engine.aclose()


async def test_the_kill_switch_stops_repairs_beforehand_too(rig: Rig) -> None:
    """A file is enough; what is missing is named, and left alone."""
    switch = rig.folder / "home" / "state"
    switch.mkdir(parents=True)
    (switch / "heal-off").touch()
    rig.door.road = False
    done = await rig.run(LOOK)
    assert done.status is RunStatus.BLOCKED
    assert "kill switch" in done.message
    assert rig.door.log == ["road_is_open"]


async def test_a_fix_that_does_not_help_blocks_the_run(rig: Rig) -> None:
    """The login server is closed: tried once, told why, and nothing else was touched."""
    rig.door.token = rig.door.login_works = False
    done = await rig.run(LOOK)
    assert done.status is RunStatus.BLOCKED
    assert "closed on Sundays" in done.message
    assert rig.door.called("log_in") == 1
    assert rig.door.called("look") == 0


async def test_no_login_without_a_network(rig: Rig) -> None:
    """Where the road cannot be repaired, the token is not even looked at."""
    rig.engine.domains["door"].fixes.pop("connect")  # type: ignore[attr-defined] # a plain dict under the Mapping
    rig.door.road = rig.door.token = False
    done = await rig.run(LOOK)
    assert done.status is RunStatus.BLOCKED
    assert rig.door.log == ["road_is_open"]


async def test_a_token_that_ends_before_the_run_would_is_renewed(rig: Rig, clockwork: Clockwork) -> None:
    """Half a minute is less than a run is given at least; a login comes first, though the token is still good."""
    clockwork.ends = clockwork.now + 30.0
    done = await rig.run(LOOK)
    assert (done.status, fixed(done.preflight)) == (RunStatus.OK, [("token", "log_in()")])
    assert "holds only 30 s more, and 60 s are needed" in done.preflight[1].message


async def test_a_token_that_ends_too_soon_does_not_block_where_nothing_may_renew_it(
    make_rig: Callable[..., Rig], clockwork: Clockwork
) -> None:
    """How long a run takes is a guess; a token that still holds is only noted."""
    rig = make_rig(tools=clockwork.tools(), settings=SETTINGS, heal=HealMode.SUGGEST)
    clockwork.ends = clockwork.now + 30.0
    done = await rig.run(LOOK)
    assert (done.status, done.preflight[1].action) == (RunStatus.OK, CheckAction.NOTED)
    await rig.engine.aclose()


async def test_a_token_that_ends_in_mid_run_is_renewed_before_the_call(rig: Rig, clockwork: Clockwork) -> None:
    """What is known of it is enough to see that it is over by now; the second step has its login first."""
    clockwork.ends = clockwork.now + 600.0
    done = await rig.run("steps: [{name: a, tool: look}, {name: pause, tool: nap}, {name: b, tool: look}]")
    assert (done.status, done.healed) == (RunStatus.OK, 0)
    [fix] = rig.stages(EventKind.FIX_FINISHED)
    assert (fix.step, fix.data["fix"], fix.data["cause"]) == ("b", "log_in", "preflight")


async def test_what_stands_under_a_condition_is_looked_at_when_it_comes_to_it(rig: Rig) -> None:
    """Before the run nobody knows whether it will; before its first call everybody does."""
    rig.door.token = False
    text = "inputs: [{name: go, type: boolean, default: false}]\nsteps: [{name: a, condition: inputs.go, tool: look}]\n"
    assert (await rig.run(text)).preflight == ()
    assert rig.door.log == []
    done = await rig.run(text, {"go": True})
    assert (done.status, done.healed, done.preflight) == (RunStatus.OK, 0, ())
    assert [event.step for event in rig.stages(EventKind.FIX_FINISHED)] == ["a"]


@pytest.mark.parametrize(
    "step",
    [
        "{name: a, tool: look, on_error: continue}",
        "{name: a, foreach: '[]', tool: look}",
        "{name: a, tool: look, heal: false}",
        "{name: a, condition: 'False', steps: [{name: b, tool: look}]}",
        "{name: a, tool: log_in}",
        "{name: a, tool: road_is_open}",
    ],
)
async def test_these_steps_do_not_bring_their_domain_along(rig: Rig, step: str) -> None:
    """Tolerated, over a list, not to be healed, in a conditional group, a fix, a check: none is made sure of."""
    done = await rig.run(f"steps: [{step}]\n")
    assert done.preflight == ()
    assert rig.door.called("token_time") == (1 if "continue" in step else 0)


async def test_the_steps_of_a_called_skill_are_made_sure_of_too(rig: Rig) -> None:
    """It certainly runs, so its domain is looked at before the first step of the outer one."""
    rig.door.token = False
    rig.write("steps: [{name: inside, tool: look}]\n", name="inner")
    done = await rig.run("steps: [{name: first, compute: 'result = 1'}, {name: sub, skill: inner}]\n")
    assert (done.status, fixed(done.preflight)) == (RunStatus.OK, [("token", "log_in()")])


async def test_a_check_that_hangs_is_given_up_and_stops_nothing(make_rig: Callable[..., Rig], door: Door) -> None:
    """Within its time nothing was known, so the run begins; the step itself tells how it is."""

    @tool(effect=Effect.READ, timeout=60)
    async def forever() -> None:
        """Never ends."""
        door.log.append("forever")
        await anyio.sleep(3600)

    @tool(effect=Effect.READ, timeout=60)
    def busy() -> None:
        """Never ends, in a thread."""
        time.sleep(4)

    settings = SETTINGS.replace('expiry = {tool = "token_time", offline = true}', "") + (
        'checks.slow = {tool = "forever", within = 0.2}\nchecks.slower = {tool = "busy", within = 0.2}\n'
    )
    rig = make_rig(tools=(tool_of(forever), tool_of(busy)), settings=settings)
    done = await rig.run(LOOK)
    slow = {each.check: each for each in done.preflight}
    assert (done.status, slow["slow"].ok, slow["slow"].action) == (RunStatus.OK, None, CheckAction.NOTED)
    assert slow["slower"].ok is None
    await rig.engine.aclose()


async def test_a_check_that_is_broken_itself_stops_nothing(make_rig: Callable[..., Rig], clockwork: Clockwork) -> None:
    """No such tool, a bug in it, a server that has trouble of its own: noted, and the run begins."""

    @tool(effect=Effect.READ)
    async def buggy() -> None:
        """Has a bug."""
        raise KeyError("nobody")

    @tool(effect=Effect.READ)
    async def troubled() -> None:
        """Answers 503."""
        raise ToolError("come back later", http_status=503)

    settings = SETTINGS + 'checks.a = {tool = "no_such"}\nchecks.b = {tool = "buggy"}\nchecks.c = {tool = "troubled"}\n'
    rig = make_rig(tools=(*clockwork.tools(), tool_of(buggy), tool_of(troubled)), settings=settings)
    done = await rig.run(LOOK)
    assert done.status is RunStatus.OK
    assert {each.check: each.ok for each in done.preflight} == {
        "road": True,
        "a": None,
        "b": None,
        "c": None,
        "token": True,
    }
    await rig.engine.aclose()


async def test_a_run_that_goes_on_looks_again(rig: Rig) -> None:
    """While it waited for an answer the token was lost; the login comes before the step that needs it."""
    text = "steps: [{name: a, tool: look}, {name: q, ask: {question: Well?}}, {name: b, tool: look}]\n"
    rested = await rig.run(text)
    assert rested.status is RunStatus.WAITING
    rig.door.token = False
    rig.events.clear()
    done = await rig.executor.answer(rested.run_id, {"q": "yes"})
    assert (done.status, fixed(done.preflight)) == (RunStatus.OK, [("token", "log_in()")])
    assert [event.step for event in rig.stages(EventKind.FIX_FINISHED)] == [""]


async def test_a_run_that_goes_on_is_not_ended_by_what_is_seen(
    make_rig: Callable[..., Rig], clockwork: Clockwork
) -> None:
    """What it did could not be taken back through a closed door: it goes on, and says what it saw."""
    rig = make_rig(tools=clockwork.tools(), settings=SETTINGS, heal=HealMode.OFF)
    text = """
    steps:
      - {name: a, tool: look}
      - {name: q, ask: {question: Well?}}
      - {name: b, compute: result = 1}
      - {name: c, tool: look}
    """
    rested = await rig.run(text)
    rig.door.token = False
    done = await rig.executor.answer(rested.run_id, {"q": "yes"})
    assert done.status is RunStatus.FAILED
    assert any("it goes on all the same" in note for note in done.notes)
    assert [step.path for step in done.steps] == ["a", "q", "b", "c"]
    await rig.engine.aclose()


async def test_ten_steps_at_once_cause_one_login(rig: Rig, clockwork: Clockwork) -> None:
    """The token is over before ten branches call: one of them sees it and logs in, the others go on."""
    clockwork.ends = clockwork.now + 600.0
    branches = ", ".join(f"{{name: b{number}, tool: look}}" for number in range(10))
    before = "{name: a, tool: look}, {name: nap, tool: nap}"
    done = await rig.run(f"steps: [{before}, {{name: branches, parallel: [{branches}]}}]\n")
    assert (done.status, done.healed) == (RunStatus.OK, 0)
    assert rig.door.called("log_in") == 1


async def test_what_does_not_help_is_not_done_in_turns(rig: Rig) -> None:
    """Logins that give no token that counts: one beforehand, one after the failure, and no more."""
    rig.door.token = False
    rig.door.failure = ToolError("the server said 401", http_status=401)
    done = await rig.run("steps: [{name: a, tool: look, retry: {attempts: 3, delay: 0.01}}]\n")
    assert done.status is RunStatus.FAILED
    assert rig.door.called("log_in") == 2


async def test_a_failure_after_a_repair_beforehand_is_healed_at_once(rig: Rig, clockwork: Clockwork) -> None:
    """The cool-down of a fix that ran beforehand does not hold it back when something fails for want of it."""
    rig.door.token = False

    @tool(effect=Effect.READ)
    async def revoke() -> None:
        """Takes the token away."""
        clockwork.lost()

    rig.engine.registry.add(revoke)
    done = await rig.run("steps: [{name: a, tool: look}, {name: r, tool: revoke}, {name: b, tool: look}]\n")
    assert (done.status, done.healed, rig.door.called("log_in")) == (RunStatus.OK, 1, 2)


async def test_cleaning_up_is_never_blocked(make_rig: Callable[..., Rig], clockwork: Clockwork) -> None:
    """What takes something back is called whatever was seen: the look may be wrong, and nobody comes after it."""
    rig = make_rig(tools=clockwork.tools(), settings=SETTINGS, heal=HealMode.OFF)
    text = """
    steps:
      - {name: a, tool: enter, undo: {name: out, tool: leave}}
      - {name: lose, tool: lose}
      - {name: no, stop: {status: failed, message: no}}
    """

    @tool(effect=Effect.READ)
    async def lose() -> None:
        """Loses the road, a while ago."""
        rig.door.road = False
        clockwork.now += 100.0

    rig.engine.clock = clockwork.clock
    rig.engine.registry.add(lose)
    done = await rig.run(text)
    assert done.step("out").status == "ok"
    await rig.engine.aclose()


async def test_arguments_that_no_tool_takes_stop_the_run_before_it_begins(rig: Rig) -> None:
    """A pattern in the tool's schema, and an argument made of inputs alone: known before anything is touched."""
    rig.engine.registry.add(_tagged())
    text = """
    inputs: [{name: tag, type: string}]
    steps:
      - {name: a, tool: look}
      - {name: t, tool: tagged, args: {tag: "{{ inputs.tag }}"}}
    """
    done = await rig.run(text, {"tag": "74ec56e"})
    assert done.status is RunStatus.BLOCKED
    assert "git rev-parse 74ec56e" in done.message.replace("git -C . ", "git ")
    assert rig.door.called("look") == 0
    assert (await rig.run(text, {"tag": "0" * 40})).status is RunStatus.OK


async def test_arguments_that_no_tool_takes_are_refused_without_an_attempt(rig: Rig) -> None:
    """What is only known in mid-run is refused before the call, with its root cause; no attempt is counted."""
    rig.engine.registry.add(_tagged())
    text = "steps: [{name: s, compute: \"result = '74ec56e'\"}, {name: t, tool: tagged, args: {tag: '{{ s }}'}}]\n"
    done = await rig.run(text)
    step = done.step("t")
    assert (done.status, step.attempts) == (RunStatus.FAILED, 0)
    assert step.failure is not None
    assert step.failure.kind is FailureKind.USAGE_ERROR
    assert step.root_cause is not None
    assert step.root_cause.id == "short_sha"
    assert not [event for event in rig.stages(EventKind.ATTEMPT_STARTED) if event.step == "t"]


async def test_nothing_is_looked_at_with_a_tool_that_does_more_than_read(make_rig: Callable[..., Rig]) -> None:
    """A check that names one by mistake is not made, says so, and blocks nothing."""
    written = []

    @tool(effect=Effect.WRITE)
    async def scribble() -> None:
        """Writes."""
        written.append(1)

    rig = make_rig(tools=(tool_of(scribble),), settings=BARE + 'checks.wall = {tool = "scribble"}\n')
    done = await rig.run("steps: [{name: a, tool: look}]")
    assert (done.status, written) == (RunStatus.OK, [])
    (found,) = done.preflight
    assert "scribble does more than read" in found.message
    await rig.engine.aclose()


async def test_formats_count_for_tools_without_a_domain_too(rig: Rig) -> None:
    """Before the run where the argument is known, before the call where it comes later; nothing else is touched."""
    rig.engine.registry.add(_tagged(None))
    known = "steps: [{name: a, tool: look}, {name: t, tool: tagged, args: {tag: '{{ inputs.tag }}'}}]\n"
    later = "steps: [{name: s, compute: \"result = '74ec56e'\"}, {name: t, tool: tagged, args: {tag: '{{ s }}'}}]\n"
    known = f"inputs: [{{name: tag, type: string}}]\n{known}"
    assert (await rig.run(known, {"tag": "74ec56e"})).status is RunStatus.BLOCKED
    assert rig.door.called("look") == 0
    step = (await rig.run(later)).step("t")
    assert (step.attempts, step.root_cause.id if step.root_cause else None) == (0, "short_sha")


def _tagged(domain: str | None = "door") -> Tool:
    @tool(effect=Effect.READ, domain=domain)
    async def tagged(tag: Annotated[str, {"pattern": "^[0-9a-f]{40}$"}]) -> str:
        """Takes a full SHA."""
        return tag

    return tool_of(tagged)


async def test_what_a_tool_needs_on_this_machine_is_looked_for_first(rig: Rig) -> None:
    """A program, a variable, a module; and a program that is too old. With a domain or without."""

    def needing(name: str, **needs: tuple[str, ...]) -> Tool:
        @tool(effect=Effect.READ, name=name, needs=Needs(**needs))
        async def made() -> str:
            """Is called."""
            rig.door.log.append(name)
            return name

        return tool_of(made)

    for made in (
        needing("painter", programs=("no-such-painter",)),
        needing("teller", environment=("NO_SUCH_VARIABLE",)),
        needing("reader", modules=("no_such_module",)),
        needing("sh_user", programs=("sh",)),
        needing("python_user", programs=("python3>=999.1",)),
    ):
        rig.engine.registry.add(made)
    steps = ", ".join(
        f"{{name: {name}, tool: {name}}}" for name in ("painter", "teller", "reader", "sh_user", "python_user")
    )
    done = await rig.run(f"steps: [{{name: a, tool: look}}, {steps}]\n")
    assert done.status is RunStatus.BLOCKED
    assert rig.door.log == []
    missing = ["dependency_missing", "environment_variable", "dependency_missing", "dependency_missing"]
    assert [each.kind for each in done.preflight] == missing
    for told in (
        "no-such-painter is not on the PATH",
        "NO_SUCH_VARIABLE is not set",
        "no_such_module",
        "999.1 is needed",
    ):
        assert told in done.message
    assert (await rig.run("steps: [{name: s, tool: sh_user}]\n")).status is RunStatus.OK


async def test_a_dry_run_only_reads(rig: Rig) -> None:
    """It says that pre-flight will log in, and nothing is repaired."""
    rig.door.road = rig.door.token = False
    plan = await DryRunner(parts=rig.engine).plan(rig.write(LOOK))
    token = next(need for need in plan.needs if need.kind == "token")
    assert token.found == "there is none; pre-flight will log in (log_in)"
    assert rig.door.log == ["token_time"]


async def test_it_can_be_switched_off(make_rig: Callable[..., Rig], clockwork: Clockwork) -> None:
    """Then the first call fails, and is healed."""
    rig = make_rig(tools=clockwork.tools(), settings=f"{SETTINGS}\n[heal]\npreflight = false\n")
    rig.door.token = False
    done = await rig.run(LOOK)
    assert (done.status, done.healed, done.preflight) == (RunStatus.OK, 1, ())
    await rig.engine.aclose()


@pytest.mark.parametrize(("needs", "paid"), [("steps: [{name: a, tool: echo, args: {value: 1}}]", False), (LOOK, True)])
def test_a_run_that_needs_no_domain_pays_nothing(tmp_path: Path, needs: str, paid: bool) -> None:
    """None of the modules that look ahead is imported by it."""
    (tmp_path / "skill.toml").write_text('[domains.door]\nfixes.login = {call = {tool = "wait"}}\n')
    (tmp_path / "skills").mkdir()
    text = needs.replace("tool: look", "tool: wait, args: {seconds: 0}, heal: {domain: door}").replace(
        "tool: leave", "tool: echo, args: {value: 1}"
    )
    (tmp_path / "skills" / "small.yaml").write_text(f"name: small\ndescription: A test.\n{text}\n")
    code = (
        "import anyio, sys\nfrom engine import Engine, SkillExecutor\n"
        "async def main():\n"
        "    async with Engine.open('.', home='home') as engine:\n"
        "        result = await SkillExecutor(engine).run('small')\n"
        "        assert result.status == 'ok', result\n"
        "anyio.run(main)\n"
        "print('engine.preventing' in sys.modules, 'engine.heal.preflight.preflight' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{paid} {paid}", done.stderr


async def test_a_program_that_many_steps_need_is_asked_once_for_its_version(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many steps there are, a program is started once."""
    asked, program = tmp_path / "asked", tmp_path / "painter"
    program.write_text(f"#!/bin/sh\necho once >> {asked}\necho painter 2.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    @tool(effect=Effect.READ, needs=Needs(programs=("painter>=1.0",)))
    async def paint() -> None:
        """Paints."""

    rig.engine.registry.add(tool_of(paint))
    steps = ", ".join(f"{{name: p{number}, tool: paint}}" for number in range(5))
    done = await rig.run(f"steps: [{steps}]\n")
    assert done.status is RunStatus.OK
    assert asked.read_text() == "once\n"


async def test_a_step_waits_for_the_looks_of_others_no_longer_than_it_may_take(
    make_rig: Callable[..., Rig], clockwork: Clockwork
) -> None:
    """One branch repairs the road and takes its time; the other ends when its own is over, not when there is a road."""

    @tool(effect=Effect.WRITE, idempotent=True, fix=FixScope.CONNECTIVITY, timeout=60)
    async def build_slowly() -> None:
        """Builds a road."""
        await anyio.sleep(2)
        clockwork.door.road = True

    @tool(effect=Effect.READ)
    async def wash_out() -> None:
        """Takes the road away, twenty minutes later."""
        clockwork.door.road = False
        clockwork.now += 1200.0

    made = (tool_of(build_slowly), tool_of(wash_out), *clockwork.tools())
    rig = make_rig(tools=made, settings=SETTINGS.replace("build_road", "build_slowly"))
    rig.engine.clock = clockwork.clock
    branches = "{name: slow, tool: look}, {name: quick, tool: look, timeout: 0.2, on_error: continue}"
    done = await rig.run(f"steps: [{{name: gone, tool: wash_out}}, {{name: both, parallel: [{branches}]}}]\n")
    assert (done.status, done.step("both/slow").attempts) == (RunStatus.OK, 1)
    ends = [event.step for event in rig.events if event.kind in {EventKind.FIX_FINISHED, EventKind.STEP_FINISHED}]
    assert ends == ["gone", "both/quick", "both/slow", "both/slow", "both"]
    await rig.engine.aclose()


async def test_what_nobody_saw_after_its_fix_is_not_called_good(
    make_rig: Callable[..., Rig], clockwork: Clockwork
) -> None:
    """The second look gets no answer: the fix ran, the run begins, and whether it helped is not known."""

    @tool(effect=Effect.READ, timeout=60)
    async def hall_is_lit() -> bool:
        """Says whether there is light, once."""
        if clockwork.door.called("log_in"):
            await anyio.sleep(3600)
        return False

    checks = 'checks.light = {tool = "hall_is_lit", role = "login", within = 0.2}\n'
    rig = make_rig(tools=(tool_of(hall_is_lit), *clockwork.tools()), settings=SETTINGS + checks)
    done = await rig.run(LOOK)
    (light,) = [each for each in done.preflight if each.check == "light"]
    assert (done.status, light.ok, light.fix) == (RunStatus.OK, None, "log_in()")
    await rig.engine.aclose()
