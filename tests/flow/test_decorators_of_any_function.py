"""What a decorated function may be, and what it may raise: it stays what it was, or is refused at once."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import pickle
import typing
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import anyio
import pytest

from engine import auto_heal, pre_flight_check
from tool_registry.tool import Effect

F = TypeVar("F", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):  # noqa: N818 - named by what it is
    """An exception nothing can be assigned to."""

    code: int


class Wordless(Exception):  # noqa: N818 - named by what it is
    """An exception that cannot be put into words."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Scribbled(Exception):  # noqa: N818 - named by what it is
    """An exception whose notes are no list."""

    __notes__ = "a text"  # type: ignore[assignment] # the mistake


def plain_function(number: int, *more: str, last: int = 3) -> list[int]:
    """A function of a module."""
    return [number, len(more), last]


@auto_heal()
def healed_function(number: int, *more: str, last: int = 3) -> list[int]:
    """A function of a module."""
    return [number, len(more), last]


class Heal(Protocol):
    """`auto_heal` for the rig's door."""

    def __call__(self, **how: Any) -> Callable[[F], F]:
        """Decorates."""


@pytest.fixture
def heal(rig: Any) -> Heal:
    """`auto_heal` for the rig's door."""

    def made(**how: Any) -> Callable[[F], F]:
        return auto_heal(**{"domain": "door", "engine": rig.engine, **how})

    return made


def test_it_looks_like_the_function_it_was() -> None:
    """Signature, hints and words are the function's; it can be pickled by its name."""
    assert inspect.signature(healed_function) == inspect.signature(plain_function)
    assert typing.get_type_hints(healed_function) == typing.get_type_hints(plain_function)
    assert (healed_function.__doc__, healed_function.__name__) == (plain_function.__doc__, "healed_function")
    assert pickle.loads(pickle.dumps(healed_function)) is healed_function  # noqa: S301 - made here


def _numbers() -> Iterator[int]:
    yield 1


async def _later_numbers() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (_numbers, "generator"),
        (_later_numbers, "generator"),
        (staticmethod(plain_function), "below @staticmethod"),
        (classmethod(_numbers), "below @classmethod"),  # type: ignore[arg-type] # the mistake
        (property(plain_function), "below @property"),
        (Frozen, "class"),
        (7, "not a function"),
    ],
)
@pytest.mark.parametrize("decorate", [auto_heal(), pre_flight_check(checks=["image_tag"])])
def test_what_has_no_calls_to_heal_is_refused_when_it_is_decorated(what: Any, said: str, decorate: Any) -> None:
    """A generator that looked healed and was not would be found out by its first failure."""
    with pytest.raises(TypeError, match=said):
        decorate(what)


@pytest.mark.parametrize("how", [{"fixes": "login"}, {"timeout": 0}, {"timeout": "5s"}, {"domain_from": "cluster"}])
def test_a_declaration_that_means_nothing_is_refused(how: dict[str, Any]) -> None:
    """At once, and not as another failure at the first call."""
    with pytest.raises((TypeError, ValueError), match=str(next(iter(how)))):
        auto_heal(**how)(plain_function)


async def test_methods_partials_and_objects_that_are_called_are_healed(rig: Any, heal: Heal) -> None:
    """Whatever is called is healed, and awaited where it is async."""

    class Caller:
        def __call__(self, number: int) -> int:
            rig.door.check()
            return number

    class LaterCaller:
        async def __call__(self, number: int) -> int:
            rig.door.check()
            return number

    class Owner:
        @classmethod
        @heal()
        def named(cls, number: int) -> int:
            rig.door.check()
            return number

    async def both(first: int, second: int) -> int:
        rig.door.check()
        return first + second

    for made in (heal()(Caller()), heal()(LaterCaller()), Owner.named, heal()(functools.partial(both, 0))):
        rig.door.token = False
        given = made(2)
        assert (await given if inspect.isawaitable(given) else given) == 2
    assert rig.door.called("log_in") == 4


async def test_a_cache_stands_above_or_below(rig: Any, heal: Heal) -> None:
    """A failed call is not remembered; one that works is made once."""

    @functools.lru_cache
    @heal()
    def above(number: int) -> int:
        rig.door.log.append("above")
        rig.door.check()
        return number

    @heal()
    @functools.lru_cache
    def below(number: int) -> int:
        rig.door.log.append("below")
        rig.door.check()
        return number

    for visit, name in ((above, "above"), (below, "below")):
        rig.door.token = False
        assert (visit(1), visit(1), rig.door.called(name)) == (1, 1, 2)


@pytest.mark.parametrize("error", [Frozen(3), Wordless(), Scribbled("x"), SystemExit(3), KeyError(1, "b")])
async def test_an_odd_exception_comes_out_as_itself(heal: Heal, error: BaseException) -> None:
    """Whatever its class makes of words, notes and assignments: the object that was raised, with notes."""

    @heal()
    async def visit() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        await visit()
    assert raised.value is error
    assert any("nothing is tried" in note for note in error.__notes__)


@pytest.mark.parametrize("error", [Frozen(3), StopIteration(5), Wordless(), GeneratorExit(), asyncio.CancelledError()])
async def test_an_odd_exception_of_a_function_that_is_not_async_comes_out_as_itself(
    heal: Heal, error: BaseException
) -> None:
    """Also StopIteration, which no coroutine can raise."""

    @heal()
    def visit() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        visit()
    assert raised.value is error


async def test_what_a_task_group_raises_is_read_like_what_is_in_it(rig: Any, heal: Heal) -> None:
    """401 in two tasks is 401; but a write with other tasks in it is never known to be untouched."""

    async def look() -> None:
        rig.door.check()

    async def visit() -> str:
        rig.door.log.append("visit")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            tasks.start_soon(look)
        return "inside"

    rig.door.token = False
    assert await heal()(visit)() == "inside"
    rig.door.token = False
    rig.door.log.clear()
    with pytest.raises(ExceptionGroup):
        await heal(effect=Effect.WRITE)(visit)()
    assert rig.door.called("visit") == 1


async def test_a_healed_function_inside_of_another_is_healed_with_it(rig: Any, heal: Heal) -> None:
    """One run, and one thread for all: a function that calls itself thirty times does not start thirty."""

    @heal()
    def down(depth: int) -> int:
        rig.door.log.append("down")
        if depth == 0:
            rig.door.check()
        return depth and down(depth - 1)

    rig.door.token = False
    assert down(30) == 0
    (run,) = rig.engine.journal.runs()
    assert (run.status, rig.door.called("log_in")) == ("ok", 1)
