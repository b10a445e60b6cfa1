"""`Offer`: one tool that clients may see and call, whatever is behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types import CallToolResult, InputRequiredResult, Tool, ToolAnnotations

from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier
from engine.model.lazy_dataclass import dataclass
from tool_registry.tool import Effect

Context = ServerRequestContext[Any, Any]
Reply = CallToolResult | InputRequiredResult
Act = Callable[[Context, Serving, Mapping[str, Any]], Awaitable[Reply]]
"""What a call does, with arguments that fit the offer's schema."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool as clients see it, the tier it needs, and what a call of it does.

    `effect` is the worst that it does to the world; `closed` says that it only touches what the engine keeps.
    """

    name: str
    title: str
    description: str
    parameters: Schema
    result: Schema
    needs: Tier
    act: Act
    effect: Effect = Effect.READ
    idempotent: bool = False
    closed: bool = False

    def listing(self) -> Tool:
        """What `tools/list` says of it."""
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=dict(self.parameters),
            output_schema=dict(self.result),
            annotations=ToolAnnotations(
                title=self.title,
                read_only_hint=self.effect is Effect.READ,
                destructive_hint=self.effect is Effect.DESTRUCTIVE,
                idempotent_hint=self.idempotent or self.effect is Effect.READ,
                open_world_hint=not self.closed,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What one look at the skill files gave: the tools by name, the tool of each skill, and why a skill is none."""

    offers: Mapping[str, Offer]
    tool_of: Mapping[str, str]
    effect_of: Mapping[str, Effect]
    broken: Mapping[str, str]


def taking(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def giving(properties: Mapping[str, Schema]) -> dict[str, Any]:
    """The schema of an object that has all these members and no others."""
    return taking(properties, tuple(properties))


def strict(schema: Any) -> Any:
    """The schema, whose objects with named members have no others."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    told = {name: strict(inner) for name, inner in schema.items()}
    return {"additionalProperties": False, **told} if isinstance(told.get("properties"), dict) else told
