"""Why nothing was found on a role that no series plays, and which series may have been meant for it."""

from __future__ import annotations

from ..domain.landmarks import NotGradable
from ..domain.study import SeriesRole, Study


def no_series(study: Study, role: SeriesRole) -> NotGradable:
    """The reason for each finding that is looked for on ``role``."""
    return NotGradable("no_series", f"no {role.value} series was found in the study{left_hint(study, role)}")


def left_hint(study: Study, role: SeriesRole) -> str:
    """Tell a person to look at series without a role in the plane of ``role``; empty where there is none.

    Where headers say nothing of the contrast, what is missing may be among them.
    """
    n_left = sum(series.role is None and series.may_play(role) for series in study.series)
    if n_left == 0:
        return ""
    left = "the series without a role in its plane" if n_left == 1 else f"one of the {n_left} without a role"
    return f"; if {left} is one, give it the role"
