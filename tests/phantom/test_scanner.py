"""Brightness follows physics where it decides a grade, and a slice shows what was painted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from napari_lumbar.domain.geometry import FloatArray, SliceGeometry, vector3
from napari_lumbar.phantom.artefacts import Artefacts
from napari_lumbar.phantom.contrast import (
    RELAXATION,
    Sequence,
    SignalTable,
    draw_stir,
    draw_t1,
    draw_t2,
    material_properties,
    signal_table,
)
from napari_lumbar.phantom.grid import SpineGrid
from napari_lumbar.phantom.scanner import Scanner, draw_scanner, expose
from napari_lumbar.phantom.tissue import NUCLEUS_MATERIAL, TISSUE_OF_MATERIAL, Tissue

WEAR = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
DRAWS = 150


def _tables(kind: str, randomize: bool = True) -> list[SignalTable]:
    rng = np.random.default_rng(8)
    tables = []
    for _ in range(DRAWS):
        properties = material_properties(rng, WEAR)
        sequence = {
            "t1": lambda: draw_t1(rng),
            "t2": lambda: replace(draw_t2(rng), fat_left=1.0),
            "t2 fat suppressed": lambda: replace(draw_t2(rng), fat_left=0.1),
            "stir": lambda: draw_stir(rng, float(properties[Tissue.FAT, 0])),  # noqa: B023 - called at once
        }[kind]()
        tables.append(signal_table(sequence, properties, rng, randomize))
    return tables


def _brightness(tables: list[SignalTable], tissue: Tissue) -> FloatArray:
    return np.array([t.total[tissue] for t in tables], dtype=np.float64)


def test_every_tissue_has_its_relaxation() -> None:
    assert set(RELAXATION) == set(Tissue)


@pytest.mark.parametrize("kind", ["t2", "t2 fat suppressed", "stir"])
def test_csf_outshines_what_it_surrounds_on_t2(kind: str) -> None:
    tables = _tables(kind)
    for tissue in (Tissue.ROOTS, Tissue.CORD, Tissue.DISC_ANNULUS, Tissue.LIGAMENTUM_FLAVUM):
        ratio = _brightness(tables, Tissue.CSF) / _brightness(tables, tissue)
        assert ratio.min() > 1.1, tissue.name
        assert np.median(ratio) > 1.5, tissue.name


@pytest.mark.parametrize("kind", ["t1", "t2"])
def test_fat_outshines_roots_and_discs_unless_suppressed(kind: str) -> None:
    tables = _tables(kind)
    for tissue in (Tissue.NERVE_ROOT, Tissue.DISC_ANNULUS, Tissue.FACET):
        ratio = _brightness(tables, Tissue.FORAMINAL_FAT) / _brightness(tables, tissue)
        assert ratio.min() > 1.05, tissue.name
    epidural = _brightness(tables, Tissue.EPIDURAL_FAT)
    assert (epidural > _brightness(tables, Tissue.LIGAMENTUM_FLAVUM)).all()


@pytest.mark.parametrize("kind", ["t2 fat suppressed", "stir"])
def test_suppressed_fat_is_dark(kind: str) -> None:
    tables = _tables(kind)
    assert (_brightness(tables, Tissue.FORAMINAL_FAT) < _brightness(tables, Tissue.NERVE_ROOT)).all()


def test_csf_is_dark_on_t1() -> None:
    tables = _tables("t1")
    assert (_brightness(tables, Tissue.CSF) < 0.75 * _brightness(tables, Tissue.FAT)).all()


def test_training_looks_vary_far_more_than_nature() -> None:
    def spread(randomize: bool, tissue: Tissue) -> float:
        tables = _tables("t2", randomize)
        return float(np.log(_brightness(tables, tissue) / _brightness(tables, Tissue.CSF)).std())

    for tissue in (Tissue.MUSCLE, Tissue.FAT):
        assert spread(True, tissue) > max(0.3, 1.2 * spread(False, tissue))


def test_worn_discs_lose_their_water_and_old_marrow_is_fat() -> None:
    rng = np.random.default_rng(2)
    table = signal_table(Sequence(4000, 100), material_properties(rng, WEAR), rng, randomize=False)
    nuclei = table.water[NUCLEUS_MATERIAL : NUCLEUS_MATERIAL + len(WEAR)]
    assert (np.diff(nuclei) < 0).all()
    young, old = (
        np.mean([material_properties(rng, (wear,) * 6)[Tissue.VERTEBRA, 3] for _ in range(60)])
        for wear in (0.0, 1.0)
    )
    assert old > young + 0.1


#: Coronal, 1 mm pixels, rows downward from z = 0, columns from x = -40 to 39.
SLICE = SliceGeometry(vector3((-40.0, 20.0, 0.0)), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), 1.0, 1.0, 64, 80)
PLAIN = SignalTable(
    water=np.where(TISSUE_OF_MATERIAL == Tissue.MUSCLE, 0.4, TISSUE_OF_MATERIAL == Tissue.CSF).astype(
        np.float32
    ),
    fat=(TISSUE_OF_MATERIAL == Tissue.FAT).astype(np.float32),
    patches=np.where(TISSUE_OF_MATERIAL == Tissue.MUSCLE, 0.1, 0).astype(np.float32),
    fat_left=1.0,
)


def _slab() -> SpineGrid:
    """Fat on the patient's right of x = 0, muscle on the left, a block of CSF in the muscle."""
    materials = np.zeros((96, 64, 96), dtype=np.uint8)
    materials[:, :, :48], materials[:, :, 48:] = Tissue.FAT, Tissue.MUSCLE
    materials[40:60, :, 60:75] = Tissue.CSF
    # Slices look at the materials and their place alone.
    grid = SimpleNamespace(materials=materials, origin_lps_mm=np.array([-48.0, 0.0, -80.0]), voxel_mm=1.0)
    return cast(SpineGrid, grid)


