"""Made images: phantoms as they are, and spoilt by noise, ghosts or a hole without signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.doubts import DoubtKind
from napari_lumbar.domain.spine import ConditionGroup
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from napari_lumbar.phantom import PhantomStudy, make_phantom
from napari_lumbar.phantom.artefacts import Artefacts, acquire
from napari_lumbar.pipeline.image_quality import ghosting, hole_mm2, noise_share, quality_doubts


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(2_000_001)


def spoilt(image: MRSlice, noise: float = 0.0, ghost: float = 0.0, axis: int = 0) -> MRSlice:
    pixels = (image.pixels / np.percentile(image.pixels, 99)).astype(np.float32)
    artefacts = Artefacts(phase_axis=axis, ghost=ghost, ghost_px=25.0)
    return replace(image, pixels=acquire(pixels, artefacts, 0.3, 0.01 + noise, np.random.default_rng(1)))


def with_hole(image: MRSlice, pixel_rc: tuple[float, float], radius_mm: float) -> MRSlice:
    rows, columns = np.indices(image.pixels.shape)
    spacing = image.geometry.spacing_rc_mm
    distance = np.hypot((rows - pixel_rc[0]) * spacing[0], (columns - pixel_rc[1]) * spacing[1])
    return replace(image, pixels=np.where(distance < radius_mm, 0, image.pixels).astype(np.float32))


def with_series(study: Study, role: SeriesRole, change: object) -> Study:
    def made(series: MRSeries) -> MRSeries:
        if series.role is not role:
            return series
        stacks = tuple(SliceStack(tuple(change(s) for s in stack.slices)) for stack in series.stacks)  # type: ignore[operator]
        return replace(series, stacks=stacks)

    return replace(study, series=tuple(made(s) for s in study.series))


@pytest.mark.parametrize("role", list(SeriesRole))
def test_noise_and_ghosts_are_measured(phantom: PhantomStudy, role: SeriesRole) -> None:
    series = phantom.study.first(role)
    assert series is not None
    points = [p for p in phantom.landmarks if p.series_id == series.series_id]
    image = series.slices[points[0].slice_index]
    here = [points[0].pixel_rc]
    assert noise_share(image, here) < 0.1
    assert noise_share(spoilt(image, noise=0.4), here) > 0.19
    assert ghosting(image.pixels) < 0.25
    for axis in (0, 1):
        assert ghosting(spoilt(image, ghost=1.0, axis=axis).pixels) > 0.5


def test_a_hole_without_signal_is_measured_in_square_millimetres(phantom: PhantomStudy) -> None:
    series = phantom.study.first(SeriesRole.SAGITTAL_T1)
    assert series is not None
    point = next(p for p in phantom.landmarks if p.series_id == series.series_id)
    image = series.slices[point.slice_index]
    assert hole_mm2(image, point.pixel_rc) < 30
    assert hole_mm2(with_hole(image, point.pixel_rc, 9), point.pixel_rc) == pytest.approx(254, rel=0.25)


def test_clean_images_are_not_doubted(phantom: PhantomStudy) -> None:
    assert list(quality_doubts(phantom.study, phantom.landmarks)) == []


def test_a_series_that_is_all_noise_grades_nothing(phantom: PhantomStudy) -> None:
    study = with_series(phantom.study, SeriesRole.AXIAL_T2, lambda s: spoilt(s, noise=0.6))
    (doubt,) = quality_doubts(study, phantom.landmarks)
    assert doubt.kind is DoubtKind.POOR_IMAGES
    assert doubt.sentence.startswith("Axial T2 has much noise (0.")
    assert {key.condition.group for key in doubt.withheld} == {ConditionGroup.SUBARTICULAR}


def test_ghosts_are_a_warning_and_metal_hides_its_foramen(phantom: PhantomStudy) -> None:
    ghosts = with_series(phantom.study, SeriesRole.AXIAL_T2, lambda s: spoilt(s, ghost=1.0))
    (doubt,) = quality_doubts(ghosts, phantom.landmarks)
    assert doubt.sentence.startswith("Axial T2 has much ghosting")
    series = phantom.study.first(SeriesRole.SAGITTAL_T1)
    assert series is not None
    point = next(p for p in phantom.landmarks if p.series_id == series.series_id)
    metal = with_series(phantom.study, SeriesRole.SAGITTAL_T1, lambda s: with_hole(s, point.pixel_rc, 9))
    found = list(quality_doubts(metal, phantom.landmarks))
    assert {d.kind for d in found} == {DoubtKind.SIGNAL_VOID}
    assert point.key in set().union(*(d.withheld for d in found))
    assert "without signal near" in found[0].sentence


def test_a_flat_image_is_as_poor_as_can_be(phantom: PhantomStudy) -> None:
    image = phantom.study.series[0].slices[0]
    flat = replace(image, pixels=np.zeros_like(image.pixels))
    assert noise_share(flat, [(10.0, 10.0)]) == float("inf")
    assert hole_mm2(flat, (10.0, 10.0)) == 0
    assert ghosting(flat.pixels) < 0.35
