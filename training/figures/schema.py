"""``figures.json``: every figure of a bundle with its interval, its target and the command that prints it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...domain.errors import LumbarError
from ..metrics import Interval
from .targets import target_of

#: Its place inside a bundle.
FIGURES_FILE = "figures.json"


class Figure(BaseModel):
    """One measured number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="stable key, the command's name first", pattern=r"^[^/]+(/[^/]+)+$")
    what: str = Field(description="a person's name for it")
    value: float | None = Field(description="None where it could not be measured")
    low: float | None = Field(default=None, description="95 % interval; None where there is none")
    high: float | None = None
    n: int = Field(description="how many patients or studies it was measured on")
    unit: str = Field(default="", description="of the value; empty for shares and pure numbers")
    target: str = Field(default="", description='"<= 1.2" or ">= 0.95"; empty where nothing was aimed at')
    met: bool | None = Field(default=None, description="whether the value meets the target")
    command: str = Field(description="the command that prints it")
    bundle: str = Field(description="SHA-256 of the bundle's manifest it was measured with")

    @property
    def section(self) -> str:
        """The command that measures it."""
        return self.name.split("/")[0]

    @property
    def title(self) -> str:
        """What it is, and of which part of the findings or studies."""
        parts = self.name.split("/")
        return f"{self.what} ({parts[1]})" if len(parts) > 2 else self.what

    @property
    def line(self) -> str:
        """Plain text for a terminal."""
        target = f", target {self.target}: {_MET[self.met]}" if self.target else ""
        return f"{self.name}: {self.shown} (n = {self.n}){target} - {self.what}"

    @property
    def shown(self) -> str:
        """Value, unit and interval."""
        if self.value is None:
            return "not measured"
        interval = f" [{_number(self.low)} to {_number(self.high)}]" if self.low is not None else ""
        return f"{_number(self.value)}{' ' + self.unit if self.unit else ''}{interval}"


_MET = {True: "met", False: "missed", None: "not measured"}


class _FigureFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    figures: tuple[Figure, ...]


class FigureMaker:
    """Makes the figures of one command and one bundle, with their targets.

    Parameters
    ----------
    section
        Name of the command; the names of its figures begin with it.
    command
        The whole line that prints them.
    bundle
        SHA-256 of the bundle's manifest.
    """

    def __init__(self, section: str, command: str, bundle: str) -> None:
        self._section, self._command, self._bundle = section, command, bundle

    def __call__(
        self,
        name: str,
        what: str,
        value: Interval | float,
        n: int,
        unit: str = "",
    ) -> Figure:
        """A figure with its interval, where it has one."""
        interval = value if isinstance(value, Interval) else Interval(value, math.nan, math.nan)
        name, number = f"{self._section}/{name}", _known(interval.value)
        target = target_of(name)
        return Figure(
            name=name,
            what=what,
            value=number,
            low=_known(interval.low),
            high=_known(interval.high),
            n=n,
            unit=unit,
            target=target,
            met=meets(target, number),
            command=self._command,
            bundle=self._bundle,
        )


def meets(target: str, value: float | None) -> bool | None:
    """Whether a value meets ``"<= x"``, ``">= x"`` or ``"x to y"``; None without a target or a value.

    Raises
    ------
    ValueError
        If the target is none of these.
    """
    if not target:
        return None
    low, high = _bounds(target)
    return None if value is None else low <= value <= high


def _bounds(target: str) -> tuple[float, float]:
    match target.split():
        case ["<=", bound]:
            return -math.inf, float(bound)
        case [">=", bound]:
            return float(bound), math.inf
        case [low, "to", high]:
            return float(low), float(high)
    raise ValueError(f"target {target!r} must be '<= x', '>= x' or 'x to y'")


def load_figures(path: Path) -> tuple[Figure, ...]:
    """The figures of a file, none where it is absent.

    Raises
    ------
    LumbarError
        If the file is malformed.
    """
    if not path.is_file():
        return ()
    try:
        return _FigureFile.model_validate_json(path.read_bytes()).figures
    except ValidationError as error:
        raise LumbarError(f"{path.name} is malformed: {error}; measure the figures again") from error


def save_figures(path: Path, figures: Sequence[Figure]) -> None:
    """Put figures into a file in the place of the older ones of the same commands."""
    sections = {figure.section for figure in figures}
    kept = (figure for figure in load_figures(path) if figure.section not in sections)
    _write(path, (*kept, *figures))


def _write(path: Path, figures: Iterable[Figure]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    text = _FigureFile(figures=tuple(figures)).model_dump_json(indent=1)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.6g}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
