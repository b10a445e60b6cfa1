"""Looking whether somebody is logged in: at an image registry, at GitLab, and how long a kept token holds."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict
from urllib.parse import urlsplit

from tool_registry.functions.gitlab_access import answer
from tool_registry.functions.moments import jwt_end, moment
from tool_registry.functions.services import SERVICE
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply, request
from tool_registry.sources.plain_file import named_path, plain_text
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

CHALLENGE = re.compile(r'(realm|service)="([^"]{0,500})"')
LARGEST = 1_000_000
ENDS = ("expires_at", "expiry", "expires_on")
TOLD = {*ENDS, "expires_in", "user", "token_type", "scope"}
"""What a kept OAuth token says that may be shown."""


class Login(TypedDict):
    """Whether a login is there and counts; `user` empty where nobody is named, `expires_at` null where it is not told.

    `ok` null: a program keeps the credentials, and only it can tell. `kind` is the failure that it means where it does
    not count, for the checks of a domain.
    """

    ok: bool | None
    user: str
    expires_at: float | None
    message: str
    kind: str


class Kept(TypedDict):
    """A kept token: until when it holds (epoch seconds), and how many seconds that is.

    Both are null where it does not tell, or can be renewed by itself. `ok`: it is there, and maybe over.
    """

    ok: bool
    user: str
    expires_at: float | None
    expires_in: float | None
    message: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=15,
    examples=({"registry": "quay.io"}, {"registry": "http://127.0.0.1:5000", "auth_file": "auth.json"}),
    exact=True,
)
async def registry_login_state(registry: str, context: ToolContext, auth_file: str = "") -> Login:
    """Says whether the login that podman, docker and skopeo keep for a registry still counts there.

    The registry is asked (`GET /v2/`) with the kept credentials; one that asks for none is good without a login.

    Args:
        registry: Its host, with a port where it has one, or its URL.
        auth_file: The file that keeps logins; left out, the usual ones are looked into.
    """
    url = registry if "://" in registry else f"https://{registry}"
    host = urlsplit(url).netloc
    found = kept_login(host, context, auth_file)
    if found is None and (helper := _helper(host, context, auth_file)):
        return _login(None, message=f"the login of {host} is kept by docker-credential-{helper}, which was not asked")
    headers = {"Authorization": f"Basic {found}"} if found else {}
    reply = await request("GET", f"{url.rstrip('/')}/v2/", context=context, headers=headers, ok=(200, 401))
    if reply.status == 401:  # noqa: PLR2004 - RFC 9110
        reply = await _exchanged(reply, headers, context)
    user = _user(found) if found else ""
    if reply.status == 200:  # noqa: PLR2004 - RFC 9110
        _refuse_pages(reply, host)
        return _login(True, user=user)
    said = f"the login of {user} at {host} is not accepted" if found else f"nobody is logged in at {host}"
    return _login(False, user=user, message=f"{said}; podman login {host}")


@tool(effect=Effect.READ, idempotent=True, domain="gitlab", timeout=15, examples=({},), exact=True, needs=SERVICE)
async def gitlab_login_state(context: ToolContext) -> Login:
    """Says whose the configured GitLab token is, and until when it holds; one that is not accepted is a failure.

    The domain `gitlab` gives the `url`, and says where the token is kept (`credential`).
    """
    who = await answer("GET", "/user", context)
    with expected("GitLab"):
        user = str(who["username"])
    return _login(True, user=user, expires_at=await _token_end(context))


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=5,
    examples=({"variable": "SERVICE_TOKEN"}, {"file": "~/.config/service/token.json"}),
    exact=True,
)
def token_expiry(
    context: ToolContext,
    variable: Annotated[str, {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,99}$"}] = "",
    file: str = "",
) -> Kept:
    """Says how long a JSON web token, or an OAuth token kept as JSON, holds by what it says itself; no server is asked.

    Args:
        variable: The environment variable that holds it.
        file: The file that holds it; relative ones are inside the workspace.
    """
    if bool(variable) == bool(file):
        raise ToolError("name either the variable or the file that holds the token", kind="usage_error", sent=False)
    where = variable or file
    kept = named_path(file, context.folder, context.environment)
    text = context.environment.get(variable, "") if variable else _read(kept)
    if not text.strip():
        return {"ok": False, "user": "", "expires_at": None, "expires_in": None, "message": f"{where} holds no token"}
    user, told, renews = _told(text.strip(), context)
    ends = None if renews else told  # a refresh token gets a new one, so that this one's end is nobody's business
    left = None if ends is None else ends - time.time()
    return {"ok": True, "user": user, "expires_at": ends, "expires_in": left, "message": ""}


def _told(text: str, context: ToolContext) -> tuple[str, float | None, bool]:
    """Whose a token is, when it ends, and whether it renews itself; all else that is kept beside it is secret."""
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict):
        context.secret(text)
        return "", jwt_end(text), False
    for name, value in kept.items():
        context.secret(None if name in TOLD else value)
    ends = next((each for name in ENDS if (each := moment(kept.get(name)))), None)
    return str(kept.get("user") or ""), ends or jwt_end(str(kept.get("access_token"))), bool(kept.get("refresh_token"))


def _refuse_pages(reply: Reply, host: str) -> None:
    """Refuses a page for people: whoever answers so (a portal, a proxy) is no registry, and its 200 says nothing."""
    if reply.headers.get("docker-distribution-api-version") or not reply.content.strip():
        return
    try:
        json.loads(reply.content)
    except (ValueError, RecursionError) as error:
        raise ToolError(
            f"{host} answered {reply.status}, but not as a registry does",
            kind="api_contract_mismatch",
            http_status=reply.status,
            output=reply.text[:2_000],
            sent=True,
        ) from error


async def _exchanged(reply: Reply, headers: Mapping[str, str], context: ToolContext) -> Reply:
    """What the registry's token server says to the credentials, where the registry names one."""
    challenge = reply.headers.get("www-authenticate", "")
    said = dict(CHALLENGE.findall(challenge))
    # Credentials that came by TLS do not leave without it, whatever server is named.
    safe = "https://" if reply.url.startswith("https://") else ("https://", "http://")
    if not headers or not challenge.lower().startswith("bearer") or not said.get("realm", "").startswith(safe):
        return reply
    params = {"service": said["service"]} if "service" in said else None
    return await request("GET", said["realm"], context=context, headers=headers, params=params, ok=(200, 401, 403))


