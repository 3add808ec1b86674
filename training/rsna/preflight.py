"""The look at training data before any training: what is there, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .checks import Problem, table_problems
from .images import IMAGES, image_problems
from .tables import RsnaTables, read_tables

_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Preflight:
    """What a look at training data found; ``with_images`` counts the studies whose images are there."""

    tables: RsnaTables
    with_images: int
    problems: tuple[Problem, ...]

    def lines(self, examples: int = _EXAMPLES) -> list[str]:
        """Text for a terminal: how much there is, then each kind of problem with some examples."""
        counts = Counter(problem.code for problem in self.problems)
        studies = len({problem.study_id for problem in self.problems})
        lines = [
            f"{len(self.tables.studies)} studies, {self.with_images} of them with images; "
            f"{len(self.tables.grades)} grades, {len(self.tables.points)} points, "
            f"{len(self.tables.series)} series",
            f"{len(self.problems)} problems in {studies} studies",
        ]
        for code, count in counts.most_common():
            lines.append(f"{code}: {count}")
            some = [problem for problem in self.problems if problem.code == code][:examples]
            lines += [f"    study {problem.study_id}: {problem.what}" for problem in some]
        return lines

    def as_json(self) -> dict[str, Any]:
        """Everything, for a program."""
        return {
            "studies": len(self.tables.studies),
            "with_images": self.with_images,
            "grades": len(self.tables.grades),
            "points": len(self.tables.points),
            "series": len(self.tables.series),
            "problems": [asdict(problem) for problem in self.problems],
        }


def look_at(root: Path) -> Preflight:
    """Read and check the training data in ``root``, and the headers of the images that are there.

    Raises
    ------
    LumbarError
        If the tables cannot be read; see ``read_tables``.
    """
    tables = read_tables(root)
    with_images = sum((root / IMAGES / study).is_dir() for study in tables.studies)
    problems = [*table_problems(tables), *image_problems(tables, root)]
    return Preflight(tables, with_images, tuple(sorted(problems, key=lambda p: (p.study_id, p.code, p.what))))
