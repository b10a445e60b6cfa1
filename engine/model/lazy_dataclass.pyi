from dataclasses import dataclass as dataclass

OFTEN: int
