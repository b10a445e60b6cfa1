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
    pieces = _pieces(text)
    lines: list[str] = []
    while pieces:
        start = subsequent_indent if lines else initial_indent
        if lines and pieces[0].isspace():
            pieces = pieces[1:]
            continue
        taken = _fitting(pieces, width - len(start))
        pieces = pieces[len(taken) :]
        room = width - len(start) - len("".join(taken))
        if pieces and len(pieces[0]) > width - len(start):
            room = max(room, 0 if taken else 1)
            taken = [*taken, pieces[0][:room]]
            pieces = [pieces[0][room:], *pieces[1:]]
        line = "".join(taken[:-1] if taken and taken[-1].isspace() else taken)
        if line:
            lines.append(start + line)
    return lines


def _pieces(text: str) -> list[str]:
    """The words of a text and the gaps between them, every gap made of spaces."""
    pieces: list[str] = []
    for letter in text.expandtabs():
        put = " " if letter.isspace() else letter
        if pieces and pieces[-1].isspace() == put.isspace():
            pieces[-1] = pieces[-1] + put
        else:
            pieces.append(put)
    return pieces


def _fitting(pieces: list[str], room: int) -> list[str]:
    taken: list[str] = []
    length = 0
    for piece in pieces:
        length = length + len(piece)
        if length > room:
            break
        taken.append(piece)
    return taken


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
