"""A host that cannot be reached: whether its name, the route or the port is missing, and which way leads there."""

from __future__ import annotations

import re
import shlex

from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks, Seen
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.remediation import RemedyStep, RootCause

ID, SLOW = "unreachable", "too_slow"
STATES = {
    FailureKind.DNS_FAILURE: "unresolved",
    FailureKind.CONNECTION_REFUSED: "refused",
    FailureKind.NETWORK_UNREACHABLE: "no route",
    FailureKind.TIMEOUT: "no answer",
}
"""Where the way to a host ends: `found` calls it the `state`."""
NUMBERS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
"""An address whose route can be looked up without asking anybody."""
REFUSALS = frozenset({"ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT"})
"""What a look at a port fails with when it is the port that cannot be reached, and not the look that broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What is known of the way to a host: its route, and whether the port takes connections."""

    host: str
    port: int | None
    route: Seen
    port_seen: Seen

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def accepts(self) -> bool | None:
        """Whether the port takes connections now; None where nobody could see."""
        if self.port_seen.failure is None:
            return None if self.port_seen.value is None else True
        return False if self.port_seen.failure.evidence.errno in REFUSALS else None

    @property
    def by(self) -> str:
        """The route in a few words; empty when none is known."""
        if self.route.get("found") is False:
            return self.route.text("message")
        parts = {"device": "dev", "gateway": "via", "source": "from"}
        return " ".join(f"{word} {text}" for name, word in parts.items() if (text := self.route.text(name)))


async def find(case: Case, looks: Looks) -> RootCause | None:
    """Where the way ends, and what opens it: the domain's connection, else the route, the port or the name."""
    address = case.address()
    host, port = address.host, address.port
    if not host:
        return _nameless(case)
    if case.diagnosis.kind is FailureKind.CONNECTION_REFUSED and case.failure.evidence.sent:
        because = f"{host}{f':{port}' if port else ''} closed the connection before it had answered."
        step = RemedyStep(text="Look into its log for why")
        return RootCause(id=ID, because=because, steps=(step,), found={"state": "closed", "host": host}, source=ID)
    given = {"host": host} | ({"port": port} if port else {})
    route = await looks.at("network_route", given) if address.known or NUMBERS.fullmatch(host) else Seen()
    seen = await looks.at("network_reachable", given) if address.known and port else Seen()
    way = _Way(host=host, port=port, route=route, port_seen=seen)
    return RootCause(
        id=ID,
        because=_because(case, way),
        steps=tuple(_steps(case, way)),
        found={"state": STATES[case.diagnosis.kind], **_found(way)},
        source=ID,
        confirmed=_confirmed(case, way),
    )


def _nameless(case: Case) -> RootCause | None:
    """Nobody said which host: the domain's connection is all that can be named, and without one only the time."""
    connect = case.fix("connect")
    if case.diagnosis.kind is FailureKind.TIMEOUT and connect is None:
        because = f"{case.call.tool} did not end in the time it had."
        step = RemedyStep(text="Look at what it waits for, or give the step a longer `timeout`")
        return RootCause(id=SLOW, because=because, steps=(step,), source=ID)
    words = {
        FailureKind.DNS_FAILURE: "a name it needs cannot be resolved",
        FailureKind.CONNECTION_REFUSED: "nothing accepts connections there",
        FailureKind.NETWORK_UNREACHABLE: "there is no route there",
        FailureKind.TIMEOUT: "it did not answer in time",
    }[case.diagnosis.kind]
    step = case.repair("Connect", connect) if connect else RemedyStep(text="Check the route or the VPN")
    because = f"{case.place[:1].upper()}{case.place[1:]} is not reached: {words}."
    return RootCause(id=ID, because=because, steps=(step,), source=ID)


def _because(case: Case, way: _Way) -> str:
    say = {
        FailureKind.DNS_FAILURE: _unresolved,
        FailureKind.CONNECTION_REFUSED: _refused,
        FailureKind.NETWORK_UNREACHABLE: _unroutable,
    }
    return say.get(case.diagnosis.kind, _silent)(way)


def _unresolved(way: _Way) -> str:
    if way.route.get("found"):
        return f"The name {way.host} could not be resolved; by now it can, as {way.route.text('address')}."
    return f"The name {way.host} cannot be resolved from this machine{_in_brackets(way.by)}."


def _refused(way: _Way) -> str:
    by_now = "; by now something does" if way.accepts else ""
    return f"Nothing accepts connections at {way.where}{by_now}."


def _unroutable(way: _Way) -> str:
    if way.route.get("found"):
        return f"{way.host} cannot be reached, although this machine has a route to it{_in_brackets(way.by)}."
    return f"There is no route from this machine to {way.host}{_in_brackets(way.by)}."


def _silent(way: _Way) -> str:
    if way.accepts:
        return f"{way.where} accepts connections, but did not answer in time."
    return f"{way.where} did not answer in time."


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _steps(case: Case, way: _Way) -> list[RemedyStep]:
    kind, connect = case.diagnosis.kind, case.fix("connect")
    steps = [case.repair("Connect", connect)] if connect else []
    address = way.route.text("address")
    match kind:
        case FailureKind.DNS_FAILURE:
            steps.append(
                RemedyStep(text="Look the name up", command=f"getent hosts {shlex.quote(way.host)}", value=address)
            )
        case FailureKind.CONNECTION_REFUSED:
            steps += [] if connect else [RemedyStep(text="Start what should answer there, or check the port")]
        case FailureKind.TIMEOUT if way.accepts:
            return [RemedyStep(text="Look at what it is busy with, or give the step a longer `timeout`")]
    if kind in {FailureKind.NETWORK_UNREACHABLE, FailureKind.TIMEOUT}:
        if address:
            steps.append(RemedyStep(text="Look at the route", command=f"ip route get {address}", value=way.by))
        steps += [] if connect else [RemedyStep(text="Check the route or the VPN")]
    return steps


def _found(way: _Way) -> dict[str, object]:
    names = ("address", "device", "gateway", "source", "reason")
    told = {name: way.route.text(name) for name in names}
    known = {"host": way.host, "port": way.port, **told, "accepts": way.accepts}
    return {name: value for name, value in known.items() if value not in (None, "")}


def _confirmed(case: Case, way: _Way) -> bool | None:
    """Whether a look at the way says the same as the failure; None where none was made, or it passed by now."""
    if case.diagnosis.kind in {FailureKind.DNS_FAILURE, FailureKind.NETWORK_UNREACHABLE}:
        return True if way.route.get("found") is False else None
    return True if way.accepts is False else None
