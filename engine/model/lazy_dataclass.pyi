from builtins import property as once
from dataclasses import dataclass as dataclass

__all__ = ["OFTEN", "dataclass", "once"]

OFTEN: int
