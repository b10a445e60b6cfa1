"""What an image registry has: whether an image is there, its tags, its manifest and labels. Everything only reads."""

from __future__ import annotations

from typing import Annotated, TypedDict
from urllib.parse import quote

from tool_registry.functions.registry_access import (
    MANIFESTS,
    REGISTRY,
    REPOSITORY,
    TAG_OR_DIGEST,
    ask_registry,
    broken,
    next_page,
    place_of,
    why_unknown,
)
from tool_registry.functions.registry_manifests import (
    Layer,
    Variant,
    chosen,
    digest_of_head,
    digest_told,
    image_config,
    json_object,
    labels_of,
    layers_of,
    manifest_in,
    manifest_path,
    mapping,
    read_manifest,
    variants,
)
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

PAGE = 100
MOST_PAGES = 50
"""A registry that always names a next page is asked this often."""

Repository = Annotated[str, {"pattern": REPOSITORY}]
Reference = Annotated[str, {"pattern": TAG_OR_DIGEST}]


class Existence(TypedDict):
    """Whether an image is there; `digest` and `reason` are empty where they do not apply."""

    exists: bool
    repository: str
    tag: str
    digest: str
    reason: str


class Tags(TypedDict):
    """The tags of a repository, in the registry's order; `truncated`: there are more than were asked for."""

    found: bool
    repository: str
    tags: list[str]
    count: int
    truncated: bool


class Manifest(TypedDict):
    """An image's manifest and what its configuration says; of several platforms, the one that was chosen.

    `index_digest` is the digest of the list of platforms, empty where the name stands for one image only.
    """

    repository: str
    reference: str
    digest: str
    index_digest: str
    media_type: str
    size: int
    layers: list[Layer]
    platform: str
    platforms: list[Variant]
    created: str
    labels: dict[str, str]
    config_digest: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="registry",
    timeout=20,
    examples=({"repository": "demo/shop", "tag": "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"},),
    exact=True,
    needs=REGISTRY,
)
async def quay_check_image_exists(repository: Repository, tag: Reference, context: ToolContext) -> Existence:
    """Says whether a registry has an image; that it has not is a normal answer.

    Args:
        repository: The image's name in the domain's registry, or HOST/NAME.
        tag: Its tag or digest.

    Returns:
        exists, repository, tag, digest, and reason (the registry's words for why not).
    """
    place = place_of(repository, context)
    path = manifest_path(place, tag)
    reply = await ask_registry(place, path, context, method="HEAD", accept=MANIFESTS, not_found=(404,))
    if reply.found and (digest := digest_of_head(reply)):
        return Existence(exists=True, repository=repository, tag=tag, digest=digest, reason="")
    # A HEAD has no body, and only that tells a registry's answer from one of whoever else answers there.
    reply = await ask_registry(place, path, context, accept=MANIFESTS, not_found=(404,))
    if reply.found:
        manifest_in(reply)
        return Existence(exists=True, repository=repository, tag=tag, digest=digest_told(reply), reason="")
    return Existence(exists=False, repository=repository, tag=tag, digest="", reason=why_unknown(reply))


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="registry",
    timeout=60,
    examples=({"repository": "demo/shop"}, {"repository": "quay.io/team/app", "limit": 20}),
    exact=True,
    needs=REGISTRY,
)
async def quay_list_tags(
    repository: Repository,
    context: ToolContext,
    limit: Annotated[int, {"minimum": 1, "maximum": 5000}] = 500,
) -> Tags:
    """Lists the tags of a repository, page by page; a repository that is not there has none.

    Args:
        repository: The image's name in the domain's registry, or HOST/NAME.
        limit: How many tags at most.

    Returns:
        found, repository, tags, count (how many are listed), and truncated (whether there are more).
    """
    place = place_of(repository, context)
    path = f"/v2/{quote(place.name)}/tags/list?n={min(PAGE, limit)}"
    tags: list[str] = []
    for _ in range(MOST_PAGES):
        reply = await ask_registry(place, path, context, not_found=(404,))
        if not reply.found:
            why_unknown(reply)
            return {"found": False, "repository": repository, "tags": [], "count": 0, "truncated": False}
        tags += _tags(reply)
        path = next_page(reply)
        if not path or len(tags) >= limit:
            break
    listed = list(dict.fromkeys(tags))[:limit]
    more = bool(path) or len(tags) > limit
    return {"found": True, "repository": repository, "tags": listed, "count": len(listed), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="registry",
    timeout=30,
    examples=({"repository": "demo/shop", "reference": "74ec56e1a2b3c4d5e6f708192a3b4c5d6e7f8091"},),
    exact=True,
    needs=REGISTRY,
)
async def quay_get_manifest(
    repository: Repository,
    reference: Reference,
    context: ToolContext,
    platform: Annotated[str, {"pattern": "^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$"}] = "linux/amd64",
) -> Manifest:
    """Reads an image's manifest and what its configuration says: layers, labels, when it was made, for which platform.

    An image that is not there is a failure, `image_not_found`; quay_check_image_exists asks whether it is.

    Args:
        repository: The image's name in the domain's registry, or HOST/NAME.
        reference: Its tag or digest.
        platform: Which image is meant where the name stands for several, as in linux/arm64; without one for it, the
            first of them.

    Returns:
        repository, reference, digest, index_digest, media_type, size (of the layers, in bytes), layers, platform,
        platforms (all there are, with their digests), created, labels and config_digest.
    """
    place = place_of(repository, context)
    top, digest = await read_manifest(place, reference, context)
    platforms = variants(top)
    manifest, index_digest = top, ""
    if platforms:
        index_digest, digest = digest, chosen(platforms, platform)
        manifest, digest = await read_manifest(place, digest, context)
    config = await image_config(place, manifest, context)
    layers = layers_of(manifest)
    return {
        "repository": repository,
        "reference": reference,
        "digest": digest,
        "index_digest": index_digest,
        "media_type": str(manifest.get("mediaType") or ""),
        "size": sum(layer["size"] for layer in layers),
        "layers": layers,
        "platform": f"{config.get('os') or ''}/{config.get('architecture') or ''}".strip("/"),
        "platforms": platforms,
        "created": str(config.get("created") or ""),
        "labels": labels_of(config),
        "config_digest": str(mapping(manifest.get("config")).get("digest") or ""),
    }


def _tags(reply: Reply) -> list[str]:
    told = json_object(reply)
    if "tags" not in told:
        raise broken("it lists no tags", reply)
    listed = told["tags"]  # null where the last tag was deleted
    if listed is not None and not isinstance(listed, list):
        raise broken("its tags are no list", reply)
    return [str(tag) for tag in listed or []]
