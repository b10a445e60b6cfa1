"""Prediction: what history foretells of a call, and whether it is worth to repair beforehand."""
