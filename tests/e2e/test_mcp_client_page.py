"""docs/mcp-client.md works as it is printed, and the commands that look at servers say what there is."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.shell import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "mcp-client.md").read_text(encoding="utf-8")


def block(language: str, number: int = 0) -> str:
    """An example of the page in that language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return found[number]


@pytest.fixture
def here(tmp_path: Path) -> Shell:
    """A workspace with what the page shows."""
    folder = tmp_path / "work"
    (folder / "skills").mkdir(parents=True)
    (folder / "skill.toml").write_text(block("toml"), encoding="utf-8")
    (folder / "greeter.py").write_text(block("python"), encoding="utf-8")
    (folder / ".mcp.json").write_text(block("json"), encoding="utf-8")
    (folder / "skills" / "morning.yaml").write_text(block("yaml"), encoding="utf-8")
    return Shell(folder=folder, home=tmp_path / "home")


PATH = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
"""Where `python3` has the SDK."""


def test_the_server_of_the_page_is_listed_and_called(here: Shell) -> None:
    """As printed; nothing is checked, listed or looked at by starting it."""
    command, _, expected = block("console").partition("\n")
    assert "not checked; `skill mcp tools greeter`" in here.run("check", "morning").stderr
    assert json.loads(here.run("mcp", "list", "--json").stdout)[0]["tools"] is None
    done = here.run(*command.split()[2:], environment=PATH)
    assert done.stdout == expected, done.stderr
    ran = here.run(*block("console", 1).split()[2:], environment=PATH)
    assert ran.stdout.splitlines()[0].strip() in PAGE
    assert re.sub(r"in [\d.]+ s", "in 0.86 s", ran.stdout.splitlines()[-1]) in PAGE
    assert here.run("check", "morning").stderr.endswith("0 errors, 0 warnings\n")


def test_the_settings_of_the_page_are_settings(here: Shell) -> None:
    """They fit the schema, and count."""
    assert tomllib.loads(block("toml"))["mcp"]["servers"]["greeter"]["timeout"] == 30
    here.run("mcp", "tools", environment=PATH)
    shown = json.loads(here.run("tools", "greeter.greet", "--json").stdout)
    assert (shown["effect"], shown["timeout"], shown["domain"]) == ("read", 30.0, "mcp:greeter")


def test_servers_that_work_and_servers_that_do_not_are_told_apart(here: Shell) -> None:
    """`skill mcp check` says why, and what the server said last."""
    servers = json.loads(block("json"))
    servers["mcpServers"] |= {
        "broken": {"command": sys.executable, "args": ["-c", "import sys; sys.exit('no licence')"]},
        "poor": {"command": "x", "env": {"KEY": "${NOBODY_SETS_THIS}"}},
        "off": {"command": "x", "disabled": True},
    }
    (here.folder / ".mcp.json").write_text(json.dumps(servers), encoding="utf-8")
    done = here.run("mcp", "check", "--json", environment=PATH)
    looks = {look["name"]: look for look in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {name: look["ok"] for name, look in looks.items()} == {"greeter": True, "broken": False, "poor": False}
    assert looks["broken"]["message"].endswith("it ended with exit status 1; it said: no licence")
    assert "NOBODY_SETS_THIS" in looks["poor"]["message"]
    listed = here.run("mcp", "list").stdout
    for word in ("needs NOBODY_SETS_THIS, not set", "disabled", "ready"):
        assert word in listed
    assert max(map(len, listed.splitlines())) <= 80
    assert "mcp server" in here.run("doctor", environment=PATH).stdout


def test_a_server_that_is_not_there_is_wrong_usage(here: Shell) -> None:
    """With the nearest of those that are."""
    done = here.run("mcp", "tools", "greter")
    assert done.returncode == 2
    assert "did you mean greeter?" in done.stderr


def test_a_workspace_without_servers_says_where_they_are_named(here: Shell) -> None:
    """And that is no failure."""
    (here.folder / ".mcp.json").unlink()
    (here.folder / "skill.toml").write_text("", encoding="utf-8")
    for words in (["list"], ["tools"], ["check"]):
        done = here.run("mcp", *words)
        assert (done.returncode, "`.mcp.json`" in done.stderr) == (0, True), done.stderr
        assert json.loads(here.run("mcp", *words, "--json").stdout) == []


def test_a_broken_file_is_told_with_its_place(here: Shell) -> None:
    """By every command that needs the tools."""
    (here.folder / ".mcp.json").write_text('{\n\t"mcpServers": {,}\n}', encoding="utf-8")
    for words in (["mcp", "list"], ["run", "morning"], ["check"]):
        done = here.run(*words)
        assert done.returncode == 6
        assert ".mcp.json:2:17" in done.stdout + done.stderr


def test_the_inherited_variables_are_those_of_the_page() -> None:
    """Whoever reads the page knows what a server sees."""
    from tool_registry.sources.mcp_stdio import INHERITED  # noqa: PLC0415 - the page is what is tested

    row = next(line for line in PAGE.splitlines() if line.startswith("| `env` |"))
    assert set(re.findall(r"`([A-Z_]+)`", row)) == set(INHERITED)
