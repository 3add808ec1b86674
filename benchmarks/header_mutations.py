"""Ways in which headers go wrong: each alters a draft of a known study at random.

``DETECTABLE`` leave a trace in the headers or pixels of the study, or no geometric effect at all.
``CONSISTENT`` give headers that a scanner could have written of another patient or by another protocol: no
reader of headers can tell, so they are counted apart and never called safe.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from benchmarks.known_study import Draft
from pydicom import Dataset
from pydicom.uid import generate_uid

from napari_lumbar.domain.geometry import FloatArray

Rng = np.random.Generator
Mutation = Callable[[Draft, Rng], None]
Alter = Callable[[Dataset, Rng], None]
KEYS = ("t1", "t2", "axial")
POSITIONS = ("HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL", "LFP", "")


# --- where a mutation strikes


def series_of(draft: Draft, rng: Rng) -> list[str]:
    return draft.study.series(str(rng.choice(KEYS)))


def axial_series(draft: Draft, _: Rng) -> list[str]:
    return draft.study.series("axial")


def one_slice(draft: Draft, rng: Rng) -> list[str]:
    return [str(rng.choice(series_of(draft, rng)))]


def some_slices(draft: Draft, rng: Rng) -> list[str]:
    names = series_of(draft, rng)
    return [str(n) for n in rng.choice(names, int(rng.integers(2, max(3, len(names) // 2))), replace=False)]


def whole_study(draft: Draft, _: Rng) -> list[str]:
    return list(draft.study.files)


Where = Callable[[Draft, Rng], list[str]]


def each(where: Where, alter: Alter) -> Mutation:
    """Alter each file by itself."""

    def mutate(draft: Draft, rng: Rng) -> None:
        for name in where(draft, rng):
            alter(draft.edit(name), rng)

    return mutate


def alike(where: Where, draw: Callable[[Rng], Alter]) -> Mutation:
    """Alter all files in one way that is drawn once."""

    def mutate(draft: Draft, rng: Rng) -> None:
        alter = draw(rng)
        for name in where(draft, rng):
            alter(draft.edit(name), rng)

    return mutate


# --- what it does


def position(dataset: Dataset) -> FloatArray:
    return np.array(dataset.ImagePositionPatient, dtype=float)


def axes(dataset: Dataset) -> FloatArray:
    return np.array(dataset.ImageOrientationPatient, dtype=float).reshape(2, 3)


def put_position(dataset: Dataset, values: FloatArray) -> None:
    dataset.ImagePositionPatient = [f"{v:.9g}" for v in values]


def put_axes(dataset: Dataset, values: FloatArray) -> None:
    dataset.ImageOrientationPatient = [f"{v:.9f}"[:16] for v in values.ravel()]


def direction(rng: Rng) -> FloatArray:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))


def rotated(vectors: FloatArray, axis: FloatArray, angle_deg: float) -> FloatArray:
    """Rodrigues' rotation of vectors, shape (n, 3)."""
    angle = np.radians(angle_deg)
    along = np.outer(vectors @ axis, axis) * (1 - np.cos(angle))
    return np.asarray(vectors * np.cos(angle) + np.cross(axis, vectors) * np.sin(angle) + along)


def moved(least_mm: float, most_mm: float) -> Callable[[Rng], Alter]:
    def draw(rng: Rng) -> Alter:
        shift = direction(rng) * rng.uniform(least_mm, most_mm)
        return lambda dataset, _: put_position(dataset, position(dataset) + shift)

    return draw


def position_noise(dataset: Dataset, rng: Rng) -> None:
    put_position(dataset, position(dataset) + direction(rng) * rng.uniform(0.3, 4))


def scaled_position(factors: Sequence[float]) -> Alter:
    return lambda dataset, _: put_position(dataset, position(dataset) * np.array(factors))


def negated(*which: int) -> Alter:
    def alter(dataset: Dataset, _: Rng) -> None:
        signs = np.ones((2, 1))
        signs[list(which)] = -1
        put_axes(dataset, axes(dataset) * signs)

    return alter


