"""`skill check` finds every kind of mistake in one pass, at its line and column, and accepts every shipped skill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.bundle import bundle
from engine.documents import Document, read
from engine.errors import SkillInvalidError
from engine.library import SkillLibrary
from engine.library.codes import FindingCode
from engine.model.place import Severity
from engine.sandbox import Sandbox
from engine.wiring import Engine
from tool_registry.tool import Tool, ToolContext, ToolOutput

BROKEN = Path(__file__).parents[1] / "data" / "broken_skill.yaml"
EXPECTED = (
    (2, 7, "name-mismatch"),
    (4, 10, "wrong-type"),
    (5, 16, "given-twice"),
    (9, 14, "bad-default"),
    (10, 11, "duplicate-name"),
    (13, 14, "bad-pattern"),
    (15, 11, "not-allowed"),
    (19, 3, "duplicate-key"),
    (20, 3, "key-type"),
    (21, 3, "merge-key"),
    (22, 8, "tag"),
    (25, 11, "unknown-tool"),
    (28, 5, "missing-argument"),
    (30, 7, "unknown-argument"),
    (31, 14, "wrong-argument"),
    (32, 16, "wrong-argument"),
    (33, 11, "duplicate-name"),
    (35, 27, "unknown-name"),
    (35, 44, "unknown-name"),
    (39, 27, "used-too-early"),
    (40, 13, "duplicate-output"),
    (41, 5, "unknown-key"),
    (43, 5, "missing-argument"),
    (44, 5, "several-actions"),
    (45, 5, "no-action"),
    (48, 23, "unknown-name"),
    (49, 5, "misplaced-key"),
    (50, 14, "wrong-form"),
    (51, 23, "out-of-range"),
    (52, 15, "not-allowed"),
    (53, 11, "reserved-name"),
    (54, 23, "unknown-name"),
    (55, 11, "shadowed-name"),
    (58, 20, "expression-syntax"),
    (61, 23, "compute-syntax"),
    (64, 27, "template-not-allowed"),
    (65, 28, "expression-syntax"),
    (68, 16, "compute-not-allowed"),
    (70, 16, "expression-not-allowed"),
    (72, 7, "compute-no-result"),
    (75, 39, "template-syntax"),
    (76, 18, "braces"),
    (78, 16, "unreachable"),
    (87, 12, "skill-cycle"),
    (89, 12, "unknown-skill"),
    (91, 31, "secret-leak"),
    (93, 45, "bad-choice"),
    (94, 5, "misplaced-key"),
    (96, 55, "bad-default"),
    (100, 5, "misplaced-key"),
    (105, 40, "unknown-name"),
    (106, 43, "out-of-scope"),
    (106, 49, "out-of-scope"),
    (106, 56, "out-of-scope"),
    (108, 23, "unknown-name"),
    (109, 5, "missing-key"),
    (111, 55, "secret-leak"),
    (112, 5, "unreachable"),
    (113, 23, "unknown-name"),
    (115, 18, "stop-in-always"),
    (116, 19, "ask-in-always"),
    (119, 16, "secret-leak"),
    (121, 5, "step-in-outputs"),
    (124, 16, "unknown-name"),
)
"""Line, column and code of every finding, in the file's order."""
WARNINGS = frozenset({FindingCode.ASK_IN_ALWAYS, FindingCode.UNREACHABLE, FindingCode.SHADOWED_NAME})
END_OF_READING = frozenset(
    {
        FindingCode.ALIAS,
        FindingCode.CHARACTER,
        FindingCode.ENCODING,
        FindingCode.SEVERAL_DOCUMENTS,
        FindingCode.SYNTAX,
        FindingCode.TOO_DEEP,
        FindingCode.TOO_LARGE,
        FindingCode.TOO_MANY_NODES,
        FindingCode.UNREADABLE,
    }
)
"""What ends the reading of a file, so that nothing else can be found in it."""
NOT_IN_SKILLS = frozenset({FindingCode.KEY_NAME, FindingCode.NO_CHOICE, FindingCode.SCHEMA})
"""What only other kinds of files can do wrong."""
OF_A_PROFILE = frozenset({FindingCode.UNKNOWN_DOMAIN, FindingCode.UNKNOWN_FIX})
"""What can only be told where the domains are known."""
ENDINGS: Mapping[FindingCode, bytes] = {
    FindingCode.ALIAS: b"name: *nowhere\n",
    FindingCode.CHARACTER: b"name: a\x00b\n",
    FindingCode.ENCODING: b"name: \xe9t\xe9\n",
    FindingCode.SEVERAL_DOCUMENTS: b"name: a\n---\nname: b\n",
    FindingCode.SYNTAX: b"name: [\n",
    FindingCode.TOO_DEEP: b"name: " + b"[" * 100_000,
    FindingCode.TOO_LARGE: b"# " + b"x" * 2_000_000,
    FindingCode.TOO_MANY_NODES: b"a: &a [1,1,1,1,1,1,1,1,1]\n"
    + b"".join(b"%c: &%c [%s]\n" % (at + 1, at + 1, b",".join([b"*%c" % at] * 9)) for at in range(ord("a"), ord("i"))),
}


