"""A call of a tool from its name to its reply: refused with a sentence, or done once all of it fits."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, TextContent
from pydantic import ValidationError

from engine.errors import EngineError
from engine.frontends.mcp_server.catalogue import Catalogue
from engine.frontends.mcp_server.checking import ArgumentsError, fitting
from engine.frontends.mcp_server.offers import Context, Offer, Reply
from engine.frontends.mcp_server.replies import refusal, refused
from engine.frontends.mcp_server.serving import Serving
from engine.library.nearest import did_you_mean
from engine.model.secret import Secrets

LONGEST_NAME = 100
"""Characters of an unknown name that an answer repeats."""
MISTAKES = 5
"""Mistakes of one request that are told."""


async def answered(ctx: Context, catalogue: Catalogue, params: CallToolRequestParams) -> Reply:
    """What the call gives, masked. Raises MCPError for a tool that is not there."""
    serving = catalogue.serving
    offer = _offer(catalogue, params.name)
    if isinstance(offer, CallToolResult):
        return masked(offer, serving.engine.secrets)
    given = _without_nulls(offer, params.arguments or {})
    try:
        arguments = fitting(offer, given)
    except ArgumentsError as error:
        return masked(refusal(str(error)), _own_secrets(offer, given))
    return masked(await _done(ctx, serving, offer, arguments), serving.engine.secrets)


async def _done(ctx: Context, serving: Serving, offer: Offer, arguments: Mapping[str, Any]) -> Reply:
    try:
        return await offer.act(ctx, serving, arguments)
    except EngineError as error:
        return refused(error)
    except MCPError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost loop of a call: the server goes on
        serving.say("".join(traceback.format_exception(error)).rstrip())
        return refusal(f"{offer.name} failed in the server: {type(error).__name__}", "its log has the details")


def _offer(catalogue: Catalogue, name: str) -> Offer | CallToolResult:
    listed, allow = catalogue.listed(), catalogue.serving.allow
    offer = listed.offers.get(name)
    if offer is None and name in listed.broken:
        return refusal(f"the skill {name} cannot run: {listed.broken[name]}", f"a person can: skill check {name}")
    if offer is None:
        near = did_you_mean(name, [each.name for each in catalogue.allowed()]) or "tools/list has all there are"
        raise MCPError(INVALID_PARAMS, f"there is no tool called {name[:LONGEST_NAME]}: {near}")
    if not allow.allows(offer.needs):
        return refusal(
            f"{name} was not called: it needs `{offer.needs.value}`, and this server allows `{allow.value}`",
            f"whoever starts the server can: skill mcp serve --allow {offer.needs.value}",
        )
    return offer


async def naming_mistakes(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Middleware that says which parameter of a request is wrong, where the SDK only says that one is."""
    try:
        return await call_next(ctx)
    except ValidationError as error:
        places = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors(include_input=False)]
        told = [f"`{place.removeprefix('params.')}`: {said}" for place, said in places[:MISTAKES]]
        raise MCPError(INVALID_PARAMS, f"{ctx.method[:LONGEST_NAME]}: {'; '.join(told)}") from error


def _without_nulls(offer: Offer, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without those that are null where that is no value: models write them for what they leave out."""
    known = offer.parameters["properties"]
    return {name: value for name, value in given.items() if value is not None or _takes_null(known.get(name))}


def _takes_null(schema: Any) -> bool:
    kinds = schema.get("type") if isinstance(schema, Mapping) else None
    return schema is None or kinds is None or "null" in ([kinds] if isinstance(kinds, str) else kinds)


def _own_secrets(offer: Offer, given: Mapping[str, Any]) -> Secrets:
    """What of the arguments is secret: a sentence about what does not fit would show it."""
    secrets = Secrets()
    for name, schema in offer.parameters["properties"].items():
        if schema.get("writeOnly") and name in given:
            secrets.add(given[name])
    return secrets


def masked(reply: Reply, secrets: Secrets) -> Reply:
    """The reply with a mask in place of every secret, as it can be sent."""
    if not isinstance(reply, CallToolResult):
        return reply
    content = [
        each.model_copy(update={"text": _sendable(secrets.mask(each.text))}) if isinstance(each, TextContent) else each
        for each in reply.content
    ]
    told = _sendable(secrets.mask(reply.structured_content))
    return reply.model_copy(update={"content": content, "structured_content": told})


def _sendable(value: Any) -> Any:
    """The value with a question mark for each half of a surrogate pair: one of them would end a connection."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    written = text.encode("utf-8", "replace")
    return value if written.decode() == text else json.loads(written)
