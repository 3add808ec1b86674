"""Names move over the places and lose none of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_lumbar.domain.spine import ALL_FINDINGS, Condition, FindingKey, Level, Side
from napari_lumbar.session import Naming, Spot

NAMINGS = st.builds(Naming, st.integers(-4, 4), st.booleans())


@given(naming=NAMINGS, key=st.sampled_from(ALL_FINDINGS))
def test_every_name_stands_for_one_place(naming: Naming, key: FindingKey) -> None:
    assert naming.key(naming.spot(key)) == key


@given(naming=NAMINGS)
def test_two_names_never_stand_for_the_same_place(naming: Naming) -> None:
    assert len({naming.spot(key) for key in ALL_FINDINGS}) == len(ALL_FINDINGS)


def test_one_level_down_calls_l5_s1_what_was_l4_l5_and_the_last_has_no_name() -> None:
    canal = Condition.SPINAL_CANAL_STENOSIS
    down = Naming(level_shift=1)
    assert down.key(Spot(canal, 3)) == FindingKey(canal, Level.L5_S1)
    assert down.key(Spot(canal, 4)) is None
    assert down.spot(FindingKey(canal, Level.L1_L2)) == Spot(canal, -1)
    assert Spot(canal, -1).predicted_key is None
    assert Spot(canal, 4).predicted_key == FindingKey(canal, Level.L5_S1)


def test_swapped_sides_leave_the_canal_alone() -> None:
    swapped = Naming(sides_swapped=True)
    for key in ALL_FINDINGS:
        spot = swapped.spot(key)
        assert spot.condition.group is key.condition.group
        assert spot.condition.side is (key.condition.side.opposite if key.condition.side else None)
    assert {spot.condition.side for spot in map(swapped.spot, ALL_FINDINGS)} == {*Side, None}
