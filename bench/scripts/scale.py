"""Many steps, many elements, many runs: CPU seconds, wall seconds and memory of one process, as JSON.

python bench/scripts/scale.py FOLDER steps|elements|runs NUMBER
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import anyio
import anyio.lowlevel

from engine import Engine, SkillExecutor
from tool_registry.sources.python import tool, tool_of

STEPS_OF_A_RUN = 20
AT_ONCE = 100


@tool(timeout=60)
async def bench_step(number: int = 0) -> int:
    """Gives a number back, after everybody else has had a turn."""
    await anyio.lowlevel.checkpoint()
    return number


def skill_of(kind: str, number: int) -> str:
    """The text of a skill for one kind of work."""
    if kind == "elements":
        at_once = min(AT_ONCE, number)
        each = f"foreach: range({number}), parallel: {at_once}, tool: bench_step, args: {{number: '{{{{ item }}}}'}}"
        return f"steps:\n  - {{name: each, {each}}}\n"
    count = STEPS_OF_A_RUN if kind == "runs" else number
    return "steps:\n" + "".join(f"  - {{name: s{at}, tool: bench_step}}\n" for at in range(count))


async def main(folder: Path, kind: str, number: int) -> None:
    """Does the work and prints what it took."""
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    (folder / "skill.toml").touch()
    name = f"scale_{kind}_{number}"
    text = f"name: {name}\ndescription: Made by the benchmark.\n{skill_of(kind, number)}"
    # Twenty processes may do so at once, and each must find a whole file.
    draft = folder / f"{name}.{os.getpid()}"
    draft.write_text(text)
    draft.replace(folder / "skills" / f"{name}.yaml")
    async with Engine.open(folder, home=folder / "home", tools=[tool_of(bench_step)]) as engine:
        skill = engine.library.load(name)
        cpu, wall = time.process_time(), time.monotonic()
        async with anyio.create_task_group() as tasks:
            for _ in range(number if kind == "runs" else 1):
                tasks.start_soon(SkillExecutor(engine).run, skill)
        taken = {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({**taken, "megabytes": memory}) + "\n")


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
