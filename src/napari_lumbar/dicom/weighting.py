"""What a series' headers say of its contrast. Pure."""

from __future__ import annotations

import re
from enum import Enum

from .agent import names_agent
from .dixon import Dixon, dixon_of
from .headers import SliceHeader, Timing


class Weighting(Enum):
    """Contrast of a series; the value is what a person calls it."""

    T1 = "T1"
    T1_CONTRAST = "T1 after contrast agent"
    T2 = "T2"
    STIR = "STIR"
    OTHER = "another contrast"
    UNKNOWN = "unknown"

    @property
    def is_t2(self) -> bool:
        """Fluid is bright."""
        return self in (Weighting.T2, Weighting.STIR)

    @property
    def is_t1(self) -> bool:
        """Fluid is dark."""
        return self in (Weighting.T1, Weighting.T1_CONTRAST)


class Basis(Enum):
    """What a weighting rests on; the value says it in a sentence."""

    TIMES_AND_NAME = "by its times and its name"
    TIMES = "by its times"
    NAME = "by its name"
    TIMES_NOT_NAME = "by its times, though its name says otherwise"
    NOTHING = "its header does not say"

    @property
    def certainty(self) -> float:
        """How far it is trusted, 0 to 1: times are measured, names are typed."""
        return _CERTAINTY[self]


_CERTAINTY = {
    Basis.TIMES_AND_NAME: 1.0,
    Basis.TIMES: 0.9,
    Basis.NAME: 0.8,
    Basis.TIMES_NOT_NAME: 0.7,
    Basis.NOTHING: 0.65,
}

#: "myelon" is German for the cord, and "diff" may begin "difficult".
_OTHER_WORDS = re.compile(
    r"dwi|(?<![a-z])diff(?:us[a-zé]*)?(?![a-z])|m[yi]elo(?:gra[a-zé]*)?(?![a-zö])|flair.*t2|t2.*flair"
    r"|(?<![a-z])(adc|swi|mip|mpr)(?![a-z])"
)
_FAT_SUPPRESSED = re.compile(r"(?<![a-z])(?:fs|fat[ _-]?sat|fat[ _-]?sup[a-z]*|spir|spair)(?![a-z])")
#: Less than the times: "PD/T2" names both echoes of a series.
_PROTON_DENSITY = re.compile(r"(?<![a-z])pd(?![a-z])")
#: "t12" is a vertebra, "t13d" a T1 in three dimensions.
_WORDS: tuple[tuple[Weighting, re.Pattern[str]], ...] = (
    (Weighting.T1, re.compile(r"(?<![a-z])t1(?!\d(?!d))")),
    (Weighting.STIR, re.compile(r"stir|tirm|(?<![a-z])t?ir(?![a-z])")),
    (Weighting.T2, re.compile(r"(?<![a-z])t2(?!\d(?!d))")),
)
#: Not the plan or the PLIF of L3.
_LOCALISER_WORDS = re.compile(r"(?<![a-z])(loc|scout|survey|topogram)|(?<![a-z\d])3.?pl(?:ane)?s?(?![a-z])")
#: An image with an earlier echo shows T1, proton density, or how gradient echo weighs both: never T2.
_SHORTEST_SPIN_ECHO_MS, _SHORTEST_GRADIENT_ECHO_MS = 30.0, 8.0


def weighting_of(header: SliceHeader) -> tuple[Weighting, Basis]:
    """The weighting by times where they decide, else by the names, and what it rests on.

    No name makes a T2 of a spin echo whose time is too short for one. Of such a gradient echo its own name
    does: balanced ones show fluid bright at once.
    """
    named = _by_name(header)
    if header.echo_planar:
        return Weighting.OTHER, Basis.TIMES
    timed = Weighting.UNKNOWN if header.gradient_echo else _by_timing(header.timing)
    if _OTHER_WORDS.search(header.own_name) or (
        timed is Weighting.UNKNOWN and _PROTON_DENSITY.search(header.own_name)
    ):
        return Weighting.OTHER, Basis.NAME
    balanced = header.gradient_echo and "t2" in header.own_name
    if named is Weighting.T2 and _short_echo(header) and not balanced:
        named = Weighting.UNKNOWN
    basis = _basis(timed, named)
    # A STIR may have a T2's times, and few headers state the inversion.
    if timed is Weighting.UNKNOWN or (timed is Weighting.T2 and named is Weighting.STIR):
        weighting = named
    else:
        weighting = timed
    if weighting is Weighting.T1 and _after_contrast(header):
        return Weighting.T1_CONTRAST, basis
    return weighting, basis


