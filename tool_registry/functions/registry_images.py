"""Container images: whether a commit has one, how far its build is, and building it.

Tags are full commit SHAs. A shortened one is refused before anything is asked, because the registry would answer
`manifest unknown` and that would look like an image nobody built.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypedDict
from urllib.parse import quote, urlsplit

from tool_registry.functions.logins import kept_login
from tool_registry.functions.platform import PLATFORM, ask_platform, call_platform, platform_url
from tool_registry.functions.repository import GIT, commit_of, repository_folder
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, Needs, ToolContext, ToolError, ToolOutput

FULL_SHA = "^([0-9a-f]{40}|[0-9a-f]{64})$"
MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
GIT_AND_PLATFORM = Needs(programs=GIT.programs, settings=PLATFORM.settings)
UNKNOWN = {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"}
"""What the distribution specification answers where there is no such tag, or nothing at all under that name."""

FOUND_TAG = {
    "type": "object",
    "required": ["found", "repository", "tag"],
    "additionalProperties": False,
    "properties": {
        "found": {"type": "boolean"},
        "repository": {"type": "string"},
        "tag": {"type": "string"},
        "digest": {"type": "string"},
        "media_type": {"type": "string"},
        "size": {"type": "integer", "description": "of the image's layers, in bytes"},
        "reason": {"type": "string", "description": "why it was not found, in the registry's words"},
    },
}


class Build(TypedDict):
    """How far a build is: `none` when nobody asked for one; times in seconds since the epoch."""

    status: str
    reason: str
    started_at: float | None
    finished_at: float | None


class BuiltImage(TypedDict):
    """An image that was built."""

    repository: str
    tag: str
    digest: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="registry",
    timeout=20,
    result=FOUND_TAG,
    examples=({"repository": "demo/shop", "tag": "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"},),
    needs=PLATFORM,
)
async def quay_get_tag(
    repository: str,
    tag: Annotated[str, {"pattern": FULL_SHA}],
    context: ToolContext,
) -> ToolOutput:
    """Looks up the digest behind a tag; that there is no such tag is a normal answer, not a failure.

    Args:
        repository: The image's name, without the registry's address.
        tag: The full commit SHA, 40 or 64 hexadecimal digits; git_rev_parse expands a short one.
    """
    path = f"/v2/{quote(repository)}/manifests/{quote(tag)}"
    reply = await ask_platform("GET", path, context, headers=_headers(context), not_found=(404,))
    named = {"repository": repository, "tag": tag}
    if not reply.found:
        return ToolOutput(value={"found": False, **named, "reason": _why_unknown(reply)}, text=reply.text, found=False)
    return ToolOutput(value={"found": True, **named, **_described(reply)}, text=reply.text)


def _headers(context: ToolContext) -> dict[str, str]:
    """What is asked for, and in whose name, where podman, docker or skopeo have logged in to the registry."""
    host = urlsplit(platform_url(context.settings)).netloc
    login = kept_login(host, context, str(context.settings.get("auth_file") or ""))
    return {"Accept": MANIFESTS, **({"Authorization": f"Basic {login}"} if login else {})}


def _why_unknown(reply: Reply) -> str:
    """The registry's words for an unknown tag; any other 404 says that this is no registry at all."""
    try:
        errors = json.loads(reply.text)["errors"]
        return next(str(error["message"]) for error in errors if error["code"] in UNKNOWN)
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise _broken("a tag it does not have is MANIFEST_UNKNOWN", reply) from error


def _described(reply: Reply) -> dict[str, Any]:
    digest = reply.headers.get("docker-content-digest", "")
    try:
        manifest = json.loads(reply.text)
        size = sum(int(layer["size"]) for layer in manifest.get("layers", []))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(f"its manifest cannot be read: {error}", reply) from error
    if not digest.startswith("sha256:"):
        raise _broken("it names no digest", reply)
    return {"digest": digest, "media_type": str(manifest.get("mediaType", "")), "size": size}


def _broken(why: str, reply: Reply) -> ToolError:
    return ToolError(
        f"the registry's answer is not what the distribution specification says: {why}",
        kind="api_contract_mismatch",
        http_status=reply.status,
        output=reply.text,
    )


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="registry",
    timeout=20,
    examples=({"repository": "demo/shop", "commit": "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"},),
    exact=True,
    needs=PLATFORM,
)
async def image_build_status(
    repository: str,
    commit: Annotated[str, {"pattern": FULL_SHA}],
    context: ToolContext,
) -> Build:
    """Says how far the build of a commit's image is.

    Args:
        repository: The image's name.
        commit: The full commit SHA.

    Returns:
        status (`none`, `queued`, `building`, `built` or `failed`), reason (why it failed), started_at, finished_at.
    """
    wanted = {"name": repository, "commit": commit}
    builds: list[dict[str, Any]] = (await ask_platform("GET", "/api/images/builds", context, params=wanted)).json()
    newest: dict[str, Any] = builds[0] if builds else {}
    return {
        "status": str(newest.get("status", "none")),
        "reason": str(newest.get("reason") or ""),
        "started_at": newest.get("started_at"),
        "finished_at": newest.get("finished_at"),
    }


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="ephemeral",
    timeout=120,
    needs=GIT_AND_PLATFORM,
    examples=({"repository": "demo/shop", "commit": "main"},),
    exact=True,
)
async def image_build(repository: str, commit: str, context: ToolContext, repo: str = "") -> BuiltImage:
    """Builds the image of a commit and tags it with the full SHA; the same commit gives the same digest every time.

    Args:
        repository: What the image is called.
        commit: The commit, full, shortened or by name.
        repo: Folder of the git repository; empty for the configured one.

    Returns:
        repository, tag and digest.
    """
    folder = await repository_folder(repo, context)
    sha = await commit_of(folder, commit, context)
    wanted = {"repository": str(folder), "commit": sha, "name": repository}
    built = await call_platform("POST", "/api/images", context, body=wanted)
    return {"repository": built["name"], "tag": built["tag"], "digest": built["digest"]}
