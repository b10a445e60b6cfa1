"""Memory mangled by hand is reported with its line and never overwritten, and runs heal as if it were not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import EventKind, RunStatus
from engine.documents import read
from engine.errors import EngineError
from engine.memory import Memory
from engine.model.heal import HealMode
from tests.flow.conftest import Door, Rig
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, ToolError

PATTERNS, FIXES = "learned/patterns.yaml", "learned/tool_fixes.yaml"
FAILURES, CONTEXTS = "learned/tool_failures.yaml", "learned/failure_contexts.yaml"
ROW = "  - id: mine\n    pattern: the door is painted on\n    kind: usage_error\n    meaning: It is no door\n"
ENTRY = "  - tool_name: look\n    error_pattern: painted on\n    fix_applied: walk on\n"
GOOD = {
    PATTERNS: f"# of the house\nhouse_patterns:\n{ROW}",
    FIXES: f"# of the house\ntool_fixes:\n{ENTRY}",
    FAILURES: "# of the house\nfailures: []\nstats: {total_failures: 0, auto_fixed: 0}\n",
    CONTEXTS: "# of the house\nsequences: []\n",
}
TEXT_FOR_A_LIST = {
    PATTERNS: ("house_patterns: see the wiki\n", 1),
    FIXES: ("# of the house\ntool_fixes: see the wiki\n", 2),
    FAILURES: ("# of the house\n\nfailures: see the wiki\nstats: {}\n", 3),
    CONTEXTS: ("# of the house\nsequences: see the wiki\n", 2),
}
BROKEN = {
    "a list that does not end": "entries: [\n",
    "a tab": "\t- id: x\n",
    "no text at all": "\x00\x01\x02",
    "a key twice": "stats: {}\nstats: {}\n",
    "a merge conflict": "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n",
    "half a quotation": 'a: "never closed\n',
}
LOOKS = "steps:\n  - {name: look, tool: look}\n"


@pytest.fixture
def rig(make_rig: Callable[..., Rig], door: Door) -> Rig:
    """A door nobody is logged in at, so that every run has something to heal."""
    door.token = False
    return make_rig(heal=HealMode.AUTO)


def put(rig: Rig, name: str, text: str) -> Path:
    """Writes a live memory file, as a person does."""
    path = rig.engine.memory.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def heals(rig: Rig) -> None:
    """A run that fails, is healed, and works: memory or no memory."""
    rig.door.token = False
    result = await rig.run(LOOKS)
    assert (result.status, result.healed) == (RunStatus.OK, 1), result.message


@pytest.mark.parametrize("file", GOOD)
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_a_broken_file_is_reported_with_its_place_and_stays_byte_for_byte(rig: Rig, file: str, text: str) -> None:
    """The run before it was mangled, and the runs after, all heal."""
    await heals(rig)
    path = put(rig, file, GOOD[file] + text)
    before = path.read_bytes()
    await heals(rig)
    await heals(rig)
    assert path.read_bytes() == before
    found = [each for each in rig.engine.memory.findings() if each.place.file == str(path)]
    assert found
    assert all(each.place.line >= 1 for each in found)
    assert [one.name for one in path.parent.glob(f"{path.stem}*")] == [path.name]


@pytest.mark.parametrize("file", GOOD)
async def test_text_where_a_list_is_due_is_reported_with_its_line_and_left_alone(rig: Rig, file: str) -> None:
    """Nothing is added beside it, and nothing put in its place."""
    text, line = TEXT_FOR_A_LIST[file]
    path = put(rig, file, text)
    await heals(rig)
    assert path.read_text() == text
    assert line in {each.place.line for each in rig.engine.memory.findings() if each.place.file == str(path)}


@pytest.mark.parametrize("file", [PATTERNS, FIXES, FAILURES])
async def test_the_run_says_that_it_went_on_without_a_file(rig: Rig, file: str) -> None:
    """A notice names the file and its line, so that somebody mends it."""
    path = put(rig, file, f"{GOOD[file]}entries: [\n")
    rig.door.token = False
    await rig.run(LOOKS)
    told = [str(event.data["text"]) for event in rig.stages(EventKind.NOTICE)]
    assert any(f"{path}:" in text for text in told), told


@pytest.mark.parametrize("file", [PATTERNS, FIXES])
async def test_mended_it_counts_again_without_a_restart(rig: Rig, file: str) -> None:
    """The engine is the same all the time."""
    path = put(rig, file, f"{GOOD[file]}entries: [\n")
    await heals(rig)
    assert not _has_mine(rig.engine.memory)
    path.write_text(GOOD[file])
    assert _has_mine(rig.engine.memory)
    assert rig.engine.memory.findings() == ()


async def test_comments_and_another_order_are_no_mistakes_and_stay(rig: Rig) -> None:
    """Only the lines that the engine counts in change."""
    entry = "  - fix_applied: walk on\n    error_pattern: painted on\n    tool_name: look\n"
    fixes = f"tool_fixes:   # ours\n  # first\n{entry}\n\n# end\n"
    log = "# on top\nstats: {auto_fixed: 0, total_failures: 0}   # counted\n\nfailures: []\n# at the end\n"
    paths = [put(rig, FIXES, fixes), put(rig, FAILURES, log)]
    await heals(rig)
    assert rig.engine.memory.findings() == ()
    assert paths[0].read_text() == fixes
    told = paths[1].read_text()
    assert (told.startswith("# on top\nstats:"), told.endswith("# at the end\n")) == (True, True)
    assert read(paths[1]).value["stats"]["total_failures"] == 1


async def test_a_row_that_is_wrong_takes_nothing_else_with_it(rig: Rig) -> None:
    """The rows around it count, and it is told with its line, by the run too."""
    bad = "  - {id: bad, pattern: '(a+)+b', kind: oom}\n  - just words\n"
    path = put(rig, PATTERNS, f"{GOOD[PATTERNS]}{bad}  - {{id: last, pattern: the bell rings, kind: oom}}\n")
    await heals(rig)
    said = " ".join(str(event.data["text"]) for event in rig.stages(EventKind.NOTICE))
    assert [f"goes on without {path}:{line}:" in said for line in (6, 7, 8, 9)] == [False, True, True, False]
    ids = {pattern.id for pattern in rig.engine.memory.patterns.all()}
    assert {"mine", "last", "auth-http-401"} <= ids
    assert "bad" not in ids
    found = {each.place.line for each in rig.engine.memory.findings() if each.place.file == str(path)}
    assert found == {7, 8}


async def test_memory_that_vanishes_in_mid_run_is_made_anew(make_rig: Callable[..., Rig], door: Door) -> None:
    """Its folder goes while the step that will be healed is under way."""
    gone: list[Path] = []

    @tool(effect=Effect.READ, domain="door", timeout=5)
    async def burn() -> str:
        """Burns the memory, then asks for a login."""
        folder = gone[0]
        shutil.rmtree(folder, ignore_errors=True)
        if not door.token:
            raise ToolError("the server said 401", http_status=401, sent=True)
        return "burnt"

    rig = make_rig(heal=HealMode.AUTO, tools=(tool_of(burn),))
    gone.append(rig.engine.memory.folder)
    path = put(rig, FAILURES, GOOD[FAILURES])
    door.token = False
    result = await rig.run("steps:\n  - {name: burn, tool: burn}\n")
    assert (result.status, result.healed) == (RunStatus.OK, 1)
    assert read(path).value["stats"]["total_failures"] == 1
    assert rig.engine.memory.findings() == ()


async def test_a_file_that_becomes_a_folder_or_may_not_be_read_stops_nothing(rig: Rig) -> None:
    """What cannot even be opened is reported like what cannot be parsed."""
    (rig.engine.memory.folder / PATTERNS).mkdir(parents=True)
    await heals(rig)
    assert any("patterns.yaml" in each.place.file for each in rig.engine.memory.findings())
    assert (rig.engine.memory.folder / PATTERNS).is_dir()


async def test_what_is_learnt_meanwhile_is_refused_and_not_lost_silently(rig: Rig) -> None:
    """Whoever teaches is told that the file is broken, and where."""
    path = put(rig, FIXES, f"{GOOD[FIXES]}entries: [\n")
    with pytest.raises(EngineError) as refused:
        rig.engine.memory.fixes.learn("look", "some words", "why", "how")
    assert f"{path}:" in str(refused.value)


def _has_mine(memory: Memory) -> bool:
    """Whether what a person wrote counts."""
    patterns = any(pattern.id == "mine" for pattern in memory.patterns.all())
    return patterns or any(entry.fix == "walk on" for entry in memory.fixes.entries("look"))
