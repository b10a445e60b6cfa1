"""The names under which runs are traced and measured; `docs/telemetry.md` lists them all.

Names that the semantic conventions have are theirs. They are written down here because the conventions of agents and
tools (`gen_ai`, `mcp`) are moved between packages while they are in development; a test compares them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

SCOPE: Final = "skill-engine"
"""The instrumentation scope, and the service where the environment names none."""

RUN: Final = "skill.run"
STEP: Final = "step"
AHEAD: Final = "look_ahead"
CALL: Final = "execute_tool"

ERROR_TYPE: Final = "error.type"
OPERATION: Final = "gen_ai.operation.name"
TOOL: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
ARGUMENTS: Final = "gen_ai.tool.call.arguments"
MCP_METHOD: Final = "mcp.method.name"
MCP_VERSION: Final = "mcp.protocol.version"

SKILL: Final = "skill.name"
VERSION: Final = "skill.version"
PROFILE: Final = "skill.profile"
DOMAIN: Final = "skill.domain"
RUN_ID: Final = "skill.run.id"
RUN_STATUS: Final = "skill.run.status"
RUN_HEALED: Final = "skill.run.healed"
STEP_NAME: Final = "skill.step.name"
STEP_PATH: Final = "skill.step.path"
STEP_ACTION: Final = "skill.step.action"
STEP_STATUS: Final = "skill.step.status"
STEP_ATTEMPTS: Final = "skill.step.attempts"
STEP_FIXES: Final = "skill.step.fixes"
CALL_PURPOSE: Final = "skill.call.purpose"
CALL_NUMBER: Final = "skill.call.number"
TOOL_SOURCE: Final = "skill.tool.source"
KIND: Final = "skill.failure.kind"
BASIS: Final = "skill.failure.basis"
CONFIDENCE: Final = "skill.failure.confidence"
DECISION: Final = "skill.heal.decision"
CHECK: Final = "skill.check.name"
CHECK_ACTION: Final = "skill.check.action"
PREDICTION_ACTION: Final = "skill.prediction.action"
PROBABILITY: Final = "skill.prediction.probability"
FIX: Final = "skill.fix.name"
FIX_CAUSE: Final = "skill.fix.cause"
FIX_OUTCOME: Final = "skill.fix.outcome"
FIX_SHARED: Final = "skill.fix.shared"
QUESTION: Final = "skill.question.name"
LINK: Final = "skill.link"

HEAL_EVENT: Final = "skill.heal."
"""Before the name of a stage of healing: the event of that stage."""
QUESTION_EVENT: Final = "skill.question."

BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
"""Seconds: the boundaries the conventions for agents and MCP advise for durations."""


class Metric(NamedTuple):
    """A metric: its name, its unit, and what it tells."""

    name: str
    unit: str
    description: str


RUN_DURATION: Final = Metric("skill.run.duration", "s", "Duration of a run, from its start or resumption to its end.")
STEP_DURATION: Final = Metric("skill.step.duration", "s", "Duration of a step, with all its tries and fixes.")
CALL_DURATION: Final = Metric("gen_ai.execute_tool.duration", "s", "Duration of one try at a tool.")
CLIENT_DURATION: Final = Metric("mcp.client.operation.duration", "s", "Duration of a request to an MCP server.")
SERVER_DURATION: Final = Metric("mcp.server.operation.duration", "s", "Duration of a request this MCP server got.")
FIXES: Final = Metric("skill.heal.fixes", "{fix}", "Fixes that were run, or whose outcome was shared.")
PREVENTED: Final = Metric("skill.heal.prevented", "{failure}", "Failures that a look ahead kept from happening.")
DURATIONS: Final = (RUN_DURATION, STEP_DURATION, CALL_DURATION, CLIENT_DURATION, SERVER_DURATION)
COUNTERS: Final = (FIXES, PREVENTED)
