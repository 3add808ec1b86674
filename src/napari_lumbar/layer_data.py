"""Domain objects as napari layer tuples; the only place that knows napari's axis order.

Each series is shown in its own frame: axes (slice, row, column), scaled to millimetres, without an affine.
Stacks are laid behind one another along the slice axis, so that axis is a count of slices, not a place in
patient space. Slices smaller than the largest of their series are padded below and to the right, which
leaves every pixel's (row, column) as it was. Spacing is that of the first slice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from .domain.findings import CropEvidence, Finding
from .domain.geometry import SliceGeometry
from .domain.landmarks import Landmark, Landmarks, LandmarkSource, disc_points_lps_mm
from .domain.spine import ALL_FINDINGS, FindingKey, Side
from .domain.study import MRSeries, PixelArray, SeriesRole, Study
from .domain.windows import first_window, presets

LayerData = tuple[Any, dict[str, Any], str]

AXIS_LABELS = ("slice", "row", "column")
#: Transparent to yellow through red: attention tints the image and hides nothing where there is none.
HEATMAP_RGBA = np.array(
    [[0.2, 0.0, 0.3, 0.0], [0.6, 0.1, 0.4, 0.35], [0.95, 0.4, 0.2, 0.6], [1.0, 0.95, 0.6, 0.75]]
)
_ALONG = 0.7
EDGES_OF_A_BOX = 4
#: The cursor leaves its middle free.
_ARM_STARTS_MM, _ARM_MM = 2.5, 5.0
#: From a disc's point to its name, and how near to the border of the image a name may stand.
_TO_THE_FRONT_MM, _TO_THE_SIDE_MM, _BORDER_MM = 62.0, 36.0, 20.0


def series_frame(series: MRSeries) -> dict[str, Any]:
    """Scale in mm, units and axis labels that every layer of a series shares."""
    geometry = series.slices[0].geometry
    step = series.stacks[0].step_mm or 1.0
    scale = (step, geometry.row_spacing_mm, geometry.column_spacing_mm)
    return {"scale": scale, "units": ("mm",) * 3, "axis_labels": AXIS_LABELS}


def series_shape(series: MRSeries) -> tuple[int, int, int]:
    """(slices, rows, columns) of the padded volume."""
    rows = max(s.geometry.rows for s in series.slices)
    columns = max(s.geometry.columns for s in series.slices)
    return len(series.slices), rows, columns


def image_layer(series: MRSeries) -> LayerData:
    """The slices of a series, float32, shape ``series_shape``, in the window it is shown in first."""
    volume = np.zeros(series_shape(series), dtype=np.float32)
    for image, mr_slice in zip(volume, series.slices, strict=True):
        rows, columns = mr_slice.pixels.shape
        image.fill(mr_slice.pixels.min())
        image[:rows, :columns] = mr_slice.pixels
    role = series.role.value if series.role else "no role"
    window = first_window(presets(series))
    options = {
        **series_frame(series),
        "name": f"{role} ({series.shown_id})",
        "contrast_limits": (window.low, window.high),
        "interpolation2d": "linear",
        "projection_mode": "none",
        "metadata": {"series_id": series.series_id},
    }
    return volume, options, "image"


def role_layers(study: Study) -> list[LayerData]:
    """One image layer for each role the study has a series for; only the first is visible."""
    used = [series for role in SeriesRole if (series := study.first(role)) is not None]
    layers = [image_layer(series) for series in used]
    for _, options, _ in layers[1:]:
        options["visible"] = False
    return layers


def landmark_layer(
    series: MRSeries,
    landmarks: Landmarks,
    findings: Mapping[FindingKey, Finding],
    stale: Collection[FindingKey] = (),
) -> LayerData:
    """Points (slice, row, column) for the landmarks on a series, in the order of ``ALL_FINDINGS``.

    The features say what each point is (``finding`` is RSNA's column name and the point's identity,
    ``label`` is for the screen), what was found there, who placed it, and whether the grade is current.
    """
    shown = [lm for key in ALL_FINDINGS if (lm := landmarks.get(key)) and lm.series_id == series.series_id]
    points = np.array([(lm.slice_index, *lm.pixel_rc) for lm in shown], dtype=float).reshape(-1, 3)
    rows = [_landmark_features(lm, findings.get(lm.key), lm.key in stale) for lm in shown]
    features = {name: [row[name] for row in rows] for name in _FEATURES}
    return points, {**series_frame(series), "ndim": 3, "name": "Landmarks", "features": features}, "points"


def crop_layer(series: MRSeries, evidence: Iterable[CropEvidence]) -> LayerData:
    """The edges of the crops that were cut from a series, ``EDGES_OF_A_BOX`` for each.

    Vectors, (start, direction) of (slice, row, column): napari's shapes cost three times as much to draw.
    """
    boxes = [_edges(crop) for crop in evidence if crop.series_id == series.series_id]
    edges = np.array(boxes, dtype=np.float64).reshape(-1, 2, 3)
    return edges, {**series_frame(series), "ndim": 3, "name": "Crops", "vector_style": "line"}, "vectors"


def cursor_layer(
    series: MRSeries, point_lps_mm: npt.ArrayLike | None, slice_index: int | None = None
) -> LayerData:
    """Four arms, (start, direction) of (slice, row, column), around a place in patient space; or none.

    Parameters
    ----------
    slice_index
        The slice they are drawn on (default: the nearest).
    """
    arms = np.empty((0, 2, 3))
    if point_lps_mm is not None:
        index = series.nearest_slice_index(point_lps_mm) if slice_index is None else slice_index
        arms = _arms(index, series.slices[index].geometry, point_lps_mm)
    return arms, {**series_frame(series), "ndim": 3, "name": "Cursor", "vector_style": "line"}, "vectors"


def lines_layer(series: MRSeries, segments_rc: npt.NDArray[np.float64]) -> LayerData:
    """Segments, (n, 2, 2) ends as (row, column), that are shown on every slice; NaN ones are left out."""
    ends = segments_rc[np.isfinite(segments_rc).all(axis=(1, 2))]
    vectors = np.stack([ends[:, 0], ends[:, 1] - ends[:, 0]], axis=1)
    frame = {name: given[1:] for name, given in series_frame(series).items()}
    return vectors, {**frame, "ndim": 2, "name": "Reference lines", "vector_style": "line"}, "vectors"


def names_layer(series: MRSeries, landmarks: Landmarks, chosen: FindingKey | None = None) -> LayerData:
    """Where the names of levels stand, clear of the spine; features ``name`` and ``chosen``.

    On sagittal series one name for each disc, in front of the vertebrae, on every slice: points (row,
    column). On others the chosen finding's, to its side, on its slice: points (slice, row, column).
    """
    named = _names_before_discs if is_sagittal(series) else _name_beside_point
    points, features = named(series, landmarks, chosen)
    ndim = 2 if is_sagittal(series) else 3
    frame = {name: given[-ndim:] for name, given in series_frame(series).items()}
    return points, {**frame, "ndim": ndim, "name": "Level names", "features": features}, "points"


def is_sagittal(series: MRSeries) -> bool:
    """Whether the slices look along the patient's left-right axis."""
    return bool(abs(series.slices[0].geometry.normal[0]) > _ALONG)


