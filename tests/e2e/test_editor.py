"""What an author sees while typing: the real yaml-language-server with our schemas, over the protocol editors speak."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.editor_client import CURSOR, Editor, editor_in

ROOT = Path(__file__).resolve().parents[2]
LINE = "# yaml-language-server: $schema=../schemas/skill.schema.json\n"
STEP = "name: mine\nsteps:\n  - name: first\n"
PLAIN = LINE + STEP


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor, asked by all tests of this page."""
    with editor_in(tmp_path_factory.mktemp("window")) as opened:
        yield opened


@pytest.fixture
def checkout_file(tmp_path: Path) -> Path:
    """A skill beside a copy of the checkout's schemas, as `skills/` and `schemas/` lie there."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "skills").mkdir()
    return tmp_path / "skills" / "mine.yaml"


@pytest.fixture
def workspace_file(shell: Any) -> Path:
    """A skill that `skill new` wrote in a workspace with a tool of its own."""
    (shell.folder / "tools").mkdir()
    (shell.folder / "tools" / "disk_free.yaml").write_text(TOOL)
    done = shell.run("new", "mine", "--tool", "disk_free")
    assert done.returncode == 0, done.stderr
    return Path(shell.folder / "skills" / "mine.yaml")


TOOL = """\
name: disk_free
description: Says how much room a folder has left.
effect: read
parameters:
  type: object
  required: [path]
  properties:
    path: {type: string, description: The folder.}
    unit: {type: string, enum: [kB, MB], description: What is counted.}
    most: {type: integer, description: At most so much.}
command:
  argv: [df, "{{ path }}"]
