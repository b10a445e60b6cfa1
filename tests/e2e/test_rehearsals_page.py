"""docs/rehearsals.md works as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shell import Shell

DOCS = Path(__file__).parents[2] / "docs"
SHOP_TOOL = """
name: {name}
description: Talks to the shop.
effect: write
domain: shop
parameters: {{properties: {{{parameters}}}, required: [{required}]}}
command: {{argv: [sh, -c, exit 1]}}
"""
TOOLS = {
    "shop_order": ("names: {type: array, items: {type: string}}", "names"),
    "shop_order_cancel": ("order: {type: integer}", "order"),
    "shop_pay": ("order: {type: integer}, card: {type: string}", "order, card"),
}


def blocks(page: str, language: str) -> list[str]:
    """A page's examples in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The workspace of docs/workspace.md, with the skill and the rehearsals of the page."""
    folder = tmp_path / "work"
    for part in ("skills", "tools", "rehearsals"):
        (folder / part).mkdir(parents=True)
    (folder / "skill.toml").write_text(blocks("workspace.md", "toml")[0])
    for name, text in zip(("shop_items", "shop_login"), blocks("workspace.md", "yaml")[:2], strict=True):
        (folder / "tools" / f"{name}.yaml").write_text(text)
    for name, (parameters, required) in TOOLS.items():
        text = SHOP_TOOL.format(name=name, parameters=parameters, required=required)
        (folder / "tools" / f"{name}.yaml").write_text(text)
    skill, rehearsals = blocks("rehearsals.md", "yaml")
    (folder / "skills" / "restock.yaml").write_text(skill)
    (folder / "rehearsals" / "restock.yaml").write_text(rehearsals)
    return Shell(folder=folder, home=tmp_path / "home")


def test_the_page_s_rehearsals_pass(shell: Shell) -> None:
    """Word for word, and the output is the one it shows."""
    assert shell.run("check", "restock").returncode == 0
    done = shell.run("test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("rehearsals/restock.yaml ......\n6 passed in ")
    assert "rehearsals/restock.yaml ......\n    6 passed in " in (DOCS / "rehearsals.md").read_text()


def test_the_page_s_failure_is_the_one_it_shows(shell: Shell) -> None:
    """Without the undo, the lines of the page come out."""
    skill = shell.folder / "skills" / "restock.yaml"
    skill.write_text(re.sub(r"    undo: .*\n", "", skill.read_text()))
    done = shell.run("test")
    assert done.returncode == 1
    shown = (DOCS / "rehearsals.md").read_text().split("when the skill no longer takes back what it ordered:\n\n")[1]
    lines = [line.removeprefix("    ") for line in shown.split("\n## ")[0].splitlines()]
    missing = [
        line for line in lines if line.strip() not in {"", "..."} and " in 0." not in line and line not in done.stdout
    ]
    assert missing == []
