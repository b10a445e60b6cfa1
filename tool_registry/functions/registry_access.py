"""Asking an image registry: where an image's registry is, who asks, and what its refusals mean.

Any registry that speaks the OCI distribution specification, with its three ways to log in: none, basic, and a token
from the server that the registry names (`WWW-Authenticate: Bearer realm=...`). The login is the one that podman, docker
and skopeo keep; nothing here logs in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from tool_registry.functions.logins import kept_login
from tool_registry.functions.platform import is_genuine, platform_url
from tool_registry.sources.connections import is_loopback
from tool_registry.sources.http import Reply, request, spoken
from tool_registry.sources.http_failure import unsuccessful
from tool_registry.tool import Needs, ToolContext, ToolError

REGISTRY = Needs(settings=("url|platform",))
"""What the registry tools need of their domain."""

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)
UNKNOWN = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN"})
"""What the distribution specification answers where there is no such tag, or nothing at all under that name."""

REPOSITORY = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,254}$"
TAG_OR_DIGEST = r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"
NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-{1,20})[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-{1,20})[a-z0-9]+)*)*")
CHALLENGE = re.compile(r'\b(realm|service|scope|error)="([^"]{0,500})"')
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an image's repository is: the registry's address, and the repository's name there."""

    url: str
    name: str
    named: bool

    @property
    def host(self) -> str:
        """The registry as logins are kept for it."""
        return urlsplit(self.url).netloc


def place_of(repository: str, context: ToolContext) -> Place:
    """What `repository` means: a name in the domain's registry, or HOST/NAME as podman and docker write it.

    A host is asked by HTTPS, one on the loopback interface by HTTP; the domain's own `url` says it for its host.
    """
    host, _, rest = repository.partition("/")
    named = bool(rest) and (host == "localhost" or "." in host or ":" in host)
    name = rest if named else repository
    if not NAME.fullmatch(name):
        message = f"{repository!r} is no name of an image's repository; it is like team/app, without a tag"
        raise ToolError(message, kind="usage_error", sent=False)
    if not named:
        return Place(url=platform_url(context.settings), name=name, named=False)
    own = str(context.settings.get("url") or "").rstrip("/")
    scheme = "http" if is_loopback(urlsplit(f"//{host}").hostname or "") else "https"
    return Place(url=own if urlsplit(own).netloc == host else f"{scheme}://{host}", name=name, named=True)


