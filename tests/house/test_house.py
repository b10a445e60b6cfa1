"""The house as it is meant to be: floors, sizes, exports, and documents that keep up."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine.errors import EngineError
from engine.frontends.cli.commands import COMMANDS
from engine.model.event import EventKind
from engine.model.failure import FailureKind
from engine.model.heal import Stage

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "tool_registry").rglob("*.py")])
LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method in a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_only_go_downstairs() -> None:
    """Every module has a floor, and imports only from lower ones; import-linter says so."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_is_two_ideas_and_no_function_outgrows_a_glance() -> None:
    """Modules stay under 300 lines, functions under 40 lines of code, docstrings and signatures aside."""
    long_modules = [
        f"{path.relative_to(ROOT)}: {lines}" for path in SOURCES if (lines := _length(path)) > LONGEST_MODULE
    ]
    long_functions = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in SOURCES
        for function in functions(path)
        if _body_length(function) > LONGEST_FUNCTION
    ]
    assert (long_modules, long_functions) == ([], [])


def test_no_room_is_called_utils() -> None:
    """Names are the domain's words."""
    banned = {"utils", "util", "helpers", "helper", "manager", "base", "data", "info", "common", "misc"}
    assert [str(path) for path in SOURCES if path.stem in banned or path.parent.name in banned] == []


def test_every_public_name_can_be_imported_and_the_stub_names_the_same() -> None:
    """`from engine import X` works for each exported X, and type checkers see the same list."""
    stub = (ROOT / "engine" / "__init__.pyi").read_text(encoding="utf-8")
    stubbed = set(re.findall(r" as (\w+)$", stub, flags=re.MULTILINE))
    assert stubbed == set(engine.__all__)
    assert all(getattr(engine, name) is not None for name in engine.__all__)


def test_importing_the_engine_imports_nothing_heavy() -> None:
    """`import engine` and the command's table load no YAML, no database and no templates."""
    code = (
        "import sys, engine; print(sorted({'yaml','sqlite3','jinja2','jsonschema','httpx','anyio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_stands_in_the_tree_of_the_docstring() -> None:
    """The tree at the top of engine/errors.py names every error the engine raises."""
    tree = (ROOT / "engine" / "errors.py").read_text(encoding="utf-8").split('"""')[1]
    missing = [
        error.__name__
        for error in _subclasses(EngineError)
        if error.__module__ == "engine.errors" and error.__name__ not in tree
    ]
    assert missing == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    """docs/commands.md has a section for each command."""
    assert f"## skill {command}\n" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_kind_stage_and_event_is_documented() -> None:
    """The closed lists stand in the documents, word for word."""
    healing = (ROOT / "docs" / "healing.md").read_text(encoding="utf-8")
    events = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert [kind for kind in FailureKind if kind.value not in healing] == []
    assert [stage for stage in Stage if stage.value not in healing] == []
    assert [kind for kind in EventKind if f"`{kind.value}`" not in events] == []


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link in a Markdown file points to a file that exists."""
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in [*ROOT.glob("*.md"), *DOCUMENTS, *ROOT.glob("*/README.md")]
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_no_path_of_a_machine_and_no_registry_host_is_written_down() -> None:
    """What is committed says nothing about where it was made."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    pattern = re.compile(r"(^|[^A-Za-z0-9_])/(work|farm|root|home/\w+)/[a-z.]|pypi\.org|registry\.npmjs|/simple/?\"")
    texts = [
        ROOT / name for name in listed if (ROOT / name).suffix in {".py", ".yaml", ".toml", ".json", ".txt", ".md"}
    ]
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in texts
        if path.is_file() and path != Path(__file__) and "tests/data" not in str(path)
        for match in [pattern.search(path.read_text(encoding="utf-8"))]
        if match
    ]
    assert found == []


def _length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)
