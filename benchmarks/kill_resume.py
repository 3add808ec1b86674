"""Kill a training run with SIGKILL at random moments, go on with it, and compare the weights it ends with.

    python -m benchmarks.kill_resume [--kills 20] [--recipe NAME] [--write]

trains once undisturbed, then as often as asked: kill at a random moment, resume to the end. Every run must
end with the same bytes. ``--write`` puts the result into RESULTS.md.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from benchmarks.analyze import keep

from napari_lumbar.phantom import PhantomConfig, write_cohort

_SMALL = PhantomConfig(balanced=True, sagittal_matrices=(128,), axial_matrices=(128,), voxel_mm=1.4)


def _command(recipe: str, data: Path, cache: Path, run: Path, effort: float) -> list[str]:
    program = str(Path(sys.executable).parent / "napari-lumbar")
    options = ["--data", str(data), "--out", str(run), "--cache", str(cache), "--fold", "0", "--folds", "2"]
    return [program, "train", recipe, *options, "--device", "cpu", "--resume", "--effort", str(effort)]


def _weights(run: Path) -> str:
    """SHA-256 over every file of weights of the first fold."""
    files = sorted((run / "fold_0" / "bundle").glob("*.safetensors"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _whole(command: list[str]) -> float:
    """Run to the end; return the seconds that took."""
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - started


def _killed(command: list[str], after_s: float) -> bool:
    """Kill the run and all it started after so many seconds; return whether it was still running."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
    return False


def _trials(root: Path, options: argparse.Namespace, rng: random.Random) -> int:
    """How many of the runs that were killed while they ran ended with the right bytes.

    A run that ended before its moment came is not counted, and another one takes its place.
    """
    write_cohort(root / "data", 6, 11, _SMALL)

    def command(name: str) -> list[str]:
        return _command(options.recipe, root / "data", root / "cache", root / name, options.effort)

    _whole(command("whole"))  # decodes the studies, which later runs need not do
    seconds = _whole(command("timed"))
    wanted, equal, hit = _weights(root / "whole"), 0, 0
    for number in count():
        if hit == options.kills:
            break
        name = f"run_{number}"
        if _killed(command(name), rng.uniform(0.05, 0.95) * seconds):
            _whole(command(name))
            hit, equal = hit + 1, equal + (_weights(root / name) == wanted)
            print(f"{hit} killed, {equal} equal", flush=True)
    return equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--recipe", default="sequence_efficientnet")
    parser.add_argument("--effort", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        equal = _trials(Path(folder), options, rng)
    line = (
        f"{options.kills} runs of `{options.recipe}` on the CPU, each killed while it ran, at a random "
        f"moment, and\nresumed: {equal} end with the bytes of the undisturbed run."
    )
    print(line)
    if options.write:
        keep("killed and resumed", line)


if __name__ == "__main__":
    main()
