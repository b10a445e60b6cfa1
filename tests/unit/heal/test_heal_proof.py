"""What structured evidence proves: the kind, and whether anything can have happened."""

from __future__ import annotations

import pytest

from engine.heal.detect import diagnose
from engine.heal.evidence import ERRNO, EXCEPTION, EXIT, HTTP
from engine.heal.proof import untouched
from engine.model.failure import Evidence, Failure, FailureKind, Pattern


def kind_of(**evidence: object) -> FailureKind:
    """The kind this evidence alone gives."""
    return diagnose(Failure(message="", evidence=Evidence(**evidence)), []).kind  # type: ignore[arg-type]


def proven(**evidence: object) -> bool:
    """Whether this evidence alone proves that nothing happened."""
    return diagnose(Failure(message="", evidence=Evidence(**evidence)), []).untouched  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, "api_contract_mismatch"),
        (401, "auth_expired"),
        (403, "permission_denied"),
        (404, "resource_not_found"),
        (409, "conflict"),
        (422, "api_contract_mismatch"),
        (429, "rate_limited"),
        (418, "api_contract_mismatch"),
        (500, "server_error"),
        (504, "timeout"),
        (599, "server_error"),
    ],
)
def test_a_status_names_the_kind(status: int, kind: str) -> None:
    """Known statuses by the table, others by their class."""
    assert kind_of(http_status=status) == kind


def test_a_success_status_says_nothing() -> None:
    """A 200 that was judged a failure is not explained by its status."""
    assert kind_of(http_status=200) is FailureKind.UNKNOWN


@pytest.mark.parametrize(
    "evidence",
    [
        {"text": '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'},
        {"text": '{"errors":[{"code":"NAME_UNKNOWN"}]}'},
        {"details": {"code": "MANIFEST_UNKNOWN"}},
    ],
)
def test_a_registrys_code_makes_a_404_a_missing_image(evidence: dict[str, object]) -> None:
    """The registry says more than its status."""
    assert kind_of(http_status=404, **evidence) is FailureKind.IMAGE_NOT_FOUND


def test_a_403_is_never_a_login_matter() -> None:
    """Whatever the registry writes beside it, logging in cannot help."""
    assert kind_of(http_status=403, text='{"errors":[{"code":"UNAUTHORIZED"}]}') is FailureKind.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("errno", "kind"),
    [("ECONNREFUSED", "connection_refused"), ("EHOSTUNREACH", "network_unreachable"), ("EAI_NONAME", "dns_failure")],
)
def test_an_errno_names_the_kind(errno: str, kind: str) -> None:
    """Symbolic names, and all of getaddrinfo's."""
    assert kind_of(errno=errno) == kind


def test_an_exception_is_known_with_or_without_its_module() -> None:
    """`httpx.ReadTimeout` and `ReadTimeout` are one."""
    assert kind_of(exception="httpx.ReadTimeout") is kind_of(exception="ReadTimeout") is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    ("program", "status", "kind"),
    [
        ("curl", 6, "dns_failure"),
        ("/usr/bin/curl", 7, "connection_refused"),
        ("curl", 28, "timeout"),
        ("curl", 35, "tls"),
        ("curl", 60, "tls"),
        ("timeout", 124, "timeout"),
        ("pytest", 1, "test_failure"),
        ("pytest", 5, "resource_not_found"),
        ("deploy", 126, "permission_denied"),
        ("deploy", 127, "dependency_missing"),
        ("git", 128, "unknown"),
        ("ssh", 255, "unknown"),
        ("curl", 22, "unknown"),
    ],
)
def test_an_exit_status_names_the_kind_where_it_is_unambiguous(program: str, status: int, kind: str) -> None:
    """By the program's own manual; what has many causes says nothing."""
    assert kind_of(program=program, exit_status=status) == kind


@pytest.mark.parametrize(
    "evidence",
    [
        {"sent": False},
        {"sent": False, "http_status": 500},
        {"errno": "ECONNREFUSED"},
        {"errno": "EAI_AGAIN"},
        {"http_status": 401, "sent": True},
        {"http_status": 409},
        {"http_status": 429},
        {"exception": "ConnectTimeout"},
        {"program": "curl", "exit_status": 7},
    ],
)
def test_refused_unresolved_and_unauthorised_prove_that_nothing_happened(evidence: dict[str, object]) -> None:
    """After these any tool may be called again."""
    assert proven(**evidence)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"sent": True},
        {"errno": "ECONNRESET"},
        {"errno": "EPIPE"},
        {"errno": "ETIMEDOUT"},
        {"errno": "ECONNREFUSED", "sent": True},
        {"http_status": 500},
        {"http_status": 504},
        {"http_status": 408},
        {"exception": "RemoteDisconnected"},
        {"program": "curl", "exit_status": 52},
        {"program": "curl", "exit_status": 28},
    ],
)
def test_resets_time_outs_and_server_errors_prove_nothing(evidence: dict[str, object]) -> None:
    """The request may have been carried out."""
    assert not proven(**evidence)


def test_a_pattern_decides_only_where_evidence_is_silent() -> None:
    """Evidence first, then the pattern's word, then the kind."""
    reset = Evidence(errno="ECONNRESET")
    assert not untouched(reset, FailureKind.CONNECTION_REFUSED, by_pattern=True)
    assert untouched(Evidence(), FailureKind.CONNECTION_REFUSED, by_pattern=True)
    assert not untouched(Evidence(), FailureKind.AUTH_EXPIRED, by_pattern=False)
    assert untouched(Evidence(), FailureKind.AUTH_EXPIRED)
    assert not untouched(Evidence(), FailureKind.CONNECTION_REFUSED)


def test_a_reset_is_not_proof_though_it_is_called_refused() -> None:
    """The labelled texts file resets under `connection_refused`; the pattern says that it may have happened."""
    cut = Pattern(
        id="cut", expression="reset by peer", kind=FailureKind.CONNECTION_REFUSED, seen=30, right=30, untouched=False
    )
    found = diagnose(Failure(message="", evidence=Evidence(text="Connection reset by peer")), [cut])
    assert (found.kind, found.untouched) == (FailureKind.CONNECTION_REFUSED, False)


def test_no_table_names_what_only_the_engine_can_know() -> None:
    """`unexpected_result`, `raised`, `cancelled` and `unknown` never come from a table."""
    kinds = set(HTTP.values()) | {kind for table in (ERRNO, EXCEPTION, EXIT) for kind, _ in table.values()}
    engines = {FailureKind.UNEXPECTED_RESULT, FailureKind.RAISED, FailureKind.CANCELLED, FailureKind.UNKNOWN}
    assert not kinds & engines
