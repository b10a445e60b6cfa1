"""Healing for any Python function, outside skills: `auto_heal` and its named forms, and `pre_flight_check`."""
