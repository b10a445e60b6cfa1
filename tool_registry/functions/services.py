"""Asking a configured web service with the token a person keeps in the environment."""

from __future__ import annotations

from tool_registry.sources.http import Reply, request
from tool_registry.tool import Needs, ToolContext, ToolError

SERVICE = Needs(settings=("url",))
"""What every tool that asks a configured service needs of its domain."""


async def ask_service(path: str, context: ToolContext, token_variable: str, *, header: str) -> Reply:
    """The domain's service's answer to a GET; the token is sent in `header`, and kept out of everything shown.

    The domain's `token_variable` names another environment variable than the usual one. Without a token the request is
    sent all the same: what may be read by anybody needs none.
    """
    url = context.settings.get("url")
    if not url:
        raise ToolError("no such service is configured: the domain has no url", kind="configuration_error", sent=False)
    token = context.environment.get(str(context.settings.get("token_variable") or token_variable), "")
    context.secret(token)
    value = f"Bearer {token}" if header == "Authorization" else token
    return await request(
        "GET", f"{str(url).rstrip('/')}{path}", context=context, headers={header: value} if token else {}
    )
