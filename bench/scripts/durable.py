"""The same steps as a DBOS workflow on SQLite; run by the interpreter of the peers' environment."""

import subprocess
import sys

from dbos import DBOS

steps, program, path = int(sys.argv[1]), sys.argv[2] == "true", sys.argv[3]
settings = {
    "name": "bench",
    "system_database_url": f"sqlite:///{path}",
    "log_level": "ERROR",
    "run_admin_server": False,
}
DBOS(config=settings)


@DBOS.step()
def step(number: int) -> int:
    """One step."""
    if program:
        subprocess.run(["/bin/true"], check=True, capture_output=True)
    return number


@DBOS.workflow()
def work() -> None:
    """All steps, one after the other."""
    for number in range(steps):
        step(number)


DBOS.launch()
work()
DBOS.destroy()
