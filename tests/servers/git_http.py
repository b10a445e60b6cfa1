"""Git's own server program, `git http-backend`, behind a small web server on the loopback interface.

The repositories are real bare ones below `folder`. With `login`, every request wants basic authentication; `refuse`
makes the server answer another status instead, and `page` a page for people. What it does not do: TLS, several
users, and being fast.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from tests.npm import program
from tests.servers.answering import answering

USER = "ann"
PASSWORD = "s3cret-of-ann"


class GitServer(ThreadingHTTPServer):
    """Serves the bare repositories of `folder`; `asked` says who asked for what."""

    daemon_threads = True

    def __init__(self, folder: Path, *, login: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.login = login
        self.password = PASSWORD
        self.refuse = 0
        self.page = b""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def bare(self, name: str) -> Path:
        """A new repository, pushed to by whoever may."""
        path = self.folder / name
        argv = [program("git", package="git"), "init", "--quiet", "--bare", "--initial-branch=main", str(path)]
        subprocess.run(argv, check=True)
        subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True)
        return path

    def allows(self, shown: str) -> bool:
        """Whether this login is good here."""
        right = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        return not self.login or shown == f"Basic {right}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GitServer

    def do_GET(self) -> None:
        """Refuses, or lets git answer (RFC 3875)."""
        shown = self.headers.get("Authorization", "")
        self.server.asked.append(f"{self.command} {self.path} {'with' if shown else 'without'} login")
        body = _body(self.headers, self.rfile)
        if self.server.refuse:
            self._say(self.server.refuse, [], b"")
        elif self.server.page:
            self._say(200, [("Content-Type", "text/html; charset=utf-8")], self.server.page)
        elif not self.server.allows(shown):
            self._say(401, [("WWW-Authenticate", 'Basic realm="a forge"')], b"")
        else:
            self._answer(body)

    do_POST = do_GET  # noqa: N815 - its name there

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False, timeout=60
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self._say(status, [(name, value) for name, value in headers if name != "Status"], content)

    def _say(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _body(headers: Any, stream: BufferedIOBase) -> bytes:
    """The body, also one in chunks: git sends a large push so."""
    if headers.get("Transfer-Encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("Content-Length") or 0))
    parts = []
    while size := int(stream.readline().split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)


@contextmanager
def git_server(folder: Path, *, login: bool = False) -> Iterator[GitServer]:
    """The server, for as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    with answering(GitServer(folder, login=login)) as made:
        yield made
