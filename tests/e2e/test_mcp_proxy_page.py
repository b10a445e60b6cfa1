"""docs/mcp-proxy.md works as it is printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.shell import SKILL, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "mcp-proxy.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's first example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_the_shelf_answers_as_if_its_token_had_not_ended(tmp_path: Path) -> None:
    """The files of the page, the command of the page: the answer, the line on standard error, the story in history."""
    shell = Shell(folder=tmp_path, home=tmp_path / "home")
    (tmp_path / "tools").mkdir()
    (tmp_path / "token.txt").touch()
    for name, language in {
        "shelf.py": "python",
        "skill.toml": "toml",
        "tools/shelf_login.yaml": "yaml",
        "requests.jsonl": "jsonl",
    }.items():
        (tmp_path / name).write_text(block(language), encoding="utf-8")
    command = re.search(r"sleep \d+\) \| skill (mcp proxy --domain .*)$", PAGE, flags=re.MULTILINE)
    assert command is not None
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [str(SKILL), *command[1].split()],
        cwd=shell.folder,
        env=shell.environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(block("jsonl"))
        process.stdin.flush()
        answers = {each["id"]: each["result"] for each in (json.loads(process.stdout.readline()) for _ in range(2))}
        rest, errors = process.communicate(timeout=60)
    assert answers[2] == {"content": [{"type": "text", "text": "three books"}], "isError": False}
    assert (process.returncode, rest) == (0, "")
    (line,) = errors.splitlines()
    run = line.rpartition(" ")[2].rstrip(")")
    assert line.replace(run, "RUN") == re.sub(r"\d{8}-\d{6}-\w{6}", "RUN", block("text").strip())
    (step,) = shell.json("status", run)["steps"]
    assert (step["status"], step["fixes"]) == ("healed", ["shelf_login()"])


def test_the_entry_for_hosts_is_json_and_its_options_are_those_of_the_command() -> None:
    """What stands after `skill` is what the command takes."""
    entry = json.loads(block("json"))["mcpServers"]["git"]
    assert entry["args"][2:5] == ["mcp", "proxy", "--"]
    assert shutil.which(SKILL) is not None


def test_every_option_is_told_of() -> None:
    """The page names all that the help lists."""
    told = subprocess.run([SKILL, "mcp", "proxy", "--help"], capture_output=True, text=True, check=True, timeout=60)
    options = set(re.findall(r"^\s+(--[a-z]+)", told.stdout, flags=re.MULTILINE)) - {"--help"}
    assert options
    assert not {option for option in options if option not in PAGE}
    assert max(map(len, told.stdout.splitlines())) <= 80
