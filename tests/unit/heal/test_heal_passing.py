"""What a text mentions in passing neither logs in nor connects."""

from __future__ import annotations

import pytest

from engine.heal.passing import decisive
from engine.model.failure import FailureKind
from tests.unit.heal.shipped import read_as

TRACEBACK = 'Traceback (most recent call last):\n  File "job.py", line 7, in <module>\n    run()\n'
ACTING = {
    FailureKind.AUTH_EXPIRED,
    FailureKind.NETWORK_UNREACHABLE,
    FailureKind.DNS_FAILURE,
    FailureKind.CONNECTION_REFUSED,
}


@pytest.mark.parametrize(
    "text",
    [
        f"ERROR peer 3: Connection refused (attempt 1 of 5)\n{TRACEBACK}IndexError: list index out of range\n",
        "2026-11-21 17:56:37 INFO shop GET /v1/items answered 401 Unauthorized\nshop: nothing to do\n",
        '127.0.0.1 - - [21/Nov/2026 17:53:07] code 401, message Unauthorized\nshop: bad price "12,50"\n',
        "WARNING HTTP 401 Unauthorized, token refreshed, going on\nshop: no such currency\n",
        "not ok 1 says why\n# getaddrinfo ENOTFOUND db\n",
        "E  ConnectionRefusedError: [Errno 111] Connection refused\n=== 1 failed, 2 passed in 0.12s ===\n",
        "connect ECONNREFUSED 127.0.0.1:80, reconnected\nTypeError: items is not iterable\n    at b (a.js:1:9)\n",
        "ErrorWithReasonCode: Connection refused: Identifier rejected\n",
        "payment gateway answered HTTP 502 Bad Gateway (upstream: connect failed: Connection refused)\n",
    ],
)
def test_what_is_mentioned_in_passing_makes_nothing_act(text: str) -> None:
    """A retry that worked, a log, a failed test, the server's own trouble: no login and no connect can help."""
    assert read_as(text).kind not in ACTING


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"{TRACEBACK}ConnectionRefusedError: [Errno 111] Connection refused\n", FailureKind.CONNECTION_REFUSED),
        (
            f"{TRACEBACK}KeyError: 'a'\n\nDuring handling:\n\n{TRACEBACK}urllib.error.HTTPError: HTTP Error 401: x\n",
            FailureKind.AUTH_EXPIRED,
        ),
        (
            "TypeError: fetch failed\n    at node:internal\n  [cause]: Error: connect ECONNREFUSED 127.0.0.1:80\n",
            FailureKind.CONNECTION_REFUSED,
        ),
    ],
)
def test_what_ended_the_program_is_read(text: str, kind: FailureKind) -> None:
    """The exception that came last, and its cause, still count."""
    assert read_as(text).kind is kind


def test_a_text_without_such_lines_is_left_alone() -> None:
    """Nothing is taken from a text that only says what went wrong."""
    assert decisive("ssh: connect to host 10.0.0.1 port 22: No route to host\n") == (
        "ssh: connect to host 10.0.0.1 port 22: No route to host\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"data": {"log": "GET /health 401 Unauthorized", "level": "warn"}}',
        '{"status":"success","data":{"result":[{"values":[["1","upstream answered 401 Unauthorized"]]}]}}',
        '[{"title": "fix: 401 Unauthorized after time-out", "state": "opened"}]',
        '{"items": [\n  {"message": "dial tcp 10.0.0.9:6443: connect: connection refused"}\n]}\nshop: nothing to do\n',
        '{"level": "info", "msg": "HTTP 401 Unauthorized, asking again"}\nshop: nothing to do\n',
        '{"ok": true, "messages": [{"text": "error: 401 Unauthorized"}], "last": "error: 401 Unauthorized"}',
    ],
)
def test_data_that_json_hands_on_makes_nothing_act(text: str) -> None:
    """Lines of logs, titles of changes, events: what somebody else was refused is no failure of this call."""
    assert read_as(text).kind is FailureKind.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        '{"message":"401 Unauthorized"}',
        '{"error": {"code": 401, "message": "Request had invalid credentials", "status": "UNAUTHENTICATED"}}',
        '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}],"data":null} HTTP 401 Unauthorized',
        '[{"message": "401 Unauthorized"}]',
        'before\n{"status": 401, "title": "Unauthorized", "detail": "401 Unauthorized"}\nafter\n',
        '{"data": "cut off in the middle, error: 401 Unauthorized',
    ],
)
def test_an_error_in_json_speaks_for_the_call(text: str) -> None:
    """What an answer says of itself counts, and so does what is no whole document."""
    assert read_as(text).kind is FailureKind.AUTH_EXPIRED
