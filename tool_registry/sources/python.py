"""Tools that are Python functions.

    @tool(effect=Effect.READ, domain="registry", timeout=30)
    async def image_digest(repository: str, tag: str, context: ToolContext) -> dict[str, Any]:
        '''Finds the digest of an image.'''

The schema comes from the annotations and the docstring, when it is first asked for. A function that is not async runs
in a thread; at its deadline the call ends, but the thread cannot be stopped and runs on: keep long work async.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from tool_registry.sources.schema import LaterSchema, argument_descriptions, closed, first_paragraph, schema_of
from tool_registry.tool import Call, Effect, FixScope, Needs, Tool, ToolContext, ToolError, ToolOutput

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = "__tool__"
"""The attribute under which a decorated function carries its tool."""


def tool(  # noqa: PLR0913 - a declaration, every field by keyword
    *,
    name: str = "",
    effect: Effect = Effect.READ,
    idempotent: bool = False,
    domain: str | None = None,
    timeout: float = 60.0,
    fix: FixScope | None = None,
    verify: str | None = None,
    needs: Needs | None = None,
    result: Mapping[str, Any] | None = None,
    exact: bool = False,
    examples: Iterable[Mapping[str, Any]] = (),
    secret: bool = False,
) -> Callable[[Function], Function]:
    """Makes a function a tool; the function itself stays as it is and can be called as before.

    The parameter annotated `ToolContext` receives the context and is no argument. `result` replaces the schema that
    the return annotation gives; `exact` promises that its mappings have the keys it names and no others. The function
    returns JSON types (dataclasses and enumerations become such), or a `ToolOutput`; it fails by raising, best a
    `ToolError` with evidence.
    """

    def declare(function: Function) -> Function:
        signature = _Signature(function)
        declared = Tool(
            name=name or function.__name__,
            call=functools.partial(_call, signature, name or function.__name__),
            description=first_paragraph(function.__doc__ or ""),
            parameters=LaterSchema(signature.parameters),
            result=result if result is not None else signature.result(exact=exact),
            effect=effect,
            idempotent=idempotent,
            domain=domain,
            timeout=timeout,
            fix=fix,
            verify=verify,
            needs=needs or Needs(),
            examples=tuple(examples),
            secret=secret,
            location=_location(function),
        )
        setattr(function, MARK, declared)
        return function

    return declare


def _location(function: Callable[..., Any]) -> str:
    """Where the function itself stands, whatever was wrapped around it."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def callable_as(function: Callable[..., Any], name: str) -> Call:
    """The call of a tool that runs another function than the one it was declared with, of the same signature."""
    return functools.partial(_call, _Signature(function), name)


def tool_of(function: Callable[..., Any]) -> Tool:
    """The tool of a decorated function; TypeError if it is none."""
    found = getattr(function, MARK, None)
    if not isinstance(found, Tool):
        raise TypeError(f"{function!r} is not decorated with @tool")
    return found


def tools_in(module: object) -> tuple[Tool, ...]:
    """The tools of the functions that a module itself defines, in their order."""
    own = (value for value in vars(module).values() if isinstance(value, FunctionType))
    name = getattr(module, "__name__", "")
    return tuple(tool_of(function) for function in own if hasattr(function, MARK) and function.__module__ == name)


class _Signature:
    """What a function takes and gives; annotations are resolved when first needed."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        try:
            return typing.get_type_hints(self.function, include_extras=True)
        except TypeError as error:
            # Python 3.11 and 3.12 cannot make a union of what has a mapping as a note.
            way_out = "write notes outside of a union, as in Annotated[int | None, {...}]"
            raise TypeError(f"{self.function.__name__}: its annotations cannot be read: {error}; {way_out}") from error

    @functools.cached_property
    def context_name(self) -> str | None:
        return next((name for name, hint in self.hints.items() if hint is ToolContext and name != "return"), None)

    @functools.cached_property
    def conversions(self) -> dict[str, Callable[[Any], Any]]:
        """The arguments whose JSON form is not what the function expects."""
        return {name: hint for name, hint in self.hints.items() if _is_converted(hint) and name != "return"}

    @functools.cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def parameters(self) -> dict[str, Any]:
        """The schema of the arguments: nothing but the function's own parameters."""
        said = argument_descriptions(self.function.__doc__ or "")
        properties: dict[str, Any] = {}
        required = []
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.name == self.context_name:
                continue
            properties[parameter.name] = self._property(parameter, said.get(parameter.name, ""))
            if parameter.default is parameter.empty:
                required.append(parameter.name)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _property(self, parameter: inspect.Parameter, description: str) -> dict[str, Any]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise TypeError(f"{self.function.__name__}: a tool's parameters are given by name, {parameter} cannot be")
        schema = schema_of(self.hints.get(parameter.name, Any))
        if description:
            schema["description"] = description
        if parameter.default is not parameter.empty and _is_json(parameter.default):
            schema["default"] = _json_default(parameter.default)
        return schema

    def result(self, *, exact: bool) -> Mapping[str, Any] | None:
        """The schema of what it returns, worked out later; None where nothing is promised."""
        promised = self.function.__annotations__.get("return", "Any")
        if promised in ("Any", "ToolOutput", Any, ToolOutput):
            return None
        if exact:
            return LaterSchema(lambda: closed(schema_of(self.hints["return"])))
        return LaterSchema(lambda: schema_of(self.hints["return"]))


def _is_converted(hint: Any) -> bool:
    return hint is Path or (isinstance(hint, type) and issubclass(hint, Enum))


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | list | dict | tuple | Enum | Path)


def _json_default(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Path():
            return str(value)
        case tuple():
            return list(value)
        case _:
            return value


async def _call(signature: _Signature, name: str, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
    given = dict(arguments)
    for argument, convert in signature.conversions.items():
        if argument in given:
            given[argument] = convert(given[argument])
    if signature.context_name:
        given[signature.context_name] = context
    call = functools.partial(signature.function, **given)
    try:
        value = await within(context.timeout, name, call if signature.is_async else functools.partial(_in_thread, call))
    except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit, anyio.get_cancelled_exc_class()):
        raise
    except BaseException as error:
        # What a library of another language says when it panics; it ends the call, and not the program around it.
        raise ToolError(f"{type(error).__name__}: {error}", kind="code_error") from error
    return value if isinstance(value, ToolOutput) else ToolOutput(value=value)


async def _in_thread(call: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)


async def within(seconds: float, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
    """What the call gives; ToolError (`timeout`) if it takes longer than `seconds`."""
    with anyio.move_on_after(seconds) as scope:
        return await call()
    if scope.cancelled_caught:
        raise ToolError(f"{name} did not finish within {seconds:.3g} seconds", kind="timeout")
    return None
