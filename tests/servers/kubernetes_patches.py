"""How the stand-in for the Kubernetes API lays patches over objects, and which objects a selector chooses."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]


def merge(one: Object, patch: Mapping[str, Any]) -> None:
    """A JSON merge patch (RFC 7386): lists are replaced."""
    for name, value in patch.items():
        if value is None:
            one.pop(name, None)
        elif isinstance(value, Mapping):
            if not isinstance(one.get(name), dict):
                one[name] = {}
            merge(one[name], value)
        else:
            one[name] = copy.deepcopy(value)


def merge_by_name(one: Object, patch: Mapping[str, Any]) -> None:
    """As a strategic merge or an apply does: lists whose entries have names are merged by them (directives are not)."""
    for name, value in patch.items():
        if value is None:
            one.pop(name, None)
        elif isinstance(value, Mapping):
            if not isinstance(one.get(name), dict):
                one[name] = {}
            merge_by_name(one[name], value)
        elif _named(value) and _named(one.get(name)):
            _merge_entries(one[name], value)
        else:
            one[name] = copy.deepcopy(value)


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "name" in each for each in value)


def _merge_entries(entries: list[Object], patch: list[Object]) -> None:
    known = {each["name"]: each for each in entries}
    for each in patch:
        if each["name"] in known:
            merge_by_name(known[each["name"]], each)
        else:
            entries.append(copy.deepcopy(each))


def selects(one: Object, query: Mapping[str, str]) -> bool:
    """Whether the label and field selectors of a request (equalities, presence, `in`) choose the object."""
    labels = one["metadata"].get("labels") or {}
    wanted = all(_label(labels, term) for term in terms(query.get("labelSelector", "")))
    return wanted and all(_compared(at(one, _name(term)), term) for term in terms(query.get("fieldSelector", "")))


def terms(selector: str) -> list[str]:
    """The terms of a selector; a comma inside of `in (a,b)` divides nothing."""
    found, depth, term = [], 0, ""
    for sign in selector:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            found.append(term)
            term = ""
        else:
            term += sign
    return [each.strip() for each in [*found, term] if each.strip()]


def _label(labels: Mapping[str, str], term: str) -> bool:
    for word, wanted in ((" notin ", False), (" in ", True)):
        if word in term:
            name, _, values = term.partition(word)
            among = {each.strip() for each in values.strip().strip("()").split(",")}
            return (labels.get(name.strip()) in among) is wanted
    if "=" not in term:
        return (term.removeprefix("!") in labels) is not term.startswith("!")
    return _compared(labels.get(_name(term)), term)


def _name(term: str) -> str:
    return term.replace("==", "=").partition("=")[0].removesuffix("!").strip()


def _compared(found: Any, term: str) -> bool:
    value = term.replace("==", "=").partition("=")[2].strip()
    return (("" if found is None else str(found)) == value) is ("!=" not in term)


def at(one: Object, path: str) -> Any:
    """What stands in an object at a path of names with dots between; None for nothing.

    `conditions[Ready]` is the one of these conditions whose type is `Ready`.
    """
    found: Any = one
    for word in path.split("."):
        name, _, sort = word.rstrip("]").partition("[")
        found = found.get(name) if isinstance(found, dict) else None
        if sort:
            found = next((each for each in found or () if each.get("type") == sort), None)
    return found