async def _nothing(_args: Mapping[str, Any], _context: ToolContext) -> ToolOutput:
    return ToolOutput()


GET_PODS = Tool(
    name="get_pods",
    call=_nothing,
    parameters={
        "type": "object",
        "properties": {
            "namespace": {"type": "string", "description": "Where to look."},
            "limit": {"type": "integer"},
            "labels": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["namespace"],
        "additionalProperties": False,
    },
)


def _library(*folders: Path) -> SkillLibrary:
    return SkillLibrary(folders, sandbox=Sandbox(), tools={"get_pods": GET_PODS})


def test_every_mistake_of_a_broken_file_is_found_in_one_pass() -> None:
    """One deliberately broken file; line, column and code of each finding, and nothing else."""
    found = _library().check(str(BROKEN))
    assert tuple((each.place.line, each.place.column, str(each.code)) for each in found) == EXPECTED
    assert {each.place.file for each in found} == {str(BROKEN)}
    assert all((each.severity is Severity.WARNING) == (each.code in WARNINGS) for each in found)
    assert all(each.message and "\n" not in each.message for each in found)


def test_the_broken_file_has_every_kind_of_mistake() -> None:
    """Whatever `check` can say of a file that can be read, it says of this one."""
    here = {FindingCode(code) for _, _, code in EXPECTED}
    elsewhere = END_OF_READING | NOT_IN_SKILLS | {FindingCode.NUMBER, FindingCode.BROKEN_SKILL} | OF_A_PROFILE
    assert here | elsewhere == set(FindingCode)
    assert here.isdisjoint(elsewhere)


def test_a_broken_file_is_not_run() -> None:
    """Loading it fails with all its errors at once, before anything has happened."""
    with pytest.raises(SkillInvalidError) as caught:
        _library().load(str(BROKEN))
    assert len(caught.value.findings) == sum(FindingCode(code) not in WARNINGS for _, _, code in EXPECTED)
    assert caught.value.exit_status == 6


@pytest.mark.parametrize(("code", "raw"), ENDINGS.items(), ids=str)
def test_what_ends_the_reading_is_one_clear_finding(code: FindingCode, raw: bytes, tmp_path: Path) -> None:
    """A file that cannot be read to its end gives one finding, and the process goes on."""
    (tmp_path / "ending.yaml").write_bytes(raw)
    (finding,) = _library(tmp_path).check("ending")
    assert finding.code == code
    with pytest.raises(SkillInvalidError):
        _library(tmp_path).load("ending")


@pytest.mark.parametrize("path", sorted(bundle("skills").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_skill_is_accepted(path: Path, tmp_path: Path) -> None:
    """Skills that come with the engine have no finding, not even a warning."""
    library = Engine.open(tmp_path, home=tmp_path / "home").library
    assert library.check(path.stem) == ()
    assert library.load(path.stem).name == path.stem


def test_there_are_shipped_skills() -> None:
    """The test above means something."""
    assert len(list(bundle("skills").glob("*.yaml"))) > 0


def test_a_number_of_absurd_length_is_told_like_other_mistakes(tmp_path: Path) -> None:
    """It is the one mistake too long for the broken file; the rest of its file is read all the same."""
    path = tmp_path / "example.yaml"
    text = f"name: example\ndefaults: {{big: {'9' * 500}}}\nsteps:\n  - {{name: a, tool: nope}}\n"
    path.write_text(text, encoding="utf-8")
    found = _library().check(str(path))
    assert [(each.place.line, str(each.code)) for each in found] == [(2, "number"), (4, "unknown-tool")]
    document: Document = read(path, tolerant=True)
    assert len(document.mistakes) == 1


def test_a_skill_that_runs_a_broken_one_is_broken(tmp_path: Path) -> None:
    """What a run would find in mid-way is told beforehand, at the step, however many skills are between."""
    (tmp_path / "broken.yaml").write_bytes(BROKEN.read_bytes())
    for name, called in (("outer", "between"), ("between", "broken")):
        text = f"name: {name}\nsteps:\n  - {{name: a, skill: {called}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (finding,) = _library(tmp_path).check("outer")
    assert (finding.place.line, finding.place.column, finding.code) == (3, 22, FindingCode.BROKEN_SKILL)
    assert "the skill broken, which between runs, has " in finding.message
    with pytest.raises(SkillInvalidError):
        _library(tmp_path).load("outer")
