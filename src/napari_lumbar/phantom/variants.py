"""What makes one patient's spine differ from another's, drawn before its shape.

Shares: transitional vertebrae Konin & Walz, AJNR 2010 (4 to 30 %; the clear-cut ones here); Modic changes
Jensen et al., Eur Spine J 2008; Schmorl nodes Kyere et al., Eur Spine J 2012; haemangiomas Barzin & Maleki,
Folia Morphol 2009; Tarlov cysts Burdan et al., Folia Morphol 2013. Conus level Saifuddin et al., Spine 1998.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ..domain.spine import Level, Side
from .config import FrontFat, PhantomConfig, Transitional
from .curve import Swing

L6_SHARE: Final = 0.04
SACRALISED_SHARE: Final = 0.04
LISTHESIS_SHARE: Final = 0.03
SCOLIOSIS_SHARE: Final = 0.13
LIPOMATOSIS_SHARE: Final = 0.05
LAMINECTOMY_SHARE: Final = 0.02
MODIC_SHARE: Final = 0.12
NODE_SHARE: Final = 0.07
HAEMANGIOMA_SHARE: Final = 0.03
WEDGE_SHARE: Final = 0.012
SYNOVIAL_SHARE: Final = 0.015
TARLOV_SHARE: Final = 0.05
EXTRUSION_SHARE: Final = 0.08
#: Vertebrae that vary one by one, and discs whose endplates do.
VERTEBRAE: Final = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
ENDPLATE_DISCS: Final = ("T11/T12", "T12/L1", *(level.value for level in Level))
MODIC_TYPES: Final[tuple[Literal[1, 2, 3], ...]] = (1, 2, 3)


@dataclass(frozen=True)
class Slip:
    """A vertebra that slipped forward on the one below, with all above it."""

    level: Level
    step_mm: float


@dataclass(frozen=True)
class Modic:
    """Changed marrow on both sides of a disc: its type, and how far it reaches into the bodies."""

    disc: str
    kind: Literal[1, 2, 3]
    reach_mm: float
    front_share: float


@dataclass(frozen=True)
class EndplateNode:
    """A Schmorl node: disc that broke into the body above (-1) or below (1)."""

    disc: str
    side: Literal[-1, 1]
    behind_mm: float
    lateral_mm: float
    radius_mm: float


@dataclass(frozen=True)
class Haemangioma:
    """A round bright tumour in a vertebral body, relative to the body's middle."""

    vertebra: str
    along_mm: float
    behind_mm: float
    lateral_mm: float
    radius_mm: float


@dataclass(frozen=True)
class Cyst:
    """A synovial cyst behind the canal, beside a facet joint."""

    level: Level
    side: Side
    radius_mm: float


@dataclass(frozen=True)
class Extrusion:
    """Disc that left its place and lies in front of the sac, above (-1) or below (1) the disc."""

    level: Level
    toward: Literal[-1, 1]
    lateral_mm: float
    length_mm: float
    thick_mm: float


@dataclass(frozen=True)
class Variants:
    """One patient.

    Parameters
    ----------
    size
        Lengths relative to a mean adult's.
    swing
        The scoliosis.
    lordosis
        Bends of the curve relative to the mean.
    rudiment
        Height of the S1/S2 disc as a share of a full disc.
    conus_mm, fork_mm, sac_end_mm
        Where the cord, the great vessels and the sac end, relative to the mean, caudal positive.
    lipomatosis
        Share of the sac's room below L2 that fat has taken, 0 to 0.5.
    sac_share, roots_share
        Cross-section of the sac between the levels, and of the roots in it, relative to the mean.
    laminectomy
        Vertebrae without lamina and spinous process.
    wedges
        Share of their anterior height that vertebrae have lost.
    tarlov_mm
        Radius of a cyst in the sacral canal, or None.
    front_fat
        How the fat in front of the sac is drawn.
    """

    size: float
    swing: Swing
    lordosis: float
    slip: Slip | None
    transitional: Transitional
    rudiment: float
    conus_mm: float
    fork_mm: float
    sac_end_mm: float
    lipomatosis: float
    sac_share: float
    roots_share: float
    laminectomy: frozenset[str]
    modic: tuple[Modic, ...]
    nodes: tuple[EndplateNode, ...]
    haemangiomas: tuple[Haemangioma, ...]
    wedges: dict[str, float]
    synovial: tuple[Cyst, ...]
    tarlov_mm: float | None
    extrusion: Extrusion | None
    front_fat: FrontFat


