"""Networks for the slice of a landmark: what they learn, and how the localiser hears them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import ConditionGroup, Level
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.convnext3d import SliceIndexNet
from napari_lumbar.phantom import PhantomConfig, PhantomStudy, make_phantom
from napari_lumbar.pipeline.slice_votes import network_votes
from napari_lumbar.training.tasks.marked import head_keys
from napari_lumbar.training.tasks.slice_index import SliceIndexTask, slice_index_config, slice_sample

SMALL = PhantomConfig(sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=1.6, field="lumbar")
GROUPS = (ConditionGroup.CANAL, ConditionGroup.FORAMINAL)


@pytest.fixture(scope="module")
def phantom() -> PhantomStudy:
    return make_phantom(4, SMALL)


@pytest.mark.parametrize("group", GROUPS)
def test_indices_move_with_the_slices_that_are_dropped(phantom: PhantomStudy, group: ConditionGroup) -> None:
    sample = slice_sample(phantom, group)
    assert sample is not None
    # Each slice is as bright as its number says, whatever its contrast becomes.
    marked = replace(sample, volume=np.full_like(sample.volume, 0))
    marked.volume[np.arange(len(marked.volume)), :, :] = np.arange(len(marked.volume))[:, None, None] * 8 + 8
    task = SliceIndexTask([marked], seed=2)
    batch = task.batch(0)
    assert batch["volume"].shape[1:] == (1, 32, 64, 64)
    assert batch["index"].shape[1] == len(head_keys(group))
    for index in batch["index"]:
        first = sample.indices[0] - float(index[0])
        assert 0 <= first <= 2
        np.testing.assert_allclose(sample.indices - index.numpy(), first)
    torch.testing.assert_close(batch["index"], task.batch(0)["index"])


@pytest.mark.parametrize("group", GROUPS)
def test_a_step_lowers_the_loss(phantom: PhantomStudy, group: ConditionGroup) -> None:
    torch.manual_seed(0)
    sample = slice_sample(phantom, group)
    assert sample is not None
    task, network = SliceIndexTask([sample], seed=1, batch_size=2), SliceIndexNet(slice_index_config(group))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    batch = task.batch(0)
    losses = []
    for _ in range(4):
        loss = task.loss(network, batch)["loss"]
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_a_series_that_misses_a_landmark_or_is_absent_teaches_nothing(phantom: PhantomStudy) -> None:
    points = dict(phantom.landmarks.points)
    del points[head_keys(ConditionGroup.CANAL)[0]]
    missing = replace(phantom, landmarks=Landmarks(points, {}))
    assert slice_sample(missing, ConditionGroup.CANAL) is None
    assert slice_sample(missing, ConditionGroup.FORAMINAL) is not None
    others = tuple(s for s in phantom.study.series if s.role is not SeriesRole.SAGITTAL_T1)
    without = replace(phantom, study=replace(phantom.study, series=others))
    assert slice_sample(without, ConditionGroup.FORAMINAL) is None


def test_votes_are_places_in_the_stack(phantom: PhantomStudy) -> None:
    series = phantom.study.first(SeriesRole.SAGITTAL_T2)
    assert series is not None
    network = SliceIndexNet(slice_index_config(ConditionGroup.CANAL)).eval()
    votes = network_votes(network, series.slices, torch.device("cpu"))
    assert votes.shape == (2, len(Level))
    assert np.isfinite(votes).all()
    assert (votes[0] == np.rint(votes[0])).all()
