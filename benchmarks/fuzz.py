"""Read damaged images by the hundred thousand: nothing may crash, hang, or raise an error but the project's.

    python -m benchmarks.fuzz --cases 1000000 [--seed 1] [--jobs 2] [--only CASE] [--write]

Every case is made from the seed and its number alone, so ``--only`` makes one again. Ends with 1 where a case
failed. ``--write`` puts the figures into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import faulthandler
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

from napari_lumbar.dicom import loading, read_study, survey_folder
from napari_lumbar.dicom.decoder_process import DecoderProcess
from napari_lumbar.domain.errors import StudyError
from napari_lumbar.domain.study import FileOutcome

from . import mutants

LONGEST_CASE_S = 5.0
MOST_GROWTH_BYTES = 2**30
CHUNK = 250
#: A process that hangs is ended after this time for a chunk, with its stack on standard error.
_HANG_S = 300.0


@dataclass
class Tally:
    """What came of cases: how often each code, the failures, the slowest with its number, and memory.

    ``without_decoder`` are cases that the decoder process did not survive; that is what it is for.
    """

    cases: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)
    growth_bytes: int = 0
    without_decoder: list[int] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take another's cases in."""
        self.cases += other.cases
        self.codes += other.codes
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        self.growth_bytes = max(self.growth_bytes, other.growth_bytes)
        self.without_decoder += other.without_decoder


def main() -> None:
    """Run the cases and print what came of them."""
    arguments = parse()
    if arguments.only is not None:
        print(run_chunk(arguments.seed, arguments.only, arguments.only + 1))
        return
    started = time.perf_counter()
    tally = run(arguments.seed, arguments.cases, arguments.jobs)
    text = summary(tally, time.perf_counter() - started)
    print(text)
    if arguments.write:
        # This brings PyTorch, which the processes can do without.
        from benchmarks.analyze import keep  # noqa: PLC0415

        keep("fuzzing of scan, read and decode", f"Seed {arguments.seed}, {arguments.jobs} processes. {text}")
    sys.exit(bool(tally.failures))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def run(seed: int, cases: int, jobs: int) -> Tally:
    """Run cases 0 to ``cases`` in processes; one that dies is a failure of its cases."""
    total = Tally()
    starts = range(0, cases, CHUNK)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        chunks = [pool.submit(run_chunk, seed, start, min(start + CHUNK, cases)) for start in starts]
        for start, chunk in zip(starts, chunks, strict=True):
            try:
                total.add(chunk.result())
            except BrokenProcessPool:
                total.failures.append(
                    f"a process died; it ran one of the first unfinished cases, from {start}"
                )
                break
    if total.growth_bytes > MOST_GROWTH_BYTES:
        total.failures.append(f"memory grew by {total.growth_bytes} bytes")
    return total


def run_chunk(seed: int, start: int, stop: int) -> Tally:
    """Run some cases in this process."""
    good = _good()
    # One decoder process for all that this process reads: starting one takes longer than a hundred cases.
    shared = patch.object(loading, "DecoderProcess", lambda _: contextlib.nullcontext(_decoder()))
    with shared, tempfile.TemporaryDirectory() as scratch:
        before = _resident_bytes()
        tally = Tally()
        faulthandler.dump_traceback_later(_HANG_S, exit=True)
        for case in range(start, stop):
            folder = Path(scratch, str(case))
            _make(folder, random.Random(f"{seed}-{case}"), good)
            _run_case(folder, case, tally)
            shutil.rmtree(folder)
        faulthandler.cancel_dump_traceback_later()
        tally.growth_bytes = max(0, _peak_bytes() - before)
    return tally


def summary(tally: Tally, seconds: float) -> str:
    """Say what came of the cases in Markdown."""
    slowest_s, case = tally.slowest
    lines = [
        f"{tally.cases} cases in {seconds:.0f} s ({tally.cases / seconds:.0f} a second), "
        f"{len(tally.failures)} failed. Slowest: {slowest_s:.2f} s (case {case}). "
        f"Memory grew by {tally.growth_bytes / 2**20:.0f} MiB. {_processor_s():.0f} s of processor time. "
        f"Cases that the decoder process did not survive: {sorted(tally.without_decoder) or 'none'}.",
        *(f"\nFAILED {failure}" for failure in tally.failures[:20]),
        "\n| outcome | files |\n|---|---|",
        *(f"| {code} | {count} |" for code, count in tally.codes.most_common()),
    ]
    return "\n".join(lines)


def _run_case(folder: Path, case: int, tally: Tally) -> None:
    _decoder()._started()  # after a crash: what starting takes is no part of a case
    began = time.perf_counter()
    try:
        tally.codes.update(_outcomes(folder))
        tally.without_decoder += [case] * (_decoder()._child is None)
    except Exception:  # noqa: BLE001
        tally.failures.append(f"case {case}: {traceback.format_exc()}")
    seconds = time.perf_counter() - began
    if seconds > LONGEST_CASE_S:
        tally.failures.append(f"case {case}: took {seconds:.1f} s")
    tally.slowest = max(tally.slowest, (seconds, case))
    tally.cases += 1


def _outcomes(folder: Path) -> list[str]:
    """What became of each file; an error that is the project's own is an outcome."""
    refused = []
    try:
        accounting = read_study(folder).accounting
    except StudyError:
        accounting = survey_folder(folder, lambda _: None, lambda: None).accounting
        refused = ["study refused"] * bool(accounting.count(FileOutcome.USED))
    return [*refused, *(record.code for record in accounting.records)]


def _make(folder: Path, rng: random.Random, good: dict[str, bytes]) -> None:
    """A damaged image; in some folders beside a good one, or beside another damaged one."""
    folder.mkdir()
    names = list(good)
    name = rng.choice(names)
    folder.joinpath("a").write_bytes(mutants.mutant(rng, name, good))
    neighbours = rng.random()
    if neighbours < 0.1:
        beside = (
            good["ExplicitVRLittleEndian"].replace(b"1.2.3.4.5\0", b"1.2.3.4.6\0").replace(b"1.5\\", b"5.9\\")
        )
        folder.joinpath("b").write_bytes(beside)
    elif neighbours < 0.2:
        other = mutants.mutant(rng, name, good).replace(b"1.2.3.4.5\0", b"1.2.3.4.6\0")
        folder.joinpath("b").write_bytes(other)


@cache
def _good() -> dict[str, bytes]:
    return mutants.seeds()


@cache
def _decoder() -> DecoderProcess:
    decoder = DecoderProcess(lambda: None)
    atexit.register(decoder.__exit__, None, None, None)
    return decoder


def _processor_s() -> float:
    """Processor time of this process and of those that it waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
