"""docs/telemetry.md works as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")
HELLO = "name: hello\ndescription: Greets.\nsteps:\n  - {name: greet, tool: echo, args: {value: hello}}\n"


def test_the_page_s_program_prints_what_stands_under_it(shell: Any) -> None:
    """A provider of one's own is told of the run."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "hello.yaml").write_text(HELLO)
    found = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    done = subprocess.run(
        [sys.executable, "-c", found[1]],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stderr, done.stdout) == ("", found[2])


def test_the_page_s_settings_and_its_command_show_spans_without_a_collector(shell: Any) -> None:
    """On standard error, so that the result stays alone on standard output."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "hello.yaml").write_text(HELLO)
    (shell.folder / "skill.toml").write_text(re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)[0])
    line = re.findall(r"```console\n\$ (.*?)\n```", PAGE, flags=re.DOTALL)[0]
    *variables, _, command, name = line.split()
    environment = dict(variable.split("=") for variable in variables)
    done = shell.run(command, name, environment=environment)
    assert done.returncode == 0, done.stderr
    assert '"name": "skill.run hello"' in done.stderr
    assert "skill.run hello" not in done.stdout
