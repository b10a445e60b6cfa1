"""`heal: {domain: ...}` may be a template: which cluster a call is meant for is known in the run, or in its loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, EventKind, RunStatus, SkillExecutor
from engine.library.graph import graph_of
from engine.model.prevention import CheckAction
from engine.run.dry.plan import Plan, Verdict
from engine.run.dry.runner import DryRunner
from tests.flow.conftest import Door, Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolError

SETTINGS = """
[domains.door]
settings = {where = "the front"}
fixes.login = {call = {tool = "log_in"}, cooldown = 0}

[domains.gate]
settings = {where = "the garden"}
fixes.login = {call = {tool = "unlock"}, cooldown = 0}
"""
KNOCK = """
inputs:
  - {name: environment, type: string}
steps:
  - name: a
    tool: knock
    heal: {domain: "{{ inputs.environment or config.get('environment') }}"}
"""


def doors(door: Door, locked: set[str]) -> tuple[Tool, ...]:
    """Something to knock at, wherever it stands, and what unlocks the gate."""

    @tool(effect=Effect.READ, domain="door")
    async def knock(context: ToolContext) -> str:
        """Knocks."""
        where = str(context.settings.get("where"))
        door.log.append(f"knock at {where}")
        if where in locked:
            raise ToolError("the server said 401", http_status=401, sent=True)
        return where

    @tool(effect=Effect.WRITE, idempotent=True, domain="gate", fix=FixScope.CREDENTIALS)
    async def unlock() -> str:
        """Unlocks the gate."""
        door.log.append("unlock")
        locked.clear()
        return "unlocked"

    return tool_of(knock), tool_of(unlock)


@pytest.fixture
def locked() -> set[str]:
    """What is locked."""
    return set()


@pytest.fixture
async def rig(make_rig: Callable[..., Rig], door: Door, locked: set[str]) -> AsyncIterator[Rig]:
    """A door and a gate."""
    made = make_rig(tools=doors(door, locked), settings=SETTINGS)
    yield made
    await made.engine.aclose()


async def dry(rig: Rig, text: str, inputs: dict[str, Any] | None = None, *, reads: bool = False) -> Plan:
    """The plan of a skill."""
    return await DryRunner(parts=rig.engine, reads=reads).plan(rig.write(text), inputs or {})


@pytest.mark.parametrize(
    ("given", "where"),
    [({}, "the front"), ({"environment": "gate"}, "the garden"), ({"environment": " "}, "the front")],
)
async def test_the_call_has_the_settings_of_the_domain_that_is_named(
    rig: Rig, given: dict[str, str], where: str
) -> None:
    """An empty name stands for the tool's own domain."""
    done = await rig.run(KNOCK, given)
    assert (done.status, rig.door.log) == (RunStatus.OK, [f"knock at {where}"])


async def test_the_fixes_of_that_domain_heal_it_and_history_has_its_name(rig: Rig, locked: set[str]) -> None:
    """The gate is unlocked, nobody logs in at the door, and the failure is counted for the gate."""
    locked.add("the garden")
    done = await rig.run(KNOCK, {"environment": "gate"})
    assert (done.status, done.healed) == (RunStatus.OK, 1)
    assert rig.door.log == ["knock at the garden", "unlock", "knock at the garden"]
    assert [event.data["domain"] for event in rig.stages(EventKind.FIX_FINISHED)] == ["gate"]
    rows = rig.engine.journal._database.read("SELECT domain FROM attempts WHERE ok = 0")  # noqa: SLF001 - what is kept
    assert rows == [("gate",)]


@pytest.mark.parametrize("heal", ["{domain: gte}", '{domain: "{{ inputs.environment }}"}'])
async def test_a_domain_that_nobody_describes_ends_the_run_before_any_call(rig: Rig, heal: str) -> None:
    """A call without its settings might reach another server; it is told which domains there are."""
    text = KNOCK.replace("{domain: \"{{ inputs.environment or config.get('environment') }}\"}", heal)
    done = await rig.run(text, {"environment": "gte"})
    assert (done.status, done.steps, rig.door.log) == (RunStatus.BLOCKED, (), [])
    [blocked] = [each for each in done.preflight if each.action is CheckAction.BLOCKED]
    assert (blocked.kind, blocked.domain) == ("configuration_error", "gte")
    assert "no profile describes the domain gte (did you mean gate? there are " in done.message
    assert done.message.endswith("), and a needs it; describe gte in skill.toml, or name one that is described")


async def test_a_domain_that_is_only_known_in_the_run_is_refused_by_its_step(rig: Rig) -> None:
    """By the value of an earlier step: that step works, the one that needs the domain is not called."""
    text = """
    steps:
      - {name: which, compute: "result = 'shed'"}
      - {name: a, tool: knock, heal: {domain: "{{ which }}"}}
    """
    done = await rig.run(text)
    failed = done.steps[-1]
    assert (done.status, failed.status, rig.door.log) == (RunStatus.FAILED, "failed", [])
    assert failed.failure is not None
    assert failed.failure.kind == "configuration_error"
    assert "no profile describes the domain shed" in failed.failure.message
    assert "there are" in failed.failure.message
    assert "gate" in failed.failure.message


async def test_what_is_no_name_is_refused(rig: Rig) -> None:
    """A list is no domain."""
    done = await rig.run('steps: [{name: a, tool: knock, heal: {domain: "{{ [1] }}"}}]')
    assert (done.status, rig.door.log) == (RunStatus.FAILED, [])
    assert "`heal: domain` is the name of a domain, not of type list" in done.message


