"""Debian's docker-registry on the loopback interface, open or with a login, filled by skopeo from an OCI layout.

Each registry is a process of its own with its own folder and port, and is gone when its block ends. Where a test wants
one that gives tokens, the registry is Debian's too, and only the token server it names is ours.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.npm import program

USER = "ann"
PASSWORD = "s3cret-of-ann"
HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuubGIO2GYAzsTYkWDBylJZ1TngL2ovaZy\n"
"""USER and PASSWORD as htpasswd keeps them; docker-registry takes bcrypt only."""
STARTS_WITHIN = 20.0
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LABELS = {"org.opencontainers.image.source": "https://forge.example/shop", "team": "payments"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry that runs; `folder` is its own, `logged_in` tells skopeo how to fill it."""

    host: str
    folder: Path
    scheme: str = "http"
    login: str = ""
    images: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{self.scheme}://{self.host}"

    def skopeo(self, *words: str, auth_file: Path | None = None, fails: bool = False) -> str:
        """What skopeo prints when it asks this registry; with `fails`, what it says when it is refused."""
        kept = auth_file or self.auth_file()
        environment = {**os.environ, "REGISTRY_AUTH_FILE": str(kept)}
        argv = [program("skopeo", package="skopeo"), *words]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False, timeout=60)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    def digest(self, image: str) -> str:
        """The digest of an image, as skopeo tells it."""
        found = self.skopeo("inspect", "--tls-verify=false", "--format={{.Digest}}", f"docker://{self.host}/{image}")
        return found.strip()

    def push(
        self, image: str, *, labels: Mapping[str, str] | None = None, text: str = "a shop", layer: bytes = b""
    ) -> str:
        """Fills it with an image of one layer (a tar, else of one file), and gives its digest as skopeo tells it."""
        layout = layout_of(self.folder / f"layout-{len(self.images)}", labels or LABELS, text, layer)
        self.skopeo("copy", "--dest-tls-verify=false", f"oci:{layout}:image", f"docker://{self.host}/{image}")
        self.images[image] = self.digest(image)
        return self.images[image]

    def auth_file(self) -> Path:
        """A file of logins with the right one; with none where the registry is open."""
        path = self.folder / "right.json"
        path.write_text(json.dumps({"auths": {self.host: {"auth": self.login}} if self.login else {}}))
        return path


@contextmanager
def registry(
    folder: Path, *, login: bool = False, tls: tuple[Path, Path] | None = None, token: Mapping[str, Any] | None = None
) -> Iterator[Registry]:
    """A registry in `folder`: open, with `login` by name and password, or with the settings of a token server."""
    folder.mkdir(parents=True, exist_ok=True)
    host = f"127.0.0.1:{_free_port()}"
    (folder / "htpasswd").write_text(HTPASSWD)
    secure = {"tls": {"certificate": str(tls[0]), "key": str(tls[1])}} if tls else {}
    configuration: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}, "delete": {"enabled": True}},
        "http": {"addr": host, **secure},
    }
    if login:
        configuration["auth"] = {"htpasswd": {"realm": "a shop's images", "path": str(folder / "htpasswd")}}
    if token:
        configuration["auth"] = {"token": dict(token)}
    (folder / "registry.yml").write_text(json.dumps(configuration))
    named = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode() if login or token else ""
    made = Registry(host=host, folder=folder, scheme="https" if tls else "http", login=named)
    argv = [program("docker-registry", package="docker-registry"), "serve", str(folder / "registry.yml")]
    with (folder / "registry.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            _answering(made, process)
            yield made
        finally:
            process.kill()


def _answering(made: Registry, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    host, _, port = made.host.partition(":")
    while True:
        assert process.poll() is None, (made.folder / "registry.log").read_text()
        assert time.monotonic() < deadline, "the registry does not answer"
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the loopback address that nobody vouches for, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    shown, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    argv = [program("openssl", package="openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*argv, *subject, "-keyout", key, "-out", shown], check=True, capture_output=True, timeout=60)
    return shown, key


def layout_of(folder: Path, labels: Mapping[str, str], text: str, packed: bytes = b"") -> Path:
    """An OCI layout with one image of one file, or of what is packed, tagged `image`."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def kept(content: bytes, media_type: str) -> dict[str, Any]:
        digest = sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    layer = packed or _archive("shop.txt", text.encode())
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]}
    config = {
        "created": "2026-01-02T09:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": dict(labels)},
        "rootfs": rootfs,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": kept(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [kept(layer, "application/vnd.oci.image.layer.v1.tar")],
    }
    named = kept(json.dumps(manifest).encode(), MANIFEST)
    index = {
        "schemaVersion": 2,
        "manifests": [{**named, "annotations": {"org.opencontainers.image.ref.name": "image"}}],
    }
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def _archive(name: str, content: bytes) -> bytes:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, BytesIO(content))
    return packed.getvalue()


def put_index(made: Registry, repository: str, tag: str, variants: Mapping[str, str]) -> None:
    """Gives one name to several images by platform, in an open registry; `variants` are digests by platform."""
    listed = []
    for platform, digest in variants.items():
        system, _, machine = platform.partition("/")
        size = len(_asked(made, "GET", f"/v2/{repository}/manifests/{digest}", None, {"Accept": MANIFEST}))
        described = {"mediaType": MANIFEST, "digest": digest, "size": size}
        listed.append({**described, "platform": {"os": system, "architecture": machine}})
    media_type = "application/vnd.oci.image.index.v1+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": listed}).encode()
    _asked(made, "PUT", f"/v2/{repository}/manifests/{tag}", body, {"Content-Type": media_type})


def _asked(made: Registry, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    connection = HTTPConnection(made.host, timeout=10)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        assert answer.status < 300, answer.status
        return answer.read()
    finally:
        connection.close()
