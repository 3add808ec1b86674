"""Studies of RSNA's training data with what readers marked and graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ...dicom import read_study
from ...domain.errors import LumbarError
from ...domain.geometry import vector3
from ...domain.landmarks import Landmark, Landmarks, LandmarkSource
from ...domain.spine import Condition, FindingKey, Level, Severity
from ...domain.study import MRSeries, SeriesRole, SliceStack, Study
from ...phantom import PhantomStudy
from ...preprocess.bags import prepared_series
from .images import IMAGES
from .tables import RsnaTables


@dataclass(frozen=True, eq=False)
class LabelledStudy:
    """A study, where its readers pointed, and what they said; a finding without grade has none here.

    As ``read_labelled`` gives it the study is as it was read; as the cache gives it, its series lie in the
    usual view with one byte per pixel, 0..255 between each slice's 1-99 percentiles.
    """

    study: Study
    landmarks: Landmarks
    severities: Mapping[FindingKey, Severity]


def studies_with_images(tables: RsnaTables, root: Path) -> list[str]:
    """The studies of the tables whose folder of images is there, sorted."""
    return [study for study in tables.studies if (root / IMAGES / study).is_dir()]


def read_labelled(tables: RsnaTables, root: Path, study_id: str) -> LabelledStudy:
    """Read a study; its series get the roles of the tables, its points are looked up by InstanceNumber.

    Points that lie on no image that was read are left out (``image_problems`` tells of them).

    Raises
    ------
    StudyError
        If the study's folder holds no MR image that can be read.
    LumbarError
        If none of the series that the tables name is among them, or a finding has two grades.
    """
    study = read_study(root / IMAGES / study_id, laid_out=True)
    described = tables.series[tables.series["study_id"] == study_id]
    roles = dict(zip(described["series_id"], described["series_description"], strict=True))
    if roles and not roles.keys() & {series.series_id for series in study.series}:
        raise LumbarError(
            f"study {study_id}: none of its {len(roles)} series in train_series_descriptions.csv was found "
            f"among its images. Each series lies in a folder that the tables name: {IMAGES}/STUDY/SERIES."
        )
    study = replace(study, series=tuple(_with_role(series, roles) for series in study.series))
    return LabelledStudy(study, _landmarks(tables, study), _severities(tables, study_id))


def labelled_phantom(phantom: PhantomStudy) -> LabelledStudy:
    """A phantom as the cache would give it back, in the usual view; its reader's severities."""
    series = tuple(_one_byte(prepared_series(s)) for s in phantom.study.series if s.role is not None)
    return LabelledStudy(replace(phantom.study, series=series), phantom.landmarks, phantom.severities)


def _one_byte(series: MRSeries) -> MRSeries:
    stacks = tuple(
        SliceStack(tuple(replace(s, pixels=np.rint(s.pixels * 255).astype(np.uint8)) for s in stack.slices))
        for stack in series.stacks
    )
    return replace(series, stacks=stacks)


def _with_role(series: MRSeries, roles: Mapping[str, str]) -> MRSeries:
    if series.series_id not in roles:
        return replace(series, role=None, role_reason="train_series_descriptions.csv does not name it")
    role = SeriesRole(roles[series.series_id])
    return replace(series, role=role, role_reason="named so by train_series_descriptions.csv")


def _landmarks(tables: RsnaTables, study: Study) -> Landmarks:
    points = tables.points[tables.points["study_id"] == study.study_id]
    slices = {
        (series.series_id, one.instance_number): (index, one)
        for series in study.series
        for index, one in enumerate(series.slices)
    }
    found = {}
    for row in points.itertuples():
        index, one = slices.get((row.series_id, row.instance_number), (0, None))
        pixel_rc = (float(row.y), float(row.x))
        if one is None or not one.geometry.contains(pixel_rc):
            continue
        key = FindingKey(Condition(row.condition), Level(row.level))
        place = vector3(one.geometry.lps_from_pixel(pixel_rc))
        found[key] = Landmark(key, place, row.series_id, index, pixel_rc, None, LandmarkSource.CORRECTED)
    return Landmarks(found)


def _severities(tables: RsnaTables, study_id: str) -> Mapping[FindingKey, Severity]:
    grades: pd.DataFrame = tables.grades[tables.grades["study_id"] == study_id]
    repeated = grades[grades.duplicated(["condition", "level"])]
    if len(repeated):
        row = repeated.iloc[0]
        raise LumbarError(f"study {study_id} has more than one grade for {row.condition} at {row.level}")
    return {
        FindingKey(Condition(row.condition), Level(row.level)): Severity(row.severity)
        for row in grades.itertuples()
    }
