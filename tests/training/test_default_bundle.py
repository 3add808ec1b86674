"""Every network of the default bundle, trained for two steps on two small phantoms, and used."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from napari_lumbar.domain.landmarks import Landmarks
from napari_lumbar.domain.spine import ALL_FINDINGS, ConditionGroup
from napari_lumbar.domain.study import Study
from napari_lumbar.models.bundle import load_bundle
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.pipeline import load_system
from napari_lumbar.pipeline.run import analyze
from napari_lumbar.training import calibrate, misses, phantoms
from napari_lumbar.training.default_bundle import (
    GRADE_MEMBERS,
    LOCALISERS,
    NETWORKS,
    SAGITTAL_MEMBERS,
    TRAINED,
    BundlePlan,
    train_network,
    write_bundle,
)
from napari_lumbar.training.evaluate import evaluate_phantoms

_FIRST_STUDY_ID = 1_000_000_000
GROUPS = ("canal", "foraminal", "subarticular")
SMALL = PhantomConfig(balanced=True, sagittal_matrices=(96,), axial_matrices=(96,), voxel_mm=1.6)


class _KnowsThePlaces:
    """Two steps teach no localiser; the graders' calibration needs findings all the same."""

    def __init__(self, *_: object) -> None:
        pass

    def locate(self, study: Study, *_: object) -> Landmarks:
        return make_phantom(int(study.study_id) - _FIRST_STUDY_ID, SMALL).landmarks


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> BundlePlan:
    folder = tmp_path_factory.mktemp("bundle")
    plan = BundlePlan(
        folder / "out",
        folder / "run",
        folder / "no-spider",
        phantoms=2,
        calibration_phantoms=3,
        misses_phantoms=1,
        jobs=1,
        effort=0.001,
    )
    for folder in (plan.phantom_folder, plan.canal_phantom_folder):
        folder.mkdir(parents=True)
        for seed in plan.seeds:
            phantoms._make(folder, SMALL, seed)
    threads = torch.get_num_threads()
    for name in ["sagittal_base", *LOCALISERS]:
        train_network(plan, name)
    write_bundle(plan, plan.run / "localisers", LOCALISERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "make_phantom", lambda seed, _: make_phantom(seed, SMALL))
        measured = misses._measure(plan.run / "localisers", plan.misses_seeds)
    save_file({group.name: measured[0][group] for group in ConditionGroup}, plan.misses_path)
    for name in set(NETWORKS) - set(LOCALISERS):
        train_network(plan, name)
    torch.set_num_threads(threads)
    uncalibrated = plan.run / "uncalibrated"
    write_bundle(plan, uncalibrated, NETWORKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "make_phantom", lambda seed, _: make_phantom(seed, SMALL))
        patch.setattr(calibrate, "MultistageLocalizer", _KnowsThePlaces)
        parts = calibrate._collect(uncalibrated, "even", plan.calibration_seeds)
    write_bundle(plan, plan.out, NETWORKS, calibrate.joined(parts))
    return plan


def test_the_bundle_is_whole_and_says_how_it_was_made(plan: BundlePlan) -> None:
    bundle = load_bundle(plan.out)
    assert set(bundle.networks) - {f"calibration_{group}" for group in GROUPS} == set(NETWORKS)
    assert "sagittal_base" not in bundle.networks
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
    for name in ("sagittal_base", "sagittal_1", "axial", "grade_canal_0"):
        task = TRAINED[name].task(plan, TRAINED[name])
        first, again, other = task.batch(3), task.batch(3), task.batch(4)
        for key, value in first.items():
            np.testing.assert_array_equal(value, again[key], err_msg=f"{name} {key}")
        assert any(not torch.equal(first[key], other[key]) for key in first)


def test_members_of_an_ensemble_leave_out_different_patients() -> None:
    cases = [f"{i:02d}" for i in range(29)]
    for name, members in (
        ("sagittal", SAGITTAL_MEMBERS),
        ("grade_canal", GRADE_MEMBERS[ConditionGroup.CANAL]),
    ):
        left_out = [TRAINED[f"{name}_{k}"].held_out(cases) for k in range(members)]
        assert sorted(case for share in left_out for case in share) == cases
        assert set(TRAINED[f"{name}_0"].seen(cases)) == set(cases) - set(left_out[0])
