"""`make bench`: CPU seconds of whole processes, ours and the peers', interleaved, medians, written to bench/RESULTS.md.

CPU seconds (user and system, children included) say what a machine spends; they hardly move when it is busy with other
things, as wall-clock seconds do. Nothing here is asserted: figures are for comparison, on one machine, in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.peers import Peer, ourselves, peers
from bench.proxy import latencies, processor, proxy_report
from bench.scaling import DURABLE_WORKLOAD, durable_report, scale_report
from bench.workloads import SCRIPTS, WORKLOADS, Command, Workload, check_large, healed, ours, skill_command

RESULTS = Path(__file__).with_name("RESULTS.md")
SIZES = (100, 1_000, 10_000)
LEGEND = (
    "In brackets: how many times what `skill` takes. Bare Python is the standard library with two SQLite commits a",
    "step and nothing else; a no-op of go-task is its own shell's `:`, and it keeps no history.",
)
KEEPS_A_HISTORY = ("skill", "DBOS", "bare Python")
SLOW = 10.0
"""CPU seconds from which a command is measured once only."""


def measure(command: Command) -> float:
    """CPU seconds of one process with its children. Raises RuntimeError with what it said when it does not end well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command.argv,
        cwd=command.folder,
        env=command.whole_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != command.status:
        raise RuntimeError(f"{' '.join(command.argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interleaved(commands: Mapping[str, Callable[[], Command]], rounds: int) -> dict[str, float]:
    """The median of each command over so many rounds, one of each in turn."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, prepare in commands.items():
            taken[name].append(measure(prepare()))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    """Measures everything and writes the report."""
    options = _options()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles a program at every start
    scratch = Path(tempfile.gettempdir()) / "skill-engine-bench"
    scratch.mkdir(parents=True, exist_ok=True)
    found = list(peers(scratch) if options.peers else ourselves())
    have = [peer for peer in found if isinstance(peer, Peer)]
    lacking = [peer for peer in found if isinstance(peer, str)]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        table = {workload: _workload(workload, have, work, options.rounds) for workload in WORKLOADS}
        single = interleaved(_singles(work), options.rounds)
        growth = {steps: _growth(steps, work) for steps in SIZES}
        profile = _profile(work, options.rounds)
        durable = {peer.name: _once(peer, DURABLE_WORKLOAD, work) for peer in have if peer.name in KEEPS_A_HISTORY}
        scale = [*durable_report(durable), *scale_report(work / "scale", bounded=not options.peers)]
        proxied = proxy_report(latencies(), processor())
    written = report(have, lacking, table, single, growth, profile, options.rounds)
    options.output.write_text("\n".join([written.rstrip(), *scale, *proxied]) + "\n")
    print(options.output.read_text())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure skill-engine beside its peers.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="install and measure no peers")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the report goes")
    return parser.parse_args()


def _workload(workload: Workload, have: Sequence[Peer], work: Path, rounds: int) -> dict[str, float]:
    commands = {peer.name: _once(peer, workload, work) for peer in have}
    # Once for nothing: what is compiled and cached at the first start is not every day's work. What took long is not
    # asked again.
    first = {name: measure(command) for name, command in commands.items()}
    again = {name: _always(commands[name]) for name, seconds in first.items() if seconds <= SLOW}
    return {**first, **interleaved(again, rounds)}


def _always(command: Command) -> Callable[[], Command]:
    return lambda: command


def _once(peer: Peer, workload: Workload, work: Path) -> Command:
    folder = work / peer.name.replace(" ", "_")
    folder.mkdir(exist_ok=True)
    return peer.prepare(workload, folder)


def _singles(work: Path) -> dict[str, Callable[[], Command]]:
    folder = work / "singles"
    large = check_large(folder)
    python = Command(argv=(sys.executable, "-c", "pass"), folder=work)
    imports = "import click, yaml, jinja2, sqlite3, asyncio, anyio"
    return {
        "python -c pass": lambda: python,
        f"python -c '{imports}'": lambda: Command(argv=(sys.executable, "-c", imports), folder=work),
        "skill --help": lambda: skill_command(folder, "--help"),
        "skill run: one healed step": lambda: healed(folder),
        "skill check: 1,700 lines": lambda: large,
    }


def _growth(steps: int, work: Path) -> float:
    command = ours(Workload(name="growth", steps=steps, program=False), work / "skill")
    measure(command)  # the first run of a skill checks it
    return measure(command)


def _profile(work: Path, rounds: int) -> dict[str, float]:
    """The median of each milestone of `scripts/startup.py`, in milliseconds."""
    command = ours(WORKLOADS[0], work / "skill")
    argv = [sys.executable, str(SCRIPTS / "startup.py"), *command.argv[1:]]
    environment = {**os.environ, **command.environment}
    told = [
        json.loads(
            subprocess.run(
                argv, cwd=command.folder, env=environment, capture_output=True, text=True, check=True
            ).stdout.splitlines()[-1]
        )
        for _ in range(rounds)
    ]
    return {name: statistics.median(each[name] for each in told) for name in told[0]}


def report(
    have: Sequence[Peer],
    lacking: Sequence[str],
    table: Mapping[Workload, Mapping[str, float]],
    single: Mapping[str, float],
    growth: Mapping[int, float],
    profile: Mapping[str, float],
    rounds: int,
) -> str:
    """The figures as Markdown."""
    lines = [
        "# Measured",
        "",
        f"CPU seconds of whole processes, median of {rounds} interleaved rounds,",
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, Python {platform.python_version()}, {os.cpu_count()} cores.",
        "`make bench` makes this page again.",
        "",
        "| work | " + " | ".join(f"{peer.name}" for peer in have) + " |",
        "|---|" + "---|" * len(have),
    ]
    for workload, taken in table.items():
        lines.append(f"| {workload.name} | " + " | ".join(_cell(peer, taken) for peer in have) + " |")
    lines += ["", *LEGEND, "", "| one process | CPU seconds |", "|---|---|"]
    lines += [f"| `{name}` | {seconds:.3f} |" for name, seconds in single.items()]
    lines += ["", "| no-op steps in one run | CPU seconds | milliseconds a step |", "|---|---|---|"]
    lines += [
        f"| {steps:,} | {seconds:.2f} | {_each(steps, seconds, table):.2f} |" for steps, seconds in growth.items()
    ]
    lines += ["", f"Peers: {', '.join(f'{peer.name} {peer.version}' for peer in have[1:])}.", *lacking]
    lines += [*_targets(table), "", "| where a one-step run spends it | CPU milliseconds |", "|---|---|"]
    lines += [f"| {name} | {taken:.0f} |" for name, taken in profile.items()]
    return "\n".join(lines) + "\n"


def _cell(peer: Peer, taken: Mapping[str, float]) -> str:
    ratio = taken[peer.name] / taken["skill"]
    return f"{taken[peer.name]:.2f}" if peer.name == "skill" else f"{taken[peer.name]:.2f} ({ratio:.1f}x)"


def _each(steps: int, seconds: float, table: Mapping[Workload, Mapping[str, float]]) -> float:
    start = table[WORKLOADS[0]]["skill"]
    return 1_000 * (seconds - start) / steps


def _targets(table: Mapping[Workload, Mapping[str, float]]) -> list[str]:
    """The targets: CPU seconds, and how many times bare Python's."""
    lines = ["", "| target | CPU seconds | of | | times bare Python | of | |", "|---|---|---|---|---|---|---|"]
    for workload, (goal, times) in zip(WORKLOADS, ((0.15, 2.2), (0.35, 2.0), (0.60, 1.5)), strict=True):
        taken = table[workload]["skill"]
        ratio = taken / table[workload]["bare Python"]
        absolute = f"{taken:.2f} | {goal:.2f} | {_verdict(taken, goal)}"
        lines.append(f"| {workload.name} | {absolute} | {ratio:.1f} | {times} | {_verdict(ratio, times)} |")
    return lines


def _verdict(seconds: float, goal: float) -> str:
    return "met" if seconds <= goal else "missed"


if __name__ == "__main__":
    main()
