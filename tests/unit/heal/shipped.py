"""The shipped patterns, and what they make of a text."""

from __future__ import annotations

from bench.texts import shipped
from engine.heal.detect import diagnose
from engine.model.failure import Diagnosis, Evidence, Failure

PATTERNS = shipped()


def read_as(text: str, program: str | None = None) -> Diagnosis:
    """The diagnosis of a failure that left nothing but this text."""
    return diagnose(Failure(message="", evidence=Evidence(text=text, program=program)), PATTERNS)
