"""docs/library.md works as it is printed: every program runs, and prints what stands below it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import engine
from tests.shell import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
SKILL = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)[0]
PROGRAMS = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, flags=re.DOTALL))
PRINTED = dict(re.findall(r"```python\n# (\w+\.py)\n.*?```\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL))
SLOW_SKILL = """name: slow
description: Waits.
steps:
  - {name: waits, tool: wait, args: {seconds: 60}}
always:
  - {name: swept, compute: result = 1}
"""


@pytest.fixture(autouse=True)
def _furnished(shell: Shell) -> None:
    """The page's folder, with its skill, and one that takes long."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "capacity.yaml").write_text(SKILL)
    (shell.folder / "skills" / "slow.yaml").write_text(SLOW_SKILL)
    for name, text in PROGRAMS.items():
        (shell.folder / name).write_text(text)


def _python(shell: Shell, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_page_s_skill_is_right(shell: Shell) -> None:
    """`skill check` finds nothing."""
    assert shell.run("check", "capacity").returncode == 0


@pytest.mark.parametrize("name", PRINTED)
def test_a_program_of_the_page_prints_what_the_page_says(shell: Shell, name: str) -> None:
    """Word for word."""
    done = _python(shell, "-W", "error", name)
    assert (done.stdout, done.stderr) == (PRINTED[name], "")


def test_every_program_of_the_page_is_run_by_a_test() -> None:
    """Those that print nothing are the web application and the test."""
    assert set(PROGRAMS) - set(PRINTED) == {"web.py", "test_capacity.py"}
    assert PAGE.count("```python") == len(PROGRAMS)


def test_the_page_names_every_public_name_and_each_tells_what_it_is() -> None:
    """The table at its end is the whole interface, and no name of it is without a docstring of its own."""
    named = re.findall(r"`(\w+)`", PAGE.partition("## The public names")[2])
    assert sorted(named) == sorted(engine.__all__)
    docs = {name: getattr(engine, name).__doc__ or "" for name in engine.__all__}
    assert [name for name, doc in docs.items() if len(doc) < 15 or doc.startswith(f"{name}(")] == []


def test_the_page_s_test_passes(shell: Shell) -> None:
    """In a folder that is not this project."""
    done = _python(shell, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_capacity.py")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@contextmanager
def _serving(shell: Shell) -> Iterator[str]:
    """The page's web application on a free port of this machine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "web:app", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=shell.folder, env={**os.environ, **shell.environment})
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the page's web application did not start")


def _events(text: str) -> list[tuple[str, dict[str, object]]]:
    return [(kind, json.loads(data)) for kind, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)]


def test_the_page_s_web_application_streams_a_run_and_its_answer(shell: Shell) -> None:
    """The first response ends with the question, the second goes on from the answer; a stranger's path is no skill."""
    with _serving(shell) as url:
        first = _events(httpx.post(f"{url}/skills/capacity", json={"load": 600}, timeout=30).text)
        assert (first[0][0], first[-1][0]) == ("run_started", "run_waiting")
        run_id = first[-1][1]["run_id"]
        second = _events(httpx.post(f"{url}/runs/{run_id}/answers", json={"agreed": True}, timeout=30).text)
        assert second[-1][0] == "run_finished"
        assert second[-1][1]["outputs"] == {"machines": 12}
        assert httpx.post(f"{url}/skills/web.yaml", json={}, timeout=30).status_code == 404
        refused = httpx.post(f"{url}/skills/capacity", json={"load": "much"}, timeout=30).text
        assert refused.startswith("event: error\n")


def test_a_browser_that_goes_away_cancels_its_run(shell: Shell) -> None:
    """The stream is closed, the run is cancelled and cleaned up, and the application serves on."""
    with _serving(shell) as url:
        with httpx.stream("POST", f"{url}/skills/slow", json={}, timeout=30) as response:
            for line in response.iter_lines():
                if line == "event: attempt_started":
                    break
        deadline = time.monotonic() + 60
        while (run := shell.json("status", "last", status=0))["status"] == "running" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert run["status"] == "cancelled"
        assert httpx.post(f"{url}/skills/capacity", json={"load": 1}, timeout=30).status_code == 200
