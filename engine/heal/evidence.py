"""What structured evidence means: tables of protocol definitions, one per kind of evidence.

Sources: HTTP is RFC 9110 and RFC 6585, read with the labels of `tests/data/failures_train.jsonl` (400, 415 and 422 are
labelled `api_contract_mismatch`, 504 `timeout`); registry codes are those of the OCI distribution specification; errno
is POSIX; exit statuses are each program's manual page. Only what is unambiguous stands here: curl's 22 (any HTTP
status of 400 and above), 5, 23, 26, 37 and 56, git's 128, ssh's 255, psql's 2 and the 1 of everything say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.failure import FailureKind

Kind = FailureKind


HTTP: Mapping[int, FailureKind] = {
    400: Kind.API_CONTRACT_MISMATCH,
    401: Kind.AUTH_EXPIRED,
    403: Kind.PERMISSION_DENIED,
    404: Kind.RESOURCE_NOT_FOUND,
    405: Kind.API_CONTRACT_MISMATCH,
    406: Kind.API_CONTRACT_MISMATCH,
    407: Kind.CONFIGURATION_ERROR,
    408: Kind.TIMEOUT,
    409: Kind.CONFLICT,
    410: Kind.RESOURCE_NOT_FOUND,
    411: Kind.API_CONTRACT_MISMATCH,
    412: Kind.CONFLICT,
    413: Kind.API_CONTRACT_MISMATCH,
    414: Kind.API_CONTRACT_MISMATCH,
    415: Kind.API_CONTRACT_MISMATCH,
    422: Kind.API_CONTRACT_MISMATCH,
    423: Kind.CONFLICT,
    429: Kind.RATE_LIMITED,
    451: Kind.PERMISSION_DENIED,
    500: Kind.SERVER_ERROR,
    501: Kind.API_CONTRACT_MISMATCH,
    502: Kind.SERVER_ERROR,
    503: Kind.SERVER_ERROR,
    504: Kind.TIMEOUT,
    507: Kind.RESOURCE_EXHAUSTED,
}
"""407 is not `auth_expired`: a proxy's credentials are not those of the tool's domain, so logging in cannot help."""

REFUSED_BEFORE_ACTING = frozenset(
    {400, 401, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 422, 423, 429, 451}
)
"""Answers by which a server says that it did not act on the request; 408 and 5xx do not say so."""

IMAGE_CODES = ("MANIFEST_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN")
"""Error codes of the OCI distribution specification that make a 404 an image which is not there."""

ERRNO: Mapping[str, tuple[FailureKind, bool | None]] = {
    "ECONNREFUSED": (Kind.CONNECTION_REFUSED, True),
    "ECONNRESET": (Kind.CONNECTION_REFUSED, False),
    "ECONNABORTED": (Kind.CONNECTION_REFUSED, False),
    "ENETRESET": (Kind.CONNECTION_REFUSED, False),
    "EPIPE": (Kind.CONNECTION_REFUSED, False),
    # On an established connection Linux reports these two only after its retransmission limit (15 minutes), so within
    # a tool's time-out they are the answer to `connect`.
    "EHOSTUNREACH": (Kind.NETWORK_UNREACHABLE, True),
    "ENETUNREACH": (Kind.NETWORK_UNREACHABLE, True),
    "EHOSTDOWN": (Kind.NETWORK_UNREACHABLE, True),
    "ENETDOWN": (Kind.NETWORK_UNREACHABLE, True),
    "ETIMEDOUT": (Kind.TIMEOUT, False),
    "ENOTFOUND": (Kind.DNS_FAILURE, True),
    "EACCES": (Kind.PERMISSION_DENIED, None),
    "EPERM": (Kind.PERMISSION_DENIED, None),
    "EROFS": (Kind.PERMISSION_DENIED, None),
    "ENOENT": (Kind.RESOURCE_NOT_FOUND, None),
    "ESRCH": (Kind.RESOURCE_NOT_FOUND, None),
    "EEXIST": (Kind.CONFLICT, None),
    "ENOTEMPTY": (Kind.CONFLICT, None),
    "EADDRINUSE": (Kind.CONFLICT, None),
    "EBUSY": (Kind.CONFLICT, None),
    "ETXTBSY": (Kind.CONFLICT, None),
    "ENOSPC": (Kind.RESOURCE_EXHAUSTED, None),
    "EDQUOT": (Kind.RESOURCE_EXHAUSTED, None),
    "EFBIG": (Kind.RESOURCE_EXHAUSTED, None),
    "EMFILE": (Kind.RESOURCE_EXHAUSTED, None),
    "ENFILE": (Kind.RESOURCE_EXHAUSTED, None),
    "ENOMEM": (Kind.OOM, None),
    "ENOTTY": (Kind.TTY_REQUIRED, None),
    "E2BIG": (Kind.USAGE_ERROR, None),
    "EISDIR": (Kind.USAGE_ERROR, None),
    "ENAMETOOLONG": (Kind.USAGE_ERROR, None),
}

EXCEPTION: Mapping[str, tuple[FailureKind, bool | None]] = {
    "ConnectionRefusedError": (Kind.CONNECTION_REFUSED, True),
    "ConnectionResetError": (Kind.CONNECTION_REFUSED, False),
    "ConnectionAbortedError": (Kind.CONNECTION_REFUSED, False),
    "BrokenPipeError": (Kind.CONNECTION_REFUSED, False),
    "RemoteDisconnected": (Kind.CONNECTION_REFUSED, False),
    "RemoteProtocolError": (Kind.CONNECTION_REFUSED, False),
    "ReadError": (Kind.CONNECTION_REFUSED, False),
    "WriteError": (Kind.CONNECTION_REFUSED, False),
    "gaierror": (Kind.DNS_FAILURE, True),
    "ConnectTimeout": (Kind.TIMEOUT, True),
    "ConnectTimeoutError": (Kind.TIMEOUT, True),
    "PoolTimeout": (Kind.TIMEOUT, True),
    "ReadTimeout": (Kind.TIMEOUT, False),
    "ReadTimeoutError": (Kind.TIMEOUT, False),
    "WriteTimeout": (Kind.TIMEOUT, False),
    "TimeoutError": (Kind.TIMEOUT, False),
    "TimeoutExpired": (Kind.TIMEOUT, False),
    "SSLCertVerificationError": (Kind.TLS, True),
    "SSLError": (Kind.TLS, None),
    "PermissionError": (Kind.PERMISSION_DENIED, None),
    "FileNotFoundError": (Kind.RESOURCE_NOT_FOUND, None),
    "FileExistsError": (Kind.CONFLICT, None),
    "MemoryError": (Kind.OOM, None),
    "ModuleNotFoundError": (Kind.DEPENDENCY_MISSING, None),
    "ImportError": (Kind.IMPORT_ERROR, None),
    "SyntaxError": (Kind.SYNTAX_ERROR, None),
    "IndentationError": (Kind.SYNTAX_ERROR, None),
    "TabError": (Kind.SYNTAX_ERROR, None),
    "JSONDecodeError": (Kind.API_CONTRACT_MISMATCH, None),
    "UnicodeDecodeError": (Kind.API_CONTRACT_MISMATCH, None),
    "AssertionError": (Kind.CODE_ERROR, None),
    "AttributeError": (Kind.CODE_ERROR, None),
    "IndexError": (Kind.CODE_ERROR, None),
    "NameError": (Kind.CODE_ERROR, None),
    "NotImplementedError": (Kind.CODE_ERROR, None),
    "RecursionError": (Kind.CODE_ERROR, None),
    "TypeError": (Kind.CODE_ERROR, None),
    "UnboundLocalError": (Kind.CODE_ERROR, None),
    "ZeroDivisionError": (Kind.CODE_ERROR, None),
}
"""By class name without its module. `KeyError`, `ValueError`, `OSError` and httpx' `ConnectError` are ambiguous."""

