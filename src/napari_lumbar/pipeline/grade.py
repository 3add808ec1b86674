"""The multistage grader: a bag of crops per plane, an ensemble per condition group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..domain.errors import BundleError, LumbarError
from ..domain.findings import CropEvidence, Finding, PlaneAnswer, probs_from_array
from ..domain.landmarks import Dependence, Landmarks, NotGradable
from ..domain.spine import ConditionGroup, FindingKey, Side
from ..domain.study import MRSeries, PixelArray, Study
from ..models.bundle import Bundle
from ..models.grade_calibration import GradeCalibration
from ..models.lstm_mil import LstmMil
from ..preprocess.bags import NO_JITTER, Bag, Jitter, finding_bags, prepared_by_id, sample_bag
from ..preprocess.crop_tables import CropTable, crop_table
from ..preprocess.planes import plane_shapes
from ..preprocess.resample import Box
from .evidence import to_native
from .explain import grade_with_heatmaps
from .judge import calibrated, calibrations, judged
from .progress import CancelToken, Progress, ProgressCallback

_NETWORKS = {
    ConditionGroup.CANAL: "grade_canal",
    ConditionGroup.FORAMINAL: "grade_foraminal",
    ConditionGroup.SUBARTICULAR: "grade_subarticular",
}
#: The plane that carries a group's own landmark; without it there is no grade.
_OWN_PLANE = {
    ConditionGroup.CANAL: "sagittal",
    ConditionGroup.FORAMINAL: "sagittal",
    ConditionGroup.SUBARTICULAR: "axial",
}


#: A finding is looked at once as it is and once from places a little beside it.
_MOVES = (NO_JITTER, Jitter(rows_mm=2.5, columns_mm=-2.5), Jitter(rows_mm=-2.5, columns_mm=2.5))
_CHUNK = 10


@dataclass(frozen=True)
class _Sight:
    """What the networks of one group see: size of crops by plane, in order, and how far they reach."""

    shapes: Mapping[str, tuple[int, int]]
    table: CropTable


@dataclass(frozen=True, eq=False)
class _Look:
    """One look at a finding: its bags by plane, and whether it was looked at from its very place."""

    key: FindingKey
    bags: Mapping[str, Bag]
    is_plain: bool


@dataclass(frozen=True, eq=False)
class Answers:
    """What an ensemble says to n looks.

    Parameters
    ----------
    log_probs
        Per network and look, shape (networks, n, 3).
    plane_log_probs
        What each plane says alone, each of shape (networks, n, 3).
    weights
        Attention per plane, mean of the networks, each of shape (n, 5).
    features
        Of the first network, shape (n, D).
    heatmaps
        Of the first network per plane, each of shape (n, 5, h, w); zero size where none were asked for.
    """

    log_probs: torch.Tensor
    plane_log_probs: tuple[torch.Tensor, ...]
    weights: tuple[PixelArray, ...]
    features: torch.Tensor
    heatmaps: tuple[PixelArray, ...]


@dataclass(frozen=True, eq=False)
class Seen:
    """What an ensemble saw of some findings, from their very places and from beside them."""

    plain: Sequence[_Look]
    moved: Sequence[_Look]
    from_place: Answers
    from_beside: Answers
    planes: Sequence[str]

    def log_probs(self, key: FindingKey) -> torch.Tensor:
        """Of one finding, shape (networks, looks, 3)."""
        here, near = _rows(self.plain, key), _rows(self.moved, key)
        return torch.cat([self.from_place.log_probs[:, here], self.from_beside.log_probs[:, near]], dim=1)

    def features(self, key: FindingKey) -> torch.Tensor:
        """Of one finding as the first network saw it from its place, shape (looks, D)."""
        return self.from_place.features[_rows(self.plain, key)]

    def evidence(self, key: FindingKey) -> tuple[CropEvidence, ...]:
        """Crops of one finding with weights and heatmaps."""
        rows = _rows(self.plain, key)
        return _joined([_evidence(self.plain[i], self.planes, i, self.from_place) for i in rows])

    def by_plane(self, key: FindingKey, calibration: GradeCalibration | None) -> tuple[PlaneAnswer, ...]:
        """What each plane that has crops of one finding says alone, from its place.

        Calibrated as the finding itself is: next to it, what leans on no severities' frequencies would seem
        to contradict it.
        """
        rows = _rows(self.plain, key)
        answers = []
        for plane, log_probs in zip(self.planes, self.from_place.plane_log_probs, strict=True):
            seen = [i for i in rows if plane in self.plain[i].bags]
            if seen:
                probs = calibrated(log_probs[:, seen].mean((0, 1))[None], key.level, calibration)
                role = self.plain[seen[0]].bags[plane].role
                answers.append(PlaneAnswer(role, probs_from_array(probs[0].numpy())))
        return tuple(answers)


def _rows(looks: Sequence[_Look], key: FindingKey) -> list[int]:
    return [i for i, look in enumerate(looks) if look.key == key]


class MultistageGrader:
    """Grades with the ensembles ``grade_canal``, ``grade_foraminal``, ``grade_subarticular``.

    Parameters
    ----------
    members
        Names of the networks to use, by ensemble; see ``load_system``.
    """

    dependence = Dependence.CROPS

    def __init__(
        self, bundle: Bundle, device: torch.device, members: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        chosen = members or {}
        self._ensembles = {
            group: [n.to(device) for n in bundle.members(name, LstmMil, chosen.get(name))]
            for group, name in _NETWORKS.items()
        }
        self._sights = {group: _sight(networks) for group, networks in self._ensembles.items()}
        self._calibrations = calibrations(bundle)
        self._device = device

    def grade(
        self,
        study: Study,
        landmarks: Landmarks,
        keys: Collection[FindingKey],
        report: ProgressCallback,
        cancel: CancelToken,
    ) -> Mapping[FindingKey, Finding]:
        """Return a finding, graded or with the reason why not, for each key."""
        series = prepared_by_id(study)
        graded: dict[FindingKey, Finding] = {}
        for group in ConditionGroup:
            wanted = [key for key in keys if key.condition.group is group and key in landmarks.points]
            for start in range(0, len(wanted), _CHUNK):
                cancel.raise_if_cancelled()
                chunk = wanted[start : start + _CHUNK]
                report(Progress(f"grading {group.value.lower()}", len(graded) / len(keys)))
                graded |= self._findings(study, landmarks, group, chunk, series)
        return {key: graded.get(key) or _ungraded(key, landmarks) for key in keys}

    def look(
        self,
        group: ConditionGroup,
        keys: Sequence[FindingKey],
        landmarks: Landmarks,
        series: Mapping[str, MRSeries],
        with_heatmaps: bool = False,
    ) -> Seen:
        """Ask the ensemble of a group about findings whose landmarks are known.

        Parameters
        ----------
        series
            By ``series_id``, as ``prepared_series`` gives them.
        """
        table = self._sights[group].table
        looks = [look for key in keys for look in _looks(key, landmarks, series, table)]
        plain = [look for look in looks if look.is_plain]
        moved = [look for look in looks if not look.is_plain]
        return Seen(
            plain,
            moved,
            self._ask(group, plain, series, with_heatmaps),
            self._ask(group, moved, series, with_heatmaps=False),
            list(self._sights[group].shapes),
        )

    def _findings(
        self,
        study: Study,
        landmarks: Landmarks,
        group: ConditionGroup,
        keys: Sequence[FindingKey],
        series: Mapping[str, MRSeries],
    ) -> dict[FindingKey, Finding]:
        seen = self.look(group, keys, landmarks, series, with_heatmaps=True)
        findings = {}
        for key in keys:
            calibration = self._calibrations.get(group)
            native = [to_native(crop, series, study) for crop in seen.evidence(key)]
            finding = judged(
                landmarks.points[key], seen.log_probs(key), seen.features(key), calibration, native
            )
            by_plane = () if finding.probs is None else seen.by_plane(key, calibration)
            findings[key] = replace(finding, by_plane=by_plane)
        return findings

    def _ask(
        self,
        group: ConditionGroup,
        looks: Sequence[_Look],
        series: Mapping[str, MRSeries],
        with_heatmaps: bool,
    ) -> Answers:
        shapes = self._sights[group].shapes
        bags = tuple(self._tensor(looks, plane, shape, series) for plane, shape in shapes.items())
        return ask_ensemble(self._ensembles[group], bags, with_heatmaps)

    def _tensor(
        self, looks: Sequence[_Look], plane: str, shape: tuple[int, int], series: Mapping[str, MRSeries]
    ) -> torch.Tensor:
        """Bags as (n, 5, 1, H, W); zeros where the plane is absent, as in training."""
        crops = [
            sample_bag(bag, series[bag.series_id], shape) if bag else np.zeros((5, *shape), np.float32)
            for bag in (look.bags.get(plane) for look in looks)
        ]
        return torch.from_numpy(np.stack(crops))[:, :, None].to(self._device)


def ask_ensemble(networks: Sequence[LstmMil], bags: tuple[torch.Tensor, ...], with_heatmaps: bool) -> Answers:
    """Ask every network about n bags per plane, each (n, 5, 1, H, W)."""
    first, *others = networks
    heatmaps: tuple[PixelArray, ...] = ()
    with torch.inference_mode():
        outputs = [network(bags) for network in (others if with_heatmaps else networks)]
    if with_heatmaps:
        output, heatmaps = grade_with_heatmaps(first, bags)
        outputs = [output, *outputs]
    weights = [torch.stack([o.weights[i] for o in outputs]).mean(0) for i in range(len(bags))]
    return Answers(
        _log_probs([o.logits for o in outputs]),
        tuple(_log_probs([o.plane_logits[i] for o in outputs]) for i in range(len(bags))),
        tuple(w.detach().float().cpu().numpy() for w in weights),
        outputs[0].features.detach().float().cpu(),
        heatmaps,
    )


def _log_probs(logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of each network's (n, 3): shape (networks, n, 3), on the CPU."""
    return torch.stack([each.float().log_softmax(-1) for each in logits]).detach().cpu()


