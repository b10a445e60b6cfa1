"""What Quay's scanner found in an image: `GET /api/v1/repository/{repository}/manifest/{digest}/security`.

This is Quay's own API, beside what every registry has; it is asked where the registry is, or where the domain's
`api_url` says. It takes an OAuth token (`api_credential`, else the environment variable QUAY_TOKEN); what is public
needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import quote, urlsplit

from tool_registry.functions.credential import credential
from tool_registry.functions.registry_access import REGISTRY, REPOSITORY, TAG_OR_DIGEST, Place, place_of
from tool_registry.functions.registry_manifests import digest_of
from tool_registry.sources.connections import is_loopback
from tool_registry.sources.http import Reply, request
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

Severity = Literal["unknown", "negligible", "low", "medium", "high", "critical"]
SEVERITIES = ("unknown", "negligible", "low", "medium", "high", "critical")
"""What Quay's scanner (Clair) says, mildest first; older ones have Defcon1 above Critical."""
STATUSES = {"scanned", "queued", "failed", "unsupported"}
MOST_LISTED = 500


class Vulnerability(TypedDict):
    """A weakness of a package in an image; `fixed_by` is empty while no version mends it."""

    name: str
    severity: str
    package: str
    version: str
    fixed_by: str
    link: str


class Scan(TypedDict):
    """What a scan found; `counts` are of all severities, `found` lists those from the threshold on, worst first.

    `status` is `scanned`, `queued` (not yet), `failed` or `unsupported` (the scanner cannot read such an image).
    """

    repository: str
    reference: str
    digest: str
    status: str
    counts: dict[str, int]
    found: list[Vulnerability]
    count: int
    fixable: int
    truncated: bool


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="registry",
    timeout=60,
    examples=({"repository": "quay.io/team/app", "reference": "v1", "severity": "high"},),
    exact=True,
    needs=REGISTRY,
)
async def quay_get_vulnerabilities(
    repository: Annotated[str, {"pattern": REPOSITORY}],
    reference: Annotated[str, {"pattern": TAG_OR_DIGEST}],
    context: ToolContext,
    severity: Severity = "low",
    platform: Annotated[str, {"pattern": "^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$"}] = "linux/amd64",
) -> Scan:
    """Reads what Quay's scanner found in an image; that it was not scanned yet is a normal answer.

    An image that is not there is a failure (`image_not_found`), as is a registry that has no scanner of Quay's.

    Args:
        repository: The image's name in the domain's registry, or HOST/NAME.
        reference: Its tag or digest.
        severity: The mildest that is listed.
        platform: Which image is meant where the name stands for several; without one for it, the first of them.

    Returns:
        repository, reference, digest, status, counts (per severity), found (at most 500), count (how many there are
        from `severity` on), fixable (how many of those a newer version mends) and truncated.
    """
    place = place_of(repository, context)
    digest = await digest_of(place, reference, context, platform)
    reply = await _asked(place, digest, context)
    status, data = _said(reply)
    everything = list(_vulnerabilities(data)) if status == "scanned" else []
    counts = {name: sum(each["severity"] == name for each in everything) for name in SEVERITIES}
    wanted = SEVERITIES[SEVERITIES.index(severity) :]
    found = [each for each in everything if each["severity"] in wanted]
    found.sort(key=lambda each: (-SEVERITIES.index(each["severity"]), each["name"], each["package"]))
    return {
        "repository": repository,
        "reference": reference,
        "digest": digest,
        "status": status,
        "counts": counts,
        "found": found[:MOST_LISTED],
        "count": len(found),
        "fixable": sum(bool(each["fixed_by"]) for each in found),
        "truncated": len(found) > MOST_LISTED,
    }


async def _asked(place: Place, digest: str, context: ToolContext) -> Reply:
    """Quay's answer; a 404 that is not its own says that there is no such API."""
    api = str(context.settings.get("api_url") or place.url).rstrip("/") if _is_own(place, context) else place.url
    path = f"/api/v1/repository/{quote(place.name)}/manifest/{quote(digest, safe=':')}/security"
    headers = await _token(api, place, context)
    reply = await request(
        "GET", api + path, context=context, headers=headers, params={"vulnerabilities": "true"}, not_found=(404,)
    )
    if reply.found:
        return reply
    if '"error_type"' in reply.text:  # what every refusal of Quay's API has
        message = f"Quay knows no manifest {digest} of {place.name}, or does not show it to whom it does not know"
        raise ToolError(message, kind="image_not_found", http_status=404, output=reply.text, sent=True)
    message = f"{urlsplit(api).netloc} has no security API of Quay's, so nobody scans there; api_url names who does"
    raise ToolError(message, kind="configuration_error", http_status=404, output=reply.text, sent=True)


async def _token(api: str, place: Place, context: ToolContext) -> dict[str, str]:
    """The token, for the domain's own server only and never in the clear."""
    if not _is_own(place, context):
        return {}
    token = await credential(context, usual="QUAY_TOKEN", setting="api_credential")
    if not token:
        return {}
    if urlsplit(api).scheme != "https" and not is_loopback(urlsplit(api).hostname or ""):
        raise ToolError(f"{api} is not asked by HTTPS, and a token is not sent there", kind="configuration_error")
    return {"Authorization": f"Bearer {token}"}


def _is_own(place: Place, context: ToolContext) -> bool:
    """Whether it is the domain's own registry, named or not; a slash at the end of its `url` makes no difference."""
    return not place.named or place.url == str(context.settings.get("url") or "").rstrip("/")


def _said(reply: Reply) -> tuple[str, Mapping[str, Any]]:
    said = reply.json()
    status = said.get("status") if isinstance(said, dict) else None
    data = said.get("data") if isinstance(said, dict) else None
    if status not in STATUSES or (status == "scanned" and not isinstance(data, dict)):
        message = f"Quay's scanner answered with the status {status!r}, and without what was asked"
        raise ToolError(message, kind="api_contract_mismatch", http_status=reply.status, output=reply.text[:8000])
    return str(status), data if isinstance(data, dict) else {}


def _vulnerabilities(data: Mapping[str, Any]) -> Iterator[Vulnerability]:
    """Every weakness of every package, each pair once."""
    seen: set[tuple[str, str, str]] = set()
    for feature in _objects(_object(data.get("Layer")).get("Features")):
        for each in _objects(feature.get("Vulnerabilities")):
            known = (str(each.get("Name")), str(feature.get("Name")), str(feature.get("Version")))
            if known not in seen:
                seen.add(known)
                yield _vulnerability(each, feature)


def _vulnerability(each: Mapping[str, Any], feature: Mapping[str, Any]) -> Vulnerability:
    severity = str(each.get("Severity") or "").lower().replace("defcon1", "critical")
    return {
        "name": str(each.get("Name") or ""),
        "severity": severity if severity in SEVERITIES else "unknown",
        "package": str(feature.get("Name") or ""),
        "version": str(feature.get("Version") or ""),
        "fixed_by": str(each.get("FixedBy") or ""),
        "link": str(each.get("Link") or "").partition(" ")[0],
    }


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
