"""What a person should do when healing could not: root causes as sentences with the real values filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.heal.detect import normalise, told_line
from engine.heal.remedy import role_of
from engine.model.failure import Diagnosis, Failure, FailureKind
from engine.model.heal import Domain, KnownIssue
from engine.model.outcome import ToolCall

FULL_SHA = 40
SHORT_SHA = re.compile(r"(?=[0-9a-f]{0,38}[0-9])(?=[0-9a-f]{0,38}[a-f])[0-9a-f]{7,39}")
"""A commit id that is not whole: git's own 7 digits at least, and both a number and a letter, so neither a date nor a
word is taken for one."""

HOST = re.compile(
    r"(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,63}|localhost|\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?"
)
BRANCH = re.compile(
    r"(?:current branch|remote ref|refspec|branch|between \S{1,120} and) [\"'`]?([\w./-]{1,200}?)[\"'`]?(?=[\s.,:;)]|$)"
)
NAMESPACE = re.compile(r"\bnamespace [\"'`]?([\w.-]{1,120})")
OWNER = re.compile(r"\b(?:owned by|belongs to|owner:?) [\"'`]?([\w.@-]{1,120})")
IMAGE = re.compile(r"(?:docker://|reading manifest \S{1,128} in |manifest for )([\w./:@-]{1,250}?)(?=[\s,:;\"']|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A failure with all that is known about it, for the sentences."""

    failure: Failure
    diagnosis: Diagnosis
    call: ToolCall
    domain: Domain | None

    @property
    def text(self) -> str:
        """What was said."""
        return normalise(self.failure.evidence.text or self.failure.message)

    @property
    def details(self) -> Mapping[str, Any]:
        """What the tool knows about it."""
        return self.failure.evidence.details

    @property
    def told_by(self) -> str:
        """The id of the pattern that spoke; empty if none did."""
        return self.diagnosis.pattern.id if self.diagnosis.pattern else ""

    def value(self, *names: str, said: re.Pattern[str] | None = None) -> str:
        """The first of these among the tool's details and the call's arguments, else what the text says; or empty."""
        for values in (self.details, self.call.args):
            for name in names:
                if values.get(name) not in (None, ""):
                    return str(values[name])
        found = said.search(self.text) if said else None
        return found[1] if found else ""

    def fix(self, role: str) -> str:
        """The domain's call for a role, as a person would write it; empty if it has none."""
        plan = self.domain.fixes.get(role) if self.domain else None
        return str(plan.call) if plan else ""


def remediation(
    failure: Failure, diagnosis: Diagnosis, call: ToolCall, domain: Domain | None, known: tuple[KnownIssue, ...]
) -> tuple[str, ...]:
    """What a person can do about it, the most telling first, each a sentence; empty if nothing is known."""
    case = Case(failure=failure, diagnosis=diagnosis, call=call, domain=domain)
    explained = EXPLANATIONS.get(diagnosis.kind, _nothing)(case)
    return tuple(dict.fromkeys([*explained, *_remembered(known)]))


def short_sha(call: ToolCall) -> tuple[str, str] | None:
    """The argument that holds a shortened commit id or a tag made of one, and its value; None if none does."""
    for name, value in call.args.items():
        named = any(word in name.lower() for word in ("sha", "tag", "commit", "image"))
        tail = str(value).rsplit(":", 1)[-1]
        if named and isinstance(value, str) and SHORT_SHA.fullmatch(tail):
            return name, tail
    return None


def _authentication(case: Case) -> list[str]:
    if role_of(case.diagnosis) == "registry_login" or case.told_by.startswith("registry-"):
        return _registry_login(case)
    expired = case.value("expired_at", "expires_at")
    when = f"The token expired at {expired}." if expired else "The credentials are missing or no longer valid."
    return [when, _how(case, "login", "Log in") or f"Log in to {_place(case)} and run it again."]


def _registry_login(case: Case) -> list[str]:
    registry = case.value("registry", "host", said=HOST) or "REGISTRY"
    told = [
        f"There is no valid login for the registry {registry}." if registry != "REGISTRY" else "A login is missing."
    ]
    return [*told, _how(case, "registry_login", "Log in") or f"Log in: podman login {registry}"]


def _network(case: Case) -> list[str]:
    host = _host(case)
    what = {
        FailureKind.DNS_FAILURE: f"The name {host} cannot be resolved from this machine.",
        FailureKind.CONNECTION_REFUSED: f"Nothing accepts connections at {host}.",
        FailureKind.NETWORK_UNREACHABLE: f"There is no route from this machine to {host}.",
        FailureKind.TIMEOUT: f"{host} did not answer in time.",
    }
    told = what[case.diagnosis.kind]
    if case.diagnosis.kind is FailureKind.CONNECTION_REFUSED and case.failure.evidence.sent:
        return [f"{host[:1].upper() + host[1:]} closed the connection before it had answered; see its log for why."]
    refused = case.diagnosis.kind is FailureKind.CONNECTION_REFUSED
    check = "Start what should answer there, or check the port." if refused else "Check the route or the VPN."
    return [told[:1].upper() + told[1:], _how(case, "connect", "Connect") or check]


