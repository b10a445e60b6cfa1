"""Several proxied servers as one: their lists joined, names of tools and prompts with the server's before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND, SERVER_INFO_META_KEY

from engine.frontends.mcp_server.proxy_calls import HealedCalls
from engine.frontends.mcp_server.proxy_one import PAGES, Tools, pages
from engine.frontends.mcp_server.proxy_upstream import Params, Result, Upstream, UpstreamError

LISTS = {
    "tools/list": ("tools", "name"),
    "prompts/list": ("prompts", "name"),
    "resources/list": ("resources", "uri"),
    "resources/templates/list": ("resourceTemplates", "uriTemplate"),
}
"""What is joined: the member that holds it, and the one that names each."""
PREFIXED = frozenset({"tools/list", "prompts/list"})
FOR_ALL = frozenset({"logging/setLevel", "subscriptions/listen"})
ABOUT_RESOURCES = frozenset({"resources/read", "resources/subscribe", "resources/unsubscribe"})
IDENTITY = {"name": "skill-engine-proxy", "title": "skill-engine healing proxy", "version": "1"}
Answers = list[tuple[Upstream, Result]]


class Several:
    """Answers for several servers; one that does not come up is left out, and said to be."""

    def __init__(self, upstreams: Sequence[Upstream], calls: HealedCalls) -> None:
        self._upstreams = {upstream.name: upstream for upstream in upstreams}
        self._tools = {upstream.name: Tools(upstream, calls) for upstream in upstreams}
        self._say = calls.say
        self._owners: dict[str, Upstream] = {}
        self._own = {
            "initialize": self._hello,
            "server/discover": self._discovered,
            "tools/call": self._call,
            "prompts/get": self._prompt,
            "completion/complete": self._complete,
        }

    async def answer(self, method: str, params: Params | None, *, number: str | None) -> Result:
        """The servers' answer. Raises MCPError, UpstreamError."""
        if method in FOR_ALL:
            answers = await self._all(lambda each: each.request(method, params, number=number))
            return answers[0][1]
        if method in LISTS:
            return await self._list(method, params or {})
        if method in ABOUT_RESOURCES:
            return await self._resource(method, params or {})
        if method not in self._own:
            raise MCPError(code=METHOD_NOT_FOUND, message="Method not found", data=method)
        return await self._own[method](dict(params or {}))

    async def tell(self, method: str, params: Params | None) -> None:
        """Hands a notification to every server."""
        for upstream in self._upstreams.values():
            await upstream.notify(method, params)

    def changed(self, upstream: Upstream) -> None:
        """The list of a server's tools has changed."""
        self._tools[upstream.name].forget()

    async def _hello(self, params: Params) -> Result:
        for tools in self._tools.values():
            tools.forget()
        answers = await self._all(lambda each: each.hello(params), tells=True)
        told = [result for _, result in answers]
        return {
            "protocolVersion": min(str(each.get("protocolVersion")) for each in told),
            "capabilities": _joined(each.get("capabilities") for each in told),
            "serverInfo": IDENTITY,
            **_instructions(answers),
        }

    async def _discovered(self, params: Params) -> Result:
        """What all of them speak; one that does not know the question makes the client use the handshake."""
        answers: Answers = []
        for upstream in self._upstreams.values():
            answers.append((upstream, await upstream.request("server/discover", params)))
        told = [result for _, result in answers]
        versions = [set(each.get("supportedVersions") or ()) for each in told]
        return {
            **told[0],
            "supportedVersions": sorted(set.intersection(*versions)),
            "capabilities": _joined(each.get("capabilities") for each in told),
            **_instructions(answers),
            "_meta": {SERVER_INFO_META_KEY: IDENTITY},
        }

    async def _call(self, params: dict[str, Any]) -> Result:
        upstream, name = self._named(params.get("name"))
        return await self._tools[upstream.name].call({**params, "name": name})

    async def _prompt(self, params: dict[str, Any]) -> Result:
        upstream, name = self._named(params.get("name"))
        return await upstream.request("prompts/get", {**params, "name": name})

    async def _list(self, method: str, params: Params) -> Result:
        member, key = LISTS[method]
        answers = await self._all(lambda each: _whole(each, method, params, member))
        found: list[dict[str, Any]] = []
        for upstream, result in answers:
            if method == "tools/list":
                self._tools[upstream.name].listed(result[member])
            for each in result[member]:
                self._owners.setdefault(str(each.get(key)), upstream)
                named = {**each, "name": f"{upstream.name}.{each.get('name')}"} if method in PREFIXED else each
                found.append(named)
        return {**_shared(answers), member: found}

    async def _resource(self, method: str, params: Params) -> Result:
        """Of the server that listed it, else of the first that knows it."""
        owner = self._owners.get(str(params.get("uri")))
        candidates = [owner] if owner else list(self._upstreams.values())
        refused: UpstreamError | None = None
        for upstream in candidates:
            try:
                return await upstream.request(method, params)
            except UpstreamError as error:
                refused = error
        raise refused or MCPError(code=INVALID_PARAMS, message="no server has such a resource")

    async def _complete(self, params: dict[str, Any]) -> Result:
        ref = params.get("ref") or {}
        if ref.get("type") == "ref/prompt":
            upstream, name = self._named(ref.get("name"))
            return await upstream.request("completion/complete", {**params, "ref": {**ref, "name": name}})
        owner = self._owners.get(str(ref.get("uri"))) or next(iter(self._upstreams.values()))
        return await owner.request("completion/complete", params)

    def _named(self, name: Any) -> tuple[Upstream, str]:
        """The server and its own name of a tool or prompt. Raises MCPError."""
        for server, upstream in sorted(self._upstreams.items(), key=lambda each: -len(each[0])):
            if isinstance(name, str) and name.startswith(f"{server}."):
                return upstream, name.removeprefix(f"{server}.")
        known = ", ".join(self._upstreams)
        raise MCPError(code=INVALID_PARAMS, message=f"Unknown: {name}; names begin with a server's: {known}")

    async def _all(self, ask: Callable[[Upstream], Any], *, tells: bool = False) -> Answers:
        """What the servers answer, side by side, in their order; those that refuse are left out, unless all do."""
        answers: dict[str, Result] = {}
        refused: dict[str, UpstreamError] = {}

        async def one(upstream: Upstream) -> None:
            try:
                answers[upstream.name] = await ask(upstream)
            except UpstreamError as error:
                refused[upstream.name] = error
                if tells or error.wire.code != METHOD_NOT_FOUND:
                    self._say(f"{upstream.name} is left out: {error.failure.message}")

        async with anyio.create_task_group() as tasks:
            for upstream in self._upstreams.values():
                tasks.start_soon(one, upstream)
        if not answers:
            raise next(iter(refused.values()))
        return [(upstream, answers[name]) for name, upstream in self._upstreams.items() if name in answers]


