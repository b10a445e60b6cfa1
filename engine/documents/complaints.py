"""What the YAML parser complains of, said so that an author knows what to change."""

from __future__ import annotations

from yaml.error import MarkedYAMLError

from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A sentence and the way out; `line` and `column` (from 0) where a better place than the parser's is known."""

    message: str
    hint: str = ""
    line: int | None = None
    column: int | None = None


_QUOTE = "put the whole value in quotes"
_SENTENCES = (
    ("mapping values are not allowed", "a colon followed by a space stands inside a value", _QUOTE),
    ("mapping keys are not allowed", "a question mark followed by a space stands inside a value", _QUOTE),
    ("block sequence entries are not allowed", "a list item cannot begin here", "put it on a line of its own"),
    ("sequence entries are not allowed", "a list item cannot begin here", "put it on a line of its own"),
    ("could not find expected ':'", "this line is neither `key: value` nor a list item", "is a colon missing?"),
    ("unexpected end of stream", "a quote is opened here and never closed", "close it with the same quote"),
    ("unknown escape character", "this backslash escape does not exist", "write two backslashes, or use single quotes"),
    ("hexdecimal number", "this escape needs hexadecimal digits", "write two backslashes, or use single quotes"),
    ("hexadecimal numbers", "this escape needs hexadecimal digits", "write two backslashes, or use single quotes"),
    ("expected comment or line break", "only an indentation digit and `+` or `-` may follow `|` or `>`", ""),
    ("expected a comment or a line break", "only an indentation digit and `+` or `-` may follow `|` or `>`", ""),
    ("node content", "a value is missing before this character", "or put the whole value in quotes"),
    ("directive", "lines beginning with % are not used here", "remove it"),
    ("incompatible", "this file asks for another version of YAML", "remove the %YAML line"),
    ("tag", "tags (`!name`) are not used here", "remove it, or put the text in quotes"),
)
_TAB = Complaint(message="a tab stands where YAML wants spaces", hint="indent with spaces")
BRACES = Complaint(message="a value that begins with `{{` needs quotes", hint='write key: "{{ expression }}"')


def explain(error: MarkedYAMLError, text: str, line: int, column: int) -> Complaint:
    """The parser's complaint at this line and column (from 0) in our words, at the place an author should look."""
    problem, context = str(error.problem or ""), str(error.context or "")
    written = _line(text, line)
    if "tab character" in problem or written[column : column + 1] == "\t":
        return _TAB
    if "cannot start any token" in problem:
        return Complaint(message=f"a value cannot begin with {written[column : column + 1]!r}", hint=_QUOTE)
    if context.startswith("while parsing a flow") and "node content" not in problem:
        return _unclosed(error, context)
    for key, sentence, hint in _SENTENCES:
        if key in problem:
            return _at_context(Complaint(message=sentence, hint=hint), error, only="stream" in key or "':'" in key)
    return _structure(problem, context, written, column)


def _structure(problem: str, context: str, written: str, column: int) -> Complaint:
    before = written[:column]
    if "{{" in before and "}}" in before:
        return Complaint(message=BRACES.message, hint=BRACES.hint, line=None, column=before.index("{{"))
    if before.rstrip()[-1:] in {"'", '"', "]", "}"}:
        return Complaint(message="text follows a value that has already ended", hint="quote the whole value once")
    if "alias" in context or "anchor" in context:
        return Complaint(message="`*` and `&` need a name right after them", hint="put the text in quotes")
    if "block" in context and "node content" not in problem:
        return Complaint(
            message="this line does not belong to what stands above it",
            hint="begin it in the same column as its neighbours, and do not mix keys with list items",
        )
    if "document start" in problem:
        return Complaint(message="nothing may follow here: the document has ended")
    return Complaint(message=f"this is not YAML: {problem}")


def _unclosed(error: MarkedYAMLError, context: str) -> Complaint:
    opened, closing = ("[", "]") if "sequence" in context else ("{", "}")
    mark = error.context_mark
    where = f" opened on line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return Complaint(message=f"the `{opened}`{where} needs `,` or `{closing}` here", hint="or put the text in quotes")


def _at_context(complaint: Complaint, error: MarkedYAMLError, *, only: bool) -> Complaint:
    mark = error.context_mark
    if not only or mark is None:
        return complaint
    return Complaint(message=complaint.message, hint=complaint.hint, line=mark.line, column=mark.column)


def _line(text: str, line: int) -> str:
    lines = text.split("\n")
    return lines[line] if line < len(lines) else ""
