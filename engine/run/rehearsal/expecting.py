"""What a rehearsal file wants to come of it, as values with their places."""

from __future__ import annotations

from collections.abc import Iterator

from engine.library.part import Part
from engine.model.place import Text
from engine.model.rehearsal import Expected, Wanted


def expected(rehearsal: Part) -> Expected:
    """Everything under `expect`; a run must end ok unless it says otherwise."""
    if "expect" not in rehearsal:
        return Expected(status=Wanted(way="expect.status", value="ok", place=rehearsal.place))
    part = rehearsal["expect"]
    steps = part.get("steps")
    return Expected(
        status=_one(part, "status") or Wanted(way="expect.status", value="ok", place=part.key_place),
        message=_one(part, "message"),
        refused=_one(part, "refused"),
        steps=tuple(_listed_steps(part) if isinstance(steps, list) else _members(part, "steps")),
        all_steps=isinstance(steps, list),
        order=tuple(_items(part, "order")),
        calls=tuple(_members(part, "calls")),
        heals=tuple(_members(part, "heals")),
        outputs=tuple(_members(part, "outputs")),
        questions=_one(part, "questions"),
        holds=tuple(_expressions(part)),
        no_events=tuple(_items(part, "no_events")),
    )


def _one(part: Part, key: str) -> Wanted | None:
    if key not in part:
        return None
    return Wanted(way=f"expect.{key}", key=key, value=part.value[key], place=part[key].key_place)


def _members(part: Part, key: str) -> Iterator[Wanted]:
    for name, value in part.mapping(key).items():
        yield Wanted(way=f"expect.{key}.{name}", key=name, value=value, place=part[key][name].key_place)


def _items(part: Part, key: str) -> Iterator[Wanted]:
    for index, value in enumerate(part.get(key, ())):
        yield Wanted(way=f"expect.{key}[{index}]", key=str(index), value=value, place=part[key][index].place)


def _listed_steps(part: Part) -> Iterator[Wanted]:
    """The steps of a list, each a mapping with one key."""
    listed = part["steps"]
    for index, step in enumerate(listed.value):
        for name, value in step.items():
            place = listed[index][name].key_place
            yield Wanted(way=f"expect.steps[{index}].{name}", key=name, value=value, place=place)


def _expressions(part: Part) -> Iterator[Text]:
    if "holds" not in part:
        return
    trees = part["holds"].tree
    yield from trees if isinstance(trees, list) else [trees]
