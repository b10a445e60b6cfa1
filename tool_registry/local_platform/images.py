"""Building an image from a repository's tree at a commit: the same commit gives the same digest every time."""

from __future__ import annotations

import io
import json
import re
import shlex
import tarfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_registry.local_platform import registry
from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.files import read_json, write_json
from tool_registry.local_platform.git import archived, commit_time
from tool_registry.local_platform.registry import Registry

FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
IMAGE_NAME = re.compile(r"demo/shop|local/[a-z0-9]+(?:[._-][a-z0-9]+)*")
HEALTH_LABEL = "skill.health"
REVISION_LABEL = "org.opencontainers.image.revision"
WEB_LINE = re.compile(r"^web:\s*(\S.*)$", re.MULTILINE)
HEALTH_LINE = re.compile(r"^#\s*health:\s*(/\S*)\s*$", re.MULTILINE)
NAME_LIMIT = 128
ENTRY_LIMIT = 20_000
SIZE_LIMIT = 256 * 1024 * 1024
ADVICE = "add a file called Procfile with a line like `web: python -m shop`, the command that serves on $PORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image in the registry."""

    name: str
    tag: str
    digest: str


class Images:
    """Builds images into the registry and remembers what became of each build."""

    def __init__(self, images: Registry, folder: Path) -> None:
        """Build into `images`; the record of builds lies in `folder`."""
        self._registry = images
        self._folder = folder
        self._building = threading.Lock()
        self._recording = threading.Lock()

    def build(self, repository: Path, commit: str, name: str) -> Built:
        """Build the image of `commit` and tag it with the full SHA; what cannot be built is refused and recorded."""
        if not FULL_COMMIT.fullmatch(commit):
            raise Refusal(400, "short_commit", f"commit must be the full SHA, 40 hex digits; {commit[:60]!r} is not")
        if not IMAGE_NAME.fullmatch(name) or len(name) > NAME_LIMIT:
            form = f"demo/shop or local/REPOSITORY in small letters, at most {NAME_LIMIT}"
            raise Refusal(400, "bad_request", f"name must be {form}, not {name[:80]!r}")
        moment = commit_time(repository, commit)
        started = time.time()
        self._record(name, commit, "building", started)
        try:
            with self._building:
                digest = self._build(repository, commit, name, moment)
        except Refusal as refusal:
            self._record(name, commit, "failed", started, refusal.sentence)
            raise
        except Exception as error:
            self._record(name, commit, "failed", started, f"the build broke: {error}")
            raise
        self._record(name, commit, "built", started)
        return Built(name=name, tag=commit, digest=digest)

    def builds(self, name: str, commit: str | None) -> list[dict[str, Any]]:
        """Give what is known of builds of `name`, of one commit or all, newest first."""
        found = [entry for entry in self._known(name) if commit in {None, entry["commit"]}]
        return sorted(found, key=lambda entry: float(entry["started_at"]), reverse=True)

    def interrupted(self) -> None:
        """Mark builds that were going on when an earlier platform was killed as failed."""
        for path in self._folder.glob("*.json"):
            for entry in read_json(path) or []:
                if entry["status"] == "building":
                    name = path.stem.replace("+", "/")
                    self._record(
                        name, entry["commit"], "failed", entry["started_at"], "the platform was stopped meanwhile"
                    )

    def _build(self, repository: Path, commit: str, name: str, moment: int) -> str:
        layer, procfile = _layer(repository, commit, moment)
        command, health = _process(procfile)
        stored = self._registry.put_blob(name, layer, registry.LAYER_TYPE)
        config = _config(command, health, commit, moment, stored.digest)
        described = self._registry.put_blob(name, _canonical(config), registry.CONFIG_TYPE)
        manifest = {
            "schemaVersion": 2,
            "mediaType": registry.MANIFEST_TYPE,
            "config": described.as_json(),
            "layers": [stored.as_json()],
            "annotations": {REVISION_LABEL: commit},
        }
        kept = self._registry.put_blob(name, _canonical(manifest), registry.MANIFEST_TYPE)
        self._registry.put_tag(name, commit, kept)
        return kept.digest

    def _known(self, name: str) -> list[dict[str, Any]]:
        return list(read_json(self._path(name)) or [])

    def _record(self, name: str, commit: str, status: str, started: float, reason: str = "") -> None:
        finished = None if status == "building" else time.time()
        entry = {"commit": commit, "status": status, "started_at": started, "finished_at": finished, "reason": reason}
        with self._recording:
            others = [known for known in self._known(name) if known["commit"] != commit]
            write_json(self._path(name), [*others, entry][-1000:], 0o644)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name.replace('/', '+')}.json"


def _layer(repository: Path, commit: str, moment: int) -> tuple[bytes, str | None]:
    """Give the tree as a tar that depends on nothing but the commit, and its Procfile."""
    archive = archived(repository, commit, SIZE_LIMIT)
    written = io.BytesIO()
    procfile = None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        members = sorted(tree.getmembers(), key=lambda member: member.name)[: ENTRY_LIMIT + 1]
        if len(members) > ENTRY_LIMIT:
            raise Refusal(
                422, "too_large", f"the tree has more than {ENTRY_LIMIT} entries, too many for the local profile"
            )
        with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as layer:
            for member in members:
                content = tree.extractfile(member) if member.isreg() else None
                layer.addfile(_normal(member, moment), content)
                if member.name == "Procfile" and member.isreg():
                    procfile = _text(tree, member)
    return written.getvalue(), procfile


def _text(tree: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content = tree.extractfile(member)
    return content.read(64_000).decode(errors="replace") if content else ""


def _normal(member: tarfile.TarInfo, moment: int) -> tarfile.TarInfo:
    """Give the entry without anything of the machine it came from."""
    normal = tarfile.TarInfo(member.name)
    normal.type, normal.size, normal.linkname = member.type, member.size, member.linkname
    normal.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    normal.mtime = moment
    return normal


def _process(procfile: str | None) -> tuple[list[str], str]:
    """Give the argument list of the `web:` line, and the health path."""
    if procfile is None:
        raise Refusal(422, "no_procfile", f"the commit has no Procfile, so nothing says how to start it; {ADVICE}")
    line = WEB_LINE.search(procfile)
    if line is None:
        raise Refusal(422, "no_procfile", f"the Procfile has no `web:` line; {ADVICE}")
    try:
        command = shlex.split(line[1])
    except ValueError as error:
        raise Refusal(422, "no_procfile", f"the `web:` line of the Procfile cannot be split: {error}") from None
    health = HEALTH_LINE.search(procfile)
    return command, health[1] if health else "/health"


def _config(command: list[str], health: str, commit: str, moment: int, layer: str) -> dict[str, Any]:
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    return {
        "created": created,
        # The tree is the same everywhere and so must the digest be; OCI has no name for "any machine".
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Cmd": command,
            "Env": ["PYTHONUNBUFFERED=1"],
            "WorkingDir": "/",
            "Labels": {REVISION_LABEL: commit, HEALTH_LABEL: health},
        },
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created": created, "created_by": "skill-engine local profile: git archive"}],
    }


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
