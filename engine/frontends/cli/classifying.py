"""`skill heal classify`: what a failure's text means, and why; nothing is run, nothing is remembered."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from engine.bundle import bundle
from engine.frontends.cli.layout import beside, terminal_width
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.heal.detect import diagnose, matching
from engine.memory import Memory
from engine.memory.patterns import FILE
from engine.model.failure import Basis, Diagnosis, Evidence, Failure, FailureKind, Pattern


@click.command("classify")
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"), default="-")
@click.option("--program", help="The program that said it, such as `git`; where it is known it says more.")
@click.option("--exit-status", type=int, help="The exit status it ended with.")
@click.option("--jsonl", "many", is_flag=True, help="FILE holds one object per line: text, program, exit_status.")
@screen_options
def classify_command(
    session: Session, file: TextIO, program: str | None, exit_status: int | None, many: bool, screen: Screen
) -> None:
    """Say what the failure in FILE means (`-`, or nothing: standard input).

    The answer is a kind with the reason for it, or `unknown`. FILE is taken for the output of a call that failed:
    whether it failed is never read from the words. With --jsonl each line of FILE is one failure, and the answers
    are written as lines of JSON unless -o says otherwise.
    """
    patterns = _patterns(session, screen)
    if many:
        _show_many([_read(evidence, patterns) for evidence in _lines(file, program)], screen)
        return
    evidence = Evidence(text=file.read(), program=program, exit_status=exit_status)
    answer = _read(evidence, patterns)
    if screen.is_text:
        _show(answer, screen)
    else:
        screen.result(answer)


def _patterns(session: Session, screen: Screen) -> Sequence[Pattern]:
    memory = Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)
    for finding in (each for each in memory.findings() if Path(each.place.file).name == Path(FILE).name):
        show_finding(finding, screen.note, width=terminal_width(sys.stderr))
    return memory.patterns.all()


def _read(evidence: Evidence, patterns: Sequence[Pattern]) -> dict[str, Any]:
    found = diagnose(Failure(message="", evidence=evidence), patterns)
    return _told(found) | {"also": _others(found, evidence, patterns)}


def _told(found: Diagnosis) -> dict[str, Any]:
    """The answer as it is written; `kind` stays `unknown` where only a habit of exit statuses speaks."""
    pattern = found.pattern
    return {
        "kind": str(found.kind),
        "confidence": round(found.confidence, 3),
        "basis": str(found.basis),
        "because": found.because,
        "untouched": found.untouched,
        "pattern": pattern.id if pattern else None,
        "fix": pattern.fix if pattern else None,
        "meaning": pattern.meaning if pattern else "",
        "commands": list(pattern.commands) if pattern else [],
    }


def _others(found: Diagnosis, evidence: Evidence, patterns: Sequence[Pattern]) -> list[str]:
    """The other patterns that speak on the text, most confident first."""
    told = found.pattern.id if found.pattern else None
    return [each.id for each in matching(evidence.text, evidence.program, patterns) if each.id != told]


def _lines(file: TextIO, program: str | None) -> Iterator[Evidence]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield _evidence(row, program)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise click.UsageError(
                f'line {number} is no failure ({error}); write {{"text": "...", "program": "git", "exit_status": 128}}'
            ) from error


def _evidence(row: dict[str, Any], program: str | None) -> Evidence:
    """The failure of a line; `source` and `exit_code` are taken too, as labelled texts name them."""
    status = row.get("exit_status", row.get("exit_code"))
    return Evidence(
        text=str(row["text"]),
        program=row.get("program") or row.get("source") or program,
        exit_status=None if status is None else int(status),
    )


def _show_many(answers: list[dict[str, Any]], screen: Screen) -> None:
    if not screen.is_text:
        screen.result(answers)
        return
    for answer in answers:
        screen.text(json.dumps(answer, ensure_ascii=False))


def _show(answer: dict[str, Any], screen: Screen) -> None:
    known = answer["kind"] != FailureKind.UNKNOWN
    screen.text(answer["kind"], bold=True, fg=None if known else "yellow")
    told = [("", answer["because"])]
    if known:
        proof = "nothing had happened yet" if answer["untouched"] else "the call may have had its effect"
        told.append(("", f"{_certainty(answer)}; {proof}"))
    told += [("meaning", answer["meaning"]), ("fix", answer["fix"] or ""), ("also", ", ".join(answer["also"]))]
    told += [("try", command) for command in answer["commands"]]
    for label, value in told:
        for line in beside(f"  {label:8} " if label else "  ", value, screen.width, lines=20) if value else ():
            screen.text(line)


def _certainty(answer: dict[str, Any]) -> str:
    if answer["basis"] != Basis.PATTERN:
        return "certain: that is how it is defined"
    if not answer["confidence"]:
        return "how often that is right is not known yet"
    return f"right in at least {answer['confidence']:.0%} of such cases"
