"""The fix book: which fix worked for which error of which tool, as people and `learn_tool_fix` wrote it down."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.documents import Document
from engine.errors import InputError
from engine.memory.store import Store, settled
from engine.model.heal import KnownIssue
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place, Severity
from engine.model.secret import Secrets

FILE = "learned/tool_fixes.yaml"
EMPTY = """\
# Fixes that worked, tool by tool: yours. The shipped ones count beside these, and every new version brings them up to
# date. An entry for the tool and error of a shipped one says what is different about it, `off: true` switches it off.
# Fields: memory/README.md.

tool_fixes: []
"""
SECTION = "tool_fixes"
MOST = 1_000

_TOOL = r"[A-Za-z0-9_.-]{0,99}[*]?"
_CAUSE = r"[a-z0-9_]{0,60}"
_LIMITS = {"error_pattern": (4, 300), "root_cause": (0, 2_000), "fix_applied": (1, 2_000)}

Prevented = Mapping[tuple[str, str], int]
"""By an entry's key, how often its mistake was prevented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixEntry:
    """One entry as it counts: what the live file says over what is shipped; `at` is its position in the live file."""

    tool: str
    error_pattern: str
    root_cause: str = ""
    fix: str = ""
    cause: str = ""
    """The id of the root cause that the engine finds for this mistake; empty where there is none."""
    date_learned: str = ""
    times_prevented: int = 0
    at: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells two entries apart: the tool, and the words of its error."""
        return self.tool, levelled(self.error_pattern)

    def is_for(self, tool: str) -> bool:
        """Whether it is about the tool; an empty name is not asked about."""
        return not tool or self.tool == tool or (self.tool.endswith("*") and tool.startswith(self.tool[:-1]))

    def speaks(self, heard: str) -> bool:
        """Whether its words stand in the levelled text; an empty text is not asked about."""
        return not heard or levelled(self.error_pattern) in heard


class FixBook:
    """The entries of `learned/tool_fixes.yaml`, and beneath them the shipped ones; `clock` gives epoch seconds."""

    def __init__(self, store: Store, *, secrets: Secrets, clock: Callable[[], float]) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock

    def entries(self, tool: str = "", text: str = "") -> tuple[FixEntry, ...]:
        """The entries for this tool whose words stand in the text; the live file's first, each in its file's order.

        An empty tool or text is not asked about: `entries("git_push")` is all that is known of `git_push`.
        """
        heard = levelled(text)
        live = self._store.written_if_readable(FILE)
        return tuple(each for each in self._merged(live) if each.is_for(tool) and each.speaks(heard))

    def told(self) -> tuple[Mapping[str, Any], ...]:
        """Every entry as it counts, by the names of the file."""
        return tuple(
            {
                "tool_name": each.tool,
                "error_pattern": each.error_pattern,
                "root_cause": each.root_cause,
                "fix_applied": each.fix,
                **({"cause": each.cause} if each.cause else {}),
                "date_learned": each.date_learned,
                "times_prevented": each.times_prevented,
            }
            for each in self.entries()
        )

    def known(self, tool: str, text: str) -> tuple[KnownIssue, ...]:
        """What `entries` finds, as what is known about a failure."""
        return tuple(
            KnownIssue(source="tool_fixes.yaml", meaning=each.error_pattern, root_cause=each.root_cause, fix=each.fix)
            for each in self.entries(tool, text)
        )

    def learn(self, tool: str, error_pattern: str, root_cause: str, fix_description: str, *, cause: str = "") -> bool:
        """Keeps a fix that worked, or brings an older entry for the same error up to date; False when all was known.

        Raises InputError for texts that cannot be kept, DocumentError when the file is broken or cannot be written.
        """
        entry = self._entry(tool, error_pattern, root_cause, fix_description, cause)
        key, news = (tool, levelled(entry["error_pattern"])), (entry["root_cause"], entry["fix_applied"])
        if any((each.key, (each.root_cause, each.fix)) == (key, news) for each in self.entries(tool)):
            return False
        with self._store.editing(FILE, empty=EMPTY, seeded=False) as editing:
            known = {each.key: each for each in self._merged(editing.document)}
            old = known.get(key)
            at = next((at for at, each in enumerate(_entries(editing.document)) if _key(each) == key), None)
            if at is None:
                _refuse_more(len(known))
                editing.append((SECTION,), {**entry, "times_prevented": old.times_prevented if old else 0})
                return True
            for name in ("root_cause", "fix_applied", *(("cause",) if cause else ())):
                editing.set((SECTION, at, name), entry[name])
            if old is None:
                editing.set((SECTION, at, "off"), value=False)
            return True

    def record(self, counts: Prevented | Callable[[], Prevented]) -> None:
        """Writes how often each mistake was prevented; an entry that stands at that already is left alone.

        `counts` are all there ever were. As a function it is asked while the file is locked. Raises DocumentError when
        the file is broken or cannot be written.
        """
        if not _outdated(self.entries(), settled(counts)):
            return
        with self._store.editing(FILE, empty=EMPTY, seeded=False) as editing:
            for entry, count in _outdated(self._merged(editing.document), settled(counts)):
                if entry.at is None:
                    words = {"tool_name": entry.tool, "error_pattern": entry.error_pattern}
                    editing.append((SECTION,), {**words, "times_prevented": count})
                else:
                    editing.set((SECTION, entry.at, "times_prevented"), count)

    def misshapen(self) -> tuple[Finding, ...]:
        """What stands in the live file where a list of fixes is due."""
        live = self._store.written_if_readable(FILE)
        if live is None or live.value is None:
            return ()
        path: tuple[str, ...] = (SECTION,) if isinstance(live.value, dict) else ()
        value = live.value.get(SECTION) if path else live.value
        if path and isinstance(value, list | None):
            return ()
        message, hint = f"{SECTION} must be a list of entries", "begin each with `- tool_name: NAME`"
        place = live.place(path)
        return (Finding(place=place, code="wrong-type", message=message, hint=hint, severity=Severity.WARNING),)

    def findings(self) -> tuple[Finding, ...]:
        """The entries of the live file that help nobody, because neither they nor what is shipped name a fix."""
        live = self._store.written_if_readable(FILE)
        empty = [each for each in self._merged(live) if each.at is not None and not each.fix]
        hint = "say what helped, as `fix_applied`"
        return self.misshapen() + tuple(
            Finding(
                place=live.place((SECTION, each.at))
                if live is not None and each.at is not None
                else Place(file=FILE, line=1, column=1),
                code="no-fix",
                message=f"this entry of {each.tool} has no `fix_applied`",
                hint=hint,
                severity=Severity.WARNING,
            )
            for each in empty
        )

    def _merged(self, live: Document | None) -> tuple[FixEntry, ...]:
        shipped = {_key(entry): entry for entry in _entries(self._store.seed(FILE))}
        own: dict[tuple[str, str], FixEntry | None] = {}
        for at, entry in enumerate(_entries(live)):
            own.setdefault(_key(entry), _fix({**shipped.get(_key(entry), {}), **entry}, at))
        rest = (_fix(entry, None) for key, entry in shipped.items() if key not in own)
        return tuple(each for each in (*own.values(), *rest) if each is not None)

    def _entry(
        self, tool: str, error_pattern: str, root_cause: str, fix_description: str, cause: str
    ) -> dict[str, Any]:
        texts = {"error_pattern": error_pattern, "root_cause": root_cause, "fix_applied": fix_description}
        cleaned = {name: " ".join(str(self._secrets.mask(text)).split()) for name, text in texts.items()}
        problems = [] if tool and re.fullmatch(_TOOL, tool) else [f"{tool!r} is not a tool's name"]
        problems += [] if re.fullmatch(_CAUSE, cause) else [f"{cause!r} is not a root cause's id"]
        for name, (least, most) in _LIMITS.items():
            if not least <= len(cleaned[name]) <= most:
                problems.append(f"{name} must have {least} to {most} characters and has {len(cleaned[name])}")
        if problems:
            raise InputError("; ".join(problems), hint="say in a few words what the tool said, why, and what helped")
        learned = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d")
        named = {"cause": cause} if cause else {}
        return {"tool_name": tool, **cleaned, **named, "date_learned": learned, "times_prevented": 0}


def _outdated(entries: Iterable[FixEntry], counts: Prevented) -> list[tuple[FixEntry, int]]:
    told = ((entry, counts.get(entry.key, 0)) for entry in entries)
    return [(entry, count) for entry, count in told if entry.times_prevented != count]


def _refuse_more(count: int) -> None:
    if count >= MOST:
        raise InputError(f"{MOST:,} fixes are known already", hint="remove entries that no longer help")


def _entries(document: Document | None) -> list[Mapping[str, Any]]:
    value = document.value if document is not None else None
    entries = value.get(SECTION) if isinstance(value, dict) else None
    # What is no mapping keeps its place, so that positions are those in the file.
    return [entry if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else []


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    return _text(entry, "tool_name"), levelled(_text(entry, "error_pattern"))


def _fix(entry: Mapping[str, Any], at: int | None) -> FixEntry | None:
    """The entry; None for one that says nothing, or is switched off."""
    if entry.get("off") is True or not all(_key(entry)):
        return None
    prevented = entry.get("times_prevented")
    return FixEntry(
        tool=_text(entry, "tool_name"),
        error_pattern=_text(entry, "error_pattern"),
        root_cause=_text(entry, "root_cause"),
        fix=_text(entry, "fix_applied"),
        cause=_text(entry, "cause"),
        date_learned=_text(entry, "date_learned"),
        times_prevented=prevented if isinstance(prevented, int) and not isinstance(prevented, bool) else 0,
        at=at,
    )


def levelled(text: str) -> str:
    """Without what does not matter when words are compared: case, and how blanks and lines are laid out."""
    return " ".join(text.casefold().split())


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
