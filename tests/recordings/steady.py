"""What of an answer is the same every time: versions, moments and made-up names become words for what they are."""

from __future__ import annotations

import re
from typing import Any

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MADE = re.compile(r"\b(shop)-[a-z0-9]{5}\b")
REPLICA_SET = re.compile(r"\b(web)-[a-z0-9]{6,10}\b")
OWN_WORDS = {"uid": "<uid>", "resourceVersion": "<version>", "continue": "<place>", "pod-template-hash": "<hash>"}
UNREAD = {"managedFields", "selfLink", "description"}
"""Who owns which field, the older API's address of an object, and what explains columns: nobody here reads them."""


def steady(said: Any) -> Any:
    """The answer without what differs from one time to the next."""
    if isinstance(said, dict):
        kept = {name: steady(part) for name, part in said.items() if name not in UNREAD}
        kept |= {name: word for name, word in OWN_WORDS.items() if isinstance(kept.get(name), str) and kept[name]}
        return _without_ages(kept) if kept.get("kind") == "Table" else kept
    if isinstance(said, list):
        return [steady(each) for each in said]
    return _word(said) if isinstance(said, str) else said


def _word(said: str) -> str:
    return REPLICA_SET.sub(r"\1-<hash>", MADE.sub(r"\1-<made>", MOMENT.sub("<moment>", said)))


def _without_ages(table: dict[str, Any]) -> dict[str, Any]:
    ages = [number for number, each in enumerate(table["columnDefinitions"]) if each["name"] == "Age"]
    for row in table["rows"] or ():
        for number in ages:
            row["cells"][number] = "<age>"
    return table