async def ask_registry(
    place: Place,
    path: str,
    context: ToolContext,
    *,
    method: str = "GET",
    accept: str = "application/json",
    params: Mapping[str, Any] | None = None,
    not_found: Collection[int] = (),
) -> Reply:
    """The registry's answer, asked with the kept login and, where it wants one, a token for it.

    Raises:
        ToolError: as `request`, with the registry's own code and sentence; 401 where no login is kept or the kept one
            is not accepted.
    """
    if not place.named and not is_genuine(context.settings):
        message = f"{method} {spoken(place.url + path)}: Connection refused"
        raise ToolError(message, errno="ECONNREFUSED", sent=False, output="Connection refused")
    login = kept_login(place.host, context, str(context.settings.get("auth_file") or ""))
    question = _Question(
        method=method, url=place.url + path, params=params, accept=accept, not_found=not_found, context=context
    )
    try:
        reply = await question.asked(f"Basic {login}" if login else "")
        challenge = _challenge(reply)
        if challenge:
            token = await _token(place, challenge, login, context)
            reply = await question.asked(f"Bearer {token}")
    except ToolError as error:
        raise explained(error, place) from error
    if reply.status == UNAUTHORIZED:
        raise _refused(reply, place, question, login)
    return reply


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is asked, whoever asks it."""

    method: str
    url: str
    params: Mapping[str, Any] | None
    accept: str
    not_found: Collection[int]
    context: ToolContext

    async def asked(self, authorization: str) -> Reply:
        """The answer to it; 401 is one."""
        return await request(
            self.method,
            self.url,
            context=self.context,
            headers={"Accept": self.accept, **({"Authorization": authorization} if authorization else {})},
            params=self.params,
            ok=(*range(200, 300), UNAUTHORIZED),
            not_found=self.not_found,
        )


def _challenge(reply: Reply) -> dict[str, str]:
    """What the registry says about its token server; empty where it does not want a token."""
    said = reply.headers.get("www-authenticate", "")
    if reply.status != UNAUTHORIZED or not said.lower().startswith("bearer"):
        return {}
    return dict(CHALLENGE.findall(said))


async def _token(place: Place, challenge: Mapping[str, str], login: str | None, context: ToolContext) -> str:
    """A token for what was asked, in the name of the kept login, or of nobody."""
    realm = challenge.get("realm", "")
    if urlsplit(realm).scheme not in {"https", urlsplit(place.url).scheme}:
        message = f"the registry {place.host} names {spoken(realm)!r} as its token server, which is not asked"
        raise ToolError(message, kind="api_contract_mismatch", sent=True)
    reply = await request(
        "GET",
        realm,
        context=context,
        headers={"Authorization": f"Basic {login}"} if login else {},
        params={"service": challenge.get("service"), "scope": challenge.get("scope")},
    )
    given = reply.json()
    token = given.get("token") or given.get("access_token") if isinstance(given, dict) else None
    if not isinstance(token, str) or not token:
        message = f"the token server of {place.host} answered without a token"
        raise ToolError(message, kind="api_contract_mismatch", http_status=reply.status, sent=True)
    context.secret(token)
    return token


def _refused(reply: Reply, place: Place, question: _Question, login: str | None) -> ToolError:
    """A 401: nobody is logged in, the login does not count, or it counts and is not enough."""
    error = unsuccessful(f"{question.method} {spoken(question.url)}", reply.status, reply.headers, reply.text)
    short = login is not None and _challenge(reply).get("error") == "insufficient_scope"
    if short:
        error.message = f"the login that is kept for {place.host} may not read {place.name}"
        error.kind = "permission_denied"
    else:
        said = f"the login that is kept for {place.host} is not accepted" if login else f"no login for {place.host}"
        error.message = f"{said}; podman login {place.host}"
    error.details |= {"registry": place.host, **_first(error.output)}
    error.args = (error.message,)
    return error


def explained(error: ToolError, place: Place) -> ToolError:
    """A refusal with the registry's own code and sentence beside its status."""
    first = _first(error.output)
    if error.http_status is None or not first:
        return error
    said = f"{first['code']}: {first['message']}" if first.get("message") else first["code"]
    return ToolError(
        f"the registry {place.host} answered {error.http_status} {said}",
        kind=error.kind,
        http_status=error.http_status,
        output=error.output,
        sent=error.sent,
        retry_after=error.retry_after,
        details={**error.details, "registry": place.host, **first},
    )


def _first(text: str) -> dict[str, str]:
    """The first error of the specification's list of errors, as `code` and `message`; empty where there is none."""
    try:
        error = json.loads(text)["errors"][0]
        return {"code": str(error["code"]), "message": str(error.get("message") or "")[:500]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def why_unknown(reply: Reply) -> str:
    """The registry's words for what it does not have; any other 404 says that this is no registry at all."""
    said = _first(reply.text)
    if said.get("code") in UNKNOWN:
        return said["message"] or said["code"]
    raise broken("what it does not have is MANIFEST_UNKNOWN or NAME_UNKNOWN", reply)


def unknown_image(reply: Reply, place: Place, reference: str) -> ToolError:
    """The failure that an image is not there, for tools to which that is no answer."""
    reason = why_unknown(reply)
    return ToolError(
        f"{place.host} has no image {place.name}:{reference}: {reason}",
        kind="image_not_found",
        http_status=reply.status,
        output=reply.text,
        sent=True,
        details={"registry": place.host, **_first(reply.text)},
    )


def broken(why: str, reply: Reply) -> ToolError:
    """An answer that is not what the specification says."""
    return ToolError(
        f"the registry's answer is not what the distribution specification says: {why}",
        kind="api_contract_mismatch",
        http_status=reply.status,
        output=reply.text[:8_000],
        sent=True,
    )


def next_page(reply: Reply) -> str:
    """Path and query of the next page (RFC 8288), empty on the last; it is asked from the same registry, or not."""
    link = re.match(r'\s*<([^>]{1,2000})>\s*;\s*rel="?next"?', reply.headers.get("link", ""))
    if not link:
        return ""
    here, there = urlsplit(reply.url), urlsplit(urljoin(reply.url, link[1]))
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise broken("its next page is on another server", reply)
    return f"{there.path}?{there.query}" if there.query else there.path