def _terminal(case: Case) -> list[str]:
    program = case.failure.evidence.program or case.call.tool
    return [
        f"{program} asks a question, and there is no terminal to answer it.",
        f"Give {program} the flag that answers for you (such as --yes, --force or --no-input).",
    ]


def _permission(case: Case) -> list[str]:
    owner, namespace = case.value("owner", said=OWNER), case.value("namespace", said=NAMESPACE)
    if namespace and (owner or case.told_by == "namespace-not-owned"):
        return _ownership(case, namespace, owner)
    return [
        "The permission is missing; logging in again does not help.",
        "Ask whoever grants it, or use what is yours.",
    ]


def _ownership(case: Case, namespace: str, owner: str) -> list[str]:
    told = f"The namespace {namespace} belongs to {owner or 'somebody else'}, so it is not changed."
    mine = case.details.get("ours", case.details.get("owned"))
    if isinstance(mine, (list, tuple)):
        return [
            told,
            f"Yours are: {', '.join(map(str, mine))}." if mine else "You have none at the moment; reserve one.",
        ]
    return [told, "List yours: bonfire namespace list --mine"]


def _image(case: Case) -> list[str]:
    short = short_sha(case.call)
    if short is not None:
        name, value = short
        told = (
            f"{name} is the short SHA {value} ({len(value)} of {FULL_SHA} digits); images are tagged with all of them."
        )
        return [told, f"Get the full one: git rev-parse {value}"]
    image = case.value("image", "repository", said=IMAGE) or "the image"
    tag = case.value("tag", "image_tag", "commit_sha", "sha")
    pipeline = case.value("pipeline", "pipeline_url", "build_url")
    look = f"See how far the build is: {pipeline}" if pipeline else "Look whether its build pipeline has finished."
    return [f"There is no image {image}{f' with the tag {tag}' if tag else ''}; it is probably not built yet.", look]


def _missing(case: Case) -> list[str]:
    branch = case.value("branch", "source_branch", said=BRANCH)
    named = f"The branch {branch}" if branch else "The branch"
    match case.told_by:
        case "git-no-commits":
            return [f"{named} has no commits of its own, so there is nothing to build.", "Commit first: git commit"]
        case "git-branch-not-pushed":
            told = f"{named} exists only on this machine."
            return [told, f"Push it: git push --set-upstream origin {branch or 'BRANCH'}"]
        case _:
            line = told_line(case.text, case.diagnosis.pattern) if case.diagnosis.pattern else ""
            return [f"What it asks for is not there: {line[:200]}"] if line else []


def _nothing(_: Case) -> list[str]:
    return []


EXPLANATIONS: Mapping[FailureKind, Callable[[Case], list[str]]] = {
    FailureKind.AUTH_EXPIRED: _authentication,
    FailureKind.PERMISSION_DENIED: _permission,
    FailureKind.NETWORK_UNREACHABLE: _network,
    FailureKind.DNS_FAILURE: _network,
    FailureKind.CONNECTION_REFUSED: _network,
    FailureKind.TIMEOUT: _network,
    FailureKind.TTY_REQUIRED: _terminal,
    FailureKind.IMAGE_NOT_FOUND: _image,
    FailureKind.RESOURCE_NOT_FOUND: _missing,
}
"""The root causes that can be explained; the rest has what memory says about it."""


def _remembered(known: Iterable[KnownIssue]) -> list[str]:
    """What memory adds; a fix that is only a role's name tells a person nothing."""
    told = []
    for issue in known:
        cause = issue.root_cause or issue.meaning
        fix = issue.fix if " " in issue.fix or "(" in issue.fix else ""
        told += [f"{cause.rstrip('.')}." if cause and not fix else "", f"{cause.rstrip('.')}: {fix}" if fix else ""]
        told += [f"Try: {command}" for command in issue.commands]
    return [sentence for sentence in told if sentence]


def _how(case: Case, role: str, verb: str) -> str:
    call = case.fix(role)
    return f"{verb}: {call}" if call else ""


def _host(case: Case) -> str:
    host = case.value("host", "url", "server", "address")
    port = str(case.details.get("port", ""))
    if host:
        return f"{host}:{port}" if port and not host.endswith(f":{port}") else host
    found = HOST.search(case.text)
    if found is None:
        return _place(case)
    return f"{found[1]}:{found[2]}" if found[2] else found[1]


def _place(case: Case) -> str:
    return f"the domain {case.domain.name}" if case.domain else f"the server {case.call.tool} uses"
