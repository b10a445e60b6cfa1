"""What is measured: the same work for us and for each peer, as a command line and the files it needs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(__file__).with_name("scripts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of work: how many steps, and whether each starts `/bin/true`."""

    name: str
    steps: int
    program: bool


WORKLOADS = (
    Workload(name="1 step", steps=1, program=False),
    Workload(name="200 no-op steps", steps=200, program=False),
    Workload(name="200 x /bin/true", steps=200, program=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One measured process: its arguments, folder and environment; it must exit with `status`."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    status: int = 0

    @property
    def whole_environment(self) -> dict[str, str]:
        """This process's environment with the command's own."""
        return {**os.environ, **self.environment}


Prepare = Callable[[Workload, Path], Command]


def ours(workload: Workload, folder: Path) -> Command:
    """`skill run` on a generated skill, with history and the whole healing pipeline armed."""
    prepare_workspace(folder)
    path = folder / "skills" / f"bench_{workload.steps}_{'true' if workload.program else 'noop'}.yaml"
    tool = "bench_true" if workload.program else "echo"
    args = "" if workload.program else "\n    args: {value: 1}"
    steps = "\n".join(f"  - name: s{number}\n    tool: {tool}{args}" for number in range(workload.steps))
    path.write_text(f"name: {path.stem}\ndescription: Made by the benchmark.\nsteps:\n{steps}\n")
    return skill_command(folder, "run", path.stem, "-q")


def prepare_workspace(folder: Path) -> None:
    """A workspace with a `/bin/true` tool, and a login that heals the tool `bench_guarded`."""
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    (folder / "tools").mkdir(exist_ok=True)
    token = str(folder / "token")
    (folder / "skill.toml").write_text(
        '[domains.bench]\ndescription = "A door that opens once somebody has logged in."\n'
        '[domains.bench.fixes.login]\ncooldown = 0\ncall = {tool = "bench_login"}\n'
    )
    tools: dict[str, dict[str, object]] = {
        "bench_true": {"effect": "read", "command": {"argv": ["/bin/true"], "output": "none"}},
        "bench_guarded": {
            "effect": "read",
            "domain": "bench",
            "command": {
                "argv": ["/usr/bin/test", "-f", token],
                "output": "none",
                "exit": {"1": {"kind": "auth_expired", "message": "no token"}},
            },
        },
        "bench_login": {
            "effect": "write",
            "idempotent": True,
            "domain": "bench",
            "fix": "credentials",
            "command": {"argv": ["/usr/bin/touch", token], "output": "none"},
        },
    }
    for name, definition in tools.items():
        whole = {"name": name, "description": f"{name} of the benchmark.", **definition}
        (folder / "tools" / f"{name}.yaml").write_text(json.dumps(whole, indent=1))


def healed(folder: Path) -> Command:
    """One step that fails for want of a token, is healed by one login, and works."""
    prepare_workspace(folder)
    text = (
        "name: bench_healed\ndescription: Made by the benchmark.\nsteps:\n  - name: guarded\n    tool: bench_guarded\n"
    )
    (folder / "skills" / "bench_healed.yaml").write_text(text)
    (folder / "token").unlink(missing_ok=True)
    return skill_command(folder, "run", "bench_healed", "-q")


def check_large(folder: Path, lines: int = 1_700) -> Command:
    """`skill check` of a skill of at least `lines` lines."""
    prepare_workspace(folder)
    step = (
        "  - name: step_{n}\n    description: Step {n}, which only passes a value on\n"
        "    condition: inputs.on and {n} >= 0\n"
        '    tool: echo\n    args:\n      value: "{{{{ inputs.text }}}} {n}"\n    on_error: continue\n'
    )
    head = "name: bench_large\ndescription: Made by the benchmark.\ninputs:\n"
    head += "  - {name: on, type: boolean, default: true}\n"
    head += "  - {name: text, type: string, default: hello}\nsteps:\n"
    text = head + "".join(step.format(n=number) for number in range(lines // 7 + 1))
    (folder / "skills" / "bench_large.yaml").write_text(text)
    return skill_command(folder, "check", "bench_large", "-q")


def skill_command(folder: Path, *words: str) -> Command:
    """The installed command `skill` in a workspace."""
    return Command(
        argv=(str(Path(sys.executable).parent / "skill"), *words),
        folder=folder,
        environment={"SKILL_HOME": str(folder / "home")},
    )


def bare(workload: Workload, folder: Path) -> Command:
    """Python's standard library alone: two SQLite commits a step, and nothing else."""
    return _script("bare.py", workload, folder, sys.executable)


def dbos(python: Path) -> Prepare:
    """DBOS on SQLite: a durable workflow of the same steps."""
    return lambda workload, folder: _script("durable.py", workload, folder, str(python))


def ansible(folder_of_programs: Path) -> Prepare:
    """ansible-core on localhost: no-ops, or the `command` module."""

    def prepare(workload: Workload, folder: Path) -> Command:
        action = (
            {"ansible.builtin.command": "/bin/true"} if workload.program else {"ansible.builtin.set_fact": {"x": 1}}
        )
        play = [
            {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [action] * workload.steps}
        ]
        path = folder / f"play_{workload.steps}_{workload.program}.json"
        path.write_text(json.dumps(play))
        environment = {"ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_HOME": str(folder / "ansible")}
        return Command(
            argv=(str(folder_of_programs / "ansible-playbook"), str(path)), folder=folder, environment=environment
        )

    return prepare


def task(program: Path) -> Prepare:
    """go-task: a chain of commands; a no-op is its shell's own `:`."""

    def prepare(workload: Workload, folder: Path) -> Command:
        where = folder / f"task_{workload.steps}_{workload.program}"
        where.mkdir(exist_ok=True)
        command = "/bin/true" if workload.program else ":"
        taskfile = {"version": "3", "silent": True, "tasks": {"default": {"cmds": [command] * workload.steps}}}
        (where / "Taskfile.yml").write_text(json.dumps(taskfile))
        return Command(argv=(str(program),), folder=where)

    return prepare


def _script(name: str, workload: Workload, folder: Path, python: str) -> Command:
    database = str(folder / f"{name}.{workload.steps}.{workload.program}.db")
    program = "true" if workload.program else "no"
    return Command(argv=(python, str(SCRIPTS / name), str(workload.steps), program, database), folder=folder)
