"""Logging in to an image registry, where podman, docker and skopeo look for logins."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

from tool_registry.functions.credential import credential
from tool_registry.functions.logins import registry_login_state
from tool_registry.functions.platform import platform_url
from tool_registry.functions.registry_access import REGISTRY
from tool_registry.sources.connections import is_loopback
from tool_registry.sources.plain_file import named_path, plain_text
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, FixScope, ToolContext, ToolError

LARGEST = 1_000_000


class LoggedIn(TypedDict):
    """A login that counts, and the file that keeps it; `changed` False: it stood there already."""

    registry: str
    user: str
    auth_file: str
    changed: bool


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="registry",
    timeout=30,
    fix=FixScope.CREDENTIALS,
    examples=({}, {"registry": "quay.io"}),
    exact=True,
    needs=REGISTRY,
)
async def registry_login(context: ToolContext, registry: str = "", auth_file: str = "") -> LoggedIn:
    """Logs in to an image registry: proves the configured name and password there, then keeps them as podman does.

    The domain gives the `username`, and says where the password is kept (`credential`). What the registry does not
    accept is not kept.

    Args:
        registry: Its host; only the domain's own is logged in to, and empty means that one.
        auth_file: The file that keeps logins; left out, the domain's `auth_file`, else the one podman writes to.

    Returns:
        registry, user, auth_file, and changed (whether the file was written).
    """
    url, host = _own(registry, context)
    user, password = await _credentials(context)
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    context.secret(basic)
    path = _auth_file(auth_file, context)
    await _prove(url, host, user, basic, context)
    return {"registry": host, "user": user, "auth_file": str(path), "changed": _keep(path, host, basic)}


def _own(registry: str, context: ToolContext) -> tuple[str, str]:
    """The registry's URL and host; the domain's password is for the domain's registry, and shown to no other."""
    url = platform_url(context.settings)
    host = urlsplit(url).netloc
    wanted = urlsplit(registry).netloc if "://" in registry else registry
    if wanted not in {"", host}:
        message = f"the domain's login is for {host}, and is not shown to {wanted}; podman login {wanted}"
        raise ToolError(message, kind="configuration_error", sent=False)
    if urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname or ""):
        message = f"{url} is not asked by HTTPS, and a password is not sent there in the clear"
        raise ToolError(message, kind="configuration_error", sent=False)
    return url, host


async def _credentials(context: ToolContext) -> tuple[str, str]:
    user = str(context.settings.get("username") or "")
    password = await credential(context, usual="")
    if not user or ":" in user or not password:
        missing = "username" if not user or ":" in user else "credential"
        message = f"nobody can be logged in: the domain's settings have no {missing} that can be used"
        raise ToolError(message, kind="configuration_error", sent=False, details={"setting": missing})
    return user, password


async def _prove(url: str, host: str, user: str, basic: str, context: ToolContext) -> None:
    """Shows the registry the login in a file of its own; what it does not accept is a 401."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "auth.json"
        shown.touch(mode=0o600)
        shown.write_text(json.dumps({"auths": {host: {"auth": basic}}}), encoding="utf-8")
        state = await registry_login_state(url, context, auth_file=str(shown))
    if not state["ok"]:
        raise ToolError(
            f"the registry {host} does not accept the configured login of {user}",
            kind="auth_expired",
            http_status=401,
            sent=True,
            details={"registry": host, "user": user},
        )


def _auth_file(named: str, context: ToolContext) -> Path:
    """Where the login is kept: as asked, as configured, or where podman and skopeo write (containers-auth.json(5))."""
    if asked := named or str(context.settings.get("auth_file") or ""):
        return named_path(asked, context.folder, context.environment)
    environment = context.environment
    if kept := environment.get("REGISTRY_AUTH_FILE"):
        return Path(kept)
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "containers" / "auth.json"
    home = Path(environment.get("HOME") or Path.home())
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"


def _keep(path: Path, host: str, basic: str) -> bool:
    """Writes the login beside the others; False when it stood there already."""
    try:
        with _alone(path):
            kept = _read(path)
            auths = kept.setdefault("auths", {})
            if auths.get(host) == {"auth": basic}:
                return False
            auths[host] = {"auth": basic}
            _replace(path, json.dumps(kept, indent=2) + "\n")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise ToolError(message, kind="permission_denied", sent=False, details={"path": str(path)}) from error
    return True


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Meanwhile no other login of ours writes there; the file itself is replaced, so that its folder is locked."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        kept = json.loads(plain_text(path, LARGEST) or "{}")
        good = isinstance(kept, dict) and isinstance(kept.get("auths", {}), dict)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise ToolError(f"{path} is not a file of logins; look at it first", kind="configuration_error", sent=False)
    return dict(kept)


def _replace(path: Path, text: str) -> None:
    descriptor, written = tempfile.mkstemp(dir=path.parent, prefix=".auth-")  # readable by this person alone
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(written).replace(path.resolve())
    except BaseException:
        with suppress(OSError):
            Path(written).unlink()
        raise
