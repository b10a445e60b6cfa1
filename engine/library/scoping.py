"""Why a name that exists somewhere in a skill file does not exist where it is used, and the way out."""

from __future__ import annotations

from collections.abc import Sequence

from engine.library.codes import FindingCode
from engine.library.outline import Definition, OutlinedStep, Site
from engine.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """What to say of the use of a name that does not exist there."""

    code: FindingCode
    message: str
    hint: str


def unseen(what: str, known: Sequence[Definition], site: Site) -> Unseen:
    """Why none of the `known` definitions of `what` is seen from `site`."""
    step = known[0].step
    if step is None:
        return _too_early(what, None)
    inside = (site.step, *site.step.around) if site.step else ()
    left = [owner for owner in step.around if owner not in inside]
    if branches := _branches(step, inside):
        return _together(what, *branches)
    if known[0].name == step.bound and known[0].name != step.output:
        return _element(what, step)
    if left and min(each.since for each in known) <= site.number:
        return _ended(what, step, left)
    return _too_early(what, step)


def _branches(
    step: OutlinedStep, inside: Sequence[OutlinedStep]
) -> tuple[OutlinedStep, OutlinedStep, OutlinedStep] | None:
    """The branch that defines, the branch that uses, and the `parallel` both are in; None when they are in none."""
    ours = {each.group: each for each in inside}
    for theirs in (step, *step.around):
        group = theirs.group
        if group is not None and group in ours and ours[group] is not theirs and group.actions == ("parallel",):
            return theirs, ours[group], group
    return None


def _together(what: str, theirs: OutlinedStep, ours: OutlinedStep, group: OutlinedStep) -> Unseen:
    return Unseen(
        code=FindingCode.OUT_OF_SCOPE,
        message=f"{what} does not exist here: the steps {theirs.name} and {ours.name} run at the same time",
        hint=f"use it after {group.name} has ended, or write `steps` there instead of `parallel`",
    )


def _element(what: str, step: OutlinedStep) -> Unseen:
    return Unseen(
        code=FindingCode.OUT_OF_SCOPE,
        message=f"{what} does not exist here: it is the element of the foreach {step.name}, on line "
        f"{step.part.place.line}",
        hint="the element of a `foreach` exists only in its own step",
    )


def _ended(what: str, step: OutlinedStep, left: list[OutlinedStep]) -> Unseen:
    loops = [owner for owner in left if "foreach" in owner.part]
    outer = (loops or left)[-1]
    if loops:
        hint = f"read it through the list of all elements, {outer.output}"
    else:
        hint = (
            f"read it through the group's value: {'.'.join([*(owner.output for owner in reversed(left)), step.output])}"
        )
    return Unseen(
        code=FindingCode.OUT_OF_SCOPE,
        message=f"{what} does not exist here: it ends with the {'foreach' if loops else 'group'} {outer.name}, on line "
        f"{outer.part.place.line}",
        hint=hint,
    )


def _too_early(what: str, step: OutlinedStep | None) -> Unseen:
    where = f" by the step {step.name} on line {step.part.place.line}" if step else ""
    return Unseen(
        code=FindingCode.USED_TOO_EARLY,
        message=f"{what} is used here before it exists: it is defined{where}",
        hint="move that step up, or use the name later",
    )
