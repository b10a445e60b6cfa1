"""Programs and packages that are not Python's: had in CI, and elsewhere where they are to be had."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import pytest

NODE = "24.21.0"
"""The Node.js that third-party programs get where the machine's own is too old for them."""
OLDEST_NODE = (22, 19)
"""What the MCP Inspector asks for; everything else makes do with 20."""
DAY = "2026-11-20"
"""What is needed by what is named is taken as it was on this day, so that two machines get the same."""


def program(name: str, *, package: str) -> str:
    """The path of a program of a Debian package; the test is skipped without it, except in CI, where it must be."""
    found = shutil.which(name)
    if found is None:
        without(f"this test needs the program {name}: install the package {package}")
    return found


def unpacked(package: str, version: str) -> Path:
    """The folder of a package of npm, without those it needs; it is loaded once and kept among this user's caches."""
    kept = cache() / "npm" / f"{package.replace('/', '+')}-{version}"
    with locked(kept):
        if not kept.is_dir():
            _load(package, version, kept)
    return kept


def installed(packages: Mapping[str, str]) -> Path:
    """The `node_modules` with these packages at these versions and all they need; installed once for this user."""
    named = json.dumps([DAY, dict(sorted(packages.items()))])
    kept = cache() / "npm" / f"installed-{sha256(named.encode()).hexdigest()[:16]}"
    with locked(kept):
        if not kept.is_dir():
            _install(packages, kept)
    return kept / "node_modules"


def node() -> str:
    """A Node.js that is new enough for all third-party programs: the machine's, or else one from npm."""
    found = program("node", package="nodejs")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    major, minor = (int(part) for part in said.strip().removeprefix("v").split(".")[:2])
    if (major, minor) >= OLDEST_NODE:
        return found
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"node-{sys.platform}-{machine}"
    return str(installed({package: NODE}) / package / "bin" / "node")


def cache() -> Path:
    """The folder in which the tests of this user keep what they have loaded."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skill-engine-tests"


@contextmanager
def locked(kept: Path) -> Iterator[None]:
    """Nobody else fills `kept` meanwhile, in whatever process."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(packages: Mapping[str, str], kept: Path) -> None:
    words = [
        program("npm", package="npm"),
        "install",
        "--loglevel=error",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]
    named = [f"{package}@{version}" for package, version in packages.items()]
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        (fresh / "package.json").write_text('{"private": true}')
        done = subprocess.run(
            [*words, f"--before={DAY}", *named], cwd=fresh, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            without(f"this test needs {', '.join(named)} from npm, which could not be had: {done.stderr.strip()}")
        fresh.rename(kept)


def _load(package: str, version: str, kept: Path) -> None:
    npm = program("npm", package="npm")
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        done = subprocess.run(
            [npm, "pack", "--silent", "--ignore-scripts", f"{package}@{version}"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        packed = next(Path(scratch).glob("*.tgz"), None)
        if done.returncode or packed is None:
            without(f"this test needs {package} {version} from npm, which could not be had: {done.stderr.strip()}")
        with tarfile.open(packed) as archive:
            archive.extractall(scratch, filter="data")
        (Path(scratch) / "package").rename(kept)


def without(why: str) -> NoReturn:
    """Ends the test: CI has everything, so there it has failed."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
