"""Secrets to hide, every way in which programs write them, and a search for them in all that a run left behind.

Written without a look at how secrets are masked, for it is what masking is tested by.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

PASSWORD = "p\"a\\s's wörd %41&<k3y>=+/$HOME"
"""Quotes of both kinds, a backslash, a blank, a letter beyond ASCII, and signs that URLs, HTML and shells escape."""
TOKEN = "ghp+16C7/e42F292c6912E7710c838347A=="
ANSWER = "correct horse battery staple"
HANDED = "handed-out-5f2c8a9e"
TOLD = "tok/AbC+dEf==ZyX-98765"
CARD = 4_929_123_456_780
KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n"
    "Nmo+sLw/3Z==\n"
    "-----END PRIVATE KEY-----\n"
)
LEAST = 6
"""Characters of a part of a secret that give something away."""
SURE = 8
"""Signs of base64 that its neighbours do not change; fewer may be chance."""


def spellings(secret: Any) -> dict[str, str]:
    """How programs write a secret, by the words for it; each line of one with several counts."""
    whole = str(secret)
    lines = [line.strip() for line in whole.splitlines() if len(line.strip()) >= LEAST] if "\n" in whole else []
    found: dict[str, str] = {}
    for text in dict.fromkeys([whole, *lines]):
        for way, written in _written(text):
            if len(written) >= LEAST and written not in found.values():
                found[f"{way} of {text[:12]!r}"] = written
    return found


def _written(text: str) -> Iterator[tuple[str, str]]:
    yield "the whole", text
    yield "the first half", text[: max(LEAST, len(text) // 2)]
    yield "the second half", text[-max(LEAST, len(text) // 2) :]
    yield "the blanks levelled", " ".join(text.split())
    once = json.dumps(text, ensure_ascii=False)[1:-1]
    yield "JSON", once
    yield "JSON in ASCII", json.dumps(text)[1:-1]
    yield "JSON as Go writes it", once.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    yield "JSON as PHP writes it", once.replace("/", "\\/")
    yield "JSON in JSON", json.dumps(once, ensure_ascii=False)[1:-1]
    yield "JSON in JSON in ASCII", json.dumps(json.dumps(text)[1:-1])[1:-1]
    yield "Python", repr(text)[1:-1]
    yield "Python's bytes", repr(text.encode())[2:-1]
    yield "HTML", html.escape(text)
    yield "a shell", shlex.quote(text).removeprefix("'").removesuffix("'")
    yield "a shell's trace", text.replace("'", "'\\''")
    for way, url in (("a URL", quote(text, safe="")), ("a path", quote(text)), ("a form", quote_plus(text))):
        yield way, url
        yield f"{way} in small letters", re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), url)
    yield "a URL in a URL", quote(quote(text, safe=""), safe="")
    yield "JSON in a URL", quote(once, safe="")
    for inner in dict.fromkeys([text, once]):
        yield from _in_base64(inner.encode())


def _in_base64(raw: bytes) -> Iterator[tuple[str, str]]:
    """Base64 with the secret somewhere inside: the signs it alone decides, for each of three ways it can fall."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        sure = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        if len(sure) >= SURE:
            yield f"base64 ({before} before it)", sure
            yield f"base64 for URLs ({before} before it)", sure.translate(str.maketrans("+/", "-_"))
            yield f"base64 in a URL ({before} before it)", quote(sure, safe="")
            yield f"half of base64 ({before} before it)", sure[: max(SURE, len(sure) // 2)]


def leaks(secrets: Mapping[str, Any], places: Mapping[str, str | bytes]) -> list[str]:
    """A sentence for each place in which a secret stands, in whatever way."""
    found = []
    timeless = {place: _without_times(content) for place, content in places.items()}
    for name, secret in secrets.items():
        for way, written in spellings(secret).items():
            for place, whole in places.items():
                # Six digits stand by chance in one of a hundred thousand moments.
                content = timeless[place] if written.isdigit() else whole
                sought = written.encode() if isinstance(content, bytes) else written
                spot = content.find(sought)  # type: ignore[arg-type] # both are bytes, or both are text
                if spot >= 0:
                    around = content[max(0, spot - 60) : spot + len(sought) + 20]
                    found.append(f"{name} stands in {place} ({way}): {around!r}")
    return found


def _without_times(content: str | bytes) -> str | bytes:
    """The content without its moments in seconds since the epoch."""
    if isinstance(content, bytes):
        return re.sub(rb"\b1[0-9]{9}\.[0-9]+", b"", content)
    return re.sub(r"\b1[0-9]{9}\.[0-9]+", "", content)


def files(*folders: Path) -> dict[str, bytes]:
    """Every file below the folders, whole; of databases what their tables say too, for a page may end in a text."""
    found = {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
    for path in [path for path in found if path.endswith(".db")]:
        found[f"{path} (its tables)"] = "\n".join(_rows(Path(path))).encode("utf-8", "replace")
    return found


def _rows(path: Path) -> Iterator[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the names are those of our tables
                yield " ".join(map(str, row))
    database.close()


def told(values: Iterable[Any]) -> str:
    """Values as a listener might write them down: as Python does, and as JSON does."""
    known = [asdict(value) if is_dataclass(value) and not isinstance(value, type) else value for value in values]
    return "\n".join([*map(repr, known), *(json.dumps(value, ensure_ascii=False, default=str) for value in known)])
