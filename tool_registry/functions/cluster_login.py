"""Logging in at a cluster: by a command of one's own, or at the token endpoint of who keeps its users (OIDC)."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tool_registry.functions.cluster import ask_cluster, promised
from tool_registry.functions.cluster_access import cluster_access
from tool_registry.functions.credential import credential, setting_of
from tool_registry.functions.moments import jwt_end, moment
from tool_registry.sources.connections import is_loopback
from tool_registry.sources.expected import expected
from tool_registry.sources.http import request, spoken
from tool_registry.sources.plain_file import named_path
from tool_registry.sources.process import run_program
from tool_registry.tool import ToolContext, ToolError

RENEWED = "login.refresh_token.file"
"""Where a refresh token is kept that replaces the one before it; kept elsewhere, we cannot write there."""
REFUSED = {
    "invalid_grant": "auth_expired",
    "invalid_client": "auth_expired",
    "unauthorized_client": "permission_denied",
}
"""What a token endpoint's own words mean where its status is 400; the first needs a person who logs in anew."""


async def cluster_login(context: ToolContext) -> dict[str, Any]:
    """Logs in as the domain says; who that is says the cluster itself afterwards.

    A command without a `token_file` writes into the kubeconfig itself; what it prints is nothing then.
    """
    ends = None
    if command := setting_of(context.settings, "login.command"):
        printed = await _ran(command, context)
        if context.settings.get("token_file"):
            token, ends = _token_in(printed, context)
            _keep(context, token)
    elif setting_of(context.settings, "login.token_url"):
        token, ends = await _granted(context)
        _keep(context, token)
    else:
        message = "the domain does not say how one logs in at its cluster: login has neither command nor token_url"
        raise ToolError(message, kind="configuration_error", sent=False)
    server = (await cluster_access(context)).server
    return {"user": await whoami(context), "server": server, "expires_at": None if ends is None else int(ends)}


async def whoami(context: ToolContext) -> str:
    """Who the cluster takes us for; a login that does not count is a failure."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    reply = await ask_cluster("POST", path, context, body=review, not_found=(404,))
    if not reply.found:
        return await _openshift_user(context)
    with promised():
        return str(reply.json()["status"]["userInfo"]["username"])


async def _openshift_user(context: ToolContext) -> str:
    """Who OpenShift's own API takes us for: that API is older than the one Kubernetes has since 1.28."""
    reply = await ask_cluster("GET", "/apis/user.openshift.io/v1/users/~", context, not_found=(404,))
    if not reply.found:
        message = "the cluster cannot say who asks: its API is older than Kubernetes 1.28, and it is no OpenShift"
        raise ToolError(message, kind="resource_not_found", http_status=404)
    with promised():
        return str(reply.json()["metadata"]["name"])


async def _ran(command: Any, context: ToolContext) -> str:
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command) or not command:
        message = 'login.command is a list of words, as in ["oc", "login", "--web"]'
        raise ToolError(message, kind="configuration_error", sent=False)
    done = await run_program(
        command,
        cwd=context.folder,
        environment=context.environment,
        timeout=context.timeout,
        shared=context.connections,
        prints_secret=bool(context.settings.get("token_file")),
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
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass  # the token by itself
    context.secret(text)
    if len(text.split()) != 1:
        raise ToolError("login.command printed no token, as token_file wants one", kind="api_contract_mismatch")
    return text, ends or jwt_end(text)


async def _granted(context: ToolContext) -> tuple[str, float | None]:
    """A token of the endpoint, for a client's secret (client credentials) or a refresh token (RFC 6749)."""
    login = context.settings["login"]
    _refuse_clear(str(login["token_url"]))
    form = {"client_id": str(login.get("client_id") or ""), "scope": login.get("scope")}
    if kept := await credential(context, usual="", setting="login.refresh_token"):
        form |= {"grant_type": "refresh_token", "refresh_token": kept}
    else:
        form |= {"grant_type": "client_credentials"}
    if secret := await credential(context, usual="", setting="login.client_secret"):
        form["client_secret"] = secret
    said = await _said(str(login["token_url"]), form, context)
    with expected("the token endpoint"):
        for name in ("access_token", "id_token", "refresh_token"):
            context.secret(said.get(name))
        token = str(said.get("id_token") or said["access_token"])
        lifetime = said.get("expires_in")
    if (renewed := said.get("refresh_token")) and setting_of(context.settings, RENEWED):
        _keep(context, str(renewed), RENEWED)
    return token, jwt_end(token) or (None if lifetime is None else time.time() + float(lifetime))


def _refuse_clear(url: str) -> None:
    """Raises ToolError where everybody on the way could read what is shown there."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        message = f"{spoken(url)} is asked without TLS, and so not shown a secret"
        raise ToolError(message, kind="configuration_error", sent=False)


async def _said(url: str, form: dict[str, Any], context: ToolContext) -> Any:
    """What a token endpoint answers; a refusal says what the endpoint itself says (RFC 6749, section 5.2)."""
    try:
        return (await request("POST", url, context=context, data=form)).json()
    except ToolError as error:
        try:
            told = json.loads(error.output)
            code, sentence = str(told["error"]), told.get("error_description") or ""
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise error from None
        raise ToolError(
            f"{error.message}: {sentence} ({code})" if sentence else f"{error.message}: {code}",
            kind=error.kind or REFUSED.get(code),
            http_status=error.http_status,
            output=error.output,
            sent=error.sent,
            retry_after=error.retry_after,
            details={**error.details, "error": code},
        ) from error


def _keep(context: ToolContext, token: str, setting: str = "token_file") -> None:
    """Puts it in the file whole or not at all, and never readable by others, not even for a moment."""
    named = setting_of(context.settings, setting)
    if not named:
        raise ToolError(f"the domain names no {setting} to keep a token in", kind="configuration_error", sent=False)
    path = named_path(str(named), context.folder, context.environment)
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
