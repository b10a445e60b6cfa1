"""Templates: text with `{{ }}` and `{% %}` in it, rendered by a fenced-in Jinja2."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final

import jinja2
from jinja2 import nodes

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import Absent
from engine.model.place import Text
from engine.sandbox.findings import Problem, Use, problem_error, refusal_error
from engine.sandbox.limits import TEMPLATE_CHARACTERS, TEMPLATE_OUTPUT, Exceeded, Meter, Refused
from engine.sandbox.lookup import unknown_name
from engine.sandbox.native import NATIVE, native_sentence
from engine.sandbox.template_environment import Nothing, TemplateEnvironment
from engine.sandbox.template_nodes import fenced, uses_and_problems
from engine.sandbox.values import adopt

_FILE: Final = "<template of a skill>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A compiled template, what it uses, and what is wrong with it; with problems it is never rendered."""

    compiled: jinja2.Template | None = None
    names: frozenset[str] = frozenset()
    uses: tuple[Use, ...] = ()
    problems: tuple[Problem, ...] = ()


class Templates:
    """Compiles and renders templates in one environment, made once."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._local = threading.local()
        self._environment = TemplateEnvironment(self._local, now)

    def read(self, text: str) -> Template:
        """The template in `text`; never raises."""
        try:
            tree = self._parsed(text)
            uses, problems = uses_and_problems(tree)
            if problems:
                return Template(uses=uses, problems=problems)
            return Template(
                compiled=self._compiled(tree),
                names=frozenset(use.path[0] for use in uses),
                uses=uses,
                problems=problems,
            )
        except Refused as refused:
            limit = isinstance(refused, Exceeded)
            problem = Problem(
                offset=refused.offset or 0,
                code="template-syntax",
                message=refused.message,
                hint=refused.hint,
                limit=limit,
            )
            return Template(problems=(problem,))

    def _parsed(self, text: str) -> nodes.Template:
        if len(text) > TEMPLATE_CHARACTERS:
            raise Exceeded(f"this template is longer than {TEMPLATE_CHARACTERS:,} characters", "split it")
        try:
            return self._environment.parse(text)
        except jinja2.TemplateSyntaxError as error:
            raise Refused(f"this is no complete template: {error.message}", offset=error.lineno - 1) from None
        except (RecursionError, MemoryError):
            raise Exceeded("this template is nested too deeply", "split it") from None
        except ValueError as error:
            raise Refused(f"this is no template: {error}") from None

    def _compiled(self, tree: nodes.Template) -> jinja2.Template:
        try:
            code = self._environment.compile(fenced(tree, self._environment), filename=_FILE)
            return jinja2.Template.from_code(self._environment, code, {})
        except (RecursionError, MemoryError, SyntaxError):
            raise Exceeded("this template is nested too deeply", "split it") from None

    def text(self, template: Template, text: Text, names: Mapping[str, Any]) -> str:
        """`template`, written as `text`, with `names` in scope; raises SandboxError."""
        if template.compiled is None or template.problems:
            raise problem_error(text, template.problems[0])
        try:
            return self._rendered(template.compiled, template.names, names)
        except Refused as refused:
            raise refusal_error(text, refused) from None

    def _rendered(self, compiled: jinja2.Template, used: frozenset[str], names: Mapping[str, Any]) -> str:
        meter = self._local.meter = Meter()
        context = compiled.new_context({name: self._given(name, names) for name in used}, shared=True)
        try:
            return _joined(compiled, context, meter)
        except Refused as refused:
            refused.offset = _offset(compiled, refused.__traceback__) if refused.offset is None else refused.offset
            raise
        except (*NATIVE, jinja2.TemplateError) as error:
            raise Refused(native_sentence(error), offset=_offset(compiled, error.__traceback__)) from None
        except (RecursionError, MemoryError) as error:
            offset = _offset(compiled, error.__traceback__)
            raise Exceeded("this template is nested too deeply", "split it", offset=offset) from None
        finally:
            self._local.meter = None

    def _given(self, name: str, names: Mapping[str, Any]) -> Any:
        if name not in names:
            return self._environment.unknown(lambda: unknown_name(name, names))
        value = names[name]
        return Nothing(value) if type(value) is Absent else adopt(value)


def _joined(compiled: jinja2.Template, context: Any, meter: Meter) -> str:
    pieces: list[str] = []
    length = 0
    for piece in compiled.root_render_func(context):
        meter.step()
        length += len(piece)
        if length > TEMPLATE_OUTPUT:
            raise Exceeded(f"this template gives more than {TEMPLATE_OUTPUT:,} characters", "write less text")
        pieces.append(piece)
    return "".join(pieces)


def _offset(compiled: jinja2.Template, traceback: TracebackType | None) -> int:
    offset = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            offset = compiled.get_corresponding_lineno(traceback.tb_lineno) - 1
        traceback = traceback.tb_next
    return offset
