"""How others start this command again: systemd, cron, a host of agents; none of them has a terminal's PATH."""

from __future__ import annotations

import os
import sys
from pathlib import Path

KEPT = ("SKILL_HOME", "PATH")


def own_program() -> tuple[str, ...]:
    """The words that start `skill`: its whole path, or this interpreter where the program does not lie beside it."""
    beside = Path(sys.executable).with_name("skill")
    # `-P`: a folder `engine` of the workspace is not to be taken for this package.
    return (str(beside),) if beside.exists() else (sys.executable, "-P", "-m", "engine")


def own_environment() -> dict[str, str]:
    """The variables it has to find again."""
    return {name: os.environ[name] for name in KEPT if os.environ.get(name)}
