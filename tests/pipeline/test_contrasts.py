"""Which of two sagittal contrasts names the levels, and what is said where they do not agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.landmarks import Numbering
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from napari_lumbar.models.bundle import default_bundle_path, load_bundle
from napari_lumbar.phantom import PhantomStudy, make_phantom
from napari_lumbar.pipeline import localise, spine_search
from napari_lumbar.pipeline.contrasts import (
    joint_numbering,
    levels_off,
    on_other_contrast,
    stands_in,
)
from napari_lumbar.pipeline.localise import MultistageLocalizer
from napari_lumbar.pipeline.progress import CancelToken, Progress
from napari_lumbar.pipeline.sagittal_maps import SagittalMaps
from napari_lumbar.pipeline.spine_frame import SpineFrame, find_spine

from .test_metamorphic import SEED, SMALL, fewer
from .test_spine_frame import straight_spine

SURE, UNSURE = Numbering(True, 0.95), Numbering(True, 0.3)


def spine(numbering: Numbering, levels: Sequence[Level] = tuple(Level), names_off: int = 0) -> SpineFrame:
    """A straight spine of which so many levels are named, each ``names_off`` levels lower than it is."""
    frames = find_spine(straight_spine()).levels
    named = {level: frames[at] for level, at in zip(levels, shifted(levels, -names_off), strict=True)}
    return SpineFrame(named, numbering)


def shifted(levels: Sequence[Level], by: int) -> list[Level]:
    return [list(Level)[level.rank + by] for level in levels]


@pytest.mark.parametrize(
    ("t1", "t2", "expected"),
    [
        (spine(SURE), spine(UNSURE, [Level.L1_L2]), True),
        (spine(SURE), spine(UNSURE), True),
        (spine(SURE), spine(Numbering(True, 0.8)), False),
        (spine(UNSURE), spine(UNSURE), False),
        (spine(SURE, [Level.L4_L5]), spine(UNSURE), False),
        (spine(Numbering()), spine(UNSURE), False),
        (spine(replace(SURE, sacrum_seen=False)), spine(UNSURE), False),
    ],
    ids=[
        "more and surer",
        "surer",
        "T2 is sure enough",
        "both unsure",
        "fewer",
        "not estimated",
        "no sacrum",
    ],
)
def test_t1_stands_in_only_where_t2_is_unsure(t1: SpineFrame, t2: SpineFrame, expected: bool) -> None:
    assert stands_in(t1, t2) is expected


@pytest.mark.parametrize(("names_off", "levels"), [(0, Level), (1, list(Level)[1:]), (-1, list(Level)[:-1])])
def test_contrasts_that_name_a_disc_otherwise_are_told(names_off: int, levels: Sequence[Level]) -> None:
    assert levels_off(spine(SURE), spine(SURE, list(levels), names_off)) == names_off


def test_one_disc_that_is_named_otherwise_is_told() -> None:
    frames = spine(SURE).levels
    other = {Level.L3_L4: frames[Level.L3_L4], Level.L5_S1: frames[Level.L4_L5]}
    assert levels_off(spine(SURE), SpineFrame(other, SURE)) == 1


def test_what_either_contrast_says_against_the_names_is_kept() -> None:
    t1, t2 = spine(SURE), spine(replace(UNSURE, disc_below=0.9), list(Level)[1:], names_off=1)
    assert joint_numbering(t1, None) == SURE
    assert joint_numbering(t1, t2) == replace(SURE, disc_below=0.9, contrasts_differ_by=1)


def test_a_canal_lies_where_its_own_contrast_shows_it() -> None:
    guide, seen = spine(SURE), spine(UNSURE, list(Level)[1:4], names_off=1)
    moved = {
        level: replace(f, disc_lps_mm=f.disc_lps_mm + there, canal_lps_mm=f.canal_lps_mm + there)
        for level, f in seen.levels.items()
        for there in [np.array([6.0, 0.0, 4.0])]
    }
    found = on_other_contrast(guide, replace(seen, levels=moved), straight_spine(canal=False))
    assert list(found.levels) == list(Level)[:3], "no canal is shown at the others"
    for level, frame in found.levels.items():
        there = frame.canal_lps_mm - guide.levels[level].canal_lps_mm
        np.testing.assert_allclose(there, [6, 0, 4], atol=1e-6)
    whole = on_other_contrast(guide, SpineFrame({}, UNSURE), straight_spine())
    assert whole.levels == guide.levels


def test_a_contrast_without_those_discs_says_nothing() -> None:
    assert levels_off(spine(SURE), SpineFrame({}, SURE)) == 0
    far = {
        level: replace(f, disc_lps_mm=f.disc_lps_mm - [0, 15, 0]) for level, f in spine(SURE).levels.items()
    }
    assert levels_off(spine(SURE), SpineFrame(far, SURE)) == 0


def test_a_canal_is_shown_where_it_is_seen() -> None:
    maps = straight_spine()
    canal = find_spine(maps).levels[Level.L3_L4].canal_lps_mm
    assert maps.shows_canal_at(canal)
    assert not maps.shows_canal_at(canal - [0, 24, 0]), "the disc"
    assert not maps.shows_canal_at(canal - [25, 0, 0]), "beside the canal"
    assert not maps.shows_canal_at(canal - [0, 0, 400]), "outside the image"


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    phantom = make_phantom(SEED, SMALL)
    return replace(phantom, study=replace(phantom.study, series=tuple(map(fewer, phantom.study.series))))


@pytest.fixture(scope="module")
def localizer() -> MultistageLocalizer:
    return MultistageLocalizer(load_bundle(default_bundle_path()), torch.device("cpu"))


def silent(_: Progress) -> None:
    pass


def canal(level: Level) -> FindingKey:
    return FindingKey(Condition.SPINAL_CANAL_STENOSIS, level)


def test_levels_are_named_on_t1_and_the_canal_is_placed_on_t2(
    phantom: PhantomStudy, localizer: MultistageLocalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a T2 that shows its bones badly: names that do not fit, and the canal plainly."""
    looked: list[SpineFrame] = []
    look = spine_search.look_for_spine

    def one_off_on_t2(*args: object) -> tuple[SagittalMaps, SpineFrame]:
        maps, found = look(*args)  # type: ignore[arg-type]
        if not looked:  # T2 comes first
            upper = list(Level)[:-1]
            below = {level: found.levels[list(Level)[level.rank + 1]] for level in upper}
            below[Level.L2_L3] = replace(below[Level.L2_L3], canal_seen=False)
            found = SpineFrame(below, UNSURE)
        looked.append(found)
        return maps, found

    monkeypatch.setattr(localise, "look_for_spine", one_off_on_t2)
    landmarks = localizer.locate(phantom.study, silent, CancelToken())
    assert landmarks.numbering.contrasts_differ_by == -1
    assert landmarks.numbering.confidence == looked[1].numbering.confidence
    named_on, assumed = landmarks.notes
    assert "named on sagittal T1" in named_on
    # T1 shows it there; it is T2, where the point lies, that does not.
    assert assumed == "The canal was not seen at L3/L4; its point is an assumption."
    truth = {point.key: np.array(point.point_lps_mm) for point in phantom.landmarks}
    t2 = phantom.study.first(SeriesRole.SAGITTAL_T2)
    assert t2 is not None
    for level in Level:
        found = landmarks.points[canal(level)]
        assert found.series_id == t2.series_id
        assert np.linalg.norm(truth[canal(level)] - found.point_lps_mm) < 10


def test_a_canal_that_t2_does_not_show_gets_no_point(
    phantom: PhantomStudy, localizer: MultistageLocalizer
) -> None:
    landmarks = localizer.locate(with_noise(phantom.study), silent, CancelToken())
    for level in Level:
        assert landmarks.missing[canal(level)].code == "canal_not_seen"
        assert landmarks.missing[canal(level)].reason == (
            f"Sagittal T2/STIR shows no canal where Sagittal T1 has {level.value}"
        )
    groups = [point.key.condition.group for point in landmarks]
    assert groups.count(ConditionGroup.FORAMINAL) == groups.count(ConditionGroup.SUBARTICULAR) == 10


def with_noise(study: Study) -> Study:
    """The study with a sagittal T2 of noise alone."""
    return replace(
        study, series=tuple(noise(s) if s.role is SeriesRole.SAGITTAL_T2 else s for s in study.series)
    )


def noise(series: MRSeries) -> MRSeries:
    rng = np.random.default_rng(1)

    def of(image: MRSlice) -> MRSlice:
        return replace(image, pixels=rng.rayleigh(100, image.pixels.shape).astype(np.float32))

    return replace(series, stacks=tuple(SliceStack(tuple(map(of, stack.slices))) for stack in series.stacks))
