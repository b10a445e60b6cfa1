"""What memory knows, and one healed call of any tool: the functions that people and skills have, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from engine.frontends.mcp_server.offers import Act, Context, Offer, Reply, strict
from engine.frontends.mcp_server.progress import Progress
from engine.frontends.mcp_server.replies import answer, refusal
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.memory_tools import debugging, executing, files, known
from engine.memory_tools.results import as_json
from engine.wiring import Engine
from tool_registry.arguments import accepted
from tool_registry.sources.mcp_server import LACKING, UNLISTED
from tool_registry.tool import Effect, Tool, ToolError, UnknownToolError

TITLES = {
    "check_known_issues": "Look up known issues",
    "debug_tool": "Debug a tool",
    "memory_read": "Read memory",
    "learn_tool_fix": "Learn a fix",
    "tool_exec": "Call a tool, healed",
}
ASKING: Mapping[str, Callable[..., Awaitable[Any]]] = {
    "check_known_issues": known.check_known_issues,
    "debug_tool": debugging.debug_tool,
    "memory_read": files.memory_read,
    "learn_tool_fix": known.learn_tool_fix,
}
UNKNOWN = frozenset({UNLISTED, LACKING})
"""Where tools come from that a server has not told of."""
SECONDS = {
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 3600,
    "description": "Seconds the call may take; the tool's own time unless given.",
}


def memory_offers(engine: Engine) -> Iterator[Offer]:
    """The tools of memory, with the schemas that steps see."""
    for name, asked in ASKING.items():
        yield _offer(engine, name, act=_asking(asked), needs=Tier.RUN if name == "learn_tool_fix" else Tier.READ)
    yield _offer(engine, "tool_exec", act=_execute, needs=Tier.RUN, extra={"timeout_seconds": SECONDS})


def _offer(
    engine: Engine, name: str, *, act: Act, needs: Tier, extra: Mapping[str, Mapping[str, Any]] | None = None
) -> Offer:
    tool = engine.registry.get_tool(name)
    taken = strict(tool.parameters)
    given = strict(tool.result or {"type": "object"})
    return Offer(
        name=name,
        title=TITLES[name],
        description=tool.description,
        parameters={**taken, "properties": {**taken["properties"], **(extra or {})}},
        result=_with_run_id(given) if extra else given,
        needs=needs,
        act=act,
        effect=Effect.DESTRUCTIVE if extra else tool.effect,
        idempotent=tool.idempotent,
        closed=not extra,
    )


def _asking(asked: Callable[..., Awaitable[Any]]) -> Act:
    async def act(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:  # noqa: ARG001 - as all
        return answer(as_json(await asked(serving.engine, **given)))

    return act


async def _execute(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:
    engine, name = serving.engine, given["name"]
    try:
        tool = await _told(engine, name)
    except UnknownToolError as error:
        return refusal(error.message)
    if tool.effect is Effect.DESTRUCTIVE and not serving.allow.allows(Tier.APPROVE_FIXES):
        why = "its server does not say what it does" if tool.source in UNKNOWN else "it is destructive"
        return refusal(
            f"{name} was not called: {why}, and this server allows its clients `{serving.allow.value}`",
            "a person may call it: skill tools exec, or serve with --allow approve-fixes",
        )
    args = given.get("args", {})
    if not serving.allow.allows(Tier.APPROVE_FIXES) and _makes_a_skill(engine, name, args):
        return refusal(
            f"{name} was not called: a skill may call destructive tools, and this server's clients may not",
            "a person may add it, or serve with --allow approve-fixes",
        )
    try:
        accepted(tool, args)
    except ToolError as error:
        return refusal(error.message, f"debug_tool(tool_name={name!r}) tells its contract")
    async with Progress(ctx=ctx, serving=serving, latest=f"{name} goes on").beating():
        done = await executing.tool_exec(engine, name, args, timeout=given.get("timeout_seconds"))
    return answer(_named(as_json(done)), failed=not done.ok)


def _makes_a_skill(engine: Engine, name: str, args: Mapping[str, Any]) -> bool:
    """Whether the call writes among the skills, whose steps then run without the tier being asked."""
    if name != "file_write":
        return False
    folder = engine.workspace.folder
    try:
        return (folder / str(args.get("path"))).resolve().is_relative_to((folder / "skills").resolve())
    except (OSError, ValueError, RuntimeError):
        return False  # no path at all, which the tool refuses


def _named(told: Mapping[str, Any]) -> dict[str, Any]:
    """With the run's id under the name it has in all answers of this server, and in `run_logs(run_id)`."""
    return {"run_id" if key == "run" else key: value for key, value in told.items()}


def _with_run_id(schema: Mapping[str, Any]) -> dict[str, Any]:
    required = ["run_id" if name == "run" else name for name in schema.get("required", ())]
    return {**schema, "properties": _named(schema.get("properties", {})), "required": required}


async def _told(engine: Engine, name: str) -> Tool:
    """The tool, asked for at its MCP server where nobody has yet: until it has told, it counts as destructive."""
    tool = engine.registry.get_tool(name)
    if tool.source not in UNKNOWN:
        return tool
    await engine.registry.prepare("")
    return engine.registry.get_tool(name)
