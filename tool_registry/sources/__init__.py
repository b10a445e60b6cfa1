"""Where tools come from: Python functions, commands, HTTP, canned answers."""
