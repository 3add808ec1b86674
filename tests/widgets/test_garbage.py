"""What is there at the start is not looked through again and again."""

from __future__ import annotations

import gc

from napari_lumbar.widgets.garbage import spare_collections


def test_later_collections_look_only_at_what_came_later() -> None:
    try:
        spare_collections()
        assert gc.get_freeze_count() > 100_000
        assert len(gc.get_objects()) < 10_000
    finally:
        gc.unfreeze()
