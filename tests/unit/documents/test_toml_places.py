"""Every key and value of a TOML text is found where it stands."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents.toml import toml_document

TEXT = '''\
# a comment with [brackets] = and "quotes
profile = "local" # behind

[domains.shop]
description = """
[not.a.table]
x = 1 """
settings = { url = "http://x/#y", "odd key" = [1, { deep = true }, "]"] }
fixes.login = {call = {tool = "log_in"}, cooldown = 0}

[domains."a.b".checks.'c d']
within = 1979-05-27T07:32:00Z

[[rules]]
name = 'one'
[[rules]]
name = 'two'
  [rules.inner]
  list = [
    # first
    "a",
    [ 2,
      3, ], # last
  ]
'''


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("profile",), (2, 1), (2, 11)),
        (("domains",), (4, 2), (4, 2)),
        (("domains", "shop"), (4, 10), (4, 10)),
        (("domains", "shop", "settings", "url"), (8, 14), (8, 20)),
        (("domains", "shop", "settings", "odd key", 1, "deep"), (8, 53), (8, 60)),
        (("domains", "shop", "settings", "odd key", 2), (8, 68), (8, 68)),
        (("domains", "shop", "fixes", "login", "call", "tool"), (9, 24), (9, 31)),
        (("domains", "a.b", "checks", "c d", "within"), (12, 1), (12, 10)),
        (("rules", 1, "name"), (17, 1), (17, 8)),
        (("rules", 1, "inner", "list", 1, 1), (23, 7), (23, 7)),
        (("domains", "shop", "nothing", "there"), (4, 10), (4, 10)),
        (("nothing",), (1, 1), (1, 1)),
    ],
)
def test_keys_and_values_are_found(path: tuple[str | int, ...], key: tuple[int, int], value: tuple[int, int]) -> None:
    """Tables, dotted and quoted keys, inline tables, lists of tables, texts that look like tables."""
    document = toml_document(TEXT, "x")
    at_key, at_value = document.place(path, key=True), document.place(path)
    assert ((at_key.line, at_key.column), (at_value.line, at_value.column)) == (key, value)


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f", exclude_categories=["Cc", "Cs"]), max_size=6)
LEAVES = st.one_of(st.booleans(), st.integers(-99, 99), KEYS)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=8
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_whatever_is_written_is_found_with_its_own_value(value: dict[str, Any], end: str) -> None:
    """What stands at the place of a path reads as the value at that path."""
    lines = [f"{_text(key)}={_inline(each)} # {_text(key)}" for key, each in value.items()]
    text = end.join(lines) + end
    document = toml_document(text, "x")
    assert document.value == value == tomllib.loads(text)
    for path in _paths(value):
        place = document.place(path)
        line = text.split(end)[place.line - 1]
        wanted: Any = value
        for step in path:
            wanted = wanted[step]
        assert line[place.column - 1 :].startswith(_inline(wanted))


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for step, below in inner for each in ((*path, step), *_paths(below, (*path, step)))]


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _inline(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "{" + ", ".join(f"{_text(key)} = {_inline(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case str():
            return _text(value)
    return str(value)
