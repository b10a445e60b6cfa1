"""What memory offers people, programs and skills alike: nine functions with the same answers through every door."""

READING = ("check_known_issues", "debug_tool", "memory_read")
WRITING = (
    "learn_tool_fix",
    "tool_exec",
    "memory_session_log",
    "memory_append",
    "memory_update",
    "memory_remove",
)
NAMES = (*READING, *WRITING)
"""The tools by which steps call them; a tool of one's own cannot be called so."""
