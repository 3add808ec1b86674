"""A decoder process that misbehaves on chosen images, in place of files that make a real decoder do so."""

from __future__ import annotations

import sys

import pytest

from napari_lumbar.dicom import decoder_process

#: InstanceNumber of the images that the decoder does not stand.
SPOILED = 666
_PROGRAM = """
import ctypes, os, time
from napari_lumbar.dicom import decoding_child, pixels

def spoiled(dataset, frame, wanted, decoded=pixels._decoded):
    number = int(frame.InstanceNumber)
    if number == {spoiled}:
        {action}
    return decoded(dataset, frame, wanted)

def nonsense(replies, outcome):
    replies.write(b"[]\\n")
    replies.flush()

pixels._decoded = spoiled
decoding_child._OWN_LIMIT_S = {own_limit_s}
decoding_child.main()
"""


def spoil_decoder(
    monkeypatch: pytest.MonkeyPatch, action: str, limit_s: float = 60, own_limit_s: float = 120
) -> None:
    """Let the decoder process do ``action``, a line of Python, on spoiled images.

    Parameters
    ----------
    limit_s, own_limit_s
        After which whoever asks ends it, and after which it ends by itself.
    """
    program = _PROGRAM.format(spoiled=SPOILED, action=action, own_limit_s=own_limit_s)
    monkeypatch.setattr(decoder_process, "COMMAND", (sys.executable, "-P", "-c", program))
    monkeypatch.setattr(decoder_process, "SLICE_LIMIT_S", limit_s)
