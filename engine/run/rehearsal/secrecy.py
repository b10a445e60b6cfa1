"""Whether a secret stands in what a rehearsed run left behind, in any of the ways in which programs write texts.

Written without a look at how secrets are masked, for it is what masking is tested by.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote, quote_plus

from engine.model.event import Event
from engine.model.rehearsal import Difference, Wanted

SHORTEST = 4
"""Characters; shorter lines of a secret stand in ordinary text all the time."""
SURE = 8
"""Signs of base64 that do not depend on what stands before and after; fewer are no proof of anything."""
SHOWN = 30
"""Bytes shown on either side of what was found."""


def leaks(secrets: Iterable[Wanted], places: Mapping[str, bytes]) -> Iterator[Difference]:
    """Each place in which a secret stands, as it is or written as URLs, JSON or base64 write it."""
    for secret in secrets:
        for name, content in places.items():
            for form, written in forms(str(secret.value)).items():
                spot = content.find(written)
                if spot >= 0:
                    around = content[max(0, spot - SHOWN) : spot + len(written) + SHOWN]
                    message = f"the secret stands in {name} {form}: ...{around.decode('utf-8', 'replace')}..."
                    yield Difference(place=secret.place, way=secret.way, message=message)
                    break


def left_behind(home: Path, events: Iterable[Event]) -> dict[str, bytes]:
    """Everything that a run left: every file below `home`, by its path there, and its events as text.

    The events stand in the database too, but a page of it may end in the middle of a text.
    """
    files = {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
    told = "\n".join(json.dumps(asdict(event), ensure_ascii=False, default=str) for event in events)
    return {"the events": told.encode(), **files}


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may be written, by the words for it; each line of one with several counts."""
    lines = [line.strip() for line in secret.splitlines()] if "\n" in secret else []
    texts = dict.fromkeys([secret, *(line for line in lines if len(line) >= SHORTEST)])
    found: dict[str, bytes] = {}
    for number, text in enumerate(texts):
        whose = f"(line {number})" if number else ""
        for name, written in _written(text):
            if written.encode() not in found.values():
                found[f"{name} {whose}".strip()] = written.encode()
    return found


def _written(text: str) -> Iterator[tuple[str, str]]:
    yield "as it is", text
    once = json.dumps(text, ensure_ascii=False)[1:-1]
    yield "as JSON", once
    yield "as JSON in ASCII", json.dumps(text)[1:-1]
    yield "as JSON in JSON", json.dumps(once, ensure_ascii=False)[1:-1]
    yield "as Python writes it", repr(text)[1:-1]
    yield "in a URL", quote(text, safe="")
    yield "in a path of a URL", quote(text)
    yield "in a form", quote_plus(text)
    yield "in a URL in small letters", re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quote(text, safe=""))
    yield "in HTML", html.escape(text)
    yield from _base64(text.encode())


def _base64(raw: bytes) -> Iterator[tuple[str, str]]:
    """Base64 of something with the secret inside: the signs it alone decides, for each of three ways it can fall."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = -(-before * 8 // 6)
        sure = encoded[first : (before + len(raw)) * 8 // 6]
        if len(sure) >= SURE:
            yield f"in base64 ({before} before it)", sure
            yield f"in base64 for URLs ({before} before it)", sure.translate(str.maketrans("+/", "-_"))
