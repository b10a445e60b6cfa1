"""One broken rule of a schema, said as a sentence.

A schema may say it better itself: `x-message` beside a rule replaces the sentence, `x-hint` the way out. Wrong types
and unknown keys are always said here, unless `x-secret` says that what stands there may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from engine.documents.wording import KINDS, Path, bare, known_keys, shown, subject, ticked
from engine.model.lazy_dataclass import dataclass

_MOST_KEYS = 16
_LONGEST_KEY = 60
UNSHOWN = "secret-here"
"""The code of a finding whose line is not shown."""
_SECRET = re.compile(r"(\w*_)?(token|password|passwd|secret|api_?key|key)", re.IGNORECASE)
_KEPT = {
    "credential": '`credential = {env = "NAME"}` says where it is kept',
    "token_file": "`token_file` names the file that it is kept in",
}
"""The keys that say where a secret is kept, and how."""
_UNKNOWN = frozenset({"additionalProperties", "unevaluatedProperties"})
_YES_AND_NO = {"yes": "true", "on": "true", "no": "false", "off": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What is wrong with the value at `path`, or with its key.

    `meant` is the key that a misspelt one was taken for, `missing` the keys one of which is not there.
    """

    path: Path
    code: str
    message: str
    hint: str = ""
    at_key: bool = False
    meant: str = ""
    missing: tuple[str, ...] = ()


Say = Callable[[Any, Path], Sentence]


def sentences(error: Any) -> Iterator[Sentence]:
    """The sentences for one error of the schema library; several for several unknown keys."""
    path = tuple(error.absolute_path)
    own = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator in _UNKNOWN:
        yield from _unknown_keys(error, path)
        return
    if "propertyNames" in error.absolute_schema_path:
        yield replace(_said(error, (*path, str(error.instance)), own), code="key-name", at_key=True)
        return
    yield _said(error, path, own)


def _said(error: Any, path: Path, own: Mapping[str, Any]) -> Sentence:
    code, say = _RULES.get(error.validator, ("schema", _other))
    sentence = say(error, path)
    message, hint = own.get("x-message", sentence.message), own.get("x-hint", sentence.hint)
    if own.get("x-secret"):
        return replace(sentence, code=UNSHOWN, message=message, hint=hint)  # what stands there may be a secret
    if error.validator == "type":
        message, hint = sentence.message, sentence.hint or hint
    return replace(sentence, code=code, message=message, hint=hint)


def _unknown_keys(error: Any, path: Path) -> Iterator[Sentence]:
    known = known_keys(error.schema)
    for key in _extra(error):
        near = get_close_matches(key.lower(), known, n=1, cutoff=0.6)
        hint = f"did you mean `{near[0]}`?" if near else _may_stand(known)
        meant = near[0] if near and near[0] not in error.instance else ""
        message = f"the key `{key[:_LONGEST_KEY]}` is not known here"
        said = Sentence(path=(*path, key), code="unknown-key", message=message, hint=hint, at_key=True, meant=meant)
        yield _hidden(said, key, known) if _may_hold_a_secret(error, key, near, known) else said


def _may_hold_a_secret(error: Any, key: str, near: list[str], known: list[str]) -> bool:
    """Whether a text stands there that may be a secret: where secrets are meant, under a name that they have."""
    if not isinstance(error.instance[key], str):
        return False
    if error.schema.get("x-secret"):
        return not near
    kept = any(each in known for each in _KEPT)
    return kept and (_SECRET.fullmatch(key) is not None or near == ["credential"])


def _hidden(said: Sentence, key: str, known: list[str]) -> Sentence:
    """The sentence without the line; of a secret's own name, with the key that says where it is kept."""
    way = next((told for each, told in _KEPT.items() if each in known), "")
    if not way or not _SECRET.fullmatch(key):
        return replace(said, code=UNSHOWN)
    return replace(said, code=UNSHOWN, hint=f"no secret stands here: {way}", meant="")


def _extra(error: Any) -> list[str]:
    """The unknown keys; the schema library gives them as attributes of no error, only in its message."""
    if error.validator == "unevaluatedProperties":
        known = known_keys(error.schema)
        return [key for key in error.instance if repr(key) in error.message and key not in known]
    properties, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
    return [
        key for key in error.instance if key not in properties and not any(re.search(each, key) for each in patterns)
    ]


def _may_stand(known: list[str]) -> str:
    if not known:
        return "no keys may stand here"
    return "may stand here: " + ", ".join(known[:_MOST_KEYS]) + (" ..." if len(known) > _MOST_KEYS else "")


def _type(error: Any, path: Path) -> Sentence:
    wanted = [error.validator_value] if isinstance(error.validator_value, str) else list(error.validator_value)
    kinds = " or ".join(KINDS[each] for each in wanted)
    message = f"{subject(path)} must be {kinds}, but is {shown(error.instance)}"
    return Sentence(path=path, code="", message=message, hint=_type_hint(wanted, error.instance))


def _type_hint(wanted: list[str], value: Any) -> str:
    match value:
        case str() if "boolean" in wanted and value.lower() in _YES_AND_NO:
            return f"write {_YES_AND_NO[value.lower()]}"
        case str() if {"integer", "number"} & {*wanted} and re.fullmatch(r"-?[0-9.]+", value):
            return "remove the quotes"
        case bool() | int() | float() if "string" in wanted:
            return "put it in quotes"
        case str() | int() | float() if "array" in wanted:
            return "write a list: [one, two]"
        case None:
            return "give it a value, or remove the key"
        case _:
            return ""


def _required(error: Any, path: Path) -> Sentence:
    missing = next((key for key in error.validator_value if error.message.startswith(repr(key))), "")
    where = "" if not path else f" in {subject(path)}"
    return Sentence(path=path, code="", message=f"the key `{missing}` is missing{where}", missing=(missing,))


