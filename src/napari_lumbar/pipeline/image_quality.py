"""Three measures of how good the images around the landmarks are, and what they forbid.

Limits come from training phantoms, 26 studies by three series, clean and spoilt: noise was at most 0.07 clean
and at least 0.2 with a noise of 0.4 of fat; ghosting at most 0.18 clean and in the median 0.3 to 0.5 with
every second line half as bright; holes on T1 at most 16 mm2 clean and at least 170 mm2 with a void of 9 mm.
What they cannot tell: a patient who moved without a rhythm, wrap-around (neither changed any measure tried),
and metal on T2 images, where suppressed fat leaves holes as large.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from ..domain.doubts import Doubt, DoubtKind
from ..domain.geometry import FloatArray
from ..domain.landmarks import Landmark, Landmarks
from ..domain.spine import FindingKey
from ..domain.study import MRSlice, SeriesRole, Study

#: From the first value on a series is called poor; from the second on nothing is graded from it.
NOISE_LIMITS = (0.10, 0.19)
GHOST_LIMITS = (0.35, 1.0)
VOID_LIMITS_MM2 = (60.0, 150.0)
#: What counts as near a landmark, and how dark a hole is relative to the bright tissue there.
_NEAR_MM, _HOLE_NEAR_MM, _DARK = 35.0, 30.0, 0.05
_SMOOTH_MM = 2.5
#: Ghosts are looked for at these distances, in the frequencies that scanners really acquire (cycles/pixel).
_GHOST_PX = np.arange(6, 81)
_FREQUENCIES = (0.015, 0.2)
#: Slices of a series that are measured: those with the most landmarks.
_SLICES = 3

Image = npt.NDArray[np.floating]


def quality_doubts(study: Study, landmarks: Landmarks) -> Iterator[Doubt]:
    """What speaks against the images that the landmarks lie on."""
    by_role: dict[SeriesRole, list[Landmark]] = defaultdict(list)
    for point in landmarks:
        role = study.by_id(point.series_id).role
        if role is not None:
            by_role[role].append(point)
    for role, points in by_role.items():
        places = _busiest(points)
        slices = {place: study.by_id(place[0]).slices[place[1]] for place in places}
        noise = np.median([noise_share(slices[p], [q.pixel_rc for q in on]) for p, on in places.items()])
        ghosts = np.median([ghosting(image.pixels) for image in slices.values()])
        yield from _poor(role, points, "noise", float(noise), NOISE_LIMITS)
        yield from _poor(role, points, "ghosting", float(ghosts), GHOST_LIMITS)
    yield from _holes(study, by_role.get(SeriesRole.SAGITTAL_T1, []))


def noise_share(image: MRSlice, points_rc: Sequence[tuple[float, float]]) -> float:
    """Standard deviation of the noise around the points, relative to the contrast there (5 to 95 %)."""
    near = _distance_mm(image, points_rc) <= _NEAR_MM
    low, high = np.percentile(image.pixels[near], (5, 95)) if near.any() else (0.0, 0.0)
    if high <= low:
        return float("inf")
    # Differences of differences leave noise and fine texture; the median ignores edges.
    pixels = image.pixels.astype(np.float64)
    fine = np.diff(np.diff(pixels, axis=0), axis=1) / 2
    return float(1.4826 * np.median(np.abs(fine[near[:-1, :-1]])) / (high - low))


def ghosting(pixels: Image) -> float:
    """How far the log power of k-space lines swings with their place, along the worse axis.

    A periodic motion modulates the lines of the phase encoding, which repeats the image at a distance; the
    power's spectrum (a cepstrum) has a peak at that distance.
    """
    return max(_swing(pixels), _swing(pixels.T))


def hole_mm2(image: MRSlice, pixel_rc: tuple[float, float]) -> float:
    """Area of the largest place without signal around a point."""
    spacing = image.geometry.spacing_rc_mm
    size = np.maximum(1, np.rint(_SMOOTH_MM / spacing)).astype(int)
    smooth = ndimage.uniform_filter(image.pixels.astype(np.float64), size=tuple(size))
    distance = _distance_mm(image, [pixel_rc])
    near = distance <= _NEAR_MM
    if not near.any():
        return 0.0
    bright = np.percentile(image.pixels[near], 95)
    labels, count = ndimage.label((smooth < _DARK * bright) & (distance <= _HOLE_NEAR_MM))
    return float(np.bincount(labels.ravel())[1:].max() * spacing.prod()) if count else 0.0


def _poor(
    role: SeriesRole, points: Sequence[Landmark], what: str, value: float, limits: tuple[float, float]
) -> Iterator[Doubt]:
    worth_saying, unusable = limits
    if value > worth_saying:
        withheld = frozenset(p.key for p in points) if value > unusable else frozenset[FindingKey]()
        sentence = f"{role.value} has much {what} ({value:.2f}; usual is below {worth_saying:g})"
        yield Doubt(DoubtKind.POOR_IMAGES, sentence, withheld)


def _holes(study: Study, foramina: Sequence[Landmark]) -> Iterator[Doubt]:
    for point in foramina:
        area = hole_mm2(study.by_id(point.series_id).slices[point.slice_index], point.pixel_rc)
        if area > VOID_LIMITS_MM2[0]:
            withheld = frozenset({point.key}) if area > VOID_LIMITS_MM2[1] else frozenset[FindingKey]()
            sentence = f"{area:.0f} mm2 without signal near {point.key.text}, as metal leaves them"
            yield Doubt(DoubtKind.SIGNAL_VOID, sentence, withheld)


def _busiest(points: Sequence[Landmark]) -> Mapping[tuple[str, int], list[Landmark]]:
    """The points on the slices that hold the most, by series and place."""
    places: dict[tuple[str, int], list[Landmark]] = defaultdict(list)
    for point in points:
        places[point.series_id, point.slice_index].append(point)
    return dict(sorted(places.items(), key=lambda item: -len(item[1]))[:_SLICES])


def _distance_mm(image: MRSlice, points_rc: Sequence[tuple[float, float]]) -> FloatArray:
    """Distance of every pixel from the nearest point, in the slice's plane."""
    row_mm, column_mm = image.geometry.spacing_rc_mm
    rows, columns = np.ogrid[: image.pixels.shape[0], : image.pixels.shape[1]]
    squared = [((rows - r) * row_mm) ** 2 + ((columns - c) * column_mm) ** 2 for r, c in points_rc]
    return np.asarray(np.sqrt(np.min(squared, axis=0)))


def _swing(pixels: Image) -> float:
    """Strongest wave in the log power of k-space along axis 0, in units of its logarithm."""
    window = np.hanning(pixels.shape[1])
    power = np.abs(fft.fft2((pixels - pixels.mean()) * window)) ** 2
    along, across = (fft.fftfreq(n) for n in pixels.shape)
    low, high = _FREQUENCIES
    kept = (np.abs(along) > low) & (np.abs(along) < high)
    if kept.sum() < len(_GHOST_PX):
        return 0.0  # too few lines to tell a wave from chance
    profile = np.log(power[np.ix_(kept, np.abs(across) < high)] + 1e-9).mean(1)
    # Every image's power falls with frequency; what is left swings around zero.
    falling = np.log(np.abs(along[kept]))
    profile -= np.polyval(np.polyfit(falling, profile, 4), falling)
    waves = np.exp(-2j * np.pi * _GHOST_PX[:, None] * along[kept])
    return float(2 * np.abs((profile * waves).mean(1)).max())
