"""``--series ROLE=UID``: a person says which series plays a role."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..domain.errors import LumbarError

if TYPE_CHECKING:  # these bring NumPy, which --help can do without
    from ..domain.study import SeriesRole, Study


def parsed_choices(values: Sequence[str]) -> dict[SeriesRole, list[str]]:
    """Return the UIDs given for each role, in their order.

    Raises
    ------
    LumbarError
        If a value is not of the form ROLE=UID, or several series are named for a sagittal role.
    """
    from ..domain.study import SeriesRole

    roles = {role.name.lower(): role for role in SeriesRole}
    choices: dict[SeriesRole, list[str]] = defaultdict(list)
    for given in values:
        name, _, uid = given.partition("=")
        role = roles.get(name.strip().lower())
        if role is None or not uid.strip():
            raise LumbarError(f"--series {given!r} must be ROLE=UID, where ROLE is one of {', '.join(roles)}")
        choices[role].append(uid.strip())
        if role is not SeriesRole.AXIAL_T2 and len(choices[role]) > 1:
            raise LumbarError(f"--series names {len(choices[role])} series for {name}; it takes one")
    return dict(choices)


def with_chosen(study: Study, choices: Mapping[SeriesRole, Sequence[str]]) -> Study:
    """Return the study with its roles as a person chose them.

    Raises
    ------
    LumbarError
        If the study has no such series; the message lists those that it has.
    """
    for role, uids in choices.items():
        study = study.choosing(role, [_series_id(study, uid) for uid in uids])
    return study


def _series_id(study: Study, uid: str) -> str:
    from ..domain.pseudonym import pseudonym

    for series in study.series:
        if uid in (series.series_id, series.series_uid, pseudonym(series.series_id)):
            return series.series_id
    known = ", ".join(pseudonym(series.series_id) for series in study.series)
    raise LumbarError(f"--series: the study has no series {uid}. Its series, as scan names them: {known}")
