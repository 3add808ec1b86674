"""Which image of a Dixon sequence a series is: one measurement gives four. Pure."""

from __future__ import annotations

import re
from enum import Enum

from .headers import SliceHeader


class Dixon(Enum):
    """Part of a Dixon sequence; the value is what a person calls it."""

    NONE = "no image of a Dixon sequence"
    IN_PHASE = "the in-phase image of a Dixon sequence"
    WATER = "the water image of a Dixon sequence"
    FAT = "the fat image of a Dixon sequence"
    OPPOSED = "the opposed-phase image of a Dixon sequence"


_TYPES = {
    Dixon.IN_PHASE: {"IN_PHASE", "INPHASE", "IP"},
    Dixon.WATER: {"WATER", "W"},
    Dixon.FAT: {"FAT", "F"},
    Dixon.OPPOSED: {"OUT_PHASE", "OUTPHASE", "OPP_PHASE", "OPPPHASE", "OPPOSED_PHASE", "OP"},
}
#: In a name with one of these the words fat and water tell the image; "flexion" and "fat sat" are others.
_FAMILY = r"^(?=.*(?:dixon|(?<![a-z])(?:ideal|flex)(?![a-z]))).*(?<![a-z])"
_WHOLE_WORD = r"(?![a-z]|[ _-]?(?:sat|sup|exc))"
#: Scanners put these before or behind the name that a person gave; T2_W alone means T2-weighted.
_NAMES = {
    Dixon.IN_PHASE: re.compile(r"^in ?phase:|_in$"),
    Dixon.WATER: re.compile(rf"^water:|dixon.*_w$|{_FAMILY}water{_WHOLE_WORD}"),
    Dixon.FAT: re.compile(rf"^fat:|dixon.*_f$|{_FAMILY}fat{_WHOLE_WORD}"),
    Dixon.OPPOSED: re.compile(r"^(out|opp) ?phase:|_opp$"),
}


def dixon_of(header: SliceHeader) -> Dixon:
    """By ImageType, else by the description."""
    words = set(header.image_type[2:])
    named = header.description.lower()
    by_type = next((part for part, known in _TYPES.items() if known & words), None)
    by_name = next((part for part, known in _NAMES.items() if known.search(named)), Dixon.NONE)
    return by_type or by_name
