from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from torch import Tensor, nn

from napari_lumbar.training.engine import Batch, Run, fit, make_fabric, use_threads
from napari_lumbar.training.schedule import Schedule, Selection


class Line:
    """Learn y = 2x + 1 from batches that follow from the step alone."""

    def __init__(self, poison: range = range(0), stop: int | None = None) -> None:
        self.poison, self.stop = poison, stop
        self.seen: list[int] = []

    def batch(self, step: int) -> Batch:
        if step == self.stop:
            raise KeyboardInterrupt
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        return {"x": x, "y": 2 * x + 1 + (torch.nan if step in self.poison else 0.0)}

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {"loss": nn.functional.mse_loss(network(batch["x"]), batch["y"])}


def network() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.2), nn.Linear(4, 1))


SCHEDULE = Schedule(steps=40, learning_rate=0.05, warmup_steps=5, checkpoint_every=7, ema_decay=0.5)


def run(folder: Path, task: Line) -> nn.Module:
    return fit(make_fabric("cpu"), network(), task, SCHEDULE, Run(folder, say=lambda _: None))


def test_it_learns(tmp_path: Path) -> None:
    trained = run(tmp_path, Line())
    assert float(trained(torch.tensor([[1.0]])).detach()) == pytest.approx(3, abs=0.8)
    assert (tmp_path / "losses.csv").read_text().startswith("step,seconds,waited_s,loss,not_finite\n0,")


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


def test_losses_that_are_not_finite_are_counted_and_stop_the_run_by_name(tmp_path: Path) -> None:
    rule = r"not finite at step 12, the 4th time in a row \(4 in all\): \{'loss': nan\}; lower"
    with pytest.raises(FloatingPointError, match=rule):
        run(tmp_path, Line(poison=range(9, 99)))


def test_a_loss_that_is_not_finite_once_changes_no_weight(tmp_path: Path) -> None:
    trained = run(tmp_path, Line(poison=range(9, 11)))
    assert all(torch.isfinite(p).all() for p in trained.parameters())
    assert (tmp_path / "losses.csv").read_text().rstrip().endswith(",2")


def test_the_best_state_on_held_out_data_is_kept(tmp_path: Path) -> None:
    """The figure says that the network gets worse from the second measurement on."""
    figures = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    states = []

    def measure(measured: nn.Module) -> dict[str, float]:
        states.append([p.clone() for p in measured.parameters()])
        return {"log_loss": next(figures)}

    kept = fit(
        make_fabric("cpu"),
        network(),
        Line(),
        SCHEDULE,
        Run(tmp_path, say=lambda _: None),
        Selection(5, measure, "log_loss", patience=3),
    )
    assert len(states) == 5  # the best, and three that were not better, after the first
    assert all(torch.equal(a, b) for a, b in zip(kept.parameters(), states[1], strict=True))
    assert (tmp_path / "validation.csv").read_text().splitlines()[2].startswith("9,")


def test_a_run_that_had_stopped_of_itself_is_not_trained_on(tmp_path: Path) -> None:
    def trained(task: Line, figures: list[float]) -> nn.Module:
        selection = Selection(5, lambda _: {"loss": figures.pop(0)}, "loss", patience=1)
        where = Run(tmp_path, say=lambda _: None)
        return fit(make_fabric("cpu"), network(), task, SCHEDULE, where, selection)

    first = trained(Line(), [1.0, 2.0])
    again = trained(Line(stop=0), [])
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_the_mean_of_a_window_decides_where_one_is_asked_for() -> None:
    selection = Selection(1, lambda _: {}, "auroc", higher_is_better=True, patience=2, window=2)
    assert selection.is_best([0.5])
    assert selection.is_best([0.5, 0.9])
    assert not selection.is_best([0.5, 0.9, 0.4])  # 0.65 against 0.7
    assert not selection.is_enough([0.5, 0.9, 0.4])
    assert selection.is_enough([0.5, 0.9, 0.4, 0.9])


def test_rows_of_steps_that_are_trained_again_are_logged_once(tmp_path: Path) -> None:
    """The checkpoint is of step 7; the log had gone on to step 8."""
    schedule = replace(SCHEDULE, log_every=2)
    for task in (Line(stop=9), Line()):
        with suppress(KeyboardInterrupt):
            fit(make_fabric("cpu"), network(), task, schedule, Run(tmp_path, say=lambda _: None))
    steps = [int(row.split(",")[0]) for row in (tmp_path / "losses.csv").read_text().splitlines()[1:]]
    assert steps == sorted(set(steps))


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
