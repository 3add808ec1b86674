"""Two sagittal contrasts of one spine: which names its levels better, and whether they agree. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..domain.landmarks import Numbering
from ..domain.spine import Level
from .sagittal_maps import SagittalMaps
from .spine_frame import LevelFrame, SpineFrame

#: Centres this near, seen from the side, are those of one disc: patients move a little between series; discs
#: lie further apart.
SAME_DISC_MM = 10.0


def stands_in(t1: SpineFrame, t2: SpineFrame) -> bool:
    """Whether T1 names the levels in the place of T2, which shows the canal and is usually asked.

    Only where T2's names are doubtful anyway, T1's are less so, T1 shows no fewer levels, and T2 is not alone
    in showing the sacrum that levels are counted from.
    """
    sure, unsure = t1.numbering.confidence, t2.numbering.confidence
    if sure is None or unsure is None or len(t1.levels) < len(t2.levels):
        return False
    if t2.numbering.sacrum_seen and not t1.numbering.sacrum_seen:
        return False
    return t2.numbering.is_unsure and sure > unsure


def joint_numbering(guide: SpineFrame, other: SpineFrame | None) -> Numbering:
    """What the guide's names rest on, with what the other contrast says against them."""
    if other is None:
        return guide.numbering
    below = max(guide.numbering.disc_below, other.numbering.disc_below)
    return replace(guide.numbering, disc_below=below, contrasts_differ_by=levels_off(guide, other))


def levels_off(spine: SpineFrame, other: SpineFrame) -> int:
    """By how many levels ``other`` names the same discs lower; 0 where it agrees or shows none of them.

    Where discs answer differently, the largest difference.
    """
    names = {level: _name_of(frame, other) for level, frame in spine.levels.items()}
    offsets = [named.rank - level.rank for level, named in names.items() if named is not None]
    return max(offsets, key=abs, default=0)


def on_other_contrast(guide: SpineFrame, other: SpineFrame, maps: SagittalMaps) -> SpineFrame:
    """The guide's levels where the other contrast, whose maps are given, shows them.

    A disc that it shows lies where it shows it, whatever its name there; where it shows the canal alone, the
    guide's place counts. What it does not show at all it cannot place.
    """
    levels = {}
    for level, frame in guide.levels.items():
        its_name = _name_of(frame, other)
        if its_name is not None:
            levels[level] = replace(other.levels[its_name], confidence=frame.confidence)
        elif maps.shows_canal_at(frame.canal_lps_mm):
            levels[level] = frame
    return replace(guide, levels=levels)


def _name_of(frame: LevelFrame, spine: SpineFrame) -> Level | None:
    apart_mm = {level: _apart_mm(frame, there) for level, there in spine.levels.items()}
    nearest = min(apart_mm, key=apart_mm.__getitem__, default=None)
    return nearest if nearest is not None and apart_mm[nearest] <= SAME_DISC_MM else None


def _apart_mm(one: LevelFrame, other: LevelFrame) -> float:
    """How far two discs lie apart seen from the side; where the middle is, contrasts tell less well."""
    way = other.disc_lps_mm - one.disc_lps_mm
    return float(np.linalg.norm(way - (way @ one.left) * one.left))
