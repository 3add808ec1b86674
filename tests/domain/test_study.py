from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_lumbar.domain.errors import StudyError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.study import (
    FileAccounting,
    FileOutcome,
    FileRecord,
    MRSeries,
    MRSlice,
    SeriesRole,
    SliceStack,
    Study,
    best_suited,
)


def axial(z_mm: float, tilt_deg: float = 0.0) -> MRSlice:
    """A 40 x 40 mm axial slice about (0, 0, z), its back raised by ``tilt_deg``."""
    angle = np.radians(tilt_deg)
    down = (0.0, float(np.cos(angle)), float(np.sin(angle)))
    corner = np.array([-20.0, 0, z_mm]) - 20 * np.array(down)
    geometry = SliceGeometry((corner[0], corner[1], corner[2]), (1, 0, 0), down, 1, 1, 41, 41)
    return MRSlice(geometry, np.zeros((41, 41), np.float32), f"1.{z_mm}", 1)


def series(series_id: str, role: SeriesRole | None, *stacks: SliceStack) -> MRSeries:
    return MRSeries(series_id, f"1.2.{series_id}", stacks, role, "because")


def sagittal(x_mm: float) -> MRSlice:
    """A 40 x 40 mm sagittal slice about (x, 0, 0)."""
    geometry = SliceGeometry((x_mm, -20, 20), (0, 1, 0), (0, 0, -1), 1, 1, 41, 41)
    return MRSlice(geometry, np.zeros((41, 41), np.float32), f"1.{x_mm}", 1)


SIDE = SliceStack((sagittal(-4), sagittal(0), sagittal(4)))
FLAT = SliceStack((axial(50), axial(46), axial(42)))
STEEP = SliceStack((axial(0, 35), axial(-6, 35)))
AXIAL = series("7", SeriesRole.AXIAL_T2, FLAT, STEEP)


def test_slices_run_on_through_the_stacks() -> None:
    assert [s.sop_instance_uid for s in AXIAL.slices] == ["1.50", "1.46", "1.42", "1.0", "1.-6"]
    np.testing.assert_allclose(AXIAL.positions_lps_mm[:, 2], [50, 46, 42, 0, -6], atol=1e-9)


def test_the_step_is_measured_along_the_normal() -> None:
    assert FLAT.step_mm == pytest.approx(4)
    assert STEEP.step_mm == pytest.approx(6 * np.cos(np.radians(35)))
    assert SliceStack((axial(0),)).step_mm == 0


def test_the_nearest_slice_is_one_that_has_the_point_on_its_image() -> None:
    assert AXIAL.nearest_slice_index([0, 0, 45]) == 1
    # On the flat image's rim, where the steep stack's plane, run on beyond its image, passes nearer.
    rim = SliceStack((axial(50), axial(20)))
    mixed = series("8", SeriesRole.AXIAL_T2, rim, SliceStack((axial(0, 60),)))
    point = [0, 19, 34]
    assert int(np.argmin(mixed.plane_distances_mm(point))) == 2
    assert mixed.nearest_slice_index(point) == 1


def test_a_person_s_choice_takes_the_role_from_the_others() -> None:
    study = Study("1", "1", (series("a", SeriesRole.SAGITTAL_T2, SIDE), series("b", None, SIDE), AXIAL))
    after = study.assigning("b", SeriesRole.SAGITTAL_T2)
    assert [s.role for s in after.series] == [None, SeriesRole.SAGITTAL_T2, SeriesRole.AXIAL_T2]
    assert after.by_id("a").role_reason == "series b was chosen for Sagittal T2/STIR instead"
    assert after.first(SeriesRole.SAGITTAL_T2) is after.by_id("b")
    assert study.series[0].role is SeriesRole.SAGITTAL_T2
    assert after.first(SeriesRole.SAGITTAL_T1) is None


def test_what_a_person_gives_a_series_is_no_assumption() -> None:
    study = Study("1", "1", (replace(AXIAL, role_assumed=True),))
    assert not study.assigning("7", SeriesRole.AXIAL_T2).by_id("7").role_assumed


def test_a_series_suits_the_role_that_a_person_gave_it_and_no_other_for_losing_one() -> None:
    study = Study("1", "1", (replace(AXIAL, role_score=0.3),))
    assert study.assigning("7", SeriesRole.AXIAL_T2).by_id("7").role_score == 1
    assert study.assigning("7", None).by_id("7").role_score == 0.3


def test_sure_roles_come_before_assumed_ones_and_good_scores_before_poor_ones() -> None:
    poor, good, nearly = (
        replace(series(name, SeriesRole.AXIAL_T2, FLAT), role_score=score)
        for name, score in (("a", 0.6), ("b", 1.0), ("c", 0.8))
    )
    assumed = replace(good, role_assumed=True)
    assert best_suited([poor, good, nearly, assumed]) == (good, nearly)
    assert best_suited([poor, assumed]) == (poor,)
    assert best_suited([assumed]) == (assumed,)
    assert best_suited([]) == ()


def test_an_axial_series_joins_those_in_use_and_comes_first() -> None:
    study = Study("1", "1", (AXIAL, series("b", None, FLAT), series("c", SeriesRole.AXIAL_T2, STEEP)))
    after = study.assigning("b", SeriesRole.AXIAL_T2)
    assert [s.series_id for s in after.with_role(SeriesRole.AXIAL_T2)] == ["b", "7", "c"]
    assert [s.series_id for s in after.assigning("b", None).with_role(SeriesRole.AXIAL_T2)] == ["7", "c"]


def test_what_was_assumed_of_another_series_stays_an_assumption() -> None:
    doubtful = replace(series("c", SeriesRole.AXIAL_T2, STEEP), role_assumed=True, role_reason="no times")
    study = Study("1", "1", (AXIAL, series("b", None, FLAT), doubtful))
    after = study.assigning("b", SeriesRole.AXIAL_T2)
    assert after.by_id("c") is doubtful
    assert after.assigning("b", None).with_role(SeriesRole.AXIAL_T2) == (AXIAL, doubtful)
    chosen = study.assigning("c", SeriesRole.AXIAL_T2)
    assert [(s.series_id, s.role_assumed) for s in chosen.with_role(SeriesRole.AXIAL_T2)] == [
        ("c", False),
        ("7", False),
    ]


def test_an_unknown_series_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match=r"series 'x' is none of \['7'\]"):
        Study("1", "1", (AXIAL,)).assigning("x", None)


def test_files_are_counted_by_outcome() -> None:
    used = FileRecord("a", FileOutcome.USED, "used", "a slice")
    lost = FileRecord("b", FileOutcome.EXCLUDED, "empty", "the file is empty")
    accounting = FileAccounting((used, lost))
    assert (accounting.count(FileOutcome.USED), accounting.count(FileOutcome.EXCLUDED)) == (1, 1)
    assert accounting.excluded == (lost,)


def test_a_series_cannot_play_a_role_of_another_plane() -> None:
    study = Study("1", "1.2", (AXIAL,))
    said = "series 7 cannot be Sagittal T2/STIR: its slices lie in another plane. Choose a series whose"
    with pytest.raises(StudyError, match=said):
        study.assigning("7", SeriesRole.SAGITTAL_T2)
    with pytest.raises(StudyError, match=said):
        study.choosing(SeriesRole.SAGITTAL_T2, ["7"])
    assert study.assigning("7", None).by_id("7").role is None
    steep = series("8", None, SliceStack((axial(0, 58), axial(-6, 58))))
    assert Study("1", "1.2", (steep,)).assigning("8", SeriesRole.AXIAL_T2).by_id("8").role is not None
