"""A page's commands, planned with the page's own settings: their servers are made up, so nothing is done."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.flow.workshop import Workshop

DOCS = Path(__file__).parents[2] / "docs"
LOGIN = """
name: {name}
description: Gets a new token.
effect: write
idempotent: true
fix: credentials
command: {{argv: ["true"], output: none}}
"""


def commands_of(page: str) -> list[str]:
    """The `skill` commands that a page shows, without the first word; a page without any would test nothing."""
    found = re.findall(r"^    skill (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{page} shows no commands"
    return found


def assert_could_run(page: str, command: str, folder: Path, *, login: str = "") -> None:
    """The command is accepted with the settings of the page; `login` is the tool of one's own that they name."""
    place = Workshop(folder / "work", folder / "home")
    (place.folder / "tools").mkdir(parents=True)
    (settings,) = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    (place.folder / "skill.toml").write_text(settings)
    if login:
        (place.folder / "tools" / f"{login}.yaml").write_text(LOGIN.format(name=login))
    done = place.run(*shlex.split(command), "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
