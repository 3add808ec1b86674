"""Several processes learn one network; one that dies ends the job."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

SCRIPT = """
import os, sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from torch import nn
from napari_lumbar.training.engine import Machine, Run, fit, make_fabric, use_threads
from napari_lumbar.training.schedule import Schedule

use_threads(1)
out, dies = Path(sys.argv[1]), sys.argv[2] == "dies"

class Line:
    numbers = []

    def batch(self, number):
        self.numbers.append(number)
        if dies and number == 9:
            os._exit(7)
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(number))
        return {"x": x, "y": 2 * x + 1}

    def loss(self, network, batch):
        return {"loss": nn.functional.mse_loss(network(batch["x"]), batch["y"])}

fabric = make_fabric(machine=Machine("cpu", devices=2))
fabric.launch()
torch.manual_seed(3)
schedule = Schedule(12, learning_rate=0.05, warmup_steps=1, checkpoint_every=4)
kept = fit(fabric, nn.Linear(1, 1), Line(), schedule, Run(out, say=lambda _: None))
save_file(kept.state_dict(), out / f"rank_{fabric.global_rank}.safetensors")
(out / f"numbers_{fabric.global_rank}.txt").write_text(" ".join(map(str, sorted(Line.numbers))))
"""


def launched(folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    script = folder / "job.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(folder), what]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("job")
    done = launched(folder, "lives")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_both_processes_end_with_the_same_weights(finished: Path) -> None:
    first, second = (load_file(finished / f"rank_{rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_each_process_takes_every_second_batch(finished: Path) -> None:
    numbers = [(finished / f"numbers_{rank}.txt").read_text().split() for rank in range(2)]
    assert numbers == [[str(n) for n in range(rank, 24, 2)] for rank in range(2)]


def test_only_one_process_logs(finished: Path) -> None:
    steps = [row.split(",")[0] for row in (finished / "losses.csv").read_text().splitlines()[1:]]
    assert steps == ["0", "11"]


def test_a_dead_process_ends_the_job(tmp_path: Path) -> None:
    started = time.monotonic()
    done = launched(tmp_path, "dies")
    assert done.returncode != 0
    assert time.monotonic() - started < 240
