"""What the platform says to a request: an answer, or a refusal in words and a code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer: `body` in bytes, or `file` where the body lies on disk and may be large."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Give `value` as a JSON answer."""
    return Answer(status=status, body=json.dumps(value).encode() + b"\n", headers=dict(headers or {}))


class Refusal(Exception):  # noqa: N818 - it is an answer to a caller, not a fault of the platform
    """A request is refused: HTTP status, a slug for programs, a sentence for people, and what else helps."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.headers = dict(headers or {})
        self.details = details

    def answer(self) -> Answer:
        """Give the refusal as the platform's own error object."""
        return as_json({"error": self.sentence, "code": self.code, **self.details}, self.status, self.headers)