async def test_each_element_of_a_list_may_be_meant_for_another_domain(rig: Rig) -> None:
    """In order, each with its own settings; and an undo with those of what it takes back."""
    text = """
    steps:
      - name: a
        foreach: "['door', 'gate']"
        as: each
        tool: knock
        heal: {domain: "{{ each }}"}
        undo: {tool: knock, heal: {domain: "{{ each }}"}}
      - {name: b, stop: {status: failed, message: enough}}
    """
    await rig.run(text)
    assert rig.door.log == [f"knock at the {where}" for where in ("front", "garden", "garden", "front")]


async def test_names_that_a_domain_uses_are_checked(rig: Rig) -> None:
    """As in any other text; a constant name is looked up among the domains."""
    rig.write("steps: [{name: a, tool: knock, heal: {domain: '{{ inputs.env }}'}}]")
    [finding] = rig.engine.library.check("promise")
    assert (finding.code, finding.message) == ("unknown-name", "there is no input called env")
    rig.write("steps: [{name: a, tool: knock, undo: {tool: knock, heal: {domain: '{{ later }}'}}}]")
    assert [each.code for each in rig.engine.library.check("promise")] == ["unknown-name"]


async def test_a_dry_run_says_in_which_domain_a_call_would_be_made(rig: Rig) -> None:
    """With its needs and fixes; a read is really made there, and nowhere while the domain is not known."""
    plan = await dry(rig, KNOCK, {"environment": "gate"}, reads=True)
    [step] = plan.steps
    assert (step.domain, step.elsewhere, step.heal["fixes"]) == ("gate", True, ["login"])
    assert [(need.kind, need.name) for need in plan.needs] == [("domain", "gate")]
    assert rig.door.log == ["knock at the garden"]
    lost = await dry(rig, KNOCK, {"environment": "gte"}, reads=True)
    assert (lost.steps[0].verdict, lost.status) == (Verdict.CANNOT_RUN, RunStatus.BLOCKED)
    unknown = await dry(
        rig, "steps: [{name: w, tool: enter}, {name: a, tool: knock, heal: {domain: '{{ w.name }}'}}]", reads=True
    )
    assert unknown.steps[1].unknown == {"heal.domain": ("w",)}
    assert rig.door.log == ["knock at the garden"]


async def test_a_resumed_run_goes_on_in_the_domain_it_was_meant_for(
    rig: Rig, tmp_path: Path, door: Door, locked: set[str]
) -> None:
    """Its inputs are kept, so the call that was cut off is made again where it was made first."""
    text = KNOCK + "  - {name: b, ask: {question: And now?}}\n" + KNOCK.partition("steps:\n")[2].replace("a\n", "c\n")
    waiting = await rig.run(text, {"environment": "gate"})
    assert waiting.status is RunStatus.WAITING
    async with Engine.open(tmp_path, home=tmp_path / "home", tools=[*door.tools(), *doors(door, locked)]) as again:
        done = await SkillExecutor(again, answers={"b": "yes"}).resume(waiting.run_id)
    assert (done.status, rig.door.log) == (RunStatus.OK, ["knock at the garden"] * 2)


async def test_a_picture_says_what_names_the_domain(rig: Rig) -> None:
    """In the words of the skill."""
    rig.write(KNOCK)
    drawn = graph_of(rig.engine.library.load("promise"), sandbox=rig.engine.sandbox, find=lambda *_: None)
    marks = [mark.text for node in drawn.nodes for mark in node.marks]
    assert marks == ["healed as part of inputs.environment or config.get('environment')"]


SORTS = """
[services.gitlab]
url = "https://gitlab.example"

[services.jira]
url = "https://jira.example"

[services.forge]
url = "https://gitlab.example"
project = "group/shop"

[clusters.stage]
url = "https://stage.example"

[domains.other]
settings = {url = "https://other.example"}
"""


@pytest.mark.parametrize(
    ("own", "chosen", "said"),
    [
        ("gitlab", "jira", "the domain jira is Jira, and its tool asks GitLab"),
        ("gitlab", "stage", "the domain stage is a cluster, and its tool asks GitLab"),
        ("ephemeral", "jira", "the domain jira is Jira, and its tool asks a cluster"),
        ("gitlab", "forge", ""),
        ("gitlab", "other", ""),
        ("ephemeral", "stage", ""),
        ("mine", "jira", ""),
    ],
)
async def test_no_call_is_made_in_a_domain_of_another_sort(
    make_rig: Callable[..., Rig], own: str, chosen: str, said: str
) -> None:
    """Whatever names it, also data from the world: that server would be shown the credential of the tool's own."""
    asked: list[Any] = []

    @tool(effect=Effect.READ, domain=own)
    async def ask(context: ToolContext) -> None:
        """Asks."""
        asked.append(context.settings["url"])

    text = "steps: [{name: told, compute: result = 'WHICH'}, {name: a, tool: ask, heal: {domain: '{{ told }}'}}]"
    rig = make_rig(tools=(tool_of(ask),), settings=SORTS)
    done = await rig.run(text.replace("WHICH", chosen))
    assert (len(asked) == 0) is (bool(said) or chosen == "stage")  # nobody has logged in at stage
    assert said in str(done.message)
    assert ("and its tool asks" in str(done.message)) is bool(said)
    await rig.engine.aclose()
