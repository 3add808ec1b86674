"""A small hand-made study and a system whose grades can be computed by hand, for session and window tests."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import settings

from napari_lumbar.domain.findings import Analysis, CropEvidence, Finding, probs_from_array
from napari_lumbar.domain.geometry import SliceGeometry, Vector3, vector3
from napari_lumbar.domain.landmarks import Dependence, Landmark, Landmarks, NotGradable, dependent_findings
from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, ConditionGroup, FindingKey, Side
from napari_lumbar.domain.study import MRSeries, MRSlice, SeriesRole, SliceStack, Study
from napari_lumbar.pipeline.progress import CancelToken, Progress, ProgressCallback
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import analyze

# A property holds or not; how long a loaded machine takes to look at it is no part of it.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

#: What takes longest is begun first, so that no process is left with it at the end.
_LONGEST_FIRST = (
    "widgets/test_monkey.py",
    "dicom/test_fuzz.py",
    "training/test_default_bundle.py",
    "training/test_train.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by how long they take; within a file nothing moves."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((i for i, name in enumerate(_LONGEST_FIRST) if path.endswith(name)), len(_LONGEST_FIRST))


@pytest.fixture(autouse=True, scope="session")
def apart_from_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Logs and settings of tests do not mix with those of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


SAGITTAL_AXES = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
AXIAL_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
ROLE_OF_GROUP = {
    ConditionGroup.CANAL: SeriesRole.SAGITTAL_T2,
    ConditionGroup.FORAMINAL: SeriesRole.SAGITTAL_T1,
    ConditionGroup.SUBARTICULAR: SeriesRole.AXIAL_T2,
}


def _slice(position: Vector3, axes: tuple[Vector3, Vector3], shape: tuple[int, int], number: int) -> MRSlice:
    rows, columns = shape
    geometry = SliceGeometry(position, *axes, 2.0, 1.5, rows, columns)
    rr, cc = np.mgrid[:rows, :columns]
    pixels = (100 + 50 * np.sin(rr / 5 + number) + cc).astype(np.float32)
    return MRSlice(geometry, pixels, f"1.2.3.{number}", number)


def _sagittal(series_id: str, role: SeriesRole) -> MRSeries:
    """Seven slices of 80 x 64 pixels from right (x = -12 mm) to left (x = 12 mm)."""
    slices = tuple(_slice((4.0 * i - 12.0, -48.0, 80.0), SAGITTAL_AXES, (80, 64), i) for i in range(7))
    return MRSeries(
        series_id, f"1.2.{series_id}", (SliceStack(slices),), role, "made for this role", role.value
    )


def _axial(series_id: str) -> MRSeries:
    """Five stacks of three slices, one per disc; the last stack's images are larger."""
    stacks = []
    for level in range(5):
        shape = (48, 60) if level == 4 else (40, 56)
        top = 64.0 - 32.0 * level
        stacks.append(
            SliceStack(
                tuple(
                    _slice((-42.0, -40.0, top + 4.0 * (1 - i)), AXIAL_AXES, shape, 100 + 3 * level + i)
                    for i in range(3)
                )
            )
        )
    role = SeriesRole.AXIAL_T2
    return MRSeries(series_id, f"1.2.{series_id}", tuple(stacks), role, "made for this role", role.value)


def _place(key: FindingKey) -> tuple[int, tuple[float, float]]:
    """Slice index and (row, column) of the fake prediction for ``key``."""
    rank = key.level.rank
    if key.condition.group is ConditionGroup.SUBARTICULAR:
        return 3 * rank + 1, (20.0, 24.0 if key.condition.side is Side.RIGHT else 32.0)
    index = {None: 3, Side.RIGHT: 1, Side.LEFT: 5}[key.condition.side]
    return index, (8.0 + 16.0 * rank, 30.0)


