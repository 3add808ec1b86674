"""Pixels of the slices of one file: decoded, rescaled, bright where the tissue signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from ..domain.study import PixelArray
from .codes import Exclusion, Oddity
from .complaint import Complaint
from .elements import number, uid, value
from .frames import frame_datasets
from .headers import SliceHeader
from .opening import open_whole
from .syntaxes import find_decoder, is_compressed

#: Bits above BitsStored are looked at before they are left out; pydicom would drop them unseen.
_ALL_BITS: dict[str, Any] = {"correct_unused_bits": False}

#: In an image of MR neighbouring rows are alike. Read with its rows and columns exchanged they are not: they
#: differ by more than so many times as much as in the image itself. Smaller images tell nothing.
_SCRAMBLED_RATIO, _FEWEST_ROWS = 1.1, 32


@dataclass(frozen=True, eq=False)
class SlicePixels:
    """Signal of one slice, shape (rows, columns), and what was odd about it."""

    signal: PixelArray
    oddities: tuple[Oddity, ...] = ()


@dataclass(frozen=True)
class WantedSlice:
    """A slice to decode, and what its file was when its header was read.

    Parameters
    ----------
    frame
        Counted from 0; None for a classic image.
    """

    sop_instance_uid: str
    frame: int | None
    rows: int
    columns: int
    compressed: bool

    @classmethod
    def of(cls, header: SliceHeader) -> WantedSlice:
        """The slice of a header."""
        size = header.geometry.rows, header.geometry.columns
        return cls(header.sop_instance_uid, header.frame, *size, header.compressed)

    def as_list(self) -> list[str | int | None]:
        """The arguments that make it again."""
        return list(astuple(self))


def read_pixels(path: Path, wanted: Sequence[WantedSlice]) -> Iterator[SlicePixels | Complaint]:
    """Decode the slices of one file, slope and intercept of each applied, or say why not; in their order.

    MONOCHROME1 is inverted, so that larger is brighter in every slice.
    """
    # Decoders and damaged files raise nearly any exception; one file must not stop the others.
    try:
        dataset = open_whole(path)
        complaint = _changed(dataset, wanted[0])
        frames = frame_datasets(dataset) if wanted[0].frame is not None else [dataset]
    except FileNotFoundError:
        complaint = Complaint(Exclusion.VANISHED)
    except MemoryError:
        complaint = Complaint(Exclusion.TOO_LARGE)
    except Exception as error:  # noqa: BLE001
        complaint = Complaint(Exclusion.BAD_PIXELS, type(error).__name__)
    for one in wanted:
        yield complaint or _slice_pixels(dataset, frames, one)


def rescaled(stored: npt.NDArray[Any], dataset: Dataset) -> PixelArray:
    """Stored values of shape (rows, columns) as signal, by the slice's own slope and intercept."""
    stored = stored.astype(np.float64)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        # The complement within the stored range, not within the slice: slices stay comparable.
        signed = bool(dataset.PixelRepresentation)
        stored = (-1 if signed else 2 ** int(dataset.BitsStored) - 1) - stored
    slope, intercept = value(dataset, "RescaleSlope"), value(dataset, "RescaleIntercept")
    signal = stored * float(1 if slope is None else slope) + float(intercept or 0)
    return np.asarray(signal, dtype=np.float32)


def _changed(dataset: Dataset, wanted: WantedSlice) -> Complaint | None:
    if "PixelData" not in dataset:
        return Complaint(Exclusion.BAD_PIXELS, "PixelData is not reached")
    same_image = uid(dataset, "SOPInstanceUID") == wanted.sop_instance_uid
    same = same_image and is_compressed(dataset) == wanted.compressed
    return None if same else Complaint(Exclusion.VANISHED, "it holds another image than before")


def _slice_pixels(
    dataset: Dataset, frames: Sequence[Dataset], wanted: WantedSlice
) -> SlicePixels | Complaint:
    try:
        return _decoded(dataset, frames[wanted.frame or 0], wanted)
    except (KeyboardInterrupt, SystemExit):
        raise
    except MemoryError:
        return Complaint(Exclusion.TOO_LARGE)
    except BaseException as error:  # noqa: BLE001 - a panic of a decoder written in Rust is no Exception
        return Complaint(Exclusion.BAD_PIXELS, type(error).__name__)


def _decoded(dataset: Dataset, frame: Dataset, wanted: WantedSlice) -> SlicePixels | Complaint:
    decoder = find_decoder(dataset)
    if isinstance(decoder, Complaint):
        return decoder
    raw, _ = decoder.as_array(dataset, index=wanted.frame or 0, **_ALL_BITS)
    expected = wanted.rows, wanted.columns
    if raw.shape != expected:
        return Complaint(Exclusion.SIZE_MISMATCH, f"{raw.shape} pixels, the header says {expected}")
    if _rows_exchanged(raw):
        detail = f"they make an image with {raw.shape[1]} rows of {raw.shape[0]}, the header says {expected}"
        return Complaint(Exclusion.SIZE_MISMATCH, detail)
    stored = _within_bits_stored(raw, dataset)
    signal = rescaled(stored, frame)
    if not np.isfinite(signal).all():
        return Complaint(Exclusion.BAD_PIXELS, "RescaleSlope or RescaleIntercept is not a finite number")
    if np.ptp(signal) == 0:
        return Complaint(Exclusion.BLANK)
    return SlicePixels(signal, (Oddity.HIGH_BITS,) * bool((stored != raw).any()))


def _rows_exchanged(raw: npt.NDArray[Any]) -> bool:
    """Whether the pixels make an image only if Rows and Columns change places: neighbours are alike then."""
    rows, columns = raw.shape
    if rows == columns or min(rows, columns) < _FEWEST_ROWS:
        return False
    signal = raw.astype(np.float64)
    here, there = (np.abs(np.diff(image, axis=0)).mean() for image in (signal, signal.reshape(columns, rows)))
    return bool(here > _SCRAMBLED_RATIO * there)


def _within_bits_stored(raw: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[Any]:
    """Leave out bits above BitsStored, which may hold anything (DICOM PS3.5 8.1.1)."""
    allocated, stored = number(dataset, "BitsAllocated"), number(dataset, "BitsStored")
    if raw.dtype.kind not in "iu" or not allocated or not stored or not 0 < stored < allocated:
        return raw
    shift = raw.dtype.itemsize * 8 - int(stored)
    return np.right_shift(np.left_shift(raw, shift), shift)
