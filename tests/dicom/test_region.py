from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_lumbar.dicom.facts import series_facts
from napari_lumbar.dicom.scan import scan_folder


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"SeriesDescription": "C-SPINE SAG T2"}, True),
        ({"SeriesDescription": "sag t2 TSpine"}, True),
        ({"SeriesDescription": "t2_tse_sag_HWS"}, True),
        ({"SeriesDescription": "SAG T1 cervical"}, True),
        ({"BodyPartExamined": "CSPINE"}, True),
        ({"BodyPartExamined": "CSPINE", "SeriesDescription": "L-SPINE SAG T2"}, False),
        ({"SeriesDescription": "SAG T2 SPINE"}, False),
        ({"SeriesDescription": "thoracolumbar sag t1"}, False),
        ({"SeriesDescription": "T-L SPINE SAG"}, False),
        ({"SeriesDescription": "SAG T2", "ProtocolName": "CERVICAL AND LUMBAR"}, False),
        ({"SeriesDescription": "SAG T2", "ProtocolName": "C-SPINE"}, False),
    ],
)
def test_a_header_tells_the_region(
    tmp_path: Path, block: Any, write: Any, attributes: dict[str, str], expected: bool
) -> None:
    write(tmp_path / "a", block("sagittal", 1)[0], **attributes)
    headers = scan_folder(tmp_path, lambda _: None, lambda: None).headers
    assert series_facts("a", headers).elsewhere is expected
