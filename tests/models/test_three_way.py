"""The three-way network: every candidate builds and runs, missing series do not matter."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from napari_lumbar.domain.errors import LumbarError
from napari_lumbar.models.catalog import build_network
from napari_lumbar.models.fusion_encoders import image_encoder, text_encoder
from napari_lumbar.models.three_way import FindingSight, ThreeWay, ThreeWayConfig
from napari_lumbar.models.unet3d import UNet3d

SIZE = 64
SMALL_BERT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
CANDIDATES: Mapping[str, Mapping[str, Any]] = {
    "resnet50": {"image": "resnet50"},
    "efficientnet": {"image": "efficientnet"},
    "unet3d": {"image": "unet3d", "image_options": {"widths": [4, 8, 8]}, "slices": 5},
    "clip": {"image": "clip", "image_options": {**SMALL_BERT, "patch_size": 16}},
    "bert": {"image": "timm", "text": "bert", "text_options": SMALL_BERT},
}


def _sight(slices: int, visible: list[bool]) -> FindingSight:
    torch.manual_seed(0)
    there = torch.tensor([visible, visible])
    views = torch.rand(2, 3, slices, SIZE, SIZE) * there[:, :, None, None, None]
    texts = torch.randint(1, 512, (2, 3, 6)) * there[:, :, None]
    return FindingSight(views, there, texts, torch.tensor([0, 4]), torch.tensor([0, 2]))


@pytest.mark.parametrize("name", sorted(CANDIDATES))
def test_every_candidate_builds_runs_and_learns(name: str) -> None:
    config = {"size": SIZE, "joint_width": 8, "hidden": 8, **CANDIDATES[name]}
    network = build_network("three_way", config)
    assert isinstance(network, ThreeWay)
    logits = network(_sight(network.config.slices, [True, True, False]))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()
    logits.logsumexp(-1).sum().backward()
    assert all(p.grad is not None for p in network.images[0].parameters())
    assert len(network.heatmap_layers()) == 3


def test_the_paper_network_is_three_resnet50_and_a_small_rest() -> None:
    network = ThreeWay(ThreeWayConfig())
    counts = [sum(p.numel() for p in encoder.parameters()) for encoder in network.images]
    assert counts == [23_508_032] * 3  # ResNet50 without its last layer
    rest = sum(p.numel() for p in network.parameters()) - sum(counts)
    joined = 3 * (128 + 32 + 1) + 2 * 16
    expected = 3 * (2048 * 128 + 128) + 512 * 32 + 8 * 16 + (joined + 1) * 256 + 257 * 3
    assert rest == expected


def test_what_stands_in_a_missing_series_does_not_matter() -> None:
    network = build_network("three_way", {"size": SIZE, "image": "timm", "hidden": 8}).eval()
    sight = _sight(3, [True, False, True])
    other = sight._replace(
        views=torch.where(sight.visible[:, :, None, None, None], sight.views, 0.7),
        texts=torch.where(sight.visible[:, :, None], sight.texts, 5),
    )
    torch.testing.assert_close(network(sight), network(other))
    alone = sight._replace(visible=torch.zeros_like(sight.visible))
    assert not torch.allclose(network(sight), network(alone))


def test_an_empty_text_is_zeros_and_words_count_alike() -> None:
    torch.manual_seed(0)
    hashed = text_encoder("hashed", 8, {"width": 4})
    assert not hashed(torch.zeros(1, 3, dtype=torch.long)).any()
    torch.testing.assert_close(hashed(torch.tensor([[2, 3, 0]])), hashed(torch.tensor([[3, 2, 0]])))
    bert = text_encoder("bert", 8, SMALL_BERT).eval()
    assert not bert(torch.zeros(1, 3, dtype=torch.long)).any()


def test_the_unet_keeps_slices_apart_and_odd_numbers_of_them() -> None:
    network = UNet3d((4, 8, 8))
    assert network(torch.rand(2, 5, 16, 16)).shape == (2, network.num_features) == (2, 12)


def test_a_candidate_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LumbarError, match=r"'vgg' is none of \['clip', 'efficientnet'"):
        image_encoder("vgg", 3, SIZE, {})
    with pytest.raises(LumbarError, match="'t5' is none of"):
        text_encoder("t5", 8, {})
    with pytest.raises(LumbarError, match="three channels, not 5 slices"):
        image_encoder("clip", 5, SIZE, {})


def test_without_transformers_only_what_needs_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    build_network("three_way", {"size": SIZE, "image": "timm"})
    with pytest.raises(LumbarError, match=r"'bert' encoder needs .* install napari-lumbar\[train\]"):
        text_encoder("bert", 8, SMALL_BERT)
    with pytest.raises(LumbarError, match="'clip' encoder needs"):
        image_encoder("clip", 3, SIZE, {})
