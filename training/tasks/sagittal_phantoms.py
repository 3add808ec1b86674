"""What the sagittal network learns from phantoms: their slices at its pixel size, with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ...domain.geometry import Vector3
from ...domain.landmarks import Landmarks
from ...domain.spine import ConditionGroup
from ...domain.study import SAGITTAL_ROLES, MRSeries, MRSlice
from ...phantom import PhantomStudy, Tissue
from ...preprocess.channels import NAMED_DISCS, SAGITTAL_MM
from ...preprocess.resample import resample_to_mm
from ..samples import MASK_CANAL, MASK_DISC, MASK_SACRUM, MASK_VERTEBRA, SagittalStack

_MASKS = {
    MASK_VERTEBRA: (Tissue.VERTEBRA, Tissue.CORTEX),
    MASK_DISC: (Tissue.DISC_ANNULUS, Tissue.DISC_NUCLEUS),
    MASK_CANAL: (Tissue.CSF, Tissue.CORD, Tissue.ROOTS),
    MASK_SACRUM: (Tissue.SACRUM,),
}
_MASK_OF_TISSUE = np.zeros(256, np.uint8)
for _value, _tissues in _MASKS.items():
    _MASK_OF_TISSUE[list(_tissues)] = _value

#: A disc is seen this far from its centre, a foramen is known to this far from its middle (across, in mm).
_DISC_SEEN_MM, _FORAMEN_SEEN_MM = 19.0, 9.0
#: Slices farther from the midline show neither discs nor foramina.
_USED_MM = 32.0


def sagittal_stacks(phantom: PhantomStudy) -> list[SagittalStack]:
    """The slices near the spine of both sagittal series."""
    found = (phantom.study.first(role) for role in SAGITTAL_ROLES)
    return [_stack(phantom, series) for series in found if series is not None]


def _stack(phantom: PhantomStudy, series: MRSeries) -> SagittalStack:
    middle = phantom.disc_centres_lps_mm[NAMED_DISCS[3]]
    used = [
        i
        for i, s in enumerate(series.slices)
        if abs(float(s.geometry.signed_distance_mm(middle))) <= _USED_MM
    ]
    slices, tissues = [series.slices[i] for i in used], phantom.tissues[series.series_id]
    return SagittalStack(
        np.stack([_image(s) for s in slices]),
        np.stack([_mask(series.slices[i], tissues[i]) for i in used]),
        [_named_discs(phantom, s) for s in slices],
        [_discs_in(s, phantom.other_disc_centres_lps_mm.values()) for s in slices],
        [_foramina(phantom.landmarks, s) for s in slices],
    )


def _image(mr_slice: MRSlice) -> npt.NDArray[np.uint8]:
    pixels = mr_slice.pixels.astype(np.float32)
    return resample_to_mm(pixels, mr_slice.geometry.spacing_rc_mm, SAGITTAL_MM).astype(np.uint8)


def _mask(mr_slice: MRSlice, tissue: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    spacing = mr_slice.geometry.spacing_rc_mm
    counts = [int((n - 1) * s / SAGITTAL_MM) + 1 for n, s in zip(tissue.shape, spacing, strict=True)]
    rows, columns = (
        np.rint(np.arange(n) * SAGITTAL_MM / s).astype(int).clip(max=m - 1)
        for n, s, m in zip(counts, spacing, tissue.shape, strict=True)
    )
    return _MASK_OF_TISSUE[tissue[np.ix_(rows, columns)]]


def _pixel(mr_slice: MRSlice, point_lps_mm: Sequence[float]) -> tuple[float, float]:
    geometry = mr_slice.geometry
    row, column = geometry.pixel_from_lps(point_lps_mm) * geometry.spacing_rc_mm / SAGITTAL_MM
    return float(row), float(column)


def _shows(mr_slice: MRSlice, centre_lps_mm: Vector3) -> bool:
    near = abs(float(mr_slice.geometry.signed_distance_mm(centre_lps_mm))) <= _DISC_SEEN_MM
    return near and bool(mr_slice.geometry.contains(mr_slice.geometry.pixel_from_lps(centre_lps_mm)))


def _named_discs(phantom: PhantomStudy, mr_slice: MRSlice) -> dict[str, tuple[float, float]]:
    centres = {name: phantom.disc_centres_lps_mm[name] for name in NAMED_DISCS}
    return {name: _pixel(mr_slice, c) for name, c in centres.items() if _shows(mr_slice, c)}


def _discs_in(mr_slice: MRSlice, centres: Iterable[Vector3]) -> npt.NDArray[np.float32]:
    shown = [_pixel(mr_slice, centre) for centre in centres if _shows(mr_slice, centre)]
    return np.array(shown, np.float32).reshape(-1, 2)


def _foramina(landmarks: Landmarks, mr_slice: MRSlice) -> npt.NDArray[np.float32]:
    """Foramina near a slice as (row, column, distance in mm), shape (n, 3)."""
    found = [lm.point_lps_mm for lm in landmarks if lm.key.condition.group is ConditionGroup.FORAMINAL]
    distances = [abs(float(mr_slice.geometry.signed_distance_mm(point))) for point in found]
    near = [(*_pixel(mr_slice, p), d) for p, d in zip(found, distances, strict=True) if d <= _FORAMEN_SEEN_MM]
    return np.array(near, np.float32).reshape(-1, 3)
