"""Kills a run with SIGKILL at a random moment and cancels it, killing that as well, until it has an end.

    python -m tests.flow.cancel_loop FOLDER RUNS SEED

As `tests.flow.crashing`, whose skills and tools it uses. Prints one JSON object: how often it killed, and every wrong
thing it saw.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine import SkillExecutor
from tests.flow.crashing import Act, Crasher

UNDOABLE = ("w", "e", "sub1")
"""How the words of the writes begin that have an undo."""


@dataclass(slots=True)
class CancelLoop(Crasher):
    """Cancels what it has killed."""

    def cancel(self, runs: int) -> None:
        """Runs skills, and cancels those that were killed before their end, until so many have been undone."""
        while self.runs < runs and not self.wrong:
            self.world.clear()
            before = self._newest()
            act: Act = partial(SkillExecutor.run, skill=f"crash_{self.dice.choice(('well', 'badly'))}")
            self._child(act, kill_after=self._moment())
            run_id = self._newest()
            if run_id != before and self._kept(run_id)["status"] == "running":
                self._cancelled(run_id)
                self.runs += 1

    def _cancelled(self, run_id: str) -> None:
        """Cancels the run to its end; once that has begun, whoever resumes the run goes on with it."""
        ending = self._ending(run_id)
        status = ending or "cancelled"
        acts = [SkillExecutor.end]
        for kills in range(5):
            act: Act = partial(self.dice.choice(acts), run_id=run_id)
            result, _ = self._child(act, kill_after=self.dice.uniform(0.0, 0.15) if kills < 4 else None)
            if (result or self._kept(run_id))["status"] != "running":
                break
            acts = [SkillExecutor.end, SkillExecutor.resume] if self._ending(run_id) else acts
        self._judge(self._kept(run_id)["status"], status)

    def _ending(self, run_id: str) -> str:
        """How the run was about to end; empty while it was not."""
        ending = self._asking(lambda history: history.past(run_id).endings.get(""))
        return ending.status.value if ending else ""

    def _judge(self, status: str, expected: str) -> None:
        witness = self.world.witness
        if status != expected:
            self.wrong.append(f"a run that was to end {expected} is {status}")
        stamped = [line.removeprefix("stamp ") for line in witness if line.startswith("stamp ")]
        left = [word for word in stamped if word.startswith(UNDOABLE) and f"erase {word}" not in witness]
        if left and status != "ok":
            self.wrong.append(f"not undone: {left} in {witness}")
        twice = [word for word, times in Counter(stamped).items() if times > 1]
        if twice:
            self.wrong.append(f"done twice: {twice}")
        if "bye" not in stamped or ("sub1" in stamped and "sub_bye" not in stamped):
            self.wrong.append(f"an `always` did not run: {witness}")


def main(folder: str, runs: str, seed: str) -> None:
    """Cancels as often as asked, and prints what came of it."""
    loop = CancelLoop(Path(folder), int(seed))
    began = time.monotonic()
    loop.cancel(int(runs))
    told = {name: getattr(loop, name) for name in ("seed", "kills", "runs", "wrong")}
    sys.stdout.write(json.dumps({**told, "seconds": round(time.monotonic() - began, 1)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
