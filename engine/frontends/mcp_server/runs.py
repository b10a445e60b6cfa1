"""What agents do with runs: start one, look at it, answer it, cancel it, read what it logged.

Every function raises what the engine raises (SkillNotFoundError, InputError, RunNotFoundError, RunStateError, ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio.to_thread
from mcp_types import CallToolResult, InputRequiredResult

from engine.errors import EngineError, InputError, RunStateError, SkillNotFoundError
from engine.frontends.background.request import Request
from engine.frontends.background.starting import begin
from engine.frontends.mcp_server.conversing import Conversation, trace
from engine.frontends.mcp_server.logs import page
from engine.frontends.mcp_server.progress import Progress
from engine.frontends.mcp_server.questions import Context, Parked
from engine.frontends.mcp_server.replies import answer
from engine.frontends.mcp_server.results import Seen, answerable, reply, seen
from engine.frontends.mcp_server.serving import LONGEST_WAIT, Serving
from engine.model.outcome import RunStatus
from engine.model.skill import Skill

LATEST = 20
"""Runs that are told when none was named."""


async def call_skill(
    ctx: Context, deps: Serving, skill_name: str, inputs: Mapping[str, Any], wait: float | None = None
) -> CallToolResult | InputRequiredResult:
    """Runs a skill, or goes on with the run that the call's request state names; waits at most `wait` seconds.

    `ctx.params` carries `inputResponses` and `requestState` of a call that comes back. `wait` None is the server's own.
    """
    skill = _skill(deps, skill_name)
    deps.engine.secrets.add([inputs.get(each.name) for each in skill.inputs if each.secret])
    parked = Parked.of(ctx)
    run_id = parked.run_id if parked else await _begun(deps, skill, inputs)
    about = await _conversation(
        ctx, deps, run_id, wait, inputs=_secret_again(skill, inputs), total=len(skill.steps), began_here=not parked
    )
    return await (about.back(parked) if parked else about.through())


async def run_status(
    ctx: Context, deps: Serving, run_id: str | None = None, wait: float | None = None
) -> CallToolResult | InputRequiredResult:
    """How a run is, waiting at most `wait` seconds (default 0) for its end; without an id the latest runs.

    Cancelling this call only stops looking.
    """
    if run_id is None:
        return await _latest(deps)
    run = await _known(deps, run_id)
    if not wait:
        return reply(deps, run)
    about = await _conversation(ctx, deps, run.record.id, wait, total=_total(deps, run))
    return reply(deps, await about.followed())


async def run_answer(
    ctx: Context,
    deps: Serving,
    run_id: str,
    answers: Mapping[str, Any],
    inputs: Mapping[str, Any] | None = None,
    wait: float | None = None,
) -> CallToolResult | InputRequiredResult:
    """Answers what a run asks and goes on with it; `inputs` gives its secret inputs again.

    Without answers, a run goes on whose process has died. Answers given a second time change nothing.
    """
    run = await _known(deps, run_id)
    _hide(deps, run, inputs or {})
    parked = Parked.of(ctx)
    given = {} if parked else _named(deps, run, answers)
    about = await _conversation(ctx, deps, run.record.id, wait, inputs=inputs or {}, total=_total(deps, run))
    if parked:
        return await about.back(parked)
    if given or run.record.interrupted:
        async with about.cancelling():
            await about.answer(given)
    return await about.through()


async def run_cancel(
    ctx: Context, deps: Serving, run_id: str, inputs: Mapping[str, Any] | None = None, wait: float | None = None
) -> CallToolResult | InputRequiredResult:
    """Cancels a run: its steps are stopped, what it did is undone, `always` runs.

    Raises RunStateError when the run has ended already, except by being cancelled.
    """
    run = await _known(deps, run_id)
    _hide(deps, run, inputs or {})
    if run.status not in {RunStatus.RUNNING, RunStatus.WAITING, RunStatus.CANCELLED}:
        raise RunStateError(
            f"run {run.record.id} has ended already: {run.status}",
            hint=f'run_status(run_id="{run.record.id}") shows how',
        )
    about = await _conversation(ctx, deps, run.record.id, wait, inputs=inputs or {})
    await about.cancel()
    return reply(deps, await about.followed(), wanted_its_end=True)


async def run_logs(
    ctx: Context, deps: Serving, run_id: str, after: int = 0, limit: int = 200, step: str | None = None
) -> CallToolResult:
    """What a run's steps wrote, a bounded page of it: lines after number `after`."""
    del ctx
    found = await anyio.to_thread.run_sync(
        partial(page, deps.engine.journal, run_id, after=after, limit=limit, step=step)
    )
    told: dict[str, Any] = deps.engine.secrets.mask(found)
    lines = [f"{line['number']} {line['kind']} {line['step']} {line['text']}" for line in told["lines"]]
    more = [f'run_logs(run_id="{told["run_id"]}", after={told["next_after"]}) goes on'] if told["more"] else []
    return answer(told, "\n".join([*lines, *more]) or "nothing more")


