"""The reference validator of the Agent Skills format, in a place of its own, and skills that are given to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.npm import cache, locked, without

PINNED = ("skills-ref==0.1.1", "strictyaml==1.7.3")
_ASK = """
import json, sys
from pathlib import Path
from skills_ref import read_properties, validate
told = {}
for each in sys.argv[1:]:
    wrong = validate(Path(each))
    told[each] = {"wrong": wrong, "says": {} if wrong else read_properties(Path(each)).to_dict()}
print(json.dumps(told))
"""


def validated(folders: Iterable[Path]) -> dict[str, dict[str, object]]:
    """What the reference validator reads in each folder, by name; every one of them must be valid."""
    listed = list(folders)
    done = subprocess.run(
        [_validator(), "-c", _ASK, *map(str, listed)], capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(done.stdout)
    assert {Path(each).name: found["wrong"] for each, found in told.items() if found["wrong"]} == {}
    return {Path(each).name: found["says"] for each, found in told.items()}


def _validator() -> Path:
    """The Python that knows the validator; it is installed once and kept among this user's caches."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    kept = cache() / "pypi" / f"{PINNED[0]}-py{version}"
    with locked(kept):
        if not (kept / "installed").is_file():
            _install(kept)
    return kept / "bin" / "python"


def _install(kept: Path) -> None:
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(kept)],
        [str(kept / "bin" / "python"), "-m", "pip", "install", "--quiet", *PINNED],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        if done.returncode:
            without(f"this test needs {PINNED[0]} from PyPI, which could not be had: {done.stderr.strip()[-500:]}")
    (kept / "installed").touch()
