"""How files name a study and its series: RSNA's folders where a folder is laid out so, else UIDs. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from .headers import SliceHeader

#: Shorter numbers are in many UIDs by chance, and would give studies of several patients one name.
_FEWEST_DIGITS = 5


def series_ids(headers: Sequence[SliceHeader], laid_out: bool = False) -> Mapping[str, str]:
    """SeriesInstanceUID to the series' name: its folder's number where that is RSNA's, else the UID.

    RSNA's folder holds one series, and its number ends that series' UID; any other may be a patient's.

    Parameters
    ----------
    laid_out
        Tables name each series by its folder, whatever its UID says.
    """
    folders: dict[str, set[PurePosixPath]] = defaultdict(set)
    series: dict[PurePosixPath, set[str]] = defaultdict(set)
    for header in headers:
        parent = PurePosixPath(header.path).parent
        folders[header.series_uid].add(parent)
        series[parent].add(header.series_uid)
    ids = {uid: _series_id(uid, parents, series, laid_out) for uid, parents in folders.items()}
    unique = len(set(ids.values())) == len(ids)
    return ids if unique else {uid: uid for uid in ids}


def study_id(study_uid: str, folder_name: str, series_uids: Sequence[str]) -> str:
    """The folder's name if it is the number that the UIDs carry, as in RSNA's files, else the UID.

    A number that no UID carries may be a patient's, and is not used; nor is a short one.
    """
    if not folder_name.isdecimal() or len(folder_name) < _FEWEST_DIGITS:
        return study_uid
    carried = [uid.split(".") for uid in (study_uid, *series_uids)]
    return folder_name if any(folder_name in parts for parts in carried) else study_uid


def _series_id(
    uid: str, parents: set[PurePosixPath], series: Mapping[PurePosixPath, set[str]], laid_out: bool
) -> str:
    if len(parents) != 1:
        return uid
    (parent,) = parents
    is_named = laid_out or (parent.name.isdecimal() and uid.split(".")[-1] == parent.name)
    return parent.name if is_named and series[parent] == {uid} else uid
