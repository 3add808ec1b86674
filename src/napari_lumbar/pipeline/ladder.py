"""What happens when a GPU cannot go on: fewer findings at a time, then the CPU; each step is said.

A step down lasts for one piece of work: the next one begins on the device that was asked for, where memory
may be free again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import torch

from ..domain.findings import Finding
from ..domain.landmarks import Landmarks
from ..domain.spine import FindingKey
from ..domain.study import Study
from .progress import CancelToken, Progress, ProgressCallback
from .protocols import System

#: How many times fewer findings are graded at once after the memory ran out.
_FEWER = 4
#: What PyTorch's errors say where a device, not the program, failed.
_DEVICE_WORDS = ("cuda", "cudnn", "cublas", "cusolver", "cufft", "mps backend", "device-side", "device lost")
_MEMORY_WORDS = ("out of memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU has too little memory for what it was asked."""
    text = str(error).lower()
    says_so = any(word in text for word in _MEMORY_WORDS) and any(word in text for word in _DEVICE_WORDS)
    return isinstance(error, torch.OutOfMemoryError) or (isinstance(error, RuntimeError) and says_so)


def is_device_failure(error: BaseException) -> bool:
    """Whether the GPU failed: out of memory, lost, or unable to do what was asked."""
    if isinstance(error, torch.OutOfMemoryError | torch.AcceleratorError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in text for word in _DEVICE_WORDS)


def ignore_step(_: str) -> None:
    """A listener for callers who do not ask."""


class Ladder:
    """A system at work on one study, and how far down it had to step.

    Parameters
    ----------
    system
        Steps down to ``system.on_cpu()``; without one, errors of the device end the work.
    tell
        Called with a sentence for each step.
    """

    def __init__(self, system: System, tell: Callable[[str], None]) -> None:
        self.system = system
        self._asked = system
        self._tell = tell

    @property
    def device(self) -> str:
        """Where the work was done, for example ``cuda, then cpu``."""
        first, now = self._asked.device, self.system.device
        return first if self.system is self._asked else f"{first}, then {now}"

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Locate as ``Localizer.locate`` does, on the CPU if the device fails."""
        try:
            return self.system.localizer.locate(study, report, cancel)
        except RuntimeError as error:
            if self._step_down(error, 1) is None:
                raise
        return self.system.localizer.locate(study, report, cancel)

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        """Grade as ``Grader.grade`` does, fewer findings at a time or on the CPU if the device fails."""
        left, at_once = list(keys), len(keys)
        graded: dict[FindingKey, Finding] = {}
        while left:
            part = left[:at_once]
            onward = _share(report, len(graded) / len(keys), len(part) / len(keys))
            try:
                graded |= self.system.grader.grade(study, landmarks, part, onward, cancel)
            except RuntimeError as error:
                fewer = self._step_down(error, len(part))
                if fewer is None:
                    raise
                at_once = fewer or len(keys)
            else:
                left = left[len(part) :]
        return graded

    def _step_down(self, error: RuntimeError, at_once: int) -> int | None:
        """How many findings to grade at once from now on; 0: all, on the CPU; None: there is no step."""
        on_cpu = self.system.on_cpu
        if on_cpu is None or not is_device_failure(error):
            return None
        device = self.system.device
        if is_out_of_memory(error):
            _free_memory()
            if at_once > 1:
                fewer = max(1, at_once // _FEWER)
                self._tell(f"{device} ran out of memory: {fewer} findings are graded at a time.")
                return fewer
            why = "ran out of memory"
        else:
            why = "failed"
        self._tell(f"{device} {why}: the work went on on the CPU, which is slower.")
        self.system = on_cpu()
        return 0


def _free_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _share(report: ProgressCallback, start: float, length: float) -> ProgressCallback:
    return lambda p: report(Progress(p.stage, start + length * p.fraction))
