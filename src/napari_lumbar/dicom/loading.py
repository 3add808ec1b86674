"""Decode the pixels of slices, file by file."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..domain.study import PixelArray
from .arrange import Arrangement, arranged
from .codes import Oddity
from .complaint import Complaint
from .decoder_process import DecoderProcess
from .headers import SliceHeader
from .pixels import WantedSlice, read_pixels
from .repeats import LeftOut

#: A slice is found again by its file and its frame.
SliceKey = tuple[str, int | None]


@dataclass
class Loaded:
    """Signal of the slices that were decoded, the others with the reason, and what was odd."""

    signals: dict[SliceKey, PixelArray] = field(default_factory=dict)
    failed: dict[SliceKey, LeftOut] = field(default_factory=dict)
    oddities: list[Oddity] = field(default_factory=list)


def slice_key(header: SliceHeader) -> SliceKey:
    """Return the key of a slice in ``Loaded``."""
    return header.path, header.frame


def load_arranged(
    folder: Path,
    headers: Sequence[SliceHeader],
    report: Callable[[float], None],
    cancel: Callable[[], None],
    laid_out: bool = False,
) -> tuple[Arrangement, Loaded]:
    """Arrange the slices of one study and decode those that are used.

    Where one cannot be decoded, the rest is arranged anew, so that a damaged repeat never hides a good image.
    Compressed pixels are decoded in a process of their own.

    Parameters
    ----------
    report
        Called with the fraction done, 0 to 1.
    cancel
        Called before each file, and while a compressed one is decoded; raises to stop.
    laid_out
        Tables name each series by its folder (``series_ids``).
    """
    loaded = Loaded()
    with DecoderProcess(cancel) as decoder:
        while True:
            plan = arranged([h for h in headers if slice_key(h) not in loaded.failed], laid_out)
            wanted = [header for group in plan.groups for header in group.headers]
            missing = [header for header in wanted if slice_key(header) not in loaded.signals]
            if not missing:
                return plan, loaded
            _load(folder, missing, loaded, decoder, report, cancel)
            report = _said_already


def _said_already(_: float) -> None:
    """Only the first round moves the bar: others are short, and a bar never goes back."""


def _load(
    folder: Path,
    headers: Sequence[SliceHeader],
    loaded: Loaded,
    decoder: DecoderProcess,
    report: Callable[[float], None],
    cancel: Callable[[], None],
) -> None:
    by_path: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        by_path[header.path].append(header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the scan has counted odd headers already
        for done, (path, of_file) in enumerate(by_path.items(), start=1):
            cancel()
            wanted = [WantedSlice.of(header) for header in of_file]
            read = decoder.read if of_file[0].compressed else read_pixels
            for header, outcome in zip(of_file, read(folder / path, wanted), strict=True):
                if isinstance(outcome, Complaint):
                    loaded.failed[slice_key(header)] = header, outcome
                else:
                    loaded.signals[slice_key(header)] = outcome.signal
                    loaded.oddities += outcome.oddities
            report(done / len(by_path))
