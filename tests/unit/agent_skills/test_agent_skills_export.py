"""What an exported folder says: names and descriptions the format allows, and a page an agent can follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine
from engine.agent_skills.contents import Folder, folders
from engine.agent_skills.front_matter import split
from engine.agent_skills.naming import LONGEST_COMPATIBILITY, LONGEST_DESCRIPTION, folder_name, folder_names
from engine.agent_skills.page import code, escaped
from engine.errors import InputError
from tests.agent_skills import validated

ODD = """\
name: Odd_One__2
description: |
  Begins with "quotes", a colon: here, and --- three dashes ---
  <b>tags</b> & a second line | with a pipe {{ braces }} … {}
version: "1.0"
tags: [first, second]
inputs:
  - {{name: must, type: string, required: true, pattern: "a|`b`"}}
  - {{name: password, type: string, secret: true, default: hunter2}}
  - {{name: kind, enum: [one, "tw|o"], description: "Which | one"}}
steps:
  - name: group
    parallel:
      - name: left
        tool: echo
        args: {{value: 1}}
      - name: right
        ask: {{question: "Really, {{{{ inputs.must }}}}?", choices: [yes, no]}}
  - name: changes
    description: Writes it down
    condition: group.left
    tool: file_write
    args: {{path: there.txt, text: x}}
outputs:
  - {{name: said, description: What was said, value: "{{{{ group.right }}}}"}}
"""


def exported(folder: Path, *names: str, **texts: str) -> tuple[Folder, ...]:
    """The folders of skills with these texts, in a workspace of their own."""
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    (folder / "skill.toml").touch()
    for name, text in texts.items():
        (folder / "skills" / f"{name}.yaml").write_text(text)
    engine = Engine.open(folder)
    return folders(engine.library, names or tuple(texts), engine.registry)


def test_underscores_become_hyphens_and_capitals_small() -> None:
    """A name of ours as the format allows one: no two hyphens in a row, none at the ends."""
    assert [folder_name(name) for name in ("test_mr_ephemeral", "A__b-_c", "x_")] == ["test-mr-ephemeral", "a-b-c", "x"]


def test_two_names_that_become_one_are_refused() -> None:
    """`a_b` and `a-b` cannot lie in one folder; both are named."""
    with pytest.raises(InputError, match="a_b and A-b would both be called a-b"):
        folder_names(["a_b", "A-b"])


def test_a_name_that_is_too_long_is_refused_with_the_way_out() -> None:
    """The format allows 64 characters; ours may have more."""
    with pytest.raises(InputError, match="allows 64") as refused:
        folder_names(["x" * 65])
    assert "skill new SHORTER" in refused.value.hint
    assert folder_names(["x" * 64]) == {"x" * 64: "x" * 64}


def test_the_reference_validator_takes_odd_texts(tmp_path: Path) -> None:
    """Quotes, colons, three dashes, tags and a description that is too long come through, and say what is meant."""
    long = ODD.format("word " * 400)
    (made,) = exported(tmp_path, Odd_One__2=long)
    (folder := tmp_path / made.name).mkdir()
    (folder / "SKILL.md").write_text(made.files["SKILL.md"])
    says = validated([folder])["odd-one-2"]
    told = str(says["description"])
    assert len(told) <= LONGEST_DESCRIPTION
    assert told.startswith('Begins with "quotes", a colon: here, and --- three dashes --- (b)tags(/b)')
    assert "word … Use it when asked for: Odd One 2, first, second. It runs by" in told
    assert len(str(says["compatibility"])) <= LONGEST_COMPATIBILITY


def test_the_page_tells_inputs_steps_questions_and_outputs(tmp_path: Path) -> None:
    """What an agent must know stands on the page, in tables that pipes and back-ticks do not break."""
    (made,) = exported(tmp_path, Odd_One__2=ODD.format("end"))
    page = split(made.files["SKILL.md"], "SKILL.md")[1]
    for line in (
        "skill run Odd_One__2 --no-input --json -i must=...",
        "| `must` | string | **required** | Matches `` a\\|`b` ``. |",
        "| `password` | string |  | A secret: give it from a file, never in words. |",
        '| `kind` | any |  | Which \\| one. One of `"one"`, `"tw\\|o"`. |',
        "1. **group**: these at the same time",
        "   1. **left**: tool `echo`, which reads",
        "   2. **right**: asks: Really, {{ inputs.must }}?",
        "2. **changes**: Writes it down (tool `file_write`, which changes something; if group.left)",
        "| `said` | What was said |",
        "- `right`: Really, {{ inputs.must }}?",
        "- [references/Odd_One__2.yaml](references/Odd_One__2.yaml)",
    ):
        assert f"{line}\n" in page, line
    assert "hunter2" not in page


def test_the_skill_itself_lies_beside_the_page_with_those_it_runs(tmp_path: Path) -> None:
    """The YAML is there byte for byte, byte order mark, comments and line ends included, and so are inner skills."""
    inner = "name: inner\nsteps:\n  - {name: a, tool: echo, args: {value: 1}}\n"
    outer = "\ufeff# a comment\r\nname: outer\r\nsteps:\r\n  - {name: a, skill: middle}\r\n"
    middle = "name: middle\nsteps:\n  - {name: g, steps: [{name: a, skill: inner}]}\n"
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "outer.yaml").write_bytes(outer.encode())
    (made,) = exported(tmp_path, "outer", inner=inner, middle=middle)
    assert {name: text for name, text in made.files.items() if name != "SKILL.md"} == {
        "references/outer.yaml": outer,
        "references/inner.yaml": inner,
        "references/middle.yaml": middle,
    }


def test_the_same_skills_give_the_same_folders(tmp_path: Path) -> None:
    """Neither the time nor the place of the workspace is written down."""
    made = [exported(tmp_path / where, Odd_One__2=ODD.format("end")) for where in ("one", "two")]
    assert made[0] == made[1]


@pytest.mark.parametrize("text", ["a`b", "`", "``x``", "plain", "a\nb"])
def test_code_shows_back_ticks(text: str) -> None:
    """More back-ticks stand around the text than in it."""
    shown = code(text)
    ticks = len(shown) - len(shown.lstrip("`"))
    assert "`" * ticks not in shown[ticks:-ticks].strip("` ") or ticks == 1
    assert " ".join(text.split()) in shown


def test_marks_of_markdown_in_a_text_show_as_they_are() -> None:
    """An author's stars, links, tags and headings do not become the page's own."""
    assert escaped("# a *b* [c](d) <e> x_y _z_") == r"\# a \*b\* \[c\](d) \<e\> x_y \_z\_"
