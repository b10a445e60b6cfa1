"""Whether a text is one whole `{{ expression }}`, and where the expression in it stands."""

from __future__ import annotations


def inner(text: str) -> tuple[int, int]:
    """Where the expression in `text` starts and ends: the whole text, or what one whole `{{ }}` holds."""
    start, end = _trimmed(text, 0, len(text))
    if text.startswith("{{", start) and closing(text, start + 2) == end:
        start += 2
        end -= 2
        start += text[start : start + 1] in ("-", "+")
        end -= text[end - 1 : end] in ("-", "+")
        return _trimmed(text, start, end)
    return start, end


def is_whole(text: str) -> bool:
    """Whether `text` is nothing but one `{{ expression }}`."""
    start, end = _trimmed(text, 0, len(text))
    return text.startswith("{{", start) and closing(text, start + 2) == end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def closing(text: str, position: int) -> int:
    """The offset after the `}}` that closes the `{{` before `position`; -1 when nothing does."""
    depth = 0
    quote = ""
    while position < len(text):
        character = text[position]
        if quote:
            position += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character == "}" and depth == 0:
            return position + 2 if text.startswith("}}", position) else -1
        elif character in ")]}":
            depth -= 1
        position += 1
    return -1


def is_marked(text: str) -> bool:
    """Whether `text` has anything to render."""
    return "{{" in text or "{%" in text or "{#" in text
