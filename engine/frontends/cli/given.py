"""Inputs as people type them: `name=value`, `name:=JSON`, `name=@file`, a YAML file, or an answer to a prompt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from engine.model.lazy_dataclass import dataclass
from engine.model.skill import Input, Skill

LONGEST_FILE = 1_000_000
"""Bytes of a file given as `name=@file`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Inputs by name; those in `from_text` were typed, and are coerced to the input's type."""

    values: Mapping[str, Any]
    from_text: frozenset[str] = frozenset()


def read_given(pairs: Sequence[str], inputs_file: str | None) -> Given:
    """The inputs of a command line; pairs win over the file. Raises click.BadParameter and DocumentError."""
    values: dict[str, Any] = _from_file(Path(inputs_file)) if inputs_file else {}
    given = read_pairs(pairs)
    return Given(values={**values, **given.values}, from_text=given.from_text)


def read_pairs(pairs: Sequence[str], *, option: str = "-i") -> Given:
    """The values of `NAME=VALUE` words, the last of a name counting. Raises click.BadParameter."""
    values: dict[str, Any] = {}
    from_text: set[str] = set()
    for pair in pairs:
        name, value, is_text = _split(pair, option)
        values[name] = value
        (from_text.add if is_text else from_text.discard)(name)
    return Given(values=values, from_text=frozenset(from_text))


def missing_inputs(skill: Skill, given: Given) -> Given:
    """Asks on the terminal for each required input that was not given, until the answer fits."""
    answers = {
        declared.name: _ask(declared)
        for declared in skill.inputs
        if declared.must_be_given and declared.name not in given.values
    }
    return Given(values={**given.values, **answers}, from_text=given.from_text | answers.keys())


def _ask(declared: Input) -> str:
    from engine.library.values import UnfitError, Wanted, fit, from_typed  # noqa: PLC0415 - late: few runs ask

    wanted = Wanted.of(declared)

    def fitting(text: str) -> str:
        try:
            fit(from_typed(text, wanted), wanted)
        except UnfitError as error:
            raise click.BadParameter(f"{error}: it wants {wanted}") from error
        return text

    about = f" ({' '.join(declared.description.split())})" if declared.description else ""
    return click.prompt(f"{declared.name}{about}", value_proc=fitting, err=True, hide_input=declared.secret)


def _from_file(path: Path) -> dict[str, Any]:
    from engine.documents import read  # noqa: PLC0415 - late: few runs take their inputs from a file

    value = read(path).value
    if not isinstance(value, dict):
        raise click.BadParameter(f"{path} must hold a mapping of input names to values", param_hint="--inputs-file")
    return value


def _split(pair: str, option: str) -> tuple[str, Any, bool]:
    name, sign, text = pair.partition("=")
    if not sign or not name.strip(": "):
        raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint=option)
    if name.endswith(":"):
        return name[:-1].strip(), _json(name[:-1].strip(), text, option), False
    return name.strip(), _file_text(text[1:], option) if text.startswith("@") else text, True


def _json(name: str, text: str, option: str) -> Any:
    # The text is not shown: it may be meant for a secret input.
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise click.BadParameter(f"the value of {name} is not JSON ({error})", param_hint=option) from error


def _file_text(path: str, option: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint=option) from error
    if len(content) > LONGEST_FILE:
        raise click.BadParameter(f"{path} is larger than {LONGEST_FILE} bytes", param_hint=option)
    return content.decode("utf-8", "replace")
