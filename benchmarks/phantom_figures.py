"""Figures of phantom studies: what ``benchmarks.real_figures`` says of real ones, under the same names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_lumbar.domain.geometry import FloatArray
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import OWN_ROLES, MRSeries, SeriesRole
from napari_lumbar.phantom import PhantomStudy

LEVELS = tuple(level.value for level in Level)
PAIRS = tuple(pairwise(LEVELS))
SEVERITIES = ("normal/mild", "moderate", "severe")
ROLES = {
    SeriesRole.SAGITTAL_T1: "Sagittal T1",
    SeriesRole.SAGITTAL_T2: "Sagittal T2/STIR",
    SeriesRole.AXIAL_T2: "Axial T2",
}
CANAL = Condition.SPINAL_CANAL_STENOSIS
FORAMINA = (Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Condition.RIGHT_NEURAL_FORAMINAL_NARROWING)
RECESSES = (Condition.LEFT_SUBARTICULAR_STENOSIS, Condition.RIGHT_SUBARTICULAR_STENOSIS)
Figures = dict[str, float]
#: Measurements of all studies, by name; the first axis counts studies.
Table = Mapping[str, npt.NDArray[Any]]


def measure(phantom: PhantomStudy) -> dict[str, npt.ArrayLike]:
    """Measure one study: a row of the table."""
    row: dict[str, npt.ArrayLike] = {
        "grade": [int(phantom.severities[key]) for key in ALL_FINDINGS],
        "point": [_place(phantom, key) for key in ALL_FINDINGS],
        "disc_mm": [phantom.disc_centres_lps_mm.get(name, (np.nan,) * 3) for name in ("T12/L1", *LEVELS)],
    }
    for role, name in ROLES.items():
        series = _series(phantom, role)
        first = series.stacks[0].slices
        normal = first[0].geometry.normal
        step = np.diff([float(np.dot(s.geometry.position_lps_mm, normal)) for s in first]).mean()
        geometry = first[0].geometry
        row[name] = [
            len(series.slices),
            abs(step),
            phantom.thickness_mm[series.series_id],
            geometry.rows != geometry.columns,
            len(series.stacks) == 1,
        ]
    return row


def _series(phantom: PhantomStudy, role: SeriesRole) -> MRSeries:
    series = phantom.study.first(role)
    assert series is not None, "a phantom has all three roles"
    return series


def _place(phantom: PhantomStudy, key: FindingKey) -> tuple[float, ...]:
    """Column and row as fractions of the image, height / width, InstanceNumber, slices of the series."""
    mark = {m.key: m for m in phantom.landmarks}.get(key)
    if mark is None:
        return (np.nan,) * 5
    series = _series(phantom, OWN_ROLES[key.condition.group])
    mr_slice = series.slices[mark.slice_index]
    rows, columns = mr_slice.geometry.rows, mr_slice.geometry.columns
    row, column = mark.pixel_rc
    number = float(mr_slice.instance_number)
    return (column + 0.5) / columns, (row + 0.5) / rows, rows / columns, number, len(series.slices)


def stack(rows: Iterable[Mapping[str, npt.ArrayLike]]) -> Table:
    """The table of many studies."""
    measured = list(rows)
    return {name: np.array([row[name] for row in measured], dtype=np.float64) for name in measured[0]}


def taken(table: Table, which: npt.NDArray[np.int64]) -> Table:
    """Some of the studies, possibly repeated."""
    return {name: values[which] for name, values in table.items()}


def figures(table: Table) -> Figures:
    """All figures."""
    return {
        **_frequencies(table),
        **_dependencies(table),
        **_positions(table),
        **_distances(table),
        **_instances(table),
        **_axial(table),
        **_series_figures(table),
    }


def _columns(condition: Condition) -> list[int]:
    """Places of a condition's five levels among all findings, cranial to caudal."""
    return [ALL_FINDINGS.index(FindingKey(condition, level)) for level in Level]


def both(group: ConditionGroup) -> list[Condition]:
    """A group's conditions: one, or one of each side."""
    return [c for c in Condition if c.group is group]


def _frequencies(table: Table) -> Figures:
    result = {}
    for group in ConditionGroup:
        grades = np.stack([table["grade"][:, _columns(c)] for c in both(group)])
        for rank, level in enumerate(LEVELS):
            for severity, name in enumerate(SEVERITIES):
                share = float((grades[..., rank] == severity).mean())
                result[f"frequency: {group.value} {level} {name}"] = share
    return result


def _dependencies(table: Table) -> Figures:
    grades = table["grade"]
    canal, foramina, recesses = (
        _columns(CANAL),
        [_columns(c) for c in FORAMINA],
        [_columns(c) for c in RECESSES],
    )
    scs, worst = grades[:, canal], np.maximum(grades[:, recesses[0]], grades[:, recesses[1]])
    result = {
        "scs_vs_left_sas": _correlation(scs, grades[:, recesses[0]]),
        "scs_vs_left_nfn": _correlation(scs, grades[:, foramina[0]]),
        "left_vs_right_nfn": _correlation(grades[:, foramina[0]], grades[:, foramina[1]]),
        "left_vs_right_sas": _correlation(grades[:, recesses[0]], grades[:, recesses[1]]),
        "left_nfn_vs_left_sas": _correlation(grades[:, foramina[0]], grades[:, recesses[0]]),
        "p_left_eq_right_nfn": float((grades[:, foramina[0]] == grades[:, foramina[1]]).mean()),
        "p_left_eq_right_sas": float((grades[:, recesses[0]] == grades[:, recesses[1]]).mean()),
        "p_study_any_severe_scs": float((scs == 2).any(axis=1).mean()),
        "p_study_all_normal_25": float((grades == 0).all(axis=1).mean()),
    }
    for rank, (upper, lower) in enumerate(PAIRS):
        result[f"scs {upper} and {lower}"] = _correlation(scs[:, rank], scs[:, rank + 1])
    for row, name in enumerate(SEVERITIES):
        for column, other in enumerate(SEVERITIES):
            result[f"worst sas {other} given scs {name}"] = float((worst[scs == row] == column).mean())
    return {f"dependency: {name}": value for name, value in result.items()}


