from __future__ import annotations

from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from torch import Tensor, nn

from napari_lumbar.training.engine import Batch, Schedule, fit, make_fabric, use_threads


class Line:
    """Learn y = 2x + 1 from batches that follow from the step alone."""

    def __init__(self, poison: int | None = None, stop: int | None = None) -> None:
        self.poison, self.stop = poison, stop
        self.seen: list[int] = []

    def batch(self, step: int) -> Batch:
        if step == self.stop:
            raise KeyboardInterrupt
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        return {"x": x, "y": 2 * x + 1 + (torch.nan if step == self.poison else 0.0)}

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {"loss": nn.functional.mse_loss(network(batch["x"]), batch["y"])}


def network() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.2), nn.Linear(4, 1))


SCHEDULE = Schedule(steps=40, learning_rate=0.05, warmup_steps=5, checkpoint_every=7, ema_decay=0.5)


def run(folder: Path, task: Line) -> nn.Module:
    return fit(make_fabric("cpu"), network(), task, SCHEDULE, folder, say=lambda _: None)


def test_it_learns(tmp_path: Path) -> None:
    trained = run(tmp_path, Line())
    assert float(trained(torch.tensor([[1.0]])).detach()) == pytest.approx(3, abs=0.8)
    assert (tmp_path / "losses.csv").read_text().startswith("step,seconds,loss\n0,")


def test_a_killed_run_goes_on_to_bit_equal_weights(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Line())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", Line(stop=25))
    resumed = run(tmp_path / "killed", Line())
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_finished_run_trains_no_more(tmp_path: Path) -> None:
    first = run(tmp_path, Line())
    again = run(tmp_path, Line(stop=0))
    assert torch.equal(next(first.parameters()), next(again.parameters()))


def test_a_loss_that_is_not_finite_stops_the_run_by_name(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"not finite at step 9: \{'loss': nan\}"):
        run(tmp_path, Line(poison=9))


def test_a_torn_checkpoint_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Line(stop=10))
    before = (tmp_path / "checkpoint.ckpt").read_bytes()

    def torn(self: Path, target: Path) -> None:
        raise OSError("killed here")

    monkeypatch.setattr(Path, "replace", torn)
    with pytest.raises(OSError, match="killed here"):
        run(tmp_path, Line())
    assert (tmp_path / "checkpoint.ckpt").read_bytes() == before


def test_threads_are_limited_in_torch_and_in_linear_algebra() -> None:
    torch_threads = torch.get_num_threads()
    with threadpool_limits():  # puts everything back
        use_threads(1)
        assert torch.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    torch.set_num_threads(torch_threads)
