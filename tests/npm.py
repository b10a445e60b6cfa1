"""Programs and packages that are not Python's: had in CI, and elsewhere where they are to be had."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest


def program(name: str, *, package: str) -> str:
    """The path of a program of a Debian package; the test is skipped without it, except in CI, where it must be."""
    found = shutil.which(name)
    if found is None:
        _without(f"this test needs the program {name}: install the package {package}")
    return found


def unpacked(package: str, version: str) -> Path:
    """The folder of a package of npm, without those it needs; it is loaded once and kept among this user's caches."""
    kept = _cache() / "npm" / f"{package.replace('/', '+')}-{version}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_dir():
            _load(package, version, kept)
    return kept


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skill-engine-tests"


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
            _without(f"this test needs {package} {version} from npm, which could not be had: {done.stderr.strip()}")
        with tarfile.open(packed) as archive:
            archive.extractall(scratch, filter="data")
        (Path(scratch) / "package").rename(kept)


def _without(why: str) -> NoReturn:
    """Ends the test: CI has everything, so there it has failed."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
