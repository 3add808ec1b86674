"""What narrows a level differs between people with the same measures."""

from __future__ import annotations

import numpy as np

from napari_lumbar.domain.spine import ALL_FINDINGS, Level
from napari_lumbar.phantom.levels import FILLING, LevelState, Room, draw_level

#: Between moderate and severe.
NARROWNESS = dict.fromkeys(ALL_FINDINGS, 0.5)


def _front_fat_mm(level: LevelState) -> float:
    """Fat between the disc and the sac on the midline."""
    canal = level.canal
    half_depth = np.sqrt(canal.sac_mm2 / (4 * FILLING * canal.aspect))
    return float(canal.middle_mm - half_depth - canal.front_mm)


def test_fat_in_front_of_a_narrow_sac_differs_between_people() -> None:
    # Networks that had only met thin fat there took it for a part of the sac where it was thick.
    room = Room(size=1.0, between_pedicles_mm=22, wide_mm=0, pedicle_mm=0)
    levels = [
        draw_level(np.random.default_rng(seed), Level.L3_L4, 0.0, NARROWNESS, room) for seed in range(300)
    ]
    thin, thick = np.percentile([_front_fat_mm(level) for level in levels], (5, 95))
    assert 0 < thin < 0.5
    assert thick > 1.5


def test_even_fat_goes_with_the_sac() -> None:
    room = Room(size=1.0, between_pedicles_mm=22, wide_mm=0, pedicle_mm=0, front_fat="even")
    levels = [
        draw_level(np.random.default_rng(seed), Level.L3_L4, 0.0, NARROWNESS, room) for seed in range(300)
    ]
    thin, thick = np.percentile([_front_fat_mm(level) for level in levels], (5, 95))
    assert 0 < thin < thick < 1.2
