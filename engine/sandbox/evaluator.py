"""The sandbox: the one place where text from a skill, a tool definition, a memory file or an agent is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from engine.model.place import Text
from engine.model.skill import Tree
from engine.sandbox.reading import Reading
from engine.sandbox.whole import is_marked, is_whole

REMEMBERED: Final = 4_096
"""Texts kept parsed; past that all are forgotten and read again."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """Reads and evaluates an author's text: expressions, templates and compute blocks.

    Reading never raises and never evaluates. Evaluating raises SandboxError, with the place in the author's file;
    SandboxLimitError when the text asks for too much; RaisedError when a compute block raises on purpose.
    `now` is what `now()` gives, the current time in UTC unless another clock is handed in.
    """

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or _utc_now
        self._expressions: Any = None
        self._templates: Any = None
        self._computing: Any = None
        self._read: dict[tuple[str, str], Any] = {}

    def read_expression(self, text: Text) -> Reading:
        """What an expression uses and what is wrong with it."""
        expression = self._expression(text.text)
        return _placed(text, expression.uses, expression.problems)

    def read_template(self, value: Text) -> Reading:
        """What a text with `{{ }}` uses and what is wrong with it; a text without uses nothing."""
        if not is_marked(value.text):
            return Reading()
        if is_whole(value.text):
            return self.read_expression(value)
        template = self._template(value.text)
        return _placed(value, template.uses, template.problems)

    def read_compute(self, text: Text) -> Reading:
        """What a compute block reads from outside and what is wrong with it."""
        block = self._block(text.text)
        return _placed(text, block.names.uses, block.problems)

    def reads(self, text: Text, name: str) -> bool:
        """Whether an expression uses a name, bare or as the beginning of a path."""
        return any(use.path[0] == name for use in self._expression(text.text).uses)

    def evaluate(self, text: Text, names: Mapping[str, Any]) -> Any:
        """The value of an expression, bare or one whole `{{ }}`."""
        expression = self._expression(text.text)
        return self._expressions.value(expression, text, names)

    def holds(self, text: Text, names: Mapping[str, Any]) -> bool:
        """Whether the value of an expression is true, as Python has it."""
        return bool(self.evaluate(text, names))

    def render(self, tree: Tree, names: Mapping[str, Any]) -> Any:
        """`tree` with every text in it rendered; one whole `{{ expression }}` keeps its type. Keys stay as they are."""
        match tree:
            case Text():
                return self._rendered(tree, names)
            case dict():
                return {key: self.render(inner, names) for key, inner in tree.items()}
            case list() | tuple():
                return [self.render(inner, names) for inner in tree]
            case _:
                return tree

    def _rendered(self, text: Text, names: Mapping[str, Any]) -> Any:
        if not is_marked(text.text):
            return text.text
        if is_whole(text.text):
            return self.evaluate(text, names)
        template = self._template(text.text)
        return self._templates.text(template, text, names)

    async def compute(self, text: Text, names: Mapping[str, Any]) -> Any:
        """What a compute block assigned to `result`; cancelling the scope stops the block."""
        block = self._block(text.text)
        return await self._computing.value(block, text, names)

    async def aclose(self) -> None:
        """Stops the workers of compute blocks, if any were started."""
        if self._computing is not None:
            await self._computing.aclose()

    def helper_names(self) -> frozenset[str]:
        """The functions every text may call."""
        return helper_names()

    def _expression(self, text: str) -> Any:
        from engine.sandbox import expressions  # noqa: PLC0415 - late: simpleeval costs 10 ms

        if self._expressions is None:
            self._expressions = expressions.Expressions(self._now)
        return self._remembered("expression", text, expressions.read)

    def _template(self, text: str) -> Any:
        from engine.sandbox import templates  # noqa: PLC0415 - late: jinja2 costs 50 ms

        if self._templates is None:
            self._templates = templates.Templates(self._now)
        return self._remembered("template", text, self._templates.read)

    def _block(self, text: str) -> Any:
        from engine.sandbox import compute, compute_text  # noqa: PLC0415 - late: only skills with compute steps need it

        if self._computing is None:
            self._computing = compute.Computing(self._now)
        return self._remembered("compute", text, compute_text.read)

    def _remembered(self, language: str, text: str, read: Callable[[str], Any]) -> Any:
        key = (language, text)
        known = self._read.get(key)
        if known is None:
            if len(self._read) >= REMEMBERED:
                self._read.clear()
            known = self._read[key] = read(text)
        return known


def helper_names() -> frozenset[str]:
    """The functions every author's text may call."""
    from engine.sandbox.functions import NAMES  # noqa: PLC0415 - late: only what is used is imported

    return NAMES


def _placed(text: Text, uses: Any, problems: Any) -> Reading:
    from engine.sandbox.findings import reading  # noqa: PLC0415 - late: nothing is read at start-up

    return reading(text, uses, problems)
