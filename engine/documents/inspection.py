"""The look at a whole document with a schema: the library's errors made into findings."""

from __future__ import annotations

from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from engine.documents import schemas
from engine.documents.branches import narrowed
from engine.documents.document import Document
from engine.documents.sentences import Sentence, sentences
from engine.model.place import Finding

_MOST = 200
"""Errors of one document; whoever has more than this has another file in hand."""


@cache
def _validator(schema_name: str, folder: Path) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - late: 160 ms, and a known document needs none
    from referencing import Registry, Resource  # noqa: PLC0415 - late: comes with jsonschema
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 - late: comes with jsonschema

    def retrieve(uri: str) -> Resource[Any]:
        name = uri.rpartition("/")[2].removesuffix(".schema.json")
        return DRAFT202012.create_resource(dict(schemas.schema(name, folder=folder)))

    registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]
    return Draft202012Validator(dict(schemas.schema(schema_name, folder=folder)), registry=registry)


def inspected(document: Document, schema_name: str, folder: Path) -> tuple[Finding, ...]:
    """Every finding of the document against the schema in the folder, in the file's order."""
    validator = _validator(schema_name, folder)
    errors = [narrow for error in islice(validator.iter_errors(document.value), _MOST) for narrow in narrowed(error)]
    said = [sentence for error in errors for sentence in sentences(error)]
    found = {_finding(document, sentence): None for sentence in _one_for_each_mistake(said)}
    return tuple(sorted(found, key=lambda each: (each.place.line, each.place.column, each.code)))


def _one_for_each_mistake(said: list[Sentence]) -> list[Sentence]:
    """Without the sentences that follow from another: a misspelt key is not missing too, a wrong type breaks all."""
    misspelt = {(*each.path[:-1], each.meant) for each in said if each.meant}
    wrong_type = {each.path for each in said if each.code == "wrong-type"}
    return [
        each
        for each in said
        if not any((*each.path, key) in misspelt for key in each.missing)
        and (each.code == "wrong-type" or each.at_key or each.path not in wrong_type)
    ]


def _finding(document: Document, sentence: Sentence) -> Finding:
    place = document.place(sentence.path, key=sentence.at_key)
    return Finding(place=place, code=sentence.code, message=sentence.message, hint=sentence.hint)
