"""`run_status`, `run_answer`, `run_cancel`, `run_logs`: runs by their ids, whoever began them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.frontends.mcp_server import runs
from engine.frontends.mcp_server.offers import Context, Offer, Reply, taking
from engine.frontends.mcp_server.run_schemas import ANY_OBJECT, LOG, RUN_ID, RUNS, WAIT, run_result
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from tool_registry.tool import Effect

SECRETS_AGAIN = {**ANY_OBJECT, "description": "The run's secret inputs again, which are not kept.", "default": {}}


async def _status(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:
    return await runs.run_status(ctx, serving, given.get("run_id"), given.get("wait_seconds"))


async def _answer(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:
    inputs, wait = given.get("inputs"), given.get("wait_seconds")
    return await runs.run_answer(ctx, serving, given["run_id"], given["answers"], inputs, wait)


async def _cancel(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:
    return await runs.run_cancel(ctx, serving, given["run_id"], given.get("inputs"), given.get("wait_seconds"))


async def _logs(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:
    page = given.get("after", 0), given.get("limit", 200)
    return await runs.run_logs(ctx, serving, given["run_id"], *page, given.get("step"))


RUN_OFFERS = (
    Offer(
        name="run_status",
        title="Show a run",
        description=(
            "Tells how a run is: its steps, what it asks, and once it has ended its outputs or why it failed. Without "
            "`run_id`: the latest runs."
        ),
        parameters=taking({"run_id": RUN_ID, "wait_seconds": {**WAIT, "default": 0}}),
        result={"type": "object", "anyOf": [run_result(), RUNS]},
        needs=Tier.READ,
        act=_status,
        closed=True,
    ),
    Offer(
        name="run_answer",
        title="Answer a run",
        description="Answers the questions a run waits with, by their names; it goes on, and each step is done once.",
        parameters=taking(
            {
                "run_id": RUN_ID,
                "answers": {**ANY_OBJECT, "description": "Question name to answer."},
                "inputs": SECRETS_AGAIN,
                "wait_seconds": WAIT,
            },
            ("run_id", "answers"),
        ),
        result=run_result(),
        needs=Tier.RUN,
        act=_answer,
        effect=Effect.DESTRUCTIVE,
    ),
    Offer(
        name="run_cancel",
        title="Cancel a run",
        description="Ends a run: what it did is undone as far as its skill says how, and its `always` steps run.",
        parameters=taking({"run_id": RUN_ID, "inputs": SECRETS_AGAIN, "wait_seconds": WAIT}, ("run_id",)),
        result=run_result(),
        needs=Tier.RUN,
        act=_cancel,
        effect=Effect.DESTRUCTIVE,
        idempotent=True,
    ),
    Offer(
        name="run_logs",
        title="Read a run's log",
        description="Reads what the steps of a run recorded, a page at a time.",
        parameters=taking(
            {
                "run_id": RUN_ID,
                "after": {"type": "integer", "minimum": 0, "default": 0, "description": "Go on after this number."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 200},
                "step": {"type": "string", "maxLength": 500, "description": "Only this step, by its path."},
            },
            ("run_id",),
        ),
        result=LOG,
        needs=Tier.READ,
        act=_logs,
        closed=True,
    ),
)
"""The tools that look at runs, answer them, and end them."""
