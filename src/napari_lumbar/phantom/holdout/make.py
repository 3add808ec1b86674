"""Make one study of the test phantom from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from ..make import PhantomStudy
from ..severity import Reading, sample_reading
from ..tissue import LabelArray, Tissue
from .config import TestPhantomConfig
from .frames import Frame, turned
from .materials import TISSUE_OF
from .paint import paint_slab
from .plane import Slab
from .receive import draw_receiver, expose, stored, weights
from .scan import Patient, Scan, plan_axial, plan_sagittal
from .signals import Body, draw_body, draw_sequence, signals
from .spine import make_spine
from .trunk import Trunk, make_trunk, wave_field
from .truth import true_landmarks

_FIRST_STUDY_ID: Final = 2_000_000_000
_FIRST_SERIES_ID: Final = 7_000_000_000
_N_SEEDS: Final = 1_000_000_000
#: Samples of a pixel in rows, columns and slice thicknesses; the first, in the middle, gives the tissues.
_SAMPLES: Final = np.array([(0, 0, 0), (0.33, -0.33, 0.34), (-0.33, 0.33, -0.34)])
#: Tissues are not quite uniform.
_TEXTURE: Final = np.float32(0.04)
#: Noise and stored values are relative to the middle one of these tissues' signals.
_REFERENCES: Final = (Tissue.FAT, Tissue.CSF, Tissue.VERTEBRA)


@dataclass(frozen=True, eq=False)
class _Subject:
    patient: Patient
    trunk: Trunk
    body: Body


def make_test_phantom(seed: int, config: TestPhantomConfig | None = None) -> PhantomStudy:
    """Make the study of a seed; the same seed and options always give the same bytes.

    Parameters
    ----------
    seed
        0 .. 999,999,999; also gives the study and series their numbers, from 2,000,000,000 on.
    config
        Options; the defaults follow the RSNA 2024 tables.

    Raises
    ------
    ValueError
        If the seed is out of range.
    """
    if not 0 <= seed < _N_SEEDS:
        raise ValueError(f"seed {seed} must lie within 0..{_N_SEEDS - 1}: it numbers the study")
    config = config or TestPhantomConfig()
    # Anatomy, positions and appearance draw from sources of their own: options of one leave the others alone.
    anatomy, position, appearance = (np.random.default_rng([seed, 97, k]) for k in range(3))
    reading = sample_reading(anatomy)
    subject = _subject(reading, anatomy, position, appearance, config)
    return _study(seed, subject, reading, _plans(subject.patient, position, config), appearance)


def _subject(
    reading: Reading,
    anatomy: np.random.Generator,
    position: np.random.Generator,
    appearance: np.random.Generator,
    config: TestPhantomConfig,
) -> _Subject:
    spine = make_spine(anatomy, reading.narrowness, config)
    pose = Frame(position.normal(0, (6, 8, 12)), turned(*position.normal(0, (1.5, 1.5, 2.5))))
    body = draw_body(appearance, np.array([disc.wear for disc in spine.discs]))
    return _Subject(Patient(spine, pose), make_trunk(anatomy, spine), body)


def _plans(patient: Patient, rng: np.random.Generator, config: TestPhantomConfig) -> tuple[Scan, ...]:
    plans = (
        plan_sagittal(SeriesRole.SAGITTAL_T1, patient, rng, config),
        plan_sagittal(SeriesRole.SAGITTAL_T2, patient, rng, config),
        plan_axial(patient, rng, config),
    )
    return tuple(plan for plan in plans if plan.role in config.roles)


def _study(
    seed: int, subject: _Subject, reading: Reading, plans: tuple[Scan, ...], rng: np.random.Generator
) -> PhantomStudy:
    study_id = str(_FIRST_STUDY_ID + seed)
    series, tissues = [], {}
    for scan in plans:
        index = list(SeriesRole).index(scan.role)
        made, labels = _expose_series(
            scan, subject, (study_id, str(_FIRST_SERIES_ID + 3 * seed + index)), rng
        )
        series.append(made)
        tissues[made.series_id] = labels
    study = Study(study_id, study_id, tuple(series))
    spine = subject.patient.spine
    centres = {d.name: subject.patient.pose.point_lps_mm(d.frame.origin_mm) for d in spine.discs}
    named = [d.name for d in spine.named]
    others = [d.name for d in spine.discs[: spine.last + 2] if d.name not in named]
    return PhantomStudy(
        study,
        reading.severities,
        reading.narrowness,
        true_landmarks(study, subject.patient),
        tissues,
        {name: centres[name] for name in named},
        {name: centres[name] for name in others},
        {s.series_id: scan.thickness_mm for s, scan in zip(series, plans, strict=True)},
    )


def _expose_series(
    scan: Scan, subject: _Subject, ids: tuple[str, str], rng: np.random.Generator
) -> tuple[MRSeries, tuple[LabelArray, ...]]:
    sequence = draw_sequence(rng, scan.role, subject.body)
    signal = np.stack(signals(subject.body, sequence))
    receiver = draw_receiver(rng, sagittal=scan.role is not SeriesRole.AXIAL_T2)
    table = signal / np.median(signal.sum(axis=0)[list(_REFERENCES)])
    study_id, series_id = ids
    total = sum(len(stack) for stack in scan.stacks)
    stacks: list[SliceStack] = []
    labels: list[LabelArray] = []
    for stack in scan.stacks:
        slices = []
        for geometry in stack:
            slab = Slab.of(geometry, subject.patient.pose, _SAMPLES * (1, 1, scan.thickness_mm))
            fine = wave_field(slab, subject.trunk.fine)
            materials = paint_slab(slab, subject.patient.spine, subject.trunk, fine)
            number = total - len(labels) if scan.reversed_numbers else len(labels) + 1
            labels.append(TISSUE_OF[materials[0]])
            reference = subject.patient.canal_y_mm(float(geometry.centre_lps_mm[2]))
            weight = weights(receiver, geometry, reference) * (1 + _TEXTURE * fine)
            water, fat = (values[materials].mean(axis=0) * weight for values in table)
            pixels = stored(expose(water, fat, receiver, rng), receiver.gain)
            slices.append(MRSlice(geometry, pixels, f"{study_id}.{series_id}.{number}", number))
        stacks.append(SliceStack(tuple(slices)))
    reason = "a phantom's role is known"
    uid = f"{study_id}.{series_id}"
    series = MRSeries(series_id, uid, tuple(stacks), scan.role, reason, sequence.name, f"{study_id}.1")
    return series, tuple(labels)
