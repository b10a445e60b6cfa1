"""A function with something around its calls: async or not, a tool or not, it stays what it was."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from engine.decorators.threads import in_callers_thread
from tool_registry.sources.python import MARK, callable_as
from tool_registry.tool import Tool, ToolContext, ToolOutput

Function = TypeVar("Function", bound=Callable[..., Any])
Prepared = TypeVar("Prepared")
Action = Callable[[], Awaitable[Any]]


def wrapped(
    function: Function,
    prepare: Callable[[tuple[Any, ...], Mapping[str, Any]], Prepared | None],
    conduct: Callable[[Prepared, Action], Awaitable[Any]],
    *,
    domain: str | None,
) -> Function:
    """The function, whose calls `conduct` makes.

    `prepare` is asked with the arguments of every call, and raises TypeError where they do not fit; None means that
    the call is made as it is. A tool stays one, with its calls conducted too, and `domain` where it named none. Raises
    TypeError for what has no calls that end: a generator, a class, something that is not called.
    """
    if why := _refused(function):
        raise TypeError(f"{function!r} cannot be healed or looked at: {why}")

    @functools.wraps(function)
    async def calls_async(*given: Any, **named: Any) -> Any:
        prepared = prepare(given, named)
        if prepared is None:
            return await function(*given, **named)
        return await conduct(prepared, lambda: function(*given, **named))

    @functools.wraps(function)
    def calls(*given: Any, **named: Any) -> Any:
        prepared = prepare(given, named)
        if prepared is None:
            return function(*given, **named)
        return in_callers_thread(functools.partial(conduct, prepared), functools.partial(function, *given, **named))

    made = calls_async if _is_async(function) else calls
    declared = getattr(function, MARK, None)
    if isinstance(declared, Tool):
        again = replace(declared, call=callable_as(made, declared.name))
        setattr(made, MARK, again if again.domain or domain is None else replace(again, domain=domain))
    return cast("Function", made)


def _refused(function: Any) -> str:
    """Why nothing can stand around the calls of that; empty if it can."""
    if isinstance(function, staticmethod | classmethod | property):
        return f"write the decorator below @{type(function).__name__}, next to the function"
    if isinstance(function, type):
        return "it is a class; decorate the method that may fail"
    if not callable(function):
        return "it is not a function"
    if any(map(_is_generator, (function, _called(function)))):
        return "it is a generator, which fails where its values are taken; decorate a function that gives a list"
    try:
        inspect.signature(function)
    except ValueError as error:
        return f"{error}; write a function that calls it"
    return ""


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether its calls are awaited: an async function, a `partial` of one, an object with an async `__call__`."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(_called(function))


def _called(function: Any) -> Any:
    """The method that a call of an object runs; None of a function, which runs itself."""
    return getattr(type(function), "__call__", None)  # noqa: B004 - what it is, not whether it is there


def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def bound(function: Callable[..., Any], given: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, defaults among them; TypeError where they do not fit."""
    arguments = inspect.signature(function).bind(*given, **named)
    arguments.apply_defaults()
    return dict(arguments.arguments)


def name_and_place(function: Callable[..., Any]) -> tuple[str, str]:
    """What the function is called in history, its tool's name if it is one, and where it stands (`file:line`)."""
    source = inspect.unwrap(function)
    declared = getattr(function, MARK, None)
    while isinstance(source, functools.partial):
        source = source.func
    named = source if hasattr(source, "__qualname__") else type(source)
    name = declared.name if isinstance(declared, Tool) else f"{named.__module__}.{named.__qualname__}"
    code = getattr(source, "__code__", None) or getattr(_called(source), "__code__", None)
    return name, f"{code.co_filename}:{code.co_firstlineno}" if code else ""


async def never_called(_arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutput:
    """The call of a declaration that only tells what a function is: the function is called as itself."""
    raise TypeError("a decorated function is called as itself, never through a registry")
