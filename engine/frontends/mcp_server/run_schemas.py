"""The schemas of what runs answer: one shape for everything that begins, shows, answers or ends a run."""

from __future__ import annotations

from typing import Any

from engine.frontends.mcp_server.offers import Schema, giving, taking
from engine.model.failure import FailureKind
from engine.model.skill import InputType

TEXT: Schema = {"type": "string"}
WAIT: Schema = {
    "type": "number",
    "minimum": 0,
    "maximum": 600,
    "description": "Seconds to wait for the end; afterwards the answer says `running`, and the run goes on.",
}
RUN_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 100, "description": "The run, as a call answered it."}
STATUSES = ("ok", "failed", "blocked", "cancelled", "waiting", "running")
ANY_OBJECT: Schema = {"type": "object"}

STEP = taking({"name": TEXT, "status": TEXT, "message": TEXT}, ("name", "status"))
QUESTION = giving(
    {
        "name": {"type": "string", "description": "What an answer is given under."},
        "text": TEXT,
        "type": {"type": "string", "enum": [kind.value for kind in InputType]},
        "choices": {"type": "array", "description": "The only answers there are; empty: any of the type."},
        "default": {"description": "null: there is none."},
        "about": {"type": "string", "enum": ["ask", "fix", "settle"]},
        "step": TEXT,
    }
)
FAILED = taking(
    {
        "step": TEXT,
        "kind": {"type": "string", "enum": [kind.value for kind in FailureKind]},
        "message": TEXT,
        "root_cause": {"type": ["object", "null"]},
        "remediation": {"type": "array", "items": TEXT},
    },
    ("step", "kind", "message", "remediation"),
)


def run_result(outputs: Schema = ANY_OBJECT) -> dict[str, Any]:
    """The schema of how a run is, with `outputs` as those of its skill."""
    return giving(
        {
            "run_id": TEXT,
            "skill": TEXT,
            "status": {"type": "string", "enum": list(STATUSES)},
            "outputs": {"anyOf": [dict(outputs), {"type": "null"}], "description": "null until the run has ended."},
            "message": TEXT,
            "duration": {"type": ["number", "null"], "description": "Seconds."},
            "steps": {"type": "array", "items": STEP},
            "questions": {"type": "array", "items": QUESTION},
            "failed": {"anyOf": [FAILED, {"type": "null"}]},
            "next": {"type": "string", "description": "What to call now."},
        }
    )


RUNS = giving(
    {
        "runs": {
            "type": "array",
            "items": giving(
                {
                    "run_id": TEXT,
                    "skill": TEXT,
                    "tool": {"type": ["string", "null"], "description": "The tool, of a single call of one."},
                    "status": {"type": "string", "enum": list(STATUSES)},
                    "started_at": {"type": "number", "description": "Seconds since the epoch."},
                    "duration": {"type": ["number", "null"]},
                    "message": TEXT,
                }
            ),
        }
    }
)
"""The latest runs, newest first."""

LOG = giving(
    {
        "run_id": TEXT,
        "lines": {
            "type": "array",
            "items": giving(
                {
                    "number": {"type": "integer"},
                    "at": {"type": "number"},
                    "kind": TEXT,
                    "step": TEXT,
                    "text": TEXT,
                }
            ),
        },
        "next_after": {"type": "integer", "description": "Give this as `after` for what comes next."},
        "more": {"type": "boolean"},
    }
)
"""A page of what a run recorded."""
