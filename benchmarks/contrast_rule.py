"""Fit the rule that tells T2 from T1 without headers, and print its accuracy on patients left out.

    python benchmarks/contrast_rule.py DATA/spider/midsagittal [--write]

Needs scikit-learn. Images: SPIDER (van der Graaf et al., Scientific Data 11, 264, 2024; CC BY 4.0).
"""

from __future__ import annotations

import argparse
import ast
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from napari_lumbar.dicom import contrast_weights
from napari_lumbar.dicom.contrast import contrast_measures, upright
from napari_lumbar.domain.geometry import FloatArray, SliceGeometry

_HEADER = '"""Weights of the contrast rule, written by ``benchmarks/contrast_rule.py``."""'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="overwrite the weights in the package")
    args = parser.parse_args()
    measures, kinds, patients = load(args.folder)
    is_t2 = kinds != "t1"
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=3000))
    folds = GroupKFold(10)
    scores = cross_val_predict(model, measures, is_t2, groups=patients, cv=folds, method="decision_function")
    for kind in ("t2", "stir"):
        print_accuracy(scores, kinds, patients, kind)
    if args.write:
        write(*folded(model.fit(measures, is_t2)))


def load(folder: Path) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Measures (n, 35), the kind of each image, t1, t2 or stir, (n,), and its patient (n,)."""
    with (folder / "overview.csv").open(newline="") as stream:
        spacings = {row["new_file_name"]: row["PixelSpacing"] for row in csv.DictReader(stream)}
    paths = sorted([*folder.glob("*_t1.png"), *folder.glob("*_t2.png")])
    images = {path.stem: read(path, ast.literal_eval(spacings[path.stem])[0]) for path in paths}
    images |= dict(simulated_stir(images))
    patients, kinds = zip(*(name.split("_") for name in images), strict=True)
    return np.stack([contrast_measures(i) for i in images.values()]), np.array(kinds), np.array(patients)


def read(path: Path, spacing_mm: float) -> FloatArray:
    """One image, upright on the grid of the measures."""
    pixels = np.asarray(Image.open(path).convert("F"), dtype=np.float32)
    spacing = float(spacing_mm)
    return upright(pixels, SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), spacing, spacing, *pixels.shape))


def simulated_stir(images: Mapping[str, FloatArray]) -> Iterator[tuple[str, FloatArray]]:
    """Each patient's T2 with what is bright in T1, fat, taken away; SPIDER holds no STIR."""
    for name, t1 in images.items():
        patient, kind = name.split("_")
        t2 = images.get(f"{patient}_t2")
        if kind == "t1" and t2 is not None and t1.shape == t2.shape:
            yield f"{patient}_stir", t2 * (1 - 0.85 * np.clip(t1 / np.percentile(t1, 99), 0, 1))


def print_accuracy(scores: FloatArray, kinds: np.ndarray, patients: np.ndarray, kind: str) -> None:
    """Print how often one image, and one pair of a patient's images, is told right."""
    t1 = dict(zip(patients[kinds == "t1"], scores[kinds == "t1"], strict=True))
    t2 = dict(zip(patients[kinds == kind], scores[kinds == kind], strict=True))
    both = sorted(t1.keys() & t2.keys())
    single = np.mean([*(score < 0 for score in t1.values()), *(score > 0 for score in t2.values())])
    paired = np.mean([t2[patient] > t1[patient] for patient in both])
    print(
        f"t1 against {kind}: one image {single:.3f} of {len(t1) + len(t2)}; pairs {paired:.3f} of {len(both)}"
    )
    print(f"  log odds, 5-95 %: t1 {np.percentile(list(t1.values()), (5, 95)).round(1)}, ", end="")
    print(f"{kind} {np.percentile(list(t2.values()), (5, 95)).round(1)}")


def folded(model: object) -> tuple[FloatArray, float]:
    """Scaling and regression as one linear rule: weights (35,) and bias."""
    scaler, regression = (step for _, step in model.steps)  # type: ignore[attr-defined]
    weights = regression.coef_[0] / scaler.scale_
    return weights, float(regression.intercept_[0] - weights @ scaler.mean_)


def write(weights: FloatArray, bias: float) -> None:
    """Write the weights as a module of the package."""
    rows = [", ".join(f"{w:.4f}" for w in weights[i : i + 7]) for i in range(0, len(weights), 7)]
    lines = [_HEADER, "", f"BIAS = {bias:.4f}", "WEIGHTS = (", *(f"    {row}," for row in rows), ")", ""]
    Path(contrast_weights.__file__).write_text("\n".join(lines))


if __name__ == "__main__":
    main()
