"""Asking a git server: in whose name, how far git may go, and what its refusals mean.

The domain `git` gives `url`, the server that its login is for, `username` (else `oauth2`, which GitLab takes with a
token), and where the password or token is kept (`credential`). Git gets it from a credential helper and asks no
person; for every other server the person's own helpers count.
"""

from __future__ import annotations

import re
import shlex
import socket
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import anyio

from tool_registry.functions.credential import credential
from tool_registry.functions.git_credential import PASSWORD, USERNAME
from tool_registry.functions.repository import TRANSPORTS, UNASKED, git_completed, refuse_programs, try_git
from tool_registry.sources.connections import is_loopback
from tool_registry.sources.http_failure import root_of
from tool_registry.sources.plain_file import named_path
from tool_registry.sources.process import Completed
from tool_registry.tool import ToolContext, ToolError

HELPER = Path(__file__).with_name("git_credential.py")
REMOTE = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$"
STEERS = re.compile(
    r"(http\.(.*\.)?(sslverify|sslca.*|sslbackend|proxy.*|curlopt.*|cookiefile|savecookies)|remote\..*\.proxy.*)",
    re.IGNORECASE | re.DOTALL,
)
"""The settings by which a repository would have a login shown to somebody else than the server it is for."""
LOOK_WITHIN = 2.0
"""Seconds in which a host that git could not connect to is looked at."""

ACCESS = r"^fatal: unable to access '[^'\n]{1,2000}': "
CONTENT_TYPE = re.compile(r"<= recv header: content-type: ([^\s;]{1,100})")
ANSWERED = re.compile(r"<= recv header: http/[0-9.]{1,3} (\d{3})")
TRACE_LIMIT = 1_000_000
STATUS = re.compile(
    rf"(?:{ACCESS}The requested URL returned error:|^error: RPC failed; HTTP) (\d{{3}})\b", re.MULTILINE
)
NO_LOGIN = re.compile(r"^fatal: (?:Authentication failed for |could not read (?:Username|Password) for )", re.MULTILINE)
MISSING = re.compile(r"^fatal: repository '[^'\n]{1,2000}' not found", re.MULTILINE)
UNTRUSTED = re.compile(rf"{ACCESS}(?:server certificate|SSL|gnutls|OpenSSL)", re.MULTILINE)
UNRESOLVED = re.compile(rf"{ACCESS}Could not resolve host", re.MULTILINE)
UNCONNECTED = re.compile(rf"{ACCESS}Failed to connect to ", re.MULTILINE)
USERINFO = re.compile(r"(?<=://)[^/@\s'\"]{1,2000}@")
SCP = re.compile(r"(?:[A-Za-z0-9._-]{1,99}@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}:(?!//)\S{1,2000}")


def shown(url: str) -> str:
    """An address as it may be shown: without a name and a password for a web server."""
    return USERINFO.sub("", url) if url.startswith("http") else url


def address(url: str, context: ToolContext) -> str:
    """An address that can be cloned from; ToolError for one that is none, or that a password stands in."""
    parts = urlsplit(url) if "://" in url else None
    if parts and parts.password:
        context.secret(parts.password)
        message = f"a password does not belong into an address ({shown(url)}): the domain git names where it is kept"
        raise ToolError(message, kind="usage_error", sent=False)
    good = parts.scheme in {"http", "https", "ssh", "git", "file"} if parts else SCP.fullmatch(url)
    if good or (not parts and Path(url).is_absolute()):
        return url
    raise ToolError(f"{shown(url)!r} is no address of a git repository", kind="usage_error", sent=False)


async def remote_url(folder: Path, remote: str, context: ToolContext, *, push: bool = False) -> str:
    """The address of a remote; ToolError (`configuration_error`) where the repository has no such remote."""
    done = await try_git(folder, "remote", "get-url", *(["--push"] if push else []), "--", remote, context=context)
    url = done.stdout.strip()
    if done.exit_status != 0 or not url:
        raise done.failure(f"{folder} has no remote called {remote}", kind="configuration_error")
    if password := urlsplit(url).password if "://" in url else None:
        context.secret(password)
    return url


async def ask_server(folder: Path, *arguments: str, url: str, context: ToolContext) -> Completed:
    """`git ARGUMENTS` where it asks the server at `url`, in the name of the domain's login if it is for that server.

    An exit status is an answer here.

    Raises:
        ToolError: `configuration_error` where settings of the repository's own would choose a program to ask with, or
            another place to show the login; `api_contract_mismatch` where a web site answers that is no git server.
    """
    with tempfile.TemporaryDirectory() as kept:
        trace = Path(kept) / "headers"
        done = await _asked(folder, arguments, url, context, trace)
        # Where git names the reason itself (a connection that was cut, a status), that is the reason.
        if not re.search(ACCESS, done.stderr, re.MULTILINE) and (told := _of_no_git_server(trace)):
            raise ToolError(
                f"{shown(url)} answered with {told}, as a web site does and no git server",
                kind="api_contract_mismatch",
                program="git",
                output=done.evidence,
                sent=True,
            )
        return done


