"""The search for secrets finds them in every way in which programs write them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.event import Event, EventKind
from engine.model.place import Place
from engine.model.rehearsal import Wanted
from engine.run.rehearsal.secrecy import leaks, left_behind

SECRET = 'pa"ss w/ö\\rd+1'
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nYmVjYXVzZSB0aGlzIGlzIG5vdCBhIGtleQ\n-----END KEY-----\n"
WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "as JSON": lambda text: json.dumps({"password": text}, ensure_ascii=False),
    "as JSON in ASCII": lambda text: json.dumps([text]),
    "as JSON in JSON": lambda text: json.dumps(json.dumps({"a": text}, ensure_ascii=False), ensure_ascii=False),
    "as Python writes it": lambda text: repr({"a": text}),
    "in a URL": lambda text: f"https://example.org/?token={quote(text, safe='')}&x=1",
    "in a path": lambda text: f"https://example.org/{quote(text)}",
    "in a form": lambda text: urlencode({"password": text}),
    "in a query": lambda text: f"a={quote_plus(text)}",
    "in base64": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "in base64, moved by one": lambda text: base64.b64encode(f"user1:{text}, and more".encode()).decode(),
    "in base64, moved by two": lambda text: base64.b64encode(f"user12:{text}!".encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"user:{text}???".encode()).decode(),
}


def found(secret: str, content: bytes) -> list[str]:
    """What is said of a secret in a file."""
    place = Place(file="f", line=1, column=1)
    return [each.message for each in leaks([Wanted(way="no_secrets[0]", value=secret, place=place)], {"log": content})]


@pytest.mark.parametrize("way", WRITTEN)
def test_a_secret_is_found_however_it_is_written(way: str) -> None:
    """Once for each file, with what stands around it."""
    [message] = found(SECRET, f"noise {WRITTEN[way](SECRET)} noise".encode())
    assert message.startswith("the secret stands in log ")


def test_each_line_of_a_key_counts() -> None:
    """A log that shows one line of a private key has shown enough."""
    assert found(KEY, b"it began with MIIEvQIBADANBgkqhkiG9w0BAQEFAASC")
    assert found(KEY, json.dumps(KEY).encode())
    assert not found(KEY, b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("text", ["", "nothing", "pa ss w", base64.b64encode(b"something else entirely").decode()])
def test_other_text_is_no_leak(text: str) -> None:
    """Parts of a secret, and text like it."""
    assert found(SECRET, text.encode()) == []


@given(secret=st.text(min_size=8, max_size=40), before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_base64_is_found_whatever_stands_around_it(secret: str, before: bytes, after: bytes) -> None:
    """For every way a secret can fall in a base64 of something larger, once it has enough signs of its own."""
    raw = secret.encode("utf-8", "replace")
    secret = raw.decode()
    written = base64.b64encode(before + raw + after)
    assert found(secret, written) or secret.isspace() or not secret


def test_files_and_events_are_searched(tmp_path: Path) -> None:
    """Everything below the folder, and events even where a database page would cut them in two."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "token").write_text(SECRET)
    event = Event(kind=EventKind.NOTICE, run_id="r", at=0.0, data={"text": SECRET})
    places = left_behind(tmp_path, [event])
    assert set(places) == {"the events", "state/token"}
    assert all(found(SECRET, content) for content in places.values())
