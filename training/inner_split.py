"""A part of the training studies that chooses the checkpoint, so that the held-out ones stay unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

from .rsna.studies import LabelledStudy

if TYPE_CHECKING:
    from .recipes.recipe import FoldData

#: Every so many studies one goes to the choice of the checkpoint.
_EVERY = 10


@dataclass(frozen=True, eq=False)
class Part(Sequence[LabelledStudy]):
    """Some studies of a sequence, read when they are asked for."""

    studies: Sequence[LabelledStudy]
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> LabelledStudy: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[LabelledStudy]: ...
    def __getitem__(self, place: int | slice) -> LabelledStudy | Sequence[LabelledStudy]:
        if isinstance(place, slice):
            return Part(self.studies, self.places[place])
        return self.studies[self.places[place]]


def inner_split(fold: FoldData) -> FoldData:
    """The fold with a tenth of its training studies in the place of the held-out ones."""
    places = range(len(fold.training))
    chosen = list(places[_EVERY - 1 :: _EVERY])
    rest = [place for place in places if place % _EVERY != _EVERY - 1]
    return replace(fold, training=Part(fold.training, rest), validation=Part(fold.training, chosen))
