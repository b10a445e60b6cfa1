"""The doors people and agents come in by."""