def _sight(networks: Sequence[LstmMil]) -> _Sight:
    """What all networks of an ensemble see; they share their bags."""
    configs = [network.config for network in networks]
    seen = {(config.planes, str(config.shapes), config.crops) for config in configs}
    if len(seen) > 1:
        raise BundleError(
            f"the networks of one ensemble must see the same crops; these see {sorted(map(str, seen))}"
        )
    first = configs[0]
    return _Sight(plane_shapes(first.planes, first.shapes), crop_table(first.crops))


def _looks(
    key: FindingKey, landmarks: Landmarks, series: Mapping[str, MRSeries], table: CropTable
) -> list[_Look]:
    looks = []
    for side in _sides(key):
        for move in _MOVES:
            jitter = {"sagittal": move, "axial": move}
            bags = finding_bags(key, landmarks, series, side, jitter, table)
            if _OWN_PLANE[key.condition.group] not in bags:
                raise LumbarError(f"{key.text}: its landmark lies in a series that has no role in this study")
            looks.append(_Look(key, bags, move == NO_JITTER))
    return looks


def _ungraded(key: FindingKey, landmarks: Landmarks) -> Finding:
    why = landmarks.missing.get(key, NotGradable("no_landmark", f"{key.text} has no landmark"))
    return Finding(key, None, None, not_gradable=why)


