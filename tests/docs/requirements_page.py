"""docs/requirements.md: what the program must do, and the tests that show it.

The table below is the source; `python -m tests.docs.requirements_page` writes the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "requirements.md"
_BEGIN: Final = """\
# Requirements and their tests

Written by `python -m tests.docs.requirements_page` from the table in `tests/docs/requirements_page.py`. A
test sees that the page is what the table says, and that every test named here exists; whether it passes,
the run of all tests says (`make test-all`). Hazards have a table of their own: [hazards.md](hazards.md).
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What the program must do.

    Attributes:
        number: A letter for its part, and a number that is never given again.
        text: A sentence.
        tests: As pytest names them, below tests/.
    """

    number: str
    text: str
    tests: tuple[str, ...]


REQUIREMENTS: Final[dict[str, tuple[Requirement, ...]]] = {
    "Scanning": (
        Requirement("S1", "A plane that is held is saved by itself, as the very pixels that were seen.", (
            "pipeline/test_live_saving.py::test_a_held_plane_lies_in_a_folder_when_the_source_has_ended",
            "session/test_writer.py::test_a_saved_plane_says_what_it_is_and_has_the_very_pixels",
        )),
        Requirement("S2", "The picture never waits for the model; frames that are passed over are counted.", (
            "pipeline/test_live.py::test_a_busy_model_gets_the_newest_frame_next_and_the_others_count_as_dropped",
            "pipeline/test_statistics.py::test_each_way_a_frame_can_go_is_counted_and_the_sum_holds",
        )),
        Requirement("S3", "A card that is unplugged, hangs or is silent does not end the scan.", (
            "pipeline/test_live_camera.py::"
            "test_a_card_that_is_unplugged_and_comes_back_under_another_number_goes_on_in_the_same_scan",
            "pipeline/test_live_camera.py::test_a_card_that_gives_nothing_for_a_moment_or_hangs_is_waited_for",
        )),
        Requirement("S4", "A gap in a scan stands in the session's log with its times and its cause.", (
            "pipeline/test_interruptions.py::test_a_gap_stands_in_the_log_with_its_times_and_its_cause",
        )),
        Requirement("S5", "A live scan that dropped nothing saves the planes that an analysis finds.", (
            "pipeline/test_live.py::test_live_without_drops_saves_the_same_planes_as_the_file_in_batches",
        )),
        Requirement("S6", "A checklist says what is found and what is still missing.", (
            "protocols/test_checklist.py::test_completeness_counts_what_is_required",
        )),
    ),
    "Reading": (
        Requirement("R1", "Every compression that the conformance statement names is read.", (
            "docs/test_conformance.py::test_every_transfer_syntax_that_is_named_is_read",
            "sources/test_dicom_frames.py::test_video_inside_dicom_is_read_in_sequence_and_at_random",
        )),
        Requirement("R2", "What a header leaves out or has wrong is mended and said.", (
            "sources/test_dicom_frames.py::test_the_frames_that_are_there_count_not_those_of_the_header",
            "sources/test_dicom_colour.py::"
            "test_defaults_stand_in_for_what_the_header_leaves_out_and_are_told",
        )),
        Requirement("R3", "A damaged file ends in a sentence.", (
            "sources/test_dicom_frames.py::test_no_damage_to_a_header_brings_another_error_than_ours",
        )),
    ),
    "Reviewing": (
        Requirement("V1", "A person can rename, reject and add planes, and take each step back.", (
            "app/review/test_page.py::"
            "test_a_loop_is_analysed_corrected_by_key_and_all_of_it_is_in_the_session",
        )),
        Requirement("V2", "Everything in the window has a name for those who do not see it, and a key.", (
            "app/test_looks.py::test_everything_in_the_window_has_a_name",
            "app/test_looks.py::test_everything_in_the_dialogs_has_a_name",
        )),
        Requirement("V3", "Nothing is measured in millimetres without a credible scale.", (
            "measure/test_calibration.py::"
            "test_a_header_that_says_nothing_or_contradicts_itself_gives_no_millimetres",
        )),
        Requirement("V4", "Centiles and ages are those of the published tables.", (
            "measure/test_growth.py::test_every_standard_gives_the_published_table",
        )),
    ),
    "Keeping": (
        Requirement("K1", "What was committed survives a kill.", (
            "session/test_recovery.py::test_a_killed_scan_is_whole_up_to_its_last_commit",
        )),
        Requirement("K2", "A change to a session that the program did not make is found.", (
            "attack/test_attack.py::test_an_attack_on_purpose_is_found",
            "attack/test_attack.py::test_100_random_attacks_are_found",
        )),
        Requirement("K3", "The log gives the identical planes again.", (
            "session/test_replay.py::test_the_log_gives_the_identical_planes",
        )),
        Requirement("K4", "Sessions, keys and the sending queue can be read by their owner alone.", (
            "io/test_private.py::test_a_session_and_its_recording_are_for_their_owner_alone",
            "io/test_private.py::test_keys_masks_servers_and_the_queue_are_for_their_owner_alone",
        )),
        Requirement("K5", "The names in a session can be erased, and it stays proven.", (
            "session/test_forget.py::"
            "test_forgetting_leaves_no_byte_of_a_name_in_the_folder_and_the_session_proven",
        )),
    ),
    "Handing over": (
        Requirement("H1", "An export names nobody unless it is told to.", (
            "export/test_deidentify.py::"
            "test_no_name_path_date_or_word_of_a_person_is_in_what_writers_are_given",
            "export/dicom/test_deidentify.py::test_no_planted_identifier_is_in_the_bytes",
            "docs/test_privacy.py::test_every_row_of_the_profile_is_kept_to",
        )),
        Requirement("H2", "A changed export is found.", (
            "export/test_proof_of_export.py::test_a_manifest_that_was_edited_is_found",
        )),
        Requirement("H3", "DICOM objects are valid.", (
            "export/dicom/test_images.py::test_every_object_is_valid",
            "export/dicom/test_structured_report.py::test_it_is_valid",
            "export/dicom/test_obgyn_report.py::test_it_is_valid",
        )),
        Requirement("H4", "What is queued for a server arrives once.", (
            "pacs/test_queue.py::test_an_object_is_queued_once_for_a_destination_and_sent_once",
            "pacs/test_sending.py::test_a_sender_that_is_killed_goes_on_where_it_was",
        )),
        Requirement("H5", "What is proposed to a server is what the conformance statement says.", (
            "docs/test_conformance.py::test_the_page_is_what_the_program_does",
        )),
        Requirement("H6", "Results are valid FHIR, and none is made twice on a server.", (
            "export/fhir/test_resources.py::"
            "test_every_number_of_the_table_is_an_observation_with_its_code_unit_age_and_centile",
            "export/fhir/test_post.py::test_the_command_posts_what_it_exported_and_an_earlier_export_once",
        )),
        Requirement("H7", "The examination of a worklist goes with identified exports of its scan alone.", (
            "export/dicom/test_examination.py::test_an_identified_export_carries_the_request",
            "export/dicom/test_examination.py::test_a_deidentified_export_holds_nothing_of_it",
            "pacs/test_worklist.py::test_orthanc_lists_the_examinations_of_today",
        )),
        Requirement("H8", "A server that wants it is told when each examination begins and ends.", (
            "pacs/test_performed.py::test_a_server_is_told_of_the_beginning_and_of_the_end",
            "pacs/test_performed.py::test_a_server_that_is_away_is_told_later_and_in_order",
        )),
        Requirement("H9", "The copy of what a server shall confirm to keep stays until it does.", (
            "pacs/test_commitment.py::test_the_copy_stays_until_the_server_keeps_it",
            "pacs/test_commitment.py::test_what_is_not_kept_is_said_with_its_reason_and_can_be_sent_again",
            "pacs/test_commitment.py::test_orthanc_says_what_it_keeps_and_what_it_does_not",
        )),
        Requirement("H10", "A study that is got from a server is that one, and a part is told as such.", (
            "pacs/test_priors.py::test_orthanc_is_searched_and_hands_a_study_out",
            "pacs/test_priors.py::test_what_is_not_of_the_study_is_not_taken_and_half_a_study_is_said",
            "pacs/test_priors.py::test_a_connection_that_breaks_midway_leaves_nothing",
            "pacs/web/test_studies.py::test_a_service_that_goes_wrong_in_the_middle_leaves_nothing_behind",
        )),
        Requirement("H11", "A DICOMweb service gets each object once, and its secret goes nowhere else.", (
            "pacs/web/test_storing.py::"
            "test_an_archive_gets_stills_and_clips_once_byte_for_byte_and_nobody_is_named_in_logs",
            "pacs/web/test_storing.py::"
            "test_an_answer_that_was_lost_is_asked_for_and_nothing_is_sent_again",
            "pacs/test_web_secret.py::test_it_is_for_one_server_whatever_the_list_says",
        )),
    ),
    "Serving": (
        Requirement("D1", "An object is on the disk before its sender is told so, and is worked on once.", (
            "serve/test_receiving.py::"
            "test_an_object_is_kept_as_it_was_sent_and_nobody_is_named_in_the_log",
            "serve/test_kills.py::test_a_service_that_is_killed_loses_nothing_and_does_nothing_twice",
            "serve/test_receiving.py::"
            "test_what_is_sent_again_is_known_and_other_content_of_its_uid_is_kept_beside",
        )),
        Requirement("D2", "Half an object, or another than was announced, is refused and leaves nothing.", (
            "serve/test_receiving.py::"
            "test_half_objects_and_other_objects_than_announced_are_refused_and_leave_nothing",
            "serve/test_receiving.py::test_a_connection_that_ends_within_an_object_leaves_nothing",
        )),
        Requirement("D3", "Nobody sends who is not in the settings.", (
            "serve/test_receiving.py::test_who_is_not_listed_or_calls_another_is_refused",
            "serve/test_decisions.py::test_a_service_open_to_every_address_needs_tls",
            "serve/test_tls.py::"
            "test_who_has_none_or_another_or_speaks_in_the_clear_is_refused_and_holds_nobody_up",
        )),
        Requirement("D4", "What a sender may take of disk, memory and time is bounded.", (
            "serve/test_receiving.py::"
            "test_what_is_too_large_is_refused_and_what_does_not_end_is_broken_off",
            "serve/test_receiving.py::test_a_full_disk_and_too_little_room_are_refused_with_their_status",
            "serve/test_receiving.py::test_an_association_that_lasts_too_long_is_broken_off",
            "serve/test_receiving.py::"
            "test_connections_that_asked_for_nothing_and_ended_keep_nobody_out",
        )),
        Requirement("D5", "What was found goes back, and names nobody unless told to.", (
            "serve/test_service.py::"
            "test_a_loop_comes_back_as_images_report_and_key_objects_that_name_nobody",
            "serve/test_service.py::"
            "test_results_that_name_the_patient_are_not_sent_where_the_header_names_none",
        )),
        Requirement("D6", "One loop that cannot be read, or a model that is gone, loses no other loop.", (
            "serve/test_service.py::"
            "test_a_model_that_is_gone_keeps_what_came_waiting_and_a_damaged_loop_fails_alone",
        )),
        Requirement("D7", "What is agreed on and answered is what the conformance statement says.", (
            "docs/test_conformance.py::test_the_page_is_what_the_program_does",
            "docs/test_conformance.py::test_of_several_transfer_syntaxes_the_services_first_is_taken",
        )),
        Requirement("D8", "A service removes no file that it did not make.", (
            "serve/test_service.py::test_files_of_others_are_never_removed",
        )),
        Requirement("D9", "By HTTP nobody is answered without the token, and nothing of an upload stays.", (
            "http/test_requests.py::test_without_the_token_nothing_is_answered_and_it_is_in_no_log",
            "http/test_requests.py::"
            "test_a_loop_is_answered_as_semc_analyse_tells_of_it_and_nothing_of_it_stays",
            "http/test_requests.py::test_a_client_that_goes_away_leaves_nothing_and_holds_up_nobody",
            "http/test_service.py::test_what_other_machines_can_reach_needs_tls",
        )),
    ),
    "Models": (
        Requirement("M1", "No code of a model file or checkpoint is run.", (
            "model/test_importers.py::test_a_malicious_checkpoint_runs_nothing",
        )),
        Requirement("M2", "A model that is worse, or was not compared, is not taken into use by itself.", (
            "model/test_registry.py::test_a_worse_or_uncompared_model_is_refused_unless_forced",
            "training/test_promotion.py::test_a_refused_model_stays_a_file_and_force_takes_it",
        )),
        Requirement("M3", "One can go back to every model that was in use.", (
            "model/test_registry.py::test_versions_are_copies_and_one_can_go_back_through_them",
        )),
        Requirement("M4", "No patient is on both sides of a split.", (
            "training/trainer/test_trainer.py::test_a_patient_on_both_sides_is_refused",
        )),
        Requirement("M5", "Every model that ships has its figures on the page of evidence.", (
            "docs/test_evidence.py::test_every_model_that_ships_has_its_figures_here",
        )),
    ),
    "Parts of others": (
        Requirement("P1", "Every part is pinned, and under a licence of the allow-list.", (
            "test_licences.py::test_every_part_has_a_licence_of_the_allow_list",
            "test_licences.py::test_every_part_is_pinned_at_the_version_that_is_installed",
        )),
        Requirement("P2", "The bill of materials is valid and names what is installed.", (
            "test_parts_lists.py::test_the_list_of_parts_is_valid_and_names_every_part",
        )),
        Requirement("P3", "Nothing leaves the machine unasked.", (
            "runtime/test_no_telemetry.py::test_openvino_is_loaded_without_its_telemetry",
        )),
    ),
}  # fmt: skip
"""By part of the program."""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


def _lines() -> Iterator[str]:
    yield _BEGIN
    for title, requirements in REQUIREMENTS.items():
        yield f"## {title}\n\n| | requirement | shown by |\n|---|---|---|"
        for each in requirements:
            shown = "<br>".join(f"`tests/{test}`" for test in each.tests)
            yield f"| {each.number} | {each.text} | {shown} |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
