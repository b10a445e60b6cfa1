"""`skill test`: what it plays, what it says, in which forms, and with which exit status."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from tests.flow.playhouse import USUAL, Playhouse
from tests.shell import Shell

TWO = f"""{USUAL}
rehearsals:
  - name: the usual
  - name: more than there is
    expect: {{outputs: {{seen: "a table\\nand \\x01 <chairs>"}}}}
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The command in a workspace with a skill, two rehearsals of it, and another file with one."""
    house = Playhouse(tmp_path / "work")
    house.furnish()
    house.write(TWO)
    house.write(USUAL.replace("skill: visit", "skill: ../skills/visit.yaml"), "another")
    return Shell(folder=house.folder, home=tmp_path / "home")


def test_what_differs_is_shown_with_its_line_and_a_diff(shell: Shell) -> None:
    """A line for each file, what differs under it, and exit status 1."""
    done = shell.run("test")
    assert done.returncode == 1, done.stderr
    assert "rehearsals/another.yaml .\nrehearsals/visit.yaml .F\n" in done.stdout
    assert "✗ more than there is  (rehearsals/visit.yaml:" in done.stdout
    assert "the output seen is not as expected\n        a table\n      - and  <chairs>\n" in done.stdout
    assert "    expect: {outputs: {seen: " in done.stdout
    assert "called: look → enter → push" in done.stdout
    assert re.search(r"^2 passed, 1 failed in \d", done.stdout, flags=re.MULTILINE)
    assert not (shell.folder / "trace").exists()


@pytest.mark.parametrize(
    ("words", "played", "status"),
    [
        (("visit",), 2, 1),
        (("the usual",), 1, 0),
        (("rehearsals/another.yaml",), 1, 0),
        (("another",), 1, 0),
        (("-k", "USUAL"), 1, 0),
        (("-k", "more than"), 1, 1),
        (("visit", "-x"), 2, 1),
        (("visit", "-k", "the usual", "another"), 1, 0),
    ],
)
def test_rehearsals_are_chosen_by_name_skill_file_and_text(
    shell: Shell, words: tuple[str, ...], played: int, status: int
) -> None:
    """Each way to name some of them."""
    assert len(shell.json("test", *words, status=status)["rehearsals"]) == played


def test_the_first_failure_ends_it_when_asked(shell: Shell) -> None:
    """`-x` plays nothing after it."""
    (shell.folder / "rehearsals" / "zebra.yaml").write_text(USUAL)
    assert len(shell.json("test", status=1)["rehearsals"]) == 4
    assert len(shell.json("test", "-x", status=1)["rehearsals"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("vist",), "there is no rehearsal of that name or skill: vist; did you mean visit?"),
        (("rehearsals/none.yaml",), "rehearsals/none.yaml"),
        (("-k", "zebra"), "no rehearsal has 'zebra' in its name, skill or file"),
    ],
)
def test_what_names_nothing_is_wrong_usage(shell: Shell, words: tuple[str, ...], said: str) -> None:
    """Nothing to play is no success."""
    done = shell.run("test", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_workspace_without_rehearsals_says_where_they_would_be(tmp_path: Path) -> None:
    """Exit status 2: a test command that tested nothing must not look like one that passed."""
    (tmp_path / "empty").mkdir()
    done = Shell(folder=tmp_path / "empty", home=tmp_path / "home").run("test")
    assert done.returncode == 2
    assert "there are no rehearsals in" in done.stderr


def test_they_are_listed_without_being_played(shell: Shell) -> None:
    """For people, for scripts, and as data."""
    assert "visit" in shell.run("test", "--list").stdout
    assert shell.run("test", "--list", "-q").stdout.splitlines() == ["another", "the usual", "more than there is"]
    assert [each["name"] for each in shell.json("test", "--list", "visit")] == ["the usual", "more than there is"]


def test_an_invalid_file_is_told_with_every_mistake_and_the_others_are_played(shell: Shell) -> None:
    """Exit status 6."""
    text = "skil: visit\ntools: {lok: [{works: true, value: 1}]}\nexpect: {status: okay}\n"
    (shell.folder / "rehearsals" / "broken.yaml").write_text(text)
    done = shell.run("test")
    assert done.returncode == 6
    assert (
        "rehearsals/broken.yaml:1:1: unknown-key the key `skil` is not known here (did you mean `skill`?)"
        in done.stderr
    )
    assert "rehearsals/broken.yaml:2:16: no-choice only one of `value`, `works` may stand here" in done.stderr
    assert "rehearsals/broken.yaml:3:18: not-allowed `status` must be one of ok, failed" in done.stderr
    assert "2 passed, 1 failed, 3 mistakes in rehearsal files" in done.stdout


def test_who_names_one_skill_hears_of_no_other(shell: Shell) -> None:
    """A broken file is told of when it may hold what was asked for."""
    (shell.folder / "rehearsals" / "broken.yaml").write_text("skil: something_else\n")
    assert shell.run("test", "another").returncode == 0
    assert shell.run("test", "something_else").returncode == 6
    (shell.folder / "rehearsals" / "broken.yaml").write_text("skil: another\n")
    assert shell.run("test", "another").returncode == 6


def test_names_of_no_tool_are_found_before_anything_is_played(shell: Shell) -> None:
    """With the nearest there is."""
    text = f"{USUAL}  lok: [{{works: true}}]\nexpect: {{calls: {{entr: 1}}, order: [push, {{tool: puhs}}]}}\n"
    (shell.folder / "rehearsals" / "broken.yaml").write_text(text)
    done = shell.run("test", "broken")
    assert done.returncode == 6
    for wrong, right in (("lok", "look"), ("entr", "enter"), ("puhs", "push")):
        assert f"unknown-tool there is no tool called {wrong} (did you mean {right}?)" in done.stderr


def test_a_skill_that_cannot_be_run_is_exit_status_6(shell: Shell) -> None:
    """It is not the rehearsal that failed."""
    (shell.folder / "rehearsals" / "lost.yaml").write_text("skill: vist\n")
    done = shell.run("test", "lost")
    assert done.returncode == 6
    assert "it could not be played: there is no skill called vist (did you mean visit?)" in done.stdout


def test_the_record_says_what_was_expected_and_what_came(shell: Shell) -> None:
    """The fields of docs/rehearsals.md."""
    record = shell.json("test", "visit", status=1)
    assert (record["passed"], record["failed"], record["findings"]) == (1, 1, [])
    good, bad = record["rehearsals"]
    assert (good["status"], good["differences"], good["run"]["status"]) == ("passed", [], "ok")
    assert good["steps"] == {"look": "ok", "enter": "ok", "count": "ok", "push": "ok"}
    assert good["calls"][1] == {"tool": "enter", "step": "enter", "args": {"name": "ann"}, "end": "value"}
    [difference] = bad["differences"]
    assert (difference["way"], difference["got"]) == ("expect.outputs.seen", "a table")
    assert difference["file"] == "rehearsals/visit.yaml"
    lines = [line for line in shell.run("test", "-o", "jsonl").stdout.splitlines() if line]
    assert len(lines) == 3


ATTRIBUTES = {
    "testsuites": set(),
    "testsuite": {"package", "id", "name", "timestamp", "hostname", "tests", "failures", "errors", "time"},
    "properties": set(),
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "system-out": set(),
    "system-err": set(),
}
"""Every attribute that Ant's JUnit schema (windyroad/JUnit-Schema) demands; it allows no others."""


