"""Levels, sides, conditions and severities, with the names the RSNA 2024 files give them."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple


class Level(Enum):
    """A disc level, cranial to caudal."""

    L1_L2 = "L1/L2"
    L2_L3 = "L2/L3"
    L3_L4 = "L3/L4"
    L4_L5 = "L4/L5"
    L5_S1 = "L5/S1"

    @property
    def column(self) -> str:
        """The suffix RSNA's ``train.csv`` uses, for example ``l4_l5``."""
        return self.value.lower().replace("/", "_")

    @property
    def rank(self) -> int:
        """0 for L1/L2 to 4 for L5/S1."""
        return list(Level).index(self)


class Side(Enum):
    """A side of the **patient**, never of the screen."""

    LEFT = "Left"
    RIGHT = "Right"

    @property
    def opposite(self) -> Side:
        """The patient's other side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class ConditionGroup(Enum):
    """A condition without its side; one network grades one group."""

    CANAL = "Spinal Canal Stenosis"
    FORAMINAL = "Neural Foraminal Narrowing"
    SUBARTICULAR = "Subarticular Stenosis"


class Condition(Enum):
    """One of the five RSNA conditions; the value is the text of RSNA's coordinate table."""

    RIGHT_NEURAL_FORAMINAL_NARROWING = "Right Neural Foraminal Narrowing"
    RIGHT_SUBARTICULAR_STENOSIS = "Right Subarticular Stenosis"
    SPINAL_CANAL_STENOSIS = "Spinal Canal Stenosis"
    LEFT_SUBARTICULAR_STENOSIS = "Left Subarticular Stenosis"
    LEFT_NEURAL_FORAMINAL_NARROWING = "Left Neural Foraminal Narrowing"

    @property
    def side(self) -> Side | None:
        """The patient's side, or None for the canal."""
        first = self.value.split()[0]
        return Side(first) if first in ("Left", "Right") else None

    @property
    def group(self) -> ConditionGroup:
        """The condition without its side."""
        return ConditionGroup(self.value.removeprefix("Left ").removeprefix("Right "))

    @property
    def column(self) -> str:
        """The stem RSNA's ``train.csv`` uses, for example ``left_subarticular_stenosis``."""
        return self.value.lower().replace(" ", "_")

    @property
    def opposite(self) -> Condition:
        """The same on the patient's other side; the canal is its own opposite."""
        return Condition.of(self.group, self.side.opposite if self.side else None)

    @classmethod
    def of(cls, group: ConditionGroup, side: Side | None = None) -> Condition:
        """Return the condition of ``group`` on the patient's ``side`` (None for the canal)."""
        return cls(f"{side.value} {group.value}" if side else group.value)


class Severity(IntEnum):
    """Ordered severity; the integer is the class index of every network and table."""

    NORMAL_MILD = 0
    MODERATE = 1
    SEVERE = 2

    @property
    def label(self) -> str:
        """The text RSNA's ``train.csv`` uses."""
        return ("Normal/Mild", "Moderate", "Severe")[self]

    @classmethod
    def from_label(cls, label: str) -> Severity:
        """Return the severity that RSNA writes as ``label``; raise ``ValueError`` for others."""
        for severity in cls:
            if severity.label == label:
                return severity
        raise ValueError(f"severity {label!r} is none of {[s.label for s in cls]}")


class FindingKey(NamedTuple):
    """What a finding is about: one condition at one level."""

    condition: Condition
    level: Level

    @property
    def column(self) -> str:
        """The column of RSNA's ``train.csv``, for example ``spinal_canal_stenosis_l1_l2``."""
        return f"{self.condition.column}_{self.level.column}"

    @property
    def text(self) -> str:
        """A person's name for it, for example ``L4/L5 left subarticular stenosis``."""
        return f"{self.level.value} {self.condition.value.lower()}"

    @property
    def opposite(self) -> FindingKey:
        """The same on the patient's other side; the canal is its own opposite."""
        return FindingKey(self.condition.opposite, self.level)


ALL_FINDINGS: tuple[FindingKey, ...] = tuple(
    FindingKey(condition, level) for condition in Condition for level in Level
)