def ghost_layers(
    series: MRSeries, moves: Iterable[tuple[Landmark | None, Landmark | None]]
) -> tuple[LayerData, LayerData]:
    """Where points were predicted on a series, and lines from there to where they are now.

    Parameters
    ----------
    moves
        (predicted landmark, landmark in force) of each; either may be None.

    Returns
    -------
    tuple of LayerData
        Points, shape (n, 3), and vectors, shape (m, 2, 3): each start and direction within one slice. A point
        that went to another slice has its line on both. The feature ``finding`` names each by RSNA's column.
    """
    ghosts = [(old, new) for old, new in moves if old is not None and old.series_id == series.series_id]
    points = np.array([(old.slice_index, *old.pixel_rc) for old, _ in ghosts], dtype=float).reshape(-1, 3)
    lines = [
        (_line(old, new, slice_index), _name_now(old, new))
        for old, new in ghosts
        if new is not None and new.series_id == series.series_id
        for slice_index in sorted({old.slice_index, new.slice_index})
    ]
    vectors = np.array([line for line, _ in lines], dtype=float).reshape(-1, 2, 3)
    frame = {**series_frame(series), "ndim": 3}
    rings = {**frame, "name": "Predicted", "features": {"finding": [_name_now(*move) for move in ghosts]}}
    drawn = {**frame, "name": "Moved", "features": {"finding": [name for _, name in lines]}}
    return (points, rings, "points"), (vectors, drawn, "vectors")


def heatmap_layer(series: MRSeries, evidence: Iterable[CropEvidence]) -> LayerData:
    """Heatmaps, 0..1, laid over the pixels of the crops; float32, shape (slices, rows, columns).

    Rows and columns are those that the crops cover, from ``translate`` (mm) on: a transparent pixel costs as
    much to draw as any other.
    """
    own = [crop for crop in evidence if crop.series_id == series.series_id]
    slices, *sides = series_shape(series)
    first_rc, stop_rc = _covered(own, sides)
    volume = np.zeros((slices, *(stop_rc - first_rc)), dtype=np.float32)
    for crop in own:
        _lay_over(volume[crop.slice_index], crop, first_rc)
    frame = series_frame(series)
    options = {
        **frame,
        "translate": tuple(np.array((0, *first_rc)) * frame["scale"]),
        "name": "Attention",
        "contrast_limits": (0.0, 1.0),
        "colormap": HEATMAP_RGBA,
        "blending": "translucent",
        "interpolation2d": "linear",
        "projection_mode": "none",
    }
    return volume, options, "image"


_FEATURES = ("finding", "label", "level", "condition", "side", "severity", "probability", "source", "state")


