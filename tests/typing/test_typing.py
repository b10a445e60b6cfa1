"""The library's types as a program that embeds it sees them: mypy and pyright, both at their strictest."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.npm import program, unpacked

CONSUMER = Path(__file__).parent / "consumer"
PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
PYRIGHT = "1.1.414"


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """The program in a folder of its own, as in a repository that has the engine installed, and those of the page."""
    folder = shutil.copytree(CONSUMER, tmp_path / "consumer")
    for name, text in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, flags=re.DOTALL):
        (folder / name).write_text(text)
    return folder


@pytest.mark.slow
def test_a_program_is_typed_in_mypy_s_strict_mode(project: Path) -> None:
    """What the pages show has the types they say, and each of the marked mistakes is one."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "."],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_program_is_typed_in_pyright_s_strict_mode(project: Path) -> None:
    """The same in the checker that many editors have."""
    node = program("node", package="nodejs")
    command = [
        node,
        str(unpacked("pyright", PYRIGHT) / "index.js"),
        "--outputjson",
        "--pythonpath",
        sys.executable,
        ".",
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=110)
    told = json.loads(done.stdout)
    found = [
        f"{Path(each['file']).name}:{each['range']['start']['line'] + 1}: {each['message']}"
        for each in told["generalDiagnostics"]
    ]
    assert found == []
    assert told["summary"]["filesAnalyzed"] == 2 + PAGE.count("```python")
