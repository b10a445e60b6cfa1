"""Container images: whether a commit has one, how far its build is, and building it.

Tags are full commit SHAs. A shortened one is refused before anything is asked, because the registry would answer
`manifest unknown` and that would look like an image nobody built.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from tool_registry.functions.platform import PLATFORM, ask_platform, call_platform
from tool_registry.functions.registry_access import MANIFESTS, REGISTRY, ask_registry, place_of, why_unknown
from tool_registry.functions.registry_manifests import digest_told, layers_of, manifest_in, manifest_path
from tool_registry.functions.repository import GIT, commit_of, repository_folder
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, Needs, ToolContext, ToolOutput

FULL_SHA = "^([0-9a-f]{40}|[0-9a-f]{64})$"
GIT_AND_PLATFORM = Needs(programs=GIT.programs, settings=PLATFORM.settings)
NO_BUILDS = (401, 403, 404, 405)
"""How a registry that is no embedded platform answers when it is asked for builds."""
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
        "size": {"type": "integer", "description": "of the image's layers, in bytes; 0 where the tag means several"},
        "reason": {"type": "string", "description": "why it was not found, in the registry's words"},
    },
}


class Build(TypedDict):
    """How far a build is: `none` when nobody asked for one, `unknown` where others build; times in epoch seconds."""

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
    needs=REGISTRY,
)
async def quay_get_tag(
    repository: str,
    tag: Annotated[str, {"pattern": FULL_SHA}],
    context: ToolContext,
) -> ToolOutput:
    """Looks up the digest behind a tag; that there is no such tag is a normal answer, not a failure.

    Args:
        repository: The image's name in the domain's registry, or HOST/NAME.
        tag: The full commit SHA, 40 or 64 hexadecimal digits; git_rev_parse expands a short one.
    """
    place = place_of(repository, context)
    reply = await ask_registry(place, manifest_path(place, tag), context, accept=MANIFESTS, not_found=(404,))
    named = {"repository": repository, "tag": tag}
    if not reply.found:
        return ToolOutput(value={"found": False, **named, "reason": why_unknown(reply)}, text=reply.text, found=False)
    return ToolOutput(value={"found": True, **named, **_described(reply)}, text=reply.text)


def _described(reply: Reply) -> dict[str, Any]:
    manifest = manifest_in(reply)
    return {
        "digest": digest_told(reply),
        "media_type": str(manifest.get("mediaType") or ""),
        "size": sum(layer["size"] for layer in layers_of(manifest)),
    }


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
    """Says how far the build of a commit's image is; of images that others build, that is `unknown` here.

    Args:
        repository: The image's name.
        commit: The full commit SHA.

    Returns:
        status (`none`, `queued`, `building`, `built`, `failed` or `unknown`), reason (why it failed), started_at,
        finished_at.
    """
    wanted = {"name": repository, "commit": commit}
    elsewhere = () if context.settings.get("platform") else NO_BUILDS
    reply = await ask_platform("GET", "/api/images/builds", context, params=wanted, not_found=elsewhere)
    if not reply.found:
        reason = "this registry does not build images"
        return {"status": "unknown", "reason": reason, "started_at": None, "finished_at": None}
    builds: list[dict[str, Any]] = reply.json()
    with expected("the platform"):
        newest: dict[str, Any] = dict(builds[0]) if builds else {}
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
    with expected("the platform"):
        return {"repository": str(built["name"]), "tag": str(built["tag"]), "digest": str(built["digest"])}
