"""`skill run --dry-run` as people and scripts call it: every shipped skill, its page, and nothing left behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engine.documents import read
from engine.run.dry import Verdict
from tests.shell import Shell

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "skills").glob("*.yaml"))
PAGE = (ROOT / "docs" / "dry-run.md").read_text(encoding="utf-8")
GIVEN = {
    "commit_sha": "74ec56e1",
    "namespace": "shop",
    "namespaces": "shop",
    "deployment": "web",
    "replicas": 2,
    "component": "shop-api",
}
"""Values for inputs that must be given."""


def walked(steps: list[Any]) -> list[Any]:
    """Every step of a plan, with those inside and their undos."""
    found = []
    for step in steps:
        found += [step, *walked(step.get("steps", [])), *walked([step["undo"]] if "undo" in step else [])]
    return found


def tools_in(value: Any) -> set[str]:
    """Every tool that a skill file names."""
    match value:
        case dict():
            own = {value["tool"]} if isinstance(value.get("tool"), str) else set()
            return own.union(*(tools_in(inner) for inner in value.values()))
        case list():
            return set().union(*(tools_in(inner) for inner in value))
    return set()


def required(skill: Any) -> list[str]:
    """`-i NAME=VALUE` for every input without which it does not run."""
    names = [each["name"] for each in skill.get("inputs", []) if each.get("required") and "default" not in each]
    return [word for name in names for word in ("-i", f"{name}={GIVEN[name]}")]


def test_every_shipped_skill_can_be_planned(shell: Shell) -> None:
    """Without an error, every tool named, every unknown listed with who waits for it; and no file is left."""
    skills = [read(path).value for path in SHIPPED]
    dry = [["run", skill["name"], "--dry-run", *required(skill)] for skill in skills]
    told = shell.each(*([*words, *more] for words in dry for more in (["--json"], [])))
    for skill, (status, plan), (_, text) in zip(skills, told[::2], told[1::2], strict=True):
        assert status in {0, 5}, skill["name"]  # blocked: what it is about is not named, or not configured here
        _is_whole(skill, json.loads(plan), text)
    assert not shell.home.exists()


def _is_whole(skill: Any, plan: Any, text: str) -> None:
    steps = walked([*plan["steps"], *plan["always"]])
    assert {step["tool"] for step in steps if "tool" in step} == tools_in(skill)
    called = {
        step["tool"] for step in steps if "tool" in step and step["verdict"] in {"would_run", "depends", "cannot_run"}
    }
    assert set(plan["tools"]) == called
    hung = {source for step in steps for source in step.get("depends", [])}
    hung |= {source for step in steps for sources in step.get("unknown", {}).values() for source in sources}
    hung |= {source for output in plan["outputs"] for source in output["unknown"]}
    assert hung == {unknown["name"] for unknown in plan["unknown"]}
    assert [finding for finding in plan["findings"] if finding["severity"] == "error"] == []
    assert [name for name in called if name not in text] == []
    assert [unknown["name"] for unknown in plan["unknown"] if f"\n  {unknown['name']} " not in text] == []


def test_reading_decides_what_the_plain_plan_leaves_open(shell: Shell) -> None:
    """After a run, `=reads` knows the newest merge request and its image, and still writes nothing."""
    assert shell.run("demo").returncode == 0
    runs = shell.json("history")
    plain, reads = (shell.json("run", "test_mr_ephemeral", word) for word in ("--dry-run", "--dry-run=reads"))
    assert {"image", "commit", "app"} <= {unknown["name"] for unknown in plain["unknown"]} | {"app"}
    assert "image" not in {unknown["name"] for unknown in reads["unknown"]}
    outputs = {output["name"]: output["value"] for output in reads["outputs"]}
    assert outputs["app"] == "main"
    assert outputs["digest"].startswith("sha256:")
    deploy = next(step for step in reads["steps"] if step["path"] == "deploy")
    assert (deploy["args"]["namespace"], deploy["args"]["digest"]) == ("<name of reserve>", outputs["digest"])
    token = next(need for need in plain["needs"] if need["kind"] == "token")
    assert re.match(r"it expires in \d+ min, and the run takes about \d+ s", token["found"])
    assert (plain["expected"]["runs"], shell.json("history")) == (1, runs)


def test_the_page_shows_what_the_command_prints(shell: Shell) -> None:
    """The example of docs/dry-run.md, word for word."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "tidy_room.yaml").write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    printed = PAGE.split("    $ skill run tidy_room --dry-run\n")[1].split("\n\nSecrets are masked")[0]
    expected = "\n".join(line.removeprefix("    ") for line in printed.splitlines())
    done = shell.run("run", "tidy_room", "--dry-run")
    assert (done.returncode, done.stdout.rstrip()) == (0, expected)


