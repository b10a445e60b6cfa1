"""What a piece of structured evidence proves: which kind of failure, and whether anything can have happened."""

from __future__ import annotations

from engine.heal import evidence as tables
from engine.heal.evidence import words
from engine.model.failure import JOINED, Evidence, FailureKind
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one piece of evidence proves; `untouched` True: that nothing happened, None: it does not say."""

    kind: FailureKind
    untouched: bool | None
    because: str


def meaning(evidence: Evidence) -> Meaning | None:
    """What the strongest unambiguous evidence means, in the order of HEALING; None where only text is left."""
    for read in (_of_status, _of_errno, _of_exception, _of_exit):
        found = read(evidence)
        if found is not None:
            return found
    return None


def convention(evidence: Evidence) -> Meaning | None:
    """What the exit status usually means; None if it has no usual meaning."""
    kind = tables.CONVENTION.get(evidence.exit_status) if evidence.exit_status is not None else None
    if kind is None:
        return None
    return Meaning(kind=kind, untouched=None, because=f"exit status {evidence.exit_status} usually means {words(kind)}")


def untouched(evidence: Evidence, kind: FailureKind, by_pattern: bool | None = None) -> bool:
    """Whether it is proven that nothing happened: by evidence first, then by the pattern, then by the kind.

    The rule is HEALING's "a second call must be safe": refused, unresolved and unauthorised prove it; a time-out, a
    reset, an empty reply and a 5xx never do.
    """
    if JOINED in evidence.details:
        return False
    if evidence.sent is False:
        return True
    if evidence.http_status is not None:
        return evidence.http_status in tables.REFUSED_BEFORE_ACTING
    if evidence.sent is True:
        return False
    found = meaning(evidence)
    if found is not None and found.untouched is not None:
        return found.untouched
    return by_pattern if by_pattern is not None else kind in tables.UNTOUCHED_KINDS


def program_name(program: str | None) -> str:
    """The program without its folder; empty if none ran."""
    return (program or "").rsplit("/", 1)[-1]


def _of_status(evidence: Evidence) -> Meaning | None:
    status = evidence.http_status
    if status is None:
        return None
    code = _image_code(evidence)
    kind = FailureKind.IMAGE_NOT_FOUND if code else tables.HTTP.get(status) or _of_status_class(status)
    if kind is None:
        return None
    answer = f"HTTP status {status}" + (f" with the registry's code {code}" if code else "")
    return Meaning(kind=kind, untouched=status in tables.REFUSED_BEFORE_ACTING, because=f"{answer} means {words(kind)}")


def _of_status_class(status: int) -> FailureKind | None:
    """RFC 9110: a client treats an unknown status as the x00 of its class."""
    match status // 100:
        case 3:  # one that a tool follows never gets here: the API is not where the tool asked for it
            return FailureKind.API_CONTRACT_MISMATCH
        case 4:
            return FailureKind.API_CONTRACT_MISMATCH
        case 5:
            return FailureKind.SERVER_ERROR
        case _:
            return None


def _image_code(evidence: Evidence) -> str:
    """The registry's own code for a missing image beside a 404, else empty."""
    if evidence.http_status != 404:  # noqa: PLR2004 - the number is its own best name
        return ""
    declared = str(evidence.details.get("code", ""))
    return next((code for code in tables.IMAGE_CODES if code == declared or f'"{code}"' in evidence.text), "")


def _of_errno(evidence: Evidence) -> Meaning | None:
    name = evidence.errno or ""
    found = (FailureKind.DNS_FAILURE, True) if name.startswith("EAI_") else tables.ERRNO.get(name)
    if found is None:
        return None
    return Meaning(kind=found[0], untouched=found[1], because=f"the system's error {name} means {words(found[0])}")


def _of_exception(evidence: Evidence) -> Meaning | None:
    name = (evidence.exception or "").rsplit(".", 1)[-1]
    found = tables.EXCEPTION.get(name)
    if found is None:
        return None
    return Meaning(kind=found[0], untouched=found[1], because=f"the exception {name} means {words(found[0])}")


def _of_exit(evidence: Evidence) -> Meaning | None:
    if evidence.exit_status is None or not evidence.program:
        return None
    program, status = program_name(evidence.program), evidence.exit_status
    found = tables.EXIT.get((program, status)) or _of_any_exit(program, status)
    if found is None:
        return None
    return Meaning(
        kind=found[0], untouched=found[1], because=f"{program}'s exit status {status} means {words(found[0])}"
    )


def _of_any_exit(program: str, status: int) -> tuple[FailureKind, bool | None] | None:
    """POSIX: 126 is found but not executable, 127 not found, whoever passes it on."""
    match status:
        case 126:
            return (FailureKind.PERMISSION_DENIED, None)
        case 127 if program not in tables.SHELLS:
            return (FailureKind.DEPENDENCY_MISSING, None)
        case _:
            return None
