"""The failure log, the inbox, and what is said about the whole folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.documents import read
from engine.documents import schema as load_schema
from engine.errors import DocumentError
from engine.memory import Memory
from engine.memory.books import SCHEMAS
from engine.model.failure import FailureKind
from engine.model.secret import Secrets
from engine.model.tally import FailureRecord, FailureTotals
from tests.unit.memory.conftest import NOON


def failure(number: int, **changes: object) -> FailureRecord:
    """The failure of one step."""
    fields: dict[str, object] = {
        "tool": "kubectl_get_pods",
        "kind": "auth_expired",
        "error": "401\n Unauthorized",
        "fix": "kube_login",
        "success": True,
        "at": NOON + number,
        "skill": "deploy",
        "step": f"s{number}",
        "run_id": "r1",
    }
    return FailureRecord(**{**fields, **changes})  # type: ignore[arg-type]


def totals(total: int = 1, fixed: int = 1) -> FailureTotals:
    """Totals that are all of one day."""
    return FailureTotals(
        total=total, auto_fixed=fixed, daily={"2026-11-20": (total, fixed)}, weekly={"2026-W47": (total, fixed)}
    )


def test_the_log_has_the_shape_people_know(memory: Memory, folder: Path) -> None:
    """Oldest first, as it would be read; no fix is null; days and weeks are mappings."""
    newest_first = [failure(2, fix="", success=False), failure(1)]
    memory.failures.write((newest_first, totals(2)))
    value = read(folder / "learned" / "tool_failures.yaml").value
    assert value["failures"][0] == {
        "tool": "kubectl_get_pods",
        "error_type": "auth_expired",
        "error_snippet": "401 Unauthorized",
        "fix_applied": "kube_login",
        "success": True,
        "timestamp": "2026-11-20T12:00:01Z",
        "skill": "deploy",
        "step": "s1",
        "run": "r1",
    }
    assert (value["failures"][1]["fix_applied"], value["failures"][1]["success"]) == (None, False)
    assert value["stats"] == {
        "total_failures": 2,
        "auto_fixed": 1,
        "daily": {"2026-11-20": {"total": 2, "auto_fixed": 1}},
        "weekly": {"2026-W47": {"total": 2, "auto_fixed": 1}},
    }
    assert memory.findings() == ()


def test_only_the_last_hundred_are_kept(memory: Memory, folder: Path) -> None:
    """The totals count all; days and weeks are bounded too."""
    many = FailureTotals(
        total=150,
        auto_fixed=0,
        daily={f"2026-{month:02}-{day:02}": (1, 0) for month in range(1, 13) for day in range(1, 29)},
        weekly={f"{year}-W{week:02}": (1, 0) for year in (2025, 2026) for week in range(1, 53)},
    )
    memory.failures.write(([failure(number) for number in reversed(range(150))], many))
    value = read(folder / "learned" / "tool_failures.yaml").value
    assert [entry["step"] for entry in value["failures"]] == [f"s{number}" for number in range(50, 150)]
    assert (len(value["stats"]["daily"]), len(value["stats"]["weekly"])) == (100, 60)
    assert max(value["stats"]["daily"]) == "2026-12-28"
    assert memory.findings() == ()


def test_a_persons_comments_stay_between_the_sections(memory: Memory, folder: Path) -> None:
    """The header and remarks above `failures` and `stats`."""
    memory.failures.write(([failure(1)], totals()))
    path = folder / "learned" / "tool_failures.yaml"
    path.write_text("# mine\n" + path.read_text().replace("\nstats:", "\n# look here on Mondays\nstats:"))
    memory.failures.write(([failure(number) for number in (3, 2, 1)], totals(3)))
    text = path.read_text()
    assert text.startswith("# mine\n")
    assert "# look here on Mondays\nstats:" in text
    assert len(read(path).value["failures"]) == 3


def test_the_same_figures_write_nothing(memory: Memory, folder: Path) -> None:
    """A run without failures costs no write."""
    memory.failures.write(lambda: ([failure(1)], totals()))
    before = (folder / "learned" / "tool_failures.yaml").stat().st_ino
    memory.failures.write(lambda: ([failure(1)], totals()))
    assert (folder / "learned" / "tool_failures.yaml").stat().st_ino == before


def test_no_failure_at_all_makes_no_file(memory: Memory, folder: Path) -> None:
    """There is nothing to say."""
    memory.failures.write(([], FailureTotals()))
    assert not (folder / "learned" / "tool_failures.yaml").exists()


def test_secrets_and_long_texts_do_not_reach_the_log(memory: Memory, folder: Path, secrets: Secrets) -> None:
    """Masked before they are cut."""
    secrets.add("hunter2-hunter2")
    memory.failures.write(([failure(1, error="x" * 195 + "hunter2-hunter2" + "y" * 5_000)], totals()))
    text = (folder / "learned" / "tool_failures.yaml").read_text()
    assert "hunter2" not in text
    assert len(text) < 2_000


@pytest.mark.parametrize("text", ["failures: [", "failures: []\nfailures: []\n"])
def test_a_broken_log_is_an_error_and_stays(memory: Memory, folder: Path, text: str) -> None:
    """It is not overwritten, though only the engine writes it."""
    path = folder / "learned" / "tool_failures.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DocumentError):
        memory.failures.write(([failure(1)], totals()))
    assert path.read_text() == text
    assert memory.findings()[0].place.file == str(path)


def test_a_note_is_one_line_at_the_end(memory: Memory, folder: Path, secrets: Secrets) -> None:
    """What a person left in the file stays."""
    secrets.add("hunter2-hunter2")
    memory.inbox.add("breaker", "kube_login is\nswitched off: hunter2-hunter2", "warning")
    path = folder / "inbox.md"
    path.write_text(path.read_text() + "my own remark\n")
    memory.inbox.add("monitor", "x" * 5_000)
    lines = path.read_text().splitlines()
    assert lines[0] == "# Inbox"
    assert lines[4] == "- 2026-11-20 12:00:00Z **warning** breaker: kube_login is switched off: •••"
    assert lines[5] == "my own remark"
    assert len(lines[6]) < 2_100


def test_an_inbox_that_cannot_be_written_is_an_error(memory: Memory, folder: Path) -> None:
    """Here it is a folder."""
    (folder / "inbox.md").mkdir(parents=True)
    with pytest.raises(DocumentError, match=r"inbox\.md cannot be written"):
        memory.inbox.add("x", "y")


def test_the_shipped_files_fit_their_schemas() -> None:
    """Patterns and fixes as they are in this repository."""
    repository = Path(__file__).parents[3] / "memory"
    assert Memory(repository, seeds=repository, secrets=Secrets()).findings() == ()


@pytest.mark.parametrize("name", sorted(set(SCHEMAS.values())))
def test_every_memory_file_has_a_schema_that_refuses_unknown_keys(name: str) -> None:
    """And says what each field is."""
    schema = load_schema(name)
    assert schema["additionalProperties"] is False
    assert schema["description"]


def test_the_schema_lists_every_kind_of_failure() -> None:
    """A new kind must be added to both."""
    (section,) = load_schema("patterns")["patternProperties"].values()
    assert section["items"]["properties"]["kind"]["enum"] == [kind.value for kind in FailureKind]


@pytest.mark.parametrize("file", SCHEMAS)
def test_the_readme_names_every_file_and_field(file: str) -> None:
    """What stands in a schema is explained to people."""
    readme = (Path(__file__).parents[3] / "memory" / "README.md").read_text()
    section = readme.split(f"\n## `{file}`")[1].split("\n## ")[0]
    fields = _fields(load_schema(SCHEMAS[file])) - {"args"}
    assert {field for field in fields if f"`{field}`" not in section} == set()


def _fields(schema: object) -> set[str]:
    """Every property a schema or a part of it names."""
    if isinstance(schema, dict):
        own = set(schema.get("properties", {}))
        return own.union(*(_fields(inner) for inner in schema.values()))
    return set().union(*(_fields(inner) for inner in schema)) if isinstance(schema, list) else set()
