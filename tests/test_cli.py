"""The command line with a system that needs no weights: what it writes, prints, and ends with."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from napari_lumbar import RESEARCH_USE_ONLY, __version__, dicom, phantom, pipeline
from napari_lumbar.cli import app, doctor
from napari_lumbar.cli.exit_codes import ExitCode
from napari_lumbar.cli.failing import missing_part
from napari_lumbar.cli.progress import stage_progress
from napari_lumbar.cli.table import plain_lines, print_grades, reason_lines
from napari_lumbar.domain.errors import BundleError, Cancelled, LumbarError, StudyError
from napari_lumbar.domain.findings import Analysis, Finding
from napari_lumbar.domain.landmarks import Dependence, NotGradable
from napari_lumbar.domain.spine import Condition, FindingKey, Level, Severity
from napari_lumbar.domain.study import Study
from napari_lumbar.pipeline.progress import Progress
from napari_lumbar.pipeline.protocols import System
from napari_lumbar.session import SessionState, SessionStore, commands, current_analysis, landmark_at
from napari_lumbar.session.record import SCHEMA_VERSION
from napari_lumbar.session.regrading import answer

CANAL = FindingKey(Condition.SPINAL_CANAL_STENOSIS, Level.L4_L5)
FORAMEN = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L5_S1)
RECESS = FindingKey(Condition.LEFT_SUBARTICULAR_STENOSIS, Level.L1_L2)
NAMES = {"landmarks.csv", "submission.csv", "analysis.json", "report.html"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def raising(error: BaseException) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch, small_study: Study, fake_system: System) -> None:
    def read(folder: Path, uid: str | None = None, report: Any = print, cancel: Any = None) -> Study:
        report(1.0)
        return replace(small_study, study_id=uid or small_study.study_id)

    monkeypatch.setattr(dicom, "read_study", read)
    monkeypatch.setattr(pipeline, "load_system", lambda bundle, device: replace(fake_system, device=device))


def test_analyze_writes_four_files_and_prints_the_table(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("analyze", folder, "--out", out, "--device", "cpu")
    assert result.exit_code == ExitCode.OK, result.output
    assert {path.name for path in out.iterdir()} == NAMES
    lines = result.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Level"))
    assert lines[start].split(None, 1)[1].split("  ")[0] == "Right foramen"
    assert [line.split()[0] for line in lines[start + 1 : start + 6]] == [level.value for level in Level]
    assert lines[start + 1].count("Normal/Mild 85%") == 5
    assert f"Report: {out / 'report.html'}" in lines
    assert RESEARCH_USE_ONLY in lines


def test_a_log_gets_one_line_per_stage(folder: Path, tmp_path: Path) -> None:
    result = run("analyze", folder, "--out", tmp_path / "out")
    stages = [line.split(" s  ")[1] for line in result.stdout.splitlines() if " s  " in line]
    assert stages[:3] == ["loading the weights", "reading the study", "locating"]
    assert stages[-1] == "writing the results"
    assert "\x1b" not in result.stdout


def test_timings_device_and_chosen_study_reach_the_document(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("analyze", folder, "--out", out, "--device", "cpu", "--study-uid", "1.2.3")
    document = json.loads((out / "analysis.json").read_text("utf-8"))
    assert list(document["timings_s"]) == ["read", "locate", "grade", "total"]
    assert document["provenance"]["device"] == "cpu"
    assert document["study"]["study_id"] == "1.2.3"


@pytest.mark.parametrize(
    ("module", "name", "error", "code", "sentence"),
    [
        (dicom, "read_study", StudyError("no MR image"), ExitCode.STUDY_UNREADABLE, "error: no MR image"),
        (pipeline, "load_system", BundleError("altered"), ExitCode.BUNDLE_BROKEN, "error: altered"),
        (pipeline, "load_system", LumbarError("no CUDA"), ExitCode.USAGE, "error: no CUDA"),
        (dicom, "read_study", KeyboardInterrupt(), ExitCode.CANCELLED, "cancelled; no result was changed"),
        (dicom, "read_study", Cancelled("by token"), ExitCode.CANCELLED, "cancelled; no result was changed"),
        (
            dicom,
            "read_study",
            ModuleNotFoundError("No module named 'napari'", name="napari"),
            ExitCode.PART_MISSING,
            'error: this needs napari, which is not installed: pip install "napari-lumbar[qt]"',
        ),
    ],
)
def test_expected_errors_are_one_sentence_and_a_status(
    module: ModuleType,
    name: str,
    error: BaseException,
    code: ExitCode,
    sentence: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, name, raising(error))
    result = run("analyze", folder, "--out", tmp_path / "out")
    assert result.exit_code == code
    assert result.stderr == f"{sentence}\n"
    assert not list((tmp_path / "out").iterdir())


@pytest.fixture
def session_state(small_study: Study, small_analysis: Analysis) -> SessionState:
    """A moved point, a grade by hand and an absence, saved by nobody yet."""
    state = SessionState(small_study.study_uid, small_analysis)
    landmark = landmark_at(small_study.by_id("t2"), CANAL, 3, (56, 45))
    state = state.doing(commands.move(state, landmark))
    state = state.doing(commands.override(state, FORAMEN, Severity.MODERATE, "seen on T1"))
    return state.doing(commands.mark_absent(state, RECESS))


def test_a_session_is_applied_and_gives_the_numbers_of_the_window(
    folder: Path, tmp_path: Path, session_state: SessionState, small_study: Study, fake_system: System
) -> None:
    store, out = SessionStore(tmp_path / "sessions", "AB"), tmp_path / "out"
    store.save(session_state)
    (path,) = store.folder.iterdir()
    result = run("analyze", folder, "--out", out, "--device", "cpu", "--session", path)
    assert result.exit_code == ExitCode.OK, result.output
    assert "applying the session of reader 'AB', saved 2" in result.stdout
    assert "Moderate by hand" in result.stdout
    document = json.loads((out / "analysis.json").read_text("utf-8"))
    found = {(f["condition"], f["level"]): f for f in document["findings"]}
    assert {f["source"] for f in found.values()} == {"predicted", "corrected", "overridden", "absent"}

    request = session_state.request()
    state = session_state.accepting(request, answer(small_study, fake_system, request))
    for key, finding in current_analysis(state).findings.items():
        written = found[key.condition.value, key.level.value]
        assert written["source"] == finding.source.value
        probs = None if finding.probs is None else list(finding.probs.as_tuple)
        assert (written["probs"] and list(written["probs"].values())) == probs
    assert found[CANAL.condition.value, CANAL.level.value]["severity"] == "Severe"
    with (out / "landmarks.csv").open(encoding="utf-8", newline="") as file:
        sources = {row["source"] for row in csv.DictReader(file)}
    assert sources == {"predicted", "corrected"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bundle_sha256": "cd" * 32}, "error: the session corrects predictions of the bundle cdcdcdcd"),
        ({"study_sha256": "cd" * 32}, "error: the session belongs to another study"),
        ({"schema_version": SCHEMA_VERSION + 1}, "error: the session was saved by a newer napari-lumbar"),
        ({"reader": 1}, "cannot be used: it is no session file, or a damaged one"),
    ],
)
def test_a_session_that_does_not_fit_is_refused_and_left_alone(
    folder: Path, tmp_path: Path, session_state: SessionState, change: dict[str, Any], sentence: str
) -> None:
    store = SessionStore(tmp_path / "sessions")
    store.save(session_state)
    (path,) = store.folder.iterdir()
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    before = path.read_bytes()
    result = run("analyze", folder, "--out", tmp_path / "out", "--session", path)
    assert result.exit_code == ExitCode.SESSION_UNUSABLE
    assert sentence in result.stderr
    assert path.read_bytes() == before
    assert not list((tmp_path / "out").iterdir())


def test_an_unforeseen_error_says_where_and_never_what_it_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom, "read_study", raising(ZeroDivisionError("Doe^Jane")))
    result = run("analyze", folder, "--out", tmp_path / "out")
    assert result.exit_code == ExitCode.UNEXPECTED
    assert "error that nobody foresaw: ZeroDivisionError" in result.stderr
    assert "cli/running.py:" in result.stderr
    assert "Doe" not in result.output
    monkeypatch.setenv("NAPARI_LUMBAR_TRACEBACK", "1")
    assert isinstance(run("analyze", folder, "--out", tmp_path / "out").exception, ZeroDivisionError)


def test_an_output_that_is_a_file_is_refused_before_any_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "load_system", raising(AssertionError("too late")))
    in_the_way = tmp_path / "out"
    in_the_way.write_text("mine")
    result = run("analyze", folder, "--out", in_the_way)
    assert result.exit_code == ExitCode.NOT_WRITABLE
    assert "choose another folder" in result.stderr


def test_nothing_graded_has_its_own_status_and_still_a_report(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_system: System
) -> None:
    class Refusing:
        dependence = Dependence.CROPS

        def grade(self, study: Study, landmarks: object, keys: Any, *_: object) -> dict[FindingKey, Finding]:
            why = NotGradable("no-axial", "there is no axial series")
            return {key: Finding(key, None, None, not_gradable=why) for key in keys}

    monkeypatch.setattr(pipeline, "load_system", lambda *_: replace(fake_system, grader=Refusing()))
    result = run("analyze", folder, "--out", tmp_path / "out")
    assert result.exit_code == ExitCode.NOTHING_GRADED
    assert "not gradable, there is no axial series: L1/L2" in result.stdout
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    "arguments",
    [("analyze", "no-such-folder", "--out", "x"), ("analyze",), ("analyze", ".", "--device", "tpu")],
)
def test_a_command_that_is_not_understood_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == ExitCode.USAGE


def test_help_lists_every_exit_status() -> None:
    for command in ((), ("analyze",)):
        text = " ".join(run(*command, "--help").stdout.split())
        assert all(f"{code.value} {code.meaning}" in text for code in ExitCode)


def test_version_and_help_are_quick_and_light() -> None:
    code = (
        "import sys; from napari_lumbar.cli import main; sys.argv = ['napari-lumbar', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'napari', 'qtpy', 'pydicom', 'PIL', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert run("--version").stdout == f"napari-lumbar {__version__}\n"


def test_phantom_never_replaces_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def write(out: Path, studies: int, seed: int, config: phantom.PhantomConfig, *, jobs: int) -> list[Path]:
        asked.append((out, studies, seed, config.balanced, jobs))
        return [out / "train_images" / str(i) for i in range(studies)]

    monkeypatch.setattr(phantom, "write_cohort", write)
    options = ["--studies", 2, "--seed", 7, "--balanced", "--jobs", 2]
    result = run("phantom", "--out", tmp_path / "new", *options)
    assert result.exit_code == ExitCode.OK
    assert asked == [(tmp_path / "new", 2, 7, True, 2)]
    assert result.stdout.splitlines()[1] == str(tmp_path / "new" / "train_images" / "1")
    (tmp_path / "new" / "train.csv").write_text("mine")
    result = run("phantom", "--out", tmp_path / "new")
    assert result.exit_code == ExitCode.NOT_WRITABLE
    assert "is not empty and its tables would be replaced" in result.stderr
    assert len(asked) == 1


def test_evaluate_prints_the_figures_and_keeps_progress_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    class Figures:
        def lines(self) -> list[str]:
            return ["median 1.00 mm", RESEARCH_USE_ONLY]

    def evaluate(studies: int, seed: int, bundle: Path | None, device: str, say: Any) -> Figures:
        say(f"analysed {studies} from {seed} on {device}")
        return Figures()

    monkeypatch.setattr("napari_lumbar.training.evaluate.evaluate_phantoms", evaluate)
    result = run("evaluate", "--studies", 3, "--seed", 5, "--device", "cpu")
    assert result.stderr == "analysed 3 from 5 on cpu\n"
    assert result.stdout.splitlines() == ["median 1.00 mm", RESEARCH_USE_ONLY]


def test_open_hands_study_and_bundle_to_the_window(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, Path | None, str | None]] = []
    monkeypatch.setattr("napari_lumbar.widgets.open_study", lambda *asked: opened.append(asked))
    assert run("open", folder, "--bundle", tmp_path).exit_code == ExitCode.OK
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert run("open", tmp_path / "DICOMDIR", "--study-uid", "1.2.3").exit_code == ExitCode.OK
    assert opened == [(folder, tmp_path, None), (tmp_path, None, "1.2.3")]
    (tmp_path / "study.zip").write_bytes(b"PK\x03\x04")
    refused = run("open", tmp_path / "study.zip")
    assert refused.exit_code == ExitCode.STUDY_UNREADABLE
    assert refused.stderr.startswith("error: this is an archive, and archives are not read: unpack it")


def test_demo_analyses_a_study_made_on_the_spot_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom, "write_cohort", lambda out, studies, seed: [out / "train_images" / "1"])
    for _ in range(2):
        result = run("demo", "--out", tmp_path)
        assert result.exit_code == ExitCode.OK, result.output
        assert f"Report: {tmp_path / 'report.html'}" in result.stdout


def test_every_condition_and_reason_is_in_the_plain_table(small_analysis: Analysis) -> None:
    key = FindingKey(Condition.LEFT_NEURAL_FORAMINAL_NARROWING, Level.L5_S1)
    refused = Finding(key, None, None, not_gradable=NotGradable("x", "[red]cut[/red] off"))
    analysis = replace(small_analysis, findings={**small_analysis.findings, key: refused})
    assert plain_lines(analysis)[5].endswith("not gradable")
    assert reason_lines(analysis) == [
        "not gradable, [red]cut[/red] off: L5/S1 left neural foraminal narrowing"
    ]
    stream = io.StringIO()
    print_grades(Console(width=120, file=stream), analysis)
    assert "[red]cut[/red] off" in stream.getvalue()


def test_a_terminal_gets_symbols_and_a_bar(small_analysis: Analysis) -> None:
    stream = io.StringIO()
    console = Console(width=140, force_terminal=True, color_system=None, file=stream)
    print_grades(console, small_analysis)
    assert stream.getvalue().count("● Normal/Mild  85%") == 25
    with stage_progress(console) as report:
        report(Progress("locating", 0.5))
    assert re.search(r"locating.* 50%", stream.getvalue())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ModuleNotFoundError(name="superqt.utils"),
            'superqt, which is not installed: pip install "napari-lu',
        ),
        (ModuleNotFoundError(name="sklearn"), "napari-lumbar[train]"),
        (ModuleNotFoundError(name="numpy"), None),
        (ImportError("cannot import name 'x'"), None),
    ],
)
def test_a_missing_extra_is_named_and_a_defect_is_not(error: ImportError, said: str | None) -> None:
    sentence = missing_part(error)
    assert (said in sentence) if said and sentence else sentence is said


def test_doctor_says_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WINDOW_PROBE", "print('a window')")
    result = run("doctor")
    assert result.exit_code == ExitCode.OK, result.output
    found = {line[3:].split()[0]: line for line in result.stdout.splitlines()}
    assert found["version"].startswith(f"ok  version     napari-lumbar {__version__}, Python 3.")
    assert "fake, verified, sha256 abababababab, runs on auto" in found["bundle"]
    assert found["window"].endswith("a window")
    assert {"torch", "decoders", "Qt", "napari"} <= set(found)
    assert "RLE" in found["decoders"]


def test_doctor_without_window_or_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.setattr(doctor, "WINDOW_PROBE", "raise SystemExit('no OpenGL here')")
    monkeypatch.setattr(pipeline, "load_system", raising(BundleError("holds no bundle.json")))
    result = run("doctor")
    assert result.exit_code == ExitCode.BUNDLE_BROKEN
    assert "--  bundle      holds no bundle.json" in result.stdout.splitlines()
    assert "--  window      no OpenGL here" in result.stdout.splitlines()


def test_doctor_survives_a_window_system_that_dies_or_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.setattr(doctor, "WINDOW_PROBE", "import os; os.abort()")
    assert "Qt ended with status -6" in run("doctor").stdout
    monkeypatch.setattr(doctor, "WINDOW_PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "WINDOW_TIMEOUT_S", 0.5)
    assert "gave no answer within 0.5 s" in run("doctor").stdout


def test_doctor_says_that_there_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    assert "no display here (DISPLAY is not set); xvfb-run gives" in run("doctor").stdout


def test_doctor_names_a_missing_or_doubled_qt(monkeypatch: pytest.MonkeyPatch) -> None:
    versions: dict[str, str] = {}
    monkeypatch.setattr(doctor, "WINDOW_PROBE", "print('no matter')")
    monkeypatch.setattr(doctor, "_installed", versions.get)
    assert "no binding installed" in run("doctor").stdout
    versions.update(PySide6="6.9", PyQt6="6.8")
    assert "PySide6 6.9 and PyQt6 6.8: two bindings break each other" in run("doctor").stdout