def _sides(key: FindingKey) -> tuple[Side, ...]:
    """The canal is graded from both sides' axial crops; the published code picks one at random."""
    return (key.condition.side,) if key.condition.side else (Side.LEFT, Side.RIGHT)


def _evidence(look: _Look, planes: Sequence[str], row: int, answers: Answers) -> tuple[CropEvidence, ...]:
    """Crops of a look with their weights, and heatmaps turned back to how the slice lies."""
    return tuple(
        CropEvidence(
            role=bag.role,
            series_id=bag.series_id,
            slice_index=crop.slice_index,
            box_rc=crop.box_rc,
            weight=float(answers.weights[i][row, j]),
            heatmap=answers.heatmaps[i][row, j][:, :: -1 if bag.mirrored else 1],
        )
        for i, plane in enumerate(planes)
        if (bag := look.bags.get(plane)) is not None
        for j, crop in enumerate(bag.crops)
    )


def _joined(views: list[tuple[CropEvidence, ...]]) -> tuple[CropEvidence, ...]:
    """Evidence of all views; each plane's weights still sum to 1, and a crop seen twice stands once."""
    joined: dict[tuple[str, int, Box], CropEvidence] = {}
    for crop in (replace(c, weight=c.weight / len(views)) for view in views for c in view):
        place = (crop.series_id, crop.slice_index, crop.box_rc)
        seen = joined.get(place)
        joined[place] = crop if seen is None else _merged(seen, crop)
    return tuple(joined.values())


def _merged(first: CropEvidence, second: CropEvidence) -> CropEvidence:
    heatmap = np.maximum(first.heatmap, second.heatmap)
    return replace(first, weight=first.weight + second.weight, heatmap=heatmap)
