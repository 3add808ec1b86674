"""Tissue labels of a series' slices, made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from ..domain.geometry import SliceGeometry
from .grid import SpineGrid
from .scanner import tissues_of
from .tissue import LabelArray


class SliceTissues(Sequence[LabelArray]):
    """``Tissue`` labels on the mid-planes of slices, each of shape (rows, columns).

    Most users need few slices of a study, and making all takes a tenth of the time that the study takes.
    Pickled, it becomes a tuple of all labels.
    """

    def __init__(self, grid: SpineGrid, geometries: tuple[SliceGeometry, ...]) -> None:
        self._grid = grid
        self._geometries = geometries

    def __len__(self) -> int:
        return len(self._geometries)

    @overload
    def __getitem__(self, index: int) -> LabelArray: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[LabelArray, ...]: ...

    def __getitem__(self, index: int | slice) -> LabelArray | tuple[LabelArray, ...]:
        if isinstance(index, slice):
            return tuple(tissues_of(self._grid, g) for g in self._geometries[index])
        return tissues_of(self._grid, self._geometries[index])

    def __reduce__(self) -> tuple[Callable[..., object], tuple[tuple[LabelArray, ...]]]:
        return tuple, (self[:],)
