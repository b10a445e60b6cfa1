"""A stand-in of ours for GitLab's API (version 4), over real bare repositories.

Projects, merge requests (list, view, create, update, merge, close, notes, approvals, diffs), pipelines and jobs (list,
view, trace, retry, cancel, play), files, branches, tags and commits; personal access tokens with scopes and an end, and
the refresh of OAuth; GitLab's own JSON for refusals; pages by offset and by key; rate limits. The official client
accepts it.

What it does not do: run a job (their statuses are what the test says), groups, issues, forks, several users with rights
of their own, protected branches, discussions with threads, squashing, rebasing, uploads, GraphQL, writing files, TLS,
and being fast. A merge request is mergeable unless it is a draft or git finds a conflict.
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.npm import program
from tests.servers.answering import answering
from tests.servers.gitlab_project import Project

ADA = {"id": 3, "username": "ada", "name": "Ada Moor", "state": "active"}
REFRESH = "refresh-of-ada"
EXPIRED = "Token is expired. You can either do re-authorization or token refresh."
HIGHER = "The request requires higher privileges than provided by the access token."


class RefusalError(Exception):
    """The server refuses: status and body as GitLab has them."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


@dataclass(kw_only=True)
class Token:
    """A token: what it may, and whether it holds."""

    scopes: tuple[str, ...] = ("api",)
    expires: float | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: where, and with which values (of the query, a form or JSON)."""

    method: str
    path: str
    values: Mapping[str, Any]
    user: Mapping[str, Any] | None

    def need(self, *names: str) -> tuple[Any, ...]:
        """Values that have to be there."""
        missing = [name for name in names if not self.values.get(name)]
        if missing:
            raise RefusalError(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
        return tuple(self.values[name] for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer; a list is cut into pages."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class GitLab(ThreadingHTTPServer):
    """The server, what it knows, and what it was asked.

    Once a request that begins with `expires_after` was answered, every token is expired. The answer to the first
    request that begins with `losing` is lost. `remaining` counts requests down to a rate limit; None is no limit. The
    paths of both begin behind `/api/v4`.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.projects: dict[int, Project] = {}
        self.tokens: dict[str, Token] = {}
        self.asked: list[str] = []
        self.refreshed = 0
        self.expires_after = ""
        self.losing = ""
        self.remaining: int | None = None
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def project(self, path: str, *, public: bool = False) -> Project:
        """A new project with an empty repository."""
        repository = self.folder / f"{path}.git"
        git = program("git", package="git")
        subprocess.run([git, "init", "--quiet", "--bare", "--initial-branch=main", str(repository)], check=True)
        number = len(self.projects) + 1
        made = Project(id=number, path=path, repository=repository, web=f"{self.url}/{path}", public=public)
        self.projects[number] = made
        return made

    def token(self, *scopes: str, expires: float | None = None) -> str:
        """A new token."""
        made = f"glpat-{secrets.token_hex(10)}"
        self.tokens[made] = Token(scopes=scopes or ("api",), expires=expires)
        return made

    def expire(self) -> None:
        """Ends every token there is."""
        for token in self.tokens.values():
            token.expires = time.time() - 1

    def found(self, named: str) -> Project:
        """The project of that number or path."""
        for one in self.projects.values():
            if named in (str(one.id), one.path):
                return one
        raise RefusalError(404, {"message": "404 Project Not Found"})

    def admit(self, shown: str, method: str, path: str) -> Token | None:
        """The token that was shown; a RefusalError where it is good for nothing, or not for this."""
        if not shown:
            return None
        token = self.tokens.get(shown)
        if token is None:
            raise RefusalError(401, {"message": "401 Unauthorized"})
        if token.revoked:
            said = "Token was revoked. You have to re-authorize from the user."
            raise RefusalError(401, {"error": "invalid_token", "error_description": said})
        if token.expires is not None and token.expires <= time.time():
            raise RefusalError(401, {"error": "invalid_token", "error_description": EXPIRED})
        wanted = _scopes(method, path)
        if not {*wanted} & {*token.scopes}:
            scope = " ".join(wanted)
            raise RefusalError(403, {"error": "insufficient_scope", "error_description": HIGHER, "scope": scope})
        return token

    def refresh(self, values: Mapping[str, Any]) -> Said:
        """`POST /oauth/token`: a new token for somebody who has the refresh token."""
        if (values.get("grant_type"), values.get("refresh_token")) != ("refresh_token", REFRESH):
            raise RefusalError(400, {"error": "invalid_grant", "error_description": "The provided grant is invalid."})
        self.refreshed += 1
        body = {"access_token": self.token(), "token_type": "Bearer", "expires_in": 7200, "scope": "api"}
        return Said(body=body | {"refresh_token": REFRESH, "created_at": int(time.time())})

    def answered(self, asked: str) -> bool:
        """Notes that a request was done, and what follows; whether its answer is lost."""
        if self.expires_after and asked.startswith(self.expires_after):
            self.expires_after = ""
            self.expire()
        lost = bool(self.losing) and asked.startswith(self.losing)
        self.losing = "" if lost else self.losing
        return lost


