from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import RLELossless

from napari_lumbar.dicom import SeveralStudiesError, list_studies, read_study
from napari_lumbar.dicom.accounting import excluded_counts
from napari_lumbar.dicom.codes import Exclusion
from napari_lumbar.dicom.stacks import Plane
from napari_lumbar.domain.errors import Cancelled, StudyError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.pseudonym import pseudonym
from napari_lumbar.domain.study import FileOutcome, SeriesRole, Study

Block = Callable[..., list[SliceGeometry]]
Write = Callable[..., Path]


def read_all(folder: Path) -> Study:
    """Read, and check that no file was lost on the way."""
    study = read_study(folder)
    n_files = sum(len(files) for _, _, files in os.walk(folder))
    used, excluded = (study.accounting.count(outcome) for outcome in FileOutcome)
    assert used + excluded == len(study.accounting.records) == n_files
    assert used == sum(len(series.slices) for series in study.series)
    return study


def excluded_codes(study: Study) -> dict[str, str]:
    return {record.path: record.code for record in study.accounting.excluded}


@pytest.fixture
def sagittal(tmp_path: Path, block: Block, write: Write) -> Path:
    """A folder with one good sagittal series of three slices, ``good0`` to ``good2``."""
    for i, geometry in enumerate(block("sagittal", 3)):
        write(tmp_path / f"good{i}", geometry)
    return tmp_path


def test_file_names_and_instance_numbers_do_not_order_slices(
    tmp_path: Path, block: Block, write: Write
) -> None:
    geometries = [g for i in range(5) for g in block("axial", 4, centre=(0, 0, -35 * i), tilt_deg=8 * i - 6)]
    names = random.Random(3).sample(range(100), len(geometries))
    for number, (name, geometry) in enumerate(zip(names, geometries, strict=True)):
        write(tmp_path / f"{name}.dcm", geometry, InstanceNumber=100 - number)
    (series,) = read_all(tmp_path).series
    assert [len(stack.slices) for stack in series.stacks] == [4] * 5
    heights = [s.geometry.centre_lps_mm[2] for s in series.slices]
    assert heights == sorted(heights, reverse=True)
    expected = {round(g.centre_lps_mm[2], 3): 100 - i for i, g in enumerate(geometries)}
    assert [s.instance_number for s in series.slices] == [expected[round(z, 3)] for z in heights]


@pytest.mark.parametrize("compress", [False, True], ids=["raw", "rle"])
def test_pixels_and_geometry_survive_non_square_images(
    tmp_path: Path, block: Block, write: Write, compress: bool
) -> None:
    (geometry,) = block("axial", 1, tilt_deg=20, spacing_mm=(0.9, 0.4), size=(10, 24))
    pixels = np.arange(240, dtype=np.uint16).reshape(10, 24)
    write(tmp_path / "a", geometry, pixels, compress=compress)
    (only,) = read_all(tmp_path).series[0].slices
    np.testing.assert_array_equal(only.pixels, pixels)
    assert only.pixels.dtype == np.float32
    assert (only.geometry.row_spacing_mm, only.geometry.column_spacing_mm) == (0.9, 0.4)
    corner = only.geometry.lps_from_pixel([9, 23])
    np.testing.assert_allclose(corner, geometry.lps_from_pixel([9, 23]), atol=1e-5)


@pytest.mark.parametrize(
    ("pixels", "attributes", "expected"),
    [
        pytest.param([[0, 100]], {"RescaleSlope": 0.5, "RescaleIntercept": -10}, [[-10, 40]], id="rescale"),
        pytest.param([[0, 4095]], {"PhotometricInterpretation": "MONOCHROME1"}, [[4095, 0]], id="mono1"),
        pytest.param(
            [[10, 20]],
            {"PhotometricInterpretation": "MONOCHROME1", "RescaleSlope": 2, "RescaleIntercept": 1},
            [[8171, 8151]],
            id="mono1-rescaled",
        ),
    ],
)
def test_stored_values_become_signal(
    tmp_path: Path,
    block: Block,
    write: Write,
    pixels: list[list[int]],
    attributes: dict[str, Any],
    expected: list[list[float]],
) -> None:
    (geometry,) = block("axial", 1, size=(1, 2))
    write(tmp_path / "a", geometry, np.array(pixels, dtype=np.uint16), **attributes)
    (only,) = read_all(tmp_path).series[0].slices
    np.testing.assert_array_equal(only.pixels, expected)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([{"WindowCenter": c, "WindowWidth": 2 * c} for c in (90, 100, 130)], (100, 200)),
        ([{"WindowCenter": [80, 300], "WindowWidth": [160, 500]}, {}, {}], (80, 160)),
        ([{"WindowCenter": 80}, {"WindowWidth": 100}, {"WindowCenter": 5, "WindowWidth": 0}], None),
        ([{"WindowCenter": 9, "WindowWidth": 9, "PhotometricInterpretation": "MONOCHROME1"}] * 3, None),
    ],
    ids=["median over slices", "first of several", "incomplete", "inverted pixels"],
)
def test_the_scanners_window_is_carried_where_it_fits_the_pixels(
    tmp_path: Path,
    block: Block,
    write: Write,
    attributes: list[dict[str, Any]],
    expected: tuple[float, float] | None,
) -> None:
    for i, (geometry, given) in enumerate(zip(block("sagittal", 3), attributes, strict=True)):
        write(tmp_path / str(i), geometry, **given)
    (series,) = read_all(tmp_path).series
    assert series.window == expected


