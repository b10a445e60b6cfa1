"""The history's tables, as numbered steps from an empty file to what this program knows.

Every statement runs on SQLite and on PostgreSQL. A migration that was released is never changed: add the next one.
"""

from __future__ import annotations

from typing import NamedTuple

BOOKKEEPING = (
    "CREATE TABLE IF NOT EXISTS migrations "
    "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
)


class Migration(NamedTuple):
    """One numbered change of the tables; no dataclass, because every run pays for making the class."""

    number: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        number=1,
        name="runs, steps, attempts, heal stages, fixes, events",
        statements=(
            """
            CREATE TABLE runs (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                skill TEXT NOT NULL,
                version TEXT NOT NULL,
                file TEXT NOT NULL,
                digest TEXT NOT NULL,
                profile TEXT NOT NULL,
                status TEXT NOT NULL,
                message TEXT NOT NULL,
                started_at DOUBLE PRECISION NOT NULL,
                finished_at DOUBLE PRECISION,
                duration DOUBLE PRECISION,
                healed INTEGER NOT NULL,
                pid INTEGER,
                host TEXT NOT NULL,
                start_event INTEGER NOT NULL,
                end_event INTEGER
            )
            """,
            "CREATE INDEX runs_of_skill ON runs (skill, number)",
            "CREATE TABLE skill_texts (digest TEXT PRIMARY KEY, text TEXT NOT NULL)",
            """
            CREATE TABLE events (
                run INTEGER NOT NULL,
                number INTEGER NOT NULL,
                at DOUBLE PRECISION NOT NULL,
                kind TEXT NOT NULL,
                step TEXT NOT NULL,
                body TEXT NOT NULL,
                PRIMARY KEY (run, number)
            )
            """,
            """
            CREATE TABLE steps (
                run INTEGER NOT NULL,
                name TEXT NOT NULL,
                start_event INTEGER NOT NULL,
                end_event INTEGER,
                position INTEGER NOT NULL,
                section TEXT NOT NULL,
                action TEXT NOT NULL,
                call TEXT NOT NULL,
                status TEXT NOT NULL,
                started_at DOUBLE PRECISION NOT NULL,
                finished_at DOUBLE PRECISION,
                duration DOUBLE PRECISION,
                attempts INTEGER NOT NULL DEFAULT 0,
                failed INTEGER NOT NULL DEFAULT 0,
                auto_fixed INTEGER NOT NULL DEFAULT 0,
                tool TEXT NOT NULL DEFAULT '',
                kind TEXT NOT NULL DEFAULT '',
                error TEXT NOT NULL DEFAULT '',
                fix TEXT NOT NULL DEFAULT '',
                day TEXT NOT NULL DEFAULT '',
                week TEXT NOT NULL DEFAULT '',
                pattern TEXT NOT NULL DEFAULT '',
                pattern_right INTEGER,
                PRIMARY KEY (run, name)
            )
            """,
            "CREATE INDEX steps_failed ON steps (finished_at) WHERE failed = 1",
            "CREATE INDEX steps_failed_by_day ON steps (day, week, auto_fixed) WHERE failed = 1",
            "CREATE INDEX steps_by_pattern ON steps (pattern, pattern_right) WHERE pattern_right IS NOT NULL",
            """
            CREATE TABLE attempts (
                run INTEGER NOT NULL,
                step TEXT NOT NULL,
                event INTEGER NOT NULL,
                number INTEGER NOT NULL,
                tool TEXT NOT NULL,
                ok INTEGER NOT NULL,
                kind TEXT NOT NULL,
                started_at DOUBLE PRECISION NOT NULL,
                finished_at DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (run, step, event)
            )
            """,
            """
            CREATE TABLE heal_stages (
                run INTEGER NOT NULL,
                step TEXT NOT NULL,
                event INTEGER NOT NULL,
                stage TEXT NOT NULL,
                answer TEXT NOT NULL,
                PRIMARY KEY (run, step, event)
            )
            """,
            """
            CREATE TABLE fixes (
                run INTEGER NOT NULL,
                step TEXT NOT NULL,
                event INTEGER NOT NULL,
                fix TEXT NOT NULL,
                domain TEXT NOT NULL,
                ok INTEGER NOT NULL,
                shared INTEGER NOT NULL,
                helped INTEGER,
                signature TEXT NOT NULL,
                kind TEXT NOT NULL,
                pattern TEXT NOT NULL,
                started_at DOUBLE PRECISION NOT NULL,
                finished_at DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (run, step, event)
            )
            """,
            "CREATE INDEX fixes_in_time ON fixes (fix, domain, finished_at)",
        ),
    ),
    Migration(
        number=2,
        name="who owns a run, what it was asked to do, and whole values for those who resume it",
        statements=(
            "ALTER TABLE runs ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE runs ADD COLUMN cancel_requested DOUBLE PRECISION",
            "ALTER TABLE runs ADD COLUMN reused_from TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE steps ADD COLUMN begun INTEGER NOT NULL DEFAULT 1",
            "ALTER TABLE steps ADD COLUMN foreach INTEGER NOT NULL DEFAULT 0",
            """
            CREATE TABLE step_values (
                run INTEGER NOT NULL,
                step TEXT NOT NULL,
                field TEXT NOT NULL,
                body TEXT NOT NULL,
                PRIMARY KEY (run, step, field)
            )
            """,
            """
            CREATE INDEX events_of_questions ON events (run, number)
            WHERE kind IN ('question_asked', 'question_answered')
            """,
        ),
    ),
    Migration(
        number=3,
        name="what was looked at beforehand, what was foretold and what came, and why a fix was run",
        statements=(
            "ALTER TABLE fixes ADD COLUMN cause TEXT NOT NULL DEFAULT 'failure'",
            "ALTER TABLE attempts ADD COLUMN domain TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE steps ADD COLUMN domain TEXT NOT NULL DEFAULT ''",
            """
            CREATE TABLE checks (
                run INTEGER NOT NULL,
                step TEXT NOT NULL,
                event INTEGER NOT NULL,
                name TEXT NOT NULL,
                domain TEXT NOT NULL,
                ok INTEGER,
                kind TEXT NOT NULL,
                action TEXT NOT NULL,
                fix TEXT NOT NULL,
                at DOUBLE PRECISION NOT NULL,
                day TEXT NOT NULL,
                week TEXT NOT NULL,
                PRIMARY KEY (run, step, event)
            )
            """,
            """
            CREATE TABLE predictions (
                run INTEGER NOT NULL,
                step TEXT NOT NULL,
                event INTEGER NOT NULL,
                tool TEXT NOT NULL,
                domain TEXT NOT NULL,
                at DOUBLE PRECISION NOT NULL,
                hour INTEGER NOT NULL,
                weekday TEXT NOT NULL,
                first_call_of_day INTEGER,
                first_call_since_wake INTEGER,
                since_wake DOUBLE PRECISION,
                token_left DOUBLE PRECISION,
                last_calls TEXT NOT NULL,
                last_failure TEXT NOT NULL,
                sequence TEXT NOT NULL,
                kind TEXT NOT NULL,
                probability DOUBLE PRECISION NOT NULL,
                action TEXT NOT NULL,
                fix TEXT NOT NULL,
                fix_ok INTEGER,
                came TEXT,
                cost DOUBLE PRECISION,
                day TEXT NOT NULL,
                week TEXT NOT NULL,
                PRIMARY KEY (run, step, event)
            )
            """,
            "CREATE INDEX predictions_in_time ON predictions (domain, at)",
            "CREATE INDEX predictions_by_sequence ON predictions (sequence, at) WHERE sequence <> ''",
        ),
    ),
    Migration(
        number=4,
        name="why a step failed for good, by the name of its root cause",
        statements=("ALTER TABLE steps ADD COLUMN root_cause TEXT NOT NULL DEFAULT ''",),
    ),
)
