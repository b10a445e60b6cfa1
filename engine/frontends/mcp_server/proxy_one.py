"""One proxied server: every request is handed on as it is; calls of tools go the way of healed calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

from engine.frontends.mcp_server.proxy_calls import HealedCalls
from engine.frontends.mcp_server.proxy_upstream import Params, Result, Upstream, UpstreamError

ENVELOPE = (PROTOCOL_VERSION_META_KEY, CLIENT_INFO_META_KEY, CLIENT_CAPABILITIES_META_KEY)
"""What every request of the modern era says of its client."""
PAGES = 200
"""Pages of a listing that are read."""


class Tools:
    """The tools of one server, as it lists them; read before the first call of one that nobody has listed."""

    def __init__(self, upstream: Upstream, calls: HealedCalls) -> None:
        self._upstream = upstream
        self._calls = calls
        self._names: dict[str, str] = {}
        self._whole = False

    def forget(self) -> None:
        """The list has changed: what is called next is looked up again."""
        self._names, self._whole = {}, False

    def listed(self, tools: Any) -> None:
        """Takes a page of the list that somebody asked for."""
        if not isinstance(tools, Sequence):
            return
        listings = [each for each in tools if isinstance(each, Mapping) and isinstance(each.get("name"), str)]
        self._upstream.listed(listings)
        self._names |= {each["name"]: self._calls.learn(self._upstream, each) for each in listings}

    async def call(self, params: Params) -> Result:
        """The answer to a call, healed; one of a tool that is not listed is the server's to refuse.

        Raises MCPError.
        """
        tool = params.get("name")
        if tool not in self._names and not self._whole:
            await self._read(params)
        known = self._names.get(str(tool))
        if known is not None:
            return await self._calls.make(self._upstream, known, params)
        try:
            return await self._upstream.request("tools/call", params)
        except UpstreamError as error:
            raise error.wire from error

    async def _read(self, params: Params) -> None:
        """Reads the whole list; a server that does not give it says at the call what is wrong."""
        asked = pages(params)
        for _ in range(PAGES):
            try:
                page = await self._upstream.request("tools/list", asked)
            except UpstreamError:
                return
            self.listed(page.get("tools"))
            if not isinstance(page.get("nextCursor"), str):
                break
            asked = {**asked, "cursor": page["nextCursor"]}
        self._whole = True


def pages(params: Params | None) -> dict[str, Any]:
    """The parameters of a listing asked for by ourselves, on behalf of the client that sent these."""
    meta = (params or {}).get("_meta")
    envelope = {key: meta[key] for key in ENVELOPE if key in meta} if isinstance(meta, Mapping) else {}
    return {"_meta": envelope} if envelope else {}


class One:
    """Answers for one server."""

    def __init__(self, upstream: Upstream, calls: HealedCalls) -> None:
        self._upstream = upstream
        self._tools = Tools(upstream, calls)

    async def answer(self, method: str, params: Params | None, *, number: str | None) -> Result:
        """The server's answer. Raises MCPError, UpstreamError."""
        if method == "initialize":
            self._tools.forget()
            return await self._upstream.hello(params or {})
        if method == "tools/call" and params is not None:
            return await self._tools.call(params)
        result = await self._upstream.request(method, params, number=number)
        if method == "tools/list":
            self._tools.listed(result.get("tools"))
        return result

    async def tell(self, method: str, params: Params | None) -> None:
        """Hands a notification to the server."""
        await self._upstream.notify(method, params)

    def changed(self, upstream: Upstream) -> None:  # noqa: ARG002 - there is one
        """The list of its tools has changed."""
        self._tools.forget()
