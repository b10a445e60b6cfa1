"""The embedded platform behind the local profile: its own process on loopback, reached over HTTP and never imported.

`python -m tool_registry.local_platform --data DIR` starts it; docs/local-profile.md says what it is and what it is not.
"""
