"""Every reason for which a file or an image is not used, and every oddity that is noted, each once.

The codes are stable: programs, tests and the catalogue of bad input rely on them.
"""

from __future__ import annotations

from enum import Enum

_AGAIN = "copy or export the study again from its source"
_CLASSIC = "export the series as original MR images, one image a file"


class Exclusion(Enum):
    """Why something is not used: a stable code, a plain sentence, and what a person can do about it."""

    EMPTY = "empty", "the file is empty", _AGAIN
    NOT_DICOM = "not_dicom", "not a DICOM file (no DICM mark after 128 bytes)", "nothing, unless it should be"
    ARCHIVE = (
        "archive",
        "an archive; files inside archives are not read",
        "unpack it and choose the new folder",
    )
    DICOMDIR = "dicomdir", "the index of a medium; images are found by looking at every file", "nothing"
    UNSAFE_REFERENCE = (
        "unsafe_reference",
        "an index of a medium that points outside the folder; its references are not followed",
        "ask where the medium comes from",
    )
    LINK = "link", "a link; links are not followed", "copy the file into the folder"
    NOT_REGULAR = "not_regular", "a pipe, socket or device, not a regular file", "nothing"
    NO_ACCESS = "no_access", "the file or folder cannot be opened", "ask for the right to read it"
    VANISHED = "vanished", "the file vanished or changed while it was read", "read the folder again"
    UNREADABLE = "unreadable", "the header cannot be read; it is damaged or was cut short", _AGAIN
    TRUNCATED_HEADER = (
        "truncated_header",
        "the file ends before its pixels; it was cut short, or holds no image",
        _AGAIN,
    )
    TRUNCATED_PIXELS = "truncated_pixels", "the file ends within its pixels", _AGAIN
    TOO_DEEP = "too_deep", "sequences are nested deeper than any real header", "ask where the file comes from"
    TOO_LARGE = "too_large", "the file inflates to more than an image can hold", "ask where it comes from"
    NOT_MR = "not_mr", "not an MR image", "nothing, unless it should be MR"
    NOT_IMAGE = "not_image", "no image: a report, a presentation state or another object", "nothing"
    ANIMAL = "animal", "an animal's image; positions mean something else there", "read studies of people only"
    MULTI_FRAME = "multi_frame", "several frames without the position of each", _CLASSIC
    MOSAIC = "mosaic", "a mosaic of many slices in one image", _CLASSIC
    UNSUPPORTED_CONTRAST = (
        "unsupported_contrast",
        "a diffusion, phase or parameter image, not a supported contrast",
        "nothing",
    )
    CAPTURE = "capture", "a captured or coloured picture, not an MR slice", "export the original MR images"
    NO_UID = "no_uid", "a UID is missing, so the image cannot be assigned to a study", _AGAIN
    NO_GEOMETRY = (
        "no_geometry",
        "position, orientation or spacing is missing; it is never guessed",
        "export again with geometry",
    )
    GEOMETRY_REMOVED = (
        "geometry_removed",
        "the geometry was removed when the images were de-identified",
        "de-identify again and keep position, orientation and spacing",
    )
    BAD_GEOMETRY = "bad_geometry", "position, orientation or spacing is impossible", _AGAIN
    IMPLAUSIBLE_SPACING = (
        "implausible_spacing",
        "pixel spacing or field of view that no lumbar MR has",
        "export again; the spacing may have been lost",
    )
    SIZE_MISMATCH = "size_mismatch", "the pixels do not fit the size that the header says", _AGAIN
    NO_DECODER = (
        "no_decoder",
        "no decoder for this kind of compression is installed",
        "install it, or export uncompressed",
    )
    UNKNOWN_SYNTAX = (
        "unknown_syntax",
        "the way of encoding is missing, private or unknown; it is never guessed",
        "export uncompressed",
    )
    BAD_PIXELS = "bad_pixels", "the pixels cannot be decoded; they are damaged or mislabelled", _AGAIN
    DECODING_TIMEOUT = (
        "decoding_timeout",
        "decoding took longer than an image can need and was stopped; the pixels are damaged",
        _AGAIN,
    )
    DECODER_CRASHED = (
        "decoder_crashed",
        "the decoder crashed on the pixels; they are damaged or were made to do harm",
        "ask where the file comes from",
    )
    DECODER_NOT_STARTED = (
        "decoder_not_started",
        "the process that decodes compressed images could not be started",
        "restart the program, or export uncompressed",
    )
    BLANK = "blank", "every pixel has the same value", "nothing"
    DUPLICATE = "duplicate", "the same image, byte for byte, as one that is used", "nothing"
    UID_CONFLICT = (
        "uid_conflict",
        "two different images of this series carry one SOPInstanceUID",
        "export the series again",
    )
    REPEATED_POSITION = (
        "repeated_position",
        "another image of the series at this position is newer",
        "nothing",
    )
    STRAY_PLANE = "stray_plane", "a single image of another plane in a series of slices", "nothing"
    STRAY_DERIVED = (
        "stray_derived",
        "a planning, computed or captured image in a series of original slices",
        "nothing",
    )
    OTHER_STUDY = (
        "other_study",
        "belongs to another study than the one chosen",
        "choose that study to read it",
    )

    def __init__(self, code: str, sentence: str, remedy: str) -> None:
        self.code = code
        self.sentence = sentence
        self.remedy = remedy