def against_t2(header: SliceHeader) -> str:
    """What speaks against T2 where neither times nor names tell the weighting, or ''."""
    if _short_echo(header):
        return f"an echo time of {header.timing.echo_ms:g} ms is too short for T2"
    if _after_contrast(header):
        return "made after contrast agent, and its header does not say T2"
    return ""


def _short_echo(header: SliceHeader) -> bool:
    """Whether the echo comes too early for fluid to be bright by its T2; 0 stands for an absent time."""
    limit_ms = _SHORTEST_GRADIENT_ECHO_MS if header.gradient_echo else _SHORTEST_SPIN_ECHO_MS
    return 0 < (header.timing.echo_ms or 0) < limit_ms


def _after_contrast(header: SliceHeader) -> bool:
    return header.contrast_agent or names_agent(header.own_name)


def _basis(timed: Weighting, named: Weighting) -> Basis:
    if timed is named is Weighting.UNKNOWN:
        return Basis.NOTHING
    if Weighting.UNKNOWN in (timed, named):
        return Basis.NAME if timed is Weighting.UNKNOWN else Basis.TIMES
    return Basis.TIMES_AND_NAME if timed.is_t2 == named.is_t2 else Basis.TIMES_NOT_NAME


def is_localiser(header: SliceHeader) -> bool:
    """Whether ImageType or a name says that the image only serves planning."""
    return is_marked_localiser(header) or is_named_localiser(header)


def is_marked_localiser(header: SliceHeader) -> bool:
    """Whether ImageType says so, which the scanner writes."""
    return "LOCALIZER" in header.image_type


def is_named_localiser(header: SliceHeader) -> bool:
    """Whether a name says so, which a person types, perhaps of something else."""
    return bool(_LOCALISER_WORDS.search(header.own_name))


def is_fat_suppressed(header: SliceHeader) -> bool:
    """Whether fat was saturated, by the header or by the name: STIR is told apart as a weighting."""
    return header.fat_suppressed or bool(_FAT_SUPPRESSED.search(header.own_name))


def is_derived(header: SliceHeader) -> bool:
    """Whether the image was computed from others or captured from a screen.

    All four images of a Dixon sequence are computed, and are nevertheless its originals.
    """
    words = {"SECONDARY"} if dixon_of(header) is not Dixon.NONE else {"DERIVED", "SECONDARY"}
    return bool(words & set(header.image_type))


def _by_name(header: SliceHeader) -> Weighting:
    """By the series' own name; by the protocol's where that does not tell."""
    named = (w for text in (header.own_name, header.text) for w, words in _WORDS if words.search(text))
    return next(named, Weighting.UNKNOWN)


def _by_timing(timing: Timing) -> Weighting:
    """Spin-echo limits: T1 has a short echo and repetition, T2 a long echo; inversion nulls fat or fluid."""
    echo, repetition, inversion = timing.echo_ms, timing.repetition_ms, timing.inversion_ms or 0
    if 80 <= inversion <= 300:
        return Weighting.STIR
    if echo is None:
        return Weighting.UNKNOWN
    if echo > 60:
        return Weighting.T2 if echo < 300 else Weighting.OTHER
    short = repetition is not None and repetition < 1200
    return Weighting.T1 if echo < 30 and (short or 300 < inversion < 1300) else Weighting.UNKNOWN
