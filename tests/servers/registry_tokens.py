"""The token server that a registry names: the distribution project's token authentication, signed for real (RS256).

It gives a token to anybody who shows the one login, and to nobody else, or to everybody where `anonymous` says so. What
it does not do: POST, refresh tokens, several users, scopes beyond what was asked for.
"""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.npm import program
from tests.servers.answering import answering
from tests.servers.registry import PASSWORD, USER, Registry, certificate, registry

SERVICE = "shop-registry"
ISSUER = "shop-tokens"


class TokenServer(ThreadingHTTPServer):
    """Counts who asks; `grants` False: a token is given, and it allows nothing."""

    daemon_threads = True

    def __init__(self, signed_by: tuple[Path, Path], *, anonymous: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.certificate, self.key = signed_by
        self.anonymous = anonymous
        self.grants = True
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """The realm."""
        return f"http://127.0.0.1:{self.server_port}/token"

    def token(self, scope: str) -> str:
        """A token that is good for five minutes."""
        chain = base64.b64encode(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).decode()
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        access = [{"type": kind, "name": name, "actions": actions.split(",")}] if scope and self.grants else []
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": USER, "aud": SERVICE, "nbf": now - 60, "iat": now, "exp": now + 300}
        head = _packed({"typ": "JWT", "alg": "RS256", "x5c": [chain]})
        signed = f"{head}.{_packed({**claims, 'jti': str(now), 'access': access})}"
        argv = [program("openssl", package="openssl"), "dgst", "-sha256", "-sign", str(self.key)]
        signature = subprocess.run(argv, input=signed.encode(), capture_output=True, check=True, timeout=30).stdout
        return f"{signed}.{_url_safe(signature)}"


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_GET(self) -> None:
        """A token, or 401."""
        shown = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        good = shown == right or (self.server.anonymous and not shown)
        scope = parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
        self.server.asked.append(f"{scope} {'with' if shown else 'without'} login")
        body: dict[str, Any] = {"token": self.server.token(scope)} if good else {"details": "incorrect password"}
        content = json.dumps(body).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def token_registry(folder: Path, *, anonymous: bool = False) -> Iterator[tuple[Registry, TokenServer]]:
    """Debian's registry that wants a token, and the server that gives it."""
    signed_by = certificate(folder / "signing")
    with answering(TokenServer(signed_by, anonymous=anonymous)) as tokens:
        said = {"realm": tokens.url, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(signed_by[0])}
        with registry(folder / "registry", token=said) as made:
            yield made, tokens


def _packed(value: Any) -> str:
    return _url_safe(json.dumps(value).encode())


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
