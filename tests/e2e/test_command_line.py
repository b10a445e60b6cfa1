"""The command as scripts and people call it, in pipes: results on standard output, the rest on standard error."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.bundle import bundle
from engine.frontends.cli.commands import COMMANDS

SKILL = Path(sys.executable).with_name("skill")
GREET = """\
name: greet
description: Greets somebody. The second sentence is not shown everywhere.
inputs:
  - name: who
    type: string
    required: true
    description: Whom to greet.
  - name: times
    type: integer
    default: 1
steps:
  - name: word
    tool: echo
    args: {value: "hello {{ inputs.who }}"}
  - name: aside
    condition: inputs.times > 5
    tool: echo
    args: {value: many}
outputs:
  - name: said
    value: "{{ word }}"
"""
BAD = "name: bad\ndescription: Wrong.\nsteps:\n  - name: a\n    tool: ecko\n"
SLOW = """\
name: slow
description: Waits, and cleans up slowly.
steps:
  - name: long
    tool: wait
    args: {seconds: 60}
always:
  - name: tidy
    tool: wait
    args: {seconds: 30}
"""


@pytest.fixture
def work(shell: Any) -> Any:
    """A shell with skills of its own."""
    (shell.folder / "skills").mkdir()
    for name, text in {"greet": GREET, "bad": BAD, "slow": SLOW}.items():
        (shell.folder / "skills" / f"{name}.yaml").write_text(text)
    return shell


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    """Fast enough to be asked often."""
    code = (
        "import sys\nfrom engine.frontends.cli import app, Session\n"
        "try: app.main(['--help'], prog_name='skill', obj=Session())\nexcept SystemExit: pass\n"
        "print(sorted({'yaml', 'anyio', 'asyncio', 'sqlite3', 'jsonschema', 'jinja2', 'click.testing', 'tomllib'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert [name for name in COMMANDS if f"\n  {name} " not in done.stdout] == []
    assert "\\b" not in done.stdout


OF_AGENTS = ("mcp", "mcp_types", "opentelemetry", "pydantic", "starlette", "uvicorn", "httpx2", "cryptography")
OUR_OWN = ("engine.frontends.mcp_server", "engine.telemetry", "engine.agent_skills", "engine.frontends.cli.mcp")


@pytest.mark.parametrize("servers", ["", '{"mcpServers": {"other": {"command": "sh"}}}'], ids=["none", "unused"])
@pytest.mark.parametrize("words", [["run", "greet", "-i", "who=you"], ["list"], ["check"], ["history"]], ids=" ".join)
def test_what_agents_need_is_imported_by_nothing_else(shell: Any, words: list[str], servers: str) -> None:
    """Neither the packages of the extras nor what stands on them, also where servers are named that nothing uses."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "greet.yaml").write_text(GREET)
    (shell.folder / ".mcp.json").write_text(servers or "{}")
    code = (
        "import sys\nfrom engine.frontends.cli import app, Session\n"
        f"try: app.main({words!r}, prog_name='skill', obj=Session())\nexcept SystemExit as end: assert not end.code\n"
        f"of_agents = lambda name: name.split('.')[0] in {OF_AGENTS!r} or name.startswith({OUR_OWN!r})\n"
        "print(sorted(filter(of_agents, sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_option_of_every_command_is_documented(work: Any) -> None:
    """docs/commands.md names each long option that is not for every command."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    helps = work.many(*([name, "--help"] for name in COMMANDS))
    listed = {line for said in helps for line in re.findall(r"^  (-.*?)(?:  |$)", said, re.MULTILINE)}
    options = {line: re.findall(r"--?[a-zA-Z][a-z-]*", line) for line in listed}
    assert len(options) > 15
    assert [
        line for line, names in options.items() if not any(re.search(f"`(skill .*)?{name}", page) for name in names)
    ] == []


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["lsit"], "`list`"),
        (["runn", "greet"], "`run`"),
        (["memory", "shwo"], "`show`"),
        (["run", "greet", "--hael", "off"], "--heal"),
        (["tools", "ecko"], "echo"),
        (["run", "greet", "-i", "wo=x"], "who"),
    ],
)
def test_what_is_mistyped_is_answered_with_the_nearest(work: Any, words: list[str], near: str) -> None:
    """Exit status 2, and what was probably meant."""
    done = work.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert near in done.stderr
    assert done.stderr.startswith("error: ")


def test_a_mistyped_skill_or_schema_exits_with_3(work: Any) -> None:
    """There is no such thing, and here is what there is."""
    assert "greet" in (done := work.run("run", "gret")).stderr
    assert "skill" in (other := work.run("schema", "skil")).stderr
    assert (done.returncode, other.returncode) == (3, 3)


def test_run_without_a_name_lists_the_skills(work: Any) -> None:
    """On standard error, with the first sentence of each; wrong usage."""
    done = work.run("run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "greet" in done.stderr
    assert "second sentence" not in done.stderr


@pytest.mark.parametrize("words", [["greet", "--help"], ["-i", "who=x", "--heal", "off", "greet", "-h"]])
def test_help_of_a_skill_lists_its_inputs_wherever_its_name_stands(work: Any, words: list[str]) -> None:
    """Type, whether it is required, default, and what it is for."""
    done = work.run("run", *words)
    assert done.returncode == 0
    assert "(string; required) Whom to greet." in done.stdout
    assert "default 1" in done.stdout


def test_an_input_without_its_option_is_told_how(work: Any) -> None:
    """`skill run greet who=x` is what everybody types first."""
    done = work.run("run", "greet", "who=x")
    assert done.returncode == 2
    assert "-i NAME=VALUE" in done.stderr


def test_a_missing_input_is_an_error_where_nobody_can_be_asked(work: Any) -> None:
    """In a pipe, nothing waits for an answer."""
    done = work.run("run", "greet")
    assert (done.returncode, done.stdout) == (2, "")
    assert "who is missing" in done.stderr


def test_progress_goes_to_standard_error_and_the_result_to_standard_output(work: Any) -> None:
    """Plain lines without escapes, none wider than what they say."""
    done = work.run("run", "greet", "-i", "who=you")
    assert done.returncode == 0
    assert "  ✓ word " in done.stderr
    assert "skipped: aside" in done.stderr
    assert "said  hello you" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stderr


def test_quiet_is_quiet(work: Any) -> None:
    """Nothing on standard error, and only the outputs on standard output; of a table the first column."""
    done = work.run("run", "greet", "-i", "who=you", "-q")
    assert (done.stdout, done.stderr) == ("  said  hello you\n", "")
    listed = work.run("list", "-q")
    shipped = [path.stem for path in bundle("skills").glob("*.yaml")]
    assert listed.stdout.splitlines() == sorted(["bad", "greet", "slow", *shipped])
    assert listed.stderr == ""


def test_verbose_shows_values_and_inputs(work: Any) -> None:
    """What the steps gave."""
    done = work.run("run", "greet", "-i", "who=you", "-v")
    assert '"hello you"' in done.stderr
    assert '"who": "you"' in done.stderr
    assert "condition is false" in done.stderr


def test_jsonl_streams_events_as_they_happen_and_ends_with_the_result(work: Any) -> None:
    """The first line comes while the run still goes on."""
    process = work.start("run", "slow", "-o", "jsonl")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert first["event"] == "run_started"
    assert process.poll() is None
    for _ in range(3):
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.4)
    process.communicate(timeout=20)
    done = work.run("run", "greet", "-i", "who=you", "-o", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in lines][-2:] == ["run_finished", "result"]
    assert lines[-1]["outputs"] == {"said": "hello you"}
    assert done.stderr == ""


SPEAKING = [
    ["list"],
    ["show", "greet"],
    ["check", "greet"],
    ["tools"],
    ["tools", "echo"],
    ["history"],
    ["status"],
    ["logs"],
    ["memory", "show"],
    ["memory", "show", "patterns"],
    ["doctor"],
    ["schema"],
]


def test_every_command_speaks_json_and_yaml(work: Any) -> None:
    """`--json` is JSON and nothing else; `-o yaml` reads back as the same."""
    from engine.documents import parse  # noqa: PLC0415 - the one test that reads YAML

    assert work.run("run", "greet", "-i", "who=you").returncode == 0
    (work.folder / "skills" / "bad.yaml").unlink()
    told = work.many(*([*words, *how] for words in SPEAKING for how in (["--json"], ["-o", "yaml"])))
    for words, value, text in zip(SPEAKING, told[::2], told[1::2], strict=True):
        assert parse(text, "told").value == json.loads(value), words


def test_findings_show_the_line_and_a_caret(work: Any) -> None:
    """In a pipe without colour; `run` and `check` alike, exit status 6."""
    for words in (["check", "bad"], ["run", "bad"]):
        done = work.run(*words)
        told = (done.stdout + done.stderr).splitlines()
        assert done.returncode == 6
        assert told[0].startswith("skills/bad.yaml:5:11: unknown-tool there is no tool called ecko")
        assert told[1] == "     5 |     tool: ecko"
        assert told[2] == "       |           ^"


def test_a_broken_tool_of_the_workspace_exits_with_6(work: Any) -> None:
    """The file and a sentence, whatever the mistake."""
    (work.folder / "tools").mkdir()
    file = work.folder / "tools" / "hi.yaml"
    for command in ("[echo]", "{argv: [echo, '{nobody}'], output: text}", "{argv: [echo], output: text", "{}"):
        file.write_text(f"name: hi\ndescription: Says hi.\neffect: read\ncommand: {command}\n")
        done = work.run("tools")
        assert done.returncode == 6, done.stderr
        assert "tools/hi.yaml" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(work: Any) -> None:
    """`skill logs | head -1` says nothing on standard error."""
    work.run("run", "greet", "-i", "who=you")
    for command in ("logs", "tools --json", "schema", "memory show patterns", "--help"):
        piped = f"'{SKILL}' {command} | head -1"
        done = subprocess.run(
            ["bash", "-c", piped], cwd=work.folder, env=work.environment, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""


def test_a_reader_that_leaves_does_not_end_the_run(work: Any) -> None:
    """The events have no reader any more; the run comes to its end, and history has it."""
    piped = f"'{SKILL}' run greet -i who=you -o jsonl | head -1"
    subprocess.run(["bash", "-c", piped], cwd=work.folder, env=work.environment, capture_output=True, check=False)
    assert work.json("status")["status"] == "ok"


def test_the_second_ctrl_c_says_so_and_the_third_aborts(work: Any) -> None:
    """The first cancels; cleaning up is not cut short by impatience, only by insistence."""
    process = work.start("run", "slow")
    assert process.stderr is not None
    try:
        assert "slow" in process.stderr.readline()
        time.sleep(0.5)
        for words in ("cancelling", "cleaning up is under way", "aborted"):
            os.kill(process.pid, signal.SIGINT)
            while words not in (line := process.stderr.readline()):
                assert line, f"the output ended before {words!r}"
        assert process.wait(timeout=10) == 130
    finally:
        process.kill()
        process.communicate(timeout=10)
    assert work.json("status")["status"] == "interrupted"


def test_ctrl_c_outside_a_run_is_130(work: Any) -> None:
    """Without a traceback."""
    code = "import os, signal, sys; sys.argv = ['skill', 'list']; import engine.frontends.cli as cli\n"
    code += "cli.app.main = lambda **_: os.kill(os.getpid(), signal.SIGINT)\ncli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=work.folder)
    assert (done.returncode, done.stderr) == (130, "")


def test_doctor_says_what_is_missing_and_what_to_do(work: Any, tmp_path: Path) -> None:
    """Without git, and with a home that cannot be: both named in one go, exit status 1."""
    (tmp_path / "no-programs").mkdir()
    (tmp_path / "file").touch()
    done = work.run(
        "doctor", environment={"PATH": str(tmp_path / "no-programs"), "SKILL_HOME": str(tmp_path / "file" / "home")}
    )
    assert done.returncode == 1
    assert "✗ git" in done.stdout
    assert "install git" in done.stdout
    assert "✗ live files" in done.stdout
    assert "set SKILL_HOME" in done.stdout
    assert work.run("doctor").returncode == 1  # the skill called bad is there
    (work.folder / "skills" / "bad.yaml").unlink()
    assert work.run("doctor").returncode == 0


def test_a_home_that_cannot_be_written_ends_clearly(work: Any, tmp_path: Path) -> None:
    """A run says where history cannot be kept; what only reads works all the same."""
    (tmp_path / "file").touch()
    nowhere = {"SKILL_HOME": str(tmp_path / "file" / "home")}
    done = work.run("run", "greet", "-i", "who=you", environment=nowhere)
    assert done.returncode == 1
    assert "history cannot be kept" in done.stderr
    for words in (["list"], ["tools"], ["check", "greet"], ["memory", "show"], ["history"]):
        assert work.run(*words, environment=nowhere).returncode == 0


def complete(work: Any, line: str) -> list[str]:
    """What bash is told when TAB is pressed at the end of `line`."""
    words = line.split(" ")
    told = {"_SKILL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return [answer.partition(",")[2] for answer in work.run(environment=told).stdout.splitlines() if answer]


def test_bash_completes_through_the_real_protocol(work: Any) -> None:
    """Commands, skills after `run`, inputs after `-i`, tools, options, schemas, runs."""
    assert complete(work, "skill his") == ["history"]
    assert complete(work, "skill run gr") == ["greet"]
    assert complete(work, "skill run greet -i ") == ["who=", "times="]
    assert complete(work, "skill run --heal off greet -i t") == ["times="]
    assert complete(work, "skill run greet -i who=") == []
    assert complete(work, "skill run nothing -i ") == []
    assert complete(work, "skill tools ech") == ["echo"]
    assert "--timeout" in complete(work, "skill run --t")
    assert complete(work, "skill schema to") == ["tool", "tool_failures", "tool_fixes"]
    assert complete(work, "skill status ") == ["last"]
    assert complete(work, "skill memory show p") == ["patterns"]


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(work: Any, kind: str) -> None:
    """And bash accepts its own."""
    done = work.run("completion", kind)
    assert "_SKILL_COMPLETE" in done.stdout
    if kind == "bash":
        assert subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=False).returncode == 0
        assert "nospace" in done.stdout


def test_completing_a_skill_reads_no_yaml(work: Any) -> None:
    """Names come from file names: fast enough for TAB."""
    code = (
        "import sys\nfrom engine.frontends.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "print(sorted({'sqlite3', 'jsonschema', 'jinja2'} & set(sys.modules)))"
    )
    told = {"_SKILL_COMPLETE": "bash_complete", "COMP_WORDS": "skill run gr", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=work.folder,
        env={**work.environment, **told},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["plain,greet", "[]"]
