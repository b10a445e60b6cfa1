"""Uses and mistakes at offsets of a text, and how they get their place in the author's file."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import SandboxError, SandboxLimitError
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place, Text
from engine.sandbox.limits import Exceeded, Refused
from engine.sandbox.reading import NameUse, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A name use at an offset of a text; `reading` gives it its place."""

    path: tuple[str, ...]
    offset: int
    guarded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake at an offset of a text."""

    offset: int
    code: str
    message: str
    hint: str = ""
    limit: bool = False


def place_of(text: Text, offset: int) -> Place:
    """The place in the author's file of the character at `offset` of `text`."""
    offset = max(0, min(offset, len(text.text)))
    line = text.text.count("\n", 0, offset) + 1
    return text.at(line, offset - (text.text.rfind("\n", 0, offset) + 1) + 1)


def reading(text: Text, uses: Sequence[Use], problems: Sequence[Problem]) -> Reading:
    """Uses and problems of `text`, each with its place in the author's file."""
    return Reading(
        uses=tuple(NameUse(path=use.path, place=place_of(text, use.offset), guarded=use.guarded) for use in uses),
        findings=tuple(_finding(text, problem) for problem in problems),
    )


def _finding(text: Text, problem: Problem) -> Finding:
    return Finding(
        place=place_of(text, problem.offset), code=problem.code, message=sentence(problem.message), hint=problem.hint
    )


def problem_error(text: Text, problem: Problem) -> SandboxError:
    """The error of evaluating a text that has a problem."""
    kind = SandboxLimitError if problem.limit else SandboxError
    return kind(sentence(problem.message), hint=problem.hint, place=place_of(text, problem.offset))


def refusal_error(text: Text, refused: Refused) -> SandboxError:
    """What was refused while evaluating `text`, as the error that is raised, with its place."""
    kind = SandboxLimitError if isinstance(refused, Exceeded) else SandboxError
    return kind(sentence(refused.message), hint=refused.hint, place=place_of(text, refused.offset or 0))


def sentence(message: str) -> str:
    """`message` on one line of bearable length."""
    line = " ".join(message.split())
    return line if len(line) <= 300 else line[:297] + "..."  # noqa: PLR2004 - a few terminal lines
