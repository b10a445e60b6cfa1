"""What is told of a step while it is under way: its failures, what they mean, what was run against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.frontends.cli.layout import cut, one_line, took
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass

LONGEST_TOLD = 400
"""Characters of a message or a value that are shown; `skill logs` has the whole."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Something that happened inside a step; `opens` when it is the first of several, and names the step."""

    text: str
    label: str = ""
    opens: bool = False
    fg: str | None = None
    dim: bool = False


def detail_of(event: Event, *, verbose: bool = False) -> Detail | None:
    """What a person is told of the event; None when it is nothing to speak of."""
    data = event.data
    match event.kind:
        case EventKind.ATTEMPT_FINISHED if data.get("failure"):
            again = "" if data["number"] == 1 else f"attempt {data['number']}: "
            return Detail(text=again + first_line(data["failure"]["message"]), opens=True, fg="yellow")
        case EventKind.HEAL_STAGE:
            return _stage(data, verbose=verbose)
        case EventKind.FIX_FINISHED:
            return None if data.get("cause") == "preflight" else _fixed(data)
        case EventKind.QUESTION_ANSWERED if str(data.get("name", "")) != event.step:
            return Detail(label="answer", text=plain(data.get("answer")), dim=True)
        case EventKind.PROGRESS:
            return Detail(text=first_line(data["text"]), dim=True)
    return None


def doing_of(event: Event) -> str | None:
    """What the step is busy with from this event on; None when the event does not say."""
    data, told = event.data, None
    match event.kind:
        case EventKind.ATTEMPT_STARTED:
            told = str(data.get("tool", "")) + (f", attempt {data['number']}" if data.get("number", 1) != 1 else "")
        case EventKind.ATTEMPT_FINISHED:
            told = "finds out what it means" if data.get("failure") else ""
        case EventKind.HEAL_STAGE if data["stage"] == "detect":
            told = "decides what to do"
        case EventKind.FIX_STARTED:
            told = f"runs {data['fix']}"
        case EventKind.FIX_FINISHED:
            told = "tries again"
        case EventKind.QUESTION_ASKED:
            told = "waits for an answer"
        case EventKind.QUESTION_ANSWERED:
            told = ""
        case EventKind.PROGRESS:
            told = first_line(data["text"])
    return told


def first_line(text: str) -> str:
    """The first line of a message, cut."""
    lines = text.strip().splitlines()
    return cut(lines[0], LONGEST_TOLD) if lines else "it said nothing"


def short(value: Any) -> str:
    """A value as JSON in one line, cut."""
    return cut(one_line(json.dumps(value, ensure_ascii=False, default=str)), LONGEST_TOLD)


def plain(value: Any) -> str:
    """An answer as a person would give it: text as it is, yes and no, everything else as JSON."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return cut(one_line(value), LONGEST_TOLD)
    return short(value)


def _stage(data: Fields, *, verbose: bool) -> Detail | None:
    stage, answer = str(data["stage"]), first_line(str(data.get("answer", "")))
    if stage == "preflight":
        return _looked_at(data, verbose=verbose)
    if stage == "predict" and data.get("action") in {"fix", "shadow"}:
        return Detail(label="before", text=answer, fg="cyan" if data.get("ok") else None, dim=not data.get("ok"))
    if stage == "detect":
        kind = str(data["kind"]).replace("_", " ")
        sure = f" ({data['basis']}, {data['confidence']:.0%} sure)" if verbose else ""
        return Detail(label="means", text=(answer if kind in answer else f"{kind}: {answer}") + sure, dim=True)
    return Detail(label=stage, text=answer, dim=True) if verbose else None


def _looked_at(data: Fields, *, verbose: bool = False) -> Detail | None:
    """What is told of a check: that something was repaired, or is worth noting; all else only to who wants to know."""
    action = str(data.get("action", ""))
    if action in {"passed", "blocked"} and not verbose:  # what is blocked says so at its end
        return None
    colour = {"fixed": "cyan", "blocked": "yellow"}.get(action)
    return Detail(label="before", text=first_line(str(data.get("answer", ""))), fg=colour, dim=colour is None)


def _fixed(data: Fields) -> Detail:
    if not data["ok"]:
        return Detail(label="fix", text=f"{data['fix']} failed: {first_line(data['failure'] or '')}", fg="red")
    how = "run by another, used here too" if data["shared"] else took(data["finished_at"] - data["started_at"])
    return Detail(label="fixed", text=f"{data['fix']}  {how}", fg="cyan")