async def _whole(upstream: Upstream, method: str, params: Params, member: str) -> Result:
    """All pages of a server's list, as one. Raises UpstreamError."""
    found: list[Any] = []
    asked: Params = pages(params)
    result: Result = {}
    for _ in range(PAGES):
        result = await upstream.request(method, asked)
        found += [each for each in result.get(member) or () if isinstance(each, Mapping)]
        if not isinstance(result.get("nextCursor"), str):
            break
        asked = {**asked, "cursor": result["nextCursor"]}
    return {**result, member: found}


def _shared(answers: Answers) -> dict[str, Any]:
    """What is true of all of the lists that are joined: how long they hold, and for whom."""
    told = [result for _, result in answers]
    shared: dict[str, Any] = {}
    if any("resultType" in each for each in told):
        shared["resultType"] = "complete"
        shared["_meta"] = {SERVER_INFO_META_KEY: IDENTITY}
    if all("ttlMs" in each for each in told):
        private = any(each.get("cacheScope") != "public" for each in told)
        shared |= {"ttlMs": min(each["ttlMs"] for each in told), "cacheScope": "private" if private else "public"}
    return shared


def _joined(parts: Any) -> dict[str, Any]:
    """What any of them can do."""
    joined: dict[str, Any] = {}
    for part in parts:
        for name, value in (part or {}).items():
            known = joined.get(name)
            if isinstance(known, dict) and isinstance(value, dict):
                joined[name] = _joined([known, value])
            else:
                joined[name] = known or value
    return joined


def _instructions(answers: Answers) -> dict[str, str]:
    said = [f"{upstream.name}: {result['instructions']}" for upstream, result in answers if result.get("instructions")]
    return {"instructions": "\n\n".join(said)} if said else {}
