"""Where the data that ships with the engine lies: `skills`, `schemas` and the `memory` seeds."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundle(part: str) -> Path:
    """The folder of a bundled part: the checkout's own, else the one packed into the installed wheel.

    The packed one is asked for first, because beside an installed package other people's folders may lie under
    the same names. `importlib.resources` would say the same and costs 15 ms at start-up.
    """
    packed = _PACKAGE / "_bundle"
    return (packed if packed.is_dir() else _PACKAGE.parent) / part


def checkout() -> Path | None:
    """The folder of the checkout this engine runs from; None when it was installed."""
    root = _PACKAGE.parent
    return root if not (_PACKAGE / "_bundle").is_dir() and (root / "pyproject.toml").is_file() else None
