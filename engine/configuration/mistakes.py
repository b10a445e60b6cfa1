"""What is wrong with what people wrote about their places, each mistake at its place in the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from engine.configuration.sections import SECTIONS
from engine.documents import Document, findings
from engine.errors import DocumentError
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding
from engine.workspace import Workspace

Path = tuple[str | int, ...]
DESCRIBE = "describe it as [networks.NAME], with `connect` and `probe`"


def check_settings(workspace: Workspace) -> None:
    """Refuses settings that break their schema, each mistake at its place in the file.

    Raises DocumentError.
    """
    if workspace.settings_file is not None or workspace.settings:
        insist(settings_document(workspace), "settings", workspace)


def settings_document(workspace: Workspace) -> Document:
    """The workspace's settings as a document that is called as its file is; places are found when they are needed."""
    path = workspace.settings_file
    name = str(path) if path else "Workspace.settings"
    text = path.read_text(encoding="utf-8") if path else _written(workspace)
    return Document(value=dict(workspace.settings), name=name, text=text, root=None)


def insist(document: Document, schema: str, workspace: Workspace) -> None:
    """Refuses a document that breaks its schema. Raises DocumentError."""
    if findings(document, schema, cache=workspace.valid):
        placed = _placed(document)
        refuse(placed, findings(placed, schema))


def mistakes(document: Document, networks: Collection[str]) -> tuple[Finding, ...]:
    """What no schema sees in a document that fits it: networks that nobody describes, and domains described twice."""
    wrong = list(_wrong(document.value, networks))
    if not wrong:
        return ()
    placed = _placed(document)
    return tuple(
        Finding(place=placed.place(each.path, key=each.at_key), code=each.code, message=each.message, hint=each.hint)
        for each in wrong
    )


def refuse(document: Document, found: tuple[Finding, ...]) -> None:
    """Raises DocumentError where something was found."""
    if found:
        raise DocumentError(f"{document.name} is not valid: {found[0].message}", findings=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wrong:
    """A mistake: the way to it, and what is said of it."""

    path: Path
    code: str
    message: str
    hint: str
    at_key: bool = False


def _wrong(sections: Mapping[str, Any], networks: Collection[str]) -> Iterator[_Wrong]:
    for section in SECTIONS:
        for name, told in sections.get(section, {}).items():
            network = told.get("network")
            if network is not None and network not in networks:
                near = get_close_matches(network, networks, n=1)
                yield _Wrong(
                    path=(section, name, "network"),
                    code="unknown-network",
                    message=f"there is no network called {network}",
                    hint=f"did you mean {near[0]}?" if near else DESCRIBE,
                )
    for name in sorted({*sections.get("clusters", {})} & {*sections.get("services", {})}):
        yield _Wrong(
            path=("clusters", name),
            code="given-twice",
            message=f"{name} is a service too, and both would be the domain {name}",
            hint="call the cluster something else",
            at_key=True,
        )


def _placed(document: Document) -> Document:
    """The document with the places of a TOML text, which are found only when something is wrong."""
    if not document.name.endswith(".toml"):
        return document
    from engine.documents.toml import toml_document  # noqa: PLC0415 - late: only mistakes need their places

    return toml_document(document.text, document.name)


def _written(workspace: Workspace) -> str:
    """Settings made in code, as text to know them by."""
    import json  # noqa: PLC0415 - late: only programs make settings

    return json.dumps(workspace.settings, default=str)
