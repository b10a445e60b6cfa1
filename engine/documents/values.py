"""What a plain value breaks of a schema at hand; for values that are only a part of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.documents.branches import narrowed
from engine.documents.sentences import Sentence, sentences
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One broken rule: its sentence, its name in the schema (`type`, `required`), and the value that broke it."""

    sentence: Sentence
    rule: str
    value: Any


def breaches(value: Any, schema: Mapping[str, Any]) -> Iterator[Breach]:
    """Every rule of the schema that the value breaks."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - late: 160 ms, and most values are right

    for error in Draft202012Validator(dict(schema)).iter_errors(value):
        for narrow in narrowed(error):
            for sentence in sentences(narrow):
                yield Breach(sentence=sentence, rule=str(narrow.validator), value=narrow.instance)
