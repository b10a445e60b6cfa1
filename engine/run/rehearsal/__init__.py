"""Rehearsals: a skill played with canned answers, in virtual time, and compared with what must come of it."""