class Oddity(Enum):
    """What was odd but did not keep anything out: a stable code and a plain sentence."""

    ODD_HEADER = "odd_header", "headers break rules of DICOM; they were read as far as they make sense"
    NO_PREAMBLE = "no_preamble", "files lack DICOM's preamble; they were read because all else fits"
    PROGRAM = "program", "files carry a program in front of the image; it is never run nor copied"
    MISSING_REFERENCES = "missing_references", "files that the medium's index names are not there"
    LOSSY = "lossy", "images were compressed with loss"
    EIGHT_BIT = "eight_bit", "images have 8 bits a pixel, which lost contrast"
    HIGH_BITS = (
        "high_bits",
        "images use more bits than the header says (BitsStored); their contrast may be wrong",
    )
    BODY_PART = "body_part", "headers name another part of the body than the lumbar spine"
    FRAMES_LEFT_OUT = "frames_left_out", "frames of files that are used were left out"
    FRAMES_OF_REFERENCE = "frames_of_reference", "different frames of reference are named by the series"
    JOINED_SERIES = "joined_series", "series of one image each were joined"
    SPLIT_SERIES = "split_series", "one series holds several contrasts, planes or stations and was divided"
    UNEVEN = "uneven", "the distance between slices is uneven; a slice may be missing"
    SKEWED = (
        "skewed",
        "slices of a stack are turned or moved against each other; a position or orientation may be wrong",
    )
    SCATTERED = (
        "scattered",
        "slices stand apart from the stacks of their series; a position may be wrong, or others are missing",
    )
    MIXED_SIZES = "mixed_sizes", "images of one series differ in size or pixel spacing; each keeps its own"
    UNUSUAL_STORAGE = (
        "unusual_storage",
        "images are stored another way round than scanners do; check left and right against the patient",
    )
    CROSSED_NUMBERS = (
        "crossed_numbers",
        "the images' numbers go back and forth along the slices; positions are used, which may be mixed up",
    )
    FRAMES_OF_FILES = (
        "frames_of_files",
        "frames of several files are each numbered from 1; tell images by their place in mm, not by number",
    )
    FIELDS_APART = (
        "fields_apart",
        "series do not show the same part of the body; a position or spacing may be wrong",
    )
    REPEATED = "repeated", "images repeat the position of another"
    STEP_CONTRADICTED = (
        "step_contradicted",
        "the header's slice distance contradicts the positions, which are used",
    )
    OBLIQUE_DISCS = "oblique_discs", "one straight block of slices; it crosses tilted discs obliquely"
    CONTRAST_AGENT = "contrast_agent", "T1 after contrast agent is used, because there is no plain one"

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
