"""docs/git-and-registries.md says what is so: its settings are taken, and its tables name what the tools read."""

from __future__ import annotations

import re
from pathlib import Path

from tests.shell import Shell

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "git-and-registries.md").read_text(encoding="utf-8")
FAMILIES = ("registry_access", "registry_logins", "vulnerabilities", "git_servers")


def test_the_settings_of_the_page_are_taken(tmp_path: Path) -> None:
    """Both domains in one file; the skill that uses them is checked against it."""
    shell = Shell(folder=tmp_path / "work", home=tmp_path / "home")
    shell.folder.mkdir()
    (shell.folder / "skill.toml").write_text("\n".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)))
    checked = shell.run("check", "scan_vulnerabilities")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    shown = shell.run("doctor", "--json")
    assert "skill.toml" in shown.stdout
    assert "unknown" not in shown.stderr


def test_every_setting_that_is_read_stands_on_the_page() -> None:
    """Written as `settings.get("NAME")`, or by reference."""
    source = "".join((ROOT / "tool_registry" / "functions" / f"{name}.py").read_text() for name in FAMILIES)
    named = set(re.findall(r"settings\.get\(\"([a-z_]+)\"\)", source))
    named |= {"credential"} | set(re.findall(r"setting=\"([a-z_]+)\"", source))
    assert {"username", "auth_file", "api_credential"} <= named
    assert [name for name in sorted(named) if f"`{name}`" not in PAGE] == []
