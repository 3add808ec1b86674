"""Every network of the default bundle, trained for two steps on two small phantoms, and used."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_lumbar.domain.spine import ALL_FINDINGS
from napari_lumbar.models.bundle import load_bundle
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.pipeline import load_system
from napari_lumbar.pipeline.run import analyze
from napari_lumbar.training import phantoms
from napari_lumbar.training.default_bundle import NETWORKS, BundlePlan, train_network, write_bundle
from napari_lumbar.training.evaluate import evaluate_phantoms

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=1.6)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> BundlePlan:
    folder = tmp_path_factory.mktemp("bundle")
    plan = BundlePlan(folder / "out", folder / "run", folder / "no-spider", phantoms=2, jobs=1, effort=0.001)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phantoms, "TRAINING_CONFIG", SMALL)
        (plan.run / "phantoms").mkdir(parents=True)
        for seed in plan.seeds:
            phantoms._make(plan.run / "phantoms", seed)
    threads = torch.get_num_threads()
    for name in NETWORKS:
        train_network(plan, name)
    torch.set_num_threads(threads)
    write_bundle(plan)
    return plan


def test_the_bundle_is_whole_and_says_how_it_was_made(plan: BundlePlan) -> None:
    bundle = load_bundle(plan.out)
    assert set(bundle.networks) == set(NETWORKS)
    assert bundle.manifest.training["phantoms"] == 2
    card = (plan.out / "MODEL_CARD.md").read_text()
    assert "Research use only" in card
    assert "No grade of a real patient was ever seen" in card


def test_it_runs_from_end_to_end(plan: BundlePlan) -> None:
    phantom = make_phantom(5, SMALL)
    analysis = analyze(phantom.study, load_system(plan.out, "cpu"))
    assert set(analysis.findings) == set(ALL_FINDINGS)
    for finding in analysis.findings.values():
        assert (finding.probs is None) != (finding.not_gradable is None)


def test_training_seeds_are_not_for_evaluation(plan: BundlePlan) -> None:
    from napari_lumbar.domain.errors import LumbarError

    with pytest.raises(LumbarError, match="the seeds above it are for training"):
        evaluate_phantoms(2, min(plan.seeds), plan.out)


def test_batches_follow_from_the_step(plan: BundlePlan) -> None:
    for name in ("sagittal", "axial", "slice_foraminal", "grade_canal"):
        task = NETWORKS[name].task(plan)
        first, again, other = task.batch(3), task.batch(3), task.batch(4)
        for key, value in first.items():
            np.testing.assert_array_equal(value, again[key], err_msg=f"{name} {key}")
        assert any(not torch.equal(first[key], other[key]) for key in first)
