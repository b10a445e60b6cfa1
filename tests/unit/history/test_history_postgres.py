"""The statements run on PostgreSQL as they stand: asked of a real one, where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from engine.history import journal, migrations, past, query, questions, recorder, rows, statistics

MODULES: tuple[ModuleType, ...] = (journal, past, query, questions, recorder, rows, statistics)
BEGUN_TWICE = """
    INSERT INTO steps (run, name, start_event, position, section, action, call, status, started_at, foreach)
    VALUES (1, 'a', 1, 0, '', '', '', 'running', 1, 0)
    ON CONFLICT (run, name) DO UPDATE SET begun = steps.begun + 1;
"""


def program(name: str) -> str:
    """A program of PostgreSQL's; some distributions keep them off the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)]))
    return found or pytest.skip("there is no PostgreSQL here")


def run(folder: Path, who: str | None, *words: str) -> None:
    """Runs a program of PostgreSQL's in the folder, as that user."""
    subprocess.run(words, check=True, user=who, cwd=folder, stdout=subprocess.DEVNULL)


@pytest.fixture
def postgres() -> Iterator[Path]:
    """The folder of a server's socket; the server refuses to be root, so root lends it to nobody."""
    who = "nobody" if os.geteuid() == 0 else None
    initdb, control = program("initdb"), program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if who:
        shutil.chown(folder, who)
    try:
        run(folder, who, initdb, "-D", "d", "-A", "trust", "-N", "-U", "us", "-E", "UTF8")
        asked = f"-k {folder} -c listen_addresses= -c fsync=off"
        run(folder, who, control, "-D", "d", "-o", asked, "-l", "log", "-w", "start")
        try:
            yield folder
        finally:
            run(folder, who, control, "-D", "d", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def prepared(sql: str, name: str) -> str:
    """The statement with PostgreSQL's way to name parameters."""
    pieces = sql.strip().split("?")
    numbered = "".join(f"{piece}${number}" for number, piece in enumerate(pieces[:-1], 1)) + pieces[-1]
    return f"PREPARE {name} AS {numbered};"


@pytest.mark.slow
def test_every_table_and_statement_is_understood(postgres: Path) -> None:
    """All migrations are applied, and every statement is prepared, which checks tables, columns and types."""
    tables = [statement for migration in migrations.MIGRATIONS for statement in migration.statements]
    texts = {
        f"{module.__name__.rpartition('.')[2]}{name}": value
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", value)
    }
    assert len(texts) > 25
    script = [f"{text};" for text in (migrations.BOOKKEEPING, *tables)]
    script += [prepared(sql, name) for name, sql in texts.items()]
    script += [BEGUN_TWICE, BEGUN_TWICE, "SELECT begun FROM steps;"]
    done = subprocess.run(
        [program("psql"), "-h", postgres, "-U", "us", "-d", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1"],
        input="\n".join(script),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", ["2"])
