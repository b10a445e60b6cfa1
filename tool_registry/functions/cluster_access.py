"""How a cluster is reached and as whom, by the settings of a domain: a kubeconfig, or an address and a token's file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tool_registry.functions.credential import setting_of
from tool_registry.functions.kubeconfig import (
    context_names,
    exec_credential,
    file_text,
    load_kubeconfig,
    mapping,
    named_entry,
    run_plugin,
    user_certificate,
)
from tool_registry.sources.connections import is_loopback
from tool_registry.sources.trust import Trust
from tool_registry.tool import ToolContext, ToolError

UNKNOWN = {"cluster": ("proxy-url", "tls-server-name"), "user": ("as", "as-groups", "as-uid", "auth-provider")}
"""What a kubeconfig may say and nobody here does: going on without it would mean another server, or another person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a cluster's API is, the token that is shown there (empty without one), and certificates."""

    server: str
    token: str = field(default="", repr=False)
    trust: Trust | None = None


async def cluster_access(context: ToolContext) -> Access:
    """What the domain's settings say, read anew for every call, so that a fix can renew it.

    Raises:
        ToolError: `configuration_error` where they name no cluster; `auth_expired` where a login still has to.
    """
    settings = context.settings
    kept = kept_token(context)
    if settings.get("url"):
        return _checked(Access(server=str(settings["url"]).rstrip("/"), token=kept))
    config, path = load_kubeconfig("", context)
    cluster, user = _chosen(config, path, context)
    token, certificate, key = (kept, "", "") if kept else await _credentials(user, path.parent, context)
    context.secret(token)
    context.secret(key)
    trust = Trust(
        authority=_content(cluster, "certificate-authority", path.parent),
        certificate=certificate,
        key=key,
        unchecked=bool(cluster.get("insecure-skip-tls-verify")),
    )
    server = str(cluster.get("server") or "").rstrip("/")
    plain = trust == Trust() or not server.startswith("https://")
    return _checked(Access(server=server, token=token, trust=None if plain else trust))


def kept_token(context: ToolContext) -> str:
    """What the domain's `token_file` holds; empty where it names none, or nobody has logged in yet."""
    named = context.settings.get("token_file")
    token = file_text(named, context.folder).strip() if named else ""
    context.secret(token)
    return token


def _checked(access: Access) -> Access:
    """Refuses to show a token where everybody on the way can read it, as kubectl does."""
    parts = urlsplit(access.server)
    if access.token and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        message = f"{access.server} is asked without TLS, and so not shown a token"
        raise ToolError(message, kind="configuration_error", sent=False)
    return access


def _chosen(config: Mapping[str, Any], path: Path, context: ToolContext) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The cluster and the user of the context that is meant."""
    name = str(context.settings.get("context") or config.get("current-context") or "")
    chosen = mapping(named_entry(config, "contexts", name).get("context"))
    cluster = mapping(named_entry(config, "clusters", str(chosen.get("cluster") or "")).get("cluster"))
    if not cluster.get("server"):
        raise _no_cluster(config, name, path, context)
    user = mapping(named_entry(config, "users", str(chosen.get("user") or "")).get("user"))
    for sort, said in (("cluster", cluster), ("user", user)):
        if odd := [key for key in UNKNOWN[sort] if said.get(key)]:
            message = f"the {sort} of the context {name} in {path} says {', '.join(odd)}, which is not known here"
            raise ToolError(message, kind="configuration_error", sent=False)
    return cluster, user


def _no_cluster(config: Mapping[str, Any], name: str, path: Path, context: ToolContext) -> ToolError:
    contexts = context_names(config)
    if not contexts and setting_of(context.settings, "login.command"):
        return ToolError(f"{path} has no context yet: nobody has logged in", kind="auth_expired", sent=False)
    known = f"it has {', '.join(contexts)}" if contexts else "it has none"
    message = f"{path} has no context {name or 'that is current'} with a server; {known}"
    return ToolError(message, kind="configuration_error", sent=False, details={"contexts": contexts})


async def _credentials(user: Mapping[str, Any], folder: Path, context: ToolContext) -> tuple[str, str, str]:
    """Token, certificate and key, in the order that kubectl prefers."""
    token = str(user.get("token") or file_text(user.get("tokenFile"), folder)).strip()
    certificate = user_certificate(user, folder).decode(errors="replace")
    if token or certificate:
        return token, certificate, _content(user, "client-key", folder)
    if not (plugin := mapping(user.get("exec"))):
        return "", "", ""
    command, done = await run_plugin(plugin, folder, context)
    if done.exit_status:
        raise ToolError(
            f"{command} ended with status {done.exit_status}, and gave no credentials",
            program=Path(command).name,
            exit_status=done.exit_status,
            output=done.stderr[-8_000:],
            sent=False,
        )
    status = exec_credential(command, done, context)
    return tuple(str(status.get(name) or "") for name in ("token", "clientCertificateData", "clientKeyData"))  # type: ignore[return-value]


def _content(said: Mapping[str, Any], name: str, folder: Path) -> str:
    """What stands in a kubeconfig itself (`NAME-data`, in base64), or in the file that it names."""
    inline = said.get(f"{name}-data")
    if not inline:
        return file_text(said.get(name), folder)
    try:
        return base64.b64decode(str(inline)).decode()
    except ValueError as error:
        raise ToolError(f"{name}-data is not base64", kind="configuration_error", sent=False) from error
