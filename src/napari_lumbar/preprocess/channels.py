"""What the localising networks' channels mean; training and pipeline read the same lines."""

from __future__ import annotations

from ..domain.spine import Side

#: Discs with a channel of their own, cranial to caudal; all others are "any disc" only.
NAMED_DISCS = ("T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5", "L5/S1")

#: Maps of the sagittal network after its named channels. "foramen" fades with the distance across the slices.
SAGITTAL_MAPS = ("any_disc", "foramen", "canal", "disc", "vertebra", "sacrum")

#: Pixel size of the sagittal network's input; its maps are half as fine.
SAGITTAL_MM = 1.5

#: Named channels of the axial network; its one map after them is the canal.
AXIAL_SIDES = (Side.LEFT, Side.RIGHT)

#: The foraminal slice network's heads: right L1/L2 .. L5/S1, then left.
FORAMINAL_HEAD_SIDES = (Side.RIGHT, Side.LEFT)

#: The sagittal network sees a slice between the two that lie about this far to its right and left.
NEIGHBOUR_MM = 4.0
