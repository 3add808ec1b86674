"""A GPU that fails: fewer findings at a time, then the CPU, and every step is said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch

from napari_lumbar.domain.findings import Finding
from napari_lumbar.domain.landmarks import Dependence, Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, FindingKey
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.ladder import is_device_failure, is_out_of_memory
from napari_lumbar.pipeline.progress import CancelToken, Progress, ProgressCallback
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.pipeline.run import analyze, regrade

LOST = RuntimeError("CUDA error: an illegal memory access was encountered")


@dataclass
class SmallGpu:
    """Grades as ``usual`` does, but only so many findings at once."""

    usual: Any
    room: int
    error: Exception = field(default_factory=lambda: torch.OutOfMemoryError("CUDA out of memory"))
    asked: list[int] = field(default_factory=list)
    dependence = Dependence.CROPS

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        self.asked.append(len(keys))
        if len(keys) > self.room:
            raise self.error
        report(Progress("grading", 1.0))
        found: Mapping[FindingKey, Finding] = self.usual.grade(study, landmarks, keys, report, cancel)
        return found


OnGpu = Callable[..., System]


@pytest.fixture
def on_gpu(fake_system: System) -> OnGpu:
    def make(room: int, **options: Any) -> System:
        gpu = SmallGpu(fake_system.grader, room, **options)
        return replace(fake_system, grader=gpu, device="cuda", on_cpu=lambda: fake_system)

    return make


def test_little_memory_means_fewer_findings_at_a_time(small_study: Study, on_gpu: OnGpu) -> None:
    system = on_gpu(room=8)
    shares: list[float] = []
    analysis = analyze(small_study, system, lambda progress: shares.append(progress.fraction))
    assert isinstance(system.grader, SmallGpu)
    assert system.grader.asked == [25, 6, 6, 6, 6, 1]
    assert list(analysis.findings) == list(ALL_FINDINGS)
    assert analysis.provenance.device == "cuda"
    assert analysis.provenance.device_steps == ("cuda ran out of memory: 6 findings are graded at a time.",)
    assert analysis.warnings[-1:] == analysis.provenance.device_steps
    assert shares == sorted(shares)


def test_too_little_memory_for_one_finding_means_the_cpu(small_study: Study, on_gpu: OnGpu) -> None:
    system = on_gpu(room=0)
    analysis = analyze(small_study, system)
    assert isinstance(system.grader, SmallGpu)
    assert system.grader.asked == [25, 6, 1]
    assert len(analysis.graded) == 25
    assert analysis.provenance.device == "cuda, then cpu"
    assert analysis.warnings[-1] == ("cuda ran out of memory: the work went on on the CPU, which is slower.")


@pytest.mark.parametrize("error", [LOST, torch.AcceleratorError("device lost")])
def test_a_lost_device_means_the_cpu_at_once(small_study: Study, on_gpu: OnGpu, error: Exception) -> None:
    system = on_gpu(room=0, error=error)
    analysis = analyze(small_study, system)
    assert isinstance(system.grader, SmallGpu)
    assert system.grader.asked == [25]
    assert len(analysis.graded) == 25
    assert analysis.warnings[-1] == "cuda failed: the work went on on the CPU, which is slower."
    assert len(analysis.provenance.device_steps) == 1


def test_a_device_lost_while_locating_is_not_asked_to_grade(
    small_study: Study, fake_system: System, on_gpu: OnGpu
) -> None:
    class Broken:
        def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
            raise LOST

    system = replace(on_gpu(room=25), localizer=Broken())
    analysis = analyze(small_study, system)
    assert isinstance(system.grader, SmallGpu)
    assert system.grader.asked == []
    assert analysis.provenance.device == "cuda, then cpu"


def test_a_regrading_tells_its_steps(small_study: Study, fake_system: System, on_gpu: OnGpu) -> None:
    landmarks = analyze(small_study, fake_system).landmarks
    said: list[str] = []
    found = regrade(small_study, on_gpu(room=0), landmarks, ALL_FINDINGS[:3], tell=said.append)
    assert set(found) == set(ALL_FINDINGS[:3])
    assert [text.split(":")[0] for text in said] == ["cuda ran out of memory"] * 2


def test_other_errors_and_errors_on_the_cpu_end_the_work(small_study: Study, on_gpu: OnGpu) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        analyze(small_study, on_gpu(room=0, error=RuntimeError("mat1 and mat2 shapes cannot be multiplied")))
    with pytest.raises(torch.OutOfMemoryError):
        analyze(small_study, replace(on_gpu(room=0), on_cpu=None))


@pytest.mark.parametrize(
    ("error", "memory", "device"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True, True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True, True),
        (RuntimeError("CUDA error: device-side assert triggered"), False, True),
        (RuntimeError("Expected 3 channels"), False, False),
        (MemoryError("out of memory"), False, False),
        (ValueError("cuda"), False, False),
    ],
)
def test_errors_are_told_apart(error: Exception, memory: bool, device: bool) -> None:
    assert (is_out_of_memory(error), is_device_failure(error)) == (memory, device)
