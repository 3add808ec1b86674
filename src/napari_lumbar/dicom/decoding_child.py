"""The process that decodes compressed pixels for ``decoder_process``: limited, and alone with the file.

It reads requests from its standard input, one line of JSON each, and answers every slice with a line of JSON
and, where it could be decoded, its float32 values in the machine's byte order.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import BinaryIO

from .complaint import Complaint
from .decoder_process import READY, SLICE_LIMIT_S
from .pixels import SlicePixels, WantedSlice, read_pixels

if sys.platform != "win32":
    import resource

#: Address space of this process; about 0.5 GiB of it are the libraries.
MEMORY_LIMIT_BYTES = 2**31
#: Whoever started this process ends it in time; if that one is gone, it ends by itself.
_OWN_LIMIT_S = 2 * SLICE_LIMIT_S


def main() -> None:
    """Answer requests until the input ends."""
    replies = _private_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asks
    limit_process()
    warnings.simplefilter("ignore")  # the scan has counted odd headers already
    replies.write(READY)
    replies.flush()
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        for line in sys.stdin.buffer:
            request = json.loads(line)
            wanted = [WantedSlice(*one) for one in request["wanted"]]
            faulthandler.dump_traceback_later(_OWN_LIMIT_S, exit=True, file=nowhere)
            for outcome in read_pixels(Path(request["path"]), wanted):
                _send(replies, outcome)
                faulthandler.dump_traceback_later(_OWN_LIMIT_S, exit=True, file=nowhere)
            faulthandler.cancel_dump_traceback_later()


def limit_process() -> None:
    """Limit memory, and leave no core dump, which would hold a patient's image; Windows has neither limit."""
    if sys.platform == "win32":
        return
    for limit, most in ((resource.RLIMIT_AS, MEMORY_LIMIT_BYTES), (resource.RLIMIT_CORE, 0)):
        try:
            _, hard = resource.getrlimit(limit)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS by name only
            continue


def _private_output() -> BinaryIO:
    """The pipe to whoever asks; what libraries print goes nowhere instead."""
    private = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return private


def _send(replies: BinaryIO, outcome: SlicePixels | Complaint) -> None:
    reply: dict[str, object]
    if isinstance(outcome, Complaint):
        reply = {"excluded": outcome.why.name, "detail": outcome.detail}
    else:
        reply = {"excluded": None, "oddities": [oddity.name for oddity in outcome.oddities]}
    replies.write(json.dumps(reply).encode() + b"\n")
    if isinstance(outcome, SlicePixels):
        replies.write(outcome.signal.tobytes())
    replies.flush()


if __name__ == "__main__":
    main()
