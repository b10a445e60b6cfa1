"""From an entry of `failure_contexts.yaml` to a sequence and back; what an entry does wrong is said with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.documents import Document, Editing
from engine.model.conditions import conditions
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Severity
from engine.model.prevention import Learning
from engine.model.prevention import Sequence as Foresight

Plan = Callable[[tuple[Foresight, ...]], Sequence[Learning]]

SECTION = "sequences"
MOST = 500

COUNTS = ("observations", "confirmed", "predicted", "prevented", "false_alarms")
"""What the engine counts of a sequence; a count that was never written is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The sequences of a file by their position in it, and the mistakes of the others."""

    rows: Mapping[int, Foresight]
    findings: tuple[Finding, ...]

    def all(self) -> tuple[Foresight, ...]:
        """The sequences in the file's order."""
        return tuple(self.rows.values())


Change = tuple[int | None, Learning, dict[str, Any]]
"""Where the sequence stands (None: nowhere yet), what it should say, and the fields of it that differ."""


def changes(document: Document | None, plan: Plan) -> list[Change]:
    """What has to be written so that the document says what is planned; new sequences at its end, as room allows."""
    standing = rows(document) if document is not None else Rows(rows={}, findings=())
    places = {sequence.trigger: index for index, sequence in standing.rows.items()}
    found: list[Change] = []
    for learning in plan(standing.all()):
        place = places.get(learning.sequence.trigger)
        fields = _entry(learning) if place is None else _news(standing.rows[place], learning)
        if fields and (place is not None or len(standing.rows) < MOST):
            found.append((place, learning, fields))
    return found


def written(editing: Editing, plan: Plan) -> tuple[str, ...]:
    """Writes what is planned; the names of the sequences that changed."""
    wanted = changes(editing.document, plan)
    for place, _, fields in wanted:
        _write(editing, place, fields)
    return tuple(learning.sequence.trigger for _, learning, _ in wanted)


def _news(old: Foresight, learning: Learning) -> dict[str, Any]:
    """What the engine has to write of a sequence that stands in the file."""
    new = learning.sequence
    fields: dict[str, Any] = {name: getattr(new, name) for name in COUNTS if getattr(new, name) != getattr(old, name)}
    if fields.keys() & {"observations", "confirmed"}:
        fields |= {"confidence": learning.confidence, "probability": learning.probability}
    if new.retired and not old.retired:
        fields["retired"] = True
    more = [tool for tool in new.cascades if tool not in old.cascades]
    return {**fields, "cascading_failures": more} if more else fields


def _entry(learning: Learning) -> dict[str, Any]:
    """A new sequence as the file has it."""
    new = learning.sequence
    fix = {"fix": new.fix, **({"args": dict(new.fix_args)} if new.fix_args else {})} if new.fix else None
    said = {"error": new.kind.value, "probability": learning.probability, "domain": new.domain}
    return {
        "trigger": new.trigger,
        "context": dict(new.context),
        "prediction": {name: value for name, value in said.items() if value is not None},
        **({"cascading_failures": list(new.cascades)} if new.cascades else {}),
        **({"proactive_fix": fix} if fix else {}),
        **{name: getattr(new, name) for name in COUNTS},
        "confidence": learning.confidence,
    }


def _write(editing: Editing, place: int | None, fields: Mapping[str, Any]) -> None:
    if place is None:
        _append(editing, fields)
        return
    row = (SECTION, place)
    for name, value in fields.items():
        match name:
            case "probability":
                editing.set((*row, "prediction", name), value)
            case "cascading_failures":
                for tool in value:
                    editing.append((*row, name), tool)
            case _:
                editing.set((*row, name), value)


def _append(editing: Editing, entry: Mapping[str, Any]) -> None:
    if isinstance(editing.value, dict) and isinstance(editing.value.get(SECTION), list):
        editing.append((SECTION,), dict(entry))
    else:
        editing.set((SECTION,), [dict(entry)])


def rows(document: Document) -> Rows:
    """Every usable sequence of the document; one with a mistake in it is left out and reported."""
    value = document.value
    entries = value.get(SECTION) if isinstance(value, dict) else None
    found: dict[int, Foresight] = {}
    findings: list[Finding] = []
    for index, row in enumerate(entries if isinstance(entries, list) else ()):
        try:
            sequence = _sequence(row)
        except _MistakeError as mistake:
            findings.append(_finding(document, (SECTION, index, *mistake.where), mistake.code, str(mistake)))
            continue
        if any(sequence.trigger == other.trigger for other in found.values()):
            said = f"the trigger {sequence.trigger} stands twice; only the first is used"
            findings.append(_finding(document, (SECTION, index, "trigger"), "duplicate-id", said))
            continue
        found[index] = sequence
    return Rows(rows=found, findings=tuple(findings))


class _MistakeError(Exception):
    """What is wrong with a row, and where in it."""

    def __init__(self, message: str, code: str, *where: str) -> None:
        super().__init__(message)
        self.code = code
        self.where = where


def _sequence(row: Any) -> Foresight:
    if not isinstance(row, dict):
        raise _MistakeError("a sequence is a mapping", "wrong-type")
    trigger, context = row.get("trigger"), row.get("context")
    said = row["prediction"] if isinstance(row.get("prediction"), dict) else {}
    if not isinstance(trigger, str) or not trigger:
        raise _MistakeError("this sequence has no `trigger`, which is its name", "no-trigger")
    if said.get("error") not in FailureKind.__members__.values():
        problem = "the `error` of a prediction is a kind of failure, as `auth_expired`"
        raise _MistakeError(problem, "unknown-kind", "prediction", "error")
    if not isinstance(context, dict):
        raise _MistakeError("this sequence has no `context`", "no-context", "context")
    if not isinstance(row.get("cascading_failures"), list | None):
        raise _MistakeError("`cascading_failures` is a list of tools", "wrong-type", "cascading_failures")
    try:
        conditions(context)
    except ValueError as error:
        raise _MistakeError(str(error), "bad-condition", "context") from error
    fix = row.get("proactive_fix") if isinstance(row.get("proactive_fix"), dict) else {}
    return Foresight(
        trigger=trigger,
        context=context,
        kind=FailureKind(said["error"]),
        domain=_text(said, "domain"),
        cascades=_texts(row, "cascading_failures"),
        fix=_text(fix or {}, "fix"),
        fix_args=fix["args"] if fix and isinstance(fix.get("args"), dict) else {},
        retired=row.get("retired") is True,
        **_counted(row),
    )


def _counted(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: _count(row, name) for name in COUNTS}
    return {**counts, "confirmed": min(counts["confirmed"], counts["observations"])}


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name)
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _finding(document: Document, path: tuple[str | int, ...], code: str, message: str) -> Finding:
    hint = "until it is mended the engine goes on without it; memory/README.md tells the fields"
    return Finding(place=document.place(path), code=code, message=message, hint=hint, severity=Severity.WARNING)
