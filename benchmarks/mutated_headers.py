"""Studies with mutated headers and known truth: count those that are wrong without a word.

    python -m benchmarks.mutated_headers --cases 2000 [--seed 0] [--write]

A study that is read must place every pixel that is known, landmarks, corners and centres, where it truly
lies, and keep slices in their order; or it must be refused, or say that something is odd. Mutations after
which the headers are right for another patient no reader of headers can tell: they are counted apart.
``--write`` puts the figures into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from benchmarks.analyze import keep
from benchmarks.header_mutations import CONSISTENT, DETECTABLE, Mutation
from benchmarks.known_study import Draft, KnownStudy, TrueSlice, known_study

from napari_lumbar.dicom import read_study
from napari_lumbar.domain.errors import StudyError
from napari_lumbar.domain.study import MRSeries, MRSlice, Study

#: Well below a pixel; what is further off is wrong.
TOLERANCE_MM = 0.5
#: Two phantoms of tilted stacks and one of a straight block.
STUDY_SEEDS = (1, 6, 5)
#: Of the cases, so many are of the kind that no reader of headers can tell.
CONSISTENT_SHARE = 0.1


class Outcome(Enum):
    """What came of a case; only the last is a failure."""

    RIGHT = "right, without a word"
    RIGHT_FLAGGED = "right, and flagged"
    WRONG_FLAGGED = "wrong, and flagged"
    REFUSED = "refused with a reason"
    SILENT = "wrong without a word"


@dataclass(frozen=True)
class Case:
    """One mutated study and what came of it."""

    name: str
    seed: int
    outcome: Outcome
    detail: str


def main() -> None:
    """Run the cases, print the figures, and with ``--write`` keep them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        studies = known_studies(Path(scratch))
        detectable = list(run(studies, DETECTABLE, arguments.cases, arguments.seed, Path(scratch)))
        n_consistent = round(arguments.cases * CONSISTENT_SHARE)
        consistent = list(run(studies, CONSISTENT, n_consistent, arguments.seed, Path(scratch)))
    text = report(detectable, consistent, arguments.seed)
    print(text)
    if arguments.write:
        keep("headers mutated, with known truth", text)


def known_studies(scratch: Path) -> list[KnownStudy]:
    """The studies that are mutated; each is read right and without a word as it is."""
    studies = [known_study(seed, scratch / f"study{seed}") for seed in STUDY_SEEDS]
    for study in studies:
        outcome, detail = judged(Draft(study), scratch / "plain")
        roles = [series.role for series in read_study(scratch / "plain").series]
        if outcome is not Outcome.RIGHT or None in roles:
            raise RuntimeError(f"{study.folder.name} is {outcome.value} unaltered: {detail}, roles {roles}")
    return studies


def run(
    studies: list[KnownStudy], mutations: Mapping[str, Mutation], cases: int, seed: int, scratch: Path
) -> Iterator[Case]:
    """Run cases of consecutive seeds; mutations and studies take turns, each mutation draws from its seed."""
    names = list(mutations)
    for number in range(seed, seed + cases):
        name = names[number % len(names)]
        draft = Draft(studies[(number // len(names)) % len(studies)])
        mutations[name](draft, np.random.default_rng(number))
        yield Case(name, number, *judged(draft, scratch / "case"))


def judged(draft: Draft, folder: Path) -> tuple[Outcome, str]:
    """Write a draft to ``folder``, read it, and compare with the truth."""
    shutil.rmtree(folder, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what is written wrongly on purpose
        draft.write(folder)
    try:
        study = read_study(folder)
    except StudyError as error:
        return Outcome.REFUSED, str(error)
    wrong = next(faults(study, draft), "")
    flags = [*study.warnings, *(record.reason for record in study.accounting.excluded)]
    if wrong:
        return (Outcome.WRONG_FLAGGED if flags else Outcome.SILENT), wrong
    return (Outcome.RIGHT_FLAGGED if flags else Outcome.RIGHT), ""


def faults(study: Study, draft: Draft) -> Iterator[str]:
    """What of a study is not as it truly is."""
    for series in study.series:
        for mr_slice in series.slices:
            fault = slice_fault(mr_slice, draft.truth(mr_slice.sop_instance_uid))
            if fault:
                yield f"{mr_slice.sop_instance_uid}: {fault}"
        if not in_order(series, draft):
            yield f"series {series.series_id}: slices out of order"


def slice_fault(mr_slice: MRSlice, truth: TrueSlice) -> str:
    """Say how far off known pixels are, or that the image is another; nothing if all is right."""
    if mr_slice.pixels.shape != truth.pixels.shape:
        return f"an image of {mr_slice.pixels.shape} pixels is {truth.pixels.shape}"
    here, there = (
        geometry.lps_from_pixel(truth.known_rc) for geometry in (mr_slice.geometry, truth.geometry)
    )
    off_mm = float(np.linalg.norm(here - there, axis=1).max())
    return f"{off_mm:.2f} mm off" if off_mm > TOLERANCE_MM else ""


def in_order(series: MRSeries, draft: Draft) -> bool:
    """Whether the slices of each stack run as they truly lie: right to left, or from the head to the feet."""
    for stack in series.stacks:
        truths = [draft.truth(s.sop_instance_uid) for s in stack.slices]
        axis, sign = (2, -1) if truths[0].series == "axial" else (0, 1)
        along = [sign * t.geometry.centre_lps_mm[axis] for t in truths if t.series == truths[0].series]
        if (np.diff(along) < -TOLERANCE_MM).any():
            return False
    return True


def report(detectable: list[Case], consistent: list[Case], seed: int) -> str:
    """The figures as Markdown."""
    silent = [case for case in detectable if case.outcome is Outcome.SILENT]
    bound = f", 95 % upper bound {100 * (1 - 0.05 ** (1 / len(detectable))):.2f} %" if not silent else ""
    lines = [
        f"{len(detectable)} cases of {len({c.name for c in detectable})} mutations from seed {seed}, on "
        f"{len(STUDY_SEEDS)} phantom studies; wrong is a known pixel more than {TOLERANCE_MM:g} mm off, "
        f"a slice out of order, or an image of another shape. "
        f"`python -m benchmarks.mutated_headers --cases {len(detectable)}`",
        "",
        "| outcome | cases |",
        "|---|---|",
        *(f"| {o.value} | {sum(c.outcome is o for c in detectable)} |" for o in Outcome),
        "",
        f"Wrong side, level or millimetre without a word: {len(silent)} of {len(detectable)}{bound}.",
        *(f"- {case.name}, seed {case.seed}: {case.detail}" for case in silent),
        "",
        f"Another {len(consistent)} cases leave headers that are right for another patient, which no reader "
        "of headers can tell. Sides and millimetres of these are wrong unless the images are looked at:",
        "",
        "| mutation | cases | flagged or right all the same | without a word |",
        "|---|---|---|---|",
        *_consistent_rows(consistent),
    ]
    return "\n".join(lines)


def _consistent_rows(cases: list[Case]) -> Iterator[str]:
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for case in cases:
        counts[case.name][case.outcome is Outcome.SILENT] += 1
    for name, count in counts.items():
        yield f"| {name} | {count.total()} | {count[False]} | {count[True]} |"


if __name__ == "__main__":
    main()
