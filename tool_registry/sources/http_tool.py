"""Tools that are one HTTP request, declared in YAML.

    http:
      url: "{settings.url}/api/silences/{id}"
      headers: {Authorization: "Bearer {settings.token}"}
      not_found: [404]

`docs/tools-authoring.md` describes every key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tool_registry.sources.credentials import Credential, credential
from tool_registry.sources.endings import Marker, Said, read_markers
from tool_registry.sources.http import BODY_LIMIT, Reply, request, spoken
from tool_registry.sources.outputs import Output, read_output
from tool_registry.sources.placeholders import WORLD, Name, Phrase, Reader, Values, filled, spelled
from tool_registry.tool import Call, ToolContext, ToolError, ToolOutput

KEYS = frozenset(
    {
        "method", "url", "query", "headers", "json", "form", "output", "select", "ok", "not_found", "failed_when",
        "follow_redirects", "output_limit",
    }
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request with places for values, and how its answer is read."""

    method: str
    url: Phrase
    output: Output
    query: Any = None
    headers: Mapping[str, Phrase | Credential] = field(default_factory=dict)
    json: Any = None
    form: Any = None
    ok: Collection[int] = range(200, 300)
    not_found: Collection[int] = ()
    failed_when: tuple[Marker, ...] = ()
    follow_redirects: bool = False
    output_limit: int = BODY_LIMIT

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        """Sends the request and reads the answer."""
        values = Values(arguments=arguments, context=context)
        reply = await request(
            self.method,
            _address(self.url, values),
            context=context,
            headers=self._headers(values),
            params=filled(self.query, values),
            json=filled(self.json, values),
            data=filled(self.form, values),
            ok=self.ok,
            not_found=self.not_found,
            follow_redirects=self.follow_redirects,
            body_limit=self.output_limit,
        )
        return self.read(reply)

    def _headers(self, values: Values) -> dict[str, str]:
        """The headers; every setting that goes into one is kept secret, for most of them are credentials."""
        for source in self.headers.values():
            if isinstance(source, Phrase):
                for name in source.names:
                    if name.root == "settings":
                        values.context.secret(values.find(name))
        named = {name: source.text(values) for name, source in self.headers.items()}
        return {name: value for name, value in named.items() if value is not None}

    def read(self, reply: Reply) -> ToolOutput:
        """What an answer means: by its status, then by the signs the definition declares, never by other words."""
        if not reply.found:
            return ToolOutput(text=reply.text, found=False)
        for marker in self.failed_when:
            if marker.holds(Said(stdout=reply.text)):
                raise ToolError(
                    marker.message or f"{spoken(reply.url)} answered {reply.status}, and that it failed",
                    kind=marker.kind,
                    http_status=reply.status,
                    output=reply.text[:8_000],
                    sent=True,
                )
        return ToolOutput(value=self.output.value(reply.text, spoken(reply.url)), text=reply.text)


def http_call(spec: Mapping[str, Any], reader: Reader, optional: frozenset[str]) -> Call:
    """What a tool with this `http` does when it is called; DefinitionError names what is wrong in it."""
    url = reader.phrase(spec.get("url", ""))
    _refuse_gaps(url, optional, reader)
    asked = HttpRequest(
        method=_method(spec.get("method", "GET"), reader),
        url=url,
        output=read_output(spec.get("output", "json"), spec.get("select"), reader.place),
        query=reader.tree(spec.get("query")),
        headers={
            name: credential(value, reader) if isinstance(value, Mapping) else reader.phrase(value)
            for name, value in (spec.get("headers") or {}).items()
        },
        json=reader.tree(spec.get("json")),
        form=reader.tree(spec.get("form")),
        ok=_statuses(spec["ok"], reader) if "ok" in spec else range(200, 300),
        not_found=_statuses(spec.get("not_found", []), reader),
        failed_when=read_markers(spec.get("failed_when"), reader.place),
        follow_redirects=bool(spec.get("follow_redirects", False)),
        output_limit=int(spec.get("output_limit", BODY_LIMIT)),
    )
    _refuse_given_away(asked, reader)
    return asked.call


def _address(url: Phrase, values: Values) -> str:
    """The URL; a value at its beginning is an address as it is, a setting too, every other one is percent-encoded."""
    words = []
    for position, part in enumerate(url.parts):
        if isinstance(part, str):
            words.append(part)
        elif part.root in WORLD or position == 0:
            words.append(_base(part, values))
        else:
            words.append(_encoded(part, values))
    return "".join(words)


def _base(name: Name, values: Values) -> str:
    found = values.setting(".".join(name.path[1:])) if name.root == "settings" else values.find(name)
    return spelled(found).rstrip("/")


def _encoded(name: Name, values: Values) -> str:
    """A value as one part of a path or query; `..` and an empty one would ask for something else."""
    word = spelled(values.find(name))
    if word in ("", ".", ".."):
        raise ToolError(f"`{name}` cannot be {word!r} as a part of an address", kind="usage_error", sent=False)
    return quote(word, safe="")


def _refuse_gaps(url: Phrase, optional: frozenset[str], reader: Reader) -> None:
    if not url.parts:
        raise reader.error("http needs a url")
    for name in url.names:
        if name.root in optional:
            raise reader.error(f"{{{name}}} may be left out, but the url needs it: require it, or give it a default")


def _refuse_given_away(asked: HttpRequest, reader: Reader) -> None:
    """Credentials go where the definition or the domain says, never to an address that a caller chooses."""
    if asked.url.starts_fixed():
        return
    for source in asked.headers.values():
        if isinstance(source, Credential) or any(name.root == "settings" for name in source.names):
            raise reader.error("a call that chooses the address must not be given the domain's settings as headers")


def _method(name: Any, reader: Reader) -> str:
    method = str(name).upper()
    if method not in METHODS:
        raise reader.error(f"method is one of {', '.join(METHODS)}, not {name!r}")
    return method


def _statuses(spec: Any, reader: Reader) -> tuple[int, ...]:
    listed = spec if isinstance(spec, list) else [spec]
    if not all(isinstance(status, int) for status in listed):
        raise reader.error(f"HTTP statuses are numbers, not {spec!r}")
    return tuple(listed)
