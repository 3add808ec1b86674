"""Make one phantom study from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..domain.geometry import Vector3
from ..domain.landmarks import Landmarks
from ..domain.spine import FindingKey, Severity
from ..domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from .canal import make_canal
from .config import PhantomConfig
from .contrast import Sequence, draw_stir, draw_t1, draw_t2, material_properties, signal_table
from .grid import SpineGrid
from .paint_bone import paint_bones
from .paint_canal import canal_halves, paint_canal, paint_canal_fat
from .paint_foramen import paint_facets, paint_foramina
from .paint_trunk import paint_trunk
from .paint_variants import paint_canal_variants, paint_marrow_variants
from .plan import SeriesPlan, plan_axial, plan_sagittal
from .scanner import covered_box, draw_scanner, expose
from .severity import sample_reading
from .shape import SpineShape, make_shape
from .slice_tissues import SliceTissues
from .tissue import MARROW_FACTORS, LabelArray, Tissue
from .truth import disc_centres, other_disc_centres, true_landmarks
from .variants import draw_variants

#: Share of sagittal T2 series that are STIR.
STIR_SHARE = 0.2
Box: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
_FIRST_STUDY_ID = 1_000_000_000
_FIRST_SERIES_ID = 3_000_000_000


@dataclass(frozen=True, eq=False)
class PhantomStudy:
    """A study with exact truth.

    Parameters
    ----------
    study
        Sagittal T1, sagittal T2 (or STIR) and axial T2 series with their roles.
    severities
        Severity of all 25 findings, as a reader says.
    narrowness
        Of all 25 places, in grades, as the anatomy is (see ``severity``).
    landmarks
        Those the images show; ``point_lps_mm`` lies on the plane of the nearest slice, as a reader's click
        does. The others are missing with a reason.
    tissues
        Per ``series_id`` and slice, ``Tissue`` labels on the slice's mid-plane, shape (rows, columns);
        made when asked for.
    disc_centres_lps_mm
        T12/L1 .. L5/S1 by name, whether the images show them or not.
    other_disc_centres_lps_mm
        Thoracic discs, and S1/S2 where there is more than a line of it, by name.
    thickness_mm
        Slice thickness per ``series_id``.
    """

    study: Study
    severities: Mapping[FindingKey, Severity]
    narrowness: Mapping[FindingKey, float]
    landmarks: Landmarks
    tissues: Mapping[str, SequenceOf[LabelArray]]
    disc_centres_lps_mm: Mapping[str, Vector3]
    other_disc_centres_lps_mm: Mapping[str, Vector3]
    thickness_mm: Mapping[str, float]


def make_phantom(seed: int, config: PhantomConfig | None = None) -> PhantomStudy:
    """Make the study of a seed; the same seed and options always give the same bytes.

    Parameters
    ----------
    seed
        0 .. 999,999,999; also gives the study and series their numbers.
    config
        Options; the defaults follow the RSNA 2024 tables.

    Raises
    ------
    ValueError
        If the seed is out of range.
    """
    if not 0 <= seed < _FIRST_STUDY_ID:
        raise ValueError(f"seed {seed} must lie within 0..{_FIRST_STUDY_ID - 1}: it numbers the study")
    config = config or PhantomConfig()
    rng = np.random.default_rng(seed)
    reading = sample_reading(rng, config.balanced)
    shape = make_shape(rng, reading.narrowness, draw_variants(rng, config))
    turn = rng.normal(0, (1.0, 1.5, 2.0))
    plans = (
        plan_sagittal(SeriesRole.SAGITTAL_T1, shape, turn, rng, config),
        plan_sagittal(SeriesRole.SAGITTAL_T2, shape, turn, rng, config),
        plan_axial(shape, turn, rng, config),
    )
    grid = paint(shape, covered_box(plans), config.voxel_mm, rng)
    series = _expose_all(grid, shape, plans, seed, rng, config)
    study = Study(str(_FIRST_STUDY_ID + seed), str(_FIRST_STUDY_ID + seed), series)
    return PhantomStudy(
        study,
        reading.severities,
        reading.narrowness,
        true_landmarks(study, shape),
        {s.series_id: SliceTissues(grid, tuple(m.geometry for m in s.slices)) for s in series},
        disc_centres(shape),
        other_disc_centres(shape),
        {s.series_id: plan.thickness_mm for s, plan in zip(series, plans, strict=True)},
    )


def paint(shape: SpineShape, box_lps_mm: Box, voxel_mm: float, rng: np.random.Generator) -> SpineGrid:
    """Paint the anatomy within a box: its low and high corner in patient space."""
    low, high = box_lps_mm
    grid = SpineGrid.covering(low, high, voxel_mm, shape.curve)
    canal = make_canal(shape)
    paint_trunk(grid, shape, rng)
    halves = canal_halves(grid, shape, canal)
    paint_canal_fat(halves)
    paint_bones(grid, shape)
    paint_marrow_variants(grid, shape)
    paint_facets(grid, shape, rng)
    paint_foramina(grid, shape)
    paint_canal(grid, shape, canal, halves, rng)
    paint_canal_variants(grid, shape)
    return grid


def _sequences(
    properties: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[tuple[Sequence, str], ...]:
    axial = draw_t2(rng)
    if rng.uniform() < STIR_SHARE:
        sagittal = draw_stir(rng, float(properties[Tissue.FAT, 0])), "STIR"
    else:
        sagittal = draw_t2(rng), "T2"
    return (draw_t1(rng), "T1"), sagittal, (axial, "T2")


def _expose_all(
    grid: SpineGrid,
    shape: SpineShape,
    plans: tuple[SeriesPlan, ...],
    seed: int,
    rng: np.random.Generator,
    config: PhantomConfig,
) -> tuple[MRSeries, ...]:
    properties = material_properties(rng, tuple(disc.wear for disc in shape.discs))
    for material, factors in MARROW_FACTORS.items():
        properties[material] = properties[Tissue.VERTEBRA]
        properties[material, :4] *= factors
        properties[material, 3] = min(properties[material, 3], 0.95)
    properties[Tissue.SACRUM] = properties[Tissue.VERTEBRA]
    series = []
    for index, (plan, (sequence, name)) in enumerate(zip(plans, _sequences(properties, rng), strict=True)):
        signals = signal_table(sequence, properties, rng, config.randomize_appearance)
        # The sacrum's marrow has a label of its own but no looks of its own.
        for values in (signals.water, signals.fat, signals.patches):
            values[Tissue.SACRUM] = values[Tissue.VERTEBRA]
        scanner = draw_scanner(rng, sagittal=plan.role is not SeriesRole.AXIAL_T2)
        images = [expose(grid, g, plan.thickness_mm, signals, scanner, rng) for g in plan.geometries]
        series.append(_series(plan, images, seed, index, name))
    return tuple(series)


def _series(
    plan: SeriesPlan, images: list[npt.NDArray[np.float32]], seed: int, index: int, name: str
) -> MRSeries:
    study_id, series_id = _FIRST_STUDY_ID + seed, _FIRST_SERIES_ID + 3 * seed + index
    uid = f"{study_id}.{series_id}"
    stacks, rank = [], 0
    for geometries in plan.stacks:
        slices = []
        for geometry in geometries:
            number = len(images) - rank if plan.reversed_numbers else rank + 1
            slices.append(MRSlice(geometry, images[rank], f"{uid}.{number}", number))
            rank += 1
        stacks.append(SliceStack(tuple(slices)))
    reason = "a phantom's role is known"
    return MRSeries(str(series_id), uid, tuple(stacks), plan.role, reason, name, f"{study_id}.1")