def _scopes(method: str, path: str) -> tuple[str, ...]:
    if path.startswith("/user"):
        return ("api", "read_api", "read_user")
    if path.startswith("/personal_access_tokens/self"):
        return ("api", "read_api", "read_user", "read_repository")
    if method in ("GET", "HEAD"):
        return ("api", "read_api", "read_repository") if "/repository/" in path else ("api", "read_api")
    return ("api",)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GitLab

    def do_GET(self) -> None:
        """Answers, or refuses."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        values = {**dict(parse_qsl(parts.query)), **self._values(body)}
        path = parts.path.removeprefix("/api/v4")
        named = f"{self.command} {path}"
        self.server.asked.append(named)
        with self.server.lock:
            try:
                said = self._said(path, values)
            except RefusalError as refusal:
                said = Said(status=refusal.status, body=refusal.body, headers=refusal.headers)
            except (KeyError, ValueError, subprocess.CalledProcessError):
                said = Said(status=404, body={"message": "404 Not found"})
            lost = said.status < 400 and self.server.answered(named)
        if lost:
            self.close_connection = True
            return
        self._say(said, values)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - their names there

    def _said(self, path: str, values: Mapping[str, Any]) -> Said:
        from tests.servers.gitlab_routes import answer  # noqa: PLC0415 - it stands on this module

        if path == "/oauth/token":
            return self.server.refresh(values)
        if self.server.remaining is not None:
            self._count()
        shown = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        token = self.server.admit(shown, self.command, path)
        return answer(
            self.server, Asked(method=self.command, path=path, values=values, user=ADA if token else None), shown
        )

    def _count(self) -> None:
        left = self.server.remaining = max((self.server.remaining or 0) - 1, -1)
        if left < 0:
            limits = {
                "RateLimit-Limit": "10",
                "RateLimit-Remaining": "0",
                "RateLimit-Reset": str(int(time.time()) + 60),
            }
            raise RefusalError(429, "Retry later\n", **{"Retry-After": "60", **limits})

    def _values(self, body: bytes) -> dict[str, Any]:
        if not body:
            return {}
        if "json" in self.headers.get("Content-Type", ""):
            return dict(json.loads(body))
        return dict(parse_qsl(body.decode()))

    def _say(self, said: Said, values: Mapping[str, Any]) -> None:
        body, headers = said.body, dict(said.headers)
        if isinstance(body, list):
            body, paging = _page(body, values, f"{self.server.url}{urlsplit(self.path).path}")
            headers |= paging
        content = body if isinstance(body, bytes) else b"" if body is None else _spelled(body)
        self.send_response(said.status)
        headers.setdefault("Content-Type", "text/plain" if isinstance(body, str | bytes) else "application/json")
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _spelled(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _page(rows: list[Any], values: Mapping[str, Any], address: str) -> tuple[list[Any], dict[str, str]]:
    """A page, and the headers that lead to the others: by number, or (`pagination=keyset`) only onward."""
    size = max(1, min(int(values.get("per_page", 20)), 100))
    if values.get("pagination") == "keyset":
        start = int(base64.urlsafe_b64decode(values["cursor"])) if "cursor" in values else 0
        onward = {"cursor": base64.urlsafe_b64encode(str(start + size).encode()).decode()}
        headers: dict[str, str] = {"X-Per-Page": str(size)}
    else:
        page, last = max(int(values.get("page", 1)), 1), max(-(-len(rows) // size), 1)
        start, onward = (page - 1) * size, {"page": str(page + 1)}
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Next-Page": str(page + 1) if page < last else "",
            "X-Prev-Page": str(page - 1) if page > 1 else "",
            "X-Total": str(len(rows)),
            "X-Total-Pages": str(last),
        }
    if start + size < len(rows):
        headers["Link"] = f'<{address}?{urlencode({**values, **onward})}>; rel="next"'
    return rows[start : start + size], headers


@contextmanager
def gitlab(folder: Path) -> Iterator[GitLab]:
    """The server, for as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    with answering(GitLab(folder)) as made:
        yield made
