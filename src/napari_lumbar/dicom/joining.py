"""Series of one image each, as some archives write them, joined to the series they were. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace

from .headers import SliceHeader

#: So many series of one image that are alike in all else are one series.
FEWEST_JOINED = 4


def joined(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], int]:
    """Give alike series of one image each one SeriesInstanceUID, the first of theirs.

    Returns
    -------
    headers
        In the same order.
    n_joined
        How many series were joined.
    """
    series: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        series[header.series_uid].append(header)
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for uid in sorted(uid for uid, slices in series.items() if len(slices) == 1):
        alike[_kind(series[uid][0])].append(uid)
    renamed = {uid: uids[0] for uids in alike.values() if len(uids) >= FEWEST_JOINED for uid in uids}
    return [replace(h, series_uid=renamed.get(h.series_uid, h.series_uid)) for h in headers], len(renamed)


def _kind(header: SliceHeader) -> tuple[object, ...]:
    geometry = header.geometry
    normal = tuple(round(float(v), 2) + 0.0 for v in geometry.normal)
    size = geometry.rows, geometry.columns, geometry.row_spacing_mm, geometry.column_spacing_mm
    return header.text, header.image_type, header.timing, normal, size
