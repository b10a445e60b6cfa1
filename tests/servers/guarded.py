"""A proxy of ours that lets nobody through to a server without a bearer token, and whose tokens can be made to end.

It stands for what guards a company's Prometheus. It knows no users: whoever knows the password gets a token by
`POST /token`. It passes on GET, POST and DELETE with their bodies, and no other headers than the content's type.
"""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.answering import answering

PASSWORD = "pass-to-the-shop"


class Guard(ThreadingHTTPServer):
    """Counts what it let through and what not.

    Once it has passed on a request that begins with `expires_after`, every token ends. `closing` names two: once the
    first has been passed on, the second is forbidden. The answer to the first request
    that begins with `losing` is lost: it is passed on, and then the connection is cut.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Gate)
        self.behind = behind
        self.tokens: set[str] = set()
        self.logins = 0
        self.refused = 0
        self.passed: list[str] = []
        self.expires_after = ""
        self.closing = ("", "")
        self.losing = ""

    @property
    def url(self) -> str:
        """Where it stands."""
        return f"http://127.0.0.1:{self.server_port}"

    def forbids(self, asked: str) -> bool:
        """Whether the request is one that is not let through any more."""
        first, then = self.closing
        return bool(then) and asked.startswith(then) and any(each.startswith(first) for each in self.passed)

    def loses(self, asked: str) -> bool:
        """Whether the answer to that request is lost, once."""
        lost = bool(self.losing) and asked.startswith(self.losing)
        self.losing = "" if lost else self.losing
        return lost

    def let_through(self, asked: str) -> None:
        """Notes it, and ends the tokens when it is time."""
        self.passed.append(asked)
        if self.expires_after and asked.startswith(self.expires_after):
            self.expires_after = ""
            self.expire()

    def expire(self) -> None:
        """Ends every token that was given."""
        self.tokens.clear()


class _Gate(BaseHTTPRequestHandler):
    server: Guard

    def do_GET(self) -> None:
        """Passes it on."""
        self._guard()

    def do_DELETE(self) -> None:
        """Passes it on."""
        self._guard()

    def do_POST(self) -> None:
        """Gives a token, or passes it on."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path != "/token":
            self._guard(body)
        elif body.decode() != PASSWORD:
            self._say(403, json.dumps({"error": "wrong password"}).encode())
        else:
            token = secrets.token_hex(16)
            self.server.tokens.add(token)
            self.server.logins += 1
            self._say(200, token.encode())

    def _guard(self, body: bytes | None = None) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.server.tokens:
            self.server.refused += 1
            self._say(401, json.dumps({"error": "invalid_token", "error_description": "token expired"}).encode())
            return
        asked_for = f"{self.command} {self.path}"
        if self.server.forbids(asked_for):
            self._say(403, json.dumps({"error": "not for you"}).encode())
            return
        self.server.let_through(asked_for)
        kept = {"Content-Type": self.headers.get("Content-Type", "")} if body else {}
        asked = urllib.request.Request(  # noqa: S310 - an address of ours
            f"{self.server.behind}{self.path}", data=body, headers=kept, method=self.command
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as reply:  # noqa: S310 - as above
                self._say(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                self._say(error.code, error.read())

    def _say(self, status: int, body: bytes) -> None:
        if status == 200 and self.server.loses(f"{self.command} {self.path}"):
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""


@contextmanager
def guarded(behind: str) -> Iterator[Guard]:
    """The guard of the server at `behind`, for as long as the block lasts."""
    with answering(Guard(behind)) as made:
        yield made