def _landmark_features(landmark: Landmark, finding: Finding | None, is_stale: bool) -> dict[str, Any]:
    key, probs = landmark.key, finding.probs if finding else None
    severity = finding.severity if finding else None
    side = key.condition.side
    placed = landmark.source.value if landmark.source is not LandmarkSource.PREDICTED else ""
    words = (key.level.value, side.value[0] if side else "", placed, "stale" if is_stale else "")
    return {
        "finding": key.column,
        "label": " ".join(filter(None, words)),
        "level": key.level.value,
        "condition": key.condition.value,
        "side": side.value if side else "",
        "severity": severity.label if severity is not None else "not graded",
        "probability": probs.confidence if probs else float("nan"),
        "source": landmark.source.value,
        "state": "stale" if is_stale else "current",
    }


def _arms(slice_index: int, geometry: SliceGeometry, point_lps_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
    centre = np.array([slice_index, *geometry.pixel_from_lps(point_lps_mm)])
    spacing = np.array([1.0, *geometry.spacing_rc_mm])
    ways = np.array([(0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]) / spacing
    return np.stack([centre + _ARM_STARTS_MM * ways, _ARM_MM * ways], axis=1)


_Indices = npt.NDArray[np.intp]
_Named = tuple[npt.NDArray[np.float64], dict[str, list[Any]]]


def _names_before_discs(series: MRSeries, landmarks: Landmarks, chosen: FindingKey | None) -> _Named:
    geometry = series.slices[0].geometry
    discs = disc_points_lps_mm(landmarks)
    places = [_kept_inside(geometry, point + np.array([0, -_TO_THE_FRONT_MM, 0])) for point in discs.values()]
    names: dict[str, list[Any]] = {
        "name": [level.value for level in discs],
        "chosen": [chosen is not None and level is chosen.level for level in discs],
    }
    return np.array(places).reshape(-1, 2), names


def _name_beside_point(series: MRSeries, landmarks: Landmarks, chosen: FindingKey | None) -> _Named:
    landmark = landmarks.get(chosen) if chosen else None
    if landmark is None or landmark.series_id != series.series_id:
        return np.empty((0, 3)), {"name": [], "chosen": []}
    side = landmark.key.condition.side
    outwards = {None: 0.0, Side.RIGHT: -_TO_THE_SIDE_MM, Side.LEFT: _TO_THE_SIDE_MM}[side]
    geometry = series.slices[landmark.slice_index].geometry
    place = _kept_inside(geometry, np.array(landmark.point_lps_mm) + np.array([outwards, 0, 0]))
    name = " ".join([landmark.key.level.value, *([side.value[0].upper()] if side else [])])
    return np.array([(landmark.slice_index, *place)]), {"name": [name], "chosen": [True]}


def _kept_inside(geometry: SliceGeometry, point_lps_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
    border = _BORDER_MM / geometry.spacing_rc_mm
    high = np.maximum(np.array([geometry.rows, geometry.columns]) - 1 - border, border)
    return np.clip(geometry.pixel_from_lps(point_lps_mm), border, high)


def _line(old: Landmark, new: Landmark, slice_index: int) -> npt.NDArray[np.float64]:
    start = np.array((slice_index, *old.pixel_rc), dtype=np.float64)
    return np.stack([start, np.array((slice_index, *new.pixel_rc)) - start])


def _name_now(old: Landmark, new: Landmark | None) -> str:
    return (new or old).key.column


def _edges(crop: CropEvidence) -> npt.NDArray[np.float64]:
    top, left, bottom, right = crop.box_rc
    corners = np.array([(top, left), (top, right), (bottom, right), (bottom, left)])
    along = np.roll(corners, -1, axis=0) - corners
    starts = np.insert(corners, 0, crop.slice_index, axis=1)
    return np.stack([starts, np.insert(along, 0, 0, axis=1)], axis=1)


def _covered(crops: Sequence[CropEvidence], sides: Sequence[int]) -> tuple[_Indices, _Indices]:
    """First and one past the last (row, column) of the image that the crops cover; at least one pixel."""
    boxes = np.array([crop.box_rc for crop in crops] or [(0, 0, 1, 1)])
    first = np.clip(np.floor(boxes[:, :2].min(axis=0)), 0, np.array(sides) - 1).astype(np.intp)
    stop = np.clip(np.ceil(boxes[:, 2:].max(axis=0)), first + 1, sides).astype(np.intp)
    return first, stop


def _lay_over(image: PixelArray, crop: CropEvidence, first_rc: _Indices) -> None:
    """Sample the heatmap at the centre of each pixel inside the box; keep the larger value.

    ``image`` begins with the pixel ``first_rc`` of the slice.
    """
    top, left, bottom, right = crop.box_rc - np.tile(first_rc, 2)
    rows = np.arange(max(0, int(np.ceil(top))), min(image.shape[0], int(np.ceil(bottom))))
    columns = np.arange(max(0, int(np.ceil(left))), min(image.shape[1], int(np.ceil(right))))
    if not rows.size or not columns.size:
        return
    height, width = crop.heatmap.shape
    at_row = (rows - top) / (bottom - top) * height - 0.5
    at_column = (columns - left) / (right - left) * width - 0.5
    grid = np.stack(np.meshgrid(at_row, at_column, indexing="ij"))
    values = map_coordinates(crop.heatmap, grid, order=1, mode="nearest")
    target = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.maximum(target, values, out=target)
