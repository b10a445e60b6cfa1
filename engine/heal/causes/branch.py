"""A branch without commits, a branch that was not pushed: which one, and the command that helps."""

from __future__ import annotations

import re

from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks, Seen
from engine.model.failure import FailureKind
from engine.model.remediation import RemedyStep, RootCause

NO_COMMITS, NOT_PUSHED = "branch_without_commits", "branch_not_pushed"
TOLD_BY = {"git-no-commits": NO_COMMITS, "git-branch-not-pushed": NOT_PUSHED}
"""Patterns whose words are about a branch, and what they take for the cause; a look may know better."""
BRANCH = re.compile(
    r"(?:current branch|remote ref|refspec|branch|between \S{1,120} and) [\"'`]?([\w./-]{1,200}?)[\"'`]?(?=[\s.,:;)]|$)"
)
NAME = re.compile(r"[\w][\w./+@-]{0,199}")
"""Names that may stand in a command as they are."""


async def find(case: Case, looks: Looks) -> RootCause | None:
    """What ails the branch, with the repository's own state in it."""
    told = TOLD_BY.get(case.told_by)
    if told is None or case.diagnosis.kind is not FailureKind.RESOURCE_NOT_FOUND:
        return None
    branch = case.value("branch", "source_branch", said=BRANCH)
    state = await _state(case, looks, branch)
    branch = branch or state.text("branch")
    cause = _corrected(told, state)
    make = _without_commits if cause == NO_COMMITS else _unpushed
    return make(branch, state)


async def _state(case: Case, looks: Looks, branch: str) -> Seen:
    """The branch as the first repository that may be meant has it; the folder first, for its programs run there."""
    named = {"branch": branch} if branch else {}
    for repo in sorted(case.repositories(), reverse=True):
        seen = await looks.at("git_branch_state", {**named, **({"repo": repo} if repo else {})})
        if seen.value is not None:
            return seen
    return Seen()


def _corrected(told: str, state: Seen) -> str:
    """A refspec that matches nothing is a branch without commits, or none at all; the repository knows which."""
    if state.value is None:
        return told
    if not state.get("commits"):
        return NO_COMMITS
    return NOT_PUSHED if not state.get("pushed") or state.get("ahead") else told


def _without_commits(branch: str, state: Seen) -> RootCause:
    named = f"The branch {branch}" if branch else "The branch"
    base, staged = state.text("base"), state.get("staged")
    than = f" that {base} has not" if base else " of its own"
    at = _at(state)
    add = [] if staged else [RemedyStep(text="Say what is to be in it", command=f"git{at} add FILES")]
    count = f" ({staged} {'file is' if staged == 1 else 'files are'} staged)" if staged else ""
    commit = RemedyStep(text=f"Commit first{count}", command=f"git{at} commit")
    return RootCause(
        id=NO_COMMITS,
        because=f"{named} has no commits{than}, so there is nothing to build.",
        steps=(*(add if state.value is not None else []), commit),
        found=_found(branch, state, "commits", "staged"),
        source="branch",
        confirmed=(state.get("commits") == 0) if state.value is not None else None,
    )


def _unpushed(branch: str, state: Seen) -> RootCause:
    named, remote = f"The branch {branch}" if branch else "The branch", state.text("remote")
    ahead = state.get("ahead")
    because = f"{named} exists only on this machine."
    if state.get("pushed") and ahead:
        because = f"{named} has {ahead} {'commit' if ahead == 1 else 'commits'} that {remote} has not."
    target = branch if NAME.fullmatch(branch) else "BRANCH"
    push = RemedyStep(text="Push it", command=f"git{_at(state)} push --set-upstream {remote or 'origin'} {target}")
    add = RemedyStep(text="There is no remote yet; add one", command=f"git{_at(state)} remote add origin URL")
    lacks = state.value is not None and not state.get("remotes")
    return RootCause(
        id=NOT_PUSHED,
        because=because,
        steps=(add, push) if lacks else (push,),
        found=_found(branch, state, "remote", "ahead"),
        source="branch",
        confirmed=(not state.get("pushed") or bool(ahead)) if state.value is not None else None,
    )


def _at(state: Seen) -> str:
    path = state.text("argument")
    return f" -C {path}" if path else ""


def _found(branch: str, state: Seen, *names: str) -> dict[str, object]:
    known = {name: state.get(name) for name in ("path", *names)}
    return {"branch": branch, **{name: value for name, value in known.items() if value not in (None, "")}}
