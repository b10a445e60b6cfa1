"""Which root causes a kind of failure may have, in the order in which they are looked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from engine.heal.causes import (
    branch,
    image_not_built,
    no_terminal,
    not_there,
    permission,
    registry_login,
    short_sha,
    token,
    unreachable,
)
from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks
from engine.model.failure import FailureKind
from engine.model.remediation import RootCause

Find = Callable[[Case, Looks], Awaitable[RootCause | None]]
"""Finds one root cause; None when it is not that."""

CAUSES: Mapping[FailureKind, tuple[Find, ...]] = {
    FailureKind.AUTH_EXPIRED: (registry_login.find, token.find),
    FailureKind.PERMISSION_DENIED: (permission.find,),
    FailureKind.NETWORK_UNREACHABLE: (unreachable.find,),
    FailureKind.DNS_FAILURE: (unreachable.find,),
    FailureKind.CONNECTION_REFUSED: (unreachable.find,),
    FailureKind.TIMEOUT: (unreachable.find,),
    FailureKind.TTY_REQUIRED: (no_terminal.find,),
    FailureKind.IMAGE_NOT_FOUND: (short_sha.find, image_not_built.find),
    FailureKind.USAGE_ERROR: (short_sha.find,),
    FailureKind.UNEXPECTED_RESULT: (image_not_built.find,),
    FailureKind.RESOURCE_NOT_FOUND: (branch.find, not_there.find),
}
"""The kinds whose root causes can be found; of the rest there is what memory says, or a remedy skill."""


async def find(case: Case, looks: Looks) -> RootCause | None:
    """The first root cause that fits; None if none does."""
    for cause in CAUSES.get(case.diagnosis.kind, ()):
        found = await cause(case, looks)
        if found is not None:
            return found
    return None
