"""What every published system looks like from the outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..domain.findings import Finding
from ..domain.landmarks import Dependence, Landmark, Landmarks
from ..domain.spine import FindingKey
from ..domain.study import Study
from .progress import CancelToken, ProgressCallback


class Localizer(Protocol):
    """Finds where the 25 findings are."""

    def locate(self, study: Study, report: ProgressCallback, cancel: CancelToken) -> Landmarks:
        """Return a landmark or a reason for each of the 25 findings."""
        ...


@runtime_checkable
class RecessLocalizer(Protocol):
    """A localiser that finds the side points of a level from its canal point."""

    def locate_recesses(
        self, study: Study, canal: Landmark, cancel: CancelToken
    ) -> Mapping[FindingKey, Landmark]:
        """Return both recesses on the axial slice nearest to the canal point; none where none is near."""
        ...


class Grader(Protocol):
    """Grades findings whose landmarks are known."""

    @property
    def dependence(self) -> Dependence:
        """Which landmarks a finding is graded from; whoever moves one asks for these to be graded again."""
        ...

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        """Return a finding, graded or with the reason why not, for each key."""
        ...


@dataclass(frozen=True)
class System:
    """A localiser and a grader with where they came from, ready on a device.

    Parameters
    ----------
    on_cpu
        Gives the same system on the CPU, for when the device fails; None on the CPU itself.
    """

    localizer: Localizer
    grader: Grader
    bundle_name: str
    bundle_sha256: str
    device: str
    on_cpu: Callable[[], System] | None = None
