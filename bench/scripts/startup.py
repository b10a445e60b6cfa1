"""Where the time of a one-step run goes: CPU milliseconds of this process from one milestone to the next, as JSON."""

import json
import sys
import time
from importlib import import_module

MILESTONES = {
    "click": ["click"],
    "asyncio and anyio": ["asyncio", "anyio", "anyio._backends._asyncio"],
    "PyYAML": ["yaml"],
    "engine.model (values; their methods are made at first use)": ["engine.model.skill", "engine.model.heal"],
    "engine.documents, library": ["engine.documents", "engine.library"],
    "engine.history, memory": ["engine.history", "engine.memory"],
    "engine.run, wiring, tool_registry": ["engine.run.executor", "engine.wiring"],
    "engine.frontends.cli": ["engine.frontends.cli", "engine.frontends.cli.run"],
}


def main() -> None:
    """Imports in order, runs the skill the command line names, and prints what each part took."""
    taken = {"Python itself": 1000 * time.process_time()}
    for name, modules in MILESTONES.items():
        before = time.process_time()
        for module in modules:
            import_module(module)
        taken[name] = 1000 * (time.process_time() - before)
    before = time.process_time()
    try:
        sys.modules["engine.frontends.cli"].main()
    except SystemExit as ending:
        if ending.code:
            raise
    taken["the run: profile, skill, history, two commits"] = 1000 * (time.process_time() - before)
    print(json.dumps(taken))


main()
