"""What a failure means: evidence before words, and never more certainty than there is."""

from __future__ import annotations

import pytest

from engine.heal.detect import LONGEST_LINE, WINDOW, diagnose, matching, normalise, told_line
from engine.model.failure import Basis, Evidence, Failure, FailureKind, Pattern
from engine.model.tally import lower_bound

LOGIN = Pattern(
    id="login", expression=r"^login failed$", kind=FailureKind.AUTH_EXPIRED, seen=50, right=50, untouched=True
)
RARE = Pattern(id="rare", expression=r"^login failed", kind=FailureKind.CONFLICT, seen=3, right=3)
GIT = Pattern(id="git", expression=r"^login failed$", kind=FailureKind.TLS, program="git", seen=99, right=99)


def failed(message: str = "", *, kind: FailureKind = FailureKind.UNKNOWN, **evidence: object) -> Failure:
    """A failure with this evidence."""
    return Failure(message=message, kind=kind, evidence=Evidence(**evidence))  # type: ignore[arg-type]


def test_what_the_engine_saw_comes_before_everything() -> None:
    """A deadline of our own is a time-out, whatever the tool said before it was stopped."""
    found = diagnose(failed(kind=FailureKind.TIMEOUT, http_status=401, text="login failed"), [LOGIN])
    assert (found.kind, found.basis, found.confidence) == (FailureKind.TIMEOUT, Basis.DEFINITION, 1.0)


def test_the_tools_own_word_comes_before_a_status() -> None:
    """A tool knows better than its HTTP status what went wrong."""
    found = diagnose(failed(declared="image_not_found", http_status=404), [])
    assert (found.kind, found.basis) == (FailureKind.IMAGE_NOT_FOUND, Basis.DECLARED)


@pytest.mark.parametrize("declared", ["no such kind", "unknown", ""])
def test_a_word_that_names_no_kind_is_passed_over(declared: str) -> None:
    """What the tool declared counts only if it is on the closed list."""
    assert diagnose(failed(declared=declared, http_status=404), []).kind is FailureKind.RESOURCE_NOT_FOUND


def test_a_status_comes_before_errno_exception_exit_and_words() -> None:
    """The strongest structured evidence decides alone."""
    found = diagnose(
        failed(http_status=403, errno="ECONNREFUSED", exception="TimeoutError", text="login failed"), [LOGIN]
    )
    assert (found.kind, found.basis, found.confidence) == (FailureKind.PERMISSION_DENIED, Basis.DEFINITION, 1.0)


@pytest.mark.parametrize(("program", "status"), [("curl", 22), ("git", 128), ("ssh", 255), ("psql", 2), ("bash", 127)])
def test_an_ambiguous_exit_status_leaves_it_to_the_words(program: str, status: int) -> None:
    """Some exit statuses have many causes; then the text is read."""
    found = diagnose(failed(program=program, exit_status=status, text="login failed"), [LOGIN])
    assert (found.kind, found.basis) == (FailureKind.AUTH_EXPIRED, Basis.PATTERN)


def test_words_are_as_sure_as_their_counts() -> None:
    """A pattern's confidence is the lower bound of how often it was right."""
    assert diagnose(failed(text="login failed"), [LOGIN]).confidence == lower_bound(50, 50)


def test_the_most_confident_pattern_wins() -> None:
    """Order in the file decides only between equals."""
    assert diagnose(failed(text="login failed"), [RARE, LOGIN]).pattern is LOGIN
    twin = Pattern(id="twin", expression="^login", kind=FailureKind.TLS, seen=50, right=50)
    assert diagnose(failed(text="login failed"), [twin, LOGIN]).pattern is twin


@pytest.mark.parametrize(("program", "kind"), [("git", "tls"), ("/usr/bin/git", "tls"), ("curl", "auth_expired")])
def test_a_pattern_for_a_program_is_for_that_program_only(program: str, kind: str) -> None:
    """What git says means nothing from another mouth."""
    assert diagnose(failed(text="login failed", program=program), [LOGIN, GIT]).kind == kind


def test_the_message_is_read_where_nothing_else_was_said() -> None:
    """An exception often leaves nothing but its message."""
    assert diagnose(failed("login failed"), [LOGIN]).kind is FailureKind.AUTH_EXPIRED


def test_a_pattern_that_is_no_expression_is_passed_over() -> None:
    """A mangled row of memory does not stop the diagnosis."""
    mangled = Pattern(id="mangled", expression="([", kind=FailureKind.TLS, seen=99, right=99)
    assert diagnose(failed(text="login failed"), [mangled, LOGIN]).pattern is LOGIN


def test_silence_is_unknown() -> None:
    """A failure that says nothing has no kind and no confidence."""
    found = diagnose(failed(exit_status=1, program="make"), [LOGIN])
    assert (found.kind, found.basis, found.confidence) == (FailureKind.UNKNOWN, Basis.NONE, 0.0)


def test_a_customary_exit_status_is_only_a_suspicion() -> None:
    """Being killed usually means no memory, but nothing proves it."""
    found = diagnose(failed(exit_status=137, program="worker"), [])
    assert (found.kind, found.basis) == (FailureKind.OOM, Basis.NONE)
    assert found.confidence < 0.85


def test_colours_and_progress_bars_are_looked_through() -> None:
    """Escape sequences and carriage returns do not hide what was said."""
    text = "\x1b]0;title\x07 10 %\r 90 %\r\x1b[1;31mlogin failed\x1b[0m\r\n"
    assert diagnose(failed(text=text), [LOGIN]).kind is FailureKind.AUTH_EXPIRED


def test_only_head_and_tail_are_read() -> None:
    """What stands in the middle of a long text is not looked at; what stands at either end is."""
    filler = "\n".join("x" * 99 for _ in range(200))
    assert matching(f"login failed\n{filler}", None, [LOGIN]) == (LOGIN,)
    assert matching(f"{filler}\nlogin failed", None, [LOGIN]) == (LOGIN,)
    assert matching(f"{filler}\nlogin failed\n{filler}", None, [LOGIN]) == ()
    assert len(normalise(filler)) <= 2 * WINDOW + 1


def test_endless_lines_are_shortened() -> None:
    """No line is longer than the limit, and its end is kept."""
    line = normalise("a" * 3000 + "end")
    assert (len(line), line[-3:]) == (LONGEST_LINE, "end")


def test_the_telling_line_is_quoted() -> None:
    """The sentence names what was said and by which pattern it was read."""
    text = "one\n  login failed\nthree"
    loose = Pattern(id="loose", expression=r"login failed", kind=FailureKind.AUTH_EXPIRED, seen=4, right=3)
    found = diagnose(failed(text=text), [loose])
    assert told_line(text, loose) == "login failed"
    assert found.because == 'It said "login failed", which pattern loose reads as auth expired (right 3 of 4 times).'
