"""Every error ends in a sentence and its exit status."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from engine.errors import DocumentError, InputError, JournalError, SkillNotFoundError, WorkspaceError
from engine.frontends.cli.complaint import BROKEN, complain
from engine.frontends.cli.session import Session
from engine.model.place import Finding, Place
from tool_registry.sources.placeholders import DefinitionError
from tool_registry.tool import ToolError, UnknownToolError


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session whose live files go to a folder of its own."""
    monkeypatch.setenv("SKILL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_DEBUG", raising=False)
    return Session(folder=tmp_path)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (click.UsageError("what?"), 2, "what?"),
        (SkillNotFoundError("there is no skill called a", hint="did you mean b?"), 3, "did you mean b?"),
        (InputError("a is missing"), 2, "a is missing"),
        (WorkspaceError("no folder"), 2, "no folder"),
        (JournalError("history cannot be kept"), 1, "history cannot be kept"),
        (UnknownToolError("get_pod", ("get_pods",)), 2, "did you mean get_pods?"),
        (DefinitionError("tools/a.yaml", "it has no name"), 6, "tools/a.yaml: it has no name"),
        (ToolError("the tool is wrong"), 6, "the tool is wrong"),
        (PermissionError(13, "Permission denied", "/srv/x/file"), 1, "/srv/x/file: Permission denied"),
        (ExceptionGroup("group", [InputError("a is missing")]), 2, "a is missing"),
    ],
)
def test_an_error_ends_in_a_sentence_and_its_status(
    error: Exception, status: int, words: str, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, beginning with `error:`, with the way out."""
    assert complain(error, session) == status
    output, told = capsys.readouterr()
    assert output == ""
    assert told.startswith("error: ")
    assert words in told


def test_a_document_error_shows_its_first_findings_with_the_line(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten of them, and how many more there are."""
    (tmp_path / "a.yaml").write_text("name: a\n" * 30)
    found = [
        Finding(place=Place(file=str(tmp_path / "a.yaml"), line=line, column=7), code="c", message="m")
        for line in range(1, 15)
    ]
    assert complain(DocumentError("it has 14 errors", findings=found), session) == 6
    told = capsys.readouterr().err
    assert told.count("| name: a") == 10
    assert "and 4 more" in told


def test_a_mistake_of_ours_is_one_sentence_and_a_private_file(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback on the screen; the file is readable by its owner alone, and secrets in it are masked."""
    session.secrets.add("HUNTER2-HUNTER2")
    with pytest.raises(KeyError) as raised:
        os.environ["HUNTER2-HUNTER2"]
    assert complain(raised.value, session) == 70
    told = capsys.readouterr().err
    assert "Traceback" not in told
    [report] = (tmp_path / "home" / "crashes").iterdir()
    assert str(report) in told
    assert report.stat().st_mode & 0o077 == 0
    assert "Traceback" in report.read_text()
    assert "HUNTER2" not in told + report.read_text()


def test_debugging_shows_where_it_arose_and_no_secret(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SKILL_DEBUG=1 is for us; whoever looks over our shoulder sees no more than anybody."""
    monkeypatch.setenv("SKILL_DEBUG", "1")
    session.secrets.add("HUNTER2\tHUNTER2")
    with pytest.raises(KeyError) as raised:
        os.environ["HUNTER2\tHUNTER2"]
    assert complain(raised.value, session) == BROKEN
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "HUNTER2" not in told
