"""The options of a step in a few words each, as a picture shows them."""

from __future__ import annotations

from collections.abc import Iterator

from engine.library.graph.nodes import Mark, MarkKind
from engine.model.place import Text
from engine.model.skill import ForeachOption, HealOption, OnError, RetryOption, Step, UntilOption


def marks_of(step: Step, *, per_element: bool) -> Iterator[Mark]:
    """Every option of the step; `per_element` says that its condition is looked at for each element."""
    if step.foreach is not None:
        yield Mark(kind=MarkKind.FOREACH, text=_foreach(step.foreach))
    if step.condition is not None:
        word = "only where" if per_element else "if"
        yield Mark(kind=MarkKind.CONDITION, text=f"{word} {bare(step.condition)}")
    if step.until is not None:
        yield Mark(kind=MarkKind.UNTIL, text=_until(step.until))
    if step.retry is not None:
        yield Mark(kind=MarkKind.RETRY, text=_retry(step.retry))
    if step.expect is not None:
        yield Mark(kind=MarkKind.EXPECT, text=f"expects {bare(step.expect)}")
    if step.on_error is OnError.CONTINUE:
        yield Mark(kind=MarkKind.ON_ERROR, text="goes on if it fails")
    if step.timeout is not None:
        yield Mark(kind=MarkKind.TIMEOUT, text=f"at most {span(step.timeout)}")
    if told := _heal(step.heal):
        yield Mark(kind=MarkKind.HEAL, text=told)
    if step.secret:
        yield Mark(kind=MarkKind.SECRET, text="secret")


def bare(text: Text) -> str:
    """An expression on one line, without the braces around it."""
    told = " ".join(text.text.split())
    if told.startswith("{{") and told.endswith("}}") and told.count("{{") == 1:
        return told[2:-2].strip()
    return told


def span(seconds: float) -> str:
    """A length of time as authors write it: `0.5 s`, `90 s`, `5 m`, `2 h`."""
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:g} s"


def _foreach(option: ForeachOption) -> str:
    together = f", {option.parallel} at a time" if option.parallel > 1 else ""
    return f"for each {option.bind} of {bare(option.items)}{together}"


def _until(option: UntilOption) -> str:
    return f"every {span(option.every)} until {bare(option.condition)}, at most {span(option.timeout)}"


def _retry(option: RetryOption) -> str:
    kinds = f" on {', '.join(option.on)}" if option.on else ""
    apart = f", {span(option.delay)} apart" if option.delay else ""
    return f"up to {option.attempts} times{kinds}{apart}"


def _heal(option: HealOption) -> str:
    if not option.enabled:
        return "never healed"
    told = []
    if option.fixes is not None:
        told.append(f"only by {', '.join(option.fixes)}" if option.fixes else "by no fix")
    if option.domain is not None:
        told.append(f"as part of {option.domain}")
    if option.domain_text is not None:
        told.append(f"as part of {bare(option.domain_text)}")
    if option.max_fixes is not None:
        told.append(f"by at most {option.max_fixes} fix{'' if option.max_fixes == 1 else 'es'}")
    return f"healed {', '.join(told)}" if told else ""
