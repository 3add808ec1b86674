"""Why a whole analysis, or a part of it, may not be believed, each reason once.

The codes are stable: programs, tests and the catalogue of bad input rely on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .spine import FindingKey

_LOOK = "look at the points on the images and correct them, or leave the findings out"


class DoubtKind(Enum):
    """What kind of doubt: a stable code, and what a person can do about it."""

    NOT_LUMBAR = (
        "not_lumbar",
        "choose a study of the lumbar spine, or check which series plays which role",
    )
    LEVELS_NOT_IN_VIEW = "levels_not_in_view", "look for the missing levels in another series or study"
    NUMBERING_UNCERTAIN = (
        "numbering_uncertain",
        "compare with images that show the sacrum or the ribs, and move the level names if they are off",
    )
    LEVELS_OUT_OF_ORDER = "levels_out_of_order", _LOOK
    SPACING_IMPLAUSIBLE = "spacing_implausible", _LOOK
    SIDE_CONTRADICTED = (
        "side_contradicted",
        "compare the letters at the images' edges with the anatomy, and correct the points",
    )
    SERIES_DISAGREE = (
        "series_disagree",
        "see whether the patient moved between the series, and correct the points on one of them",
    )
    POOR_IMAGES = "poor_images", "look at the images, and repeat the series if it can be"
    SIGNAL_VOID = "signal_void", "see whether metal hides the level, and grade it by eye"

    def __init__(self, code: str, remedy: str) -> None:
        self.code = code
        self.remedy = remedy


@dataclass(frozen=True)
class Doubt:
    """One doubt about an analysis.

    Parameters
    ----------
    sentence
        What was found, with the values, for a person.
    withheld
        The findings that get no grade because of it; none where it is only a warning.
    """

    kind: DoubtKind
    sentence: str
    withheld: frozenset[FindingKey] = frozenset()

    @property
    def text(self) -> str:
        """The sentence with what can be done."""
        return f"{self.sentence}. To do: {self.kind.remedy}."