async def _begun(deps: Serving, skill: Skill, inputs: Mapping[str, Any]) -> str:
    request = Request(act="run", skill=skill.name, inputs=inputs, heal=deps.engine.heal_mode, trace=trace())
    run_id = await begin(deps.engine.workspace, request)
    deps.note(f"run {run_id}: {skill.name} began")
    return run_id


def _skill(deps: Serving, name: str) -> Skill:
    """The skill of that name; never a file somewhere, which nobody has chosen to serve."""
    if "/" in name or name.endswith(".yaml"):
        raise SkillNotFoundError(f"{name} is no skill's name", hint="skill_list() lists them")
    return deps.engine.library.load(name)


def _secret_again(skill: Skill, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The run's secret inputs, which are not kept: whoever goes on with it needs them."""
    given = {each.name: inputs.get(each.name, each.default) for each in skill.inputs if each.secret}
    return {name: value for name, value in given.items() if value is not None}


def _hide(deps: Serving, run: Seen, inputs: Mapping[str, Any]) -> None:
    """From now on the secret ones of a run's inputs are masked; all of them, if its skill cannot be read any more."""
    try:
        secret = {each.name for each in deps.engine.library.load(run.record.skill).inputs if each.secret}
    except EngineError:
        secret = set(inputs)
    deps.engine.secrets.add([value for name, value in inputs.items() if name in secret])


def _named(deps: Serving, run: Seen, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that are still wanted, by the full names of their questions.

    Raises RunStateError for those that are not an agent's to give, and InputError for names the run does not ask.
    """
    if run.status is not RunStatus.WAITING:
        return {}
    given: dict[str, Any] = {}
    for name, value in answers.items():
        meant = [each for each in run.record.questions if name in {each.name, each.name.rpartition("/")[2]}]
        if len(meant) != 1:
            asked = ", ".join(each.name for each in run.record.questions) or "nothing"
            raise InputError(f"run {run.record.id} does not ask {name}", hint=f"it asks {asked}")
        if not answerable(deps, meant[0]):
            what = "is secret" if meant[0].secret else "is about a fix, which this server's clients may not approve"
            way = "" if meant[0].secret else ", or the server is started with `--allow approve-fixes`"
            raise RunStateError(
                f"the question {meant[0].name} {what}",
                hint=f"a person answers it: `skill answer {run.record.id}` in a terminal{way}",
            )
        given[meant[0].name] = value
    return given


async def _known(deps: Serving, run_id: str) -> Seen:
    """The run as it is now; what its journal could not be told at the time, it is told first."""

    def look() -> Seen:
        deps.engine.journal.recover()
        return seen(deps.engine.journal, run_id)

    return await anyio.to_thread.run_sync(look)


async def _conversation(
    ctx: Context,
    deps: Serving,
    run_id: str,
    wait: float | None,
    *,
    inputs: Mapping[str, Any] | None = None,
    total: int | None = None,
    began_here: bool = False,
) -> Conversation:
    """The call as it goes on with the run; of one that it did not begin, what happened until now is no news."""
    progress = Progress(ctx=ctx, serving=deps, total=total)
    if not began_here:
        progress.recall(await anyio.to_thread.run_sync(deps.engine.journal.events, run_id))
    seconds = min(max(deps.wait if wait is None else wait, 0.0), LONGEST_WAIT)
    return Conversation(ctx=ctx, serving=deps, run_id=run_id, wait=seconds, progress=progress, inputs=inputs or {})


async def _latest(deps: Serving) -> CallToolResult:
    runs = await anyio.to_thread.run_sync(partial(deps.engine.journal.runs, limit=LATEST))
    told = [
        {
            "run_id": run.id,
            "skill": run.skill,
            "tool": run.tool or None,
            "status": Seen(record=run, steps=()).status.value,
            "started_at": run.started_at,
            "duration": None if run.duration is None else round(run.duration, 3),
            "message": run.message,
        }
        for run in runs
    ]
    lines = [
        f"{run['run_id']}  {run['status']}  {run['tool'] or run['skill']}  {run['message']}".rstrip() for run in told
    ]
    return answer(deps.engine.secrets.mask({"runs": told}), deps.engine.secrets.mask("\n".join(lines) or "no runs yet"))


def _total(deps: Serving, run: Seen) -> int | None:
    """How many steps the run's skill has, as it is now; None when it cannot be read any more."""
    try:
        return len(deps.engine.library.load(run.record.skill).steps)
    except EngineError:
        return None
