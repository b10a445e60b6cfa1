"""Which of several alternatives an author meant: the mistakes of that one are reported, not of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_CHOICES = frozenset({"oneOf", "anyOf"})


def narrowed(error: Any) -> Iterator[Any]:
    """The error itself, or for a choice between alternatives the errors of the one that was meant.

    A choice none of whose alternatives was recognisably meant stays one error; `sentences` says what may stand there.
    """
    if error.validator not in _CHOICES or "x-message" in error.schema or not error.context:
        yield error
        return
    branches = _branches(error)
    meant = min(branches, key=_distance)
    if _same_everywhere(branches) or any(_is_wrong_kind(each) for each in meant):
        yield error
        return
    for each in meant:
        yield from narrowed(each)


def _branches(error: Any) -> list[list[Any]]:
    branches: dict[int, list[Any]] = {}
    for each in error.context:
        branches.setdefault(each.schema_path[0], []).append(each)
    return [branches[index] for index in sorted(branches)]


def _distance(errors: list[Any]) -> tuple[int, ...]:
    """How far an alternative is from what was written, most telling difference first."""
    return (
        sum(_is_wrong_kind(each) for each in errors),
        sum(_is_other_variant(each) for each in errors),
        sum(each.validator == "required" and not each.path for each in errors),
        sum(each.validator in {"additionalProperties", "unevaluatedProperties"} and not each.path for each in errors),
        len(errors),
    )


def _is_wrong_kind(error: Any) -> bool:
    """The value as a whole is of another type, or another word, than the alternative wants."""
    return not error.path and error.validator in {"type", "enum", "const", None}


def _is_other_variant(error: Any) -> bool:
    """A key that names the variant (`type: exact`) names another."""
    return len(error.path) == 1 and error.validator in {"const", "enum"}


def _same_everywhere(branches: list[list[Any]]) -> bool:
    """Every alternative only misses the key that would name it."""
    return len(branches) > 1 and all(
        len(errors) == 1 and errors[0].validator == "required" and not errors[0].path for errors in branches
    )