def _dependent(error: Any, path: Path) -> Sentence:
    wants, missing = next(
        (
            (key, each)
            for key, needed in error.validator_value.items()
            for each in needed
            if key in error.instance and each not in error.instance
        ),
        ("", ""),
    )
    return Sentence(path=(*path, wants), code="", message=f"`{wants}` needs `{missing}` beside it", at_key=True)


def _enum(error: Any, path: Path) -> Sentence:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    names = [bare(each) for each in allowed]
    near = get_close_matches(error.instance.lower(), names, n=1) if isinstance(error.instance, str) else []
    more = ", ..." if len(names) > _MOST_KEYS else ""
    choice = f"must be {names[0]}" if len(names) == 1 else "must be one of " + ", ".join(names[:_MOST_KEYS]) + more
    hint = f"did you mean {near[0]}?" if near else ""
    return Sentence(path=path, code="", message=f"{subject(path)} {choice}, but is {shown(error.instance)}", hint=hint)


def _pattern(error: Any, path: Path) -> Sentence:
    message = f"{subject(path)} is {shown(error.instance)}, which does not have the form {error.validator_value}"
    return Sentence(path=path, code="", message=message)


def _bound(words: str, unit: str = "") -> Say:
    def say(error: Any, path: Path) -> Sentence:
        bound = f"{words} {error.validator_value}{unit if error.validator_value != 1 else unit.removesuffix('s')}"
        return Sentence(path=path, code="", message=f"{subject(path)} must {bound}")

    return say


def _at_least(unit: str) -> Say:
    enough = _bound("have at least", unit)

    def say(error: Any, path: Path) -> Sentence:
        if error.validator_value == 1:
            return Sentence(path=path, code="", message=f"{subject(path)} must not be empty")
        return enough(error, path)

    return say


def _choice(error: Any, path: Path) -> Sentence:
    """A choice where no alternative, or more than one, was recognisably meant."""
    branches = [each for each in error.validator_value if isinstance(each, Mapping)]
    naming = list(dict.fromkeys(key for each in branches for key in each.get("required", ())))
    if isinstance(error.instance, Mapping) and naming:
        return _choice_of_keys(error, path, naming)
    kinds = list(dict.fromkeys(KINDS[each] for branch in branches for each in _types(branch)))
    words = [word for each in branches for word in each.get("enum", [each["const"]] if "const" in each else [])]
    wanted = " or ".join([*map(bare, words), *kinds]) or "of another form"
    message = f"{subject(path)} must be {wanted}, but is {shown(error.instance)}"
    near = get_close_matches(str(error.instance), [word for word in words if isinstance(word, str)], n=1)
    return Sentence(path=path, code="", message=message, hint=f"did you mean {near[0]}?" if near else "")


def _choice_of_keys(error: Any, path: Path, naming: list[str]) -> Sentence:
    given = [key for key in naming if key in error.instance]
    if len(given) > 1:
        message = f"only one of {ticked(given)} may stand here"
        return Sentence(path=(*path, given[1]), code="", message=message, at_key=True)
    return Sentence(path=path, code="", message=f"one of {ticked(naming)} is needed here", missing=tuple(naming))


def _types(branch: Mapping[str, Any]) -> list[str]:
    kind = branch.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _not(error: Any, path: Path) -> Sentence:
    keys = error.validator_value.get("required", ()) if isinstance(error.validator_value, Mapping) else ()
    if keys and isinstance(error.instance, Mapping):
        message = f"{ticked(list(keys))} may not stand here" + (" together" if len(keys) > 1 else "")
        return Sentence(path=(*path, keys[-1]), code="", message=message, at_key=True)
    return _other(error, path)


def _other(error: Any, path: Path) -> Sentence:
    if error.schema is False:
        return Sentence(path=path, code="", message=f"{subject(path)} may not stand here", at_key=True)
    return Sentence(
        path=path, code="", message=f"{subject(path)} may not be {shown(error.instance)} ({error.validator})"
    )


def _unique(error: Any, path: Path) -> Sentence:
    double = next((index for index, each in enumerate(error.instance) if each in error.instance[:index]), 0)
    message = f"{subject(path)} names {shown(error.instance[double])} twice"
    return Sentence(path=(*path, double), code="", message=message)


_RULES: Mapping[str | None, tuple[str, Say]] = {
    "type": ("wrong-type", _type),
    "required": ("missing-key", _required),
    "dependentRequired": ("missing-key", _dependent),
    "enum": ("not-allowed", _enum),
    "const": ("not-allowed", _enum),
    "pattern": ("wrong-form", _pattern),
    "minimum": ("out-of-range", _bound("be at least")),
    "maximum": ("out-of-range", _bound("be at most")),
    "exclusiveMinimum": ("out-of-range", _bound("be more than")),
    "exclusiveMaximum": ("out-of-range", _bound("be less than")),
    "multipleOf": ("out-of-range", _bound("be a multiple of")),
    "minLength": ("out-of-range", _at_least(" characters")),
    "maxLength": ("out-of-range", _bound("have at most", " characters")),
    "minItems": ("out-of-range", _at_least(" items")),
    "maxItems": ("out-of-range", _bound("have at most", " items")),
    "minProperties": ("out-of-range", _at_least(" keys")),
    "maxProperties": ("out-of-range", _bound("have at most", " keys")),
    "uniqueItems": ("given-twice", _unique),
    "oneOf": ("no-choice", _choice),
    "anyOf": ("no-choice", _choice),
    "not": ("not-allowed", _not),
    None: ("not-allowed", _other),
}