def test_the_page_names_every_verdict_key_and_code() -> None:
    """So that a script's author finds them."""
    assert [verdict for verdict in Verdict if f"| `{verdict.value}` |" not in PAGE] == []
    source = (ROOT / "engine/frontends/cli/dry_record.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'^\s+(?:yield )?"(\w+)"[:,]', source, flags=re.MULTILINE))
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "engine/run/dry").glob("*.py")]
    codes = {code for text in texts for code in re.findall(r'(?:tell\([^"()]*|\bcode=)"([a-z-]+)"', text)}
    assert {"would-fail", "may-fail", "unpromised", "read-failed"} <= codes
    assert [code for code in codes if f"| `{code}` |" not in PAGE] == []


BROKEN = """\
name: broken
description: Fails with any values.
steps:
  - name: commit
    tool: git_rev_parse
    args: {ref: main}
  - name: show
    tool: git_commit_message
    args: {sha: "{{ commit.shaa }}"}
"""


def test_the_exit_status_says_what_would_become_of_it(shell: Shell) -> None:
    """1 would fail, 2 input, 3 no skill, 5 missing or blocked, 6 invalid; and the mistake is shown where it stands."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "broken.yaml").write_text(BROKEN)
    (shell.folder / "skills" / "invalid.yaml").write_text(BROKEN.replace("broken", "invalid").replace("ref", "reff"))
    done = shell.run("run", "broken", "--dry-run")
    assert done.returncode == 1
    assert "show would fail: commit never has shaa (did you mean sha?)" in done.stdout
    assert '     9 |     args: {sha: "{{ commit.shaa }}"}' in done.stdout
    assert "broken: would fail: the step show would fail" in done.stdout
    assert shell.run("run", "build_local_image", "--dry-run", "-i", "commit_sha=x").returncode == 2
    assert shell.run("run", "--dry-run", "nothing").returncode == 3
    assert shell.run("run", "--dry-run", "invalid").returncode == 6
    missing = shell.run("run", "--dry-run=plan", "test_mr_ephemeral", environment={"PATH": "/nowhere"})
    assert missing.returncode == 5
    assert "✗ program git" in missing.stdout
    assert "git_repository cannot run: the program git is not on the PATH" in missing.stdout
    assert "test_mr_ephemeral: cannot run: program git is missing" in missing.stdout
    refused = shell.run("run", "--dry-run=writes", "broken")
    assert (refused.returncode, "'writes' is not one of 'plan', 'reads'" in refused.stderr) == (2, True)
    assert not shell.home.exists()


def test_a_plan_is_written_in_every_format(shell: Shell) -> None:
    """One object as JSON, in one line, or as YAML; quietly only the end."""
    words = ("run", "build_local_image", "--dry-run", "-i", "commit_sha=74ec56e1")
    plan = shell.json(*words)
    line = shell.run(*words, "-o", "jsonl").stdout
    assert (line.count("\n"), json.loads(line)) == (1, plan)
    assert "\nskill: build_local_image\n" in shell.run(*words, "-o", "yaml").stdout
    assert shell.run(*words, "-q").stdout.startswith("build_local_image: could run, as far as can be known")
