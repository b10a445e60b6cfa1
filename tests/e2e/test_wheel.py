"""The wheel holds what it must and nothing else, and works installed in a fresh environment outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.editor_client import CURSOR, editor_in
from tests.mcp_wire import GREET

ROOT = Path(__file__).resolve().parents[2]
DATA = {
    "engine/__init__.pyi",
    "engine/memory/__init__.pyi",
    "engine/model/lazy_dataclass.pyi",
    "engine/py.typed",
    "engine/_bundle/memory/learned/failure_contexts.yaml",
    "engine/_bundle/memory/learned/pattern_words.json",
    "engine/_bundle/memory/learned/patterns.yaml",
    "engine/_bundle/memory/learned/tool_fixes.yaml",
    "engine/_bundle/schemas/auto_heal_dashboard.schema.json",
    "engine/_bundle/schemas/environment_health.schema.json",
    "engine/_bundle/schemas/failure_contexts.schema.json",
    "engine/_bundle/schemas/mcp_servers.schema.json",
    "engine/_bundle/schemas/patterns.schema.json",
    "engine/_bundle/schemas/profile.schema.json",
    "engine/_bundle/schemas/proposals.schema.json",
    "engine/_bundle/schemas/rehearsal.schema.json",
    "engine/_bundle/schemas/settings.schema.json",
    "engine/_bundle/schemas/skill.schema.json",
    "engine/_bundle/schemas/tool.schema.json",
    "engine/_bundle/schemas/tool_failures.schema.json",
    "engine/_bundle/schemas/tool_fixes.schema.json",
    "engine/_bundle/skills/build_local_image.yaml",
    "engine/_bundle/skills/cancel_pipeline.yaml",
    "engine/_bundle/skills/check_integration_tests.yaml",
    "engine/_bundle/skills/check_secrets.yaml",
    "engine/_bundle/skills/debug_prod.yaml",
    "engine/_bundle/skills/deploy_to_ephemeral.yaml",
    "engine/_bundle/skills/environment_overview.yaml",
    "engine/_bundle/skills/extend_ephemeral.yaml",
    "engine/_bundle/skills/health/free_space.yaml",
    "engine/_bundle/skills/health/web_services.yaml",
    "engine/_bundle/skills/investigate_alert.yaml",
    "engine/_bundle/skills/konflux_status.yaml",
    "engine/_bundle/skills/remedies/disk_full.yaml",
    "engine/_bundle/skills/remedies/missing_program.yaml",
    "engine/_bundle/skills/release_to_prod.yaml",
    "engine/_bundle/skills/rollout_restart.yaml",
    "engine/_bundle/skills/scale_deployment.yaml",
    "engine/_bundle/skills/scan_vulnerabilities.yaml",
    "engine/_bundle/skills/silence_alert.yaml",
    "engine/_bundle/skills/test_mr_ephemeral.yaml",
    "tool_registry/README.md",
    "tool_registry/definitions/git_log.yaml",
    "tool_registry/definitions/local_profile.yaml",
    "tool_registry/py.typed",
}
"""Everything in the wheel that is not a module; whoever adds a file to it says so here."""
PAGES = {f"engine/_bundle/{part}/README.md" for part in ("schemas", "skills") if (ROOT / part / "README.md").exists()}
ASKS_ANOTHER = """\
name: asks_another
description: Calls a tool of another server.
steps:
  - {name: before, tool: file_write, args: {path: written.txt, text: too early}}
  - {name: there, tool: other.read_page, args: {}}
