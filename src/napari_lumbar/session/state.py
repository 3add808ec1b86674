"""An analysis and a person's corrections of it, as one immutable value with pure transitions.

Whether a finding is current is never stored but derived: it is current if the landmarks that place its
crops are the ones it was graded from. Undoing a move therefore brings the old grade back at once, and a
regrading that arrives late cannot be mistaken for a current one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce

from ..domain.findings import Analysis, Finding
from ..domain.landmarks import Dependence, Landmark, Landmarks, dependent_findings
from ..domain.spine import ALL_FINDINGS, FindingKey

#: The landmarks that place the crops of one finding, in a fixed order; None where one is missing.
Placement = tuple[Landmark | None, ...]

_PLACED_BY: Mapping[tuple[Dependence, FindingKey], tuple[FindingKey, ...]] = {
    (dependence, key): tuple(moved for moved in ALL_FINDINGS if key in dependent_findings(moved, dependence))
    for dependence in Dependence
    for key in ALL_FINDINGS
}


def placement(landmarks: Landmarks, key: FindingKey, dependence: Dependence) -> Placement:
    """Return the landmarks that ``key`` is graded from."""
    return tuple(landmarks.get(placing) for placing in _PLACED_BY[dependence, key])


@dataclass(frozen=True)
class RegradeRequest:
    """Which findings to grade again, and from which landmarks."""

    landmarks: Landmarks
    keys: frozenset[FindingKey]


@dataclass(frozen=True, eq=False)
class Regraded:
    """A finding graded after a correction, with the landmarks it was graded from."""

    finding: Finding
    placed_by: Placement


@dataclass(frozen=True, eq=False)
class SessionState:
    """Predictions, corrections on top of them, and what was graded again.

    Parameters
    ----------
    study_uid
        StudyInstanceUID; files know the session by its hash.
    analysis
        The predictions. They never change.
    corrections
        Landmarks a person moved, by finding.
    regraded
        The latest grade after a correction, by finding.
    """

    study_uid: str
    analysis: Analysis
    corrections: Mapping[FindingKey, Landmark] = field(default_factory=dict)
    regraded: Mapping[FindingKey, Regraded] = field(default_factory=dict)

    @cached_property
    def landmarks(self) -> Landmarks:
        """Predicted landmarks with the corrected ones in their place."""
        return reduce(Landmarks.replacing, self.corrections.values(), self.analysis.landmarks)

    @cached_property
    def stale(self) -> frozenset[FindingKey]:
        """Findings whose landmarks moved after they were graded."""
        return frozenset(key for key in self.analysis.findings if not self._is_current(key))

    def predicted(self, key: FindingKey) -> Finding:
        """What the analysis said, whatever a person did since."""
        return self.analysis.findings[key]

    def finding(self, key: FindingKey) -> Finding:
        """The latest grade there is; it may be stale."""
        if self._is_predicted(key) or key not in self.regraded:
            return self.predicted(key)
        return self.regraded[key].finding

    def is_regraded(self, key: FindingKey) -> bool:
        """Say whether ``finding(key)`` was graded after a correction."""
        return self.finding(key) is not self.predicted(key)

    def correcting(self, landmark: Landmark) -> SessionState:
        """Return the state after a person put ``landmark`` where it is."""
        return replace(self, corrections={**self.corrections, landmark.key: landmark})

    def resetting(self, key: FindingKey) -> SessionState:
        """Return the state in which the predicted landmark of ``key`` stands again."""
        left = {other: landmark for other, landmark in self.corrections.items() if other != key}
        return replace(self, corrections=left)

    def request(self, keys: Collection[FindingKey] | None = None) -> RegradeRequest:
        """Ask for these findings, or for every stale one, to be graded from the landmarks as they are."""
        return RegradeRequest(self.landmarks, self.stale if keys is None else frozenset(keys))

    def accepting(self, request: RegradeRequest, findings: Mapping[FindingKey, Finding]) -> SessionState:
        """Return the state with the answer to ``request``, less the findings whose landmarks moved since."""
        fresh = {
            key: Regraded(finding, asked)
            for key, finding in findings.items()
            if (asked := self._placement_in(request.landmarks, key)) == self._placement(key)
        }
        return replace(self, regraded={**self.regraded, **fresh})

    def _placement(self, key: FindingKey) -> Placement:
        return self._placement_in(self.landmarks, key)

    def _placement_in(self, landmarks: Landmarks, key: FindingKey) -> Placement:
        return placement(landmarks, key, self.analysis.dependence)

    def _is_predicted(self, key: FindingKey) -> bool:
        return self._placement(key) == self._placement_in(self.analysis.landmarks, key)

    def _is_current(self, key: FindingKey) -> bool:
        regraded = self.regraded.get(key)
        return self._is_predicted(key) or (
            regraded is not None and regraded.placed_by == self._placement(key)
        )
