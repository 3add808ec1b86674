"""Two sagittal contrasts of one spine: which names its levels better, and whether they agree. Pure."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..domain.spine import Level
from .spine_frame import LevelFrame, SpineFrame

#: Centres this near are those of one disc: patients move a little between series; discs lie further apart.
SAME_DISC_MM = 10.0


def stands_in(t1: SpineFrame, t2: SpineFrame) -> bool:
    """Whether T1 names the levels in the place of T2, which shows the canal and is usually asked.

    Only where T2's names are doubtful anyway, T1's are less so, and T1 shows no fewer levels.
    """
    sure, unsure = t1.numbering.confidence, t2.numbering.confidence
    if sure is None or unsure is None or len(t1.levels) < len(t2.levels):
        return False
    return t2.numbering.is_unsure and sure > unsure


def levels_off(spine: SpineFrame, other: SpineFrame) -> int:
    """By how many levels ``other`` names the same discs lower; 0 where it agrees or shows none of them."""
    offsets = [
        named.rank - level.rank
        for level, frame in spine.levels.items()
        if (named := _name_of(frame, other)) is not None
    ]
    return Counter(offsets).most_common(1)[0][0] if offsets else 0


def _name_of(frame: LevelFrame, spine: SpineFrame) -> Level | None:
    apart_mm = {
        level: float(np.linalg.norm(there.disc_lps_mm - frame.disc_lps_mm))
        for level, there in spine.levels.items()
    }
    nearest = min(apart_mm, key=apart_mm.__getitem__, default=None)
    return nearest if nearest is not None and apart_mm[nearest] <= SAME_DISC_MM else None
