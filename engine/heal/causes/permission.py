"""What is somebody else's: a namespace, whose it is and which are yours; else a permission that is missing."""

from __future__ import annotations

import re

from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks
from engine.model.outcome import ToolCall
from engine.model.remediation import RemedyStep, RootCause

OWNED, DENIED = "namespace_not_owned", "permission_missing"
LIST = "bonfire_namespace_list"
NAMESPACE = re.compile(r"\bnamespace [\"'`]?([\w.-]{1,120})")
OWNER = re.compile(r"\b(?:owned by|belongs to|owner:?) [\"'`]?([\w.@-]{1,120})")
FILE = re.compile(r"((?:/[\w.@+-]{1,255}){1,40})")


async def find(case: Case, looks: Looks) -> RootCause | None:
    """Whose the namespace is, and which are yours; for anything else, that somebody has to grant it."""
    owner, namespace = case.value("owner", said=OWNER), case.value("namespace", said=NAMESPACE)
    if namespace and (owner or case.told_by == "namespace-not-owned"):
        return await _namespace(case, looks, namespace, owner)
    return RootCause(
        id=DENIED,
        because="The permission is missing; logging in again does not help.",
        steps=(RemedyStep(text="Ask whoever grants it, or use what is yours"),),
        source="permission",
    )


async def _namespace(case: Case, looks: Looks, namespace: str, owner: str) -> RootCause:
    mine = case.details.get("ours", case.details.get("owned"))
    if not isinstance(mine, list | tuple):
        mine = (await looks.at(LIST, {"mine": True}, domain=case.domain.name if case.domain else None)).get("names")
    known = isinstance(mine, list | tuple)
    names = [str(name) for name in mine] if known else []
    found = {"namespace": namespace, "owner": owner, **({"yours": names} if known else {})}
    return RootCause(
        id=OWNED,
        because=f"The namespace {namespace} belongs to {owner or 'somebody else'}, so it is not changed.",
        steps=tuple(_steps(looks, names, known=known)),
        found={name: value for name, value in found.items() if value != ""},
        source="permission",
        confirmed=(namespace not in names) if known else None,
    )


def _steps(looks: Looks, names: list[str], *, known: bool) -> list[RemedyStep]:
    by_hand = RemedyStep(text="List yours", command="bonfire namespace list --mine")
    look = RemedyStep(text="List yours", call=ToolCall(tool=LIST, args={"mine": True}))
    if not known:
        return [look if looks.can(LIST) else by_hand]
    if not names:
        return [RemedyStep(text="You have none at the moment; reserve one")]
    listed = ", ".join(names)
    if not looks.can(LIST):
        return [RemedyStep(text=f"Yours are: {listed}"), by_hand]
    return [RemedyStep(text="List yours", call=look.call, value=listed), RemedyStep(text="Use one of yours")]