def _auth_files(context: ToolContext, auth_file: str) -> Iterator[Path]:
    """Where podman, docker and skopeo keep logins (containers-auth.json(5)), in their order."""
    environment = context.environment
    if auth_file:
        yield named_path(auth_file, context.folder, environment)
        return
    home = Path(environment.get("HOME") or "/nonexistent")
    if named := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _kept(context: ToolContext, auth_file: str) -> Iterator[dict[str, Any]]:
    for path in _auth_files(context, auth_file):
        if path.is_file():
            try:
                kept = json.loads(_read(path))
            except (ValueError, RecursionError) as error:
                raise ToolError(f"{path} is not JSON: {error}", kind="configuration_error", sent=False) from error
            if isinstance(kept, dict):
                yield kept


def kept_login(host: str, context: ToolContext, auth_file: str) -> str | None:
    """The credentials kept for a registry, as basic authentication has them; None when no file keeps any."""
    for kept in _kept(context, auth_file):
        auths = kept.get("auths")
        for name in (host, f"https://{host}", f"https://{host}/v2/", f"https://{host}/v1/"):
            entry = auths.get(name) if isinstance(auths, dict) else None
            if isinstance(entry, dict) and isinstance(entry.get("auth"), str) and entry["auth"]:
                context.secret(entry["auth"])
                context.secret(_decoded(entry["auth"]).partition(":")[2])
                return str(entry["auth"])
    return None


def _helper(host: str, context: ToolContext, auth_file: str) -> str:
    for kept in _kept(context, auth_file):
        helpers = kept.get("credHelpers")
        named = helpers.get(host) if isinstance(helpers, dict) else None
        if named := named or kept.get("credsStore"):
            return str(named)
    return ""


def _user(auth: str) -> str:
    return _decoded(auth).partition(":")[0]


def _decoded(auth: str) -> str:
    try:
        return base64.b64decode(auth, validate=True).decode(errors="replace")
    except ValueError:
        return ""


async def _token_end(context: ToolContext) -> float | None:
    """When the token itself ends; older servers, and tokens of other sorts, do not tell."""
    try:
        said = await answer("GET", "/personal_access_tokens/self", context)
    except ToolError:
        return None
    return moment(said.get("expires_at")) if isinstance(said, Mapping) else None


def _login(ok: bool | None, *, user: str = "", expires_at: float | None = None, message: str = "") -> Login:
    return {"ok": ok, "user": user, "expires_at": expires_at, "message": message, "kind": "auth_expired"}


def _read(path: Path) -> str:
    try:
        return plain_text(path, LARGEST)
    except OSError:
        return ""
