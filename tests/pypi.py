"""Programs of PyPI that want a Python environment of their own: had in CI, and elsewhere where they are to be had."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

from tests.npm import cache, locked, without


def installed(*requirements: str) -> Path:
    """The folder with the programs of these requirements (`NAME==VERSION`); installed once for this user."""
    named = "\n".join([sys.version, *sorted(requirements)])
    kept = cache() / "pypi" / sha256(named.encode()).hexdigest()[:16]
    with locked(kept):
        if not (kept / "complete").exists():
            _install(requirements, kept)
    return kept / "bin"


def _install(requirements: tuple[str, ...], kept: Path) -> None:
    """Made where it stays, because a virtual environment cannot be moved, by the pip there is; marked at the end."""
    shutil.rmtree(kept, ignore_errors=True)
    venv.create(kept)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", kept, "install", "--quiet", "--no-input", *requirements],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        without(f"this test needs {', '.join(requirements)} from PyPI, which could not be had: {done.stderr.strip()}")
    (kept / "complete").touch()