class FakeLocalizer:
    """Puts each landmark on a fixed pixel."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        report(Progress("locating", 0.5))
        while not self.gate.wait(0.01):
            cancel.raise_if_cancelled()
        cancel.raise_if_cancelled()
        return Landmarks({key: self._landmark(study, key) for key in ALL_FINDINGS})

    def locate_recesses(
        self, study: Study, canal: Landmark, cancel: CancelToken
    ) -> Mapping[FindingKey, Landmark]:
        """Beside the canal point, on the axial slice nearest to it if that is within 8 mm."""
        while not self.gate.wait(0.01):
            cancel.raise_if_cancelled()
        series = study.first(SeriesRole.AXIAL_T2)
        assert series is not None
        index = series.nearest_slice_index(canal.point_lps_mm)
        if series.plane_distances_mm(canal.point_lps_mm)[index] > 8:
            return {}
        geometry, found = series.slices[index].geometry, {}
        row, column = geometry.pixel_from_lps(canal.point_lps_mm)
        for side, away in ((Side.LEFT, 5.0), (Side.RIGHT, -5.0)):
            key = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, side), canal.key.level)
            pixel_rc = (float(row), float(column) + away)
            point = vector3(geometry.lps_from_pixel(pixel_rc))
            found[key] = Landmark(key, point, series.series_id, index, pixel_rc, 0.6)
        return found

    @staticmethod
    def _landmark(study: Study, key: FindingKey) -> Landmark:
        series = study.first(ROLE_OF_GROUP[key.condition.group])
        assert series is not None
        index, pixel_rc = _place(key)
        point = vector3(series.slices[index].geometry.lps_from_pixel(pixel_rc))
        return Landmark(key, point, series.series_id, index, pixel_rc, 0.9)


@dataclass
class FakeGrader:
    """Grades from where the placing landmarks are: the further back (down the page), the worse."""

    dependence = Dependence.CROPS
    asked: list[frozenset[FindingKey]] = field(default_factory=list)
    error: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        self.asked.append(frozenset(keys))
        while not self.gate.wait(0.01):
            cancel.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        return {key: self._finding(landmarks, key) for key in keys}

    def _finding(self, landmarks: Landmarks, key: FindingKey) -> Finding:
        own = landmarks.get(key)
        if own is None:
            return Finding(key, None, None, not_gradable=NotGradable("no-landmark", "no landmark was found"))
        placing = [k for k in ALL_FINDINGS if key in dependent_findings(k) and k in landmarks.points]
        shift = sum(abs(landmarks.points[k].pixel_rc[1] - _place(k)[1][1]) for k in placing)
        severe = min(0.05 + 0.04 * shift, 0.9)
        probs = probs_from_array(np.array([0.9 - severe, 0.1, severe]))
        row, column = own.pixel_rc
        box = (row - 8, column - 8, row + 8, column + 8)
        role = ROLE_OF_GROUP[key.condition.group]
        heatmap = np.outer(np.hanning(8), np.hanning(8)).astype(np.float32)
        evidence = CropEvidence(role, own.series_id, own.slice_index, box, 1.0, heatmap)
        return Finding(key, probs, own, (evidence,))


@pytest.fixture
def small_study() -> Study:
    """A sagittal T1, a sagittal T2 and an axial T2 series that cross in patient space."""
    series = (
        _sagittal("t1", SeriesRole.SAGITTAL_T1),
        _sagittal("t2", SeriesRole.SAGITTAL_T2),
        _axial("ax"),
    )
    return Study("small", "1.2.840.1", series)


@pytest.fixture
def fake_grader() -> FakeGrader:
    """The grader of ``fake_system``: what it was asked, an error to raise, a gate to wait at (open)."""
    grader = FakeGrader()
    grader.gate.set()
    return grader


@pytest.fixture
def locate_gate() -> threading.Event:
    """The localiser of ``fake_system`` waits until this is set (it is)."""
    gate = threading.Event()
    gate.set()
    return gate


@pytest.fixture
def fake_system(fake_grader: FakeGrader, locate_gate: threading.Event) -> System:
    """A system that needs no weights; moving a landmark sideways makes its findings worse."""
    return System(FakeLocalizer(locate_gate), fake_grader, "fake", "ab" * 32, "cpu")


@pytest.fixture
def small_analysis(small_study: Study, fake_system: System) -> Analysis:
    """The fake system's analysis of the small study: every finding normal/mild."""
    return analyze(small_study, fake_system)
