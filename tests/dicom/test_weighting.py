from __future__ import annotations

from dataclasses import replace

import pytest

from napari_lumbar.dicom.agent import is_agent
from napari_lumbar.dicom.dixon import Dixon, dixon_of
from napari_lumbar.dicom.headers import SliceHeader, Timing
from napari_lumbar.dicom.weighting import (
    Basis,
    Weighting,
    against_t2,
    is_derived,
    is_fat_suppressed,
    is_localiser,
    weighting_of,
)
from napari_lumbar.domain.geometry import SliceGeometry

SILENT = Timing()
GEOMETRY = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), 1, 1, 4, 4)


def header(
    text: str = "",
    timing: Timing = SILENT,
    image_type: tuple[str, ...] = (),
    gradient_echo: bool = False,
    contrast_agent: bool = False,
    description: str = "",
) -> SliceHeader:
    return SliceHeader(
        path="a",
        study_uid="1",
        series_uid="1.1",
        sop_instance_uid="1.1.1",
        frame_of_reference_uid="",
        instance_number=1,
        geometry=GEOMETRY,
        description=description,
        text=text,
        own_name=text,
        image_type=image_type,
        timing=timing,
        gradient_echo=gradient_echo,
        contrast_agent=contrast_agent,
    )


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        pytest.param(Timing(600, 10), Weighting.T1, id="t1-spin-echo"),
        pytest.param(Timing(2000, 12, 860), Weighting.T1, id="t1-flair"),
        pytest.param(Timing(3500, 100), Weighting.T2, id="t2-turbo-spin-echo"),
        pytest.param(Timing(None, 100), Weighting.T2, id="t2-without-tr"),
        pytest.param(Timing(4000, 45, 160), Weighting.STIR, id="stir"),
        pytest.param(Timing(8000, 900), Weighting.OTHER, id="myelogram"),
        pytest.param(Timing(3000, 30), Weighting.UNKNOWN, id="proton-density"),
        pytest.param(Timing(), Weighting.UNKNOWN, id="silent"),
    ],
)
def test_times_tell_the_weighting(timing: Timing, expected: Weighting) -> None:
    assert weighting_of(header(timing=timing))[0] is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t2_tse_sag_384", Weighting.T2),
        ("sag t1 tse", Weighting.T1),
        ("ax t12-s1", Weighting.UNKNOWN),
        ("ax t2 t12-s1", Weighting.T2),
        ("t13d_space", Weighting.T1),
        ("t2_tirm_sag", Weighting.STIR),
        ("sag stir", Weighting.STIR),
        ("t1_tirm_dark-fluid", Weighting.T1),
        ("t1_tse_sag km", Weighting.T1_CONTRAST),
        ("t1 fs post gd", Weighting.T1_CONTRAST),
        ("t1 posterior coil", Weighting.T1),
        ("t1 post-op", Weighting.T1),
        ("t1 postop", Weighting.T1),
        ("t1 post_op post gd", Weighting.T1_CONTRAST),
        ("sag t1 inj", Weighting.T1_CONTRAST),
        ("sag t1 iv", Weighting.T1_CONTRAST),
        ("sag t1 civ", Weighting.T1_CONTRAST),
        ("sag t1 apres injection", Weighting.T1_CONTRAST),
        ("sag t1 sans injection", Weighting.T1),
        ("t1_tse_sag_pos", Weighting.T1_CONTRAST),
        ("sag t1 enh", Weighting.T1_CONTRAST),
        ("sag t1 unenhanced", Weighting.T1),
        ("t1 造影", Weighting.T1_CONTRAST),
        ("t1 增强 矢状位", Weighting.T1_CONTRAST),
        ("t1 造影前", Weighting.T1),
        ("t1 非造影", Weighting.T1),
        ("t2_tse_sag_myelon", Weighting.T2),
        ("t2 sag lws myelonödem", Weighting.T2),
        ("sag t2 difficult patient", Weighting.T2),
        ("sag t2 radcliffe", Weighting.T2),
        ("t2 myelo", Weighting.OTHER),
        ("mielografia t2", Weighting.OTHER),
        ("diffusion t2", Weighting.OTHER),
        ("ep2d_diff_adc", Weighting.OTHER),
        ("pd_tse_sag", Weighting.OTHER),
        ("rücken sagittal", Weighting.UNKNOWN),
    ],
)
def test_names_tell_the_weighting_where_times_are_silent(text: str, expected: Weighting) -> None:
    assert weighting_of(header(text))[0] is expected