def assert_is_junit(root: Element) -> None:
    """The rules of Ant's schema: which elements, in which order, with which attributes of which form."""
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag], element.tag
    for number, suite in enumerate(root):
        tags = [child.tag for child in suite]
        cases = tags[1:-2]
        assert (tags[0], tags[-2:], set(cases)) == ("properties", ["system-out", "system-err"], {"testcase"})
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert suite.attrib["id"] == str(number)
        assert int(suite.attrib["tests"]) == len(cases)
        assert Decimal(suite.attrib["time"]) >= 0
        for kind in ("failure", "error"):
            assert int(suite.attrib[f"{kind}s"]) == len(suite.findall(f"testcase/{kind}"))
        for case in suite.findall("testcase"):
            assert len(case) <= 1
            assert case.attrib["name"] == " ".join(case.attrib["name"].split()) != ""
            assert Decimal(case.attrib["time"]) >= 0


def test_junit_is_what_its_schema_wants(shell: Shell) -> None:
    """Failures, errors and invalid files, with signs that XML does not allow."""
    (shell.folder / "rehearsals" / "broken.yaml").write_text("skil: visit\n")
    (shell.folder / "rehearsals" / "lost.yaml").write_text("skill: vist\n")
    assert shell.run("test", "--junit", "junit.xml").returncode == 6
    root = fromstring((shell.folder / "junit.xml").read_text())  # noqa: S314 - written by us, just now
    assert_is_junit(root)
    told = {suite.attrib["name"]: (suite.attrib["failures"], suite.attrib["errors"]) for suite in root}
    assert told == {
        "rehearsals/another.yaml": ("0", "0"),
        "rehearsals/broken.yaml": ("0", "1"),
        "rehearsals/lost.yaml": ("0", "1"),
        "rehearsals/visit.yaml": ("1", "0"),
    }
    [failure] = root.iter("failure")
    assert "expected" in failure.attrib["message"]
    assert "rehearsals/visit.yaml:" in (failure.text or "")


