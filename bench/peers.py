"""The peers, installed into a scratch environment; one that cannot be had is left out, and the report says so."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.workloads import Prepare, ansible, bare, dbos, ours, task


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Something that does the same work; `version` as it says itself."""

    name: str
    version: str
    prepare: Prepare


def peers(scratch: Path) -> Iterator[Peer | str]:
    """Us first, then every peer that can be had; a text says which could not, and why."""
    yield from ourselves()
    python = _environment(scratch / "peers")
    yield _installed("go-task", lambda: _go_task(python))
    yield _installed("DBOS", lambda: Peer(name="DBOS", version=_install(python, "dbos"), prepare=dbos(python)))
    yield _installed(
        "Ansible",
        lambda: Peer(name="Ansible", version=_install(python, "ansible-core"), prepare=ansible(python.parent)),
    )


def ourselves() -> Iterator[Peer]:
    """Us, and the bare Python that everything is compared with."""
    yield Peer(name="skill", version="this checkout", prepare=ours)
    yield Peer(name="bare Python", version=sys.version.split()[0], prepare=bare)


def _installed(name: str, get: Callable[[], Peer]) -> Peer | str:
    try:
        return get()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{name} could not be installed: {error}"


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    return python


def _install(python: Path, package: str) -> str:
    pip = (str(python), "-m", "pip", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, "install", package], check=True, capture_output=True)
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _go_task(python: Path) -> Peer:
    """go-task from PyPI, where its program is inside the package; the npm package fetches one from elsewhere."""
    _install(python, "go-task-bin")
    program = python.parent / "task"
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    return Peer(name="go-task", version=version, prepare=task(program))
