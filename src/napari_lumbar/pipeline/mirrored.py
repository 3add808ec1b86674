"""Names of the sides that contradict the images: networks are asked by the side that a point lies on there.

They turn one side's crops over and put slices in order from the spine outwards. A name that a reader changed,
because headers or a localiser had the sides wrong, changes nothing of what the images show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..domain.findings import Finding
from ..domain.landmarks import Landmark, Landmarks, NotGradable
from ..domain.spine import FindingKey
from .plausibility import beyond_middle_mm, level_middles


def are_sides_mirrored(landmarks: Landmarks) -> bool:
    """Whether most points lie on the other side of the spine's middle than their names say."""
    beyond_mm = beyond_middle_mm(landmarks, level_middles(landmarks)).values()
    return 2 * sum(mm > 0 for mm in beyond_mm) > len(beyond_mm)


def mirrored(landmarks: Landmarks) -> Landmarks:
    """The same places, each under the name of the other side."""
    points = {key.opposite: replace(point, key=key.opposite) for key, point in landmarks.points.items()}
    return replace(landmarks, points=points, missing={k.opposite: v for k, v in landmarks.missing.items()})


def named_back(findings: Mapping[FindingKey, Finding], landmarks: Landmarks) -> dict[FindingKey, Finding]:
    """What was said of ``mirrored`` places, under the names of ``landmarks``."""
    return {key.opposite: _named(finding, landmarks.get(key.opposite)) for key, finding in findings.items()}


def _named(finding: Finding, landmark: Landmark | None) -> Finding:
    key, why = finding.key.opposite, finding.not_gradable
    if why is not None:
        why = NotGradable(why.code, why.reason.replace(finding.key.text, key.text))
    return replace(finding, key=key, landmark=landmark, not_gradable=why)
