"""``golden.json``: what every network of a bundle answers to a made input, to be asked for again.

SHA-256 says that the bytes are those that were written; only an answer says that this version of the program
builds the same network from them. The file lies beside ``bundle.json`` and names its SHA-256, so that a
bundle keeps its own hash, which sessions and figures are bound to, when answers are added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from ..domain.errors import BundleError
from .bundle import Bundle, load_bundle
from .mscan import AXIAL_SLICES, MscanInput

GOLDEN = "golden.json"
#: Answers of other machines may differ by this much of the largest value.
TOLERANCE = 1e-3
#: Values kept of each tensor of an answer, evenly spaced.
_KEPT = 8
#: Side of an image for networks that take any size, and of the MIL graders' crops.
_SIDE = 48
_GOLDEN_RATIO = 0.6180339887498949

Answers = list[list[float]]


class Golden(BaseModel):
    """``golden.json``."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    bundle_sha256: str = Field(description="SHA-256 of the bundle.json that the answers belong to")
    answers: dict[str, Answers] = Field(description="by network: some values of each tensor it returns")


def write_golden(folder: Path) -> Path:
    """Ask every network of the finished bundle in ``folder`` and write its answers beside it.

    Raises
    ------
    BundleError
        If the bundle is broken, or an answer is not finite.
    """
    bundle = load_bundle(folder)
    path = folder / GOLDEN
    document = Golden(bundle_sha256=bundle.sha256, answers=answers(bundle))
    path.write_text(document.model_dump_json() + "\n", encoding="utf-8")
    return path


def check_golden(folder: Path, bundle: Bundle) -> bool:
    """Compare the answers of a loaded bundle with those written beside it; False where there are none.

    Raises
    ------
    BundleError
        If the file is malformed or belongs to another ``bundle.json``, or an answer differs.
    """
    path = folder / GOLDEN
    if not path.is_file():
        return False
    try:
        golden = Golden.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BundleError(f"{GOLDEN} of {folder.name!r} is malformed: get the bundle again") from error
    if golden.bundle_sha256 != bundle.sha256:
        raise BundleError(
            f"{GOLDEN} belongs to the bundle.json of SHA-256 {golden.bundle_sha256[:12]}..., not to this one "
            f"({bundle.sha256[:12]}...): one of them was replaced, get the whole bundle again"
        )
    given = answers(bundle)
    for name in sorted(golden.answers.keys() | given.keys()):
        if not _alike(golden.answers.get(name), given.get(name)):
            raise BundleError(
                f"network {name!r} does not answer as it did when the bundle was made: this version builds "
                "it differently, use the one that made the bundle, or get the bundle again"
            )
    return True


def answers(bundle: Bundle) -> dict[str, Answers]:
    """Some values of each tensor that each network returns for its made input.

    Raises
    ------
    BundleError
        If a value is not finite.
    """
    found = {}
    for name, network in bundle.networks.items():
        ask = _ASKED[bundle.manifest.networks[name].architecture]
        with torch.inference_mode():
            found[name] = [_some(tensor) for tensor in _tensors(ask(network))]
        if not all(np.isfinite(values).all() for values in found[name]):
            raise BundleError(f"network {name!r} gives values that are not finite; train it again")
    return found


def _alike(expected: Answers | None, given: Answers | None) -> bool:
    if expected is None or given is None or [len(e) for e in expected] != [len(g) for g in given]:
        return False
    return all(
        np.allclose(e, g, rtol=0, atol=TOLERANCE * (1 + np.abs(e).max(initial=0.0)))
        for e, g in zip(expected, given, strict=True)
    )


def _some(tensor: Tensor) -> list[float]:
    values = tensor.double().flatten()
    places = torch.linspace(0, len(values) - 1, min(_KEPT, len(values))).round().long()
    return [float(f"{value:.6g}") for value in values[places]]


def _tensors(answer: Any) -> list[Tensor]:
    """The tensors of an answer, in order; heads that a configuration leaves out are None."""
    if isinstance(answer, Tensor):
        return [answer]
    if answer is None:
        return []
    parts = answer if isinstance(answer, tuple) else vars(answer).values()
    return [tensor for part in parts for tensor in _tensors(part)]


def made(*shape: int) -> Tensor:
    """Numbers between 0 and 1 that follow from their place alone, on every machine and version."""
    places = np.arange(1, int(np.prod(shape)) + 1, dtype=np.float64)
    return torch.from_numpy((places * _GOLDEN_RATIO % 1).astype(np.float32).reshape(shape))


def _seen(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.bool)


def _square(network: Any) -> Any:
    return network(made(2, 1, network.config.size, network.config.size))


def _ask_regressor(network: Any) -> Any:
    return network(made(1, network.config.in_channels, network.config.size, network.config.size))


def _ask_unet(network: Any) -> Any:
    return network(made(1, network.config.in_channels, _SIDE, _SIDE))


def _ask_slice_index(network: Any) -> Any:
    config = network.config
    return network(made(1, 1, config.n_slices, config.size, config.size))


def _ask_mil(network: Any) -> Any:
    return network(tuple(made(1, 5, 1, _SIDE, _SIDE) for _ in network.config.planes))


def _ask_mscan(network: Any) -> Any:
    sagittal, axial = (made(1, 5, 1, c.size, c.size) for c in (network.config.sagittal, network.config.axial))
    return network(
        MscanInput(sagittal, axial[:, :, None].repeat(1, 1, AXIAL_SLICES, 1, 1, 1), _seen(1, 5, 2))
    )


def _ask_three_way(network: Any) -> Any:
    config = network.config
    n = len(config.roles)
    views = made(1, n, config.slices, config.size, config.size)
    return network((views, _seen(1, n), torch.ones(1, n, 3, dtype=torch.long), *_level_and_group()))


def _level_and_group() -> tuple[Tensor, Tensor]:
    return torch.tensor([2]), torch.tensor([1])


def _ask_multiview(network: Any) -> Any:
    n, shape = len(network.config.roles), network.config.shape
    return network((made(1, n, *shape), _seen(1, n, shape[0]), torch.tensor([2])))


def _ask_sequence(network: Any) -> Any:
    size = network.config.size
    return network((made(1, 1, size, size), torch.tensor([2])))


#: How each architecture of the catalog is asked.
_ASKED: Mapping[str, Callable[[nn.Module], Any]] = {
    "heatmap_unet": _ask_unet,
    "slice_index_convnext3d": _ask_slice_index,
    "grade_calibration": lambda network: network(made(1, 3).log_softmax(-1), torch.tensor([2])),
    "multiview_transformer": _ask_multiview,
    "point_regressor": _ask_regressor,
    "lstm_mil": _ask_mil,
    "point_unet": _square,
    "level_detector": _square,
    "axial_point": _square,
    "crop_grader": _square,
    "mscan": _ask_mscan,
    "sequence_efficientnet": _ask_sequence,
    "three_way": _ask_three_way,
}
