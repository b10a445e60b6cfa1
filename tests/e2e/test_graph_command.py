"""`skill graph` as people call it: what docs/graph.md shows is what happens, for skills and for runs."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")
SKILLS = re.findall(r"```yaml\n(name: (\w+)\n.*?)```", PAGE, flags=re.DOTALL)
WAITS = """\
name: waits
description: Asks before it goes on, in a skill of its own.
steps:
  - {name: before, tool: echo, args: {value: 1}}
  - {name: asks, skill: asking}
  - {name: after, tool: echo, args: {value: 2}}
"""
HIDES = """\
name: hides
description: Has a secret that is a key of its own file.
inputs:
  - {name: word, type: string, required: true, secret: true}
steps:
  - {name: first, tool: echo, args: {value: 1}, timeout: 5}
"""
ASKING = """\
name: asking
description: Asks.
steps:
  - {name: sure, ask: {question: "Is it <sure>?", type: boolean}}
"""


def examples() -> Iterator[tuple[str, str]]:
    """Every command the page shows, with what it prints."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = example.partition("\n")
            yield command, printed


def timeless(text: str) -> str:
    """A text without what differs from run to run: times and ids."""
    return re.sub(r"\d+\.\d\d s|\d{8}-\d{6}-[0-9a-f]{6}", "N", text)


@pytest.fixture
def skilled(shell: Any) -> Any:
    """The shell with the skills of the page in its folder."""
    (shell.folder / "skills").mkdir()
    for text, name in [*SKILLS, (WAITS, "waits"), (ASKING, "asking")]:
        (shell.folder / "skills" / f"{name}.yaml").write_text(text)
    return shell


def test_the_page_shows_what_is_printed(skilled: Any) -> None:
    """Every example, one after the other, line by line; times and ids aside."""
    shown = list(examples())
    assert len(shown) >= 4
    assert skilled.run("run", "publish").returncode == 1
    for command, printed in shown:
        done = skilled.run(*command.split()[1:])
        assert timeless(done.stdout) == timeless(printed), (command, done.stderr)


def test_a_file_gets_the_format_its_name_says(skilled: Any) -> None:
    """And standard output stays empty."""
    begins = {
        "a.svg": "<svg ",
        "a.dot": "digraph ",
        "a.gv": "digraph ",
        "a.mmd": "flowchart TD\n",
        "a.mermaid": "flowchart TD\n",
        "a.txt": "publish 1.0\n",
        "a.json": "{\n",
    }
    for name, begin in begins.items():
        done = skilled.run("graph", "publish", "-o", name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {name}\n")
        assert (skilled.folder / name).read_text().startswith(begin)
    assert skilled.run("graph", "publish", "--format", "svg", "--output", "a.txt").returncode == 0
    assert (skilled.folder / "a.txt").read_text().startswith("<svg ")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["graph"], 2, "name a skill, or a run with --run"),
        (["graph", "publish", "-o", "a.png"], 2, "a.png does not say which format"),
        (["graph", "publish", "--format", "svg", "--json"], 2, "choose one"),
        (["graph", "publsh"], 3, "did you mean publish"),
        (["graph", "publish", "--run", "last"], 3, "no skill has run here yet"),
        (["graph", "publish", "-o", "nowhere/a.svg"], 1, "nowhere/a.svg: No such file"),
    ],
)
def test_what_cannot_be_drawn_says_so(skilled: Any, words: list[str], status: int, told: str) -> None:
    """With the exit status of its kind, and the way out."""
    done = skilled.run(*words)
    assert done.returncode == status, done.stderr
    assert told in done.stderr


def test_a_run_is_drawn_as_the_skills_were_then(skilled: Any) -> None:
    """What was changed, renamed or removed since does not matter, in the skill or in one it called."""
    skilled.run("run", "publish", "-i", "quick=false", "-q")
    before = skilled.run("graph", "--run", "last").stdout
    folder = skilled.folder / "skills"
    (folder / "publish.yaml").write_text((folder / "publish.yaml").read_text().replace("put_out", "changed"))
    (folder / "scan.yaml").unlink()
    again = skilled.run("graph", "publish", "--run", "last")
    assert (again.stdout, again.stderr) == (before, "")
    assert "put_out" in before
    assert "holes" in before
    (folder / "publish.yaml").unlink()
    assert skilled.run("graph", "--run", "last").stdout == before


