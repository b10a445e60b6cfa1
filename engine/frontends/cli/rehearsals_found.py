"""Which rehearsals there are, and which of them were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from engine.errors import DocumentError
from engine.library.nearest import did_you_mean
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding
from engine.model.rehearsal import Rehearsal
from engine.run.rehearsal.checking import mistakes
from engine.run.rehearsal.reading import read_rehearsals
from engine.wiring import Engine
from engine.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rehearsals that can be played, and what is wrong in the files of others."""

    rehearsals: tuple[Rehearsal, ...]
    findings: tuple[Finding, ...] = ()


def find_rehearsals(workspace: Workspace, names: Sequence[str], keyword: str) -> Found:
    """The rehearsals asked for, in the order of their files; all when nothing was asked for.

    A name is a file's, a skill's, or a rehearsal's own; `keyword` stands in any of these. Raises click.UsageError for
    what names none.
    """
    given = _given(names)
    paths = [path for folder in workspace.rehearsal_folders for path in sorted(folder.glob("*.yaml"))]
    only_given = bool(given) and len(given) == len(names)
    rehearsals, findings = _read(given if only_given else [*given, *paths], workspace)
    broken = [each for each in findings if _may_concern(Path(each.place.file), names, keyword, given)]
    if not broken:
        _refuse_unknown(names, rehearsals)
    chosen = [each for each in rehearsals if not names or _is_asked_for(each, names, given)]
    wanted = tuple(each for each in chosen if keyword.lower() in _words(each).lower())
    invalid = _invalid(wanted, Engine(workspace))
    wrong = {finding.place.file for finding in invalid}
    playable = tuple(each for each in wanted if each.place.file not in wrong)
    return Found(rehearsals=playable, findings=(*broken, *invalid))


def _given(names: Sequence[str]) -> list[Path]:
    """The files among the names."""
    given = [Path(name).absolute() for name in names if _is_path(name)]
    for path in given:
        if not path.is_file():
            raise click.UsageError(f"there is no file {path}")
    return given


def _may_concern(path: Path, names: Sequence[str], keyword: str, given: Sequence[Path]) -> bool:
    """Whether a file that cannot be read may hold what was asked for: whoever names one skill hears of no other."""
    if path in given or not (names or keyword):
        return True
    try:
        text = f"{path.stem}\n{path.read_text(encoding='utf-8', errors='replace')}".lower()
    except OSError:
        return True
    return (not names or any(name.lower() in text for name in names)) and keyword.lower() in text


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith(".yaml")


def _read(paths: Sequence[Path], workspace: Workspace) -> tuple[list[Rehearsal], list[Finding]]:
    rehearsals: list[Rehearsal] = []
    findings: list[Finding] = []
    for path in dict.fromkeys(paths):
        try:
            rehearsals += read_rehearsals(path, cache=workspace.cache / "valid")
        except DocumentError as error:
            findings += error.told(str(path))
    return rehearsals, findings


def _is_asked_for(rehearsal: Rehearsal, names: Sequence[str], given: Sequence[Path]) -> bool:
    return Path(rehearsal.place.file) in given or any(name in _names(rehearsal) for name in names)


def _names(rehearsal: Rehearsal) -> tuple[str, str, str]:
    return rehearsal.name, rehearsal.skill, Path(rehearsal.place.file).stem


def _words(rehearsal: Rehearsal) -> str:
    return " ".join(_names(rehearsal))


def _refuse_unknown(names: Sequence[str], rehearsals: Sequence[Rehearsal]) -> None:
    """UsageError for a name of nothing."""
    known = {name for each in rehearsals for name in _names(each)}
    for name in names:
        if not _is_path(name) and name not in known:
            hint = did_you_mean(name, known)
            more = f"; {hint}" if hint else ""
            raise click.UsageError(f"there is no rehearsal of that name or skill: {name}{more}")


def _invalid(rehearsals: Sequence[Rehearsal], engine: Engine) -> list[Finding]:
    return [finding for each in rehearsals for finding in mistakes(each, engine.registry)]
