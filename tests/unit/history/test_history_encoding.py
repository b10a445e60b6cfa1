"""What may stand in the database: bounded values, and no secret in any shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.history import History
from engine.history.encoding import LIMIT, Encoder
from engine.model.event import EventKind
from engine.model.secret import Secrets
from tests.unit.history.storyteller import Storyteller

AWKWARD = [
    'pass"word',
    "back\\slash",
    "grüße-geheim",
    "two\nlines-of-key",
    "tab\there",
    "emoji-\U0001f511-key",
    "it's-me",
]


def body(value: Mapping[str, Any], *secret: str) -> str:
    """What would be stored for an event's fields."""
    secrets = Secrets()
    secrets.add(list(secret))
    return Encoder(secrets).kept(value)[1]


@pytest.mark.parametrize("secret", AWKWARD)
def test_no_secret_is_stored_in_any_spelling(
    history: History, story: Storyteller, secrets: Secrets, path: Path, secret: str
) -> None:
    """Plain, as a key, inside JSON text and inside Python's repr; in every table, in every byte of the files."""
    secrets.add(secret)
    spellings = {"plain": secret, secret: "key", "json": json.dumps({"a": secret}), "repr": repr([secret])}
    failure = {"kind": "auth_expired", "message": f"denied {secret}", "evidence": {"text": f"x{secret}y"}}
    story.begin("r1", inputs=spellings, text=f"token: {secret}", profile=secret)
    story.attempt("r1", secret, failure=failure)
    story.tell("r1", EventKind.STEP_FINISHED, secret, status="failed", attempts=1, failure=failure, value=spellings)
    story.end("r1", message=f"oh {secret}", outputs=spellings)
    stored = history.events("r1"), history.run("r1"), history.steps("r1"), history.failures(), history.skill_text("r1")
    history.close()
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    for spelling in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert spelling.encode() not in files
        assert spelling not in repr(stored)


def test_secrets_inside_values_json_does_not_know_are_masked() -> None:
    """They become text, and that text is masked too."""
    hidden: dict[Any, Any] = {
        "path": Path("/home/hunter2-x"),
        "set": {"hunter2-x"},
        "bytes": b"hunter2-x",
        5: ("hunter2-x",),
    }
    proxy = MappingProxyType({"key": MappingProxyType({"hunter2-x": 1})})
    values: tuple[dict[Any, Any], ...] = (hidden, {"proxy": proxy}, {"nan": float("nan"), "s": Path("hunter2-x")})
    for value in values:
        assert "hunter2" not in body(value, "hunter2-x")


def test_a_secret_in_a_mapping_of_another_type_does_not_reach_a_column(
    history: History, story: Storyteller, secrets: Secrets
) -> None:
    """Columns are filled from the masked fields, not from what the executor sent."""
    secrets.add("hunter2-x")
    failure = MappingProxyType({"kind": "timeout", "message": "slow hunter2-x"})
    story.begin("r1")
    story.attempt("r1", "s", failure=failure)
    story.tell("r1", EventKind.STEP_FINISHED, "s", status="failed", attempts=1, failure=failure)
    assert history.failures()[0].error == "slow •••"


def test_a_number_that_is_a_secret_is_masked() -> None:
    """A PIN is a PIN also without quotes."""
    assert json.loads(body({"pin": 987654, "other": 1}, "987654")) == {"pin": "•••", "other": 1}


def test_a_value_over_the_limit_is_cut_and_says_so() -> None:
    """The others stay whole, and a mapping keeps its shape."""
    long = {"text": "x" * 50_000, "failure": {"kind": "timeout", "text": "y" * 40_000}, "ok": True}
    kept = json.loads(body(long))
    assert kept["truncated"] == ["failure", "text"]
    assert kept["ok"] is True
    assert kept["failure"]["kind"] == "timeout"
    assert "characters more" in kept["failure"]["text"]
    assert len(body(long)) < 2 * LIMIT


def test_a_value_too_wide_to_prune_keeps_its_beginning() -> None:
    """And its size."""
    wide = [{str(number): "x" * 1_900 for number in range(50)} for _ in range(50)]
    kept = json.loads(body({"value": wide}))["value"]
    assert kept["truncated"] is True
    assert kept["size"] > 4_000_000


