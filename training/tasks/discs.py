"""Discs as a ``MultiviewTransformer`` sees them: as they are, or varied for training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ...domain.geometry import vector3
from ...domain.landmarks import Landmark, Landmarks
from ...domain.spine import FindingKey, Level, Side
from ...domain.study import OWN_ROLES, MRSeries, PixelArray, SeriesRole
from ...models.multiview_transformer import CONDITIONS, MIRRORED, MultiviewConfig
from ...preprocess.bags import Jitter, slice_window
from ...preprocess.disc_volumes import (
    DiscVolume,
    Visible,
    disc_volumes,
    mirrored,
    sample_volume,
)
from ..augment import Affine
from ..misses import typical_jitter
from ..rsna.studies import LabelledStudy

#: A finding that nobody graded, or whose place nobody marked.
UNGRADED = -100

Item = dict[str, npt.NDArray[Any]]
#: Series and slice within the network's volumes.
Place: TypeAlias = tuple[int, int]
Sampled = Mapping[SeriesRole, tuple[PixelArray, Visible]]


@dataclass(frozen=True)
class DiscAugmentation:
    """How training discs differ from those of the files; the defaults are published, but for the last two.

    Parameters
    ----------
    slices
        The window of each volume moves by so many slices at most.
    flip_share
        How often left and right are exchanged.
    intensity
        Greatest offset of the brightness.
    shift
        Greatest shift down and across, as shares of the height and width: 12 of 112 and 22 of 224 pixels.
    scale, degrees
        Greatest change of size, and turn in the plane.
    seen_share
        How often each series may be seen, so that the network can do with any of them.
    misses
        Move landmarks as the localiser misses them.
    """

    slices: int = 2
    flip_share: float = 0.5
    intensity: float = 0.1
    shift: tuple[float, float] = (12 / 112, 22 / 224)
    scale: float = 0.1
    degrees: float = 20.0
    seen_share: float = 0.8
    misses: bool = True


@dataclass(frozen=True, eq=False)
class Disc:
    """One disc of one study, and which severities are known of it.

    Parameters
    ----------
    series
        By ``series_id``, in the usual view, 0..255.
    labels
        Severity of each of ``CONDITIONS`` or ``UNGRADED``, shape (5,).
    """

    series: Mapping[str, MRSeries]
    landmarks: Landmarks
    level: Level
    labels: npt.NDArray[np.int64]


def graded_discs(studies: Sequence[LabelledStudy]) -> list[Disc]:
    """The discs of which a severity and its place are known."""
    return [disc for study in studies for disc in _discs(study) if (disc.labels != UNGRADED).any()]


def _discs(study: LabelledStudy) -> Iterator[Disc]:
    series = {s.series_id: s for s in study.study.series if s.role is not None}
    for level in Level:
        keys = [FindingKey(condition, level) for condition in CONDITIONS]
        known = [key in study.severities and key in study.landmarks.points for key in keys]
        labels = [
            study.severities[k] if is_known else UNGRADED for k, is_known in zip(keys, known, strict=True)
        ]
        yield Disc(series, study.landmarks, level, np.array(labels, np.int64))


def is_seen(disc: Disc, config: MultiviewConfig) -> bool:
    """Whether any of the network's series shows the disc."""
    return bool(disc_volumes(disc.level, disc.landmarks, disc.series, config.shape[0], _roles(config)))


def plain(disc: Disc, config: MultiviewConfig) -> Item:
    """A disc as it is at inference."""
    volumes = disc_volumes(disc.level, disc.landmarks, disc.series, config.shape[0], _roles(config))
    sampled = {
        role: sample_volume(volume, disc.series[volume.series_id], config.shape[1:])
        for role, volume in volumes.items()
    }
    return _item(disc, config, {r: (pixels / np.float32(255), seen) for r, (pixels, seen) in sampled.items()})


def augmented(
    rng: np.random.Generator,
    disc: Disc,
    config: MultiviewConfig,
    augmentation: DiscAugmentation,
    annotated_only: bool = False,
) -> Item:
    """A disc as training shows it; ``annotated_only`` leaves nothing but the slices of its landmarks."""
    landmarks = missed(rng, disc, annotated_only) if augmentation.misses else disc.landmarks
    reach = 0 if annotated_only else augmentation.slices
    shifts = {role: int(rng.integers(-reach, reach + 1)) for role in _roles(config)}
    found = disc_volumes(disc.level, landmarks, disc.series, config.shape[0], _roles(config), shifts)
    # A window that was moved off its series shows nothing; then the disc is seen as it is.
    found = found or disc_volumes(disc.level, disc.landmarks, disc.series, config.shape[0], _roles(config))
    flip = rng.random() < augmentation.flip_share
    sampled = {}
    for role in _kept(rng, list(found), augmentation.seen_share):
        volume = _annotated(found[role]) if annotated_only else found[role]
        pixels, visible = sample_volume(volume, disc.series[volume.series_id], config.shape[1:])
        pixels = _varied(rng, pixels / np.float32(255), augmentation)
        sampled[role] = mirrored(pixels, visible, role) if flip else (pixels, visible)
    return _item(disc, config, sampled, flip)