def test_nothing_is_left_in_history_and_memory(shell: Shell) -> None:
    """Rehearsals have live files of their own."""
    shell.run("test")
    assert "no runs" in shell.run("history").stdout.lower() + shell.run("history").stderr.lower()
    assert not [path for path in shell.home.rglob("*") if path.is_file() and "cache" not in path.parts]


def test_a_recorded_run_is_a_rehearsal_that_passes(shell: Shell) -> None:
    """A real run of real tools, played back without them; and it fails when the skill does something else."""
    (shell.folder / "tools" / "look.yaml").write_text(
        "name: look\ndescription: Looks.\neffect: read\n"
        'command: {argv: [printf, \'{"seen": "a table"}\'], output: json}\n'
    )
    for name in ("enter", "push", "leave"):
        path = shell.folder / "tools" / f"{name}.yaml"
        path.write_text(re.sub(r"argv: .*", "argv: [echo, done]", path.read_text()))
    assert shell.run("run", "visit", "-i", "who=bob", "-i", "code=open sesame").returncode == 0
    done = shell.run("test", "--record", "last", "--into", "rehearsals/recorded.yaml")
    assert done.returncode == 0, done.stderr
    assert "it passes when it is played back" in done.stderr
    assert "made up in their place: inputs.code" in done.stderr
    text = (shell.folder / "rehearsals" / "recorded.yaml").read_text()
    assert "open sesame" not in text
    assert "who: bob" in text
    assert shell.run("test", "recorded").returncode == 0
    skill = shell.folder / "skills" / "visit.yaml"
    skill.write_text(skill.read_text().replace("tool: push", "tool: leave"))
    failed = shell.run("test", "recorded")
    assert failed.returncode == 1
    assert "leave(name='masked-value') was called" in failed.stdout


def test_what_is_another_one_each_time_is_not_expected(shell: Shell) -> None:
    """A recorded output with the run's id in it could never pass again; the file says that it was left out."""
    (shell.folder / "skills" / "mark.yaml").write_text(
        "name: mark\ndescription: Says which run it was.\nsteps: [{name: two, compute: result = 1 + 1}]\n"
        "outputs: [{name: mark, value: '{{ run.id }}'}, {name: two, value: '{{ two }}'}]\n"
    )
    assert shell.run("run", "mark").returncode == 0
    done = shell.run("test", "--record", "last")
    assert done.returncode == 0, done.stderr
    assert "# expect.outputs.mark was left out: it is another one each time\n" in done.stdout
    assert "  outputs:\n    two: 2\n" in done.stdout


def test_recording_overwrites_nothing_and_needs_a_run_that_ended(shell: Shell) -> None:
    """A file that is there stays; a run nobody knows is exit status 3."""
    taken = shell.run("test", "--record", "last", "--into", "rehearsals/visit.yaml")
    assert taken.returncode == 2
    assert "is there already" in taken.stderr
    assert shell.run("test", "--record", "last").returncode == 3