def tilted(least_deg: float, most_deg: float) -> Callable[[Rng], Alter]:
    """Turn the axes about a line in the plane of the image, positions as they were."""

    def draw(rng: Rng) -> Alter:
        angle, way = rng.uniform(least_deg, most_deg) * rng.choice((-1, 1)), rng.uniform(0, 2 * np.pi)

        def alter(dataset: Dataset, _: Rng) -> None:
            row, column = axes(dataset)
            axis = np.cos(way) * row + np.sin(way) * column
            put_axes(dataset, rotated(axes(dataset), axis, angle))

        return alter

    return draw


def turned_in_plane(least_deg: float, most_deg: float) -> Callable[[Rng], Alter]:
    def draw(rng: Rng) -> Alter:
        angle = rng.uniform(least_deg, most_deg) * rng.choice((-1, 1))

        def alter(dataset: Dataset, _: Rng) -> None:
            normal = np.cross(*axes(dataset))
            put_axes(dataset, rotated(axes(dataset), normal / np.linalg.norm(normal), angle))

        return alter

    return draw


def orientation_noise(dataset: Dataset, rng: Rng) -> None:
    put_axes(dataset, rotated(axes(dataset), direction(rng), rng.uniform(0.2, 6)))


def put(keyword: str, *values: Any) -> Callable[[Rng], Alter]:
    """Set an element to one of some values; None removes it."""

    def draw(rng: Rng) -> Alter:
        value = values[int(rng.integers(len(values)))]

        def alter(dataset: Dataset, _: Rng) -> None:
            if value is None:
                if keyword in dataset:
                    delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)

        return alter

    return draw


def spacing(change: Callable[[list[float], Rng], list[Any]]) -> Alter:
    def alter(dataset: Dataset, rng: Rng) -> None:
        dataset.PixelSpacing = change([float(v) for v in dataset.PixelSpacing], rng)

    return alter


def scaled_spacing(rng: Rng) -> Alter:
    factor = float(rng.choice((rng.uniform(0.7, 0.97), rng.uniform(1.03, 1.4))))
    return spacing(lambda old, _: [f"{v * factor:.6g}" for v in old])


def swapped_spacing(_: Rng) -> Alter:
    return spacing(lambda old, _: old[::-1])


def swapped_size(dataset: Dataset, _: Rng) -> None:
    dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows


def orthodox(value: Any) -> Alter:
    return lambda dataset, _: setattr(dataset, "ImageOrientationPatient", value)


def transposed(dataset: Dataset, _: Rng) -> None:
    put_axes(dataset, axes(dataset)[::-1])


def renumbered(draft: Draft, rng: Rng) -> None:
    names = series_of(draft, rng)
    for name, number in zip(names, rng.permutation(len(names)), strict=True):
        draft.edit(name).InstanceNumber = int(number) + 1


# --- files and identities


def exchanged(*keywords: str) -> Mutation:
    """Two slices of a stack exchange elements."""

    def mutate(draft: Draft, rng: Rng) -> None:
        names = series_of(draft, rng)
        place = int(rng.integers(len(names) - 1))
        one, other = draft.edit(names[place]), draft.edit(names[place + 1])
        for keyword in keywords:
            first, second = one[keyword].value, other[keyword].value
            setattr(one, keyword, second)
            setattr(other, keyword, first)

    return mutate


def reversed_positions(draft: Draft, rng: Rng) -> None:
    names = draft.study.series(str(rng.choice(("t1", "t2"))))
    places = [position(draft.study.files[name]) for name in names]
    for name, place in zip(names, reversed(places), strict=True):
        put_position(draft.edit(name), place)


def neighbours_position(draft: Draft, rng: Rng) -> None:
    names = series_of(draft, rng)
    place = int(rng.integers(len(names) - 1))
    put_position(draft.edit(names[place]), position(draft.study.files[names[place + 1]]))


def tilt_lost(draft: Draft, _: Rng) -> None:
    for name in axial_series(draft, _):
        put_axes(draft.edit(name), np.array([[1.0, 0, 0], [0, 1.0, 0]]))


def merged(*keys: str) -> Mutation:
    def mutate(draft: Draft, _: Rng) -> None:
        for key in keys:
            for name in draft.study.series(key):
                draft.edit(name).SeriesInstanceUID = "1.2.3.99"

    return mutate


def own_uid(keyword: str) -> Alter:
    return lambda dataset, _: setattr(dataset, keyword, generate_uid())


def new_uid(keyword: str) -> Callable[[Rng], Alter]:
    return put(keyword, "1.2.3.98")


