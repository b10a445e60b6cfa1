"""Secrets are masked wherever they stand and however they are written, and ordinary text stays readable."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pytest

from engine.model.event import EventKind
from engine.model.masking import FIELDS
from engine.model.outcome import StepStatus
from engine.model.secret import MASK, Secrets
from tests.flow.hiding import KEY, PASSWORD, TOKEN, spellings

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


def test_a_very_short_secret_is_masked_where_it_is_a_whole_value() -> None:
    """A code of three signs; two are nobody's secret, and in a mapping they are settings."""
    secrets = knowing("123", "ab", {"mode": "rwx"})
    assert secrets.mask({"code": "123", "number": 123, "mode": "rwx", "it": "ab"}) == {
        "code": MASK,
        "number": MASK,
        "mode": "rwx",
        "it": "ab",
    }
    assert secrets.mask("room 123") == "room 123"


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


@pytest.mark.parametrize("secret", [PASSWORD, TOKEN, KEY, "key-\U0001f511-emoji", 'it\'s\ta \\"b"', "naïve café"])
def test_a_secret_is_masked_in_every_spelling_that_is_searched_for(secret: str) -> None:
    """By the search that the tests of whole runs use, which was written without a look at the mask."""
    written = {way: text for way, text in spellings(secret).items() if "half" not in way}
    secrets = knowing(secret)
    assert [way for way, text in written.items() if text in secrets.mask(f"before {text} after")] == []


@pytest.mark.parametrize("width", [76, 64, 60])
def test_base64_is_masked_across_its_lines(width: int) -> None:
    """`base64` breaks lines at 76 signs, PEM at 64."""
    secret = "s3cr3t-Zq9/" * 12
    signs = base64.b64encode(b"user:" + secret.encode()).decode()
    lines = "\n".join(signs[at : at + width] for at in range(0, len(signs), width))
    for text in (lines, json.dumps(lines)):
        shown = knowing(secret).mask(text)
        assert MASK in shown
        assert len(shown) < 16


@pytest.mark.parametrize(
    "cut", ["{0}...", "{0}... (17 characters more)", "{0} …", "{0}\n... 1,234 bytes left out ...\nmore"]
)
def test_the_beginning_of_a_secret_is_masked_at_a_cut(cut: str) -> None:
    """Whoever cuts a text does not know what stands there."""
    for part in ("hunter2-cor", "hunter", "hunter2-correct-hors"):
        assert part not in knowing("hunter2-correct-horse").mask("x" * 5 + cut.format(part))
    for part in ("p%22a%5Cs%2Fs%20w", 'p\\"a\\\\s/s w', "p&quot;a\\s/s w"):
        assert part[:8] not in knowing(AWKWARD).mask("x" * 5 + cut.format(part))


def test_the_end_of_a_secret_is_masked_at_a_cut() -> None:
    """The last so many characters of an output, or what comes behind its middle."""
    secrets = knowing("hunter2-correct-horse")
    for text in ("correct-horse" + "y" * 300, "x ... 99 characters left out ...\nrect-horse and", "… 2-correct-horse"):
        assert "rect-horse" not in secrets.mask(text)
    whole = "no cut here: correct-horse, hunter2-cor"
    assert secrets.mask(whole) == whole


def test_secrets_that_overlap_leave_nothing_between_them() -> None:
    """One begins where another has not ended."""
    assert knowing("abcdefgh-1234", "1234-ijklmnop").mask("<abcdefgh-1234-ijklmnop>") == f"<{MASK}>"


def test_what_a_secret_text_holds_is_secret_too() -> None:
    """The values in a JSON text, and the password in an address: programs take them out and show them alone."""
    account = json.dumps({"user": "robot-7", "private_key": "-----BEGIN-----\nMIIEvgIBADANBg\n", "host": "localhost"})
    secrets = knowing(account, "postgres://app:p%40ssw0rd@db.internal/shop")
    shown = secrets.mask("robot-7 p@ssw0rd p%40ssw0rd MIIEvgIBADANBg at localhost, app@db.internal")
    assert shown == f"{MASK} {MASK} {MASK} {MASK} at localhost, app@db.internal"


def test_objects_of_any_type_are_masked_as_they_would_be_written() -> None:
    """A listener that writes JSON writes them as text."""
    odd: dict[Any, Any] = {
        "path": Path("/home/hunter2-x"),
        "bytes": "hünter2-x".encode(),
        "set": {"hunter2-x"},
        "proxy": MappingProxyType({"hunter2-x": 1}),
        ("hunter2-x", 1): ValueError("hunter2-x"),
        "plain": Path("/home"),
    }
    masked = knowing("hunter2-x", "hünter2-x").mask(odd)
    assert "nter2" not in repr(masked)
    assert masked["plain"] == Path("/home")


def test_what_goes_round_in_circles_is_not_followed_for_ever() -> None:
    """It is masked where it gets too deep."""
    circle: dict[str, Any] = {"secret": "hunter2-x"}
    circle["again"] = circle
    assert "hunter2-x" not in repr(knowing("hunter2-x").mask(circle))


def test_names_of_steps_and_tools_stay_in_events_and_what_they_work_with_does_not() -> None:
    """A resume finds its way by them; in arguments a number or a name is the run's own."""
    secrets = knowing("shop", 4_929_123_456)
    told = {"tool": "shop_order", "number": 1, "args": {"name": "shop", "number": 4_929_123_456}, "fix": "fix(shop)"}
    assert secrets.mask_event(told) == {
        "tool": "shop_order",
        "number": 1,
        "args": {"name": MASK, "number": MASK},
        "fix": f"fix({MASK})",
    }
    assert secrets.mask_name("each[0]/shop_order.undo") == "each[0]/shop_order.undo"
    assert secrets.mask_name("a shop") == f"a {MASK}"


def test_threads_may_add_while_others_mask() -> None:
    """A tool in a thread hands out a credential while the run tells what another did."""
    secrets = knowing("hunter2-0")
    seen: list[str] = []

    def add() -> None:
        for number in range(1, 200):
            secrets.add(f"hunter2-{number}")

    def mask() -> None:
        seen.extend(secrets.mask(f"it is hunter2-0 {number}") for number in range(400))

    threads = [Thread(target=target) for target in (add, mask, add, mask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any("hunter2" in text for text in seen)


def test_every_line_of_a_secret_text_is_secret() -> None:
    """A key of several lines is often shown line by line."""
    secrets = knowing("-----BEGIN KEY-----\nMIIEvgIBADANBg\n-----END KEY-----\n")
    assert secrets.mask("got MIIEvgIBADANBg") == f"got {MASK}"


def test_keys_of_mappings_are_masked_but_not_the_engines_own() -> None:
    """A password that is called `message` must not take an event apart."""
    secrets = knowing("message", "hunter2-secret")
    assert secrets.mask({"message": "the message", "hunter2-secret": 1}) == {"message": f"the {MASK}", MASK: 1}


def test_a_secret_that_nobody_can_see_masks_nothing_else() -> None:
    """Of signs that cannot be printed some may be left out where a text is shown, but not all of them."""
    secrets = Secrets()
    secrets.add("\x1b\x1b\x1b\U00018cd6")
    assert secrets.mask("hello \x1b\x1b\x1b\U00018cd6!") == "hello •••!"


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
