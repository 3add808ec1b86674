"""Evidence as people see it: on the pixels of the files, whatever view the networks saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..domain.findings import CropEvidence
from ..domain.geometry import SliceGeometry
from ..domain.study import MRSeries, PixelArray, Study
from ..preprocess.resample import Box


def to_native(crop: CropEvidence, usual: Mapping[str, MRSeries], study: Study) -> CropEvidence:
    """Box and heatmap from the usual view to the pixels of the file.

    Parameters
    ----------
    crop
        Seen in the usual view (``canonical_series``).
    usual
        The series in the usual view, by ``series_id``.
    study
        The study as it was read.
    """
    turned = usual[crop.series_id].slices[crop.slice_index].geometry
    native = study.by_id(crop.series_id).slices[crop.slice_index].geometry
    if turned == native:
        return crop
    box, heatmap = _turn_back(crop.box_rc, crop.heatmap, turned, native)
    return replace(crop, box_rc=box, heatmap=heatmap)


def _turn_back(
    box_rc: Box, heatmap: PixelArray, turned: SliceGeometry, native: SliceGeometry
) -> tuple[Box, PixelArray]:
    corners = turned.lps_from_pixel(np.array([box_rc[:2], box_rc[2:]]))
    (top, left), (bottom, right) = native.pixel_from_lps(corners)
    transposed = abs(np.dot(turned.along_row, native.along_row)) < 0.5
    heatmap = heatmap.T if transposed else heatmap
    if top > bottom:
        top, bottom, heatmap = bottom, top, heatmap[::-1]
    if left > right:
        left, right, heatmap = right, left, heatmap[:, ::-1]
    return (float(top), float(left), float(bottom), float(right)), heatmap
