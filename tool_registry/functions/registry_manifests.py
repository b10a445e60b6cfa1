"""Reading manifests: which image is meant, what it is made of, and what its configuration says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypedDict
from urllib.parse import quote

from tool_registry.functions.registry_access import MANIFESTS, Place, ask_registry, broken, unknown_image
from tool_registry.sources.http import Reply
from tool_registry.tool import ToolContext

MOST_LABELS = 200
DIGEST = re.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class Layer(TypedDict):
    """One layer of an image; size in bytes."""

    digest: str
    media_type: str
    size: int


class Variant(TypedDict):
    """The image for one platform, where one name stands for several."""

    platform: str
    digest: str


async def digest_of(place: Place, reference: str, context: ToolContext, platform: str) -> str:
    """The digest of the one image that a tag or digest means; ToolError (`image_not_found`) where there is none."""
    manifest, digest = await read_manifest(place, reference, context)
    platforms = variants(manifest)
    return chosen(platforms, platform) if platforms else digest


async def read_manifest(place: Place, reference: str, context: ToolContext) -> tuple[dict[str, Any], str]:
    """A manifest and its digest, which is the one of what arrived."""
    reply = await ask_registry(place, manifest_path(place, reference), context, accept=MANIFESTS, not_found=(404,))
    if not reply.found:
        raise unknown_image(reply, place, reference)
    manifest, digest = manifest_in(reply), digest_told(reply)
    if reference.startswith("sha256:") and digest != reference:
        raise broken(f"{reference} was asked for, and {digest} came", reply)
    return manifest, digest


def manifest_in(reply: Reply) -> dict[str, Any]:
    """The manifest that an answer is; a failure for what is none, whoever sent it."""
    told = json_object(reply)
    if not isinstance(told.get("schemaVersion"), int):
        raise broken("it is no manifest", reply)
    return told


def digest_of_head(reply: Reply) -> str:
    """The digest that the head of an answer names; empty where it is not the head of a manifest."""
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip()
    digest = reply.headers.get("docker-content-digest", "")
    return digest if media_type in MANIFESTS.split(", ") and DIGEST.fullmatch(digest) else ""


def digest_told(reply: Reply) -> str:
    """The digest of a manifest's bytes; the registry's own word must be the same."""
    counted = f"sha256:{sha256(reply.content).hexdigest()}"
    told = reply.headers.get("docker-content-digest", counted)
    if told.startswith("sha256:") and told != counted:
        raise broken(f"it says {told} and sends {counted}", reply)
    return told


def manifest_path(place: Place, reference: str) -> str:
    """Where the registry has a manifest."""
    return f"/v2/{quote(place.name)}/manifests/{quote(reference, safe=':')}"


async def image_config(place: Place, manifest: Mapping[str, Any], context: ToolContext) -> dict[str, Any]:
    """The image's configuration; empty where what is there is no image (a chart, a signature)."""
    named = mapping(manifest.get("config"))
    if not str(named.get("mediaType") or "").endswith(("image.config.v1+json", "container.image.v1+json")):
        return {}
    path = f"/v2/{quote(place.name)}/blobs/{quote(str(named.get('digest')), safe=':')}"
    return json_object(await ask_registry(place, path, context))


def json_object(reply: Reply) -> dict[str, Any]:
    """The JSON object that the registry sent."""
    try:
        read = json.loads(reply.content)
    except (ValueError, RecursionError) as error:
        raise broken(f"it is not JSON: {error}", reply) from error
    if not isinstance(read, dict):
        raise broken("it is no JSON object", reply)
    return read


def variants(manifest: Mapping[str, Any]) -> list[Variant]:
    """The images for several platforms that one name stands for; none where it stands for one image."""
    listed = manifest.get("manifests")
    return [
        {"platform": _platform(mapping(each.get("platform"))), "digest": str(each.get("digest") or "")}
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    ]


def _platform(said: Mapping[str, Any]) -> str:
    return "/".join(str(said[part]) for part in ("os", "architecture", "variant") if said.get(part))


def chosen(platforms: list[Variant], wanted: str) -> str:
    """The image for the platform that is wanted; where there is none, the first of all."""
    fitting = (each for each in platforms if f"{each['platform']}/".startswith(f"{wanted}/"))
    return next(fitting, platforms[0])["digest"]


def layers_of(manifest: Mapping[str, Any]) -> list[Layer]:
    """The layers of an image."""
    listed = manifest.get("layers")
    return [
        {
            "digest": str(each.get("digest") or ""),
            "media_type": str(each.get("mediaType") or ""),
            "size": each["size"] if isinstance(each.get("size"), int) else 0,
        }
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    ]


def labels_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The labels its configuration has, at most 200."""
    labels = mapping(mapping(config.get("config")).get("Labels"))
    return {str(name): str(value)[:2000] for name, value in list(labels.items())[:MOST_LABELS]}


def mapping(value: Any) -> Mapping[str, Any]:
    """The mapping that it is, or an empty one."""
    return value if isinstance(value, Mapping) else {}
