"""Domain objects as napari layer tuples; the only place that knows napari's axis order.

Each series is shown in its own frame: axes (slice, row, column), scaled to millimetres, without an affine.
Stacks are laid behind one another along the slice axis, so that axis is a count of slices, not a place in
patient space. Slices smaller than the largest of their series are padded below and to the right, which
leaves every pixel's (row, column) as it was. Spacing is that of the first slice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from .domain.findings import CropEvidence, Finding
from .domain.landmarks import Landmark, Landmarks, LandmarkSource
from .domain.spine import ALL_FINDINGS, FindingKey
from .domain.study import MRSeries, PixelArray, SeriesRole, Study

LayerData = tuple[Any, dict[str, Any], str]

AXIS_LABELS = ("slice", "row", "column")
#: Transparent to yellow through red: attention tints the image and hides nothing where there is none.
HEATMAP_RGBA = np.array(
    [[0.2, 0.0, 0.3, 0.0], [0.6, 0.1, 0.4, 0.35], [0.95, 0.4, 0.2, 0.6], [1.0, 0.95, 0.6, 0.75]]
)
_CONTRAST_PERCENTILES = (1, 99)


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
    """The slices of a series, float32, shape ``series_shape``; contrast from the 1st to 99th percentile."""
    volume = np.zeros(series_shape(series), dtype=np.float32)
    for image, mr_slice in zip(volume, series.slices, strict=True):
        rows, columns = mr_slice.pixels.shape
        image.fill(mr_slice.pixels.min())
        image[:rows, :columns] = mr_slice.pixels
    role = series.role.value if series.role else "no role"
    options = {
        **series_frame(series),
        "name": f"{role} ({series.series_id})",
        "contrast_limits": _contrast_limits(series),
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
    """Rectangles, shape (4, 3), around the crops that were cut from a series."""
    boxes = [_corners(crop) for crop in evidence if crop.series_id == series.series_id]
    options = {**series_frame(series), "ndim": 3, "name": "Crops", "shape_type": "rectangle"}
    return boxes, options, "shapes"


def place_layer(series: MRSeries, point_lps_mm: npt.ArrayLike | None) -> LayerData:
    """A single point where a place in patient space falls on the nearest slice of a series; or no point."""
    points = np.empty((0, 3))
    if point_lps_mm is not None:
        slice_index = series.nearest_slice_index(point_lps_mm)
        pixel_rc = series.slices[slice_index].geometry.pixel_from_lps(point_lps_mm)
        points = np.array([(slice_index, *pixel_rc)])
    return points, {**series_frame(series), "ndim": 3, "name": "Place"}, "points"


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
    """Heatmaps, 0..1, laid over the pixels of the crops; float32, shape ``series_shape``."""
    volume = np.zeros(series_shape(series), dtype=np.float32)
    for crop in evidence:
        if crop.series_id == series.series_id:
            _lay_over(volume[crop.slice_index], crop)
    options = {
        **series_frame(series),
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


def _line(old: Landmark, new: Landmark, slice_index: int) -> npt.NDArray[np.float64]:
    start = np.array((slice_index, *old.pixel_rc), dtype=np.float64)
    return np.stack([start, np.array((slice_index, *new.pixel_rc)) - start])


def _name_now(old: Landmark, new: Landmark | None) -> str:
    return (new or old).key.column


def _contrast_limits(series: MRSeries) -> tuple[float, float]:
    sample = np.concatenate([s.pixels[::2, ::2].ravel() for s in series.slices])
    low, high = (float(v) for v in np.percentile(sample, _CONTRAST_PERCENTILES))
    return low, high if high > low else low + 1.0


def _corners(crop: CropEvidence) -> npt.NDArray[np.float64]:
    top, left, bottom, right = crop.box_rc
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    return np.array([(crop.slice_index, row, column) for row, column in corners], dtype=np.float64)


def _lay_over(image: PixelArray, crop: CropEvidence) -> None:
    """Sample the heatmap at the centre of each pixel of ``image`` inside the box; keep the larger value."""
    top, left, bottom, right = crop.box_rc
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
