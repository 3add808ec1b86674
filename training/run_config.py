"""What a run was started with; it goes on only with the same."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .. import __version__
from ..domain.errors import LumbarError

_FILE = "config.json"


class RunConfig(BaseModel):
    """Everything that decides which weights a run ends with.

    Parameters
    ----------
    tables_sha256
        Of the tables in ``data``.
    processes
        How many train together: each takes every n-th batch.
    points
        A table that pretrains; '' for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: str
    preset: Literal["tiny", "paper"]
    data: str
    tables_sha256: str
    processes: int
    folds: int
    seed: int
    effort: float
    localizer: str
    cache: str
    points: str = ""
    version: str = __version__


def keep_config(run: Path, config: RunConfig, resume: bool) -> None:
    """Write the configuration of a new run, or check that a run to go on with had the same.

    Raises
    ------
    LumbarError
        If the folder holds a run and ``resume`` is not asked for, or that run was started otherwise.
    """
    path = run / _FILE
    if not path.is_file():
        run.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(config.model_dump_json(indent=1), encoding="utf-8")
        temporary.replace(path)
        return
    if not resume:
        raise LumbarError(f"{run} holds a run: add --resume to go on with it, or choose another --out")
    before = RunConfig.model_validate_json(path.read_bytes())
    other = [
        f"{name} was {was!r} and is now {now!r}"
        for (name, was), (_, now) in zip(before, config, strict=True)
        if was != now
    ]
    if other:
        raise LumbarError(f"{run} was started otherwise: {'; '.join(other)}. Choose another --out")


def load_config(run: Path) -> RunConfig:
    """What a run was started with.

    Raises
    ------
    LumbarError
        If the folder holds no run.
    """
    path = run / _FILE
    if not path.is_file():
        raise LumbarError(f"{run} holds no run: it has no {_FILE}")
    return RunConfig.model_validate_json(path.read_bytes())