async def _asked(folder: Path, arguments: tuple[str, ...], url: str, context: ToolContext, trace: Path) -> Completed:
    settings, login = await _login(url, context)
    if folder != Path("/"):
        await refuse_programs(folder, context)
    if login and folder != Path("/"):
        await refuse_programs(folder, context, pattern=STEERS, what="the login for the server of {} is not used")
    watched = {"GIT_TRACE_CURL": str(trace), "GIT_TRACE_CURL_NO_DATA": "1", "GIT_TRACE_REDACT": "1"}
    reach = {**TRANSPORTS, **UNASKED, **watched, **login}
    return await git_completed(folder, (*settings, *arguments), reach, context)


def _of_no_git_server(trace: Path) -> str:
    """The type of a page that git took for a repository without branches; empty where a git server answered.

    Git has no sign of its own for that: a page for people (a login somewhere between) is a list of no branches to it.
    """
    try:
        with trace.open(encoding="utf-8", errors="replace") as written:
            headers = written.read(TRACE_LIMIT).lower()
    except OSError:
        return ""  # nothing was asked by HTTP
    statuses, told = ANSWERED.findall(headers), CONTENT_TYPE.findall(headers)
    first = next((each for each in statuses if each != "401" and each[0] not in "13"), "")
    if first != "200" or any(each.startswith("application/x-git-") for each in told):
        return ""
    return next((each for each in told if each.startswith(("text/html", "application/json"))), "")


async def _login(url: str, context: ToolContext) -> tuple[list[str], dict[str, str]]:
    """What git is told on its command line, where everybody may read it, and in its environment."""
    trusted = _trusted(context)
    origin = _origin(url)
    if not origin or origin != _origin(str(context.settings.get("url") or "")):
        return trusted, {}
    password = await credential(context, usual="")
    if not password:
        return trusted, {}
    if origin.startswith("http://") and not is_loopback(urlsplit(origin).hostname or ""):
        message = f"{origin} is not asked by HTTPS, and a password is not sent there in the clear"
        raise ToolError(message, kind="configuration_error", sent=False)
    named = str(context.settings.get("username") or "oauth2")
    # Git has its own shell read this; there is nothing in it but where we are installed.
    helper = f"!{shlex.join([sys.executable, '-I', str(HELPER)])}"
    helpers = ["-c", f"credential.{origin}.helper=", "-c", f"credential.{origin}.helper={helper}"]
    return [*trusted, *helpers], {USERNAME: named, PASSWORD: password}


def _trusted(context: ToolContext) -> list[str]:
    ca_file = context.settings.get("ca_file")
    if not ca_file:
        return []
    return ["-c", f"http.sslCAInfo={named_path(str(ca_file), context.folder, context.environment)}"]


def _origin(url: str) -> str:
    """Scheme, host and port of a web server's address; empty for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.hostname}{f':{port}' if port else ''}"


async def server_failure(done: Completed, what: str, url: str, context: ToolContext) -> ToolError:
    """Why git could not ask a server: by what git says, and where its words leave it open, a look at the host.

    Only git's own lines count (`fatal:`, `error:`); what the server sends along stands behind `remote:`.
    """
    said = USERINFO.sub("", done.stderr)
    error = done.failure(f"{what}: {_last(said, done)}")
    error.output = USERINFO.sub("", error.output)
    error.details["url"] = shown(url)
    if status := STATUS.search(said):
        error.http_status = int(status[1])
    elif NO_LOGIN.search(said):
        error.http_status = 401
    elif MISSING.search(said):
        error.http_status = 404
    elif UNTRUSTED.search(said):
        error.kind, error.sent = "tls", False
    elif UNRESOLVED.search(said):
        error.kind, error.sent = "dns_failure", False
    elif UNCONNECTED.search(said):
        error.errno, error.sent = await _look(url, context), False
    return error


def _last(said: str, done: Completed) -> str:
    lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
    return (lines or said.strip().splitlines() or [f"it exited with {done.exit_status} and said nothing"])[-1][:500]


async def _look(url: str, context: ToolContext) -> str | None:
    """The system's error for a connection to the server; curl has the same words for a refusal and for no route."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    through = any(context.environment.get(name) for name in (f"{parts.scheme}_proxy", "HTTPS_PROXY", "ALL_PROXY"))
    if not parts.hostname or (through and not is_loopback(parts.hostname)):
        return None
    with anyio.move_on_after(LOOK_WITHIN):
        try:
            await (await anyio.connect_tcp(parts.hostname, port)).aclose()
        except (OSError, socket.gaierror) as error:
            return root_of(error)[1]
        else:
            return None
    return "ETIMEDOUT"
