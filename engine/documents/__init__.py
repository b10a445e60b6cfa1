"""Files that people write and programs change: read with places, checked against schemas, edited without loss."""

from __future__ import annotations

from engine.documents.builder import Limits
from engine.documents.document import Document
from engine.documents.editing import Editing
from engine.documents.findings import findings
from engine.documents.reader import parse, read
from engine.documents.schemas import schema
from engine.documents.writer import edit, write_whole
from engine.documents.written import dump

__all__ = ["Document", "Editing", "Limits", "dump", "edit", "findings", "parse", "read", "schema", "write_whole"]
