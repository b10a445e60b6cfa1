"""`skill_list`, `skill_describe`, `skill_run`: every skill of the workspace, whether or not it is a tool of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.errors import InputError, SkillNotFoundError
from engine.frontends.mcp_server import runs
from engine.frontends.mcp_server.offers import Context, Listed, Offer, Reply, giving, taking
from engine.frontends.mcp_server.replies import answer, refusal
from engine.frontends.mcp_server.run_schemas import ANY_OBJECT, TEXT, WAIT, run_result
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.library import SkillEntry, bind_inputs
from engine.library.input_schema import input_schema, output_schema
from engine.library.nearest import did_you_mean
from engine.model.skill import GroupStep, Skill, SkillStep, Step, ToolStep, action_of
from tool_registry.tool import Effect

MOST = 500
PAGE = 100
"""Skills of one answer of `skill_list`, at most and unless asked for."""

NAME = {"type": "string", "minLength": 1, "maxLength": 100, "description": "The skill, as `skill_list` tells it."}
OR_NULL = {"type": ["string", "null"]}
EFFECT = {"type": ["string", "null"], "enum": [*(effect.value for effect in Effect), None]}
LISTED = giving(
    {
        "name": TEXT,
        "description": TEXT,
        "version": TEXT,
        "tags": {"type": "array", "items": TEXT},
        "tool": {**OR_NULL, "description": "The tool of its own; null: run it by `skill_run`."},
        "effect": {**EFFECT, "description": "The worst a run may do by its own steps; null: it cannot run."},
        "error": {**OR_NULL, "description": "Why it cannot run; null when it can."},
    }
)
STEP = giving({"name": TEXT, "action": TEXT, "calls": OR_NULL, "description": TEXT})


def library_offers(listed: Callable[[], Listed]) -> tuple[Offer, ...]:
    """The tools that show skills and run one by name; `listed` gives what the files are now."""
    return _list_offer(listed), _describe_offer(listed), RUN


def _list_offer(listed: Callable[[], Listed]) -> Offer:
    return Offer(
        name="skill_list",
        title="List skills",
        description="Lists the skills that can be run, with what each is for; the way to find the right one.",
        parameters=taking(
            {
                "query": {"type": "string", "maxLength": 200, "description": "Words that name or description have."},
                "tag": {"type": "string", "maxLength": 100, "description": "Only skills with this tag."},
                "after": {"type": "string", "maxLength": 100, "description": "Go on after this name."},
                "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
            }
        ),
        result=giving({"skills": {"type": "array", "items": LISTED}, "total": {"type": "integer"}, "next": TEXT}),
        needs=Tier.READ,
        act=_listing(listed),
        closed=True,
    )


def _describe_offer(listed: Callable[[], Listed]) -> Offer:
    return Offer(
        name="skill_describe",
        title="Describe a skill",
        description="Tells what one skill takes, does and gives: its inputs and outputs as JSON Schema, its steps.",
        parameters=taking({"name": NAME}, ("name",)),
        result=giving(
            {
                **LISTED["properties"],
                "inputs": ANY_OBJECT,
                "outputs": ANY_OBJECT,
                "steps": {"type": "array", "items": STEP},
            }
        ),
        needs=Tier.READ,
        act=_describing(listed),
        closed=True,
    )


def _listing(listed: Callable[[], Listed]) -> Any:
    async def act(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:  # noqa: ARG001 - as all
        words = str(given.get("query", "")).lower().split()
        entries = [each for each in serving.engine.library.entries() if _fits(each, words, given.get("tag"))]
        rest = [each for each in entries if each.name > given.get("after", "")]
        page = rest[: int(given.get("limit", PAGE))]
        more = f"skill_list(after={page[-1].name!r}) has the rest" if len(rest) > len(page) else ""
        shown = [_entry(each, listed()) for each in page]
        lines = [f"{each['name']}: {each['error'] or _first_line(each['description'])}" for each in shown]
        return answer({"skills": shown, "total": len(entries), "next": more}, "\n".join(lines) or "no such skill")

    return act


def _describing(listed: Callable[[], Listed]) -> Any:
    async def act(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:  # noqa: ARG001 - as all
        entry = entry_of(serving, given["name"])
        skill = serving.engine.library.load(entry.name)
        described = {
            **_entry(entry, listed()),
            "inputs": input_schema(skill),
            "outputs": output_schema(skill),
            "steps": list(_steps(skill)),
        }
        return answer(described)

    return act


async def _run(ctx: Context, serving: Serving, given: Mapping[str, Any]) -> Reply:
    name, inputs = entry_of(serving, given["name"]).name, given.get("inputs", {})
    try:
        bind_inputs(serving.engine.library.load(name), inputs)
    except InputError as error:
        return refusal(error.message, f"skill_describe(name={name!r}) tells its inputs")
    return await runs.call_skill(ctx, serving, name, inputs, given.get("wait_seconds"))


RUN = Offer(
    name="skill_run",
    title="Run a skill",
    description=(
        "Runs a skill by name. Waits for its end at most `wait_seconds`; a run that takes longer goes on, and "
        "`run_status` tells how it is. What a run asks is answered by `run_answer`, unless the client shows forms."
    ),
    parameters=taking(
        {
            "name": NAME,
            "inputs": {"type": "object", "description": "As `skill_describe` tells them.", "default": {}},
            "wait_seconds": WAIT,
        },
        ("name",),
    ),
    result=run_result(),
    needs=Tier.RUN,
    act=_run,
    effect=Effect.DESTRUCTIVE,
)


def entry_of(serving: Serving, name: str) -> SkillEntry:
    """The skill of that name; no path is taken, for a client chooses among the skills there are.

    Raises SkillNotFoundError with the nearest names.
    """
    entries = {each.name: each for each in serving.engine.library.entries()}
    if name not in entries:
        hint = did_you_mean(name, entries) or "skill_list() lists the skills"
        raise SkillNotFoundError(f"there is no skill called {name[:100]}", hint=hint)
    return entries[name]


def _fits(entry: SkillEntry, words: list[str], tag: str | None) -> bool:
    text = f"{entry.name} {entry.description} {' '.join(entry.tags)}".lower()
    return all(word in text for word in words) and (tag is None or tag in entry.tags)


def _entry(entry: SkillEntry, listed: Listed) -> dict[str, Any]:
    effect = listed.effect_of.get(entry.name)
    return {
        "name": entry.name,
        "description": entry.description,
        "version": entry.version,
        "tags": list(entry.tags),
        "tool": listed.tool_of.get(entry.name),
        "effect": effect.value if effect else None,
        "error": listed.broken.get(entry.name),
    }


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _steps(skill: Skill) -> Iterator[dict[str, Any]]:
    for step in (*skill.steps, *skill.always):
        yield from _step(step, "")


def _step(step: Step, inside: str) -> Iterator[dict[str, Any]]:
    name = f"{inside}{step.name}"
    called = step.tool if isinstance(step, ToolStep) else step.skill if isinstance(step, SkillStep) else None
    yield {"name": name, "action": action_of(step), "calls": called, "description": step.description}
    for inner in step.steps if isinstance(step, GroupStep) else ():
        yield from _step(inner, f"{name}/")
