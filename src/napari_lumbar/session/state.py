"""An analysis and a person's corrections of it, as one immutable value with pure transitions.

Whether a finding is current is never stored but derived: it is current if the landmarks that place its
crops are the ones it was graded from. These landmarks are the finding's revision. Undoing a move therefore
brings the old grade back at once, and a regrading that arrives late cannot be mistaken for a current one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..domain.findings import Analysis, Certainty, CropEvidence, Finding, GradeSource
from ..domain.landmarks import (
    ABSENT,
    Dependence,
    Landmark,
    Landmarks,
    NotGradable,
    dependent_findings,
)
from ..domain.spine import ALL_FINDINGS, FindingKey
from .corrections import Correction, Corrections
from .landmarks import correction_notes, landmarks_in_force, predicted_place
from .names import Naming
from .place_notes import place_notes
from .steps import Step, Work
from .withheld import withholding

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
    """Which findings of which study and bundle to grade again, and from which landmarks."""

    study_uid: str
    bundle_sha256: str
    landmarks: Landmarks
    keys: frozenset[FindingKey]


@dataclass(frozen=True, eq=False)
class Regraded:
    """A finding graded after a correction, with the landmarks and the names it was graded from."""

    finding: Finding
    placed_by: Placement
    naming: Naming


@dataclass(frozen=True, eq=False)
class SessionState:
    """Predictions, corrections on top of them, and what was graded again.

    Parameters
    ----------
    study_uid
        StudyInstanceUID; files know the session by its hash.
    analysis
        The predictions. They never change.
    work
        What a person did.
    regraded
        The latest answer of the networks after a correction, by finding.
    """

    study_uid: str
    analysis: Analysis
    work: Work = field(default_factory=Work)
    regraded: Mapping[FindingKey, Regraded] = field(default_factory=dict)

    @property
    def corrections(self) -> Corrections:
        """What a person changed and did not undo."""
        return self.work.corrections

    @cached_property
    def landmarks(self) -> Landmarks:
        """The landmarks in force: predicted ones under the names in force, a person's places among them."""
        return landmarks_in_force(self.analysis.landmarks, self.corrections)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about changed names, and about places chosen by hand."""
        of_names = correction_notes(self.analysis.landmarks, self.corrections)
        return (*of_names, *place_notes(self.landmarks, self.corrections))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the analysis warns of, and the ``notes``."""
        return (*map(self.corrections.naming.marked, self.analysis.warnings), *self.notes)

    @cached_property
    def outdated(self) -> frozenset[FindingKey]:
        """Findings whose landmarks changed after the networks graded them."""
        return frozenset(key for key in self.analysis.findings if not self._is_current(key))

    @property
    def stale(self) -> frozenset[FindingKey]:
        """Findings whose grade is outdated; one that a person graded does not depend on landmarks."""
        return frozenset(key for key in self.outdated if self.correction(key).override is None)

    @cached_property
    def findings(self) -> Mapping[FindingKey, Finding]:
        """For each finding the person's grade, else the networks' latest, which may be stale."""
        return {key: self._overridden(self.answer(key)) for key in self.analysis.findings}

    def finding(self, key: FindingKey) -> Finding:
        """The person's grade, else the networks' latest; it may be stale."""
        return self.findings[key]

    def current_evidence(self, key: FindingKey) -> tuple[CropEvidence, ...]:
        """What the grade was read from; nothing where the landmark or its name has changed since."""
        return () if key in self.outdated else self.answer(key).evidence

    def predicted(self, key: FindingKey) -> Finding:
        """What the analysis said, whatever a person did since."""
        return self.analysis.findings[key]

    def predicted_place(self, key: FindingKey) -> Landmark | None:
        """Where the point that is now called ``key`` was predicted, under its predicted name."""
        return predicted_place(self.analysis.landmarks, self.corrections, key)

    def answer(self, key: FindingKey) -> Finding:
        """What the networks last said of the place that is called ``key``, beneath any grade by hand.

        It may be outdated.
        """
        if self.landmarks.get(key) is None:
            return self._without_landmark(key)
        if self._is_predicted(key):
            return self.predicted(key)
        regraded = self.regraded.get(key)
        if regraded is not None and (regraded.naming == self.corrections.naming or self._is_current(key)):
            return regraded.finding
        return self._before_renaming(key)

    def correction(self, key: FindingKey) -> Correction:
        """What a person said about the finding."""
        return self.corrections.of(key)

    def before(self, key: FindingKey) -> Finding | None:
        """What the analysis said of the place called ``key`` now; None where it had no name for it."""
        old_key = self.corrections.naming.spot(key).predicted_key
        return self.analysis.findings[old_key] if old_key else None

    def is_changed(self, key: FindingKey) -> bool:
        """Say whether ``finding(key)`` is another than was predicted of its place."""
        now, before = self.finding(key), self.before(key)
        if self.corrections.naming.is_predicted:
            return now is not before
        # Whatever has another name is graded again: only another answer is a change.
        return before is not None and (now.probs, now.override) != (before.probs, before.override)

    def doing(self, step: Step) -> SessionState:
        """Return the state after a step; this state where the step changes nothing."""
        return self if step.changes_nothing else replace(self, work=self.work.doing(step))

    def undoing(self) -> SessionState:
        """Return the state before the latest step."""
        return replace(self, work=self.work.undoing())

    def redoing(self) -> SessionState:
        """Return the state in which the step undone last is done again."""
        return replace(self, work=self.work.redoing())

    def request(self, keys: Collection[FindingKey] | None = None) -> RegradeRequest:
        """Ask for these findings, or for every outdated one, to be graded from the landmarks in force."""
        wanted = self.outdated if keys is None else frozenset(keys)
        return RegradeRequest(self.study_uid, self._bundle_sha256, self.landmarks, wanted)

    def accepting(self, request: RegradeRequest, findings: Mapping[FindingKey, Finding]) -> SessionState:
        """Return the state with the answer to ``request``, less what no longer fits.

        An answer for another study or bundle is dropped whole; of the others, the findings whose landmarks
        have changed since they were asked for. What the analysis withheld gets no grade by that.
        """
        if (request.study_uid, request.bundle_sha256) != (self.study_uid, self._bundle_sha256):
            return self
        naming = self.corrections.naming
        fresh = {
            key: Regraded(self.withholding(replace(finding, source=GradeSource.CORRECTED)), asked, naming)
            for key, finding in findings.items()
            if (asked := self._placement_in(request.landmarks, key)) == self._placement(key)
        }
        return replace(self, regraded={**self.regraded, **fresh})

    def withholding(self, finding: Finding) -> Finding:
        """Return what networks say, without the grade where a doubt of the analysis still forbids it."""
        return withholding(self.analysis, self.corrections, finding)

    @property
    def _bundle_sha256(self) -> str:
        return self.analysis.provenance.bundle_sha256

    def _overridden(self, answer: Finding) -> Finding:
        """The answer, or a person's grade in its place; the certainty was that of the answer."""
        by_hand = self.correction(answer.key).override
        if by_hand is None:
            return answer
        is_current = answer.key not in self.outdated
        return Finding(
            answer.key,
            None,
            self.landmarks.get(answer.key),
            evidence=answer.evidence if is_current else (),
            certainty=Certainty(),
            override=replace(by_hand, instead_of=answer.probs if is_current else None),
            source=GradeSource.OVERRIDDEN,
        )

    def _without_landmark(self, key: FindingKey) -> Finding:
        """No network grades a finding without its landmark: it is known at once why not."""
        predicted = self.analysis.landmarks
        why = self.landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
        if predicted.get(key) is None and predicted.missing.get(key, why) == why:
            return self.predicted(key)
        source = GradeSource.ABSENT if why.code == ABSENT else GradeSource.CORRECTED
        return Finding(key, None, None, not_gradable=why, source=source)

    def _before_renaming(self, key: FindingKey) -> Finding:
        """The prediction of a place under the name it has now."""
        before = self.before(key)
        if before is None:
            why = NotGradable("not_graded_yet", "the prediction had no name for this disc")
            return Finding(key, None, self.landmarks.get(key), not_gradable=why)
        return before if before.key == key else replace(before, key=key, landmark=self.landmarks.get(key))

    def _placement(self, key: FindingKey) -> Placement:
        return self._placement_in(self.landmarks, key)

    def _placement_in(self, landmarks: Landmarks, key: FindingKey) -> Placement:
        return placement(landmarks, key, self.analysis.dependence)

    def _is_predicted(self, key: FindingKey) -> bool:
        return self._placement(key) == self._placement_in(self.analysis.landmarks, key)

    def _is_current(self, key: FindingKey) -> bool:
        if self.landmarks.get(key) is None or self._is_predicted(key):
            return True
        regraded = self.regraded.get(key)
        return regraded is not None and regraded.placed_by == self._placement(key)
