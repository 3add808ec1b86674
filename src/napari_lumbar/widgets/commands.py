"""What a person can ask for, by the words that buttons, tooltips and the sheet of keys have in common."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from ..domain.spine import Severity


class Command(Enum):
    """A command of the reader; the value is what it does."""

    UNDO = "Undo"
    REDO = "Redo"
    GRADE_NORMAL = "Grade by hand: normal/mild"
    GRADE_MODERATE = "Grade by hand: moderate"
    GRADE_SEVERE = "Grade by hand: severe"
    CLEAR_GRADE = "Take the grade by hand back"
    PUT_HERE = "Put the point on the slice shown"
    MARK_ABSENT = "Mark as absent"
    RESET = "Reset the point to the prediction"
    NAMES_UP = "Move all level names up"
    NAMES_DOWN = "Move all level names down"
    SWAP_SIDES = "Swap left and right"
    REGRADE = "Grade stale findings again"
    EXPORT = "Export the results"
    PROPOSE = "Propose side points again"
    LEAVE = "Leave the side points"
    SHOW_KEYS = "Show the keys"


GRADE_COMMANDS: Mapping[Severity, Command] = {
    Severity.NORMAL_MILD: Command.GRADE_NORMAL,
    Severity.MODERATE: Command.GRADE_MODERATE,
    Severity.SEVERE: Command.GRADE_SEVERE,
}