EXIT: Mapping[tuple[str, int], tuple[FailureKind, bool | None]] = {
    ("curl", 1): (Kind.USAGE_ERROR, True),
    ("curl", 2): (Kind.USAGE_ERROR, True),
    ("curl", 3): (Kind.USAGE_ERROR, True),
    ("curl", 6): (Kind.DNS_FAILURE, True),
    # curl says the same for refused and for no route; both kinds prove as much and have one fix, so one name does.
    ("curl", 7): (Kind.CONNECTION_REFUSED, True),
    ("curl", 18): (Kind.CONNECTION_REFUSED, False),
    ("curl", 27): (Kind.OOM, None),
    ("curl", 28): (Kind.TIMEOUT, False),
    ("curl", 35): (Kind.TLS, True),
    ("curl", 51): (Kind.TLS, True),
    ("curl", 52): (Kind.CONNECTION_REFUSED, False),
    ("curl", 58): (Kind.TLS, True),
    ("curl", 59): (Kind.TLS, True),
    ("curl", 60): (Kind.TLS, True),
    ("curl", 67): (Kind.AUTH_EXPIRED, True),
    ("curl", 77): (Kind.TLS, True),
    ("curl", 83): (Kind.TLS, True),
    ("wget", 2): (Kind.USAGE_ERROR, True),
    ("wget", 5): (Kind.TLS, True),
    ("wget", 6): (Kind.AUTH_EXPIRED, True),
    ("timeout", 124): (Kind.TIMEOUT, False),
    ("timeout", 125): (Kind.USAGE_ERROR, True),
    ("git", 129): (Kind.USAGE_ERROR, True),
    ("pytest", 1): (Kind.TEST_FAILURE, False),
    ("pytest", 3): (Kind.CODE_ERROR, False),
    ("pytest", 5): (Kind.RESOURCE_NOT_FOUND, None),
    ("node", 9): (Kind.USAGE_ERROR, True),
    ("node", 13): (Kind.CODE_ERROR, False),
    ("tar", 64): (Kind.USAGE_ERROR, True),
    ("jq", 3): (Kind.SYNTAX_ERROR, True),
    ("aws", 252): (Kind.USAGE_ERROR, True),
    ("rsync", 1): (Kind.USAGE_ERROR, True),
    ("rsync", 22): (Kind.OOM, False),
    ("rsync", 30): (Kind.TIMEOUT, False),
    ("rsync", 35): (Kind.TIMEOUT, True),
}
"""By program and exit status. pytest's 2 and 4 have many causes (a collection error, a missing file): text decides."""

