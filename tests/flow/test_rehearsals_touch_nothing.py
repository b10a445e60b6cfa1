"""Nothing real happens in a rehearsal: Python itself says so, at the door through which every such thing must go."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.place import Place
from engine.model.rehearsal import CallEnd, Expected, Rehearsal, Wanted
from engine.run.rehearsal.script import Script
from engine.run.rehearsal.stage import Stage
from engine.wiring import Engine
from engine.workspace import find_workspace
from tests.flow.playhouse import Playhouse, messages
from tool_registry.tool import ToolContext, ToolError

ROOT = Path(__file__).resolve().parents[2]
WATCHED = """
import json, os, sys
sys.dont_write_bytecode = True
home, told = sys.argv[1], []
REAL = {
    "subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
}
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree"}

def inside(path, folder=-1):
    if isinstance(path, int) or path == os.devnull:
        return True
    start = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else os.getcwd()
    return os.path.join(start, os.fsdecode(path)).startswith(home)

def watch(event, details):
    if event in REAL:
        told.append([event, str(details)[:200]])
    elif event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR) and not inside(details[0]):
        told.append([event, str(details)[:200]])
    elif event in CHANGES and not inside(*place(event, details)):
        told.append([event, str(details)[:200]])

def place(event, details):
    if event in {"os.link", "os.symlink"}:
        return details[1], -1
    return details[0], details[-1] if event in {"os.remove", "os.rmdir", "os.mkdir"} else -1

def main():
    from engine.frontends.cli import main as skill
    try:
        skill()
    finally:
        print(json.dumps(told), file=sys.__stderr__)

sys.argv = ["skill", "test", "--json"]
sys.addaudithook(watch)
main()
"""
"""The command with a hook that Python calls before it starts a program, opens a connection, or changes a file."""


@pytest.mark.skipif(sys.platform != "linux", reason="the watch asks /proc which folder a descriptor is")
def test_rehearsals_start_no_program_open_no_connection_and_write_nowhere_else(tmp_path: Path) -> None:
    """All rehearsals of the shipped skills; only a folder for temporary files, and the home, are written to."""
    environment = {"PATH": "", "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "SKILL_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert json.loads(done.stdout)["failed"] == 0, done.stdout
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_the_watch_sees_what_is_real(tmp_path: Path) -> None:
    """The same watch around something real tells of it: a watch that sees nothing proves nothing."""
    real = WATCHED.replace('["skill", "test", "--json"]', '["skill", "run", "git_log_of_here"]')
    (tmp_path / "work" / "skills").mkdir(parents=True)
    (tmp_path / "work" / "skills" / "git_log_of_here.yaml").write_text(
        "name: git_log_of_here\ndescription: Asks git.\nsteps:\n"
        "  - {name: look, tool: git_repository, args: {repo: .}, on_error: continue}\n"
        "  - {name: write, tool: file_write, args: {path: ../../outside, text: real}, on_error: continue}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", real, str(tmp_path / "home")],
        cwd=tmp_path / "work",
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SKILL_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    told = {event for event, _ in json.loads(done.stderr.splitlines()[-1])}
    assert told & {"subprocess.Popen", "open", "socket.connect"}


async def test_every_tool_there_is_refuses_to_be_called_for_real(tmp_path: Path) -> None:
    """Whatever way leads to a tool on a stage, only canned answers come back."""
    place = Place(file="f", line=1, column=1)
    expected = Expected(status=Wanted(way="expect.status", place=place, value="ok"))
    script = Script(Rehearsal(name="none", skill="none", place=place, skill_place=place, expected=expected))
    stage = Stage(Engine(find_workspace(tmp_path, home=tmp_path / "home")).registry, script, listed=frozenset())
    for name in stage:
        with pytest.raises(ToolError, match="the rehearsal: `tools` has no answers of"):
            await stage[name].call({}, ToolContext(folder=tmp_path, state=tmp_path))
    assert [call.end for call in script.calls] == [CallEnd.UNANSWERED] * len(stage)
    assert {stage[name].source for name in stage} == {"canned"}


def test_the_kill_switch_of_the_real_world_stops_nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where people switched healing off for real, a rehearsal still tells whether the skill would heal."""
    monkeypatch.setenv("SKILL_HEAL", "off")
    house = Playhouse(tmp_path)
    house.furnish()
    house.skill("peek", "steps: [{name: look, tool: look}]")
    verdict = house.play(
        """
        skill: peek
        tools:
          look: [{failure: {kind: auth_expired, message: locked}}, {works: true}]
          log_in: [{works: true}]
        expect: {steps: {look: healed}, calls: {log_in: 1}}
        """,
        shared="",
    )
    assert messages(verdict) == []
