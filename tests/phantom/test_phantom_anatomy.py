"""Each severity changes the anatomy it names, and only that: measured on the truth's tissue labels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.geometry import FloatArray
from napari_lumbar.domain.landmarks import Landmark
from napari_lumbar.domain.spine import ConditionGroup, Severity
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, Tissue, make_phantom

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


def _sac_ap_mm(phantom: PhantomStudy, mark: Landmark) -> float:
    """Anteroposterior extent of the sac on the midline of the axial slice at the landmark."""
    series = phantom.study.first(SeriesRole.AXIAL_T2)
    assert series is not None
    index = series.nearest_slice_index(mark.point_lps_mm)
    geometry = series.slices[index].geometry
    column = round(float(geometry.pixel_from_lps(mark.point_lps_mm)[1]))
    line = phantom.tissues[series.series_id][index][:, column]
    return float(np.isin(line, SAC).sum() * geometry.row_spacing_mm)


def _measure(phantom: PhantomStudy, mark: Landmark) -> float:
    group = mark.key.condition.group
    if group is ConditionGroup.CANAL:
        return _sac_ap_mm(phantom, mark)
    if group is ConditionGroup.FORAMINAL:
        return float((_around(phantom, mark, mark.series_id, 9) == Tissue.FORAMINAL_FAT).mean())
    free = (*SAC, Tissue.EPIDURAL_FAT, Tissue.NERVE_ROOT)
    return float(np.isin(_around(phantom, mark, mark.series_id, 3.5), free).mean())


def _by_severity(phantoms: list[PhantomStudy], group: ConditionGroup) -> dict[Severity, FloatArray]:
    found: dict[Severity, list[float]] = {severity: [] for severity in Severity}
    for phantom in phantoms:
        for mark in phantom.landmarks:
            if mark.key.condition.group is group:
                found[phantom.severities[mark.key]].append(_measure(phantom, mark))
    return {severity: np.array(values) for severity, values in found.items()}


@pytest.mark.parametrize("group", list(ConditionGroup), ids=lambda g: g.name.lower())
def test_room_shrinks_with_severity(phantoms: list[PhantomStudy], group: ConditionGroup) -> None:
    # Severities are independent of each other here, and each side is measured at its own landmark,
    # so swapped sides or levels could not be in order.
    room = _by_severity(phantoms, group)
    medians = [float(np.median(room[severity])) for severity in Severity]
    assert medians[0] > 1.25 * medians[1] > 1.25**2 * medians[2]
    assert room[Severity.NORMAL_MILD].min() > room[Severity.SEVERE].max()


def test_sac_diameter_is_as_graded(phantoms: list[PhantomStudy]) -> None:
    room = _by_severity(phantoms, ConditionGroup.CANAL)
    assert 10 < np.median(room[Severity.NORMAL_MILD]) < 16
    assert 7 < np.median(room[Severity.MODERATE]) < 10.5
    assert 2.5 < np.median(room[Severity.SEVERE]) < 7


def test_discs_lie_one_below_the_other(phantoms: list[PhantomStudy]) -> None:
    for phantom in phantoms:
        centres = phantom.disc_centres_lps_mm
        assert list(centres) == ["T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1"]
        steps = np.linalg.norm(np.diff(np.array(list(centres.values())), axis=0), axis=1)
        assert ((steps > 25) & (steps < 45)).all()


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
