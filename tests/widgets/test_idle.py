"""What may wait does wait, and only the last of it is done."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject

from napari_lumbar.widgets.idle import WhenIdle


def test_only_the_last_is_done_and_later(qtbot: Any) -> None:
    parent, done = QObject(), list[str]()
    when_idle = WhenIdle(parent)
    when_idle(lambda: done.append("first"))
    when_idle(lambda: done.append("last"))
    assert not done
    qtbot.waitUntil(lambda: bool(done))
    qtbot.wait(20)
    assert done == ["last"]
