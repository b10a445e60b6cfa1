"""Logging in at a cluster: by a command of one's own, or at the token endpoint of who keeps its users (OIDC)."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from tool_registry.functions.cluster import ask_cluster, promised
from tool_registry.functions.cluster_access import cluster_access
from tool_registry.functions.kubeconfig import file_text
from tool_registry.functions.moments import jwt_end, moment
from tool_registry.sources.expected import expected
from tool_registry.sources.http import request
from tool_registry.sources.process import run_program
from tool_registry.tool import ToolContext, ToolError


async def cluster_login(context: ToolContext) -> dict[str, Any]:
    """Logs in as the domain says; who that is says the cluster itself afterwards.

    A command without a `token_file` writes into the kubeconfig itself; what it prints is nothing then.
    """
    settings, ends = context.settings, None
    if command := settings.get("login_command"):
        printed = await _ran(command, context)
        if settings.get("token_file"):
            token, ends = _token_in(printed, context)
            _keep(context, token)
    elif settings.get("token_url"):
        token, ends = await _granted(context)
        _keep(context, token)
    else:
        raise ToolError(
            "the domain says of its cluster neither login_command nor token_url", kind="configuration_error", sent=False
        )
    server = (await cluster_access(context)).server
    return {"user": await whoami(context), "server": server, "expires_at": None if ends is None else int(ends)}


async def whoami(context: ToolContext) -> str:
    """Who the cluster takes us for; a login that does not count is a failure."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    told = (await ask_cluster("POST", path, context, body=review)).json()
    with promised():
        return str(told["status"]["userInfo"]["username"])


async def _ran(command: Any, context: ToolContext) -> str:
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command) or not command:
        message = 'login_command is a list of words, as in ["oc", "login", "--web"]'
        raise ToolError(message, kind="configuration_error", sent=False)
    done = await run_program(
        command,
        cwd=context.folder,
        environment=context.environment,
        timeout=context.timeout,
        shared=context.connections,
    )
    if done.exit_status:
        raise ToolError(
            f"{command[0]} ended with status {done.exit_status}",
            program=Path(command[0]).name,
            exit_status=done.exit_status,
            output=done.stderr[-8_000:],
        )
    return str(done.stdout)


def _token_in(printed: str, context: ToolContext) -> tuple[str, float | None]:
    """The token that a command printed: alone, or as an ExecCredential."""
    text, ends = printed.strip(), None
    try:
        status = json.loads(text)["status"]
        text, ends = str(status["token"]), moment(status.get("expirationTimestamp"))
    except (ValueError, LookupError, TypeError, AttributeError):
        pass  # the token by itself
    context.secret(text)
    if len(text.split()) != 1:
        raise ToolError("login_command printed no token, as token_file wants one", kind="api_contract_mismatch")
    return text, ends or jwt_end(text)


async def _granted(context: ToolContext) -> tuple[str, float | None]:
    """A token of the endpoint, for a client's secret (client credentials) or a refresh token (RFC 6749)."""
    settings = context.settings
    form = {"client_id": str(settings.get("client_id") or ""), "scope": settings.get("scope")}
    if kept := _kept("refresh_token_file", context):
        form |= {"grant_type": "refresh_token", "refresh_token": kept}
    else:
        form |= {"grant_type": "client_credentials"}
    if secret := _kept("client_secret_file", context):
        form["client_secret"] = secret
    said = (await request("POST", str(settings["token_url"]), context=context, data=form)).json()
    with expected("the token endpoint"):
        for name in ("access_token", "id_token", "refresh_token"):
            context.secret(said.get(name))
        token = str(said.get("id_token") or said["access_token"])
        lifetime = said.get("expires_in")
    if renewed := said.get("refresh_token"):
        _keep(context, str(renewed), "refresh_token_file")
    return token, jwt_end(token) or (None if lifetime is None else time.time() + float(lifetime))


def _kept(setting: str, context: ToolContext) -> str:
    named = context.settings.get(setting)
    text = file_text(named, context.folder).strip() if named else ""
    context.secret(text)
    return text


def _keep(context: ToolContext, token: str, setting: str = "token_file") -> None:
    """Puts it in the file whole or not at all, and never readable by others, not even for a moment."""
    named = context.settings.get(setting)
    if not named:
        raise ToolError(f"the domain names no {setting} to keep a token in", kind="configuration_error", sent=False)
    path = context.folder / Path(str(named)).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{token}\n")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
