"""The networks of M-SCAN: published sizes, and what mends the published code."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from napari_lumbar.models.catalog import build_network
from napari_lumbar.models.crop_grader import CropGrader, CropGraderConfig
from napari_lumbar.models.mscan import Mscan, MscanConfig, MscanInput
from napari_lumbar.training.recipes.mscan import PAPER, RECIPE

SMALL = CropGraderConfig(
    "resnet10t", {"channels": (8, 8, 8, 8), "stem_width": 8}, heatmap_layer="layer2", size=32, features=16
)
TINY = MscanConfig(SMALL, SMALL, width=16, layers=1, dropout=0.0)
LEVELS = 5


def shown(seen: torch.Tensor | None = None) -> MscanInput:
    torch.manual_seed(3)
    everything = torch.ones(2, LEVELS, 2, dtype=torch.bool)
    return MscanInput(
        torch.rand(2, LEVELS, 1, 32, 32),
        torch.rand(2, LEVELS, 3, 1, 32, 32),
        everything if seen is None else seen,
    )


def network(config: MscanConfig = TINY) -> Mscan:
    torch.manual_seed(4)
    return Mscan(config).eval()


def parameters(stage: str) -> int:
    chosen = next(one for one in RECIPE.presets["paper"]() if one.name == stage)
    with torch.device("meta"):
        built = build_network(chosen.architecture, asdict(chosen.config))
    return sum(p.numel() for p in built.parameters())


@pytest.mark.parametrize(
    ("stage", "millions"),
    [
        # ResNet50-D has 23.5 million without its head; the decoder 256/128/64/32/16 adds nine.
        ("points", (31, 34)),
        # torchvision counts 32.3 million for FCOS with a ResNet50.
        ("levels", (31, 33)),
        # A ResNet18 has 11.2 million without its head.
        ("axial_point", (11.1, 11.3)),
        # timm counts 13.65 million with 1000 classes of 1024 features; here 512.
        ("grade_sagittal", (13.0, 13.3)),
    ],
)
def test_the_published_sizes(stage: str, millions: tuple[float, float]) -> None:
    assert millions[0] <= parameters(stage) / 1e6 <= millions[1]


def test_the_published_fusion_adds_what_its_layers_have() -> None:
    """Counted by hand: 2 x 256 units both ways, gates of 256 x (inputs + 256) and two rows of biases."""
    gate = 256 * (512 + 256) + 2 * 256
    recurrent = 2 * 2 * gate * (3 + 3 + 4)  # layers, directions; gates of two GRUs and an LSTM
    attention = 2 * (4 * 512 * 512 + 4 * 512)
    heads = 1024 * 512 + 512 + 5 * (512 * 3 + 3)
    missing = 2 * 512
    encoders = 2 * (parameters("grade_sagittal") - (512 * 3 + 3))
    assert parameters("fusion") == encoders + recurrent + attention + heads + missing


def test_the_published_fusion_reads_512_features_and_answers_for_five_levels() -> None:
    small = replace(PAPER.crops, encoder="resnet10t", encoder_options=SMALL.encoder_options, size=32)
    built = Mscan(replace(PAPER.fusion, sagittal=small, axial=small))
    output = built(shown())
    assert output.logits.shape == (2, LEVELS, 3)
    assert output.features.shape == (2, LEVELS, 512)
    output.logits.sum().backward()
    assert torch.isfinite(output.logits).all()


def test_the_published_encoder_goes_forward_and_back_on_a_smaller_crop() -> None:
    grader = CropGrader(PAPER.crops)
    logits = grader(torch.rand(2, 1, 64, 64))
    assert logits.shape == (2, 3)
    logits.sum().backward()
    assert all(p.grad is not None for p in grader.parameters())


def test_every_level_sees_the_others() -> None:
    """The published attention ran over one token: without GRUs its levels would never meet."""
    built = network(replace(TINY, recurrent=False))
    before = shown()
    sagittal = before.sagittal.clone()
    sagittal[:, 4] = 0
    changed = (built(before).logits - built(before._replace(sagittal=sagittal)).logits).abs().amax((0, 2))
    assert (changed > 0).all()


def test_studies_of_a_batch_do_not_see_each_other() -> None:
    built, both = network(), shown()
    alone = MscanInput(*(part[:1] for part in both))
    torch.testing.assert_close(built(alone).logits, built(both).logits[:1], atol=1e-5, rtol=1e-4)


def test_what_is_not_seen_has_no_say() -> None:
    seen = torch.ones(2, LEVELS, 2, dtype=torch.bool)
    seen[0, :, 1] = False
    seen[1, 2] = False
    before, built = shown(seen), network()
    axial, sagittal = before.axial.clone(), before.sagittal.clone()
    axial[0], axial[1, 2], sagittal[1, 2] = 7.0, 7.0, 7.0
    first, second = built(before), built(MscanInput(sagittal, axial, seen))
    torch.testing.assert_close(first.logits, second.logits)
    assert torch.isfinite(first.logits).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"views": "sagittal"},
        {"views": "sagittal", "recurrent": False},
        {"recurrent": False},
        {"attention": False},
    ],
    ids=str,
)
def test_the_ablations_of_the_paper(changes: dict[str, str | bool]) -> None:
    built = network(replace(TINY, **changes))  # type: ignore[arg-type]
    assert built(shown()).logits.shape == (2, LEVELS, 3)
    kinds = {type(module) for module in built.modules()}
    assert (nn.GRU in kinds) == (changes.get("recurrent") is not False)
    has_attention = changes.get("attention") is not False and changes.get("views") != "sagittal"
    assert (nn.MultiheadAttention in kinds) == has_attention
    assert len(built.heatmap_layers()) == (1 if changes.get("views") == "sagittal" else 2)


def test_encoders_stay_as_stage_two_left_them() -> None:
    built = Mscan(TINY).train()
    built(shown())
    norms = [m for m in built.sagittal.encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(not norm.training and int(norm.num_batches_tracked or 0) == 0 for norm in norms)
    assert built.join.training
