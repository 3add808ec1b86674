"""Work shared out to processes keeps its order; a single process is this one."""

from __future__ import annotations

import os

from napari_lumbar.training.processes import map_in_processes

_PID = "__import__('os').getpid()"
_THREADS = "__import__('torch').get_num_threads()"


def test_processes_keep_the_order_and_to_one_thread() -> None:
    one, threads, other = map_in_processes(eval, [_PID, _THREADS, "'last'"], 2)
    assert one != os.getpid()
    assert (threads, other) == (1, "last")


def test_a_single_process_is_this_one() -> None:
    assert list(map_in_processes(eval, [_PID, _PID], 1)) == [os.getpid()] * 2
    assert list(map_in_processes(eval, [_PID], 4)) == [os.getpid()], "nothing to share out"
