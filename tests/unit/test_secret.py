"""Secrets are masked wherever they stand and however they are written, and ordinary text stays readable."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from engine.model.event import EventKind
from engine.model.outcome import StepStatus
from engine.model.secret import FIELDS, MASK, Secrets

ROOT = Path(__file__).parents[2]
AWKWARD = 'p"a\\s/s wörd\t%&'


def knowing(*values: Any) -> Secrets:
    """Secrets that know these values."""
    secrets = Secrets()
    for value in values:
        secrets.add(value)
    return secrets


@pytest.mark.parametrize(
    "ordinary", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "true", "False", "none", "null", "no", "", "x"]
)
def test_everyday_values_are_not_masked(ordinary: str) -> None:
    """A database's settings hold its host beside its password; the host is in every message."""
    secrets = knowing({"host": ordinary, "password": "hunter2-secret"})
    text = f"{ordinary} refused hunter2-secret"
    assert secrets.mask(text) == f"{ordinary} refused {MASK}"


@pytest.mark.parametrize("port", [5432, "5432", "443", "80", 99999])
def test_short_numbers_are_masked_only_where_they_are_a_whole_value(port: Any) -> None:
    """A port stands in ordinary text; a PIN that is an argument does not."""
    secrets = knowing({"port": port})
    assert secrets.mask(f"connect to port {port} failed") == f"connect to port {port} failed"
    whole = MASK if len(str(port)) > 3 else str(port)
    assert secrets.mask({"pin": str(port)}) == {"pin": whole}


def test_long_numbers_are_masked_everywhere() -> None:
    """As text, in text, and as numbers."""
    secrets = knowing(4_929_123_456)
    assert secrets.mask(["card 4929123456", 4_929_123_456, 17]) == [f"card {MASK}", MASK, 17]


@pytest.mark.parametrize(
    "written",
    [
        AWKWARD,
        json.dumps({"k": AWKWARD}),
        json.dumps({"k": AWKWARD}, ensure_ascii=False),
        json.dumps(json.dumps({"k": AWKWARD})),
        repr([AWKWARD]),
        str({"error": f"bad password {AWKWARD}"}),
        "GET http://host/login/" + quote(AWKWARD, safe=""),
        "GET http://host/login?p=" + quote(AWKWARD),
    ],
)
def test_a_secret_is_masked_however_it_is_written(written: str) -> None:
    """JSON, JSON in JSON, Python's repr and addresses escape what stands in them."""
    masked = knowing(AWKWARD).mask(written)
    assert MASK in masked
    assert "wörd" not in masked
    assert "w\\u00f6rd" not in masked
    assert "w%C3%B6rd" not in masked


def test_every_line_of_a_secret_text_is_secret() -> None:
    """A key of several lines is often shown line by line."""
    secrets = knowing("-----BEGIN KEY-----\nMIIEvgIBADANBg\n-----END KEY-----\n")
    assert secrets.mask("got MIIEvgIBADANBg") == f"got {MASK}"


def test_keys_of_mappings_are_masked_but_not_the_engines_own() -> None:
    """A password that is called `message` must not take an event apart."""
    secrets = knowing("message", "hunter2-secret")
    assert secrets.mask({"message": "the message", "hunter2-secret": 1}) == {"message": f"the {MASK}", MASK: 1}


def test_the_engines_own_words_are_not_masked() -> None:
    """A status is a status, whatever somebody chose as a password; and so are the engine's own numbers."""
    secrets = knowing("failed", "54321", 123_456)
    told = {"status": StepStatus.FAILED, "text": "failed", "pid": 123_456, "number": 54_321}
    assert secrets.mask_event(told) == {"status": "failed", "text": MASK, "pid": 123_456, "number": 54_321}
    assert secrets.mask(EventKind.PROGRESS) is EventKind.PROGRESS


def test_every_field_of_every_event_keeps_its_name() -> None:
    """The list of the engine's own fields is that of docs/events.md."""
    table = [line for line in (ROOT / "docs" / "events.md").read_text().splitlines() if line.startswith("| `")]
    named = {name for line in table for name in re.findall(r"`(\w+)`", line.split("|")[3])}
    assert len(table) == len(EventKind)
    assert named - {"steps", "undo", "always", *EventKind} <= FIELDS


def test_without_secrets_nothing_is_copied() -> None:
    """The common case costs nothing."""
    value = {"a": [1]}
    assert Secrets().mask(value) is value


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "!", "and more"])
def test_a_secret_inside_base64_is_masked(before: str, after: str) -> None:
    """`Authorization: Basic` writes user and password so; what is sure of the secret in it goes, wherever it falls."""
    secrets = Secrets()
    secrets.add("s3cr3t-pass-word")
    shown = secrets.mask(base64.b64encode(f"{before}s3cr3t-pass-word{after}".encode()).decode())
    left = base64.b64decode(shown.partition("\u2022")[0] + "===", validate=False)
    assert "\u2022\u2022\u2022" in shown
    assert b"s3cr3t" not in left


def test_a_secret_that_is_all_of_a_base64_text_leaves_nothing() -> None:
    """No last signs stay behind that would tell the end of it."""
    secrets = Secrets()
    secrets.add("hunter2-Zq9")
    assert secrets.mask(base64.b64encode(b"hunter2-Zq9").decode()) == MASK
