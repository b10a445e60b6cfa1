"""Values made by our `dataclass` behave as those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, ClassVar

import pytest

from engine.model.lazy_dataclass import OFTEN, dataclass

FROZEN = {"frozen": True, "slots": True, "kw_only": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Ours."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)
    hidden: int = field(default=0, compare=False, repr=False)
    unit: ClassVar[str] = "m"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The same, by the standard library."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)
    hidden: int = field(default=0, compare=False, repr=False)
    unit: ClassVar[str] = "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solid(Point):
    """One that inherits, and checks itself."""

    z: int = 3

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        if self.z < 0:
            raise ValueError("below the ground")


@dataclass(slots=True)
class Counter:
    """One that changes, with arguments by position."""

    name: str
    count: int = 0
    made: int = field(default=7, init=False)
    later: list[str] = field(default_factory=list, init=False)
    last: str = field(init=False)

    def __post_init__(self) -> None:
        """Gives what is no argument."""
        self.last = self.name.upper()


@pytest.mark.parametrize("times", [1, OFTEN + 1])
def test_it_is_made_compared_shown_and_changed_as_the_standard_one(times: int) -> None:
    """Before its `__init__` is compiled, and after."""
    made: Any = [Point(x=1) for _ in range(times)][-1]
    standard = Standard(x=1)
    assert repr(made) == repr(standard).replace("Standard", "Point")
    assert asdict(made) == asdict(standard)
    assert [(each.name, each.default) for each in fields(made)] == [
        (each.name, each.default) for each in fields(standard)
    ]
    assert made == Point(x=1, hidden=9)
    assert made != Point(x=2)
    assert made != standard
    assert replace(made, y=5) == Point(x=1, y=5)
    assert made.tags is not Point(x=1).tags
    assert Point.unit == "m"


@pytest.mark.parametrize("times", [1, OFTEN + 1])
@pytest.mark.parametrize("wrong", [{}, {"x": 1, "q": 2}])
def test_arguments_that_do_not_fit_are_refused(times: int, wrong: dict[str, Any]) -> None:
    """TypeError that names the argument."""
    for _ in range(times):
        Point(x=1)
    with pytest.raises(TypeError, match=r"'x'|'q'"):
        Point(**wrong)
    with pytest.raises(TypeError):
        Point(1)  # type: ignore[call-arg] # by position


def test_what_is_frozen_stays_as_it_is() -> None:
    """No attribute is set, deleted, or added."""
    made: Any = Point(x=1)
    for name in ("x", "other"):
        with pytest.raises(FrozenInstanceError):
            setattr(made, name, 2)
    with pytest.raises(FrozenInstanceError):
        del made.x
    assert not hasattr(made, "__dict__")


def test_it_is_hashed_by_what_is_compared() -> None:
    """As a key it is found by an equal one; what changes is no key."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Key:
        """A key."""

        a: int
        b: int = field(default=0, compare=False)

    assert {Key(a=1): "one"}[Key(a=1, b=2)] == "one"
    assert Counter.__hash__ is None


def test_one_that_inherits_has_all_fields_and_checks_itself() -> None:
    """Fields in order, `super` and `__post_init__` included."""
    assert [each.name for each in fields(Solid)] == ["x", "y", "tags", "hidden", "z"]
    assert Solid(x=1) == Solid(x=1, y=2, z=3)
    for _ in range(OFTEN + 1):
        with pytest.raises(ValueError, match="below"):
            Solid(x=1, z=-1)


def test_arguments_by_position_and_fields_that_are_not_given() -> None:
    """As the standard decorator without `kw_only` takes them."""
    for _ in range(OFTEN + 1):
        made = Counter("a", 3)
        assert (made.name, made.count, made.made, made.later, made.last) == ("a", 3, 7, [], "A")
    made.count += 1
    assert made == Counter("a", count=4)
    match made:
        case Counter(name, count):
            assert (name, count) == ("a", 4)
    with pytest.raises(TypeError, match="multiple values"):
        Counter("a", name="b")  # type: ignore[misc] # twice


def test_it_can_be_copied_and_sent_to_another_process() -> None:
    """Frozen slots need help with that."""
    made = Point(x=1, tags=["a"])
    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - our own bytes
    assert copy.deepcopy(made).tags is not made.tags


def test_a_field_that_is_no_argument_and_has_no_default_is_set_by_post_init() -> None:
    """As with the standard decorator; before and after `__init__` is compiled."""

    @dataclass(slots=True, kw_only=True)
    class Doubled:
        """A number, and twice that."""

        once: int
        twice: int = field(init=False)

        def __post_init__(self) -> None:
            self.twice = 2 * self.once

    assert [Doubled(once=3).twice for _ in range(OFTEN + 1)] == [6] * (OFTEN + 1)
