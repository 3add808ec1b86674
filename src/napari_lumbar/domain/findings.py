"""Findings: graded, or not gradable with the reason. NaN is never a grade."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from .doubts import Doubt, DoubtKind
from .landmarks import Dependence, Landmark, Landmarks, NotGradable
from .spine import FindingKey, Severity
from .study import FileAccounting, PixelArray, SeriesRole

#: Probabilities may miss a sum of 1 by this much (fp16 weights, rounding in files).
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class SeverityProbs:
    """Probabilities of the three severities.

    Raises
    ------
    ValueError
        If one is not finite or outside 0..1, or if they do not sum to 1.
    """

    normal_mild: float
    moderate: float
    severe: float

    def __post_init__(self) -> None:
        values = self.as_tuple
        if not all(math.isfinite(p) and -SUM_TOLERANCE <= p <= 1 + SUM_TOLERANCE for p in values):
            raise ValueError(f"severity probabilities {values} must be finite and within 0..1")
        if abs(sum(values) - 1) > SUM_TOLERANCE:
            raise ValueError(f"severity probabilities {values} sum to {sum(values):.4f}, not 1")

    @property
    def as_tuple(self) -> tuple[float, float, float]:
        """In the order of ``Severity``."""
        return self.normal_mild, self.moderate, self.severe

    @property
    def severity(self) -> Severity:
        """The most probable severity; of equals, the worse one."""
        values = self.as_tuple
        return max(Severity, key=lambda s: (values[s], s))

    @property
    def confidence(self) -> float:
        """Probability of the most probable severity."""
        return max(self.as_tuple)


@dataclass(frozen=True, eq=False)
class CropEvidence:
    """What the grader saw of one slice.

    Parameters
    ----------
    role, series_id, slice_index
        The slice the crop was cut from.
    box_rc
        (top, left, bottom, right) in pixels of that slice; may reach beyond the image.
    weight
        Attention weight of this crop within its plane's bag; the bag's weights sum to 1.
    heatmap
        How much each place spoke for a worse severity, 0..1, shape (h, w) stretched over the box.
    """

    role: SeriesRole
    series_id: str
    slice_index: int
    box_rc: tuple[float, float, float, float]
    weight: float
    heatmap: PixelArray


@dataclass(frozen=True)
class PlaneAnswer:
    """What a grader says of a finding from the crops of one plane alone.

    Parameters
    ----------
    role
        The series that the plane's crops were cut from.
    probs
        On the scale of the finding's own probabilities, whose calibration was not fitted for one plane alone.
    """

    role: SeriesRole
    probs: SeverityProbs


@dataclass(frozen=True)
class Certainty:
    """How far a grade can be trusted; each part is absent where the weights say nothing about it.

    Parameters
    ----------
    prediction_set
        Severities that are not ruled out: in nine of ten findings like those it was fitted on, or more, the
        true one is among them (split conformal prediction), and so is every one with a third of the
        probability. Neighbouring severities, in order, never empty.
    spread
        Standard deviation of the expected severity (0..2) over the networks of an ensemble and slightly
        moved crops.
    strangeness
        How unlike the training images the crops are; above 1 is stranger than 99 of 100 of those.
    """

    prediction_set: tuple[Severity, ...] | None = None
    spread: float | None = None
    strangeness: float | None = None

    @property
    def is_outside_training(self) -> bool:
        """Whether the crops lie outside what the networks were trained on."""
        return self.strangeness is not None and self.strangeness > 1


class GradeSource(Enum):
    """Where a grade, or the lack of one, comes from."""

    PREDICTED = "predicted"
    #: From landmarks of which a person moved, set or renamed at least one.
    CORRECTED = "corrected"
    #: A person's grade.
    OVERRIDDEN = "overridden"
    #: A person said that there is nothing to grade.
    ABSENT = "absent"


@dataclass(frozen=True)
class Override:
    """A grade given by hand.

    Parameters
    ----------
    severity, reason
        What the person said, and why; the reason may be empty.
    instead_of
        What the networks say of the same landmarks, or None where they say nothing.
    """

    severity: Severity
    reason: str = ""
    instead_of: SeverityProbs | None = None


@dataclass(frozen=True, eq=False)
class Finding:
    """One condition at one level: probabilities, a grade by hand, or the reason why there is neither.

    Raises
    ------
    ValueError
        If it has none of the three or more than one, or if ``source`` contradicts them.
    """

    key: FindingKey
    probs: SeverityProbs | None
    landmark: Landmark | None
    evidence: tuple[CropEvidence, ...] = ()
    not_gradable: NotGradable | None = None
    certainty: Certainty = Certainty()
    override: Override | None = None
    source: GradeSource = GradeSource.PREDICTED
    #: Empty where the grader does not answer for its planes apart.
    by_plane: tuple[PlaneAnswer, ...] = ()

    def __post_init__(self) -> None:
        given = sum(part is not None for part in (self.probs, self.override, self.not_gradable))
        if given != 1:
            rule = "needs probabilities, a grade by hand, or a reason why not"
            raise ValueError(f"{self.key.text}: {rule}; it has {given} of them")
        if (self.source is GradeSource.OVERRIDDEN) != (self.override is not None):
            raise ValueError(f"{self.key.text}: only a grade by hand has the source 'overridden'")

    @property
    def severity(self) -> Severity | None:
        """A person's grade, or the most probable severity, or None where there is no grade."""
        if self.override is not None:
            return self.override.severity
        return self.probs.severity if self.probs else None


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from."""

    bundle_name: str
    bundle_sha256: str
    device: str
    versions: Mapping[str, str]
    created_utc: str
    #: A sentence for each step that a failing device forced: fewer findings at a time, or the CPU.
    device_steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeriesUse:
    """A series of the study, the role it played, and why."""

    series_id: str
    description: str
    role: SeriesRole | None
    reason: str
    n_slices: int
    n_stacks: int


@dataclass(frozen=True, eq=False)
class Analysis:
    """The whole result for one study. Corrections make a new one; this one never changes."""

    study_id: str
    landmarks: Landmarks
    findings: Mapping[FindingKey, Finding]
    series: tuple[SeriesUse, ...]
    accounting: FileAccounting
    provenance: Provenance
    timings_s: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    #: What speaks against the landmarks or the images; their texts stand among the warnings too.
    doubts: tuple[Doubt, ...] = ()
    #: Which landmarks each finding was graded from.
    dependence: Dependence = Dependence.CROPS
    #: Name or pseudonym of the person who read it; empty if nobody did, or gave no name.
    reader: str = ""

    @property
    def is_numbering_doubted(self) -> bool:
        """Whether every level may have another's name."""
        return any(doubt.kind is DoubtKind.NUMBERING_UNCERTAIN for doubt in self.doubts)

    @property
    def graded(self) -> tuple[Finding, ...]:
        """The findings that have a grade, by the networks or by hand."""
        return tuple(f for f in self.findings.values() if f.severity is not None)


def probs_from_array(values: np.ndarray) -> SeverityProbs:
    """Three numbers, shape (3,), as probabilities; raise ``ValueError`` if they are not."""
    normal_mild, moderate, severe = (float(v) for v in values)
    return SeverityProbs(normal_mild, moderate, severe)
