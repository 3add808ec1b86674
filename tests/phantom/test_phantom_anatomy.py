"""Each narrow place changes the anatomy it names, and only that: seen on the slices' tissue labels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.geometry import FloatArray
from napari_lumbar.domain.landmarks import Landmark
from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, Tissue, make_phantom
from napari_lumbar.phantom.scales import measure_of

SHARP = PhantomConfig(balanced=True, sagittal_matrices=(224,), axial_matrices=(192,), voxel_mm=1.0)
SEEDS = (21, 22)
SAC = (Tissue.CSF, Tissue.ROOTS, Tissue.CORD)


@pytest.fixture(scope="module")
def phantoms() -> list[PhantomStudy]:
    return [make_phantom(seed, SHARP) for seed in SEEDS]


def _around(phantom: PhantomStudy, mark: Landmark, series_id: str, radius_mm: float) -> np.ndarray:
    """Tissues within a radius of a landmark on the nearest slice of a series."""
    series = phantom.study.by_id(series_id)
    index = series.nearest_slice_index(mark.point_lps_mm)
    geometry = series.slices[index].geometry
    offset = np.indices((geometry.rows, geometry.columns)).transpose(1, 2, 0)
    distance = (offset - geometry.pixel_from_lps(mark.point_lps_mm)) * geometry.spacing_rc_mm
    return phantom.tissues[series_id][index][np.linalg.norm(distance, axis=-1) < radius_mm]


def _sac_mm2(phantom: PhantomStudy, mark: Landmark) -> float:
    """Cross-section of the sac on the axial slice at the landmark."""
    series = phantom.study.first(SeriesRole.AXIAL_T2)
    assert series is not None
    index = series.nearest_slice_index(mark.point_lps_mm)
    pixel_mm2 = float(np.prod(series.slices[index].geometry.spacing_rc_mm))
    return float(np.isin(phantom.tissues[series.series_id][index], SAC).sum() * pixel_mm2)


def _depth_mm(phantom: PhantomStudy, mark: Landmark) -> float:
    """Open depth of the recess through the landmark, from front to back on its axial slice."""
    geometry = phantom.study.by_id(mark.series_id).slices[mark.slice_index].geometry
    row, column = (round(v) for v in mark.pixel_rc)
    reach = round(8 / geometry.row_spacing_mm)
    strip = phantom.tissues[mark.series_id][mark.slice_index][row - reach : row + reach, column]
    free = (*SAC, Tissue.EPIDURAL_FAT, Tissue.NERVE_ROOT)
    return float(np.isin(strip, free).sum() * geometry.row_spacing_mm)


def _measure(phantom: PhantomStudy, mark: Landmark) -> float:
    group = mark.key.condition.group
    if group is ConditionGroup.CANAL:
        return _sac_mm2(phantom, mark)
    if group is ConditionGroup.FORAMINAL:
        return float((_around(phantom, mark, mark.series_id, 11) == Tissue.FORAMINAL_FAT).mean())
    return _depth_mm(phantom, mark)


def _intended_and_seen(phantoms: list[PhantomStudy], group: ConditionGroup) -> tuple[FloatArray, FloatArray]:
    marks = [(p, m) for p in phantoms for m in p.landmarks if m.key.condition.group is group]
    intended = [float(measure_of(group, p.narrowness[m.key])) for p, m in marks]
    return np.array(intended), np.array([_measure(p, m) for p, m in marks])


@pytest.mark.parametrize("group", list(ConditionGroup), ids=lambda g: g.name.lower())
def test_slices_show_how_narrow_a_place_is(phantoms: list[PhantomStudy], group: ConditionGroup) -> None:
    # Places are independent of each other here, and each side is measured at its own landmark, so swapped
    # sides or levels could not go together.
    intended, seen = _intended_and_seen(phantoms, group)
    assert np.corrcoef(intended, seen)[0, 1] > 0.9


def test_sac_has_its_area_on_axial_slices(phantoms: list[PhantomStudy]) -> None:
    intended, seen = _intended_and_seen(phantoms, ConditionGroup.CANAL)
    assert np.median(np.abs(seen / intended - 1)) < 0.15


def test_discs_lie_one_below_the_other(phantoms: list[PhantomStudy]) -> None:
    for phantom in phantoms:
        centres = phantom.disc_centres_lps_mm
        assert list(centres) == ["T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"]
        steps = np.linalg.norm(np.diff(np.array(list(centres.values())), axis=0), axis=1)
        assert ((steps > 23) & (steps < 48)).all()


def test_disc_centres_lie_in_discs(phantoms: list[PhantomStudy]) -> None:
    for phantom in phantoms:
        series = phantom.study.first(SeriesRole.SAGITTAL_T2)
        assert series is not None
        for name, centre in phantom.disc_centres_lps_mm.items():
            index = series.nearest_slice_index(centre)
            row, column = np.rint(series.slices[index].geometry.pixel_from_lps(centre)).astype(int)
            tissue = phantom.tissues[series.series_id][index][row, column]
            assert tissue in (Tissue.DISC_NUCLEUS, Tissue.DISC_ANNULUS), name


def test_fluid_is_bright_on_t2_and_dark_on_t1(phantoms: list[PhantomStudy]) -> None:
    def mean(phantom: PhantomStudy, role: SeriesRole, tissue: Tissue) -> float:
        series = phantom.study.first(role)
        assert series is not None
        index = len(series.slices) // 2
        labels = phantom.tissues[series.series_id][index]
        return float(series.slices[index].pixels[labels == tissue].mean())

    for phantom in phantoms:
        for role, brighter in ((SeriesRole.SAGITTAL_T2, True), (SeriesRole.SAGITTAL_T1, False)):
            fluid, bone = mean(phantom, role, Tissue.CSF), mean(phantom, role, Tissue.VERTEBRA)
            assert (fluid > bone) is brighter
