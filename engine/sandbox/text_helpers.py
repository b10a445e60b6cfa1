"""The text helpers every author's text may call: the same functions in expressions, templates and compute.

This file is also the source that is handed to the compute interpreter, so it keeps to what that interpreter knows:
plain functions over texts, lists and mappings. `schemas/README.md` lists them.
"""

import json


def basename(path):  # type: ignore[no-untyped-def]
    """The last part of a path or address: `basename("a/b.txt")` is `b.txt`."""
    return str(path).rstrip("/").split("/")[-1]


def dirname(path):  # type: ignore[no-untyped-def]
    """A path without its last part: `dirname("a/b.txt")` is `a`."""
    parts = str(path).rstrip("/").split("/")
    return "/".join(parts[:-1]) or ("/" if str(path).startswith("/") else "")


def lines(text):  # type: ignore[no-untyped-def]
    """The lines of a text that are not blank, without the space around them."""
    return [line.strip() for line in str(text).splitlines() if line.strip()]


def first_line(text):  # type: ignore[no-untyped-def]
    """The first line that is not blank, or an empty text."""
    found = lines(text)
    return found[0] if found else ""


def last_line(text):  # type: ignore[no-untyped-def]
    """The last line that is not blank, or an empty text."""
    found = lines(text)
    return found[-1] if found else ""


def shorten(text, length=80):  # type: ignore[no-untyped-def]
    """A text cut to `length` characters, `...` at its end when something was cut."""
    text = str(text)
    return text if len(text) <= length else text[: max(length - 3, 0)] + "..."


def slug(text):  # type: ignore[no-untyped-def]
    """A text in small letters, digits and single dashes: `slug("My App 2")` is `my-app-2`."""
    kept = "".join([letter if letter.isascii() and letter.isalnum() else " " for letter in str(text).lower()])
    return "-".join(kept.split())


def between(text, start, end):  # type: ignore[no-untyped-def]
    """What stands between the first `start` and the next `end`, or an empty text."""
    parts = str(text).split(start, 1)
    if len(parts) < 2 or end not in parts[1]:  # noqa: PLR2004 - before and after
        return ""
    return parts[1].split(end, 1)[0]


def tojson(value, indent=None):  # type: ignore[no-untyped-def]
    """A value as JSON text."""
    return json.dumps(value, indent=indent)


def fromjson(text):  # type: ignore[no-untyped-def]
    """The value of a JSON text."""
    return json.loads(text)
