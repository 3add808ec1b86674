"""What the three-way network learns from: batches, figures, local models, and whether it can learn at all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.models.three_way import ThreeWay
from napari_lumbar.phantom import PhantomConfig, make_phantom
from napari_lumbar.preprocess.series_text import WORDS
from napari_lumbar.training.engine import stack_items
from napari_lumbar.training.local_models import start_from_folders, with_bert, with_clip
from napari_lumbar.training.losses import weighted_cross_entropy
from napari_lumbar.training.recipes import RECIPES, FoldData
from napari_lumbar.training.recipes.three_way import TINY, paper_config
from napari_lumbar.training.rsna.studies import LabelledStudy, labelled_phantom
from napari_lumbar.training.tasks.fusion_grading import (
    FusionTask,
    fusion_figures,
    graded_findings,
    sight_of,
)

SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.fixture(scope="module")
def study() -> LabelledStudy:
    return labelled_phantom(make_phantom(5, SMALL))


def _never(name: str) -> torch.nn.Module:
    raise AssertionError(f"{name} is not needed")


def test_batches_follow_from_seed_and_step(study: LabelledStudy) -> None:
    task = FusionTask([study], TINY, 3, 4)
    first, again, other = task.batch(7), task.batch(7), task.batch(8)
    assert first["views"].shape == (4, 3, TINY.slices, TINY.size, TINY.size)
    assert first["texts"].shape[:2] == first["visible"].shape == (4, 3)
    assert 0 <= float(first["views"].min()) <= float(first["views"].max()) <= 1
    torch.testing.assert_close(first["views"], again["views"])
    assert not torch.equal(first["views"], other["views"])
    hidden = ~torch.stack([task.batch(i)["visible"] for i in range(10)])
    assert 0 < float(hidden.float().mean()) < 0.5
    assert (first["views"][~first["visible"]] == 0).all()


def test_findings_without_grade_or_landmark_are_left_out(study: LabelledStudy) -> None:
    known = graded_findings([study])
    key = known[0].key
    ungraded = replace(study, severities={k: v for k, v in study.severities.items() if k != key})
    points = {k: v for k, v in study.landmarks.points.items() if k != key}
    unplaced = replace(study, landmarks=replace(study.landmarks, points=points))
    for lacking in (ungraded, unplaced):
        assert len(graded_findings([lacking])) == len(known) - 1
    with pytest.raises(ValueError, match="no finding in 0 studies has a grade"):
        FusionTask([], TINY, 0, 4)


def test_figures_stand_beside_those_without_skill(study: LabelledStudy) -> None:
    figures = fusion_figures([study], TINY)(ThreeWay(TINY).eval())
    for group in ("canal", "foraminal", "subarticular"):
        assert {f"{group}_{name}" for name in ("accuracy", "majority_accuracy", "balanced_accuracy")} <= set(
            figures
        )
    mean = np.mean([figures[f"{g}_log_loss"] for g in ("canal", "foraminal", "subarticular")])
    assert figures["log_loss"] == pytest.approx(mean)
    assert fusion_figures([], TINY)(ThreeWay(TINY).eval())["log_loss"] == pytest.approx(np.log(3))


def test_eight_findings_are_learnt_by_heart(study: LabelledStudy) -> None:
    batch = stack_items([one.item(TINY, one.views(TINY)) for one in graded_findings([study])[::3][:8]])
    torch.manual_seed(0)
    network = ThreeWay(replace(TINY, dropout=0.0)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(20):
        loss = weighted_cross_entropy(network(sight_of(batch)), batch["severity"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_stages_of_a_preset_make_tasks(preset: str, study: LabelledStudy, tmp_path: Path) -> None:
    fold = FoldData([study], [study], 1, tmp_path, _never)
    (stage,) = RECIPES["three_way"].presets[preset]()  # type: ignore[index]
    assert stage.start is None
    assert stage.task(fold).batch(0)["views"].shape[-1] == stage.config.size


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    config = transformers.CLIPVisionConfig(**SIZES, image_size=32, patch_size=16)
    torch.manual_seed(1)
    transformers.CLIPVisionModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sagittal", "axial", "t", "##1", "##2", "/", "."]
    pieces += ["plane", "mm", *"0123456789", *(f"##{d}" for d in "034567890")]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(dict.fromkeys(pieces)) + "\n", encoding="utf-8")
    transformers.BertTokenizer(str(vocabulary)).save_pretrained(folder)
    config = transformers.BertConfig(**SIZES, vocab_size=len(dict.fromkeys(pieces)))
    torch.manual_seed(2)
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_clip_and_bert_start_from_folders(
    clip_folder: Path, bert_folder: Path, study: LabelledStudy, tmp_path: Path
) -> None:
    config = paper_config(image_folder=clip_folder, text_folder=bert_folder)
    assert (config.image, config.text, config.size) == ("clip", "bert", 32)
    assert set(config.words) == set(WORDS)
    assert all(0 < n < config.vocabulary for numbers in config.words.values() for n in numbers)
    network = ThreeWay(config)
    fold = FoldData([study], [study], 1, tmp_path, _never)
    partial(start_from_folders, image=clip_folder, text=bert_folder)(network, fold)
    tower = transformers.CLIPVisionModel.from_pretrained(clip_folder, local_files_only=True).state_dict()
    for encoder in network.images:
        for name, value in encoder.body.state_dict().items():  # type: ignore[union-attr]
            torch.testing.assert_close(value, tower[name])
    bert = transformers.BertModel.from_pretrained(
        bert_folder, local_files_only=True, add_pooling_layer=False
    ).state_dict()
    for name, value in network.text.body.state_dict().items():  # type: ignore[union-attr]
        torch.testing.assert_close(value, bert[name])
    item = graded_findings([study])[0]
    batch = stack_items([item.item(config, item.views(config))])
    assert torch.isfinite(network.eval()(sight_of(batch))).all()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    for read in (with_clip, with_bert):
        with pytest.raises(LumbarError, match=r"holds no config\.json: a folder that save_pretrained"):
            read(TINY, tmp_path)
