"""How far a grade and its landmark can be trusted, in the same words wherever a grade is shown."""

from __future__ import annotations

from ..domain.findings import Certainty, Finding, Override
from ..domain.landmarks import Landmark

#: Below this confidence a predicted landmark is called unsure: look at it before believing the grade.
UNSURE_BELOW = 0.5

#: Stands beside a grade whose crops are unlike the training images; ``UNLIKE_TRAINING`` explains it.
CAUTION = "caution"
UNLIKE_TRAINING = "unlike the training images: treat with caution"

#: Stands beside a grade that a person gave.
BY_HAND = "by hand"


def is_open(finding: Finding) -> bool:
    """Whether anything but the grade itself is not ruled out."""
    left = finding.certainty.prediction_set
    return finding.severity is not None and left is not None and left != (finding.severity,)


def doubt_mark(finding: Finding) -> str:
    """What follows the name of a severity: a question mark where others are not ruled out."""
    return "?" if is_open(finding) else ""


def left_open(certainty: Certainty) -> str:
    """The severities that are not ruled out, for example ``normal/mild, moderate``; empty if unknown."""
    return ", ".join(severity.label.lower() for severity in certainty.prediction_set or ())


def not_ruled_out(finding: Finding) -> str:
    """For example ``not ruled out: normal/mild, moderate``; empty where the weights say nothing."""
    words = left_open(finding.certainty)
    if not words:
        return ""
    return f"not ruled out: {words}" if is_open(finding) else f"not ruled out: {words} only"


def certainty_lines(finding: Finding) -> tuple[str, ...]:
    """Everything that is known about a grade's certainty, the warning first; empty if there is no grade."""
    if finding.severity is None:
        return ()
    certainty = finding.certainty
    spread = "" if certainty.spread is None else f"spread ±{certainty.spread:.2f} grades"
    return tuple(filter(None, (_warning(certainty), not_ruled_out(finding), spread, _likeness(certainty))))


def override_words(override: Override) -> str:
    """Who graded, why, and what the networks say: ``graded by hand: motion (networks: Severe 62 %)``."""
    why = f": {override.reason}" if override.reason else ""
    other = override.instead_of
    said = f" (networks: {other.severity.label} {100 * other.confidence:.0f} %)" if other else ""
    return f"graded {BY_HAND}{why}{said}"


def placed_words(landmark: Landmark) -> str:
    """Who placed a landmark, and whether to look at it: ``predicted, unsure``."""
    return f"{landmark.source.value}, unsure" if is_unsure(landmark) else landmark.source.value


def is_unsure(landmark: Landmark) -> bool:
    """Whether a landmark should be looked at before its grade is believed."""
    return landmark.confidence is not None and landmark.confidence < UNSURE_BELOW


def _warning(certainty: Certainty) -> str:
    return UNLIKE_TRAINING if certainty.is_outside_training else ""


def _likeness(certainty: Certainty) -> str:
    known = certainty.strangeness is not None
    return "like the training images" if known and not certainty.is_outside_training else ""
