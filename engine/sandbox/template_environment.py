"""The Jinja2 environment of templates: every lookup, operator, filter and call goes through our rules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import jinja2
from jinja2.lexer import TokenStream
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.model.outcome import Absent
from engine.sandbox.filters import ON_MISSING, TESTS_BY_NAME, Missing, apply_filter
from engine.sandbox.functions import FUNCTIONS, SPECIAL, elements, instance_of, unavailable
from engine.sandbox.limits import Exceeded, Meter, Refused
from engine.sandbox.lookup import attribute, item, part, unknown_name
from engine.sandbox.methods import call_method
from engine.sandbox.operators import BINARY, UNARY, compare
from engine.sandbox.values import ORDINARY, adopt, text_of

DO: Final = "do~"
"""The one filter of the environment; no author can write its name, every fenced node is a call of it."""

_LOOP_FIELDS: Final = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})


class Nothing:
    """An output without a value: false, and text says None."""

    __slots__ = ("absent",)

    def __init__(self, absent: Absent) -> None:
        self.absent = absent

    def __bool__(self) -> bool:
        return False


class Unknown(jinja2.StrictUndefined):
    """A name, key or index that is not there: raises when it is used, not when it is asked about."""

    __slots__ = ("why",)

    def __init__(self, hint: str | None = None, obj: Any = None, name: str | None = None, exc: Any = Refused) -> None:
        super().__init__(hint, obj, name, exc)
        self.why: Callable[[], Refused] = lambda: unknown_name(name or "value", ())
        self._undefined_exception = self._refusal  # type: ignore[assignment]

    def _refusal(self, _message: str = "") -> Refused:
        return self.why()


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Renders templates whose trees `template_nodes.fenced` has prepared; one for all threads."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, local: threading.local, now: Callable[[], datetime]) -> None:
        super().__init__(
            undefined=Unknown,
            autoescape=False,
            optimized=False,
            finalize=_finalize,
            keep_trailing_newline=True,
            cache_size=0,
        )
        self.local = local
        self.now = now
        self.globals = {}
        self.filters = {DO: self.do}
        self.tests = {}

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = self._placed_tokens(source, name, filename, state)
        return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)

    def _placed_tokens(
        self, source: str, name: str | None, filename: str | None, state: str | None
    ) -> Iterator[tuple[int, str, str]]:
        """Jinja's tokens with, for a line number, the offset in the text plus one: nodes and errors then carry it."""
        position = 0
        try:
            for _, kind, value in self.lexer.tokeniter(source, name, filename, state):
                found = source.find(value, position)
                start = found if found >= 0 else position
                yield start + 1, kind, value
                position = start + len(value)
        except jinja2.TemplateSyntaxError as error:
            raise jinja2.TemplateSyntaxError(error.message or "", position + 1, name, filename) from None

    @property
    def meter(self) -> Meter:
        """The meter of the rendering that runs in this thread."""
        meter: Meter = self.local.meter
        return meter

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        """Never: nothing is read from an object."""
        return False

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        """Never: functions are called by `do`."""
        return False

    def unknown(self, why: Callable[[], Refused]) -> Unknown:
        """A value that raises what `why` gives when it is used."""
        unknown = Unknown()
        unknown.why = why
        return unknown

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: a mapping's key first, then a date's or the loop's field."""
        return self._looked_up(obj, attribute, lambda holder: _attribute(holder, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`."""
        key = self.taken(argument)
        return self._looked_up(obj, str(key)[:80], lambda holder: item(self.meter, holder, key))

    def _looked_up(self, obj: Any, name: str, look: Callable[[Any], Any]) -> Any:
        self.meter.step()
        holder = self._opened(obj)
        try:
            if isinstance(holder, Missing | Absent):
                part(holder, name)
            return self.handed(look(holder))
        except Exceeded:
            raise
        except Refused as refused:
            told = refused
            return self.unknown(lambda: told)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja's signature
        """`left operator right`."""
        return BINARY[operator](self.meter, self.taken(left), self.taken(right))

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:  # noqa: ARG002 - Jinja's signature
        """`operator arg`."""
        return UNARY[operator](self.taken(arg))

    def call(__self, __context: Any, __obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002, N805 - Jinja's signature
        """Refused: the tree that is rendered has no calls left."""
        raise Refused("only functions and methods can be called", "write name(...) or value.method(...)")

    def _opened(self, value: Any) -> Any:
        if isinstance(value, Unknown):
            return Missing(value.why)
        if type(value) is Nothing:
            return value.absent
        return value if type(value) in ORDINARY or type(value) is LoopContext else adopt(value)

    def taken(self, value: Any) -> Any:
        """`value` for a function of ours; raises for what is not there, None for an output without value."""
        if type(value) in ORDINARY:
            return value
        opened = self._opened(value)
        if type(opened) is Missing:
            raise opened.refused
        if type(opened) is LoopContext:
            raise Refused("loop itself is no value", "use loop.index, loop.first or loop.last")
        return None if type(opened) is Absent else opened

    def handed(self, value: Any) -> Any:
        """`value` of ours for the template: Missing and Absent as what Jinja can carry."""
        if type(value) in ORDINARY:
            return value
        if type(value) is Missing:
            return self.unknown(value.why)
        return Nothing(value) if type(value) is Absent else adopt(value)

    def do(self, value: Any, action: str, *args: Any, **options: Any) -> Any:
        """What a fenced node does; `action` is one of the verbs of `template_nodes`."""
        self.meter.step()
        match action:
            case "filter":
                name, *rest = args
                opened = self._opened(value) if name in ON_MISSING else self.taken(value)
                given = [self.taken(each) for each in rest]
                return self.handed(apply_filter(self.meter, name, opened, given, self._options(options)))
            case "method":
                return self._method(value, *args, **options)
            case "function":
                return self._function(value, *args, **options)
            case _:
                return getattr(self, f"_do_{action}")(value, *args)

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: self.taken(each) for name, each in options.items()}

    def _method(self, value: Any, name: str, *args: Any, **options: Any) -> Any:
        holder = self._opened(value)
        if type(holder) is LoopContext and name == "cycle" and args:
            return args[holder.index0 % len(args)]
        if isinstance(holder, Missing | Absent) or holder is None:
            return part(holder, name)
        return call_method(self.meter, holder, name, [self.taken(each) for each in args], self._options(options))

    def _function(self, name: str, *args: Any, **options: Any) -> Any:
        if name == "now" and not args:
            return self.now()
        if name == "isinstance":
            return instance_of(self.taken(args[0]), args[1])
        function = FUNCTIONS.get(name)
        if function is None or name in SPECIAL:
            raise unavailable(name)
        return self.handed(function(self.meter, *[self.taken(each) for each in args], **self._options(options)))

    def _do_test(self, value: Any, name: str) -> bool:
        opened = self._opened(value) if name in ("defined", "undefined") else self.taken(value)
        return TESTS_BY_NAME[name](opened)

    def _do_compare(self, value: Any, *rest: Any) -> bool:
        left = self.taken(value)
        for sign, other in zip(rest[::2], rest[1::2], strict=True):
            right = self.taken(other)
            if not compare(self.meter, sign, left, right):
                return False
            left = right
        return True

    def _do_join(self, values: list[Any]) -> str:
        text: Any = ""
        for value in values:
            text = BINARY["@"](self.meter, text, self.taken(value))
        return str(text)

    def _do_slice(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        bounds = slice(self.taken(start), self.taken(stop), self.taken(step))
        return item(self.meter, self.taken(value), bounds)

    def _do_build(self, value: Any) -> Any:
        self.meter.charge_elements(len(value) + 1)
        if type(value) is dict:
            return {self._hashable(key): self.handed(self._opened(each)) for key, each in value.items()}
        return (
            [self.taken(each) for each in value] if type(value) is list else tuple(self.taken(each) for each in value)
        )

    def _hashable(self, key: Any) -> Any:
        return self.taken(key)

    def _do_iterate(self, value: Any) -> list[Any]:
        return [self.handed(element) for element in elements(self.meter, self.taken(value))]

    def _do_step(self, value: Any) -> Any:
        return value


def _attribute(holder: Any, name: str) -> Any:
    if type(holder) is LoopContext:
        if name not in _LOOP_FIELDS:
            raise Refused(f"loop has no {name}", f"there are: {', '.join(sorted(_LOOP_FIELDS))}")
        return getattr(holder, name)
    return attribute(holder, name)


@jinja2.pass_context
def _finalize(context: Any, value: Any) -> str:
    """The text of a value in a template, measured; taking the context keeps Jinja from folding constants."""
    environment = context.environment
    if type(value) is str:
        environment.meter.charge(len(value))
        return value
    return text_of(environment.taken(value), environment.meter)
