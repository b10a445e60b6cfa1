"""What stands before everything a web server answers: the Host, the Origin, and the token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from urllib.parse import urlsplit

from mcp_types import INVALID_REQUEST
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.model.lazy_dataclass import dataclass

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Lets a request pass to `app` that names one of `hosts`, comes from none but their pages, and shows the token.

    A page of another site, whose name was made to lead here, so gets nothing. `refused` is told what was refused.
    """

    app: ASGIApp
    hosts: frozenset[str]
    token: str
    refused: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        found = self.complaint(headers)
        if found is None:
            await self.app(scope, receive, send)
            return
        status, sentence = found
        client = scope.get("client") or ("somebody", 0)
        self.refused(f"{client[0]}: {status}: {sentence}")
        await _answer(status, sentence)(scope, receive, send)

    def complaint(self, headers: Headers) -> tuple[int, str] | None:
        """The status and the sentence that refuse a request with these headers; None for one that may pass."""
        if len(headers.getlist("host")) != 1 or _name(f"//{headers['host']}") not in self.hosts:
            return 421, "this server does not go by that Host; serve with --allowed-host NAME if it should"
        origins = headers.getlist("origin")
        if any(_name(origin) not in self.hosts for origin in origins):
            return 403, "pages of that Origin get nothing here"
        shown = headers.getlist("authorization")
        scheme, _, token = (shown[0] if len(shown) == 1 else "").partition(" ")
        right = hmac.compare_digest(token.strip().encode(), self.token.encode())
        if scheme.lower() != "bearer" or not right:
            return 401, "show the token: `Authorization: Bearer TOKEN`; the server's log says where it is"
        return None


def _name(address: str) -> str:
    """The host in an address; nothing where there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _answer(status: int, sentence: str) -> Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": sentence}}
    headers = {"WWW-Authenticate": "Bearer", "Connection": "close"} if status == 401 else {"Connection": "close"}  # noqa: PLR2004 - the status that asks for it
    return Response(json.dumps(body), status_code=status, headers=headers, media_type="application/json")
