"""A ruler on the painted labels reads the measures that the spine was made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from napari_lumbar.domain.geometry import FloatArray
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.phantom import PhantomConfig, Reading
from napari_lumbar.phantom.grid import SpineGrid
from napari_lumbar.phantom.ruler import measured, share_of_sac
from napari_lumbar.phantom.scales import measure_of
from napari_lumbar.phantom.shape import SpineShape
from napari_lumbar.phantom.tissue import Tissue

SEEDS = (1, 2, 3)
#: A tenth of the measure, but no less than half a millimetre around it or a part of a voxel.
LEAST = {ConditionGroup.CANAL: 5.0, ConditionGroup.FORAMINAL: 5.0, ConditionGroup.SUBARTICULAR: 0.75}
WIDE_SAC_MM2 = 150.0


@dataclass(frozen=True)
class Measured:
    """One place: what the spine was made with and what the ruler reads, mm2 or mm."""

    key: FindingKey
    intended: float
    read: float


@pytest.fixture(scope="module")
def spines(
    paint_spine: Callable[..., tuple[Reading, SpineShape, SpineGrid]],
) -> list[tuple[Reading, SpineShape, SpineGrid]]:
    return [paint_spine(seed, PhantomConfig(balanced=True)) for seed in SEEDS]


@pytest.fixture(scope="module")
def places(spines: list[tuple[Reading, SpineShape, SpineGrid]]) -> list[Measured]:
    return [
        Measured(
            key,
            float(measure_of(key.condition.group, reading.narrowness[key])),
            measured(grid, shape, key),
        )
        for reading, shape, grid in spines
        for key in ALL_FINDINGS
    ]


def _of(places: list[Measured], group: ConditionGroup) -> tuple[FloatArray, FloatArray]:
    chosen = [p for p in places if p.key.condition.group is group]
    return np.array([p.intended for p in chosen]), np.array([p.read for p in chosen])


@pytest.mark.parametrize("group", list(ConditionGroup), ids=lambda g: g.name.lower())
def test_ruler_reads_what_was_intended(places: list[Measured], group: ConditionGroup) -> None:
    intended, read = _of(places, group)
    # Between closed recesses a wide sac does not fit: it is as wide as it may be, and nowhere near narrow.
    share = np.where((group is ConditionGroup.CANAL) & (intended > WIDE_SAC_MM2), 0.2, 0.1)
    assert (np.abs(read - intended) <= np.maximum(share * intended, LEAST[group])).all()
    # Narrow and wide places alike, and without a bias.
    assert np.ptp(intended) > 3 * intended.min()
    assert abs((read - intended).mean()) < 0.4 * LEAST[group]
    assert np.corrcoef(intended, read)[0, 1] > 0.99


def test_crowded_roots_leave_no_fluid(spines: list[tuple[Reading, SpineShape, SpineGrid]]) -> None:
    fluid = []
    for reading, shape, grid in spines:
        for level in (Level.L3_L4, Level.L4_L5):
            key = FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)
            area = float(measure_of(ConditionGroup.CANAL, reading.narrowness[key]))
            fluid.append((area, share_of_sac(grid, shape, level, Tissue.CSF)))
            # About forty square millimetres of roots lie in every sac that can hold them.
            roots = 40 * shape.variants.roots_share
            assert fluid[-1][1] == pytest.approx(max(0.0, 1 - roots / area), abs=0.17)
    assert min(fluid)[1] < 0.1 < 0.5 < max(fluid)[1]
