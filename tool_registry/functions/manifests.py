"""The manifests of an application: read from a folder, their images pinned, applied in an ephemeral namespace.

Every document is applied by the server (server-side apply), so that applying again changes nothing. Images are pinned
as `images` of a kustomization are: wherever a container has an image of the same repository, it gets the digest.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tool_registry.functions.cluster import ask_cluster, inside, promised
from tool_registry.tool import ToolContext, ToolError

MANAGER = "skill-engine"
SUFFIXES = (".yaml", ".yml", ".json")
MOST_FILES, MOST_DOCUMENTS, LARGEST = 200, 500, 1_000_000
DIVIDED = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)
FIRST = ("ServiceAccount", "Role", "RoleBinding", "Secret", "ConfigMap", "PersistentVolumeClaim", "Service")
"""What others need, in this order; everything else comes after."""
APP = "skill-engine/app"
"""The label by which what was applied is found again."""


async def apply(folder: Path, namespace: str, app: str, image: tuple[str, str], context: ToolContext) -> int:
    """Applies every document in a folder, its images pinned to (name, digest); how many there are.

    Raises:
        ToolError: `configuration_error` for documents that cannot be meant (nothing there, of another namespace or of
            the whole cluster, none with that image), before anything is applied.
    """
    documents = [pinned(one, *image) for one in read_documents(folder, context)]
    if not any(image[1] in each for one in documents for each in images_of(one)):
        message = f"no container in {folder} has an image of {image[0]}, so nothing there can be pinned to it"
        raise ToolError(message, kind="configuration_error", sent=False)
    placed = [(await _path(one, namespace, context), _labelled(one, app)) for one in documents]
    for path, one in placed:
        params = {"fieldManager": MANAGER, "force": "true"}
        await ask_cluster("PATCH", path, context, params=params, patch=one, patched_by="apply-patch+yaml")
    return len(placed)


def read_documents(folder: Path, context: ToolContext) -> list[dict[str, Any]]:
    """The documents of the files in a folder (not below), what others need first; items of lists are documents."""
    files = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES and path.is_file())
    if not files or len(files) > MOST_FILES:
        raise _wrong(folder, f"has {len(files)} files of manifests; between 1 and {MOST_FILES} can be applied")
    found = [one for path in files for one in _in_file(path, context)]
    if not found or len(found) > MOST_DOCUMENTS:
        raise _wrong(folder, f"has {len(found)} documents; between 1 and {MOST_DOCUMENTS} can be applied")
    order = {kind: place for place, kind in enumerate(FIRST)}
    return sorted(found, key=lambda one: order.get(str(one["kind"]), len(order)))


def _in_file(path: Path, context: ToolContext) -> Iterator[dict[str, Any]]:
    if path.stat().st_size > LARGEST:
        raise _wrong(path, f"is larger than {LARGEST} bytes")
    text = path.read_text(encoding="utf-8")
    for part in DIVIDED.split(text) if path.suffix != ".json" else [text]:
        if not re.sub(r"(?m)^\s*#.*$", "", part).strip():
            continue
        said = context.parse_yaml(part, str(path))
        for one in said["items"] if isinstance(said, dict) and said.get("kind") == "List" else [said]:
            if not isinstance(one, dict) or not all(isinstance(one.get(each), str) for each in ("kind", "apiVersion")):
                raise _wrong(path, "holds a document without kind and apiVersion")
            if not (one.get("metadata") or {}).get("name"):
                raise _wrong(path, f"holds a {one['kind']} without a name")
            yield dict(one)


def pinned(document: Mapping[str, Any], image: str, digest: str) -> dict[str, Any]:
    """The document with every image of that repository, of whatever tag, by its digest."""
    made = copy.deepcopy(dict(document))
    for container in _containers(made):
        repository = _repository(str(container.get("image") or ""))
        if repository == _repository(image) or repository.endswith(f"/{_repository(image)}"):
            container["image"] = f"{repository}@{digest}"
    return made


def images_of(document: Mapping[str, Any]) -> list[str]:
    """The images of all of its containers."""
    return [str(each.get("image") or "") for each in _containers(document)]


def _containers(said: Any) -> Iterator[dict[str, Any]]:
    """Every entry of a list `containers` or `initContainers`, however deep (pods, deployments, jobs, cron jobs)."""
    if isinstance(said, list):
        for each in said:
            yield from _containers(each)
    elif isinstance(said, dict):
        for name, part in said.items():
            if name in ("containers", "initContainers") and isinstance(part, list):
                yield from (each for each in part if isinstance(each, dict))
            else:
                yield from _containers(part)


def _repository(image: str) -> str:
    """An image's name without its tag and digest."""
    name = image.partition("@")[0]
    before, slash, last = name.rpartition("/")
    return f"{before}{slash}{last.partition(':')[0]}"


def _labelled(document: Mapping[str, Any], app: str) -> dict[str, Any]:
    meta = document["metadata"]
    return {**document, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), APP: app}}}


async def _path(document: Mapping[str, Any], namespace: str, context: ToolContext) -> str:
    """Where a document is applied: by what the API says of its kind."""
    version, kind, meta = str(document["apiVersion"]), str(document["kind"]), document["metadata"]
    if meta.get("namespace") not in (None, "", namespace):
        raise ToolError(
            f"the {kind} {meta['name']} names the namespace {meta['namespace']}, and is to go into {namespace}",
            kind="configuration_error",
            sent=False,
        )
    group = f"/apis/{version}" if "/" in version else f"/api/{version}"
    reply = await ask_cluster("GET", group, context, not_found=(404,))
    with promised():
        known = reply.json()["resources"] if reply.found else []
        found = [each for each in known if each["kind"] == kind and "/" not in each["name"]]
    if not found or not found[0]["namespaced"]:
        why = "is of the whole cluster, and not in a namespace" if found else "is not known to this cluster"
        message = f"the {kind} {meta['name']} ({version}) {why}; nothing was applied"
        raise ToolError(message, kind="configuration_error", sent=False)
    return inside(namespace, str(found[0]["name"]), str(meta["name"]), group=group)


def _wrong(path: Path, what: str) -> ToolError:
    return ToolError(f"{path} {what}", kind="configuration_error", sent=False)
