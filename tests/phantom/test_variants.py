"""Patients differ as they should, and what the options ask for is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.spine import ALL_FINDINGS, ConditionGroup, Level, Side
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, Reading, Tissue, make_phantom
from napari_lumbar.phantom.config import Transitional
from napari_lumbar.phantom.grid import SpineGrid
from napari_lumbar.phantom.levels import RecessState, Room, _canal
from napari_lumbar.phantom.shape import SpineShape
from napari_lumbar.phantom.tissue import HAEMANGIOMA_MATERIAL, MODIC_MATERIAL, TISSUE_OF_MATERIAL
from napari_lumbar.phantom.variants import Extrusion, Haemangioma, Modic, Slip, Variants, draw_variants

COARSE = PhantomConfig(voxel_mm=1.2, transitional="none", cobb_deg=0.0)
BONE = (Tissue.VERTEBRA, Tissue.SACRUM, Tissue.CORTEX)
PaintSpine = Callable[..., tuple[Reading, SpineShape, SpineGrid]]
N = 3000


@pytest.fixture(scope="module")
def patients() -> list[Variants]:
    rng = np.random.default_rng(3)
    return [draw_variants(rng, PhantomConfig()) for _ in range(N)]


def _plain(variants: Variants) -> Variants:
    """The same patient without what is tested one by one."""
    return replace(
        variants, slip=None, wedges={}, nodes=(), modic=(), haemangiomas=(), laminectomy=frozenset()
    )


def _materials(
    grid: SpineGrid, along_mm: object, behind_mm: object, lateral_mm: object = 0.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Materials at spine coordinates, arrays that broadcast."""
    points = grid.curve.points_lps_mm(np.asarray(along_mm), np.asarray(behind_mm), np.asarray(lateral_mm))
    x, y, z = np.moveaxis(np.rint((points - grid.origin_lps_mm) / grid.voxel_mm).astype(int), -1, 0)
    return grid.materials[z, y, x]


