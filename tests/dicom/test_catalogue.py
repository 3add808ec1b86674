"""The catalogue of bad and odd input: each row by its number has a test, or says what it waits for.

A row is asserted in one of the files beside this one, or named with the test elsewhere that asserts it, or
with what it still waits for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_lumbar.dicom.codes import Exclusion, Oddity

from . import (
    test_catalogue_files,
    test_catalogue_headers,
    test_catalogue_pixels,
    test_catalogue_series,
    test_catalogue_studies,
)

N_ROWS = 109
BESIDE = (
    test_catalogue_files,
    test_catalogue_pixels,
    test_catalogue_headers,
    test_catalogue_series,
    test_catalogue_studies,
)

#: Rows of other parts of the program, with the test that asserts them.
ELSEWHERE = {
    67: "pipeline/test_recesses.py::test_no_plane_near_is_said_and_not_guessed",
    72: "pipeline/test_embedded_bundle.py::test_what_needs_a_missing_series_says_so_and_gets_no_grade",
    73: "pipeline/test_embedded_bundle.py::test_without_sagittal_series_nothing_is_named",
    77: "pipeline/test_embedded_bundle.py::test_a_patient_who_moved_before_the_axial_series",
    78: "pipeline/test_recesses.py::test_a_canal_point_off_to_one_side_is_centred_on_the_canal_seen",
    79: "pipeline/test_plausibility.py::test_each_contradiction_is_said_with_its_values",
    80: "pipeline/test_plausibility.py::test_a_field_that_ends_early_leaves_levels_and_the_sacrum_out",
    81: "pipeline/test_image_quality.py::test_ghosts_are_a_warning_and_metal_hides_its_foramen",
    82: "pipeline/test_image_quality.py::test_ghosts_are_a_warning_and_metal_hides_its_foramen",
    86: "widgets/test_comparing.py::test_analyse_twice_is_analyse_once",
    88: "widgets/test_linked_panes.py::test_whatever_is_done_to_our_layers_nothing_breaks",
    87: "widgets/test_reader_dock.py::test_what_a_person_must_always_see_and_cannot_break",
    89: "session/test_places.py::test_a_landmark_never_leaves_the_image",
    90: "session/test_session.py::test_undo_and_redo_walk_through_the_edits",
    91: "widgets/test_reading.py::test_an_answer_for_another_study_is_dropped",
    92: "widgets/test_reader_dock.py::test_keys_in_the_window_never_delete_a_point",
    93: "pipeline/test_ladder.py::test_a_lost_device_means_the_cpu_at_once",
    94: "export/test_write.py::test_a_result_that_cannot_be_made_leaves_the_older_one",
    95: "widgets/test_screen.py::test_a_display_without_opengl_is_said_before_napari_draws_on_it",
    96: "models/test_bundle.py::test_one_changed_bit_is_noticed_before_anything_is_parsed",
    97: "models/test_bundle.py::test_one_changed_bit_is_noticed_before_anything_is_parsed",
    98: "models/test_bundle.py::test_classes_that_changed_places_in_the_weights_are_noticed",
    99: "models/test_bundle.py::test_a_pickle_is_never_run",
    100: "pipeline/test_judge.py::test_one_answer_that_is_no_probability_leaves_the_finding_ungraded",
    101: "models/test_bundle.py::test_a_folder_without_a_manifest_is_no_bundle",
    102: "training/test_engine.py::test_a_torn_checkpoint_write_leaves_the_old_one",
    103: "training/test_engine.py::test_losses_that_are_not_finite_are_counted_and_stop_the_run_by_name",
    104: "training/rsna/test_cache.py::test_damaged_images_are_named_and_a_few_of_many_are_left_out",
    105: "training/rsna/test_preflight.py::test_points_on_images_that_are_not_there_are_reported",
    106: "training/rsna/test_cache.py::test_two_studies_of_one_patient_stop_a_training",
    107: "training/test_multistage.py::test_a_mirrored_axial_image_is_that_of_a_mirrored_patient",
    108: "training/test_engine_processes.py::test_a_dead_process_ends_the_job",
    109: "training/test_train.py::test_a_run_goes_on_only_with_the_labels_it_began_with",
}

#: Rows that no part of the program meets yet, and what each waits for.
LATER = {
    83: "a mirrored image cannot be proven; no check by vessels is tried, the letters are always shown",
}


def test_every_row_of_the_catalogue_is_here() -> None:
    here = {number for file in BESIDE for number, _, _ in file.ROWS}
    assert here | ELSEWHERE.keys() | LATER.keys() == set(range(1, N_ROWS + 1))
    assert len(here) + len(ELSEWHERE) + len(LATER) == N_ROWS, "a row has one place"


@pytest.mark.parametrize("number", ELSEWHERE)
def test_a_test_that_is_named_exists(number: int) -> None:
    file, name = ELSEWHERE[number].split("::")
    assert f"def {name}" in (Path(__file__).parents[1] / file).read_text("utf-8")


@pytest.mark.parametrize("code", [*Exclusion, *Oddity], ids=lambda code: code.code)
def test_every_code_is_stable_and_says_what_it_means(code: Exclusion | Oddity) -> None:
    assert code.code == code.name.lower()
    assert len(code.sentence) > 10
    assert not code.sentence.endswith(".")
