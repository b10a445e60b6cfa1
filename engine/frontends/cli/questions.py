"""A run's questions as people see them, what their answers mean, and the commands that give one."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from typing import Any

from engine.errors import InputError
from engine.frontends.cli.details import plain
from engine.frontends.cli.layout import LEAST_ROOM, beside
from engine.model.question import DONE, FAIL, REPEAT, Question
from engine.model.skill import InputType

INDENT = "      "
FEW = 3
"""Choices for each of which a whole command is written down."""
YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no"})
MEANS = {
    REPEAT: "call it again",
    DONE: "take it as done, without a value",
    FAIL: "let the step fail",
}
"""What the answers to a question about a call that was cut off do."""
NOUNS = {
    InputType.STRING: "text",
    InputType.INTEGER: "a whole number",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "yes or no",
    InputType.ARRAY: "a list: a, b or JSON",
    InputType.OBJECT: "a mapping in JSON",
}


def asked_lines(question: Question, width: int | None) -> list[str]:
    """The question with its choices, as it is put at the prompt; the answer is typed behind the last line."""
    head = f"  ? {last_name(question.name)}  "
    if question.type is InputType.BOOLEAN and not question.choices:
        return told_beside(head, f"{question.text} {hint(question)}", width)
    lines = told_beside(head, question.text, width)
    numbered = _numbered(question)
    for number, choice in enumerate(question.choices, start=1):
        sign = f"{number}. " if numbered else "- "
        told = f"  {MEANS[choice]}" if question.about == "settle" and choice in MEANS else ""
        lines += beside(f"{INDENT}{sign}", f"{plain(choice)}{told}", width)
    return [*lines, f"{INDENT}{hint(question)} >".replace("  >", " >")]


def told_beside(head: str, text: str, width: int | None) -> list[str]:
    """A text of several lines beside a head, each line under the first; empty ones are left out."""
    first, *more = [line for line in text.splitlines() if line.strip()] or [""]
    fits = width is None or width - len(head) >= LEAST_ROOM
    under = " " * len(head) if fits else INDENT
    return [
        *beside(head, first, width, lines=20),
        *(line for each in more for line in beside(under, each, width, lines=20)),
    ]


def hint(question: Question) -> str:
    """What Enter alone means: `[staging]`, `[y/N]`; what is wanted where there is no default and nothing to choose."""
    if question.type is InputType.BOOLEAN and not question.choices:
        if question.about == "fix":
            return "[y/N]"
        return {True: "[Y/n]", False: "[y/N]"}.get(question.default, "[y/n]")
    if question.default is not None:
        return f"[{plain(question.default)}]"
    return "" if question.choices else f"({NOUNS[question.type]})"


def meaning(question: Question, typed: str) -> Any:
    """The value of what was typed at the prompt: Enter is the default, a number the choice. Raises InputError."""
    text = typed.strip()
    if not text and question.default is not None:
        return question.default
    if question.type is InputType.BOOLEAN and not question.choices:
        return _truth(question, text.lower())
    if not text:
        raise InputError("an answer is needed")
    known = [plain(choice) for choice in question.choices]
    if _numbered(question) and text not in known and text.isdecimal() and 0 < int(text) <= len(known):
        return question.choices[int(text) - 1]
    return _coerced(question, text)


def refusal(question: Question) -> str:
    """What is said to an answer that does not fit."""
    if question.choices:
        return f"it wants one of {', '.join(map(plain, question.choices))}; Ctrl-D leaves the question open"
    return f"it wants {NOUNS[question.type]}; Ctrl-D leaves the question open"


def last_name(name: str) -> str:
    """The step's own name at the end of a question's name: `confirm` of `each[2]/confirm`."""
    return name.rpartition("/")[2]


def short_name(name: str, names: Collection[str]) -> str:
    """The shortest name under which a question can be answered: the step's own where no other question has it."""
    last = last_name(name)
    return last if sum(last_name(other) == last for other in names) == 1 else name


def answer_commands(run_id: str, question: Question, names: Collection[str]) -> list[str]:
    """The commands that answer the question: one for each of few choices, else one with a word to be replaced."""
    name = short_name(question.name, names)
    choices = ("yes", "no") if question.type is InputType.BOOLEAN and not question.choices else question.choices
    given = [plain(choice) for choice in choices] if 0 < len(choices) <= FEW else ["VALUE"]
    return [f"skill answer {run_id} {shlex.quote(f'{name}={value}')}" for value in given]


def waiting_lines(run_id: str, questions: Iterable[Question], width: int | None) -> list[str]:
    """What a run waits for, and the exact commands that answer or end it."""
    asked = list(questions)
    names = [question.name for question in asked]
    lines: list[str] = []
    for question in asked:
        head = f"  ? {short_name(question.name, names)}  "
        lines += told_beside(head, f"{question.text}{_wanted(question)}", width)
        lines += [f"{INDENT}{command}" for command in answer_commands(run_id, question, names)]
    return [*lines, f"  or end it: skill cancel {run_id}"]


def question_record(run_id: str, question: Question, names: Collection[str]) -> dict[str, Any]:
    """A question as JSON-like data; `answer_with` is the command, with VALUE to be replaced."""
    given = shlex.quote(f"{short_name(question.name, names)}=VALUE")
    return {
        "name": question.name,
        "question": question.text,
        "type": question.type.value,
        "choices": list(question.choices),
        "default": question.default,
        "about": question.about,
        "step": question.step,
        "answer_with": f"skill answer {run_id} {given}",
    }


def _truth(question: Question, text: str) -> bool:
    if text in YES:
        return True
    if text in NO or (not text and question.about == "fix"):
        return False
    return bool(_coerced(question, text))


def _coerced(question: Question, text: str) -> Any:
    # late: showing a question does not need the library, which costs a tenth of a second
    from engine.library.inputs import coerced_answer  # noqa: PLC0415 - see above

    return coerced_answer(question, text, from_text=True)


def _numbered(question: Question) -> bool:
    """Whether choices may be named by number; not where they are numbers themselves."""
    return bool(question.choices) and not any(isinstance(choice, int | float) for choice in question.choices)


def _wanted(question: Question) -> str:
    """What an answer may be, behind the question where no command shows it."""
    if len(question.choices) > FEW:
        told = f"one of {', '.join(map(plain, question.choices))}"
    elif question.choices or question.type is InputType.BOOLEAN:
        told = ""
    else:
        told = NOUNS[question.type]
    told += f"{'; ' if told else ''}default {plain(question.default)}" if question.default is not None else ""
    return f" ({told})" if told else ""
