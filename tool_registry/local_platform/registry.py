"""The registry: the pull side of the OCI distribution API over OCI image layouts on disk."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_registry.local_platform.answers import Answer, as_json
from tool_registry.local_platform.files import read_json, write_json, write_whole

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
TAG_ANNOTATION = "org.opencontainers.image.ref.name"
NAME = re.compile(r"(?=.{1,128}\Z)[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*){0,3}")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
API_HEADER = {"Docker-Distribution-Api-Version": "registry/2.0"}
REQUEST = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|tags)/(?P<reference>[^/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A piece of content by its digest: what OCI calls a descriptor."""

    media_type: str
    digest: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """Give it in OCI's words."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


class Registry:
    """Image layouts under one folder, by repository name."""

    def __init__(self, folder: Path) -> None:
        """Serve what lies in `folder`; nothing is made before the first image."""
        self._folder = folder
        self._lock = threading.Lock()

    def answer(self, path: str) -> Answer:
        """Answer a GET or HEAD below `/v2/` as the distribution specification says."""
        if path in {"/v2", "/v2/"}:
            return as_json({}, headers=API_HEADER)
        asked = REQUEST.fullmatch(path)
        if asked is None or not NAME.fullmatch(asked["name"]):
            return _refused(404, "NAME_INVALID", "invalid repository name", {"path": path[:200]})
        match asked["kind"]:
            case "tags":
                return self._tags(asked["name"]) if asked["reference"] == "list" else _unknown_name(asked["name"])
            case "manifests":
                return self._manifest(asked["name"], asked["reference"])
            case _:
                return self._blob(asked["name"], asked["reference"])

    def put_blob(self, name: str, content: bytes, media_type: str) -> Descriptor:
        """Keep `content` in the layout of `name` under its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self._blob_path(name, digest)
        if not path.exists():
            write_whole(path, content, 0o644)
        return Descriptor(media_type=media_type, digest=digest, size=len(content))

    def put_tag(self, name: str, tag: str, manifest: Descriptor) -> None:
        """Make `tag` of `name` mean `manifest`."""
        with self._lock:
            write_json(self._layout(name) / "oci-layout", {"imageLayoutVersion": "1.0.0"}, 0o644)
            others = [entry for entry in self._entries(name) if _tag_of(entry) != tag]
            entry = {**manifest.as_json(), "annotations": {TAG_ANNOTATION: tag}}
            index = {"schemaVersion": 2, "manifests": sorted([*others, entry], key=_tag_of)}
            write_json(self._layout(name) / "index.json", index, 0o644)

    def digest(self, name: str, reference: str) -> str | None:
        """Give the manifest digest `reference` (a tag or a digest) means in `name`, None when it means nothing."""
        for entry in self._entries(name):
            if reference in {_tag_of(entry), entry["digest"]}:
                return str(entry["digest"])
        return None

    def _tags(self, name: str) -> Answer:
        entries = self._entries(name)
        if not entries:
            return _unknown_name(name)
        return as_json({"name": name, "tags": [_tag_of(entry) for entry in entries]}, headers=API_HEADER)

    def _manifest(self, name: str, reference: str) -> Answer:
        digest = self.digest(name, reference) if TAG.fullmatch(reference) or DIGEST.fullmatch(reference) else None
        if digest is None:
            return _refused(404, "MANIFEST_UNKNOWN", "manifest unknown", {"name": name, "reference": reference[:200]})
        return self._content(name, digest, MANIFEST_TYPE)

    def _blob(self, name: str, digest: str) -> Answer:
        if not DIGEST.fullmatch(digest) or not self._blob_path(name, digest).is_file():
            return _refused(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest[:200]})
        return self._content(name, digest, "application/octet-stream")

    def _content(self, name: str, digest: str, media_type: str) -> Answer:
        headers = {**API_HEADER, "Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
        return Answer(file=self._blob_path(name, digest), content_type=media_type, headers=headers)

    def _layout(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a repository name")
        return self._folder / name

    def _blob_path(self, name: str, digest: str) -> Path:
        return self._layout(name) / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def _entries(self, name: str) -> list[dict[str, Any]]:
        index = read_json(self._layout(name) / "index.json")
        return list(index["manifests"]) if isinstance(index, dict) else []


def login_wanted(was_tried: bool) -> Answer:
    """Refuse somebody who has not logged in, or not with the right words."""
    message = "incorrect username or password" if was_tried else "authentication required"
    challenge = {**API_HEADER, "WWW-Authenticate": 'Basic realm="skill-engine registry"'}
    return as_json({"errors": [{"code": "UNAUTHORIZED", "message": message, "detail": None}]}, 401, challenge)


def _tag_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("annotations", {}).get(TAG_ANNOTATION, ""))


def _unknown_name(name: str) -> Answer:
    return _refused(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})


def _refused(status: int, code: str, message: str, detail: Mapping[str, Any]) -> Answer:
    return as_json({"errors": [{"code": code, "message": message, "detail": dict(detail)}]}, status, API_HEADER)