"""


def test_keys_of_a_step_are_completed_with_their_descriptions(editor: Editor, checkout_file: Path) -> None:
    """Every key the step has not yet, each with the sentence of the schema."""
    offered = editor.completions(checkout_file, f"{PLAIN}    {CURSOR}")
    described = json.loads((ROOT / "schemas" / "skill.schema.json").read_text())["$defs"]["step"]["properties"]
    assert offered.keys() >= described.keys() - {"name"}
    assert {key: offered[key]["documentation"] for key in ("tool", "on_error", "foreach")} == {
        key: described[key]["description"] for key in ("tool", "on_error", "foreach")
    }


@pytest.mark.parametrize(
    ("text", "inserted"),
    [
        (f"{LINE}name: mine\n{CURSOR}", {"steps": "steps:\n  - name: ", "inputs": "inputs:\n  - name: "}),
        (f"{PLAIN}    {CURSOR}", {"compute": "compute: |\n  result = ", "undo": "undo:\n  tool: "}),
        (f"{PLAIN}    retry:\n      {CURSOR}", {"attempts": "attempts: ${1:0}"}),
        (f"{PLAIN}    foreach: x\n    steps:\n      - {CURSOR}", {"name": "name: ", "condition": "condition: "}),
    ],
)
def test_what_is_completed_can_stand_as_it_is(
    editor: Editor, checkout_file: Path, text: str, inserted: dict[str, str]
) -> None:
    """Nothing is inserted that nobody asked for, such as options with their default."""
    offered = editor.completions(checkout_file, text)
    assert {label: offered[label]["insertText"] for label in inserted} == inserted


def test_values_of_closed_sets_are_completed(editor: Editor, checkout_file: Path) -> None:
    """Words that are the only ones accepted are offered."""
    for text, words in (
        (f"{PLAIN}    on_error: {CURSOR}", {"fail", "continue"}),
        (f"{PLAIN}    stop:\n      status: {CURSOR}", {"ok", "blocked", "failed"}),
        (f"{LINE}name: mine\ninputs:\n  - name: a\n    type: {CURSOR}", {"string", "integer", "boolean"}),
    ):
        assert editor.completions(checkout_file, text).keys() >= words


def test_a_key_is_explained_where_the_mouse_rests(editor: Editor, checkout_file: Path) -> None:
    """The description of the key, wherever it stands."""
    assert "Does the step again" in editor.hover(checkout_file, f"{PLAIN}    un{CURSOR}til:\n      every: 5s\n")
    assert "The wait between" in editor.hover(checkout_file, f"{PLAIN}    until:\n      ev{CURSOR}ery: 5s\n")


def test_mistakes_are_underlined_while_typing(editor: Editor, checkout_file: Path) -> None:
    """An unknown key, a wrong type and a word that is not of the set, each on its line; nothing else."""
    text = f"{PLAIN}    colour: red\n    secret: maybe\n    on_error: ignore\n    tool: echo\n"
    assert editor.problems(checkout_file, text) == {
        5: "Property colour is not allowed.",
        6: 'Incorrect type. Expected "boolean".',
        7: 'Value is not accepted. Valid values: "fail", "continue", "auto_heal".',
    }


def test_shipped_skills_have_no_problems(editor: Editor) -> None:
    """Every skill of the checkout names its schema in a line of its own, and fits it."""
    for path in sorted((ROOT / "skills").glob("*.yaml")):
        assert path.read_text().startswith(LINE), path
        assert editor.problems(path) == {}, path


def test_a_missing_schema_would_be_seen(editor: Editor, tmp_path: Path) -> None:
    """No problems in a file whose schema is not there would prove nothing: the editor says that it is not."""
    [told] = editor.problems(tmp_path / "mine.yaml", PLAIN).values()
    assert "skill.schema.json" in told


def test_a_new_skill_has_no_problems_in_its_editor(editor: Editor, workspace_file: Path) -> None:
    """The line that `skill new` writes leads to a schema, and the skill fits it."""
    assert workspace_file.read_text().startswith(LINE)
    assert editor.problems(workspace_file) == {}


def test_tools_of_the_workspace_are_completed(editor: Editor, workspace_file: Path) -> None:
    """Their names and arguments, each with what its definition says of it; the same in an undo."""
    named = editor.completions(workspace_file, f"{PLAIN}    tool: {CURSOR}")
    assert named["disk_free"]["documentation"] == "Says how much room a folder has left."
    assert named.keys() >= {"echo", "git_rev_parse"}
    call = f"{PLAIN}    tool: disk_free\n    args:\n      "
    taken = editor.completions(workspace_file, f"{call}{CURSOR}")
    assert {name: taken[name]["documentation"] for name in ("path", "unit", "most")} == {
        "path": "The folder.",
        "unit": "What is counted.",
        "most": "At most so much.",
    }
    assert editor.completions(workspace_file, f"{call}unit: {CURSOR}").keys() >= {"kB", "MB"}
    assert "At most so much." in editor.hover(workspace_file, f"{call}mo{CURSOR}st: 5")
    assert "how much room" in editor.hover(workspace_file, f"{PLAIN}    tool: disk_{CURSOR}free\n")
    undo = f"{PLAIN}    tool: echo\n    undo:\n      tool: disk_free\n      args:\n        {CURSOR}"
    assert "path" in editor.completions(workspace_file, undo)


def test_skills_of_the_workspace_are_completed(editor: Editor, workspace_file: Path) -> None:
    """For a step that runs another skill; one that is not written yet is no mistake."""
    named = editor.completions(workspace_file, f"{PLAIN}    skill: {CURSOR}")
    assert named["test_mr_ephemeral"]["documentation"].startswith("Deploys the image of a merge request")
    assert editor.problems(workspace_file, f"{PLAIN}    skill: not_yet\n") == {}


def test_calls_of_tools_are_checked_while_typing(editor: Editor, workspace_file: Path) -> None:
    """Unknown tools, unknown, missing and mistyped arguments; a template may become anything."""
    steps = """\
  - name: a
    tool: disk_fre
  - name: b
    tool: disk_free
    args:
      pth: /
      most: several
  - name: c
    tool: disk_free
    args:
      path: "{{ a }}"
      unit: "{{ a }}"
      most: "{{ a }}"
"""
    told = editor.problems(workspace_file, f"{LINE}name: mine\nsteps:\n{steps}")
    assert told == {
        5: "there is no tool of this name here; `skill tools` lists them",
        8: 'Missing property "path".',
        9: "Property pth is not allowed.",
        10: "this is neither a whole number nor {{ a template }}",
    }


def test_the_installed_schema_can_be_named_by_its_path(editor: Editor, shell: Any) -> None:
    """For editors that are told once for all: `skill schema --path` names a file they can read."""
    path = shell.run("schema", "--path").stdout.strip()
    text = f"# yaml-language-server: $schema={path}\n{STEP}    {CURSOR}"
    assert "tool" in editor.completions(shell.folder / "mine.yaml", text)
