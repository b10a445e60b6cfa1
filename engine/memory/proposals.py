"""The proposal book: what was learnt from history and waits for a person, and what persons decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from engine.documents import Document
from engine.errors import DocumentError, InputError
from engine.memory.store import Store
from engine.model.failure import FailureKind
from engine.model.improvement import About, Proposal, ProposalStatus
from engine.model.secret import Secrets

FILE = "learned/proposals.yaml"
EMPTY = """\
# What `skill learn` proposes. Nothing here acts: `skill memory patterns review` shows it, and accepts or rejects it.
# What was rejected stays, so that it is never proposed again. Fields: memory/README.md.

proposals: []
"""
SECTION = "proposals"
MOST_OPEN = 200
MOST = 2_000
TEXTS = ("text", "because", "example", "pattern", "program", "fix", "error_pattern", "root_cause", "fix_applied")
COUNTS = ("times", "seen", "right")
MOMENTS = ("first_seen", "last_seen")
RENEWED = ("because", "example", "tools", "times", "last_seen", "seen", "right")
"""What is brought up to date of a proposal that nobody has decided about yet."""

Plan = Callable[[tuple[Proposal, ...]], Sequence[Proposal]]
"""Given what stands there, says what is to be proposed now."""


class ProposalBook:
    """The entries of `learned/proposals.yaml`; one with a mistake in it is left out."""

    def __init__(self, store: Store, *, secrets: Secrets) -> None:
        self._store = store
        self._secrets = secrets

    def all(self) -> tuple[Proposal, ...]:
        """Every proposal, decided ones too, oldest first; none when the file is broken."""
        with suppress(DocumentError):
            return self.standing()
        return ()

    def standing(self) -> tuple[Proposal, ...]:
        """The same; raises DocumentError when the file is broken, for then nobody knows what was rejected."""
        return tuple(_read(self._store.document(FILE)).values())

    def open(self) -> tuple[Proposal, ...]:
        """Those that nobody has decided about."""
        return tuple(each for each in self.all() if each.status is ProposalStatus.OPEN)

    def find(self, name: str) -> Proposal:
        """The proposal of that id, or whose id alone begins so; InputError if there is none."""
        found = [each for each in self.standing() if each.id.startswith(name)]
        exact = [each for each in found if each.id == name]
        if len(found) != 1 and not exact:
            several = f"{name} fits several proposals" if found else f"there is no proposal {name}"
            raise InputError(several, hint="`skill memory patterns review --all` lists them")
        return (exact or found)[0]

    def offer(self, plan: Plan, *, stale_before: float) -> tuple[tuple[Proposal, ...], tuple[Proposal, ...]]:
        """Adds what is new, brings open ones up to date, drops those last seen before; returns what is new and dropped.

        What a person decided stays as it is. Asked again while the file is locked. Raises DocumentError when the file
        is broken or cannot be written.
        """
        standing = self.standing()
        if not _news(standing, plan(standing)) and not _stale(standing, stale_before):
            return (), ()
        with self._store.editing(FILE, empty=EMPTY) as editing:
            places = _read(editing.document)
            known = tuple(places.values())
            wanted = _news(known, plan(known))
            return self._write(editing, places, wanted), self._drop(editing, _stale(known, stale_before))

    def decide(self, proposal: Proposal, status: ProposalStatus, *, on: float, reason: str = "") -> None:
        """Writes down what a person decided at `on`; raises InputError when it is gone, DocumentError as always."""
        with self._store.editing(FILE, empty=EMPTY) as editing:
            place = next((at for at, each in _read(editing.document).items() if each.id == proposal.id), None)
            if place is None:
                raise InputError(f"there is no proposal {proposal.id} any more", hint="somebody has removed it")
            editing.set((SECTION, place, "status"), status.value)
            editing.set((SECTION, place, "decided"), _moment(on))
            if reason:
                editing.set((SECTION, place, "reason"), self._secrets.mask(" ".join(reason.split())[:500]))

    def _write(self, editing: Any, places: Mapping[int, Proposal], wanted: Iterable[Proposal]) -> tuple[Proposal, ...]:
        at = {each.id: place for place, each in places.items()}
        room = MOST_OPEN - sum(each.status is ProposalStatus.OPEN for each in places.values())
        new: list[Proposal] = []
        for each in wanted:
            entry = self._secrets.mask(_entry(each))
            if each.id in at:
                for name in RENEWED:
                    if name in entry:
                        editing.set((SECTION, at[each.id], name), entry[name])
            elif len(new) < room and len(places) + len(new) < MOST:
                editing.append((SECTION,), entry)
                new.append(each)
        return tuple(new)

    def _drop(self, editing: Any, stale: Iterable[Proposal]) -> tuple[Proposal, ...]:
        dropped = tuple(stale)
        for each in dropped:
            place = next(at for at, one in _read(editing.document).items() if one.id == each.id)
            editing.remove((SECTION, place))
        return dropped


def _news(standing: Iterable[Proposal], wanted: Iterable[Proposal]) -> list[Proposal]:
    """Those of the wanted that are new, or say something else than the open one of their id."""
    known = {each.id: each for each in standing}
    return [each for each in wanted if each.id not in known or _differs(known[each.id], each)]


def _differs(old: Proposal, new: Proposal) -> bool:
    written = _entry(new)
    return old.status is ProposalStatus.OPEN and any(_entry(old).get(name) != written.get(name) for name in RENEWED)


def _stale(standing: Iterable[Proposal], before: float) -> list[Proposal]:
    return [each for each in standing if each.status is ProposalStatus.OPEN and each.last_seen < before]


def _entry(proposal: Proposal) -> dict[str, Any]:
    """A proposal as the file has it; what is empty is left out."""
    texts = {name: getattr(proposal, name) for name in TEXTS if getattr(proposal, name)}
    pattern = {"kind": proposal.kind.value} if proposal.about is About.PATTERN else {}
    counts = {name: getattr(proposal, name) for name in COUNTS if name == "times" or proposal.about is About.PATTERN}
    moments = {name: _moment(getattr(proposal, name)) for name in MOMENTS}
    head = {"id": proposal.id, "about": proposal.about.value, "status": proposal.status.value}
    return {**head, **pattern, **texts, "tools": list(proposal.tools[:20]), **counts, **moments}


def _read(document: Document | None) -> dict[int, Proposal]:
    """The usable proposals by their place in the list."""
    value = document.value if document is not None else None
    entries = value.get(SECTION) if isinstance(value, dict) else None
    if document is not None and value is not None and not isinstance(entries, list | None):
        hint = "mend it, or remove the file: what was rejected is proposed again then"
        raise DocumentError("a list of proposals is due here", place=document.place((SECTION,)), hint=hint)
    found: dict[int, Proposal] = {}
    for place, entry in enumerate(entries or ()):
        with suppress(KeyError, ValueError, TypeError, AttributeError):
            found[place] = _proposal(entry)
    return found


def _proposal(entry: Mapping[str, Any]) -> Proposal:
    tools = entry.get("tools")
    known: dict[str, Any] = {name: str(entry.get(name) or "") for name in TEXTS}
    known |= {name: int(entry.get(name) or 0) for name in COUNTS}
    known |= {name: _at(entry.get(name)) for name in MOMENTS}
    return Proposal(
        id=str(entry["id"]),
        about=About(entry["about"]),
        status=ProposalStatus(entry.get("status", "open")),
        kind=FailureKind(entry.get("kind", "unknown")),
        tools=tuple(map(str, tools)) if isinstance(tools, list) else (),
        **known,
    )


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _at(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp() if text else 0.0
