"""Fetching an image by digest and unpacking it: every checksum is checked, and no entry may leave the folder."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import posixpath
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_registry.local_platform import registry
from tool_registry.local_platform.answers import Refusal

SIZE_LIMIT = 512 * 1024 * 1024
ENTRY_LIMIT = 40_000
PATIENCE = 30.0
OK, NOT_FOUND = 200, 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image reference: which repository of this platform's registry, which manifest, and what logs in there."""

    port: int
    name: str
    digest: str
    authorization: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What an image says about running it."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    health: str


def reference(image: str, digest: str, port: int) -> Image:
    """Read `127.0.0.1:PORT/NAME` and a digest; an image of another registry is refused."""
    host, _, name = image.partition("/")
    if host not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        raise Refusal(
            422, "bad_image", f"only images of this registry, 127.0.0.1:{port}/NAME, can be deployed, not {image[:200]}"
        )
    if not registry.NAME.fullmatch(name):
        raise Refusal(422, "bad_image", f"{name[:200]!r} is not a repository name")
    if not registry.DIGEST.fullmatch(digest):
        raise Refusal(
            422, "bad_image", "digest must be sha256: and 64 hex digits; a tag can change its meaning, a digest cannot"
        )
    return Image(port=port, name=name, digest=digest)


def manifest(image: Image) -> Mapping[str, Any]:
    """Fetch the manifest and check it; a missing one is refused with 404 `image_not_found`."""
    content = _fetched(image, f"manifests/{image.digest}", image.digest)
    value = _mapping(content, "manifest")
    if value.get("mediaType") != registry.MANIFEST_TYPE:
        raise Refusal(
            422, "bad_image", f"the manifest is of type {value.get('mediaType')}, which this platform cannot run"
        )
    return value


def program(image: Image, described: Mapping[str, Any]) -> Program:
    """Fetch the image's configuration and give what it says about running it."""
    config = _mapping(_blob(image, described["config"]), "configuration")["config"]
    pairs = (entry.partition("=") for entry in config.get("Env") or ())
    return Program(
        command=tuple(config.get("Cmd") or ()),
        environment={name: value for name, _, value in pairs},
        health=(config.get("Labels") or {}).get("skill.health", "/health"),
    )


def unpack(image: Image, described: Mapping[str, Any], folder: Path) -> None:
    """Fetch every layer and put what they hold at `folder`, in the place of what was there."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for layer in described["layers"]:
        if layer["mediaType"] != registry.LAYER_TYPE:
            raise Refusal(
                422, "bad_image", f"a layer is of type {layer['mediaType']}, which this platform cannot unpack"
            )
        unpack_layer(_blob(image, layer), fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def unpack_layer(content: bytes, folder: Path) -> None:
    """Unpack one tar; an entry that would leave the folder, a device or a hard link is refused."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as layer:
            unpacked = 0
            for count, member in enumerate(layer):
                unpacked += member.size
                if count >= ENTRY_LIMIT or unpacked > SIZE_LIMIT:
                    raise _unsafe(member.name, "is one entry too many, or too large")
                _place(layer, member, folder)
    except tarfile.TarError as error:
        raise Refusal(422, "bad_image", f"a layer cannot be read: {error}") from None
    _check_links(folder)


def _place(layer: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = folder / member.name
    if member.name.startswith("/") or ".." in member.name.split("/") or "\0" in member.name:
        raise _unsafe(member.name, "leads out of the folder")
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise _unsafe(member.name, "goes through a link that leads out of the folder")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isreg() and not member.issparse():  # a sparse file of a few bytes fills the disk
        _write(layer, member, target)
    elif member.issym():
        _link(member, target)
    else:
        raise _unsafe(member.name, "is neither a file, a folder nor a symbolic link")


def _write(layer: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = layer.extractfile(member)
    mode = 0o755 if member.mode & 0o100 else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        descriptor = os.open(target, flags, mode)
    except OSError as error:
        raise _unsafe(member.name, f"cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        if source is not None:
            shutil.copyfileobj(source, file)


def _link(member: tarfile.TarInfo, target: Path) -> None:
    points_at = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
    if member.linkname.startswith("/") or points_at == ".." or points_at.startswith("../"):
        raise _unsafe(member.name, f"is a link to {member.linkname}, out of the folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(member.linkname)
    except FileExistsError:
        raise _unsafe(member.name, "is in the layer twice") from None


def _check_links(folder: Path) -> None:
    """Refuse links that lead out by way of another link, which the path of one alone does not show."""
    root = folder.resolve()
    for path, folders, files in os.walk(folder):
        for link in (Path(path, name) for name in (*folders, *files)):
            if link.is_symlink() and not _stays(link, root):
                raise _unsafe(str(link.relative_to(folder)), "is a link that leads out of the folder")


def _stays(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # it goes round in a circle, and so nowhere
        return True


def _blob(image: Image, descriptor: Mapping[str, Any]) -> bytes:
    content = _fetched(image, f"blobs/{descriptor['digest']}", descriptor["digest"])
    if len(content) != descriptor["size"]:
        raise _mismatch(descriptor["digest"], f"{len(content)} bytes instead of {descriptor['size']}")
    return content


def _fetched(image: Image, what: str, digest: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", image.port, timeout=PATIENCE)
    try:
        login = {"Authorization": image.authorization} if image.authorization else {}
        connection.request("GET", f"/v2/{image.name}/{what}", headers={"Accept": registry.MANIFEST_TYPE, **login})
        response = connection.getresponse()
        content = response.read(SIZE_LIMIT)
    finally:
        connection.close()
    if response.status == NOT_FOUND:
        raise Refusal(404, "image_not_found", f"the registry has no {image.name}@{digest}")
    if response.status != OK:
        raise Refusal(502, "registry_failed", f"the registry answered {response.status} for {image.name}@{digest}")
    actual = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if actual != digest:
        raise _mismatch(digest, f"its checksum is {actual}")
    return content


def _mapping(content: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(422, "bad_image", f"the {what} of the image is not a JSON object")
    return value


def _mismatch(digest: str, found: str) -> Refusal:
    return Refusal(422, "bad_image", f"the content of {digest} is damaged: {found}")


def _unsafe(name: str, why: str) -> Refusal:
    return Refusal(422, "bad_image", f"the image is refused: its entry {name[:200]!r} {why}")
