"""Every tool by its name, and the one door through which tools are called."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import anyio

from tool_registry.arguments import accepted, checked
from tool_registry.sources.python import tool_of, tools_in
from tool_registry.tool import Tool, ToolContext, ToolError, ToolOutput, UnknownToolError

OVERTIME = 10.0
"""Seconds a source has beyond the call's own time to end what it started; after them the call is given up."""


class _Unread(NamedTuple):
    """Tools that are known by name only, and how to make them."""

    names: frozenset[str]
    read: Callable[[], Iterable[Tool]]


class ToolRegistry(Mapping[str, Tool]):
    """Tools by name; a name stands for one tool, and is replaced only on purpose.

    It keeps the connections its tools share: close it with `aclose`, or use it as `async with`.
    """

    def __init__(self, *tools: Tool) -> None:
        self._tools: dict[str, Tool] = {}
        self._unread: dict[str, _Unread] = {}
        self._connections: dict[Any, Any] = {}
        self._unlisted: dict[str, Callable[[str], Tool]] = {}
        self._preparing: list[Callable[[str], Awaitable[None]]] = []
        for tool in tools:
            self.add(tool)

    def __getitem__(self, name: str) -> Tool:
        if name not in self._tools:
            self._read_for(name)
        if name not in self._tools and (make := self._maker(name)):
            return make(name)
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        self._read_all()
        return iter(self._tools)

    def __len__(self) -> int:
        self._read_all()
        return len(self._tools)

    def add(self, tool: Tool | Callable[..., Any], *, replace: bool = False) -> Tool:
        """Adds a tool or a function decorated with `@tool`; ValueError if the name is taken, unless `replace`."""
        added = as_tool(tool)
        self._read_naming(added.name)
        earlier = self._tools.get(added.name)
        if earlier is not None and not replace:
            where = f" at {earlier.location}" if earlier.location else ""
            raise ValueError(f"there is already a tool called {added.name}{where}")
        self._tools[added.name] = added
        return added

    def add_family(self, module: str, names: Iterable[str] = ()) -> None:
        """Adds the tools that a module defines, by the module's import name.

        The module is imported when one of `names` is asked for, or any name nobody listed, or all of them: a run that
        uses three tools does not pay for sixty. A name missing from `names` costs time and nothing else.
        """
        self._unread[module] = _Unread(frozenset(names), lambda: tools_in(importlib.import_module(module)))

    def is_taken(self, name: str) -> bool:
        """Whether a tool has that name, told without reading it."""
        return name in self._tools or any(name in unread.names for unread in self._unread.values())

    def add_later(self, name: str, place: str, read: Callable[[], Tool]) -> None:
        """Adds a tool that `read` makes when `name`, or any name nobody listed, or all of them are asked for."""
        self._unread[place] = _Unread(frozenset({name}), lambda: [read()])

    def add_all_later(self, names: Iterable[str], place: str, read: Callable[[], Iterable[Tool]]) -> None:
        """Adds tools that `read` makes when one of `names`, or any name nobody listed, or all of them are asked for."""
        self._unread[place] = _Unread(frozenset(names), read)

    def add_unlisted(self, prefix: str, make: Callable[[str], Tool]) -> None:
        """Has `make` make any tool whose name begins with `prefix`, when it is asked for; nobody knows which."""
        self._unlisted[prefix] = make

    def forget(self, prefix: str) -> None:
        """Takes out every tool whose name begins with `prefix`, which is the place they were added under."""
        self._unread.pop(prefix, None)
        for name in [name for name in self._tools if name.startswith(prefix)]:
            del self._tools[name]

    def prepare_by(self, prepare: Callable[[str], Awaitable[None]]) -> None:
        """Has `prepare` called before every run, with the text of its skill."""
        self._preparing.append(prepare)

    async def prepare(self, text: str) -> None:
        """Finds out what must be known of tools before a run of the skill with that text; raises what is in its way."""
        for prepare in self._preparing:
            await prepare(text)

    def _maker(self, name: str) -> Callable[[str], Tool] | None:
        return next((make for prefix, make in self._unlisted.items() if name.startswith(prefix)), None)

    def _read_naming(self, name: str) -> None:
        for place in [place for place, unread in self._unread.items() if name in unread.names]:
            self._read(place)

    def _read_for(self, name: str) -> None:
        self._read_naming(name)
        if name not in self._tools and self._maker(name) is None:
            self._read_all()

    def _read_all(self) -> None:
        for place in list(self._unread):
            self._read(place)

    def _read(self, place: str) -> None:
        unread = self._unread.pop(place)
        try:
            made = unread.read()
        except Exception:
            # What cannot be read is told each time it is asked for, not taken for a tool that is not there.
            self._unread[place] = unread
            raise
        for tool in made:
            self.add(tool)

    def define(self, definition: Mapping[str, Any], place: str, *, replace: bool = False) -> Tool:
        """Adds a command, HTTP or canned tool written in YAML; DefinitionError names `place` and the mistake."""
        return self.add(defined(definition, place), replace=replace)

    def get_tool(self, name: str) -> Tool:
        """The tool of that name; UnknownToolError names the nearest ones."""
        try:
            return self[name]
        except KeyError:
            raise UnknownToolError(name, self._nearest(name)) from None

    def _nearest(self, name: str) -> tuple[str, ...]:
        import difflib  # noqa: PLC0415 - late: only a wrong name needs it

        return tuple(difflib.get_close_matches(name, self, n=3))

    async def call(self, name: str, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        """Calls a tool: arguments checked before, the result checked, in JSON types and bounded after.

        The call takes at most `context.timeout` seconds, and a few more to end what it started. Fails by ToolError;
        what a Python tool raises of its own accord passes through as it is.
        """
        tool = self.get_tool(name)
        given = accepted(tool, arguments)
        with anyio.move_on_after(context.timeout + OVERTIME):
            return checked(tool, await _called(tool, given, replace(context, connections=self._connections)))
        raise ToolError(f"{name} did not end when its {context.timeout:g} seconds were over", kind="timeout")

    async def aclose(self) -> None:
        """Closes the connections its tools have opened."""
        while self._connections:
            _, connection = self._connections.popitem()
            await connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


def as_tool(tool: Tool | Callable[..., Any]) -> Tool:
    """The tool itself, or that of a decorated function; TypeError for a function that is none."""
    return tool if isinstance(tool, Tool) else tool_of(tool)


async def _called(tool: Tool, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
    """What a tool gives, which may be secret before anybody has looked whether it is what was promised."""
    if not context.secret_result:
        return await tool.call(arguments, context)
    try:
        output = await tool.call(arguments, context)
    except ToolError as error:
        error.forget_answer()
        raise
    context.secret(output.value)
    return output


class Requirement(NamedTuple):
    """Something a tool needs on the machine; `found` is where it is, None where it is missing.

    `minimum` is the oldest version of a program that will do; empty where any will, and nobody has looked which it is.
    """

    kind: Literal["program", "environment", "module"]
    name: str
    found: str | None
    minimum: str = ""


def requirements(tool: Tool, environment: Mapping[str, str]) -> tuple[Requirement, ...]:
    """What a tool needs on the machine, and whether it is there, for a call with that environment."""
    import shutil  # noqa: PLC0415 - late: a run looks for nothing, and finds out when it calls
    from importlib.util import find_spec  # noqa: PLC0415 - late, as above

    path = environment.get("PATH")
    wanted = [name.partition(">=") for name in tool.needs.programs]
    programs = [Requirement("program", name, shutil.which(name, path=path), least) for name, _, least in wanted]
    variables = [
        Requirement("environment", name, "set" if name in environment else None) for name in tool.needs.environment
    ]
    modules = [
        Requirement("module", name, "installed" if find_spec(name.partition(".")[0]) else None)
        for name in tool.needs.modules
    ]
    return (*programs, *variables, *modules)


def defined(definition: Mapping[str, Any], place: str) -> Tool:
    """The tool that a YAML definition describes; DefinitionError names `place` and the mistake."""
    from tool_registry.sources.definition import tool_from  # noqa: PLC0415 - late: many runs use no such tool

    return tool_from(definition, place)


def definitions_folder() -> Path:
    """The folder of the tool definitions and profiles that come with the engine."""
    return Path(__file__).parent / "definitions"


def default_registry() -> ToolRegistry:
    """The tools that come with the engine: every function decorated with `@tool` in `tool_registry.functions`."""
    from tool_registry import functions  # noqa: PLC0415 - late: an embedding that brings its own tools needs none

    registry = ToolRegistry()
    for family in functions.families():
        registry.add_family(f"{functions.__name__}.{family}", functions.NAMES.get(family, ()))
    return registry
