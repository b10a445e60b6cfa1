"""What differs between two sightings of one error is levelled, and what tells errors apart stays."""

from __future__ import annotations

import pytest

from engine.improve.normalise import normalised, telling_line


@pytest.mark.parametrize(
    ("line", "levelled"),
    [
        ("lease 8f3a2c1d of /var/run/x.lock expired at 12:03:04", "lease <hash> of <path> expired at <time>"),
        ("2026-11-20T12:00:00.123Z ERROR no", "<time> ERROR no"),
        ("[2026-11-20 12:00:00,123] no", "[<time>] no"),
        ("Fri, 20 Nov 2026 said so after 1m30.5s", "<time> said so after <time>"),
        ("pod/web-7d9f8b6c5-x2x4z in ephemeral-4f2a9c", "pod/<id> in <id>"),
        ("id 123e4567-e89b-12d3-a456-426614174000 gone", "id <id> gone"),
        ("sha256:9f86d081884c7d659a2feaa0c55ad015 is unknown", "<hash> is unknown"),
        ("dial tcp 10.0.0.1:8443: no", "dial tcp <address>: no"),
        ("dial [fe80::1]:8443 no", "dial <address> no"),
        ("mail ann@example.com bounced", "mail <address> bounced"),
        ("GET https://forge.example/a/b?c=1 failed", "GET https://forge.example<path> failed"),
        ("src/a/b.py:12:5: no", "<path>:<n>:<n>: no"),
        (r"C:\Users\ann\x.txt is locked", "<path> is locked"),
        ("1,024 of 2048 bytes at 0xdeadbeef", "<n> of <n> bytes at <n>"),
    ],
)
def test_what_differs_is_levelled(line: str, levelled: str) -> None:
    """Times, ids, hashes, addresses, paths and numbers."""
    assert normalised(line) == levelled


@pytest.mark.parametrize(
    "line",
    [
        "HTTP/1.1 503 Service Unavailable",
        "request failed with status 401",
        "ended with exit status 128",
        "x509: certificate signed by unknown authority",
        "npm ERR! code E401",
        "ENOENT and utf-8 and sha256 and x86_64",
        "token: expired",
    ],
)
def test_what_tells_errors_apart_stays(line: str) -> None:
    """Status codes and names with digits are the error itself."""
    assert normalised(line) == line


@pytest.mark.parametrize(
    ("line", "levelled"),
    [
        ("password=hunter2", "password=<secret>"),
        ('"api_key": "abc123def456"', '"api_key": <secret>'),
        ("https://ann:gate@forge.example/x is gone", "https://<secret>@forge.example<path> is gone"),
        ("Authorization: Bearer abc.def.123456", "Authorization: Bearer <secret>"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "<secret>"),
        ("glpat-abcdefgh1234 was refused", "<secret> was refused"),
        ("the ••• is wrong", "the <secret> is wrong"),
    ],
)
def test_what_looks_like_a_credential_goes(line: str, levelled: str) -> None:
    """Whether or not the engine was told that it is one."""
    assert normalised(line) == levelled


def test_the_telling_line_is_the_one_with_the_error() -> None:
    """Not the greeting before it, nor the advice after it; of a traceback, its end."""
    assert telling_line("Cloning\nfatal: no such branch\nhint: push it") == "fatal: no such branch"
    assert telling_line("Traceback (most recent call last):\n  raise X\nValueError: no") == "ValueError: no"
    assert telling_line("one\ntwo\n\n") == "two"
    assert telling_line("\x1b[31merror:\x1b[0m red") == "error: red"
    assert telling_line("") == ""
