"""What is wrong with points once the images are there: headers only, no pixel is decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from ...dicom.headers import SliceHeader
from ...dicom.scan import scan_folder
from ...domain.geometry import FloatArray
from ...domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from .checks import Problem
from .tables import RsnaTables

IMAGES = "train_images"
#: Code of the problem that would let a network be measured on a patient it knows.
REPEATED_PATIENT = "patient_repeated"
#: A foramen or recess this far beyond the canal's middle, on the wrong side, is a contradiction and no bend.
_ACROSS_MM = 2.0

#: By series and InstanceNumber: the header, or why the image cannot be used.
Headers = Mapping[tuple[str, int], SliceHeader | str]


def image_problems(tables: RsnaTables, root: Path) -> list[Problem]:
    """Check points and patients of every study that has images; sorted like ``table_problems``."""
    found: list[Problem] = []
    studies_of: dict[str, list[str]] = defaultdict(list)
    marked = dict(iter(tables.points.groupby("study_id")))
    with_images = [study for study in tables.studies if (root / IMAGES / study).is_dir()]
    for study in with_images:
        headers = _headers(root / IMAGES / study)
        if study in marked:
            found += _study_problems(study, marked[study], headers)
        for patient in {h.patient_key for h in headers.values() if isinstance(h, SliceHeader)} - {""}:
            studies_of[patient].append(study)
    # One PatientID for all is what anonymisers write; it names nobody.
    shared = [studies for studies in studies_of.values() if 1 < len(studies) < len(with_images)]
    found += [
        Problem(REPEATED_PATIENT, study, f"of the same patient as study {studies[0]}, by its PatientID")
        for studies in shared
        for study in studies[1:]
    ]
    return sorted(found, key=lambda problem: (problem.study_id, problem.code, problem.what))


def _headers(folder: Path) -> Headers:
    """The files of a study; RSNA's lie in their series' folder, named by their InstanceNumber."""
    scan = scan_folder(folder, lambda _: None, lambda: None)
    unusable = [(Path(record.path), record.reason) for record in scan.excluded]
    named = {(p.parts[0], int(p.stem)): why for p, why in unusable if len(p.parts) == 2 and p.stem.isdigit()}
    return {**named, **{(Path(h.path).parts[0], h.instance_number): h for h in scan.headers}}


def _study_problems(study: str, points: pd.DataFrame, headers: Headers) -> Iterator[Problem]:
    places: dict[FindingKey, FloatArray] = {}
    for row in points.itertuples():
        key = FindingKey(Condition(row.condition), Level(row.level))
        header = headers.get((row.series_id, row.instance_number))
        if header is None:
            what = f"{key.text}: series {row.series_id} has no image {row.instance_number}"
            yield Problem("image_missing", study, what)
        elif isinstance(header, str):
            what = (
                f"{key.text}: image {row.instance_number} of series {row.series_id} cannot be used: {header}"
            )
            yield Problem("image_unusable", study, what)
        elif not header.geometry.contains((row.y, row.x)):
            size = f"{header.geometry.columns} x {header.geometry.rows}"
            what = f"{key.text}: x {row.x:.1f}, y {row.y:.1f} lies outside an image of {size} pixels"
            yield Problem("point_outside_image", study, what)
        else:
            places[key] = header.geometry.lps_from_pixel((row.y, row.x))
    yield from _contradicted_sides(study, places)


def _contradicted_sides(study: str, places: Mapping[FindingKey, FloatArray]) -> Iterator[Problem]:
    """The patient's left is +x in DICOM's LPS."""
    for key, place in places.items():
        canal = places.get(FindingKey(Condition.of(ConditionGroup.CANAL), key.level))
        side = key.condition.side
        if side is None or canal is None:
            continue
        beyond = float(place[0] - canal[0]) * (-1 if side is Side.LEFT else 1)
        if beyond > _ACROSS_MM:
            other = side.opposite.value.lower()
            what = f"{key.text}: {beyond:.1f} mm to the patient's {other} of the canal"
            yield Problem("side_contradicted", study, what)
