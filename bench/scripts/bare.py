"""The least a durable runner can do: two SQLite commits a step, with Python's standard library alone."""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

steps, program, path = int(sys.argv[1]), sys.argv[2] == "true", sys.argv[3]
for end in ("", "-wal", "-shm"):
    Path(path + end).unlink(missing_ok=True)
db = sqlite3.connect(path, isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=NORMAL")
db.execute("CREATE TABLE events (step TEXT, kind TEXT, at REAL, data TEXT)")
for number in range(steps):
    row = (f"s{number}", time.time(), json.dumps({"number": number}))
    db.execute("INSERT INTO events VALUES (?, 'started', ?, ?)", row)
    if program:
        subprocess.run(["/bin/true"], check=True, capture_output=True)
    db.execute("INSERT INTO events VALUES (?, 'finished', ?, ?)", row)
db.close()