def _clean(**changes: object) -> Scanner:
    rng = np.random.default_rng(0)
    scanner = draw_scanner(rng, sagittal=True)
    return replace(
        scanner,
        noise=0.0,
        blur_px=0.0,
        texture=0.0,
        falloff_mm=1e6,
        full_scale=1000.0,
        ceiling=4.0,
        saturated_y_mm=None,
        artefacts=Artefacts(**changes),  # type: ignore[arg-type]
    )


def _image(scanner: Scanner, signals: SignalTable = PLAIN, seed: int = 1) -> FloatArray:
    image = expose(_slab(), SLICE, 3.0, signals, scanner, np.random.default_rng(seed))
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, np.rint(image))
    return image.astype(np.float64)


def test_a_clean_slice_shows_the_brightness_of_its_tissues() -> None:
    image = _image(_clean(), replace(PLAIN, patches=np.zeros(256, np.float32)))
    np.testing.assert_allclose(image[:, :35], 1000, atol=1)
    np.testing.assert_allclose(image[:15, 45:], 400, atol=1)
    np.testing.assert_allclose(image[24:36, 54:64], 1000, atol=1)


def test_fat_alone_is_shifted() -> None:
    plain, shifted = (replace(PLAIN, patches=np.zeros(256, np.float32)) for _ in range(2))
    before, after = _image(_clean(), plain), _image(_clean(fat_shift_px=3.0), shifted)
    # Fat moves three columns over the muscle beside it.
    np.testing.assert_allclose(after[10, 42], 1400, atol=15)
    np.testing.assert_allclose(after[:, 48:], before[:, 48:], atol=1)


def test_suppressed_fat_shines_where_suppression_fails() -> None:
    suppressed = replace(PLAIN, fat_left=0.1)
    np.testing.assert_allclose(_image(_clean(), suppressed)[:, :35], 100, atol=1)
    failing = _image(_clean(failure_mm=45.0, failure_lps_mm=(0.0, 20.0, 0.0)), suppressed)
    assert failing[60, 2] > 600 > 150 > failing[2, 35]


def test_flow_darkens_csf_alone() -> None:
    still, flowing = _image(_clean()), _image(_clean(flow=0.7))
    fluid = np.s_[24:36, 54:64]
    assert flowing[fluid].min() < 0.7 * still[fluid].min()
    assert flowing[:, :35].min() > 990


def test_patches_belong_to_muscle_and_differ_from_slice_to_slice() -> None:
    one, other = _image(_clean(), seed=1), _image(_clean(), seed=2)
    assert one[:, :35].std() < 1
    assert one[:15, 45:].std() > 20
    assert np.abs(one - other)[:15, 45:].max() > 50


def test_window_ends_at_its_ceiling() -> None:
    image = _image(replace(_clean(), ceiling=0.5, full_scale=510.0))
    assert image.max() == 255


def test_same_state_gives_the_same_image() -> None:
    scanner = draw_scanner(np.random.default_rng(6), sagittal=False)
    np.testing.assert_array_equal(_image(scanner, seed=4), _image(scanner, seed=4))


def test_scanners_differ_and_stored_values_fit_twelve_bits() -> None:
    rng = np.random.default_rng(4)
    scanners = [draw_scanner(rng, sagittal=bool(i % 2)) for i in range(12)]
    images = [_image(scanner) for scanner in scanners]
    assert all(image.min() >= 0 and image.max() <= 4095 for image in images)
    assert all(np.ptp(image) > 50 for image in images)
    assert len({s.artefacts for s in scanners}) == 12
