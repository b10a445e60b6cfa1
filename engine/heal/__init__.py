"""Healing: one module per stage around every tool call, and the pipeline that names them in order."""