def test_signed_pixels_keep_their_sign(tmp_path: Path, block: Block, write: Write) -> None:
    (geometry,) = block("axial", 1, size=(1, 2))
    write(tmp_path / "a", geometry, np.array([[-5, 7]], dtype=np.int16))
    np.testing.assert_array_equal(read_all(tmp_path).series[0].slices[0].pixels, [[-5, 7]])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"drop": ["ImageOrientationPatient"]}, "no_geometry", id="no-orientation"),
        pytest.param({"drop": ["ImagePositionPatient"]}, "no_geometry", id="no-position"),
        pytest.param({"drop": ["PixelSpacing"]}, "no_geometry", id="no-spacing"),
        pytest.param({"PixelSpacing": [0, 0.5]}, "bad_geometry", id="zero-spacing"),
        pytest.param({"PixelSpacing": [5, 5]}, "implausible_spacing", id="centimetres"),
        pytest.param({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "bad_geometry", id="parallel-axes"),
        pytest.param({"ImageOrientationPatient": [1, 0, 0, 0, 1]}, "no_geometry", id="five-numbers"),
        pytest.param({"Modality": "CT"}, "not_mr", id="ct"),
        pytest.param({"drop": ["Rows"]}, "size_mismatch", id="no-rows"),
        pytest.param({"NumberOfFrames": 6}, "multi_frame", id="enhanced"),
        pytest.param({"ImageType": ["ORIGINAL", "PRIMARY", "MOSAIC"]}, "mosaic", id="mosaic"),
        pytest.param({"SamplesPerPixel": 3}, "capture", id="colour"),
        pytest.param({"drop": ["SeriesInstanceUID"]}, "no_uid", id="no-series"),
        pytest.param({"drop": ["PixelData"]}, "truncated_header", id="no-pixels"),
        pytest.param({"pixels": np.full((20, 14), 7, np.uint16)}, "blank", id="blank"),
        pytest.param({"RescaleSlope": "nan"}, "bad_pixels", id="nan-slope"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # while writing what breaks the rules
def test_a_file_that_cannot_be_used_says_why_and_the_rest_is_read(
    sagittal: Path, block: Block, write: Write, change: dict[str, Any], code: str
) -> None:
    write(sagittal / "sub" / "bad.dcm", block("sagittal", 1, centre=(8, 0, 0))[0], **change)
    study = read_all(sagittal)
    assert excluded_codes(study) == {"sub/bad.dcm": code}
    assert len(study.accounting.excluded[0].reason) > 15
    assert len(study.series[0].slices) == 3


def test_junk_is_listed_and_never_stops_the_reading(sagittal: Path) -> None:
    (sagittal / "empty.dcm").touch()
    (sagittal / "notes.txt").write_text("not an image")
    (sagittal / "noise.dcm").write_bytes(bytes(128) + b"DICM" + random.Random(1).randbytes(300))
    (sagittal / "again.dcm").symlink_to(sagittal / "good0")
    (sagittal / "zz_copy").write_bytes((sagittal / "good0").read_bytes())
    codes = excluded_codes(read_all(sagittal))
    assert codes.pop("noise.dcm") in {"unreadable", "truncated_header"}
    assert codes == {
        "empty.dcm": "empty",
        "notes.txt": "not_dicom",
        "again.dcm": "link",
        "zz_copy": "duplicate",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes exist on POSIX systems alone")
def test_a_named_pipe_does_not_block(sagittal: Path) -> None:
    os.mkfifo(sagittal / "pipe")
    assert excluded_codes(read_all(sagittal)) == {"pipe": "not_regular"}


def test_a_file_cut_anywhere_is_excluded_not_misread(sagittal: Path, block: Block, write: Write) -> None:
    whole = write(sagittal / "cut.dcm", block("sagittal", 1)[0]).read_bytes()
    for length in range(0, len(whole), 37):
        (sagittal / "cut.dcm").write_bytes(whole[:length])
        study = read_all(sagittal)
        assert list(excluded_codes(study)) == ["cut.dcm"], f"cut after {length} of {len(whole)} bytes"


def test_a_missing_decoder_is_named(
    sagittal: Path, monkeypatch: pytest.MonkeyPatch, block: Block, write: Write
) -> None:
    write(sagittal / "rle.dcm", block("sagittal", 1)[0], compress=True)
    monkeypatch.setattr(get_decoder(RLELossless), "_available", {})
    (record,) = read_all(sagittal).accounting.excluded
    assert record.code == "no_decoder"
    assert "RLE Lossless (" in record.reason
    assert record.remedy == "install it, or export uncompressed"


def test_several_studies_are_refused_until_one_is_named(sagittal: Path, block: Block, write: Write) -> None:
    write(sagittal / "other.dcm", block("axial", 1)[0], StudyInstanceUID="9.9", SeriesInstanceUID="9.9.1")
    words = rf"holds 2 studies: {pseudonym('1.2.3')} \(1 series, 3 images\); {pseudonym('9.9')}"
    with pytest.raises(SeveralStudiesError, match=words) as caught:
        read_study(sagittal)
    found = list_studies(sagittal)
    assert caught.value.found == found
    assert [(s.study_uid, s.n_series, s.n_images, s.n_files, s.planes, s.date) for s in found] == [
        ("1.2.3", 1, 3, 3, (Plane.SAGITTAL,), ""),
        ("9.9", 1, 1, 1, (Plane.AXIAL,), ""),
    ]
    study = read_study(sagittal, study_uid="9.9")
    assert study.study_uid == "9.9"
    assert set(excluded_codes(study).values()) == {"other_study"}
    assert [(one.why, one.count) for one in excluded_counts(study.accounting)] == [(Exclusion.OTHER_STUDY, 3)]
    with pytest.raises(
        StudyError, match=f"holds no study {pseudonym('7.7')}. It holds: {pseudonym('1.2.3')}"
    ):
        read_study(sagittal, study_uid="7.7")


def test_a_listing_knows_the_date_and_a_series_its_weighting(
    sagittal: Path, block: Block, write: Write
) -> None:
    for i, geometry in enumerate(block("axial", 3)):
        change = {"SeriesInstanceUID": "1.2.5", "StudyDate": "20240131", "SeriesDescription": "t2 tse tra"}
        write(sagittal / f"axial{i}", geometry, **change)
    (listing,) = list_studies(sagittal)
    assert listing.date == "20240131"
    weightings = {series.series_uid: series.weighting for series in read_study(sagittal).series}
    assert weightings == {"1.2.3.4": "unknown", "1.2.5": "T2"}


def test_nothing_usable_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"is empty: no file was found\. Choose the folder"):
        read_study(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(StudyError, match=r"Files found: 1 \(1 x not a DICOM file"):
        read_study(tmp_path)
    with pytest.raises(StudyError, match="unpack archives first"):
        read_study(tmp_path / "a.txt")
    with pytest.raises(StudyError, match="does not exist"):
        read_study(tmp_path / "nowhere")


def test_rsna_folders_name_series_and_study(tmp_path: Path, block: Block, write: Write) -> None:
    folder = tmp_path / "100206310"
    for series in ("77", "88"):
        for i, geometry in enumerate(block("axial", 2)):
            uids = {"StudyInstanceUID": "100206310", "SeriesInstanceUID": f"100206310.{series}"}
            write(folder / series / f"{i}.dcm", geometry, SOPInstanceUID=f"100206310.1.{i + 1}", **uids)
    study = read_all(folder)
    assert study.study_id == "100206310"
    assert {s.series_id for s in study.series} == {"77", "88"}
    assert not study.accounting.excluded, "the same SOPInstanceUID in two series is RSNA's custom"


def test_outside_rsna_folders_uids_name_series_and_study(tmp_path: Path, block: Block, write: Write) -> None:
    folder = tmp_path / "4711"  # perhaps a patient's number: no UID carries it
    write(folder / "IM1", block("axial", 1)[0])
    study = read_all(folder)
    assert (study.study_id, study.series[0].series_id) == ("1.2.3", "1.2.3.4")


@pytest.mark.parametrize("folder", ["00471123", "4", "2"])
def test_a_folder_s_number_that_is_not_rsna_s_names_no_series(
    tmp_path: Path, block: Block, write: Write, folder: str
) -> None:
    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4.9"}
    write(tmp_path / folder / "IM1", block("axial", 1)[0], **uids)
    assert [s.series_id for s in read_all(tmp_path).series] == ["1.2.3.4.9"]


def test_a_short_number_that_many_uids_carry_names_no_study(
    tmp_path: Path, block: Block, write: Write
) -> None:
    names = set()
    for patient in ("a", "b"):
        uids = {"StudyInstanceUID": f"1.2.840.{ord(patient)}.1", "SeriesInstanceUID": f"1.{ord(patient)}.7"}
        write(tmp_path / patient / "1" / "IM1", block("axial", 1)[0], **uids)
        names.add(read_all(tmp_path / patient / "1").study_id)
    assert names == {"1.2.840.97.1", "1.2.840.98.1"}


def test_nothing_of_the_patient_is_carried(sagittal: Path) -> None:
    (sagittal / "junk").write_text("x")
    study = read_all(sagittal)
    carried = repr(study) + repr([(s.description, s.role_reason, s.series_id) for s in study.series])
    for secret in ("Secret", "ID-4711", str(sagittal)):
        assert secret not in carried


def test_differing_frames_of_reference_warn_and_do_not_refuse(
    sagittal: Path, block: Block, write: Write
) -> None:
    write(sagittal / "ax", block("axial", 1)[0], SeriesInstanceUID="1.2.3.5", FrameOfReferenceUID="1.2.10")
    (warning,) = read_all(sagittal).warnings
    assert "2 different frames of reference" in warning


def test_a_missing_slice_is_noted_and_of_a_repeated_one_the_newer_is_used(
    tmp_path: Path, block: Block, write: Write
) -> None:
    geometries = block("sagittal", 9)
    for i, geometry in enumerate([*geometries[:4], *geometries[5:], geometries[0]]):
        write(tmp_path / str(i), geometry, InstanceNumber=i)
    study = read_all(tmp_path)
    repeated, *others = study.warnings
    assert "images repeat the position of another (1 left out)" in repeated
    assert any("uneven" in text for text in others)
    assert any("mixed up" in text for text in others), (
        "the newer image has a later number than its neighbours"
    )
    assert excluded_codes(study) == {"0": "repeated_position"}


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_odd_header_values_are_counted_not_fatal(sagittal: Path, block: Block, write: Write) -> None:
    write(sagittal / "odd", block("sagittal", 1, centre=(8, 0, 0))[0], SeriesInstanceUID="not.a.uid")
    assert any("1 headers break rules of DICOM" in warning for warning in read_all(sagittal).warnings)


def test_progress_reaches_one_and_cancelling_stops(sagittal: Path) -> None:
    seen: list[float] = []
    read_study(sagittal, report=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)

    def stop() -> None:
        raise Cancelled("cancelled by the user")

    with pytest.raises(Cancelled, match="cancelled by the user"):
        read_study(sagittal, cancel=stop)


@pytest.mark.data
def test_a_real_study_is_read_whole() -> None:
    default = Path(__file__).parents[2] / ".." / "shared" / "data"
    folder = Path(os.environ.get("LUMBAR_DATA", default)) / "rsna" / "train_images" / "100206310"
    if not folder.is_dir():
        pytest.skip("the development data are absent; LUMBAR_DATA names their folder")
    study = read_all(folder)
    assert study.accounting.count(FileOutcome.USED) == 96
    assert {s.series_id: s.role for s in study.series} == {
        "2092806862": SeriesRole.SAGITTAL_T1,
        "1792451510": SeriesRole.SAGITTAL_T2,
        "1012284084": SeriesRole.AXIAL_T2,
    }
    axial = study.with_role(SeriesRole.AXIAL_T2)[0]
    assert [len(stack.slices) for stack in axial.stacks] == [7, 8, 8, 9, 9, 9, 10]


@pytest.mark.parametrize(("agent", "expected"), [("NONE", "T1"), ("Gd", "T1 after contrast agent")])
def test_no_agent_in_the_field_for_it_is_none(
    tmp_path: Path, block: Block, write: Write, agent: str, expected: str
) -> None:
    times = {"EchoTime": 10, "RepetitionTime": 600, "ContrastBolusAgent": agent}
    for i, geometry in enumerate(block("sagittal", 5)):
        write(tmp_path / f"{i}", geometry, **times)
    assert [series.weighting for series in read_all(tmp_path).series] == [expected]