def test_times_outweigh_names_except_in_gradient_echo() -> None:
    assert weighting_of(header("t2 sag", Timing(500, 9)))[0] is Weighting.T1
    assert weighting_of(header("t2_me2d_tra", Timing(900, 17), gradient_echo=True))[0] is Weighting.T2


@pytest.mark.parametrize(
    ("text", "timing", "expected"),
    [
        pytest.param("sag stir", Timing(4000, 70), Weighting.STIR, id="inversion-not-stated"),
        pytest.param("sag t2 stir", Timing(4000, 80, 150), Weighting.STIR, id="inversion-stated"),
        pytest.param("sag t1", Timing(4000, 80), Weighting.T2, id="no-stir-by-name"),
        pytest.param("sag stir", Timing(600, 10), Weighting.T1, id="no-t2-by-times"),
    ],
)
def test_a_name_makes_a_stir_of_what_times_call_t2(text: str, timing: Timing, expected: Weighting) -> None:
    assert weighting_of(header(text, timing))[0] is expected


@pytest.mark.parametrize(
    ("one", "words"),
    [
        pytest.param(header("ax post gad fs", Timing(1500, 9)), "time of 9 ms is too short", id="spin-echo"),
        pytest.param(header("ax", Timing(4, 1.2), gradient_echo=True), "1.2 ms is too short", id="gradient"),
        pytest.param(header("ax t2", Timing(1500, 9)), "time of 9 ms is too short", id="whatever-its-name"),
        pytest.param(header("ax +c"), "after contrast agent", id="contrast-in-its-name"),
        pytest.param(header("ax", contrast_agent=True), "after contrast agent", id="contrast-in-its-header"),
        pytest.param(header("ax", Timing(600, 14), gradient_echo=True), "", id="late-gradient-echo"),
        pytest.param(header("ax", Timing(3000, 45)), "", id="late-spin-echo"),
        pytest.param(header("ax", Timing(3000, 0)), "", id="no-time"),
    ],
)
def test_what_speaks_against_t2_where_nothing_tells_the_weighting(one: SliceHeader, words: str) -> None:
    assert weighting_of(one)[0] is Weighting.UNKNOWN
    assert words in against_t2(one)
    assert bool(words) == bool(against_t2(one))


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (Timing(3000, 100), (Weighting.T2, Basis.TIMES_AND_NAME)),
        (Timing(3000, 15), (Weighting.OTHER, Basis.NAME)),
        (SILENT, (Weighting.OTHER, Basis.NAME)),
    ],
)
def test_the_word_proton_density_counts_where_times_are_silent(
    timing: Timing, expected: tuple[Weighting, Basis]
) -> None:
    assert weighting_of(header("sag pd/t2 tse", timing)) == expected


@pytest.mark.parametrize("word", ["pd", "mpr", "mip", "diff"])
def test_the_name_of_the_whole_examination_tells_nothing_of_one_series(word: str) -> None:
    plain = replace(header("sag t2"), text=f"sag t2 lumbar spine routine {word}")
    assert weighting_of(plain) == (Weighting.T2, Basis.NAME)
    assert weighting_of(header(f"lumbar {word}"))[0] is Weighting.OTHER


def test_the_name_of_the_whole_examination_makes_no_contrast_image_and_no_localiser() -> None:
    plain = replace(header("sag t1"), text="sag t1 l-spine w/wo +c survey")
    assert weighting_of(plain)[0] is Weighting.T1
    assert not is_localiser(plain)


@pytest.mark.parametrize(
    ("name", "is_planning"),
    [
        *(("3 plane", True), ("3pl loc", True), ("3-plane scout", True), ("survey", True), ("loc", True)),
        *(("ax t2 l3 plif", False), ("ax t2 l3 platte", False), ("t2 tse sag l1-l3 plan", False)),
    ],
)
def test_a_name_is_a_localisers_by_its_words(name: str, is_planning: bool) -> None:
    assert is_localiser(header(name)) == is_planning


def test_fat_is_suppressed_by_header_or_name() -> None:
    assert is_fat_suppressed(replace(header("sag t1"), fat_suppressed=True))
    assert all(
        is_fat_suppressed(header(name)) for name in ("t1 fs sag", "t1_fatsat", "t2 fat sat", "t2 spair")
    )
    assert not any(is_fat_suppressed(header(name)) for name in ("sag t1", "t1 fse", "offset"))


def test_a_protocol_tells_what_a_description_does_not() -> None:
    assert weighting_of(replace(header("矢状位"), text="矢状位 t2_tse_sag"))[0] is Weighting.T2
    assert weighting_of(replace(header("sag t1"), text="sag t1 stir t2 routine"))[0] is Weighting.T1
    lava = header("ax lava", Timing(4, 1.2), gradient_echo=True)
    assert weighting_of(replace(lava, text="ax lava lumbar t2"))[0] is Weighting.UNKNOWN
    assert weighting_of(replace(lava, own_name="t2_ci3d"))[0] is Weighting.T2