def same_uid(draft: Draft, rng: Rng) -> None:
    names = series_of(draft, rng)
    one, other = rng.choice(names, 2, replace=False)
    draft.edit(str(one)).SOPInstanceUID = draft.study.files[str(other)].SOPInstanceUID


def missing(draft: Draft, rng: Rng) -> None:
    draft.removed.update(some_slices(draft, rng))


def copied(alter: Alter) -> Mutation:
    """Copies of slices under names and UIDs of their own."""

    def mutate(draft: Draft, rng: Rng) -> None:
        for i, name in enumerate(some_slices(draft, rng)):
            original = draft.study.files[name]
            dataset = copy.deepcopy(original)
            dataset.SOPInstanceUID = f"{original.SOPInstanceUID}.7{i}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            alter(dataset, rng)
            draft.add(f"copies/{i}.dcm", dataset, str(original.SOPInstanceUID))

    return mutate


def unchanged(_: Dataset, __: Rng) -> None:
    pass


def shuffled_names(draft: Draft, rng: Rng) -> None:
    names = list(draft.study.files)
    draft.removed.update(names)
    for name, number in zip(names, rng.permutation(len(names)), strict=True):
        draft.changed[f"all/{number}"] = copy.deepcopy(draft.study.files[name])


def mirrored_study(draft: Draft, _: Rng) -> None:
    """Sides exchanged in every position and axis."""
    flip = np.array([-1.0, 1, 1])
    for name in draft.study.files:
        dataset = draft.edit(name)
        put_position(dataset, position(dataset) * flip)
        put_axes(dataset, axes(dataset) * flip)


