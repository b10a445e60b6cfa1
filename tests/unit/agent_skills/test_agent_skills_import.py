"""A SKILL.md of somebody else's becomes a skill of ours that asks; everything in it is data."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine, SkillExecutor
from engine.agent_skills.reading import LARGEST, agent_skill, steps_of
from engine.agent_skills.taking import Taking, taking
from engine.agent_skills.writing import write_all
from engine.errors import DocumentError, InputError, WorkspaceError
from engine.model.outcome import RunStatus
from engine.model.question import Question

LIST = """\
# Releasing

Do all of it.

1. Make a *tag*:

   ```sh
   git tag x
   ```
2. Push it
   1. to one remote
   2. to the other
3. Tell them
"""


def page(folder: Path, body: str = "Do it.", *, name: str = "their-skill", front: str = "") -> Path:
    """A folder with a SKILL.md."""
    folder = folder / "theirs"
    folder.mkdir(exist_ok=True)
    text = front or f"name: {name}\ndescription: What it does. Use it when asked.\n"
    (folder / "SKILL.md").write_text(f"---\n{text}---\n{body}", encoding="utf-8", newline="")
    return folder


def taken(given: Path, folder: Path, *, name: str = "", force: bool = False) -> Taking:
    """What an import into the workspace comes to."""
    (folder / "skill.toml").touch()
    engine = Engine.open(folder)
    return taking(given, engine.workspace, engine.registry, engine.sandbox, name=name, force=force)


async def asked(folder: Path, skill: str, **inputs: str) -> tuple[list[str], dict[str, object]]:
    """The questions of a run in which each is answered by its number, and the outputs."""
    said: list[str] = []

    async def ask(question: Question) -> str:
        said.append(question.text)
        return str(len(said))

    async with Engine.open(folder) as engine:
        result = await SkillExecutor(engine, ask=ask).run(skill, inputs)
    assert result.status is RunStatus.OK
    return said, dict(result.outputs)


async def test_a_page_becomes_a_skill_that_asks_for_it(tmp_path: Path) -> None:
    """One question holds the whole body and the task; its answer is the skill's output; the skill has no mistakes."""
    found = taken(page(tmp_path, "Read {{ this }}\n{% and %} {# that #}\n"), tmp_path)
    write_all(found.changes)
    engine = Engine.open(tmp_path)
    assert engine.library.check("their-skill") == ()
    assert engine.library.load("their-skill").description == "What it does. Use it when asked."
    said, outputs = await asked(tmp_path, "their-skill", task="number {{ 7 }}")
    assert said[0].startswith("What it is for: number {{ 7 }}\n\nRead {{ this }}\n{% and %} {# that #}\n\nSay what")
    assert outputs == {"outcome": "1"}


async def test_a_numbered_list_becomes_a_question_for_each_item(tmp_path: Path) -> None:
    """The first question has what stands before the list; inner lists and code stay in their item."""
    write_all(taken(page(tmp_path, LIST), tmp_path).changes)
    said, outputs = await asked(tmp_path, "their-skill")
    assert said[0].startswith("# Releasing\n\nDo all of it.\n\nStep 1 of 3: Make a *tag*:\n\n   ```sh\n   git tag x")
    assert said[1].startswith("Step 2 of 3: Push it\n   1. to one remote\n   2. to the other\n\nSay what")
    assert said[2].startswith("Step 3 of 3: Tell them\n\n")
    assert outputs == {"step_1": "1", "step_2": "2", "step_3": "3"}


@pytest.mark.parametrize(
    "body",
    [
        "1. only one\n",
        "1. one\n3. three\n",
        "2. two\n3. three\n",
        "1. one\n2. two\n\n## After\n\nmore\n",
        "1. one\n2. two\n\nmore\n",
        "```\n1. one\n2. two\n```\n",
        "1. one\n1. one\n",
        "- one\n- two\n",
        "",
    ],
)
def test_what_is_not_plainly_a_list_is_one_question(body: str) -> None:
    """Numbers that are missing or begin elsewhere, something behind the list, code: the body stays whole."""
    assert steps_of(body) == (body, ())


def test_an_empty_body_asks_for_what_the_description_says(tmp_path: Path) -> None:
    """There is always something to do."""
    assert "instructions: What it does. Use it when asked.\n" in _text(taken(page(tmp_path, "\n\n"), tmp_path))


def test_other_files_of_the_skill_are_named_and_not_copied(tmp_path: Path) -> None:
    """Where scripts lie beside the page, the question says in which folder."""
    folder = page(tmp_path)
    (folder / "scripts").mkdir()
    assert "folder: theirs\n" in _text(taken(folder, tmp_path))


