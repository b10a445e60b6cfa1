"""A credential helper (gitcredentials(7)): git starts this file by itself, and reads the login from its output.

The login comes in environment variables, so that it stands on no command line, in no address and in no file.
"""

from __future__ import annotations

import os
import sys

USERNAME = "SKILL_GIT_USERNAME"
PASSWORD = "SKILL_GIT_PASSWORD"  # noqa: S105 - what the variable is called

if __name__ == "__main__" and sys.argv[-1] == "get":
    sys.stdout.write(f"username={os.environ[USERNAME]}\npassword={os.environ[PASSWORD]}\n")
