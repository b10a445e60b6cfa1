"""The text helpers every author's text may call: the same functions in expressions, templates and compute.

This file is also the source that is handed to the compute interpreter, so it keeps to what that interpreter knows:
plain functions over texts, lists and mappings. `schemas/README.md` lists them.
"""

import json


def basename(path: object) -> str:
    """The last part of a path or address: `basename("a/b.txt")` is `b.txt`."""
    return str(path).rstrip("/").split("/")[-1]


def dirname(path: object) -> str:
    """A path without its last part: `dirname("a/b.txt")` is `a`."""
    parts = str(path).rstrip("/").split("/")
    return "/".join(parts[:-1]) or ("/" if str(path).startswith("/") else "")


def lines(text: object) -> list[str]:
    """The lines of a text that are not blank, without the space around them."""
    return [line.strip() for line in str(text).splitlines() if line.strip()]


def first_line(text: object) -> str:
    """The first line that is not blank, or an empty text."""
    found = lines(text)
    return found[0] if found else ""


def last_line(text: object) -> str:
    """The last line that is not blank, or an empty text."""
    found = lines(text)
    return found[-1] if found else ""


def shorten(text: object, length: int = 80) -> str:
    """A text cut to `length` characters, `...` at its end when something was cut."""
    whole = str(text)
    return whole if len(whole) <= length else whole[: max(length - 3, 0)] + "..."


def slug(text: object) -> str:
    """A text in small letters, digits and single dashes: `slug("My App 2")` is `my-app-2`."""
    kept = "".join([letter if letter.isascii() and letter.isalnum() else " " for letter in str(text).lower()])
    return "-".join(kept.split())


def between(text: object, start: str, end: str) -> str:
    """What stands between the first `start` and the next `end`, or an empty text."""
    parts = str(text).split(start, 1)
    if len(parts) < 2 or end not in parts[1]:  # noqa: PLR2004 - before and after
        return ""
    return parts[1].split(end, 1)[0]


def tojson(value: object, indent: int | None = None) -> str:
    """A value as JSON text, dates as their ISO texts."""
    return json.dumps(_writable(value), indent=indent, ensure_ascii=False)


def _writable(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _writable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def fromjson(text: str) -> object:
    """The value of a JSON text."""
    return json.loads(text)
