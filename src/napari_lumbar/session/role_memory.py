"""Which roles a person gave to the series of a study, remembered before there is any analysis to save.

A file holds hashes only: of the study, the reader and the series. It lies beside the session files.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..domain.errors import SessionError
from ..domain.study import MRSeries, SeriesRole, Study
from .files import write_atomically
from .saved import SavedSession, sha256_text
from .store import SessionStore, read_session

_REMEMBERED = "given by a person when the study was open before"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    reader: str
    roles: dict[str, SeriesRole | None]


class RoleMemory:
    """Roles given by hand, one small file for each study.

    Parameters
    ----------
    store
        Whose folder and reader are used; roles that another reader gave are not offered.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def remember(self, study: Study) -> None:
        """Write down the roles of ``study`` as they are now, also where a person wants the automatic ones.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        roles = {_name(series): series.role for series in study.series}
        kept = _File(reader=self._store.reader, roles=roles)
        write_atomically(self._path(study), kept.model_dump_json(indent=1))

    def recall(self, study: Study) -> Study | None:
        """Return the study with the roles that this reader gave it, or None where that changes nothing.

        Where none were remembered, those of the reader's latest session count, so that its points fit.
        """
        roles = self._remembered(study)
        known = study if roles is None else _with_roles(study, roles)
        if roles is None:
            saved = self._latest_session(study)
            with suppress(SessionError):
                known = saved.with_known_roles(study) if saved else study
        return known if roles_differ(known, study) else None

    def _remembered(self, study: Study) -> Mapping[str, SeriesRole | None] | None:
        try:
            kept = _File.model_validate_json(self._path(study).read_bytes())
        except (OSError, ValidationError):
            return None
        known = {_name(series) for series in study.series}
        return kept.roles if kept.reader == self._store.reader and set(kept.roles) == known else None

    def _latest_session(self, study: Study) -> SavedSession | None:
        found = []
        for path in self._store.folder.glob(f"{self._stem(study)}-*.json"):
            with suppress(SessionError):
                found.append(read_session(path))
        own = [saved for saved in found if saved.reader == self._store.reader]
        return max(own, key=lambda saved: saved.saved_at, default=None)

    def _path(self, study: Study) -> Path:
        """One file for each reader, so that nobody's roles are written over."""
        return self._store.folder / f"{self._stem(study)}.{sha256_text(self._store.reader)[:8]}.roles.json"

    @staticmethod
    def _stem(study: Study) -> str:
        return sha256_text(study.study_uid)[:32]


def roles_differ(study: Study, other: Study) -> bool:
    """Whether a series of one study plays another role in the other, or another series is preferred."""
    return _uses(study) != _uses(other)


def _uses(study: Study) -> dict[SeriesRole, tuple[str, ...]]:
    return {role: tuple(s.series_id for s in study.with_role(role)) for role in SeriesRole}


def _with_roles(study: Study, roles: Mapping[str, SeriesRole | None]) -> Study:
    """The study with these roles, its series in their order: the preferred one of a role comes first."""
    order = list(roles)
    ordered = sorted(study.series, key=lambda series: order.index(_name(series)))
    known = replace(study, series=tuple(_with_role(series, roles[_name(series)]) for series in ordered))
    return known.with_firsts_chosen(study, _REMEMBERED)


def _with_role(series: MRSeries, role: SeriesRole | None) -> MRSeries:
    return series if role is series.role else series.given(role, _REMEMBERED)


def _name(series: MRSeries) -> str:
    return sha256_text(series.series_id)[:16]
