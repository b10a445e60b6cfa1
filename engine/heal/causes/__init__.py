"""Root causes, one module each: why a call failed, with real values, and what a person can do about it."""
