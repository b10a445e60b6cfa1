"""Repairs by hand put before people: which error of which tool, and what helped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.improve.proposals import identity, shown
from engine.improve.repairs import Arguments, Repair, Surroundings
from engine.model.improvement import About, Proposal
from engine.model.outcome import ToolCall

SHORTEST, LONGEST = 8, 200
"""Characters of the words that are looked for in an error."""
BY_ITSELF = 3
"""How often a call must have worked later, with nothing run in between, before that is offered as knowledge."""

_LEVELLED = re.compile(r"\S*<\w+>\S*")
CAUSES = {"login": "The credentials were missing or had expired", "connect": "There was no connection"}


def offers(
    found: Sequence[Repair],
    around: Surroundings,
    history: Arguments,
    *,
    mask: Callable[[Any], Any],
    known: Callable[[str, str], object],
) -> Iterator[Proposal]:
    """A proposal for each error of a tool and what repaired it, unless memory knows it.

    `known(tool, text)` tells whether memory has something about an error; `mask` takes secrets out of arguments.
    """
    for (tool, words, by), cases in _gathered(found).items():
        newest = cases[0]
        proposal_id = identity(About.REPAIR, f"{tool} {words.casefold()} {by}")
        if known(tool, newest.failed.said):
            continue
        if newest.by is None and len(cases) < BY_ITSELF:
            continue
        if newest.by is not None and around.had_named(newest.failed.call, by):
            continue
        call = ToolCall(tool=by, args=mask(history.arguments(newest.by))) if newest.by is not None else None
        yield _offer(proposal_id, cases, words, call, around.role(tool, by))


def same_words(line: str) -> str:
    """The longest part of a normalised line that nothing was levelled in, to be looked for in errors; or empty."""
    parts = (part.strip(" :;,.-'\"()[]{}") for part in _LEVELLED.split(line))
    longest = max(parts, key=len, default="")
    while len(longest) > LONGEST and " " in longest:
        longest = longest.rpartition(" ")[0]
    return longest if SHORTEST <= len(longest) <= LONGEST else ""


def _gathered(found: Iterable[Repair]) -> dict[tuple[str, str, str], list[Repair]]:
    gathered: dict[tuple[str, str, str], list[Repair]] = {}
    for each in found:
        words = same_words(each.failed.line)
        if words:
            key = (each.failed.call.tool, words, each.by.tool if each.by is not None else "")
            gathered.setdefault(key, []).append(each)
    return gathered


def _offer(proposal_id: str, cases: Sequence[Repair], words: str, call: ToolCall | None, role: str) -> Proposal:
    newest, tool = cases[0], cases[0].failed.call.tool
    times = f"{len(cases)} times" if len(cases) > 1 else "once"
    last = f"last on {_day(newest.worked.started_at)}, run {newest.worked.run_id}"
    if call is None:
        because = f"{times} the same call of {tool} worked later ({last}), with nothing run in between."
        cause, fix = "It passes by itself", "Run it again after a while"
    else:
        because = f"{times} {call.tool} was run after this error of {tool}, and then the same call worked ({last})."
        cause, fix = CAUSES.get(role, f"Not known; {call.tool} helped"), f"Run {call}"
    return Proposal(
        id=proposal_id,
        about=About.REPAIR,
        text=newest.failed.line,
        because=because[:1].upper() + because[1:],
        example=shown(newest.failed.said),
        tools=(tool,),
        times=len(cases),
        first_seen=min(each.failed.call.at for each in cases),
        last_seen=max(each.failed.call.at for each in cases),
        error_pattern=words,
        root_cause=cause,
        fix_applied=shown(fix),
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
