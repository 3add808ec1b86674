from __future__ import annotations

import numpy as np
import pytest

from napari_lumbar.domain.errors import BundleError
from napari_lumbar.domain.geometry import SliceGeometry
from napari_lumbar.domain.spine import Condition, ConditionGroup, FindingKey, Level, Side
from napari_lumbar.preprocess.crop_tables import crop_table
from napari_lumbar.preprocess.planes import plane_shapes

#: One pixel is one of the published frame of 512, down; and half of one, across.
GEOMETRY = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), 0.7, 0.4, rows=512, columns=256)
POINT = np.array([200.0, 100.0])


def published(
    plane: str, condition: Condition, side: Side = Side.LEFT, level: Level = Level.L3_L4
) -> list[float]:
    spec = crop_table("published").spec(plane, FindingKey(condition, level), side, GEOMETRY)
    assert spec is not None
    top, left, bottom, right = spec.box(POINT, GEOMETRY.spacing_rc_mm, level)
    return [(100 - left) * 2, (right - 100) * 2, 200 - top, bottom - 200]


CANAL = Condition.SPINAL_CANAL_STENOSIS
FORAMEN = {side: Condition.of(ConditionGroup.FORAMINAL, side) for side in Side}


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (published("sagittal", CANAL), [96, 32, 40, 40]),
        (published("sagittal", CANAL, level=Level.L5_S1), [96, 32, 20, 60]),
        (published("sagittal", FORAMEN[Side.LEFT]), [96, 64, 32, 32]),
        (published("sagittal", FORAMEN[Side.RIGHT], level=Level.L5_S1), [96, 64, 22, 42]),
        (published("axial", FORAMEN[Side.RIGHT], Side.RIGHT), [144, 48, 96, 96]),
        (published("axial", FORAMEN[Side.LEFT], Side.LEFT), [48, 144, 96, 96]),
        (published("axial", CANAL, Side.RIGHT), [76, 116, 96, 96]),
        (published("axial", CANAL, Side.LEFT), [116, 76, 96, 96]),
    ],
)
def test_published_crops_are_table_one_in_a_frame_of_512(ranges: list[float], expected: list[float]) -> None:
    """Left, right, up, down of the point; the canal's axial crop is moved 20 px to the midline."""
    assert ranges == pytest.approx(expected)


def test_a_recess_is_not_graded_on_sagittal_images() -> None:
    recess = FindingKey(Condition.of(ConditionGroup.SUBARTICULAR, Side.LEFT), Level.L1_L2)
    assert crop_table("published").spec("sagittal", recess, Side.LEFT, GEOMETRY) is None


def test_what_a_configuration_does_not_say_is_as_in_the_embedded_bundle() -> None:
    assert plane_shapes(("axial",), None) == {"axial": (96, 96)}
    assert plane_shapes(("sagittal", "axial"), [[128, 224], [256, 256]]) == {
        "sagittal": (128, 224),
        "axial": (256, 256),
    }


def test_unknown_crops_planes_and_shapes_are_refused() -> None:
    with pytest.raises(BundleError, match=r"crops 'wide' are none of \['close', 'published'\]"):
        crop_table("wide")
    with pytest.raises(BundleError, match=r"planes \['coronal'\] are none of"):
        plane_shapes(("coronal",), None)
    with pytest.raises(BundleError, match=r"must name \(height, width\) for each of the planes"):
        plane_shapes(("sagittal", "axial"), [[128, 224]])
