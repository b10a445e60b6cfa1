"""What stands in a recorded rehearsal where history has a mask: made up, in the form in which the skill reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.model.secret import MASK
from engine.model.skill import GroupStep, Skill, Step
from engine.run.rehearsal.samples import sample
from tool_registry.tool import Tool

PLACEHOLDER = "masked-value"


class Placeholders:
    """Fills in for masked values, and remembers where it did."""

    def __init__(self, *, skill: Skill, tools: Mapping[str, Tool]) -> None:
        self.made: list[str] = []
        self._text = skill.text
        self._steps = {step.name: step for step in _all_steps((*skill.steps, *skill.always))}
        self._tools = tools

    def filled(self, value: Any, where: str) -> Any:
        """`value` with the placeholder for every mask in it."""
        replaced = _replaced(value)
        if replaced != value:
            self.made.append(where)
        return replaced

    def answer(self, value: Any, *, tool: str, step: str, where: str) -> Any:
        """A tool's value; one that was masked as a whole gets the keys its tool promises and the skill reads."""
        if value != MASK:
            return self.filled(value, where)
        self.made.append(where)
        promised = sample(self._tools[tool].result) if tool in self._tools else None
        read = dict.fromkeys(self._keys_read(step), PLACEHOLDER)
        if isinstance(promised, dict) or (promised is None and read):
            return {**_replaced_texts(promised or {}), **read}
        return _replaced_texts(promised) if promised is not None else PLACEHOLDER

    def _keys_read(self, path: str) -> set[str]:
        """The keys that the skill's text reads of what a step gave, by the step's own name or as its `result`."""
        step = self._steps.get(re.sub(r"\[\d+\]|#\d+", "", path).rpartition("/")[2])
        if step is None:
            return set()
        own = " ".join(each.text for each in (step.expect, step.until and step.until.condition) if each)
        return {*_keys(step.output, self._text), *_keys("result", own)}


def _keys(name: str, text: str) -> Iterator[str]:
    pattern = rf"""\b{re.escape(name)}(?:\.(\w+)|\[['"](\w+)['"]\]|\.get\(['"](\w+)['"])"""
    for found in re.finditer(pattern, text):
        if key := found[3] or found[2] or found[1]:
            yield key


def _all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if step.undo is not None:
            yield step.undo
        if isinstance(step, GroupStep):
            yield from _all_steps(step.steps)


def _replaced(value: Any) -> Any:
    match value:
        case str():
            return value.replace(MASK, PLACEHOLDER)
        case dict():
            return {_replaced(key): _replaced(inner) for key, inner in value.items()}
        case list():
            return [_replaced(inner) for inner in value]
        case _:
            return value


def _replaced_texts(value: Any) -> Any:
    """A made-up value whose texts say that they stand for masked ones."""
    match value:
        case str():
            return PLACEHOLDER
        case dict():
            return {key: _replaced_texts(inner) for key, inner in value.items()}
        case list():
            return [_replaced_texts(inner) for inner in value]
        case _:
            return value
