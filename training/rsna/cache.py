"""Decoded studies on disk, so that no epoch decodes DICOM: pixels that are mapped into memory, facts in JSON.

Slices lie in the usual view, each scaled between its own 1-99 percentiles to one byte per pixel, as every
grader sees them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...dicom.codes import Exclusion
from ...domain.errors import LumbarError, StudyError
from ...domain.geometry import SliceGeometry
from ...domain.landmarks import Landmark, Landmarks
from ...domain.spine import FindingKey, Severity
from ...domain.study import FileRecord, MRSeries, MRSlice, SeriesRole, SliceStack, Study
from ...preprocess.bags import prepared_series
from ..processes import map_in_processes
from .studies import LabelledStudy, read_labelled
from .tables import RsnaTables

#: Raised whenever the same study would be kept differently.
_VERSION = 2
#: Of all images so many may be damaged; where more are, the copy is not to be trusted.
_DAMAGED_SHARE = 0.001
_DAMAGE = {
    code.code
    for code in (
        Exclusion.EMPTY,
        Exclusion.NOT_DICOM,
        Exclusion.UNREADABLE,
        Exclusion.TRUNCATED_HEADER,
        Exclusion.TRUNCATED_PIXELS,
        Exclusion.SIZE_MISMATCH,
        Exclusion.BAD_PIXELS,
        Exclusion.DECODING_TIMEOUT,
        Exclusion.DECODER_CRASHED,
    )
}


class _SliceFacts(BaseModel):
    geometry: SliceGeometry
    sop_instance_uid: str
    instance_number: int


class _SeriesFacts(BaseModel):
    series_id: str
    series_uid: str
    role: SeriesRole
    role_reason: str
    stacks: list[list[_SliceFacts]]


class _StudyFacts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = _VERSION
    study_id: str
    study_uid: str
    files: int
    damaged: list[str]
    series: list[_SeriesFacts]
    landmarks: list[Landmark]
    severities: list[tuple[FindingKey, Severity]]


def cache_studies(
    tables: RsnaTables,
    root: Path,
    studies: Sequence[str],
    folder: Path,
    jobs: int = 1,
    say: Callable[[str], None] = print,
) -> None:
    """Decode the studies that ``folder`` lacks, in ``jobs`` processes; name the images that are damaged.

    Raises
    ------
    LumbarError
        If a study cannot be read at all, or more than a thousandth of all images is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [study for study in studies if not _is_kept(folder, study)]
    keep = partial(_keep, tables, root, folder)
    for done, _ in enumerate(map_in_processes(keep, wanted, jobs), start=1):
        if done % 50 == 0 or done == len(wanted):
            say(f"decoded {done} of {len(wanted)} studies")
    _refuse_damage([_facts_of(folder, study) for study in studies], say)


def load_cached(folder: Path, study_id: str) -> LabelledStudy:
    """A study as ``cache_studies`` kept it; its pixels (0..255) are read when they are touched.

    Raises
    ------
    LumbarError
        If it is not there, or another version of napari-lumbar kept it.
    """
    if not _is_kept(folder, study_id):
        raise LumbarError(f"study {study_id} is not in the cache {folder}; run the training command again")
    facts = _facts_of(folder, study_id)
    pixels = np.load(_pixels_path(folder, study_id), mmap_mode="r")
    series = tuple(_series(one, place, pixels) for one, place in _placed(facts.series))
    return LabelledStudy(
        Study(facts.study_id, facts.study_uid, series),
        Landmarks({landmark.key: landmark for landmark in facts.landmarks}),
        dict(facts.severities),
    )


def _refuse_damage(studies: Sequence[_StudyFacts], say: Callable[[str], None]) -> None:
    damaged = [f"{facts.study_id}/{image}" for facts in studies for image in facts.damaged]
    for image in damaged:
        say(f"left out: {image}")
    n_images = sum(facts.files for facts in studies)
    if len(damaged) > _DAMAGED_SHARE * n_images:
        raise LumbarError(
            f"{len(damaged)} of {n_images} images are damaged, more than {_DAMAGED_SHARE:.1%}; the first is "
            f"{damaged[0]}. Copy the images again, or take their studies out of the tables"
        )