def _correlation(one: FloatArray, other: FloatArray) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _moments(name: str, values: FloatArray) -> Figures:
    return {f"{name} mean": float(np.nanmean(values)), f"{name} sd": float(np.nanstd(values))}


def _positions(table: Table) -> Figures:
    result: Figures = {}
    for group in ConditionGroup:
        for condition in both(group):
            for level, column in zip(LEVELS, _columns(condition), strict=True):
                x, y, _, number, count = table["point"][:, column].T
                for axis, values in (("fx", x), ("fy", y), ("fz", (number - 0.5) / count)):
                    result |= _moments(f"position: {condition.value} {level} {axis}", values)
    return result


def _distances(table: Table) -> Figures:
    result: Figures = {}
    for condition in (CANAL, *FORAMINA):
        x, y, tall = np.moveaxis(table["point"][:, _columns(condition), :3], -1, 0)
        across, down = np.diff(x / tall, axis=1), np.diff(y, axis=1)
        for rank, (upper, lower) in enumerate(PAIRS):
            name = f"distance: {condition.value} {upper}->{lower}"
            result |= _moments(f"{name} fraction of height", np.hypot(across, down)[:, rank])
            result |= _moments(f"{name} degrees", np.degrees(np.arctan2(across, down))[:, rank])
        if condition is CANAL:
            span = np.hypot(x[:, -1] / tall[:, -1] - x[:, 0] / tall[:, 0], y[:, -1] - y[:, 0])
            result |= _moments("distance: canal L1/L2->L5/S1 fraction of height", span)
    steps = np.linalg.norm(np.diff(table["disc_mm"], axis=1), axis=2)
    for rank, level in enumerate(LEVELS[:-1]):
        result |= _moments(f"distance: disc below {level} mm", steps[:, rank + 1])
    result |= _moments("distance: disc below T12/L1 mm", steps[:, 0])
    return result


def _instances(table: Table) -> Figures:
    result: Figures = {}
    points = table["point"]
    (left, count), (right, _) = (np.moveaxis(points[:, _columns(c), 3:], -1, 0) for c in FORAMINA)
    apart = np.abs(left - right)
    for rank, level in enumerate(LEVELS):
        result[f"slices: foramina apart {level}"] = float(np.nanmean(apart[:, rank]))
        result[f"slices: foramina apart {level}, share of series"] = float(
            np.nanmean((apart / count)[:, rank])
        )
    result["slices: foramina apart sd"] = float(np.nanstd(apart))
    result["slices: left foramen has the higher number"] = float((left > right).mean())
    result |= _moments("slices: middle of foramina from centre", (left + right - count - 1) / 2)
    canal = points[:, _columns(CANAL), 3]
    result |= _moments("slices: canal from centre", canal - (points[:, _columns(CANAL), 4] + 1) / 2)
    result |= _distinct("slices: foramina on distinct slices per side", np.concatenate([left, right]))
    result |= _distinct("slices: canal on distinct slices", canal)
    spread = np.ptp(np.concatenate([left, right]), axis=1)
    return result | _moments("slices: spread of one side's foramina", spread)


def _distinct(name: str, numbers: FloatArray) -> Figures:
    counts = np.array([len(np.unique(row)) for row in numbers])
    return {f"{name} {k}": float((counts == k).mean()) for k in (1, 2, 3, 4)}


def _axial(table: Table) -> Figures:
    result: Figures = {}
    left, right = (table["point"][:, _columns(c)] for c in RECESSES)
    apart = left[..., 0] - right[..., 0]
    result |= _moments("axial: recesses apart, fraction of width", apart)
    for rank, level in enumerate(LEVELS):
        result[f"axial: recesses apart {level}, fraction of width"] = float(np.nanmean(apart[:, rank]))
    number = left[..., 3]
    upward = number[:, -1] > number[:, 0]
    result["axial: numbers grow downwards"] = float(upward.mean())
    result["axial: both recesses on one slice"] = float((number == right[..., 3]).mean())
    gaps = np.abs(np.diff((number + right[..., 3]) / 2, axis=1))
    result |= _moments("axial: slices between levels", gaps)
    relative = (number - 0.5) / left[..., 4]
    for rank, level in enumerate(LEVELS):
        result |= _moments(f"axial: relative slice of {level}", relative[upward, rank])
    return result


def _series_figures(table: Table) -> Figures:
    result: Figures = {}
    for name in ROLES.values():
        count, step, thickness, tall, straight = table[name].T
        result |= _moments(f"series: slices of {name}", count)
        result[f"series: {name} not square"] = float(tall.mean())
        result[f"series: thickness of {name} mm"] = float(np.median(thickness))
        result[f"series: step of {name} mm"] = float(np.median(step))
        result[f"series: {name} in one stack"] = float(straight.mean())
    return result
