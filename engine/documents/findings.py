"""What a document breaks of its schema, one sentence for each mistake, at the key or value that is wrong."""

from __future__ import annotations

from pathlib import Path

from engine.bundle import bundle
from engine.documents import schemas
from engine.documents.document import Document
from engine.model.place import Finding


def findings(
    document: Document, schema_name: str, *, cache: Path | None = None, folder: Path | None = None
) -> tuple[Finding, ...]:
    """Every mistake in the document against `schemas/NAME.schema.json`, in the file's order; empty when it fits.

    With a `cache` folder a text found valid is not looked at again. `folder` holds other schemas than the bundled.
    """
    place = folder or bundle("schemas")
    marker = schemas.marker(cache, document, schema_name, place) if cache else None
    if marker and schemas.known_valid(marker):
        return ()
    from engine.documents.inspection import inspected  # noqa: PLC0415 - late: a document known to be valid needs none

    found = inspected(document, schema_name, place)
    if marker and not found:
        schemas.remember_valid(marker)
    return found
