"""A bundle: a folder of weights with ``bundle.json``, enough to analyse a study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from torch import nn

from ..domain.errors import BundleError
from ..domain.spine import Severity
from .blocks import channels_last
from .catalog import build_network
from .weights import file_sha256, load_weights, save_weights

MANIFEST = "bundle.json"
MODEL_CARD = "MODEL_CARD.md"

N = TypeVar("N", bound=nn.Module)


class NetworkEntry(BaseModel):
    """One network of a bundle."""

    model_config = ConfigDict(extra="forbid")

    architecture: str = Field(description="key of the architecture catalog")
    config: dict[str, Any] = Field(description="arguments of the architecture's configuration")
    file: str = Field(
        description="file name of the weights, inside the bundle", pattern=r"^[\w.-]+\.safetensors$"
    )
    sha256: str = Field(description="SHA-256 of that file", pattern=r"^[0-9a-f]{64}$")
    parameters: int = Field(description="number of trainable values")


class BundleManifest(BaseModel):
    """``bundle.json``."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    recipe: str = Field(description="the system whose structure this is")
    preset: str
    networks: dict[str, NetworkEntry]
    severities: tuple[str, ...] = Field(
        default=tuple(severity.label for severity in Severity),
        description="classes in the order of every answer",
    )
    training: dict[str, Any] = Field(description="command, seed, data and steps that made the weights")
    settings: dict[str, Any] = Field(default_factory=dict, description="numbers fitted with the networks")

    @field_validator("severities")
    @classmethod
    def _in_order(cls, severities: tuple[str, ...]) -> tuple[str, ...]:
        known = tuple(severity.label for severity in Severity)
        if severities != known:
            raise ValueError(f"the classes are {severities}; every answer is read as {known}")
        return severities


@dataclass(frozen=True, eq=False)
class Bundle:
    """A verified bundle with its networks in evaluation mode on the CPU."""

    manifest: BundleManifest
    networks: Mapping[str, nn.Module]
    sha256: str

    def network(self, name: str, kind: type[N]) -> N:
        """One network by name.

        Raises
        ------
        BundleError
            If there is none of that name, or it is of another architecture.
        """
        found = self.networks.get(name)
        if not isinstance(found, kind):
            raise BundleError(
                f"bundle {self.manifest.name!r} has no {kind.__name__} called {name!r}; "
                f"it holds { {n: type(m).__name__ for n, m in self.networks.items()} }"
            )
        return found

    def members(self, name: str, kind: type[N], chosen: Sequence[str] | None = None) -> tuple[N, ...]:
        """The networks of an ensemble: ``name_0``, ``name_1`` and so on, or the one called ``name``.

        An ensemble may mix kinds: ``name-kind``, or ``name-kind_0``, ``name-kind_1`` and so on.

        Parameters
        ----------
        chosen
            Names of the members wanted; None for all.

        Raises
        ------
        BundleError
            If there is none, or one is of another architecture.
        """
        return tuple(self.network(n, kind) for n in chosen or self._several(name) or [name])

    def holds(self, name: str) -> bool:
        """Whether there is a network called ``name``, or an ensemble."""
        return name in self.networks or bool(self._several(name))

    def _several(self, name: str) -> list[str]:
        return sorted(n for n in self.networks if re.fullmatch(rf"{re.escape(name)}(_\d+|-\w+)", n))


def default_bundle_path() -> Path:
    """The folder of the embedded default bundle."""
    return Path(__file__).parent.parent / "bundles" / "default"


def load_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle.

    Raises
    ------
    BundleError
        If the manifest or a network is missing, malformed, altered or of an unknown kind.
    """
    manifest = read_manifest(folder)
    networks = {name: _load_network(folder, entry) for name, entry in manifest.networks.items()}
    return Bundle(manifest, networks, file_sha256(folder / MANIFEST))


def read_manifest(folder: Path) -> BundleManifest:
    """Read what a bundle is, and none of its weights.

    Raises
    ------
    BundleError
        If the manifest is missing or malformed.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder.name!r} is not a bundle: it holds no {MANIFEST}")
    try:
        return BundleManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BundleError(f"{MANIFEST} of {folder.name!r} is malformed: {error}") from error


def write_network(
    folder: Path, name: str, architecture: str, config: Any, network: nn.Module
) -> NetworkEntry:
    """Write one network's weights into ``folder``; ``config`` is the architecture's dataclass."""
    file = f"{name}.safetensors"
    return NetworkEntry(
        architecture=architecture,
        config=asdict(config),
        file=file,
        sha256=save_weights(network, folder / file),
        parameters=sum(p.numel() for p in network.parameters()),
    )


def write_manifest(folder: Path, manifest: BundleManifest) -> None:
    """Write ``bundle.json``; the last file of a bundle to appear."""
    temporary = folder / f"{MANIFEST}.part"
    temporary.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    temporary.replace(folder / MANIFEST)


def _load_network(folder: Path, entry: NetworkEntry) -> nn.Module:
    network = build_network(entry.architecture, entry.config)
    load_weights(network, folder / entry.file, entry.sha256)
    return channels_last(network).eval().requires_grad_(False)