SHELLS = frozenset({"bash", "sh", "dash", "ksh", "zsh"})
"""Their 127 is also an unset variable under `set -u` (3 of 15 labelled texts), so it says nothing by itself."""

CONVENTION: Mapping[int, FailureKind] = {
    127: Kind.DEPENDENCY_MISSING,
    137: Kind.OOM,
    -9: Kind.OOM,
    139: Kind.CODE_ERROR,
    -11: Kind.CODE_ERROR,
    134: Kind.CODE_ERROR,
    -6: Kind.CODE_ERROR,
}
"""What an exit status usually means, where no text says more: a habit of shells and kernels, not a definition."""

CONVENTION_CONFIDENCE = 0.5
"""A convention has no counts behind it; one half keeps it below every threshold at which something acts."""

UNTOUCHED_KINDS = frozenset(
    {
        Kind.AUTH_EXPIRED,
        Kind.DNS_FAILURE,
        Kind.NETWORK_UNREACHABLE,
        Kind.TLS,
        Kind.USAGE_ERROR,
        Kind.DEPENDENCY_MISSING,
        Kind.TTY_REQUIRED,
    }
)
"""Kinds that stop a call before it acts; not `connection_refused`, which in the labelled texts includes resets."""


def words(kind: FailureKind) -> str:
    """The kind as words in a sentence: `auth_expired` reads `auth expired`."""
    return kind.value.replace("_", " ")