def test_licence_needs_and_version_are_kept_as_comments_on_one_line_each(tmp_path: Path) -> None:
    """A line break in them ends no comment."""
    front = (
        'name: a\ndescription: b\nlicense: "MIT\\nsteps: []"\ncompatibility: Needs\n  git\nallowed-tools: Bash(git:*)\n'
        "metadata:\n  version: 1.2\n  deep: {a: [1]}\n"
    )
    text = _text(taken(page(tmp_path, front=front), tmp_path))
    assert text.splitlines()[1:4] == ["# licence: MIT steps: []", "# needs: Needs git", "# wants to use: Bash(git:*)"]
    assert 'version: "1.2"\n' in text


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "/abs", "..", "ünicode", "a b", "", "x" * 101, "a\\nb"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """Names are letters, digits, `-` and `_`; `--as` gives another, and is looked at as closely."""
    folder = page(tmp_path, front=f'name: "{name}"\ndescription: b\n')
    with pytest.raises((InputError, DocumentError), match=r"no name for a skill|is missing"):
        taken(folder, tmp_path)
    with pytest.raises(InputError, match="no name for a skill"):
        taken(page(tmp_path), tmp_path, name=name or "-")


@pytest.mark.parametrize(
    ("front", "line", "message"),
    [
        ("name: a\nname: b\ndescription: c\n", 3, "given already"),
        ("name: a\ndescription: &x b\nmore: *y\n", 4, "anchored"),
        ("name: !!python/object:os.system a\ndescription: b\n", 2, "tag"),
        ("- a\n- b\n", 2, "no mapping"),
        ("name: a\ndescription: use: when\n", 3, "."),
        ("name: a\n", 2, "`description:` is missing"),
        ("name: [a]\ndescription: b\n", 2, "`name:` is no text"),
        ("\tname: a\n", 2, "."),
    ],
)
def test_a_strange_front_matter_is_refused_at_its_line(tmp_path: Path, front: str, line: int, message: str) -> None:
    """Lines are those of the SKILL.md."""
    with pytest.raises(DocumentError, match=message) as refused:
        taken(page(tmp_path, front=front), tmp_path)
    assert refused.value.place is not None
    assert refused.value.place.line == line


@pytest.mark.parametrize(
    "text", ["# no front matter\n", "", "---\nname: a\n", "--- \nname: a", "----\nname: a\n----\n"]
)
def test_a_page_without_front_matter_is_refused(tmp_path: Path, text: str) -> None:
    """It begins with three dashes and ends with three."""
    (tmp_path / "SKILL.md").write_text(text)
    with pytest.raises(DocumentError, match=r"begins with a line|has no end"):
        agent_skill(tmp_path / "SKILL.md")


def test_bytes_that_are_no_text_are_refused_at_their_line(tmp_path: Path) -> None:
    """Non-UTF-8 is named with its place."""
    (tmp_path / "SKILL.md").write_bytes(b"---\nname: a\ndescription: b\n---\nok\n\xff\xfe\n")
    with pytest.raises(DocumentError, match="0xff is not UTF-8") as refused:
        agent_skill(tmp_path)
    assert refused.value.place is not None
    assert refused.value.place.line == 6


async def test_a_huge_body_is_taken_in_and_a_larger_one_refused(tmp_path: Path) -> None:
    """300,000 characters are asked as they are; more than the limit is refused before it is read."""
    body = "word {{ x }} " * 23_000
    write_all(taken(page(tmp_path, body), tmp_path).changes)
    said, _ = await asked(tmp_path, "their-skill")
    assert body.strip() in said[0]
    with pytest.raises(DocumentError, match="larger than"):
        taken(page(tmp_path, "x" * LARGEST), tmp_path, name="other")


@pytest.mark.parametrize(
    "body", ["\x00 nul \x1b[31m red", "a\u2028b\x85c\ufeffd", "\r\nx\r\ny", "   \n\n  x", "'\"\\ # : |"]
)
async def test_characters_that_yaml_has_no_place_for_come_through(tmp_path: Path, body: str) -> None:
    """What cannot stand in YAML is written as an escape, and asked as it was; line ends become line feeds."""
    write_all(taken(page(tmp_path, body), tmp_path).changes)
    said, _ = await asked(tmp_path, "their-skill")
    assert body.replace("\r\n", "\n").strip() in said[0]


def test_one_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    """The same again changes nothing; another text is refused, and replaced with force."""
    write_all(taken(page(tmp_path), tmp_path).changes)
    assert taken(page(tmp_path), tmp_path).changes == ()
    with pytest.raises(WorkspaceError, match="says something else"):
        taken(page(tmp_path, "Do another thing."), tmp_path)
    write_all(taken(page(tmp_path, "Do another thing."), tmp_path, force=True).changes)
    assert "another thing" in (tmp_path / "skills" / "their-skill.yaml").read_text()


def test_a_link_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    """Force replaces files, never what a link leads to."""
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "their-skill.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkspaceError, match="no plain file"):
        taken(page(tmp_path), tmp_path, force=True)


@pytest.mark.parametrize("given", ["", "notes.md"])
def test_what_is_no_agent_skill_is_refused(tmp_path: Path, given: str) -> None:
    """A folder without a SKILL.md, and another file."""
    (tmp_path / "notes.md").write_text("---\nname: a\ndescription: b\n---\n")
    with pytest.raises(InputError, match=r"SKILL\.md"):
        agent_skill(tmp_path / given)


def _text(found: Taking) -> str:
    (change,) = found.changes
    return change.text or ""
