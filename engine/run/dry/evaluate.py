"""Evaluates authors' texts where some values are unknown: what can be known is, the rest says what it hangs on.

The sandbox evaluates, always, and never sees an unknown: a text that reads none is evaluated as in a run. Of one that
does, `and`, `or`, `not`, `a if c else b`, lists and mappings are decided part by part; anything else is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from engine.errors import SandboxError
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Severity, Text
from engine.model.skill import Tree
from engine.run.dry.reach import Reached, reach
from engine.run.dry.unknown import Unknown, cleared, is_known, merged, truth_of
from engine.sandbox import NameUse, Sandbox, is_marked, is_whole
from engine.sandbox.parts import Hole, Joint, Parts, filled, holes, take_apart

ASKS_FOR_NAMES = re.compile(r"\b(?:dir|locals|globals|vars)\s*\(")
WORD = re.compile(r"\w+")
Names = Mapping[str, Any]


class ImpossibleError(SandboxError):
    """A text reads what can never be there, as the schema of its source says."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a text reads: everything of it that is unknown, and the reads that lead to nothing."""

    values: tuple[Any, ...]
    wrong: tuple[tuple[NameUse, Reached], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Evaluates with what is known; every method raises SandboxError for what would fail, and gives Unknown in doubt.

    `findings` grows by what is worth a look and fails nothing.
    """

    sandbox: Sandbox
    findings: list[Finding] = field(default_factory=list)

    def tolerate(self, since: int) -> None:
        """Makes warnings of what was found since there were that many findings: what holds those steps goes on."""
        found = self.findings[since:]
        self.findings[since:] = [replace(each, severity=Severity.WARNING) for each in found]

    def value(self, text: Text, names: Names) -> Any:  # noqa: PLR0911 - one for each form that is taken apart
        """The value of an expression; Unknown, or a value with unknown parts, where it hangs on what is unknown."""
        reading = self.sandbox.read_expression(text)
        touched = self._touched(reading.uses, names)
        if reading.findings or not touched.values:
            return self.sandbox.evaluate(text, names)
        parts = take_apart(text)
        match parts.joint:
            case Joint.AND | Joint.OR:
                return self._joined(parts, names)
            case Joint.NOT:
                truth = self.truth(parts.texts[0], names)
                return _boolean(truth) if isinstance(truth, Unknown) else not truth
            case Joint.CHOICE:
                return self._chosen(parts, names, self.value)
            case Joint.LIST:
                return [self.value(each, names) for each in parts.texts]
            case Joint.MAPPING:
                return {key: self.value(each, names) for key, each in zip(parts.keys, parts.texts, strict=True)}
        return self._leaf(parts, touched, names)

    def truth(self, text: Text, names: Names) -> bool | Unknown:
        """Whether an expression holds."""
        reading = self.sandbox.read_expression(text)
        if reading.findings or not self._touched(reading.uses, names).values:
            return self.sandbox.holds(text, names)
        parts = take_apart(text)
        match parts.joint:
            case Joint.AND | Joint.OR:
                return self._decided(parts, names)
            case Joint.NOT:
                truth = self.truth(parts.texts[0], names)
                return truth if isinstance(truth, Unknown) else not truth
            case Joint.CHOICE:
                chosen = self._chosen(parts, names, self.truth)
                return chosen if isinstance(chosen, Unknown) else bool(chosen)
        return truth_of(self.value(text, names))

    def tree(self, tree: Tree, names: Names) -> Any:
        """A value with every text in it rendered."""
        match tree:
            case Text() if not is_marked(tree.text):
                return tree.text
            case Text():
                return self.value(tree, names) if is_whole(tree.text) else self.text(tree, names)
            case dict():
                return {key: self.tree(inner, names) for key, inner in tree.items()}
            case list() | tuple():
                return [self.tree(inner, names) for inner in tree]
            case _:
                return tree

    def text(self, text: Text, names: Names) -> str | Unknown:
        """A template; where only its holes are unknown, an Unknown that shows the rest with a mark in each of them."""
        reading = self.sandbox.read_template(text)
        touched = self._touched(reading.uses, names)
        if reading.findings or not touched.values:
            return str(self.sandbox.render(text, names))
        found = holes(text)
        if found is None:
            return self._unreadable(touched)
        return self._marked(text, found, touched, names)

    async def compute(self, text: Text, names: Names) -> Any:
        """What a block gives; it runs only when all it reads is known."""
        touched = self._touched(self.sandbox.read_compute(text).uses, names)
        self._tell(touched)
        asked = self._asked(text, names)
        if touched.values or asked:
            return _computed(merged(*touched.values, *asked))
        words = frozenset(WORD.findall(text.text))
        return await self.sandbox.compute(text, {name: cleared(names[name]) for name in names if name in words})

    def _touched(self, uses: Sequence[NameUse], names: Names) -> Touched:
        reached = [(use, reach(names, use.path)) for use in uses]
        unknown = tuple(found.value for _, found in reached if not is_known(found.value))
        return Touched(unknown, tuple((use, found) for use, found in reached if found.problem and not use.guarded))

    def _joined(self, parts: Parts, names: Names) -> Any:
        """The value of `a and b`, `a or b`: the part it must be, or one of those that it may be."""
        passing = parts.joint is Joint.OR
        candidates: list[Any] = []
        *_, last = parts.texts
        for text in parts.texts:
            value = self._doubted(text, names, self.value) if candidates else self.value(text, names)
            truth = truth_of(value)
            if isinstance(truth, Unknown) or truth is passing or text is last:
                candidates.append(value)
            if truth is passing:
                break
        return candidates[0] if len(candidates) == 1 else merged(*candidates)

    def _decided(self, parts: Parts, names: Names) -> bool | Unknown:
        """Whether `a and b`, `a or b` holds: a part that is known decides, unless one before it may fail in the run."""
        passing, harmless = parts.joint is Joint.OR, True
        doubts: list[Unknown] = []
        for text in parts.texts:
            truth = self._doubted(text, names, self.truth) if doubts else self.truth(text, names)
            if truth is passing and harmless:
                return passing
            if isinstance(truth, Unknown):
                doubts.append(truth)
                harmless = harmless and self._is_harmless(text)
            elif truth is passing:
                break
        return _boolean(merged(*doubts)) if doubts else not passing

    def _chosen(self, parts: Parts, names: Names, evaluate: Callable[[Text, Names], Any]) -> Any:
        condition, then, otherwise = parts.texts
        truth = self.truth(condition, names)
        if not isinstance(truth, Unknown):
            return evaluate(then if truth else otherwise, names)
        both = [self._doubted(each, names, evaluate) for each in (then, otherwise)]
        same = self._is_harmless(condition) and is_known(both) and both[0] == both[1]
        return both[0] if same else merged(truth, *both)

    def _is_harmless(self, text: Text) -> bool:
        """Whether an unknown part cannot fail in the run: a name alone, or `and`, `or`, `not` of such."""
        parts = take_apart(text)
        if parts.joint in {Joint.AND, Joint.OR, Joint.NOT}:
            return all(self._is_harmless(each) for each in parts.texts)
        return parts.joint is Joint.PATH and len(parts.path) == 1

    def _doubted(self, text: Text, names: Names, evaluate: Callable[[Text, Names], Any]) -> Any:
        """A part that is perhaps never evaluated: that it would fail then is no failure yet."""
        try:
            return evaluate(text, names)
        except ImpossibleError:
            raise
        except SandboxError:
            return Unknown(sources=())

    def _leaf(self, parts: Parts, touched: Touched, names: Names) -> Any:
        self._refuse(touched)
        self._tell(touched)
        if parts.joint is Joint.PATH:
            return reach(names, parts.path).value
        return Unknown(sources=merged(*touched.values).sources)

    def _marked(self, text: Text, found: tuple[Hole, ...], touched: Touched, names: Names) -> str | Unknown:
        """The template with a mark in each hole that is unknown; unknown as a whole when more than its holes are."""
        values: list[tuple[Hole, Any]] = []
        doubted = "{%" in text.text
        outer = {use.path for use in self.sandbox.read_template(text).uses}
        for hole in found:
            # What a loop of the template itself has bound is none of the names outside.
            uses = [use for use in self.sandbox.read_expression(hole.expression).uses if use.path in outer]
            if self._touched(uses, names).values:
                value = (
                    self._doubted(hole.expression, names, self.value) if doubted else self.value(hole.expression, names)
                )
                values.append((hole, value))
        marks, named = filled(text, [(hole, _spoken(value)) for hole, value in values], names)
        if self._touched(self.sandbox.read_template(marks).uses, names).values:
            return self._unreadable(touched)
        shown = str(self.sandbox.render(marks, {**names, **named}))
        unknown = [value for _, value in values if not is_known(value)]
        return Unknown(sources=merged(*unknown).sources, schema={"type": "string"}, shown=shown) if unknown else shown

    def _unreadable(self, touched: Touched) -> Unknown:
        self._refuse(touched)
        self._tell(touched)
        return Unknown(sources=merged(*touched.values).sources, schema={"type": "string"})

    def _refuse(self, touched: Touched) -> None:
        for use, found in touched.wrong:
            if found.certain:
                raise ImpossibleError(found.problem, hint=found.hint, place=use.place)

    def _tell(self, touched: Touched) -> None:
        for use, found in touched.wrong:
            finding = Finding(
                place=use.place,
                code="unpromised",
                message=found.problem,
                hint=found.hint,
                severity=Severity.WARNING,
            )
            if finding not in self.findings:
                self.findings.append(finding)

    def _asked(self, text: Text, names: Names) -> list[Any]:
        """The unknown names of which a block only asks whether they have a value: `'x' in dir()`."""
        if not ASKS_FOR_NAMES.search(text.text):
            return []
        return [
            value
            for name, value in names.items()
            if isinstance(value, Unknown) and (f"'{name}'" in text.text or f'"{name}"' in text.text)
        ]


def _boolean(unknown: Unknown) -> Unknown:
    return Unknown(sources=unknown.sources, schema={"type": "boolean"})


def _computed(unknown: Unknown) -> Unknown:
    return Unknown(sources=unknown.sources)


def _spoken(value: Any) -> Any:
    """A value for a hole: itself when it is known, its mark when it is not, a mark for it when it is so in part."""
    if is_known(value):
        return value
    return str(value if isinstance(value, Unknown) else merged(value))