def test_a_contrast_agent_marks_a_t1() -> None:
    assert weighting_of(header("t1", contrast_agent=True))[0] is Weighting.T1_CONTRAST
    assert weighting_of(header("t2", contrast_agent=True))[0] is Weighting.T2


@pytest.mark.parametrize(
    "name",
    [
        *("sag t1 c+", "t1 c+ fs", "sag t1 fs gad", "sag t1 +gad", "t1 sag with contrast", "t1 +c"),
        *("t1_tse_sag_contrast", "t1 sag w/c", "t1 sag w con", "t1 mdc", "t1 gadolinium", "st1w_tse +gd"),
        *("t1w_tse_sag_km", "t1_postcontrast", "t1_tse_dixon_pre_post", "t1 vor und nach km"),
    ],
)
def test_names_of_an_agent_mark_a_t1(name: str) -> None:
    assert weighting_of(header(name, Timing(600, 10)))[0] is Weighting.T1_CONTRAST


@pytest.mark.parametrize(
    "name",
    [
        *("t1 sag vor km", "t1 sag ohne km", "t1 sag pre gd", "t1 pre gado", "t1_pre-contrast", "t1 pregad"),
        *("t1 sag without contrast", "t1 w/o contrast", "t1 wo iv contrast", "t1 non-contrast", "t1 no gad"),
        *("t1 w/o gd contrast", "t1 senza mdc", "sag t1 c-", "sag t1 c spine", "sag t1 w/ coil", "t1w_c"),
    ],
)
def test_an_agent_that_was_not_given_marks_no_t1(name: str) -> None:
    assert weighting_of(header(name, Timing(600, 10)))[0] is Weighting.T1


@pytest.mark.parametrize(
    ("field", "expected"),
    [("None", False), (" NO ", False), ("n/a", False), ("", False), ("Gadovist", True), ("10 ml", True)],
)
def test_a_field_for_the_agent_may_say_that_there_was_none(field: str, expected: bool) -> None:
    assert is_agent(field) is expected


@pytest.mark.parametrize(
    ("text", "image_type", "expected"),
    [
        ("localizer", (), True),
        ("3-plane loc", (), True),
        ("scout sag", (), True),
        ("", ("ORIGINAL", "PRIMARY", "LOCALIZER"), True),
        ("t2_tse_sag", ("ORIGINAL", "PRIMARY", "M"), False),
        ("block tra", (), False),
    ],
)
def test_localisers_are_known_by_name(text: str, image_type: tuple[str, ...], expected: bool) -> None:
    assert is_localiser(header(text, image_type=image_type)) is expected


@pytest.mark.parametrize(
    ("words", "description", "expected"),
    [
        (("DIXON", "WATER"), "", Dixon.WATER),
        (("W", "W"), "", Dixon.WATER),
        (("F", "F"), "", Dixon.FAT),
        (("IP", "IP"), "", Dixon.IN_PHASE),
        (("OP", "OP"), "", Dixon.OPPOSED),
        (("DIXON", "OPP_PHASE"), "t2_tse_dixon_sag_in", Dixon.OPPOSED),
        (("M",), "t2_tse_dixon_sag_F", Dixon.FAT),
        (("M",), "t2_tse_dixon_sag_W", Dixon.WATER),
        (("M",), "t2_tse_sag_opp", Dixon.OPPOSED),
        (("M",), "WATER: SAG T2 FLEX", Dixon.WATER),
        (("M",), "T2 DIXON SAG FAT", Dixon.FAT),
        (("M",), "SAG IDEAL WATER T2", Dixon.WATER),
        (("M",), "Water_T2_Flex_Sag", Dixon.WATER),
        (("M",), "t2_mdixon fat sat", Dixon.NONE),
        (("M",), "sag t2 flexion fat", Dixon.NONE),
        (("M",), "SAG T2_W", Dixon.NONE),
        (("M", "NORM"), "sag t2 fat sat", Dixon.NONE),
        ((), "", Dixon.NONE),
    ],
)
def test_image_types_and_names_tell_the_image_of_a_dixon_sequence(
    words: tuple[str, ...], description: str, expected: Dixon
) -> None:
    one = header(image_type=("DERIVED", "PRIMARY", *words), description=description)
    assert dixon_of(one) is expected
    assert is_derived(one) is (expected is Dixon.NONE)