def draw_variants(rng: np.random.Generator, config: PhantomConfig) -> Variants:
    """Draw one patient."""
    is_female = rng.uniform() < 0.5
    size = float(np.clip(rng.normal(0.965 if is_female else 1.035, 0.055), 0.85, 1.2))
    transitional = config.transitional or _transitional(rng)
    # An additional lumbar segment counts from below: what names a level lies one segment higher.
    shift = -34.0 * size if transitional == "l6" else 0.0
    return Variants(
        size=size,
        swing=_swing(rng, config.cobb_deg),
        lordosis=float(np.clip(rng.normal(0.95, 0.2), 0.4, 1.4)),
        slip=_slip(rng),
        transitional=transitional,
        rudiment=float(np.clip(rng.beta(0.9, 2.2), 0, 1) * 0.6),
        conus_mm=float(shift + rng.normal(0, 11)),
        fork_mm=float(shift + rng.normal(-6, 7)),
        sac_end_mm=float(rng.normal(0, 7)),
        lipomatosis=float(rng.uniform(0.15, 0.5)) if rng.uniform() < LIPOMATOSIS_SHARE else 0.0,
        sac_share=float(rng.uniform(0.7, 1.15)),
        roots_share=float(rng.uniform(0.7, 1.15)),
        laminectomy=_laminectomy(rng),
        modic=_modic(rng),
        nodes=_nodes(rng),
        haemangiomas=_haemangiomas(rng, size),
        wedges={name: float(rng.uniform(0.12, 0.4)) for name in _chosen(rng, VERTEBRAE, WEDGE_SHARE)},
        synovial=_cysts(rng),
        tarlov_mm=float(rng.uniform(3, 8)) if rng.uniform() < TARLOV_SHARE else None,
        extrusion=_extrusion(rng) if rng.uniform() < EXTRUSION_SHARE else None,
        front_fat=config.front_fat,
    )


def _chosen(rng: np.random.Generator, names: tuple[str, ...], share: float) -> list[str]:
    return [name for name, drawn in zip(names, rng.uniform(size=len(names)), strict=True) if drawn < share]


def _transitional(rng: np.random.Generator) -> Transitional:
    drawn = rng.uniform()
    if drawn < L6_SHARE:
        return "l6"
    return "sacralised" if drawn < L6_SHARE + SACRALISED_SHARE else "none"


def _swing(rng: np.random.Generator, cobb_deg: float | None) -> Swing:
    drawn = rng.uniform(5, 25) if rng.uniform() < SCOLIOSIS_SHARE else min(abs(rng.normal(0, 2.5)), 5.0)
    cobb = drawn if cobb_deg is None else cobb_deg
    # The bend's apex lies in the middle of the lumbar spine.
    return Swing.of_cobb(float(cobb * rng.choice([-1, 1])), float(np.pi / 2 + rng.normal(0, 0.35)))


def _slip(rng: np.random.Generator) -> Slip | None:
    if rng.uniform() >= LISTHESIS_SHARE:
        return None
    level = rng.choice(3, p=[0.12, 0.53, 0.35])
    return Slip((Level.L3_L4, Level.L4_L5, Level.L5_S1)[level], float(rng.uniform(3, 10)))


def _laminectomy(rng: np.random.Generator) -> frozenset[str]:
    if rng.uniform() >= LAMINECTOMY_SHARE:
        return frozenset()
    last = int(rng.integers(4, len(VERTEBRAE)))
    return frozenset(VERTEBRAE[last + 1 - int(rng.integers(1, 3)) : last + 1])


def _modic(rng: np.random.Generator) -> tuple[Modic, ...]:
    kinds = rng.choice(3, len(ENDPLATE_DISCS), p=[0.3, 0.6, 0.1])
    reaches, fronts = rng.uniform(4, 12, len(kinds)), rng.uniform(0.2, 1.0, len(kinds))
    # The lower a disc, the more it bears.
    share = MODIC_SHARE * np.linspace(0.3, 1.7, len(kinds))
    drawn = rng.uniform(size=len(kinds)) < share
    return tuple(
        Modic(name, MODIC_TYPES[kind], float(reach), float(front))
        for name, kind, reach, front, has in zip(ENDPLATE_DISCS, kinds, reaches, fronts, drawn, strict=True)
        if has
    )


def _nodes(rng: np.random.Generator) -> tuple[EndplateNode, ...]:
    return tuple(
        EndplateNode(
            name,
            1 if rng.uniform() < 0.5 else -1,
            float(rng.normal(0, 4)),
            float(rng.normal(0, 5)),
            float(rng.uniform(2.5, 6)),
        )
        for name in _chosen(rng, ENDPLATE_DISCS, NODE_SHARE)
    )


def _haemangiomas(rng: np.random.Generator, size: float) -> tuple[Haemangioma, ...]:
    return tuple(
        Haemangioma(
            name,
            float(rng.normal(0, 3) * size),
            float(rng.normal(0, 5) * size),
            float(rng.normal(0, 7) * size),
            float(rng.uniform(4, 10) * size),
        )
        for name in _chosen(rng, VERTEBRAE, HAEMANGIOMA_SHARE)
    )


def _cysts(rng: np.random.Generator) -> tuple[Cyst, ...]:
    names = tuple(level.value for level in Level)
    return tuple(
        Cyst(Level(name), Side.LEFT if rng.uniform() < 0.5 else Side.RIGHT, float(rng.uniform(2.5, 4.5)))
        for name in _chosen(rng, names, SYNOVIAL_SHARE * 2)
    )


def _extrusion(rng: np.random.Generator) -> Extrusion:
    level = tuple(Level)[rng.choice(5, p=[0.04, 0.08, 0.13, 0.4, 0.35])]
    return Extrusion(
        level,
        1 if rng.uniform() < 0.65 else -1,
        float(rng.choice([-1, 1]) * rng.uniform(0, 6)),
        float(rng.uniform(7, 14)),
        float(rng.uniform(3, 6)),
    )
