"""Fit the rule that tells T2 from T1 without headers, and print its accuracy on patients left out.

    python benchmarks/contrast_rule.py DATA/spider/midsagittal [--write]

Needs scikit-learn. Images: SPIDER (van der Graaf et al., Scientific Data 11, 264, 2024; CC BY 4.0).
"""

from __future__ import annotations

import argparse
import ast
import csv
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
    measures, is_t2, patients = load(args.folder)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=3000))
    folds = GroupKFold(10)
    scores = cross_val_predict(model, measures, is_t2, groups=patients, cv=folds, method="decision_function")
    print_accuracy(scores, is_t2, patients)
    if args.write:
        write(*folded(model.fit(measures, is_t2)))


def load(folder: Path) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Measures (n, 35), whether each image is a T2 (n,), and its patient (n,)."""
    with (folder / "overview.csv").open(newline="") as stream:
        spacings = {row["new_file_name"]: row["PixelSpacing"] for row in csv.DictReader(stream)}
    paths = sorted([*folder.glob("*_t1.png"), *folder.glob("*_t2.png")])
    measures = np.stack([measure(path, ast.literal_eval(spacings[path.stem])[0]) for path in paths])
    is_t2 = np.array([path.stem.endswith("t2") for path in paths])
    return measures, is_t2, np.array([path.stem.split("_")[0] for path in paths])


def measure(path: Path, spacing_mm: float) -> FloatArray:
    """Measures of one image, shape (35,)."""
    pixels = np.asarray(Image.open(path).convert("F"), dtype=np.float32)
    rows, columns = pixels.shape
    spacing = float(spacing_mm)
    geometry = SliceGeometry((0, 0, 0), (0, 1, 0), (0, 0, -1), spacing, spacing, rows, columns)
    return contrast_measures(upright(pixels, geometry))


def print_accuracy(scores: FloatArray, is_t2: np.ndarray, patients: np.ndarray) -> None:
    """Print how often one image, and one pair of a patient's images, is told right."""
    t1 = dict(zip(patients[~is_t2], scores[~is_t2], strict=True))
    t2 = dict(zip(patients[is_t2], scores[is_t2], strict=True))
    both = sorted(t1.keys() & t2.keys())
    paired = np.mean([t2[patient] > t1[patient] for patient in both])
    print(f"one image: {np.mean((scores > 0) == is_t2):.3f} of {len(scores)}")
    print(f"pairs of one patient: {paired:.3f} of {len(both)}")
    wrong = np.abs(scores[(scores > 0) != is_t2])
    print(f"log odds of wrong answers: median {np.median(wrong):.1f}, largest {wrong.max():.1f}")


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
