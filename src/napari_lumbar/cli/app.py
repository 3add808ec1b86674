"""The commands. Each imports its layer when called, so that ``--help`` is quick and works without extras."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .. import RESEARCH_USE_ONLY, __version__
from ..domain.errors import ExportError
from .exit_codes import exit_code_table
from .failing import expected_errors

EXIT_STATUS = f"\b\n{exit_code_table()}"

app = typer.Typer(
    name="napari-lumbar",
    help=f"Lumbar-spine MR: find levels, grade stenosis, correct, regrade. {RESEARCH_USE_ONLY}",
    epilog=EXIT_STATUS,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, patient data among them
    rich_markup_mode=None,
)


class Device(StrEnum):
    """Where networks run; ``auto`` takes CUDA if there is any."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


StudyFolder = Annotated[
    Path, typer.Argument(metavar="STUDY", exists=True, file_okay=False, help="Folder of DICOM files.")
]
StudyPlace = Annotated[
    Path,
    typer.Argument(metavar="STUDY", exists=True, help="Folder of DICOM files, a DICOMDIR, or one image."),
]
StudyUid = Annotated[
    str | None,
    typer.Option("--study-uid", help="StudyInstanceUID or scan's pseudonym, where STUDY holds several."),
]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results; made if it is missing.")]
BundleFolder = Annotated[
    Path | None, typer.Option("--bundle", help="Folder of weights; without it, the embedded bundle.")
]
SessionFile = Annotated[
    Path | None,
    typer.Option(
        "--session",
        exists=True,
        dir_okay=False,
        help="A reader's saved session: its corrections and grades by hand are applied and graded again.",
    ),
]
DeviceChoice = Annotated[Device, typer.Option("--device", help="Where the networks run.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same studies.")]
Studies = Annotated[int, typer.Option("--studies", min=1, help="How many studies.")]


def main() -> None:
    """Run the command line."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"napari-lumbar {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


@app.command(
    help=f"Analyse a study: tables, JSON and a report into a folder. {RESEARCH_USE_ONLY}", epilog=EXIT_STATUS
)
def analyze(
    study: StudyFolder,
    out: OutFolder,
    bundle: BundleFolder = None,
    device: DeviceChoice = Device.AUTO,
    study_uid: StudyUid = None,
    session: SessionFile = None,
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            metavar="ROLE=UID",
            help="Use this series for a role: sagittal_t1, sagittal_t2, or axial_t2, which may be given "
            "several times, the best first. UID as in the files, or the pseudonym that scan shows.",
        ),
    ] = None,
    identified: Annotated[
        bool,
        typer.Option(
            "--identified", help="Add file names and series descriptions, which can lead to a patient."
        ),
    ] = False,
) -> None:
    """Analyse a study and write its results."""
    from .running import Request, analyze_folder
    from .series_choice import parsed_choices

    with expected_errors():
        chosen = parsed_choices(series or [])
        raise typer.Exit(
            analyze_folder(Request(study, out, bundle, device.value, study_uid, session, chosen, identified))
        )


@app.command(
    help="Account for every file of a folder, and say which series play which role. Changes nothing.",
    epilog=EXIT_STATUS,
)
def scan(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="Folder of any files.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    identified: Annotated[
        bool,
        typer.Option("--identified", help="Add file names and UIDs, which can lead to a patient."),
    ] = False,
) -> None:
    """Print the accounting; it ends with 0 when it closes, even if nothing is usable."""
    from .scanning import print_scan

    with expected_errors():
        print_scan(folder, as_json, identified)


@app.command(help="Make a phantom study, analyse it, and say where the report lies.")
def demo(out: OutFolder = Path("demo-report"), seed: Seed = 1, device: DeviceChoice = Device.AUTO) -> None:
    """Analyse a study that is made on the spot; no patient, no download."""
    from .running import Request, analyze_folder

    with expected_errors():
        from ..export import prepare_folder
        from ..phantom import write_cohort

        prepare_folder(out)
        (study,) = write_cohort(out / "phantom", 1, seed)
        raise typer.Exit(analyze_folder(Request(study, out, None, device.value)))


@app.command(help="Write phantom studies as DICOM in the RSNA layout, with their exact truth.")
def phantom(
    out: OutFolder,
    studies: Studies = 1,
    seed: Seed = 0,
    balanced: Annotated[
        bool,
        typer.Option("--balanced", help="Every severity equally often, not as often as in RSNA's tables."),
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that make them.")] = 1,
) -> None:
    """Write phantom studies."""
    with expected_errors():
        from ..export import prepare_folder
        from ..phantom import PhantomConfig, write_cohort

        prepare_folder(out)
        if any(out.iterdir()):
            raise ExportError(f"{out} is not empty and its tables would be replaced; choose another folder")
        for folder in write_cohort(out, studies, seed, PhantomConfig(balanced=balanced), jobs=jobs):
            typer.echo(folder)


@app.command(
    help="Measure a bundle on phantoms it has never seen, or compare bundles on labelled studies. "
    f"{RESEARCH_USE_ONLY}",
    epilog=EXIT_STATUS,
)
def evaluate(
    studies: Studies = 20,
    seed: Seed = 1_000_000,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(
            "--bundle", help="Folder of weights; without it, the embedded bundle. Several with --data."
        ),
    ] = None,
    device: DeviceChoice = Device.AUTO,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Labelled studies in RSNA's layout, instead of phantoms."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the comparison's report; with --data.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that grade, with --data.")] = 1,
) -> None:
    """Print figures of a bundle on phantoms, or write a report that compares bundles."""
    from .evaluating import Evaluating, evaluate_bundles

    with expected_errors():
        evaluate_bundles(Evaluating(studies, seed, bundle or [], device.value, data, out, jobs))


@app.command(name="open", help=f"Open a study in napari. {RESEARCH_USE_ONLY}")
def open_(study: StudyPlace, bundle: BundleFolder = None, study_uid: StudyUid = None) -> None:
    """Open the reader's window."""
    with expected_errors():
        from ..dicom import study_folder
        from ..widgets import open_study

        open_study(study_folder(study), bundle, study_uid)


@app.command(help="Say what is installed, which device will be used, and whether a window can be opened.")
def doctor(bundle: BundleFolder = None) -> None:
    """Examine this installation."""
    from .doctor import examine

    raise typer.Exit(examine(bundle))