"""
OTHERS = """\
{"mcpServers": {"other": {"command": "sh", "args": []}, "far": {"url": "http://127.0.0.1:9/mcp"}}}
"""
NO_MCP, NO_OTEL = "pip install 'skill-engine[mcp]'", "pip install 'skill-engine[otel]'"
ABOUT = {"METADATA", "WHEEL", "entry_points.txt", "RECORD", "licenses/LICENSE"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True, capture_output=True, cwd=folder)
    [built] = folder.glob("skill_engine-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Runs the installed `skill`, in a folder and with a home of its own; the platform is stopped at the end."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, capture_output=True)
    python = folder / "venv" / "bin" / "python"
    install = ["install", "--quiet", "--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"), str(wheel)]
    subprocess.run([python, "-m", "pip", *install], check=True, capture_output=True, cwd=folder)
    (folder / "work").mkdir()
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: text for name, text in os.environ.items() if name not in hidden}
    environment = {**kept, "CI": "true", "NO_COLOR": "1"}

    def run(*words: str, where: str = "work", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python.with_name("skill"), *words],
            cwd=folder / where,
            env={**environment, "SKILL_HOME": str(folder / "homes" / where), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    for name, settings in {"served": "", "traced": "[telemetry]\nenabled = true\n"}.items():
        (folder / name / "skills").mkdir(parents=True)
        (folder / name / "skill.toml").write_text(settings)
        (folder / name / "skills" / "greet.yaml").write_text(GREET)
    (folder / "served" / "skills" / "asks_another.yaml").write_text(ASKS_ANOTHER)
    (folder / "served" / ".mcp.json").write_text(OTHERS)
    yield run
    run("demo", "--stop")


def test_the_wheel_holds_the_modules_and_the_listed_files(wheel: Path) -> None:
    """Every module of the two packages, the data by name, and no tests, live files or caches."""
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    about = {name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name}
    modules = {
        str(path.relative_to(ROOT)) for part in ("engine", "tool_registry") for path in (ROOT / part).rglob("*.py")
    }
    packed = {name for name in names if ".dist-info/" not in name}
    assert (packed - modules - DATA - PAGES, (modules | DATA | PAGES) - packed) == (set(), set())
    assert about == ABOUT


def test_the_installed_wheel_lists_checks_and_runs_the_skill(installed: Any) -> None:
    """Outside the checkout: two repairs beforehand, then the demo with nothing to heal; then the platform stops."""
    listed = installed("list", "-q")
    assert listed.stdout.split() == sorted(path.stem for path in (ROOT / "skills").glob("*.yaml"))
    checked = installed("check")
    assert checked.returncode == 0, checked.stdout
    ran = installed("run", "test_mr_ephemeral")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 repaired beforehand" in ran.stdout
    again = installed("demo")
    assert "nothing to heal" in again.stdout
    assert "skills/test_mr_ephemeral.yaml (shipped)" in installed("show", "test_mr_ephemeral").stderr
    stopped = installed("demo", "--stop")
    assert (stopped.returncode, stopped.stderr) == (0, "the local platform is stopped\n")


def test_a_skill_written_by_the_installed_wheel_has_its_editor_s_help(installed: Any) -> None:
    """It is right and runs, and its first line leads an editor to a schema that knows the tools; no checkout near."""
    made = json.loads(installed("new", "greet", "--json").stdout)
    assert installed("check", "greet").returncode == 0
    assert installed("run", "greet").returncode == 0
    path = Path(made["file"])
    with editor_in(path.parents[1]) as editor:
        assert editor.problems(path) == {}
        assert "echo" in editor.completions(path, path.read_text().replace("tool: echo", f"tool: {CURSOR}"))
    # What came with the engine is not laid out in its place.
    assert installed("fmt", "test_mr_ephemeral").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        "mcp serve",
        "mcp serve --http --port 0",
        "mcp proxy -- sh",
        "mcp proxy http://127.0.0.1:9/mcp",
        "mcp proxy --config .mcp.json",
        "mcp tools",
        "mcp tools far",
        "mcp check",
        "mcp check other",
        "run asks_another",
        "run asks_another --detach",
        "tools exec other.read_page",
    ],
)
def test_without_the_extra_mcp_what_needs_it_says_how_it_is_installed(installed: Any, words: str) -> None:
    """Exit status 2, the line to type, nothing on standard output, and nothing was begun."""
    done = installed(*words.split(), where="served")
    assert (done.returncode, done.stdout) == (2, ""), done
    assert NO_MCP in done.stderr
    assert "Traceback" not in done.stderr
    assert installed("history", "--json", where="served").stdout.strip() == "[]"
    assert not (done.args[0].parents[2] / "served" / "written.txt").exists()


def test_without_the_extras_everything_else_works(installed: Any) -> None:
    """Where servers are named, too: what looks at them says what is missing, and what needs none of them runs."""
    for words in ("mcp --help", "mcp serve --help", "mcp proxy --help", "mcp config", "list", "tools", "check"):
        done = installed(*words.split(), where="served")
        assert done.returncode == 0, done
    assert NO_MCP in installed("mcp", "list", where="served").stdout
    assert NO_MCP in installed("doctor", where="served").stdout
    assert NO_MCP in installed("run", "asks_another", "--dry-run", where="served").stdout
    ran = json.loads(installed("run", "greet", "-i", "who=you", "--json", where="served").stdout)
    assert ran["outputs"] == {"greeting": "hello you"}
    begun = json.loads(installed("run", "greet", "-i", "who=you", "--detach", "--json", where="served").stdout)
    assert installed("watch", begun["run"], where="served").returncode == 0
    exported = installed("export", "--format", "agent-skills", "out", where="served")
    assert exported.returncode == 0, exported.stderr


def test_without_the_extra_otel_telemetry_says_how_it_is_installed(installed: Any) -> None:
    """Asked for by the workspace, nothing runs, exit status 2; asked for by the environment, a line, and the run."""
    for words in ("run greet -i who=you", "run greet -i who=you --detach", "tools exec echo -i value=1"):
        refused = installed(*words.split(), where="traced")
        assert (refused.returncode, refused.stdout) == (2, ""), refused
        assert NO_OTEL in refused.stderr
    assert installed("history", "--json", where="traced").stdout.strip() == "[]"
    told = installed("doctor", where="traced")
    assert (told.returncode, NO_OTEL in told.stdout) == (1, True)
    ran = installed("run", "greet", "-i", "who=you", where="served", OTEL_TRACES_EXPORTER="otlp")
    assert (ran.returncode, ran.stderr.count(NO_OTEL)) == (0, 1)