DETECTABLE: dict[str, Mutation] = {
    "one position moved": alike(one_slice, moved(0.6, 40)),
    "some positions moved": each(some_slices, position_noise),
    "noise on all positions": each(series_of, position_noise),
    "a series moved out of the others": alike(series_of, moved(400, 900)),
    "position missing in one": alike(one_slice, put("ImagePositionPatient", None)),
    "position missing in a series": alike(series_of, put("ImagePositionPatient", None)),
    "position zero in one": each(one_slice, scaled_position((0, 0, 0))),
    "position zero in a series": each(series_of, scaled_position((0, 0, 0))),
    "a neighbour's position": neighbours_position,
    "two positions exchanged": exchanged("ImagePositionPatient"),
    "a side of one position exchanged": each(one_slice, scaled_position((-1, 1, 1))),
    "signs of x and y exchanged in axial positions": each(axial_series, scaled_position((-1, -1, 1))),
    "signs of x and y exchanged in all positions": each(whole_study, scaled_position((-1, -1, 1))),
    "positions in centimetres": each(series_of, scaled_position((0.1, 0.1, 0.1))),
    "positions rounded to millimetres": each(
        series_of, lambda dataset, _: put_position(dataset, np.round(position(dataset)))
    ),
    "row axis negated in one": each(one_slice, negated(0)),
    "column axis negated in one": each(one_slice, negated(1)),
    "both axes negated in one": each(one_slice, negated(0, 1)),
    "row axis negated in a series": each(series_of, negated(0)),
    "column axis negated in a series": each(series_of, negated(1)),
    "both axes negated in a series": each(series_of, negated(0, 1)),
    "row axes negated everywhere": each(whole_study, negated(0)),
    "column axes negated everywhere": each(whole_study, negated(1)),
    "axes exchanged in one": each(one_slice, transposed),
    "axes exchanged in a series": each(series_of, transposed),
    "one slice turned": each(one_slice, orientation_noise),
    "noise on all axes": each(series_of, orientation_noise),
    "a series tilted, positions kept": alike(series_of, tilted(0.5, 20)),
    "one slice tilted": alike(one_slice, tilted(0.2, 20)),
    "one slice turned in plane": alike(one_slice, turned_in_plane(0.2, 20)),
    "tilt lost": tilt_lost,
    "axes not unit": each(series_of, lambda dataset, _: put_axes(dataset, axes(dataset) * 1.2)),
    "axes not at right angles": each(
        series_of, lambda dataset, _: put_axes(dataset, axes(dataset) + np.array([[0.0], [0.2]]))
    ),
    "axes of five numbers": each(one_slice, orthodox([1, 0, 0, 0, 1])),
    "axes missing": alike(series_of, put("ImageOrientationPatient", None)),
    "sides exchanged everywhere": mirrored_study,
    "spacing of one scaled": alike(one_slice, scaled_spacing),
    "spacing of one exchanged": alike(one_slice, swapped_spacing),
    "spacing missing": alike(some_slices, put("PixelSpacing", None)),
    "spacing in centimetres": each(series_of, spacing(lambda old, _: [v / 10 for v in old])),
    "spacing of one number": each(series_of, spacing(lambda old, _: old[:1])),
    "spacing zero": each(one_slice, spacing(lambda old, _: [0.0, old[1]])),
    "spacing between slices lies": alike(series_of, put("SpacingBetweenSlices", 0, 1.0, 9.0, -4, None)),
    "slice thickness lies": alike(series_of, put("SliceThickness", 0, 0.5, 20.0, -4, None)),
    "numbers shuffled": renumbered,
    "number lies": alike(some_slices, put("InstanceNumber", 1, 0, -3, 99999, None)),
    "one UID for two images": same_uid,
    "two sagittal series under one UID": merged("t1", "t2"),
    "sagittal and axial under one UID": merged("t2", "axial"),
    "all series under one UID": merged("t1", "t2", "axial"),
    "a series UID for each image": each(series_of, own_uid("SeriesInstanceUID")),
    "another series UID for one": alike(one_slice, new_uid("SeriesInstanceUID")),
    "another series UID for some": alike(some_slices, new_uid("SeriesInstanceUID")),
    "another study UID for some": alike(some_slices, new_uid("StudyInstanceUID")),
    "another patient for some": alike(some_slices, put("PatientID", "another")),
    "another frame of reference for some": alike(some_slices, new_uid("FrameOfReferenceUID")),
    "another frame of reference for a series": alike(series_of, new_uid("FrameOfReferenceUID")),
    "no frame of reference": alike(whole_study, put("FrameOfReferenceUID", None)),
    "patient position lies": alike(whole_study, put("PatientPosition", *POSITIONS)),
    "patient position of one lies": alike(one_slice, put("PatientPosition", *POSITIONS)),
    "laterality lies": alike(whole_study, put("Laterality", "L", "R", "X")),
    "image laterality lies": alike(some_slices, put("ImageLaterality", "L", "R", "B")),
    "body part lies": alike(whole_study, put("BodyPartExamined", "CSPINE", "KNEE", None)),
    "description lies": alike(series_of, put("SeriesDescription", "t1 cor", "loc", "AX LEFT", None)),
    "times lie": alike(series_of, put("EchoTime", 8, 40, 120, None)),
    "image type lies": alike(
        some_slices, put("ImageType", ["DERIVED", "SECONDARY", "MPR"], ["ORIGINAL", "PRIMARY", "LOCALIZER"])
    ),
    "acquisition numbers lie": alike(some_slices, put("AcquisitionNumber", 2, 0, -1)),
    "slices copied": copied(unchanged),
    "slices copied elsewhere": copied(position_noise),
    "slices copied and turned": copied(orientation_noise),
    "slices missing": missing,
    "files renamed": shuffled_names,
    "rows and columns exchanged in one": each(one_slice, swapped_size),
    "rows and columns exchanged in a series": each(series_of, swapped_size),
    "rows and columns exchanged everywhere": each(whole_study, swapped_size),
    "rows lie": alike(series_of, put("Rows", 10, 128, 300)),
    "slope lies": alike(some_slices, put("RescaleSlope", "0", "-1", "2.5", "1e-3")),
    "intercept lies": alike(some_slices, put("RescaleIntercept", "-1000", "5e4")),
    "inverted greys": alike(series_of, put("PhotometricInterpretation", "MONOCHROME1")),
    "stored bits lie": alike(series_of, put("BitsStored", 8, 16)),
}

CONSISTENT: dict[str, Mutation] = {
    "a series moved by up to 20 mm": alike(series_of, moved(1, 20)),
    "the whole study moved": alike(whole_study, moved(1, 200)),
    "spacing of a series scaled": alike(series_of, scaled_spacing),
    "spacing of a series exchanged": alike(series_of, swapped_spacing),
    "a series turned in plane": alike(series_of, turned_in_plane(1, 10)),
    "positions of a sagittal series reversed": reversed_positions,
    "two images exchanged with their numbers": exchanged("ImagePositionPatient", "InstanceNumber"),
}