def test_a_secret_at_the_cut_is_masked_whole() -> None:
    """Cutting comes after masking: half a secret is never left over."""
    secret = "0123456789abcdef" * 4
    text = "x" * (LIMIT // 2 - 20) + secret + "y" * LIMIT
    assert "0123456789" not in body({"text": text}, secret)


def test_what_cannot_be_json_is_kept_as_well_as_it_can_be() -> None:
    """Recording never fails because of a value."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    circle: dict[str, Any] = {}
    circle["again"] = circle
    odd: dict[Any, Any] = {
        "nan": float("inf"),
        "half": "\ud800",
        "when": datetime(2026, 1, 2, tzinfo=UTC),
        ("a", 1): 1,
        "nul": "\0",
    }
    assert json.loads(body(odd))["nan"] == "inf"
    assert "too deep" in body({"deep": deep})
    assert "too deep" in body({"circle": circle}, "some-secret")


BIG = {"rows": [{"name": f"row {number}", "text": "x" * 300} for number in range(200)]}
FAITHFUL: list[Any] = [None, True, 3, 2.5, "ü", [], {}, {"a": [1, {"b": None}]}, (1, (2, 3)), "x" * 50_000, BIG, "\0"]
UNFAITHFUL: list[Any] = [
    b"bytes",
    {"a": b"bytes"},
    float("nan"),
    {"a": [float("inf")]},
    {1: "a"},
    {"a": {None: 1}},
    {1, 2},
    Path("/x"),
    "\ud800",
    ["•••"],
    {"•••": 1},
    {"big": BIG, "a": "•••"},
]


def lost(value: Any, *secret: str) -> Any:
    """What the body of a finished step says is lost."""
    secrets = Secrets()
    secrets.add(list(secret))
    return json.loads(Encoder(secrets).kept({"status": "ok", "value": value}, "value").body).get("lost")


@pytest.mark.parametrize("value", FAITHFUL, ids=lambda value: str(value)[:20])
def test_a_value_that_is_kept_as_it_is_is_not_lost(value: Any) -> None:
    """Small or large; a tuple comes back as a list, which is the same to a skill."""
    kept = Encoder(Secrets()).kept({"status": "ok", "value": value}, "value")
    body = json.loads(kept.body)
    assert "lost" not in body
    back = json.loads(kept.whole) if kept.whole else body["value"]
    assert back == json.loads(json.dumps(value))
    assert bool(kept.whole) is ("truncated" in body)


@pytest.mark.parametrize("value", UNFAITHFUL, ids=lambda value: ascii(value)[:20])
def test_a_value_that_cannot_be_had_back_is_lost(value: Any) -> None:
    """No resume may take what stands in the event for the real one."""
    assert lost(value) == ["value"]
    assert lost(value, "some-secret") == ["value"]


def test_a_value_with_a_secret_in_it_is_lost_and_others_are_not() -> None:
    """However deep it stands, and as a key."""
    assert lost({"a": ["the hunter2-x"]}, "hunter2-x") == ["value"]
    assert lost({"hunter2-x": 1}, "hunter2-x") == ["value"]
    assert lost({"pin": 987_654}, "987654") == ["value"]
    assert lost({"a": ["nothing"]}, "hunter2-x") is None


def test_another_field_that_is_masked_loses_no_value() -> None:
    """Only what a resume reads back counts."""
    secrets = Secrets()
    secrets.add("hunter2-x")
    kept = Encoder(secrets).kept({"reason": "oh hunter2-x", "odd": b"x", "value": [1]}, "value")
    assert "lost" not in json.loads(kept.body)


def test_inputs_are_lost_one_by_one() -> None:
    """A secret one has to be given again, the others do not."""
    inputs = {"a": 1, "token": "•••", "when": datetime(2026, 1, 2, tzinfo=UTC)}
    kept = Encoder(Secrets()).kept({"skill": "s", "inputs": inputs}, "inputs")
    assert json.loads(kept.body)["lost"] == ["inputs.token", "inputs.when"]


def test_a_value_too_large_to_keep_whole_is_lost() -> None:
    """The database is no file server."""
    kept = Encoder(Secrets(), whole_limit=40_000).kept({"value": "x" * 50_000}, "value")
    assert kept.whole == ""
    assert json.loads(kept.body)["lost"] == ["value"]


def test_a_whole_value_holds_no_secret(history: History, story: Storyteller, secrets: Secrets, path: Path) -> None:
    """It is masked like everything else."""
    secrets.add("hunter2-x")
    story.begin("r1", inputs={"big": [*"x" * 20_000, "hunter2-x"]})
    story.tell("r1", EventKind.STEP_FINISHED, "s", status="ok", value={"big": BIG, "token": "hunter2-x"})
    history.close()
    assert b"hunter2" not in b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=30,
)


def _is_masked(text: str) -> bool:
    """Whether a secret of this text is masked inside other text: it is neither everyday nor a short number."""
    secrets = Secrets()
    secrets.add(text)
    return text.strip() == text and secrets.mask(f"-{text}-") != f"-{text}-"


@given(st.dictionaries(st.text(), TREES), st.text(min_size=4).filter(_is_masked))
def test_any_fields_become_json_without_the_secret(fields: dict[str, Any], secret: str) -> None:
    """Whatever the values are, they can be read back, and encoded as UTF-8."""
    text = body({**fields, "says": f"-{secret}-"}, secret)
    text.encode("utf-8")
    assert isinstance(json.loads(text), dict)
    if secret not in "•••truncated says":
        assert all(secret not in str(value) for value in (json.loads(text)["says"],))


@given(TREES)
def test_what_is_not_lost_comes_back(value: Any) -> None:
    """A property of every value there is: it is lost, or it is the same again (but for tuples, which become lists)."""
    kept = Encoder(Secrets()).kept({"value": value}, "value")
    body = json.loads(kept.body)
    if "lost" not in body:
        assert (json.loads(kept.whole) if kept.whole else body["value"]) == _listed(value)


def _listed(value: Any) -> Any:
    match value:
        case dict():
            return {key: _listed(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_listed(inner) for inner in value]
        case _:
            return value
