"""Why arguments are refused, and what was meant: by the finder of root causes, which may look with tools that read."""

from __future__ import annotations

import anyio

from engine.heal.calls import Calls
from engine.heal.causes.case import Case
from engine.heal.causes.looks import ALTOGETHER, ToolLooks
from engine.heal.detect import diagnose
from engine.heal.explain import explain
from engine.heal.preflight.arguments import Refusal
from engine.heal.proactive import Around
from engine.heal.request import Upcoming
from engine.model.failure import Failure
from engine.model.heal import Domain
from engine.model.outcome import ToolCall
from engine.model.remediation import RootCause


async def explained(
    calls: Calls, around: Around, call: Upcoming, refused: Refusal, domain: Domain | None
) -> RootCause | None:
    """The root cause of a call that was refused before it was made; None where none is found."""
    failure = Failure(message=refused.message, tool=call.tool.name, kind=refused.kind)
    case = Case(
        failure=failure,
        diagnosis=diagnose(failure, ()),
        call=ToolCall(tool=call.tool.name, args=call.args),
        tool=call.tool,
        domain=domain,
        now=calls.clock(),
    )
    until = anyio.current_time() + ALTOGETHER
    return (await explain(case, ToolLooks(calls=calls, around=around, until=until))).cause
