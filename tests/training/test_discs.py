"""What the multi-view network learns from: discs, varied but truthful, with what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import Condition, FindingKey, Level
from napari_lumbar.domain.study import SeriesRole
from napari_lumbar.models.multiview_transformer import (
    CONDITIONS,
    MIRRORED,
    MultiviewOutput,
    MultiviewTransformer,
)
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.training.recipes import multiview_transformer as recipe
from napari_lumbar.training.rsna.studies import LabelledStudy, labelled_phantom
from napari_lumbar.training.tasks.disc_grading import (
    DiscBatches,
    DiscTask,
    class_weights,
    disc_figures,
    disc_loss,
    mean_figures,
    slice_loss,
)
from napari_lumbar.training.tasks.discs import (
    UNGRADED,
    DiscAugmentation,
    augmented,
    graded_discs,
    own_places,
    plain,
)

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
STILL = DiscAugmentation(0, 0.0, 0.0, (0.0, 0.0), 0.0, 0.0, seen_share=1.0, misses=False)


@pytest.fixture(scope="module")
def study() -> LabelledStudy:
    return labelled_phantom(make_phantom(11, SMALL))


def test_a_batch_is_a_function_of_its_number(study: LabelledStudy) -> None:
    task = DiscTask([study], recipe.TINY, recipe.TINY_AUGMENTATION, DiscBatches(2, 1, 3), seed=3)
    first, again, second = task.batch(4), task.batch(4), task.batch(5)
    assert first["volumes"].shape == (2, 3, 7, 56, 112)
    assert first["visible"].shape == (2, 3, 7)
    assert first["labels"].shape == (2, 5)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["volumes"], second["volumes"])
    assert 0 <= first["volumes"].min() <= first["volumes"].max() <= 1


def test_the_first_batches_show_the_annotated_slices_alone(study: LabelledStudy) -> None:
    task = DiscTask([study], recipe.TINY, STILL, DiscBatches(2, annotated_steps=1, annotated_size=3), seed=3)
    visible = task.batch(0)["visible"]
    assert visible.shape == (3, 3, 7)
    assert visible.sum(-1).tolist() == [[2, 1, 1]] * 3
    assert task.batch(1)["visible"].sum() > 2 * 12
    disc = graded_discs([study])[1]
    shown = augmented(np.random.default_rng(0), disc, recipe.TINY, STILL, annotated_only=True)
    whole = plain(disc, recipe.TINY)
    np.testing.assert_allclose(shown["volumes"][0, 1], whole["volumes"][0, 1], atol=2e-5)


def test_without_variation_training_sees_what_inference_sees(study: LabelledStudy) -> None:
    disc = graded_discs([study])[2]
    shown, truth = augmented(np.random.default_rng(0), disc, recipe.TINY, STILL), plain(disc, recipe.TINY)
    assert shown.keys() == truth.keys()
    for name in shown:
        np.testing.assert_allclose(shown[name], truth[name], atol=2e-5)


def test_a_flip_exchanges_sides_of_images_slices_and_labels(study: LabelledStudy) -> None:
    disc = graded_discs([study])[1]
    rng = np.random.default_rng(0)
    flipped = augmented(rng, disc, recipe.TINY, replace(STILL, flip_share=1.0))
    truth = plain(disc, recipe.TINY)
    np.testing.assert_array_equal(flipped["labels"], truth["labels"][list(MIRRORED)])
    for row, role in enumerate(SeriesRole):
        turned = truth["volumes"][row]
        turned = turned[..., ::-1] if role is SeriesRole.AXIAL_T2 else turned[::-1]
        np.testing.assert_allclose(flipped["volumes"][row], turned, atol=2e-5)


def test_the_conditions_are_mirrored_in_pairs() -> None:
    for condition, place in zip(CONDITIONS, MIRRORED, strict=True):
        side = condition.side.opposite if condition.side else None
        assert CONDITIONS[place] is Condition.of(condition.group, side)


def test_series_are_left_out_but_never_all(study: LabelledStudy) -> None:
    disc = graded_discs([study])[1]
    shown = [
        augmented(np.random.default_rng(i), disc, recipe.TINY, replace(STILL, seen_share=0.3))["visible"]
        for i in range(30)
    ]
    seen = np.array([visible.any(-1) for visible in shown])
    assert seen.any(axis=1).all()
    assert 0 < seen.mean() < 1


def test_a_finding_without_grade_or_place_teaches_nothing(study: LabelledStudy) -> None:
    canal = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L3_L4)
    left = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L3_L4)
    severities = {key: s for key, s in study.severities.items() if key != canal}
    points = {key: mark for key, mark in study.landmarks.points.items() if key != left}
    poorer = replace(study, severities=severities, landmarks=replace(study.landmarks, points=points))
    (disc,) = (disc for disc in graded_discs([poorer]) if disc.level is Level.L3_L4)
    assert list(disc.labels[:2]) == [UNGRADED, UNGRADED]
    assert (disc.labels[2:] != UNGRADED).all()
    nothing = replace(study, severities={})
    assert graded_discs([nothing]) == []
    with pytest.raises(ValueError, match="none of 1 studies has a graded disc"):
        DiscTask([nothing], recipe.TINY, STILL, DiscBatches(1), seed=0)


def test_rare_severities_weigh_more(study: LabelledStudy) -> None:
    disc = graded_discs([study])[0]
    labels = ([0] * 5, [0] * 5, [0] * 5, [1] * 5, [2, 2, 2, 2, UNGRADED])
    weights = class_weights([replace(disc, labels=np.array(row)) for row in labels])
    torch.testing.assert_close(weights[0], torch.tensor([5 / 9, 5 / 3, 5 / 3]))
    torch.testing.assert_close(weights[4], torch.tensor([4 / 9, 4 / 3, 4 / 3]))


def test_the_loss_is_the_published_mixture() -> None:
    logits, labels = torch.zeros(2, 5, 3), torch.full((2, 5), UNGRADED)
    output = MultiviewOutput(
        logits.requires_grad_(True), torch.zeros(2, 5), torch.zeros(2, 3, 7), logits[:, 0]
    )
    labels[0, 1] = 2
    losses = disc_loss(output, labels, torch.tensor([0, 4]), torch.ones(5, 3))
    assert losses["grade"].item() == pytest.approx(np.log(3))
    assert losses["loss"].item() == pytest.approx(0.8 * np.log(3) + 0.2 * np.log(5))
    losses["loss"].backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum(-1) > 0).nonzero().tolist() == [[0, 1]]
    nothing = disc_loss(output, torch.full((2, 5), UNGRADED), torch.tensor([0, 4]), torch.ones(5, 3))
    assert nothing["grade"].item() == 0


def test_slices_answer_for_the_condition_that_is_marked_on_them() -> None:
    places = own_places(recipe.TINY)
    assert places == [(1, 3), (0, 5), (0, 1), (2, 3), (2, 3)]
    axial_alone = replace(recipe.TINY, roles=("Axial T2",))
    assert own_places(axial_alone) == [None, None, None, (0, 3), (0, 3)]
    logits = torch.zeros(2, 3, 7, 5, 3, requires_grad=True)
    visible, labels = torch.ones(2, 3, 7, dtype=torch.bool), torch.full((2, 5), UNGRADED)
    labels[0, 1], labels[1, 2] = 2, 0
    visible[1, 0, 1] = False
    loss = slice_loss(logits, visible, labels, torch.ones(5, 3), places)
    assert loss.item() == pytest.approx(np.log(3))
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum(-1) > 0).nonzero().tolist() == [[0, 0, 5, 1]]
    assert slice_loss(logits, ~visible & visible, labels, torch.ones(5, 3), places).item() == 0


def test_figures_are_means_of_the_conditions_that_are_known() -> None:
    probs, labels = np.full((4, 5, 3), 1 / 3), np.full((4, 5), UNGRADED)
    assert mean_figures(probs, labels) == {}
    labels[:, 0], labels[:, 3] = [0, 0, 1, 2], [0, 1, 1, 2]
    probs[:, 0] = np.eye(3)[labels[:, 0]]
    assert mean_figures(probs, labels)["macro_auroc"] == pytest.approx((1.0 + 0.5) / 2)


def test_a_network_is_measured_on_whole_studies(study: LabelledStudy) -> None:
    network = MultiviewTransformer(recipe.TINY).eval()
    with torch.no_grad():
        figures: Mapping[str, float] = disc_figures([study], recipe.TINY)(network)
    assert 0 <= figures["macro_auroc"] <= 1
    assert disc_figures([], recipe.TINY)(network) == {"macro_auroc": 0.5}


def test_the_tiny_network_learns_two_discs_by_heart(study: LabelledStudy) -> None:
    """Ten findings; the loss is that of the first steps against that of the last."""
    torch.manual_seed(0)
    disc = graded_discs([study])[:2]
    keys = {FindingKey(c, d.level) for d in disc for c in CONDITIONS}
    few = replace(study, severities={k: s for k, s in study.severities.items() if k in keys})
    task = DiscTask([few], recipe.TINY, STILL, DiscBatches(4), seed=0)
    network = MultiviewTransformer(recipe.TINY)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    losses = []
    for step in range(25):
        optimizer.zero_grad()
        loss = task.loss(network.train(), task.batch(step))["loss"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.3 * np.mean(losses[:2])


def test_the_presets_are_the_published_and_a_small_one() -> None:
    (paper,), (tiny,) = (recipe.RECIPE.presets[name]() for name in ("paper", "tiny"))
    assert (paper.schedule.learning_rate, paper.schedule.warmup_steps) == (1e-5, 10 * recipe.EPOCH)
    assert paper.schedule.restart_steps == 30 * recipe.EPOCH
    assert paper.config.shape == (9, 112, 224)
    assert tiny.config.roles == paper.config.roles
