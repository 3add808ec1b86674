"""Which slices a report shows: three sagittal ones and one axial one per level, as the landmarks lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..domain.findings import Analysis
from ..domain.landmarks import Landmark
from ..domain.spine import Condition, ConditionGroup, FindingKey, Level
from ..domain.study import MRSlice, Study
from .severity_style import CONDITION_HEADINGS
from .slice_images import Box, Mark, draw_slice, png_data_uri

_SAGITTAL_CONDITIONS = tuple(c for c in Condition if c.group is not ConditionGroup.SUBARTICULAR)
_SUBARTICULAR_CONDITIONS = tuple(c for c in Condition if c.group is ConditionGroup.SUBARTICULAR)


@dataclass(frozen=True)
class View:
    """A picture for a page: heading, where the slice comes from, and the picture as a ``data:`` address."""

    heading: str
    caption: str
    data_uri: str


def sagittal_views(study: Study, analysis: Analysis) -> tuple[View, ...]:
    """Right foramina, canal, left foramina: the slice most of each one's points lie on."""
    views = (
        _view(study, analysis, CONDITION_HEADINGS[condition], [FindingKey(condition, lv) for lv in Level])
        for condition in _SAGITTAL_CONDITIONS
    )
    return tuple(view for view in views if view is not None)


def axial_views(study: Study, analysis: Analysis) -> tuple[View, ...]:
    """One slice per level that has a subarticular point."""
    views = (
        _view(study, analysis, level.value, [FindingKey(c, level) for c in _SUBARTICULAR_CONDITIONS])
        for level in Level
    )
    return tuple(view for view in views if view is not None)


def _view(study: Study, analysis: Analysis, heading: str, keys: list[FindingKey]) -> View | None:
    points = [p for key in keys if (p := analysis.landmarks.get(key)) is not None]
    if not points:
        return None
    series_id, slice_index = Counter((p.series_id, p.slice_index) for p in points).most_common(1)[0][0]
    series = study.by_id(series_id)
    image = series.slices[slice_index]
    axial = keys[0].condition.group is ConditionGroup.SUBARTICULAR
    marks = [_mark(analysis, image, slice_index, p, axial) for p in points if p.series_id == series_id]
    if axial:
        marks = _labels_apart(marks)
    boxes = _boxes(analysis, keys, series_id, slice_index)
    name = series.role.value if series.role else "A series without a role"
    caption = f"{name}, slice {slice_index + 1} of {len(series.slices)} (image {image.instance_number})"
    return View(heading, caption, png_data_uri(draw_slice(image, tuple(marks), boxes)))


def _mark(analysis: Analysis, image: MRSlice, slice_index: int, point: Landmark, axial: bool) -> Mark:
    on_slice = point.slice_index == slice_index
    row, column = point.pixel_rc if on_slice else image.geometry.pixel_from_lps(point.point_lps_mm)
    finding = analysis.findings.get(point.key)
    side = point.key.condition.side
    label = side.value if axial and side else point.key.level.value
    return Mark((float(row), float(column)), label, finding.severity if finding else None, on_slice)


def _labels_apart(marks: list[Mark]) -> list[Mark]:
    """Write the name of the point at the image's left on its left, away from the other's."""
    leftmost = min(marks, key=lambda mark: mark.pixel_rc[1])
    return [replace(mark, label_on_left=mark is leftmost) for mark in marks]


def _boxes(
    analysis: Analysis, keys: Iterable[FindingKey], series_id: str, slice_index: int
) -> tuple[Box, ...]:
    findings = (f for key in keys if (f := analysis.findings.get(key)) is not None)
    return tuple(
        Box(crop.box_rc, finding.severity)
        for finding in findings
        for crop in finding.evidence
        if (crop.series_id, crop.slice_index) == (series_id, slice_index)
    )