def missed(rng: np.random.Generator, disc: Disc, same_slice: bool = False) -> Landmarks:
    """The landmarks of a disc where a localiser may have put them."""
    keys = (FindingKey(condition, disc.level) for condition in CONDITIONS)
    own = [mark for key in keys if (mark := disc.landmarks.get(key)) is not None]
    jitters = [typical_jitter(rng) for _ in own]
    jitters = [replace(jitter, slices=0) for jitter in jitters] if same_slice else jitters
    moved = [_moved(mark, disc.series, jitter) for mark, jitter in zip(own, jitters, strict=True)]
    return Landmarks({mark.key: mark for mark in moved})


def _moved(landmark: Landmark, series: Mapping[str, MRSeries], jitter: Jitter) -> Landmark:
    if landmark.series_id not in series:
        return landmark
    own = series[landmark.series_id]
    window = slice_window(own, landmark.slice_index, jitter.slices)
    index = window[len(window) // 2]
    geometry = own.slices[landmark.slice_index].geometry
    place = geometry.pixel_from_lps(landmark.point_lps_mm)
    place = place + np.array([jitter.rows_mm, jitter.columns_mm]) / geometry.spacing_rc_mm
    point = vector3(own.slices[index].geometry.lps_from_pixel(place))
    return replace(
        landmark, point_lps_mm=point, slice_index=index, pixel_rc=(float(place[0]), float(place[1]))
    )


def own_places(config: MultiviewConfig) -> list[Place | None]:
    """Where the landmark of each of ``CONDITIONS`` lies in the volumes; None without its series."""
    roles, last = _roles(config), config.shape[0] - 1
    places: list[Place | None] = []
    for condition in CONDITIONS:
        role = OWN_ROLES[condition.group]
        # Sagittal slices run from the patient's right to left.
        slots = {Side.RIGHT: 1, Side.LEFT: last - 1} if role is SeriesRole.SAGITTAL_T1 else {}
        slot = slots.get(condition.side, last // 2) if condition.side else last // 2
        places.append((roles.index(role), slot) if role in roles else None)
    return places


def _annotated(volume: DiscVolume) -> DiscVolume:
    """The volume with nothing but the places where its landmarks lie; the whole, if those are blank."""
    last = len(volume.slots) - 1
    kept = (1, last - 1) if volume.role is SeriesRole.SAGITTAL_T1 else (last // 2,)
    slots = tuple(crop if place in kept else None for place, crop in enumerate(volume.slots))
    return replace(volume, slots=slots) if any(slots) else volume


def _roles(config: MultiviewConfig) -> tuple[SeriesRole, ...]:
    return tuple(SeriesRole(role) for role in config.roles)


def _kept(rng: np.random.Generator, roles: Sequence[SeriesRole], share: float) -> list[SeriesRole]:
    """Each role with a probability of ``share``, but always one of them."""
    kept = [role for role in roles if rng.random() < share]
    return kept or [roles[int(rng.integers(len(roles)))]]


def _varied(rng: np.random.Generator, pixels: PixelArray, augmentation: DiscAugmentation) -> PixelArray:
    """A volume turned, scaled and shifted in its plane, and brighter or darker."""
    height, width = pixels.shape[-2:]
    angle = np.deg2rad(rng.uniform(-augmentation.degrees, augmentation.degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.uniform(-1, 1, 2) * augmentation.shift * np.array([height, width])
    centre = (np.array([height, width]) - 1) / 2
    affine = Affine(
        turn / rng.uniform(1 - augmentation.scale, 1 + augmentation.scale), centre, centre + shift
    )
    offset = np.float32(rng.uniform(-augmentation.intensity, augmentation.intensity))
    return np.clip(affine.warp(pixels, (height, width), order=1) + offset, 0, 1)


def _item(disc: Disc, config: MultiviewConfig, sampled: Sampled, flip: bool = False) -> Item:
    """What the network is given and asked; zeros where a series is not seen."""
    blank = np.zeros(config.shape, np.float32), np.zeros(config.shape[0], np.bool_)
    volumes, visible = zip(*(sampled.get(role, blank) for role in _roles(config)), strict=True)
    return {
        "volumes": np.stack(volumes),
        "visible": np.stack(visible),
        "levels": np.array(disc.level.rank),
        "labels": disc.labels[list(MIRRORED)] if flip else disc.labels,
    }
