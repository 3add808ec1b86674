"""A ruler on the test phantom's labels reads the measures that its narrowness asks for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.phantom.holdout import TestPhantomConfig
from napari_lumbar.phantom.holdout.materials import TISSUE_OF
from napari_lumbar.phantom.holdout.paint import paint_spine
from napari_lumbar.phantom.holdout.plane import Slab
from napari_lumbar.phantom.holdout.spine import Disc, Spine, make_spine
from napari_lumbar.phantom.scales import measure_of
from napari_lumbar.phantom.severity import sample_reading
from napari_lumbar.phantom.tissue import LabelArray, Tissue

STEP_MM = 0.25
SIDES = {Side.RIGHT: (0, -1), Side.LEFT: (1, 1)}
SAC = (Tissue.CSF, Tissue.ROOTS, Tissue.CORD)
OPEN = (*SAC, Tissue.EPIDURAL_FAT, Tissue.NERVE_ROOT)
PLAIN = TestPhantomConfig(transitional="none", cobb_deg=4)


def _labels(
    spine: Spine, disc: Disc, corner_mm: tuple[float, float, float], axes: tuple[int, int], span_mm: float
) -> LabelArray:
    """Tissues on a square plane of a disc's frame; the corner is its first pixel."""
    columns, rows = (disc.frame.axes[:, axis] for axis in axes)
    count = round(span_mm / STEP_MM)
    origin = disc.frame.outer(corner_mm)
    slab = Slab(origin, rows * STEP_MM, columns * STEP_MM, np.zeros((1, 3)), count, count)
    materials = np.zeros((1, count, count), dtype=np.uint8)
    paint_spine(slab, spine, materials)
    return TISSUE_OF[materials[0]]


def _axial(spine: Spine, disc: Disc) -> LabelArray:
    return _labels(spine, disc, (-20.0, disc.half_depth_mm - 4, 0.02), (0, 1), 40)


def _sac_mm2(spine: Spine, level: Level) -> float:
    return float(np.isin(_axial(spine, spine.at(level)), SAC).sum() * STEP_MM**2)


def _recess_mm(spine: Spine, level: Level, side: Side) -> float:
    disc, (_, sign) = spine.at(level), SIDES[side]
    labels = _axial(spine, disc)
    x = np.arange(labels.shape[1]) * STEP_MM - 20
    strip = labels[:, np.abs(x - sign * disc.section.recess_lateral_mm) < 1]
    return float(np.isin(strip, OPEN).sum(axis=0).mean() * STEP_MM)


def _fat_mm2(spine: Spine, level: Level, side: Side) -> float:
    disc, (index, sign) = spine.at(level), SIDES[side]
    corner = (sign * disc.foramina[index].lateral_mm, disc.half_depth_mm - 20, -8.0)
    # The next foramen lies beyond the window's upper and lower border.
    labels = _labels(spine, disc, corner, (1, 2), 40)[: round(26 / STEP_MM)]
    return float((labels == Tissue.FORAMINAL_FAT).sum() * STEP_MM**2)


def _read(spine: Spine, key: FindingKey) -> float:
    side = key.condition.side
    if side is None:
        return _sac_mm2(spine, key.level)
    if key.condition.group is ConditionGroup.FORAMINAL:
        return _fat_mm2(spine, key.level, side)
    return _recess_mm(spine, key.level, side)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("balanced", [False, True])
def test_a_ruler_reads_all_measures(seed: int, balanced: bool) -> None:
    rng = np.random.default_rng(seed)
    narrowness = sample_reading(rng, balanced).narrowness
    spine = make_spine(rng, narrowness, PLAIN)
    for key in ALL_FINDINGS:
        group = key.condition.group
        wanted = float(measure_of(group, narrowness[key]))
        tolerance = 0.3 if group is ConditionGroup.SUBARTICULAR else max(2.0, 0.1 * wanted)
        assert _read(spine, key) == pytest.approx(wanted, abs=tolerance), key.text


@pytest.mark.parametrize("group", list(ConditionGroup))
def test_narrower_is_narrower(group: ConditionGroup) -> None:
    key = FindingKey(Condition.of(group, None if group is ConditionGroup.CANAL else Side.LEFT), Level.L4_L5)
    readings: list[float] = []
    for narrowness in np.arange(-3.0, 3.1, 1.0):
        all_alike = dict.fromkeys(ALL_FINDINGS, float(narrowness))
        readings.append(_read(make_spine(np.random.default_rng(8), all_alike, PLAIN), key))
    assert (np.diff(readings) < 0).all()


def test_one_narrow_side_leaves_the_other_alone() -> None:
    narrow = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L3_L4)
    narrowness: dict[FindingKey, float] = {**dict.fromkeys(ALL_FINDINGS, -1.5), narrow: 1.8}
    spine = make_spine(np.random.default_rng(5), narrowness, PLAIN)
    assert _recess_mm(spine, Level.L3_L4, Side.LEFT) < 2.3
    assert _recess_mm(spine, Level.L3_L4, Side.RIGHT) > 6.5


def test_the_canal_is_open_between_its_narrow_places() -> None:
    spine = make_spine(np.random.default_rng(6), dict.fromkeys(ALL_FINDINGS, 1.5), PLAIN)
    disc = spine.at(Level.L4_L5)
    labels = _labels(spine, disc, (-20.0, disc.half_depth_mm - 4, 17.0), (0, 1), 40)
    between: npt.NDArray[np.bool_] = np.isin(labels, SAC)
    assert between.sum() * STEP_MM**2 > 110 > 2 * _sac_mm2(spine, Level.L4_L5)


def test_a_severely_narrow_sac_is_full_of_roots() -> None:
    def fluid_share(narrowness: float) -> float:
        spine = make_spine(np.random.default_rng(6), dict.fromkeys(ALL_FINDINGS, narrowness), PLAIN)
        labels = _axial(spine, spine.at(Level.L4_L5))
        return float((labels == Tissue.CSF).sum() / np.isin(labels, SAC).sum())

    assert fluid_share(2.0) < 0.25 < 0.65 < fluid_share(-1.5)
