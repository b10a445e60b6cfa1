"""Logging in: the fix for a token that is missing or expired, and the check that it took."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from typing import Any, TypedDict

from tool_registry.functions.platform import (
    ask_platform,
    call_platform,
    platform_folder,
    platform_url,
    token,
    user_name,
)
from tool_registry.functions.where import on_platform
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, FixScope, Needs, ToolContext, ToolError

KUBECONFIG = Needs(settings=("kubeconfig",))
LOGIN = Needs(settings=("platform|login.command|login.token_url",))
"""The platform's folder, in which the client secret lies, or how one logs in at the domain's cluster."""
ACCOUNT = Needs(settings=("url|platform|kubeconfig",))


class LoggedIn(TypedDict):
    """Who has a new token, for which server, and until when it holds (epoch seconds); null where it does not tell."""

    user: str
    server: str
    expires_at: int | None


class Account(TypedDict):
    """Whose the kept token is, and until when it holds (epoch seconds); null at a cluster, which does not tell."""

    user: str
    expires_at: float | None


class TokenTime(TypedDict):
    """How long the kept token holds, None without one: until when (epoch seconds), and how many seconds that is."""

    user: str
    expires_at: float | None
    expires_in: float | None


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="ephemeral",
    timeout=120,
    fix=FixScope.CREDENTIALS,
    examples=({},),
    exact=True,
    needs=LOGIN,
)
async def kube_login(context: ToolContext) -> LoggedIn:
    """Gets a new token for the domain's user and keeps it, readable by that person alone.

    On the embedded platform it is kept in the domain's kubeconfig. At a cluster the domain's `login` says which
    command is run or which token endpoint asked, and the token is kept in its `token_file` (docs/kubernetes.md).

    Returns:
        user, server, and expires_at (epoch seconds). The token itself is never returned.
    """
    if _at_cluster(context):
        return await _cluster_login(context)
    kubeconfig = context.settings.get("kubeconfig")
    if not kubeconfig:
        raise ToolError("the domain names no kubeconfig to keep a token in", kind="configuration_error", sent=False)
    user, server = user_name(context.settings), platform_url(context.settings)
    form = {"grant_type": "client_credentials", "client_id": user, "client_secret": _client_secret(user, context)}
    granted = (await ask_platform("POST", "/oauth/token", context, data=form)).json()
    with expected("the platform"):
        token, lifetime = str(granted["access_token"]), float(granted["expires_in"])
    context.secret(token)
    _keep(Path(kubeconfig), _kubeconfig(server, user, token))
    return {"user": user, "server": server, "expires_at": int(time.time() + lifetime)}


@tool(effect=Effect.READ, idempotent=True, domain="ephemeral", timeout=10, examples=({},), exact=True, needs=ACCOUNT)
async def kube_whoami(context: ToolContext) -> Account:
    """Says who the kept token belongs to and until when it holds; a token that no longer holds is a failure.

    Returns:
        user, and expires_at (epoch seconds).
    """
    if not on_platform(context.settings):
        from tool_registry.functions.cluster_login import whoami  # noqa: PLC0415 - the local profile needs none of it

        return {"user": await whoami(context), "expires_at": None}
    told = await call_platform("GET", "/oauth/userinfo", context)
    with expected("the platform"):
        return {"user": str(told["sub"]), "expires_at": float(told["exp"])}


@tool(effect=Effect.READ, idempotent=True, domain="ephemeral", timeout=5, examples=({},), exact=True, needs=KUBECONFIG)
def local_token_expiry(context: ToolContext) -> TokenTime:
    """Says how long the kept token holds, by what the token says of itself; no server is asked.

    Returns:
        user, expires_at (epoch seconds) and expires_in (seconds, negative when it is over); null without a token.
    """
    user, found = user_name(context.settings), token(context)
    ends = _ends(found) if found else None
    return {"user": user, "expires_at": ends, "expires_in": None if ends is None else ends - time.time()}


async def _cluster_login(context: ToolContext) -> LoggedIn:
    from tool_registry.functions.cluster_login import cluster_login  # noqa: PLC0415 - the local profile needs none of it

    made = await cluster_login(context)
    return {"user": made["user"], "server": made["server"], "expires_at": made["expires_at"]}


def _at_cluster(context: ToolContext) -> bool:
    return bool(context.settings.get("login")) and not on_platform(context.settings)


def _ends(kept: str) -> float | None:
    """The `exp` claim of a JSON web token (RFC 7519), unverified; None when it says nothing of the kind."""
    try:
        claims = kept.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
    except (ValueError, LookupError, TypeError):
        return None


def _client_secret(user: str, context: ToolContext) -> str:
    """The user's client secret, as the platform keeps it on this machine."""
    folder = platform_folder(context.settings) / "login"
    try:
        secret = (folder / f"{Path(user).name}.secret").read_text().strip()
    except OSError as error:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.secret"))) or "nobody"
        raise ToolError(
            f"there is no client secret for {user} in {folder} ({error.strerror}); it knows {known}",
            kind="configuration_error",
            sent=False,
        ) from error
    context.secret(secret)
    return secret


def _kubeconfig(server: str, user: str, token: str) -> dict[str, Any]:
    """What kubectl reads, in the part of YAML that is JSON."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "ephemeral",
        "clusters": [{"name": "ephemeral", "cluster": {"server": server}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "ephemeral", "context": {"cluster": "ephemeral", "user": user}}],
    }


def _keep(path: Path, content: dict[str, Any]) -> None:
    """Puts the file in place whole or not at all, and never readable by others, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
