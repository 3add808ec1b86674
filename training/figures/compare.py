"""Two measurements of the same figures side by side: a bundle, and the one that a second run made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...domain.errors import LumbarError
from .schema import Figure


class Verdict(StrEnum):
    """How two measurements of one figure stand to each other."""

    WITHIN = "within"
    OVERLAPPING = "overlapping"
    APART = "apart"
    NOT_JUDGED = "no interval"


@dataclass(frozen=True)
class Pair:
    """One figure measured with two bundles."""

    first: Figure
    second: Figure

    @property
    def verdict(self) -> Verdict:
        """Whether the second value lies within the first's interval, or their intervals meet at all."""
        ends = self.first.low, self.first.high, self.second.low, self.second.high
        if any(end is None for end in ends) or self.second.value is None:
            return Verdict.NOT_JUDGED
        low, high, other_low, other_high = (float(end) for end in ends if end is not None)
        if low <= self.second.value <= high:
            return Verdict.WITHIN
        return Verdict.OVERLAPPING if other_low <= high and low <= other_high else Verdict.APART

    @property
    def line(self) -> str:
        """Plain text for a terminal."""
        return f"{self.first.name}: {self.first.shown} | {self.second.shown} | {self.verdict}"


def compared(first: Iterable[Figure], second: Iterable[Figure]) -> tuple[Pair, ...]:
    """Pairs of the figures that both measured, in the order of the first.

    Raises
    ------
    LumbarError
        If they have no figure in common.
    """
    others = {figure.name: figure for figure in second}
    pairs = tuple(Pair(figure, others[figure.name]) for figure in first if figure.name in others)
    if not pairs:
        raise LumbarError(
            "the two files have no figure in common; measure both bundles with the same commands"
        )
    return pairs


def summary(pairs: Sequence[Pair]) -> str:
    """How many of them agree, in one line."""
    counts = {verdict: sum(pair.verdict is verdict for pair in pairs) for verdict in Verdict}
    return f"{len(pairs)} figures: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
