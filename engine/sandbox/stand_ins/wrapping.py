"""Stands in for `textwrap`: dedent, indent, wrap, fill and shorten, without their rarer options."""


def dedent(text: str) -> str:
    """A text without the space that all its lines begin with."""
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    margin = _common([line[: len(line) - len(line.lstrip(" \t"))] for line in filled])
    return "\n".join([line[len(margin) :] if line.strip() else "" for line in lines])


def _common(starts: list[str]) -> str:
    common = starts[0] if starts else ""
    for start in starts:
        while not start.startswith(common):
            common = common[:-1]
    return common


def indent(text: str, prefix: str) -> str:
    """A text with `prefix` before every line that is not blank."""
    return "".join([prefix + line if line.strip() else line for line in text.splitlines(True)])


def wrap(text: str, width: int = 70, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """A text as lines of at most `width` characters, broken at spaces, and inside words that are longer."""
    lines: list[str] = []
    line = initial_indent
    empty = True
    for whole in text.split():
        word = whole
        if not empty and len(line) + 1 + len(word) <= width:
            line = line + " " + word
            continue
        if not empty:
            lines.append(line)
            line = subsequent_indent
        while len(line) + len(word) > width:
            room = max(width - len(line), 1)
            lines.append(line + word[:room])
            word = word[room:]
            line = subsequent_indent
        line = line + word
        empty = False
    return lines if empty else [*lines, line]


def fill(text: str, width: int = 70, initial_indent: str = "", subsequent_indent: str = "") -> str:
    """As `wrap`, as one text."""
    return "\n".join(wrap(text, width, initial_indent, subsequent_indent))


def shorten(text: str, width: int, placeholder: str = " [...]") -> str:
    """A text on one line of at most `width` characters, `placeholder` where words were left out."""
    words = text.split()
    whole = " ".join(words)
    if len(whole) <= width:
        return whole
    while words and len(" ".join(words) + placeholder) > width:
        words.pop()
    return " ".join(words) + placeholder if words else placeholder.strip()
