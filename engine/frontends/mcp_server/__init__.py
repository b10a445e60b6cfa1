"""The door agents come in by: skills, runs and tools over the Model Context Protocol."""
