"""The texts that start the nightly job, for folders with any name."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine.errors import WorkspaceError
from engine.improve.timers import Job, line, units, with_line, without_line


def job(folder: str = "/srv/a b", **fields: str) -> Job:
    """The job of a folder."""
    return Job(folder=Path(folder), program=("/opt/skill",), environment={"SKILL_HOME": "/srv/50% $x"}, **fields)


def test_a_crontab_line_is_read_by_a_shell_as_it_is_meant() -> None:
    """Blanks are quoted, and a percent sign is escaped from cron."""
    _, told = line(job(at="03:30")).splitlines()
    assert told.startswith("30 3 * * * cd '/srv/a b' && ")
    command = told.removeprefix("30 3 * * * ").replace("\\%", "%")
    words = shlex.split(command)
    assert words == [
        "cd",
        "/srv/a b",
        "&&",
        "SKILL_HOME=/srv/50% $x",
        "/opt/skill",
        "-C",
        "/srv/a b",
        "learn",
        "--quiet",
    ]
    assert "%" not in told.replace("\\%", "")


def test_units_escape_what_systemd_would_read() -> None:
    """Percent and dollar signs are doubled where systemd expands them."""
    service = next(text for path, text in units(job("/srv/a $b%c"), Path("u")).items() if path.suffix == ".service")
    assert "WorkingDirectory=/srv/a $b%%c\n" in service
    assert 'ExecStart=/opt/skill -C "/srv/a $$b%%c" learn --quiet\n' in service
    assert 'Environment="SKILL_HOME=/srv/50%% $x"\n' in service


def test_a_line_break_in_a_folder_is_refused() -> None:
    """It would begin another line."""
    with pytest.raises(WorkspaceError):
        line(job("/srv/a\n* * * * * rm"))
    with pytest.raises(WorkspaceError):
        units(job("/srv/a\nExecStart=x"), Path("u"))


def test_two_workspaces_share_a_crontab() -> None:
    """Each has its own line, and takes away only that."""
    one, other = job("/srv/one"), job("/srv/other")
    both = with_line(with_line("# mine\n@daily x", one), other)
    assert with_line(both, one).count("/srv/one") == both.count("/srv/one")
    assert without_line(without_line(both, one), other) == "# mine\n@daily x\n"
    assert without_line("", one) == ""