def _keep(tables: RsnaTables, root: Path, folder: Path, study_id: str) -> None:
    try:
        labelled = read_labelled(tables, root, study_id)
    except StudyError as error:
        raise LumbarError(
            f"study {study_id} cannot be read: {error} Copy it again, or take it out of the tables"
        ) from error
    usual = {s.series_id: prepared_series(s) for s in labelled.study.series if s.role is not None}
    marked = [landmark for landmark in labelled.landmarks if landmark.series_id in usual]
    slices = [one for series in usual.values() for one in series.slices]
    pixels = [np.rint(one.pixels * 255).astype(np.uint8).ravel() for one in slices]
    facts = _StudyFacts(
        study_id=study_id,
        study_uid=labelled.study.study_uid,
        files=len(labelled.study.accounting.records),
        damaged=[f"{record.path}: {record.reason}" for record in _damaged(labelled.study)],
        series=[_facts(series) for series in usual.values()],
        landmarks=[_on_usual(landmark, usual[landmark.series_id]) for landmark in marked],
        severities=list(labelled.severities.items()),
    )
    temporary = folder / f"{study_id}.{os.getpid()}.part"
    with temporary.open("wb") as stream:
        np.save(stream, np.concatenate(pixels) if pixels else np.zeros(0, np.uint8))
    temporary.replace(_pixels_path(folder, study_id))
    # The facts come last: a study that has them is whole.
    temporary.write_text(facts.model_dump_json(), encoding="utf-8")
    temporary.replace(_facts_path(folder, study_id))


def _on_usual(landmark: Landmark, series: MRSeries) -> Landmark:
    """The landmark with its pixel in the usual view; its place in patient space stays."""
    row, column = series.slices[landmark.slice_index].geometry.pixel_from_lps(landmark.point_lps_mm)
    return replace(landmark, pixel_rc=(float(row), float(column)))


def _facts(series: MRSeries) -> _SeriesFacts:
    if series.role is None:
        raise ValueError(f"series {series.series_id} has no role and is not kept")
    stacks = [
        [
            _SliceFacts(
                geometry=s.geometry, sop_instance_uid=s.sop_instance_uid, instance_number=s.instance_number
            )
            for s in stack.slices
        ]
        for stack in series.stacks
    ]
    return _SeriesFacts(
        series_id=series.series_id,
        series_uid=series.series_uid,
        role=series.role,
        role_reason=series.role_reason,
        stacks=stacks,
    )


def _placed(series: Sequence[_SeriesFacts]) -> Iterator[tuple[_SeriesFacts, int]]:
    """Each series with the place of its first pixel."""
    place = 0
    for one in series:
        yield one, place
        place += sum(s.geometry.rows * s.geometry.columns for stack in one.stacks for s in stack)


def _series(facts: _SeriesFacts, place: int, pixels: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> MRSeries:
    stacks = []
    for stack in facts.stacks:
        slices = []
        for one in stack:
            shape = one.geometry.rows, one.geometry.columns
            image = pixels[place : place + shape[0] * shape[1]].reshape(shape)
            place += image.size
            slices.append(MRSlice(one.geometry, image, one.sop_instance_uid, one.instance_number))  # type: ignore[arg-type]
        stacks.append(SliceStack(tuple(slices)))
    return MRSeries(facts.series_id, facts.series_uid, tuple(stacks), facts.role, facts.role_reason)


def _damaged(study: Study) -> list[FileRecord]:
    """Images of RSNA's layout that cannot be used; other files lie there by chance."""
    excluded = study.accounting.excluded
    return [record for record in excluded if record.code in _DAMAGE and record.path.endswith(".dcm")]


def _facts_of(folder: Path, study_id: str) -> _StudyFacts:
    return _StudyFacts.model_validate_json(_facts_path(folder, study_id).read_bytes())


def _is_kept(folder: Path, study_id: str) -> bool:
    path = _facts_path(folder, study_id)
    return path.is_file() and f'"version":{_VERSION},' in path.read_text(encoding="utf-8")[:40]


def _facts_path(folder: Path, study_id: str) -> Path:
    return folder / f"{study_id}.json"


def _pixels_path(folder: Path, study_id: str) -> Path:
    return folder / f"{study_id}.npy"
