"""What a failed call left behind, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from engine.model.lazy_dataclass import dataclass


class FailureKind(StrEnum):
    """The closed list of what a failure can be; the same names label `tests/data/failures_train.jsonl`."""

    AUTH_EXPIRED = "auth_expired"
    PERMISSION_DENIED = "permission_denied"
    NETWORK_UNREACHABLE = "network_unreachable"
    DNS_FAILURE = "dns_failure"
    CONNECTION_REFUSED = "connection_refused"
    TIMEOUT = "timeout"
    TLS = "tls"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    IMAGE_NOT_FOUND = "image_not_found"
    RESOURCE_NOT_FOUND = "resource_not_found"
    CONFLICT = "conflict"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    OOM = "oom"
    TTY_REQUIRED = "tty_required"
    USAGE_ERROR = "usage_error"
    CONFIGURATION_ERROR = "configuration_error"
    SYNTAX_ERROR = "syntax_error"
    DEPENDENCY_MISSING = "dependency_missing"
    IMPORT_ERROR = "import_error"
    ENVIRONMENT_VARIABLE = "environment_variable"
    API_CONTRACT_MISMATCH = "api_contract_mismatch"
    TEST_FAILURE = "test_failure"
    CODE_ERROR = "code_error"
    UNEXPECTED_RESULT = "unexpected_result"
    RAISED = "raised"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


JOINED = "in_a_group"
"""The detail that says that an exception came out of a group of tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a failed call left behind, strongest first; None where there is none.

    `declared` is the kind the tool itself named; `errno` a symbolic name (`ECONNREFUSED`); `program` the
    command that ran; `text` what it said, at most 8 kB; `sent` False when it is proven that the request never
    left this machine; `retry_after` in seconds.
    """

    declared: str | None = None
    http_status: int | None = None
    exit_status: int | None = None
    errno: str | None = None
    exception: str | None = None
    program: str | None = None
    text: str = ""
    sent: bool | None = None
    retry_after: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed call as data; `kind` is `unknown` until it is diagnosed."""

    message: str
    tool: str = ""
    kind: FailureKind = FailureKind.UNKNOWN
    evidence: Evidence = field(default_factory=Evidence)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class Basis(StrEnum):
    """On what a diagnosis stands: the tool's own word, a protocol's definition, a text pattern, or nothing."""

    DECLARED = "declared"
    DEFINITION = "definition"
    PATTERN = "pattern"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One row of `memory/learned/patterns.yaml`.

    `expression` is a regular expression matched line by line, `program` narrows it to one command, `fix` names
    a role of the failed call's domain (`login`, `connect`) or a registered fix. `seen` and `right` count the
    labelled texts and outcomes on which it spoke, and spoke truly. `untouched` True means that the failure
    proves nothing happened, False that it may have; None leaves it to the kind. One of its `words`, where there are
    any, stands in every text on which it speaks, in whatever case.
    """

    id: str
    expression: str
    kind: FailureKind
    meaning: str = ""
    program: str | None = None
    fix: str | None = None
    fix_args: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    seen: int = 0
    right: int = 0
    untouched: bool | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What a failure means.

    `confidence` is 0 to 1: a one-sided 95 % lower bound where the basis is a pattern, 1.0 where the kind follows
    from a protocol's definition or the tool's own word. `untouched` True: it is proven that nothing happened.
    """

    kind: FailureKind
    confidence: float
    basis: Basis
    because: str
    untouched: bool
    pattern: Pattern | None = None
