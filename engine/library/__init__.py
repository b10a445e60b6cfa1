"""Skills on disk: found, checked, parsed, and given their inputs and answers."""

from __future__ import annotations

from engine.library.catalog import SkillEntry, SkillLibrary
from engine.library.inputs import bind_inputs, coerced_answer

__all__ = ["SkillEntry", "SkillLibrary", "bind_inputs", "coerced_answer"]