def _tissues(
    grid: SpineGrid, along_mm: object, behind_mm: object, lateral_mm: object = 0.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return TISSUE_OF_MATERIAL[_materials(grid, along_mm, behind_mm, lateral_mm)]


def test_shares_are_realistic(patients: list[Variants]) -> None:
    def share(has: Callable[[Variants], bool]) -> float:
        return float(np.mean([has(v) for v in patients]))

    assert share(lambda v: v.transitional == "l6") == pytest.approx(0.04, abs=0.015)
    assert share(lambda v: v.transitional == "sacralised") == pytest.approx(0.04, abs=0.015)
    assert share(lambda v: v.slip is not None) == pytest.approx(0.03, abs=0.012)
    assert share(lambda v: bool(v.laminectomy)) == pytest.approx(0.02, abs=0.01)
    cobb = 2 * np.degrees(np.arctan([abs(v.swing.amplitude_mm) / 55 for v in patients]))
    assert (cobb < 5).mean() > 0.8
    assert 20 < cobb.max() <= 25
    sizes = np.array([v.size for v in patients])
    assert 0.85 <= sizes.min() < 0.88 < 1.12 < sizes.max() <= 1.2
    rudiments = np.array([v.rudiment for v in patients])
    assert rudiments.max() > 0.5
    assert (rudiments < 0.08).mean() > 0.2


@pytest.mark.parametrize("seed", [1, 2])
def test_sacrum_begins_below_the_lowest_named_disc(paint_spine: PaintSpine, seed: int) -> None:
    kinds: tuple[Transitional, ...] = ("none", "l6", "sacralised")
    for kind in kinds:
        _, shape, grid = paint_spine(seed, replace(COARSE, transitional=kind), _plain)
        disc = shape.disc(Level.L5_S1)
        reach = disc.height_mm / 2 + 7
        assert _tissues(grid, disc.centre_mm - reach, -4.0) == Tissue.VERTEBRA
        assert _tissues(grid, disc.centre_mm + reach, -4.0) == Tissue.SACRUM
        assert _tissues(grid, disc.centre_mm, 0.0) in (Tissue.DISC_NUCLEUS, Tissue.DISC_ANNULUS)


def test_an_additional_segment_keeps_the_names_and_lifts_the_cord(paint_spine: PaintSpine) -> None:
    heights, cords = [], []
    for kind in ("none", "l6"):
        shape = paint_spine(4, replace(COARSE, transitional=kind), _plain)[1]
        heights.append(shape.disc(Level.L5_S1).height_mm)
        cords.append(shape.variants.conus_mm)
    assert heights[1] > 4
    assert cords[1] < cords[0] - 25


def test_a_sacralised_vertebra_has_a_rudimentary_disc_and_fused_processes(paint_spine: PaintSpine) -> None:
    bone = {}
    for kind in ("none", "sacralised"):
        _, shape, grid = paint_spine(5, replace(COARSE, transitional=kind), _plain)
        if kind == "sacralised":
            assert shape.disc(Level.L5_S1).height_mm < 0.6 * shape.disc(Level.L4_L5).height_mm
        body, disc = shape.body("L5"), shape.disc(Level.L5_S1)
        beside = body.canal_half_width_mm + 2 * body.pedicle_half_width_mm + 5
        along = np.linspace(body.middle_mm, disc.centre_mm + 6, 12)
        bone[kind] = np.isin(_tissues(grid, along, 10.0 * shape.size, beside), BONE).mean()
    assert bone["sacralised"] > 0.9
    assert bone["none"] < 0.7


@pytest.mark.parametrize("cobb", [0.0, 12.0, 24.0])
def test_scoliosis_has_its_angle_and_tilts_the_discs(paint_spine: PaintSpine, cobb: float) -> None:
    _, shape, grid = paint_spine(6, replace(COARSE, cobb_deg=cobb), _plain)
    ends = np.array([-15.0, 15.0])
    tilts = []
    for disc in shape.discs[5:]:
        right, left = shape.curve.points_lps_mm(np.array(disc.centre_mm), np.array(0.0), ends)
        tilts.append(np.degrees(np.arctan2(left[2] - right[2], left[0] - right[0])))
    assert np.ptp(tilts) == pytest.approx(cobb, abs=1 + 0.15 * cobb)
    # The painted discs are tilted with them.
    places = np.array([level.along_mm for level in shape.levels])[:, None]
    discs = _tissues(grid, places, -2.0, ends)
    assert np.isin(discs, (Tissue.DISC_ANNULUS, Tissue.DISC_NUCLEUS)).all()


def test_a_slipped_vertebra_carries_all_above_it(paint_spine: PaintSpine) -> None:
    def curve(step: float) -> SpineShape:
        slip = Slip(Level.L4_L5, step) if step else None
        return paint_spine(7, COARSE, lambda v: replace(_plain(v), slip=slip))[1]

    straight, slipped = curve(0.0), curve(8.0)
    for name, forward in (("L3", 8.0), ("L4", 8.0), ("L5", 0.0), ("S1", 0.0)):
        before, after = (s.curve.point_lps_mm(s.body(name).middle_mm) for s in (straight, slipped))
        assert np.linalg.norm(np.subtract(after, before)) == pytest.approx(forward, abs=0.01)
        assert after[1] <= before[1] + 0.01


def test_surgery_leaves_no_lamina(paint_spine: PaintSpine) -> None:
    def bone_behind(taken: frozenset[str]) -> float:
        _, shape, grid = paint_spine(8, COARSE, lambda v: replace(_plain(v), laminectomy=taken))
        body = shape.body("L4")
        along = body.bottom_mm - 0.2 * body.height_mm
        start = body.half_depth_mm + body.canal_depth_mm
        return float(np.isin(_tissues(grid, along, start + np.linspace(0, 22, 23)), BONE).mean())

    assert bone_behind(frozenset()) > 0.7
    assert bone_behind(frozenset({"L4"})) == 0


def test_an_extrusion_lies_behind_the_body_and_spares_the_disc_plane(paint_spine: PaintSpine) -> None:
    def canal_front(extrusion: Extrusion | None, down_mm: float) -> float:
        _, shape, grid = paint_spine(10, COARSE, lambda v: replace(_plain(v), extrusion=extrusion))
        disc = shape.disc(Level.L4_L5)
        front = disc.half_depth_mm + np.linspace(0.5, 4, 8)
        return float((_tissues(grid, disc.centre_mm + down_mm, front, 2.0) == Tissue.DISC_ANNULUS).mean())

    tongue = Extrusion(Level.L4_L5, 1, 2.0, 12.0, 5.0)
    assert canal_front(tongue, 11.0) > 0.9 > 0.2 > canal_front(None, 11.0)
    assert canal_front(tongue, 0.0) == canal_front(None, 0.0)


def test_changed_marrow_is_still_bone_with_looks_of_its_own(paint_spine: PaintSpine) -> None:
    def changed(variants: Variants) -> Variants:
        modic = (Modic("L3/L4", 1, 9.0, 0.5), Modic("L4/L5", 2, 9.0, 0.5))
        tumour = (Haemangioma("L2", 0.0, 0.0, 0.0, 8.0),)
        return replace(_plain(variants), modic=modic, haemangiomas=tumour)

    _, shape, grid = paint_spine(9, COARSE, changed)
    for level, kind in ((Level.L3_L4, 1), (Level.L4_L5, 2)):
        disc = shape.disc(level)
        places = disc.centre_mm + np.array([-1, 1]) * (disc.height_mm / 2 + 4)
        assert (_materials(grid, places, 0.0) == MODIC_MATERIAL + kind - 1).all()
        assert (_tissues(grid, places, 0.0) == Tissue.VERTEBRA).all()
    assert _materials(grid, shape.body("L2").middle_mm, 0.0) == HAEMANGIOMA_MATERIAL


@pytest.fixture(scope="module")
def thoracolumbar() -> PhantomStudy:
    config = PhantomConfig(
        field="thoracolumbar",
        sagittal_matrices=(128,),
        axial_matrices=(64,),
        voxel_mm=1.6,
        transitional="none",
    )
    return make_phantom(12, config)


def test_what_the_field_leaves_out_is_missing_with_a_reason(thoracolumbar: PhantomStudy) -> None:
    landmarks = thoracolumbar.landmarks
    assert {key for key in ALL_FINDINGS if key.level is Level.L5_S1} == set(landmarks.missing)
    assert {why.code for why in landmarks.missing.values()} == {"outside_field"}
    assert set(landmarks.points) | set(landmarks.missing) == set(ALL_FINDINGS)


def test_a_field_moved_up_shows_thoracic_vertebrae(thoracolumbar: PhantomStudy) -> None:
    series = thoracolumbar.study.first(SeriesRole.SAGITTAL_T2)
    assert series is not None
    others = thoracolumbar.other_disc_centres_lps_mm
    assert "T9/T10" in others
    index = series.nearest_slice_index(others["T9/T10"])
    geometry = series.slices[index].geometry
    row, column = np.rint(geometry.pixel_from_lps(others["T9/T10"])).astype(int)
    label = thoracolumbar.tissues[series.series_id][index][row, column]
    assert label in (Tissue.DISC_NUCLEUS, Tissue.DISC_ANNULUS)


def test_labels_are_the_same_whenever_they_are_asked_for(thoracolumbar: PhantomStudy) -> None:
    tissues = next(iter(thoracolumbar.tissues.values()))
    assert len(tissues) == len(thoracolumbar.study.series[0].slices)
    np.testing.assert_array_equal(tissues[3], tissues[1:5][2])


def test_a_cobb_angle_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cobb_deg 70 must lie within 0..40"):
        PhantomConfig(cobb_deg=70)


def test_a_wide_sac_between_closed_recesses_ends_as_wide_as_it_may() -> None:
    """Independently drawn severities ask for it; the search for room must end."""
    rng = np.random.default_rng(0)
    recesses = {side: RecessState(0.5, 7.0, 4.0, 0.5) for side in Side}
    room = Room(size=0.9, between_pedicles_mm=22, wide_mm=0, pedicle_mm=0)
    canal = _canal(rng, 260.0, recesses, Level.L1_L2, room)
    assert 100 < canal.sac_mm2 < 260


def test_how_far_the_fat_beside_the_foramina_reaches_is_the_patients_build() -> None:
    """And says nothing about what is in the foramina."""
    shares = []
    for seed in range(14):
        phantom = make_phantom(seed, replace(COARSE, axial_matrices=(128,), sagittal_matrices=(96,)))
        axial = phantom.study.series[2]
        labels = np.stack(phantom.tissues[axial.series_id][:])
        spacing = float(axial.slices[0].geometry.spacing_rc_mm[1])
        beside = []
        for finding, landmark in phantom.landmarks.points.items():
            if finding.condition.group is ConditionGroup.SUBARTICULAR:
                row, column = (round(v) for v in landmark.pixel_rc)
                out = round(22 / spacing) * (1 if finding.condition.side is Side.LEFT else -1)
                around = labels[landmark.slice_index, row - 4 : row + 5, column + out - 4 : column + out + 5]
                beside.append(float((around == Tissue.FAT).mean()))
        shares.append(np.mean(beside))
    assert np.ptp(shares) > 0.15
