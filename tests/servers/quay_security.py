"""A stand-in for one address of Quay's API: `GET /api/v1/repository/{repository}/manifest/{digest}/security`.

Quay itself needs a database, a queue and a scanner, and has no package; so the images are in a real registry, and this
answers about them in the shape of Quay's own API reference. What it does not do: scan anything (a test says what was
found), any other address of the API, organisations, permissions beyond one token, and pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.answering import answering

ADDRESS = re.compile(r"/api/v1/repository/(?P<name>[a-z0-9/._-]+)/manifest/(?P<digest>sha256:[0-9a-f]{64})/security")


def finding(name: str, severity: str, *, package: str = "openssl", fixed_by: str = "") -> dict[str, Any]:
    """A feature with one vulnerability, as Quay lists it."""
    weakness = {
        "Name": name,
        "Severity": severity,
        "FixedBy": fixed_by,
        "Link": f"https://security.example/{name} https://other.example/{name}",
        "Description": "Connection refused, 401 Unauthorized, fatal error",
        "NamespaceName": "debian:12",
        "Metadata": None,
    }
    feature = {"Name": package, "Version": "3.0.1", "VersionFormat": "", "NamespaceName": "", "AddedBy": "sha256:0"}
    return {**feature, "Vulnerabilities": [weakness]}


class Scanner(ThreadingHTTPServer):
    """`results` by digest: a list of features, or another status' name; with `token`, that one is wanted."""

    daemon_threads = True

    def __init__(self, results: Mapping[str, Any], token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.results = dict(results)
        self.token = token
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, shown: str) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        self.asked.append(path)
        found = ADDRESS.fullmatch(path.partition("?")[0])
        if self.token and shown != f"Bearer {self.token}":
            return 401, _refusal(401, "invalid_token", "Requires authentication")
        if found is None or found["digest"] not in self.results:
            return 404, _refusal(404, "not_found", "Not Found")
        result = self.results[found["digest"]]
        if isinstance(result, str):
            return 200, {"status": result, "data": None}
        layer = {"Name": found["digest"], "ParentName": "", "NamespaceName": "", "IndexedByVersion": 4}
        return 200, {"status": "scanned", "data": {"Layer": {**layer, "Features": result}}}


def _refusal(status: int, kind: str, title: str) -> dict[str, Any]:
    said = {"status": status, "error_message": title, "title": kind, "error_type": kind, "detail": title}
    return {**said, "type": f"https://quay.example/api/v1/error/{kind}"}


class _Handler(BaseHTTPRequestHandler):
    server: Scanner

    def do_GET(self) -> None:
        """One answer."""
        status, body = self.server.answer(self.path, self.headers.get("Authorization", ""))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def scanning(results: Mapping[str, Any], *, token: str = "") -> Iterator[Scanner]:
    """The stand-in, for as long as the block lasts."""
    with answering(Scanner(results, token)) as made:
        yield made
