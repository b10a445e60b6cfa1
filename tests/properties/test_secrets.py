"""Any secret, written in any way and in any way once more, leaves nothing behind but a mask."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.model.cuts import LONG
from engine.model.secret import MASK, Secrets
from engine.model.secret_texts import EVERYDAY


def small(text: str) -> str:
    """Percent signs with small letters behind them."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


WAYS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in ASCII": lambda text: json.dumps(text)[1:-1],
    "Python": lambda text: repr(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "a URL": lambda text: quote(text, safe=""),
    "a path": quote,
    "a form": quote_plus,
    "a URL in small letters": lambda text: small(quote(text, safe="")),
    "HTML": html.escape,
    "a shell": shlex.quote,
}
awkward = st.sampled_from("\"'\\ %&<>+=/\n\t$`{}")
signs = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="�⟦⟧") | awkward
texts = (
    st.text(signs, min_size=6, max_size=30)
    .map(str.strip)
    .filter(lambda text: len(text) >= 6 and text.lower() not in EVERYDAY and not text.isdecimal())
    .filter(lambda text: len(text.splitlines()) == 1)
)
ordinary = st.text("⟦⟧", max_size=5)
"""What no secret here is made of."""


def knowing(secret: str) -> Secrets:
    """What knows one secret."""
    secrets = Secrets()
    secrets.add(secret)
    return secrets


@settings(deadline=None)
@given(texts, st.sampled_from(sorted(WAYS)), st.sampled_from(sorted(WAYS)), ordinary, ordinary)
@example('it\'s "so"', "a shell", "Python", "", "")
@example("a\\\"b\\\\c'd", "JSON", "a URL", "", "")
def test_written_in_one_way_inside_another(secret: str, inner: str, outer: str, before: str, after: str) -> None:
    """Whatever stands around it stays."""
    written = WAYS[outer](WAYS[inner](secret))
    masked = knowing(secret).mask(f"{before}|{written}|{after}")
    assert written not in masked
    assert masked.startswith(f"{before}|")
    assert masked.endswith(f"|{after}")
    assert MASK in masked


@settings(deadline=None)
@given(texts, st.sampled_from(["as it is", "JSON", "JSON in ASCII"]), st.binary(max_size=8), st.binary(max_size=8))
def test_inside_base64(secret: str, way: str, before: bytes, after: bytes) -> None:
    """Of what can be decoded, nothing of any length is the secret's."""
    raw = WAYS[way](secret).encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes):
        masked = knowing(secret).mask(encode(before + raw + after).decode())
        if len(raw) >= 6:
            assert MASK in masked


@settings(deadline=None)
@given(texts.filter(lambda text: len(text) >= 12), st.integers(min_value=7, max_value=11), st.booleans())
def test_cut_in_its_middle(secret: str, kept: int, begins: bool) -> None:
    """At the end and at the beginning of a long text, and beside the marks that cutting leaves."""
    part = secret[:kept] if begins else secret[-kept:]
    filling = "⟦" * LONG
    text = f"{filling}{part}" if begins else f"{part}{filling}"
    marked = f"so {part}... (17 characters more)" if begins else f"so ... 1,234 bytes left out ...\n{part} and on"
    secrets = knowing(secret)
    for cut in (text, marked):
        if part.strip() == part:
            assert part not in secrets.mask(cut), cut


@settings(deadline=None)
@given(st.text(max_size=300), texts)
def test_what_holds_no_secret_stays_as_it_is(text: str, secret: str) -> None:
    """Masking changes nothing else."""
    value = {"text": [text], "number": 17, text: None}
    if secret[:4] not in text and secret[-4:] not in text:
        assert knowing(secret).mask(value) == value
