"""`skill health status`: what the last look wrote down, and who watches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.bundle import bundle
from engine.frontends.cli.health_lines import SIGNS
from engine.frontends.cli.layout import beside
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.session import Session
from engine.health.lease import Holder, holder
from engine.memory import Memory
from engine.memory.health import spoken
from engine.model.health import Wellbeing

NOTHING = 1


def show_status(session: Session, screen: Screen) -> int:
    """Shows what the file says; gives the exit status. Raises DocumentError when the file is broken."""
    workspace = session.workspace()
    memory = Memory(workspace.memory, seeds=bundle("memory"), secrets=session.secrets)
    content, who = memory.health.content(), holder(workspace.state)
    if not screen.is_text:
        screen.result({"monitor": _holder_record(who), **content})
    elif not content:
        screen.note("nothing was looked at yet")
        screen.note("  `skill health check` looks once, `skill health watch` goes on")
    else:
        _show(content, screen)
    if screen.is_text:
        screen.note(_watcher(who), dim=True)
    return NOTHING if not content or any(_needs_somebody(check) for check in _checks(content).values()) else 0


def _show(content: Mapping[str, Any], screen: Screen) -> None:
    screen.text(f"looked at {_ago(content.get('last_checked'))}", bold=True)
    rows = list(_rows(content))
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, state, said in rows:
        sign, colour = SIGNS[state]
        for line in beside(f"  {sign} {name.ljust(width)}  ", said, screen.width, lines=10):
            screen.text(line, fg=colour)
    for issue in content.get("predicted_issues") or ():
        left = f" in {issue['time_to_failure']}" if issue.get("time_to_failure") else ""
        fix = f"; {issue['proactive_fix']} would prevent it" if issue.get("proactive_fix") else ""
        said = f"{issue['type']} in {issue.get('domain', 'some domain')}{left}{fix}"
        for line in beside("  foretold: ", said, screen.width):
            screen.text(line)


def _rows(content: Mapping[str, Any]) -> Iterator[tuple[str, Wellbeing, str]]:
    for name, check in _checks(content).items():
        for part, told in (check.get("details") or {"": check}).items():
            state = Wellbeing(told["state"]) if "state" in told else _state(told.get("valid", told.get("healthy")))
            ends = f"until {told['expires']}" if told.get("expires") else ""
            since = f"since {told['since']}" if state is not Wellbeing.WELL and told.get("since") else ""
            said = "; ".join(filter(None, (told.get("message", ""), since or ends)))
            yield (f"{name}/{part}" if part else name), state, said


def _state(valid: bool | None) -> Wellbeing:
    return Wellbeing.UNKNOWN if valid is None else Wellbeing.WELL if valid else Wellbeing.UNWELL


def _checks(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return content.get("health_checks") or {}


def _needs_somebody(check: Mapping[str, Any]) -> bool:
    return check.get("healthy") is not True


def _ago(moment: str | None) -> str:
    if moment is None:
        return "at a time that is not told"
    age = time.time() - datetime.fromisoformat(moment).timestamp()
    return f"{spoken(age)} ago" if age >= 0 else f"{moment}, which is in the future: the clock was set back"


def _watcher(who: Holder | None) -> str:
    return f"  watched by process {who.pid} on {who.host}" if who else "  nobody watches; `skill health watch` does"


def _holder_record(who: Holder | None) -> dict[str, Any] | None:
    return {"pid": who.pid, "host": who.host, "since": who.since} if who else None
