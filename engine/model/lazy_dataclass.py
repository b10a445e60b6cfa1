"""`dataclass` for values: the standard library's, but its methods are made when a class is first used.

The standard decorator compiles up to seven methods for every class. A run imports some 150 classes and uses a third of
them; compiling them all was a sixth of what a one-step run costs (27 ms of CPU on 2 cores, Python 3.11). Here equality,
hash and representation are written once for all classes, and `__init__` is compiled for a class that is made often.

For type checkers `dataclass` is the standard decorator (see the stub). `fields`, `replace`, `asdict` and inheritance
work, from and to the standard ones.

`once` is the standard library's `cached_property`. Type checkers see a property in it, for pyright does not find that
an object with a `cached_property` fits a protocol that asks for a property.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import cached_property as once
from types import SimpleNamespace
from typing import Any

__all__ = ["OFTEN", "dataclass", "once"]

OFTEN = 16
"""Objects of a class after which its `__init__` is compiled: until then, compiling costs more than it saves."""

FIELDS, PARAMS = "__dataclass_fields__", "__dataclass_params__"
_KIND: Any = dataclasses._FIELD  # type: ignore[attr-defined] # noqa: SLF001 - what `dataclasses.fields` asks for
_ABSENT: Any = object()


def dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type], type]:
    """Makes a class a dataclass, as `dataclasses.dataclass` does with the same options."""

    def made(cls: type) -> type:
        own = _own_fields(cls, kw_only=kw_only)
        inherited: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(base.__dict__.get(FIELDS, {}))
        fields = inherited | own
        new = _with_slots(cls, own) if slots else _with_defaults(cls, own)
        setattr(new, FIELDS, fields)
        setattr(
            new, PARAMS, SimpleNamespace(init=True, repr=True, eq=eq, order=False, unsafe_hash=False, frozen=frozen)
        )
        _give(new, fields, frozen=frozen, eq=eq)
        return new

    return made


def _own_fields(cls: type, *, kw_only: bool) -> dict[str, Any]:
    """The fields a class itself declares, with their defaults taken from it."""
    found = {}
    for name, annotation in inspect.get_annotations(cls).items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        given = cls.__dict__.get(name, dataclasses.MISSING)
        one: Any = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=given)
        one.name, one.type, one._field_type = name, annotation, _KIND  # noqa: SLF001 - as the standard decorator does
        if one.kw_only is dataclasses.MISSING:
            one.kw_only = kw_only
        found[name] = one
    return found


def _with_slots(cls: type, own: dict[str, Any]) -> type:
    """The class made anew with slots for its own fields, which only a class can have from its beginning."""
    taken = {name for base in cls.__mro__[1:-1] for name in base.__dict__.get("__slots__", ())}
    content = {name: value for name, value in cls.__dict__.items() if name not in {*own, "__dict__", "__weakref__"}}
    content["__slots__"] = tuple(name for name in own if name not in taken)
    new = type(cls)(cls.__name__, cls.__bases__, content)
    new.__qualname__ = cls.__qualname__
    return new


def _with_defaults(cls: type, own: dict[str, Any]) -> type:
    """The class with plain defaults where fields were declared."""
    for name, one in own.items():
        if one.default is not dataclasses.MISSING:
            setattr(cls, name, one.default)
        elif isinstance(cls.__dict__.get(name), dataclasses.Field):
            delattr(cls, name)
    return cls


def _give(cls: type, fields: dict[str, Any], *, frozen: bool, eq: bool) -> None:
    """Gives the class what it does not define itself."""
    compared = tuple(name for name, one in fields.items() if one.compare)
    methods: dict[str, Any] = {"__init__": _init(cls, fields), "__repr__": _repr}
    methods["__match_args__"] = tuple(name for name, one in fields.items() if one.init and not one.kw_only)
    if eq:
        methods |= {"__eq__": _equal(compared), "__hash__": _hash(compared) if frozen else None}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    for name, method in methods.items():
        if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
            setattr(cls, name, method)


def _init(cls: type, fields: dict[str, Any]) -> Callable[..., None]:
    """An `__init__` that works for every class, and is replaced by one compiled for this class when it pays."""
    plan = tuple((one.name, one.default, one.default_factory) for one in fields.values() if one.init)
    later = tuple(one for one in fields.values() if not one.init)
    positions = tuple(one.name for one in fields.values() if one.init and not one.kw_only)
    made = 0

    def __init__(self: Any, *args: Any, **given: Any) -> None:  # noqa: N807 - it is one
        nonlocal made
        made += 1
        if made == OFTEN and not later and cls.__dict__.get("__init__") is __init__:
            cls.__init__ = _compiled(plan, positions)  # type: ignore[misc] # that is the point
        if args:
            _place(cls, positions, args, given)
        for name, default, factory in plan:
            value = given.pop(name, _ABSENT)
            if value is _ABSENT:
                value = default if factory is dataclasses.MISSING else factory()
                if value is dataclasses.MISSING:
                    raise TypeError(f"{cls.__name__}() missing 1 required argument: {name!r}")
            object.__setattr__(self, name, value)
        for one in later:
            _give_default(self, one)
        if given:
            raise TypeError(f"{cls.__name__}() got an unexpected keyword argument {next(iter(given))!r}")
        if hasattr(self, "__post_init__"):
            self.__post_init__()

    return __init__


def _give_default(self: Any, one: Any) -> None:
    """What a field that is no argument begins with, if it says so; else `__post_init__` gives it."""
    if one.default_factory is not dataclasses.MISSING:
        object.__setattr__(self, one.name, one.default_factory())
    elif one.default is not dataclasses.MISSING:
        object.__setattr__(self, one.name, one.default)


def _place(cls: type, positions: tuple[str, ...], args: tuple[Any, ...], given: dict[str, Any]) -> None:
    """Names the arguments that were given by position."""
    if len(args) > len(positions):
        raise TypeError(f"{cls.__name__}() takes {len(positions)} positional arguments but {len(args)} were given")
    for name, value in zip(positions, args, strict=False):
        if name in given:
            raise TypeError(f"{cls.__name__}() got multiple values for argument {name!r}")
        given[name] = value


def _compiled(plan: tuple[tuple[str, Any, Any], ...], positions: tuple[str, ...]) -> Callable[..., None]:
    """The `__init__` the standard library would have compiled; its text holds nothing but names of fields."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_absent": _ABSENT}
    head, body, star = ["self"], ["pass"], False
    ordered = (*(each for each in plan if each[0] in positions), *(each for each in plan if each[0] not in positions))
    for name, default, factory in ordered:
        if name not in positions and not star:
            head, star = [*head, "*"], True
        if factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = factory
            head.append(f"{name}=_absent")
            body.append(f"_set(self, {name!r}, _make_{name}() if {name} is _absent else {name})")
            continue
        if default is not dataclasses.MISSING:
            known[f"_default_{name}"] = default
        head.append(name if default is dataclasses.MISSING else f"{name}=_default_{name}")
        body.append(f"_set(self, {name!r}, {name})")
    body.append("if hasattr(self, '__post_init__'): self.__post_init__()")
    lines = "".join(f"    {line}\n" for line in body)
    exec(f"def __init__({', '.join(head)}):\n{lines}", known)  # noqa: S102 - names of our own fields, as dataclasses does
    compiled: Callable[..., None] = known["__init__"]
    return compiled


def _equal(names: tuple[str, ...]) -> Callable[[Any, Any], Any]:
    def __eq__(self: Any, other: Any) -> Any:  # noqa: N807 - it is one
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in names)

    return __eq__


def _hash(names: tuple[str, ...]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807 - it is one
        return hash(tuple(getattr(self, name) for name in names))

    return __hash__


def _repr(self: Any) -> str:
    told = (f"{one.name}={getattr(self, one.name)!r}" for one in getattr(self, FIELDS).values() if one.repr)
    return f"{type(self).__qualname__}({', '.join(told)})"


def _refuse(self: Any, name: str, *_value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r} of {type(self).__name__}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in getattr(self, FIELDS)]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(getattr(self, FIELDS), state, strict=True):
        object.__setattr__(self, name, value)
