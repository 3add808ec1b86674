"""Work shared out to processes keeps its order; a single process is this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "from napari_lumbar.training.processes import map_in_processes\n"
        "work = \"__import__('pathlib').Path('{}', str(__import__('os').getpid())).touch()"
        " or __import__('time').sleep(300)\"\n"
        "if __name__ == '__main__':\n"
        f"    list(map_in_processes(eval, [work.format({str(tmp_path)!r})] * 2, 2))\n"
    )
    script = tmp_path / "shared_out.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, str(script)]) as parent:
        workers = _awaited(lambda: [int(f.name) for f in tmp_path.iterdir() if f.name.isdigit()], 2)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    _awaited(lambda: [pid for pid in workers if not _is_alive(pid)], 2)


def _awaited(pids: Callable[[], list[int]], count: int) -> list[int]:
    deadline = time.monotonic() + 90
    while len(found := pids()) < count:
        assert time.monotonic() < deadline, f"{found} of {count} processes"
        time.sleep(0.1)
    return found


def _is_alive(pid: int) -> bool:
    """Whether it runs; one that ended and nobody waited for is dead."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
