"""Talking to the platform of a domain: where it is, who asks, and what its refusals mean.

Nothing here repairs anything. A platform that does not run is a connection refused, a token that is missing or expired
is the 401 the platform itself gives: the engine decides what to do about either.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply, request, spoken
from tool_registry.tool import Needs, ToolContext, ToolError

PLATFORM = Needs(settings=("url|platform",))
"""What every tool that asks the platform needs of its domain."""

OWN_PORTS = range(20_000, 30_000)
"""Where a platform without a configured port is looked for: below the ports systems give to outgoing connections."""

OWN_ADDRESS = re.compile(r"http://(?:127\.0\.0\.1|localhost):[0-9]{1,5}")
"""What the embedded platform writes into its endpoint.json."""

KINDS = {
    "pool_exhausted": "resource_exhausted",
    "image_not_found": "image_not_found",
    "bad_image": "api_contract_mismatch",
    "no_procfile": "configuration_error",
    "short_commit": "usage_error",
    "too_large": "usage_error",
}
"""What the platform's own codes mean where the HTTP status alone does not say it."""


def platform_folder(settings: Mapping[str, Any]) -> Path:
    """The platform's data folder; ToolError where the domain has none."""
    folder = settings.get("platform")
    if not folder:
        raise ToolError(
            "no platform is configured for this domain: its settings name neither url nor platform",
            kind="configuration_error",
            sent=False,
        )
    return Path(folder)


def platform_port(settings: Mapping[str, Any]) -> int:
    """The port a platform is looked for at before it has said where it is: configured, or derived from its folder."""
    configured = settings.get("port")
    if configured:
        return int(configured)
    return OWN_PORTS[zlib.crc32(str(platform_folder(settings)).encode()) % len(OWN_PORTS)]


def platform_url(settings: Mapping[str, Any]) -> str:
    """Where the platform answers: as configured, as it wrote down itself, or where it would be started."""
    if settings.get("url"):
        return str(settings["url"]).rstrip("/")
    try:
        endpoint = json.loads((platform_folder(settings) / "endpoint.json").read_text())
        said = str(endpoint["url"]).rstrip("/")
    except (OSError, ValueError, KeyError, TypeError):
        said = ""
    # The embedded platform is nowhere but here; anything else in that file is not its own word.
    return said if OWN_ADDRESS.fullmatch(said) else f"http://127.0.0.1:{platform_port(settings)}"


def is_genuine(settings: Mapping[str, Any]) -> bool:
    """Whether who answers at `platform_url` is who it should be: configured so, or the platform that holds its folder.

    A platform that was killed leaves its endpoint.json behind, and its port to whoever on this machine takes it next,
    maybe another person: neither secrets nor tokens may go there. The lock on the folder ends with the process.
    """
    if settings.get("url"):
        return True
    folder = platform_folder(settings)
    try:
        descriptor = os.open(folder / "platform.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / "endpoint.json").is_file()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def user_name(settings: Mapping[str, Any]) -> str:
    """Who the platform knows us as: configured, or the person's own login name."""
    if settings.get("user"):
        return str(settings["user"])
    import getpass  # noqa: PLC0415 - late: only a call in somebody's name needs it

    return getpass.getuser()


def token(context: ToolContext) -> str | None:
    """The token the login fix keeps, None before the first login; it is kept out of everything shown from here on."""
    path = context.settings.get("kubeconfig")
    if not path:
        return None
    try:
        users = json.loads(Path(path).read_text())["users"]
        kept = {entry["name"]: entry["user"]["token"] for entry in users}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    found = kept.get(user_name(context.settings))
    if found is None:
        return None
    context.secret(found)
    return str(found)


async def call_platform(method: str, path: str, context: ToolContext, *, body: Mapping[str, Any] | None = None) -> Any:
    """The platform's JSON answer to a request in the user's name.

    Without a token the request is sent all the same: what is missing then is for the platform to say.
    """
    found = token(context)
    headers = {"Authorization": f"Bearer {found}"} if found else {}
    reply = await ask_platform(method, path, context, headers=headers, json=body)
    return reply.json() if reply.content else None


async def ask_platform(method: str, path: str, context: ToolContext, **content: Any) -> Reply:
    """The platform's answer; ToolError with its status, its code and its own sentence when it refuses.

    Where the embedded platform does not run, whoever else has taken its port is told nothing.
    """
    url = platform_url(context.settings) + path
    try:
        reply = await request(method, url, context=context, **content) if is_genuine(context.settings) else None
    except ToolError as error:
        if error.http_status is None:
            raise
        raise explained(error) from error
    if reply is None:
        message = f"{method} {spoken(url)}: Connection refused"
        raise ToolError(message, errno="ECONNREFUSED", sent=False, output="Connection refused")
    return reply


def explained(error: ToolError) -> ToolError:
    """A refusal with what the platform itself said about it."""
    said = _said(error.output)
    code = str(said.get("code") or said.get("error") or "")
    sentence = said.get("error_description") or said.get("error") or error.message
    return ToolError(
        str(sentence),
        kind=error.kind or KINDS.get(code),
        http_status=error.http_status,
        output=error.output,
        sent=error.sent,
        retry_after=error.retry_after,
        details={**error.details, **{name: value for name, value in said.items() if name != "error"}},
    )


def _said(output: str) -> dict[str, Any]:
    try:
        said = json.loads(output)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


async def check_answers(context: ToolContext, **content: Any) -> dict[str, Any]:
    """What the platform says of its health; a connection refused when nothing listens."""
    told = (await ask_platform("GET", "/healthz", context, **content)).json()
    with expected("the platform"):
        return {**told, "status": str(told["status"])}