def test_a_text_that_cannot_be_read_any_more_is_replaced_by_todays(skilled: Any) -> None:
    """With a note: a secret was masked in it so that it is no skill any more."""
    hides = skilled.folder / "skills" / "hides.yaml"
    hides.write_text(HIDES)
    assert skilled.run("run", "hides", "-i", "word=timeout").returncode == 0
    done = skilled.run("graph", "--run", "last")
    assert "╰─ ✓ first" in done.stdout
    assert "drawn as hides is now: its text at the time of the run cannot be read any more" in done.stderr


def test_a_run_of_another_skill_is_refused(skilled: Any) -> None:
    """`last` is the last one of the skill that was named, and a run by its id must be one of it."""
    skilled.run("run", "publish", "-q")
    publish = skilled.json("status")["run"]
    skilled.run("run", "scan", "-i", "images:=[1]", "-q")
    assert skilled.json("graph", "publish", "--run", "last")["run"]["run"] == publish
    done = skilled.run("graph", "scan", "--run", publish)
    assert done.returncode == 2
    assert "is one of publish, not of scan" in done.stderr
    assert "waits has not run yet" in skilled.run("graph", "waits", "--run", "last").stderr


def test_data_tells_what_became_of_each_step(skilled: Any) -> None:
    """States, counts, and the ways that were taken."""
    skilled.run("run", "publish", "-q")
    told = skilled.json("graph", "--run", "last", "--data")
    outcomes = {node["id"]: node["outcome"] for node in told["nodes"]}
    assert told["run"]["status"] == "failed"
    assert (outcomes["build"]["state"], outcomes["build"]["counts"]) == ("ok", {"ok": 2})
    assert outcomes["build.undo"]["counts"] == {"ok": 2}
    assert outcomes["looks/tests/unit"]["told"] == "2 of 17 tests of billing failed"
    assert outcomes["looks/scan/nothing"]["state"] == "skipped"
    assert outcomes["put_out"]["state"] == "not reached"
    taken = {(edge["source"], edge["target"]): edge["taken"] for edge in told["edges"] if edge["kind"] != "data"}
    assert taken["looks/scan/nothing.if", "looks/scan/holes"]
    assert not taken["looks/scan/nothing.if", "looks/scan/nothing"]
    assert not taken["looks.join", "put_out"]
    data = {(edge["source"], edge["target"], edge["label"]) for edge in told["edges"] if edge["kind"] == "data"}
    assert data == {("build", to, "build") for to in ("looks/scan", "looks/tests/unit", "put_out")}


def test_a_run_that_waits_shows_where_and_for_what(skilled: Any) -> None:
    """In the skill it called too; what comes after is not reached."""
    assert skilled.run("run", "waits", "--no-input", "-q").returncode == 4
    told = skilled.json("graph", "--run", "last")
    outcomes = {node["id"]: node["outcome"] for node in told["nodes"]}
    assert [outcomes[path]["state"] for path in ("asks", "asks/sure", "after")] == ["waiting", "waiting", "not reached"]
    assert outcomes["asks/sure"]["told"] == "Is it <sure>?"
    assert "? sure" in skilled.run("graph", "--run", "last").stdout
    drawn = skilled.run("graph", "--run", "last", "--format", "svg").stdout
    texts = ["".join(text.itertext()) for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own
    assert "Is it <sure>?" in texts


def test_every_shipped_skill_can_be_drawn(shell: Any) -> None:
    """In every format, with every step."""
    forms = [["--format", form, "--data"] for form in ("tree", "mermaid", "dot", "svg")]
    names = [entry["name"] for entry in shell.json("list")]
    asked = [
        [["show", name, "--json"], *(["graph", name, *form] for form in forms), ["graph", name, "--json"]]
        for name in names
    ]
    told = iter(shell.many(*(words for each in asked for words in each)))
    for _ in names:
        shown, *drawn, graph = itertools.islice(told, len(forms) + 2)
        steps = [step["name"] for part in ("steps", "always") for step in json.loads(shown)[part]]
        for text in drawn:
            assert [step for step in steps if step not in text] == []
        assert set(steps) <= {node["id"] for node in json.loads(graph)["nodes"]}
