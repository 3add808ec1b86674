"""When a moved canal point makes it worth proposing the side points of its level again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..domain.landmarks import Landmark
from ..domain.spine import ConditionGroup, FindingKey
from .state import SessionState

#: A canal point that moved less shows the same axial slice and recesses as before.
LEAST_MOVE_MM = 3.0


@dataclass(frozen=True)
class ProposalOffer:
    """A canal point from which the side points of its level can be proposed.

    Parameters
    ----------
    canal
        The point, as a person placed it.
    distance_mm
        How far it was moved, or None where there was none before.
    """

    canal: Landmark
    distance_mm: float | None

    @property
    def text(self) -> str:
        """The question to a person."""
        done = "was set" if self.distance_mm is None else f"moved {self.distance_mm:.0f} mm"
        return f"{self.canal.key.level.value} canal point {done}: propose side points again?"

    def stands_in(self, state: SessionState | None) -> bool:
        """Say whether the point is still where it was put."""
        return state is not None and state.landmarks.get(self.canal.key) == self.canal


def offer_after_move(before: SessionState, after: SessionState, key: FindingKey) -> ProposalOffer | None:
    """Return an offer if the move of ``key`` was one of a canal point, and far enough.

    Nothing is offered where the analysis placed no side point at all: there are no axial images, or the
    networks do not look for such points.
    """
    canal = after.landmarks.get(key)
    if key.condition.group is not ConditionGroup.CANAL or canal is None or not _places_recesses(after):
        return None
    old = before.landmarks.get(key)
    if old is None:
        return ProposalOffer(canal, None)
    distance_mm = float(np.linalg.norm(np.subtract(canal.point_lps_mm, old.point_lps_mm)))
    return ProposalOffer(canal, distance_mm) if distance_mm >= LEAST_MOVE_MM else None


def _places_recesses(state: SessionState) -> bool:
    points = state.analysis.landmarks.points
    return any(key.condition.group is ConditionGroup.SUBARTICULAR for key in points)
