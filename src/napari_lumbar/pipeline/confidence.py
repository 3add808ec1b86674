"""From what a localiser feels to what it achieves: confidences that mean a probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..domain.landmarks import Landmark
from ..domain.spine import ConditionGroup

#: A confidence is the probability that the landmark lies this near to the truth.
NEAR_MM = 5.0
#: Key in a bundle's settings.
SETTING = "landmark_confidence"


@dataclass(frozen=True)
class LandmarkConfidence:
    """Maps raw evidence to the probability of lying within ``NEAR_MM`` of the truth.

    Parameters
    ----------
    knots
        Per condition group: raw evidence, increasing, and probability; linear in between. A group without
        knots keeps its raw evidence.
    """

    knots: Mapping[ConditionGroup, tuple[Sequence[float], Sequence[float]]]

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LandmarkConfidence:
        """Read what ``to_settings`` wrote into a bundle's manifest; identity where it holds nothing."""
        stored = settings.get(SETTING, {})
        return cls({ConditionGroup(name): (pair[0], pair[1]) for name, pair in stored.items()})

    def to_settings(self) -> dict[str, Any]:
        """As JSON."""
        return {SETTING: {group.value: [list(x), list(y)] for group, (x, y) in self.knots.items()}}

    def calibrated(self, landmark: Landmark) -> Landmark:
        """Return the landmark with a probability in place of its raw evidence."""
        knots = self.knots.get(landmark.key.condition.group)
        if knots is None or landmark.confidence is None:
            return landmark
        return replace(landmark, confidence=float(np.interp(landmark.confidence, *knots)))
