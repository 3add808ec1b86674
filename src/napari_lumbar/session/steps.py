"""Steps of work that know how to undo themselves, and the stacks of those done and undone."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..domain.landmarks import LandmarkSource
from ..domain.spine import FindingKey
from .corrections import Correction, Corrections
from .names import Naming

#: Older steps can no longer be undone; their effect stands. Keeps the session file small.
MAX_STEPS = 500


@dataclass(frozen=True)
class PointStep:
    """What was said about one finding before and after; ``key`` is its name at that time."""

    key: FindingKey
    before: Correction
    after: Correction

    @property
    def text(self) -> str:
        """What was done, for a person."""
        return f"{self.verb}: {self.key.text}"

    @property
    def changes_nothing(self) -> bool:
        """Whether all is the same after it as before."""
        return self.before == self.after

    @property
    def points(self) -> tuple[PointStep, ...]:
        """The steps about single findings that it consists of."""
        return (self,)

    def applied(self, corrections: Corrections) -> Corrections:
        """Return the corrections after the step."""
        return corrections.having(self.key, self.after)

    def reverted(self, corrections: Corrections) -> Corrections:
        """Return the corrections before the step."""
        return corrections.having(self.key, self.before)

    @property
    def verb(self) -> str:
        """What was done, without saying to what."""
        if self.after.absent:
            return "Marked absent"
        if self.after.override != self.before.override:
            return "Graded by hand" if self.after.override else "Took the grade by hand back"
        if self.after.place is None:
            return "Reset"
        return "Moved" if self.after.place.source is LandmarkSource.CORRECTED else "Proposed again"


@dataclass(frozen=True)
class CompoundStep:
    """Steps about several findings that are done and undone together, in this order.

    Raises
    ------
    ValueError
        If there is none.
    """

    points: tuple[PointStep, ...]

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("a compound step needs at least one step")

    @property
    def key(self) -> FindingKey:
        """The first finding that it is about."""
        return self.points[0].key

    @property
    def text(self) -> str:
        """What was done, for a person."""
        return f"{self.points[0].verb}: {', '.join(step.key.text for step in self.points)}"

    @property
    def changes_nothing(self) -> bool:
        """Whether all is the same after it as before."""
        return all(step.changes_nothing for step in self.points)

    def applied(self, corrections: Corrections) -> Corrections:
        """Return the corrections after the step."""
        for step in self.points:
            corrections = step.applied(corrections)
        return corrections

    def reverted(self, corrections: Corrections) -> Corrections:
        """Return the corrections before the step."""
        for step in reversed(self.points):
            corrections = step.reverted(corrections)
        return corrections


@dataclass(frozen=True)
class NamingStep:
    """The names before and after; it concerns every finding, so it has no key."""

    before: Naming
    after: Naming
    key: None = field(default=None, init=False)
    points: tuple[PointStep, ...] = field(default=(), init=False)

    @property
    def text(self) -> str:
        """What was done, for a person."""
        if self.after.sides_swapped != self.before.sides_swapped:
            return "Swapped left and right"
        return f"Moved the level names {'down' if self.after.level_shift > self.before.level_shift else 'up'}"

    @property
    def changes_nothing(self) -> bool:
        """Whether all is the same after it as before."""
        return self.before == self.after

    def applied(self, corrections: Corrections) -> Corrections:
        """Return the corrections after the step."""
        return Corrections(self.after, corrections.by_spot)

    def reverted(self, corrections: Corrections) -> Corrections:
        """Return the corrections before the step."""
        return Corrections(self.before, corrections.by_spot)


Step = PointStep | CompoundStep | NamingStep


@dataclass(frozen=True)
class Work:
    """All a person did to one analysis: corrections in force, steps to undo and to redo, the next last."""

    corrections: Corrections = field(default_factory=Corrections)
    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()

    def doing(self, step: Step) -> Work:
        """Return the work after a new step, which ends what could be redone."""
        return Work(step.applied(self.corrections), (*self.done, step)[-MAX_STEPS:])

    def undoing(self) -> Work:
        """Return the work without its latest step; the same where there is none."""
        if not self.done:
            return self
        step = self.done[-1]
        return Work(step.reverted(self.corrections), self.done[:-1], (*self.undone, step))

    def redoing(self) -> Work:
        """Return the work with the step that was undone last; the same where there is none."""
        if not self.undone:
            return self
        step = self.undone[-1]
        return Work(step.applied(self.corrections), (*self.done, step), self.undone[:-1])

    @property
    def is_consistent(self) -> bool:
        """Whether the steps done lead to the corrections, and the undone ones start from them."""
        return _leads_to(self.done, self.corrections) and _starts_from(self.undone, self.corrections)


def _leads_to(done: tuple[Step, ...], corrections: Corrections) -> bool:
    for step in reversed(done):
        if step.applied(corrections) != corrections:
            return False
        corrections = step.reverted(corrections)
    return True


def _starts_from(undone: tuple[Step, ...], corrections: Corrections) -> bool:
    for step in reversed(undone):
        if step.reverted(corrections) != corrections:
            return False
        corrections = step.applied(corrections)
    return True
