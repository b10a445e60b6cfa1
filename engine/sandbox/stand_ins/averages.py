"""Stands in for `statistics`: the averages and spreads of plain numbers."""

import math
from collections.abc import Sequence


def mean(data: Sequence[float]) -> float:
    """The arithmetic mean."""
    numbers = _at_least(data, 1, "mean")
    total = math.fsum(numbers) / len(numbers)
    whole = all([isinstance(number, int) for number in numbers])  # noqa: C419 - a list is what the interpreter builds anyway
    return int(total) if whole and total == int(total) else total


def fmean(data: Sequence[float]) -> float:
    """The arithmetic mean, always with a fraction."""
    numbers = _at_least(data, 1, "fmean")
    return math.fsum(numbers) / len(numbers)


def _at_least(data: Sequence[float], least: int, name: str) -> list[float]:
    numbers = list(data)
    if len(numbers) < least:
        raise ValueError(name + " requires at least " + str(least) + " data points")
    return numbers


def median(data: Sequence[float]) -> float:
    """The middle number, or the mean of the two in the middle."""
    numbers = sorted(_at_least(data, 1, "median"))
    half = len(numbers) // 2
    return numbers[half] if len(numbers) % 2 else (numbers[half - 1] + numbers[half]) / 2


def median_low(data: Sequence[float]) -> float:
    """The middle number, or the lower of the two in the middle."""
    numbers = sorted(_at_least(data, 1, "median_low"))
    return numbers[(len(numbers) - 1) // 2]


def median_high(data: Sequence[float]) -> float:
    """The middle number, or the higher of the two in the middle."""
    numbers = sorted(_at_least(data, 1, "median_high"))
    return numbers[len(numbers) // 2]


def mode(data: Sequence[float]) -> float:
    """The value that comes most often, the first of several."""
    return multimode(_at_least(data, 1, "mode"))[0]


def multimode(data: Sequence[float]) -> list[float]:
    """The values that come most often, in order of appearance."""
    counts: dict[float, int] = {}
    for value in data:
        counts[value] = counts.get(value, 0) + 1
    most = max([0, *counts.values()])
    return [value for value, count in counts.items() if count == most]


def variance(data: Sequence[float]) -> float:
    """The variance of a sample."""
    numbers = _at_least(data, 2, "variance")
    return _squares(numbers) / (len(numbers) - 1)


def pvariance(data: Sequence[float]) -> float:
    """The variance of a whole population."""
    numbers = _at_least(data, 1, "pvariance")
    return _squares(numbers) / len(numbers)


def _squares(numbers: list[float]) -> float:
    middle = math.fsum(numbers) / len(numbers)
    return math.fsum([(number - middle) * (number - middle) for number in numbers])


def stdev(data: Sequence[float]) -> float:
    """The standard deviation of a sample."""
    return math.sqrt(variance(data))


def pstdev(data: Sequence[float]) -> float:
    """The standard deviation of a whole population."""
    return math.sqrt(pvariance(data))


def quantiles(data: Sequence[float], n: int = 4) -> list[float]:
    """The n - 1 numbers that cut the data into n parts of equal size."""
    numbers = sorted(_at_least(data, 2, "quantiles"))
    cuts: list[float] = []
    for index in range(1, n):
        place = index * (len(numbers) + 1) // n
        place = min(max(place, 1), len(numbers) - 1)
        rest = index * (len(numbers) + 1) - place * n
        cuts.append((numbers[place - 1] * (n - rest) + numbers[place] * rest) / n)
    return cuts
