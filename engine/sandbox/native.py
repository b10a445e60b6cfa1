"""What Python itself raises while an author's text is evaluated, as sentences."""

from __future__ import annotations

from typing import Final

NATIVE: Final = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)


def native_sentence(error: Exception) -> str:
    """What Python said, as part of a sentence."""
    if isinstance(error, KeyError):
        return f"there is no key {str(error)[:80]}"
    if isinstance(error, ZeroDivisionError):
        return "this divides by zero"
    return str(error) or type(error).__name__
