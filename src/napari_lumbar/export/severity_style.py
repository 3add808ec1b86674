"""How a severity looks wherever it is shown: a word, a shape and a colour that agree.

The colours are Okabe and Ito's, told apart by colour-blind readers; the shapes say the same without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.spine import Condition, Severity


@dataclass(frozen=True)
class SeverityStyle:
    """A severity's symbol, its fill colour, and the ink that reads on that fill (contrast >= 4.5)."""

    label: str
    symbol: str
    fill: str
    ink: str


SEVERITY_STYLES: dict[Severity, SeverityStyle] = {
    Severity.NORMAL_MILD: SeverityStyle("Normal/Mild", "●", "#0072B2", "#FFFFFF"),
    Severity.MODERATE: SeverityStyle("Moderate", "■", "#E69F00", "#000000"),
    Severity.SEVERE: SeverityStyle("Severe", "◆", "#D55E00", "#000000"),
}

#: A landmark or crop without a grade.
UNGRADED_FILL = "#9AA0A6"

#: Column headings of the 5 x 5 table, in the order of ``Condition``: the body as it stands on the screen.
CONDITION_HEADINGS: dict[Condition, str] = {
    Condition.RIGHT_NEURAL_FORAMINAL_NARROWING: "Right foramen",
    Condition.RIGHT_SUBARTICULAR_STENOSIS: "Right subarticular",
    Condition.SPINAL_CANAL_STENOSIS: "Canal",
    Condition.LEFT_SUBARTICULAR_STENOSIS: "Left subarticular",
    Condition.LEFT_NEURAL_FORAMINAL_NARROWING: "Left foramen",
}
