"""The kinds of files, what happens to each, and the tests that hold it; writes docs/inputs.md.

As a program: `python -m tests.sources.input_kinds` writes the page anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

PAGE: Final = Path(__file__).parents[2] / "docs" / "inputs.md"
READ: Final = "read"
TOLD: Final = "read, with a notice"
REFUSED: Final = "refused, with a sentence"


class Video(NamedTuple):
    """A video that a test makes: file name, encoder, pixel format, B-frames, and FFmpeg's container."""

    name: str
    codec: str
    pixels: str
    b_frames: int = 0
    container: str | None = None


VIDEOS: Final = (
    Video("a.mp4", "libx264", "yuv420p", 3),
    Video("b.mp4", "libx265", "yuv420p10le", 2),
    Video("a.mov", "prores_ks", "yuv422p10le"),
    Video("b.mov", "qtrle", "rgb24"),
    Video("c.mov", "png", "rgb24"),
    Video("d.mov", "rawvideo", "uyvy422"),
    Video("a.mkv", "libx265", "yuv422p12le", 2),
    Video("b.mkv", "ffv1", "gray16le"),
    Video("c.mkv", "ffv1", "yuv444p16le"),
    Video("d.mkv", "libx264rgb", "rgb24"),
    Video("e.mkv", "mjpeg", "yuvj444p"),
    Video("a.webm", "libvpx-vp9", "yuv444p"),
    Video("a.avi", "libx264", "yuv420p", 2),
    Video("b.avi", "mpeg4", "yuv420p", 2),
    Video("c.avi", "utvideo", "gbrp"),
    Video("d.avi", "rawvideo", "bgr24"),
    Video("e.avi", "huffyuv", "rgb24"),
    Video("a.mpg", "mpeg2video", "yuv420p", 2),
    Video("b.mpg", "mpeg1video", "yuv420p", 2),
    Video("a.vob", "mpeg2video", "yuv420p", 2, "vob"),
    Video("a.ts", "libx265", "yuv420p", 2),
    Video("a.mts", "libx264", "yuv420p", 3, "mpegts"),
    Video("a.wmv", "wmv2", "yuv420p", 0, "asf"),
    Video("a.asf", "msmpeg4", "yuv420p"),
    Video("a.mxf", "mpeg2video", "yuv422p", 2),
    Video("a.flv", "libx264", "yuv420p", 2),
    Video("a.ivf", "libsvtav1", "yuv420p"),
    Video("a.h264", "libx264", "yuv420p", 2),
    Video("a.hevc", "libx265", "yuv420p", 2),
    Video("a.m2v", "mpeg2video", "yuv420p", 2, "mpeg2video"),
    Video("a.nut", "rawvideo", "yuv444p"),
)


class Kind(NamedTuple):
    """A kind of file in words, what happens, and the tests that hold it, as "file:name"."""

    words: str
    outcome: str
    tests: tuple[str, ...]


KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "Video": (
        Kind(
            "times that change from frame to frame",
            READ,
            ("test_video:test_a_variable_frame_rate_keeps_its_exact_times",),
        ),
        Kind(
            "interlaced, and marked so: one whole picture is made of each frame (not by `--deinterlace off`)",
            TOLD,
            (
                "test_deinterlace:test_what_is_marked_is_deinterlaced_unless_the_user_does_not_want_it",
                "test_deinterlace:test_every_frame_is_the_same_whichever_way_it_is_reached",
                "test_deinterlace:test_a_damaged_frame_is_no_neighbour_in_either_way",
            ),
        ),
        Kind(
            "interlaced, and not marked: left as it is unless `--deinterlace on` is given",
            TOLD,
            ("test_deinterlace:test_combs_that_nothing_marks_are_said_and_removed_when_that_is_chosen",),
        ),
        Kind(
            "levels that speak against the range: read as the file says unless `--range` is given",
            TOLD,
            (
                "test_picture_options:test_a_wrong_range_is_suspected_within_five_seconds",
                "test_picture_options:test_a_ramp_in_a_file_comes_back_by_the_range_that_the_user_says",
            ),
        ),
        Kind(
            "a picture that was squeezed, mirrored or turned: put right by `--aspect` and `--flip`",
            TOLD,
            (
                "test_picture_options:test_a_circle_on_a_squeezed_picture_is_round_as_the_user_says",
                "test_picture_options:test_flips_hold_for_files_pictures_streams_cards_and_the_simulated_scan",
            ),
        ),
        Kind(
            "a start that is not 0; edit lists",
            READ,
            (
                "test_video:test_times_start_at_zero_whatever_the_file_says",
                "test_video_kinds:test_what_an_edit_list_cuts_off_at_the_beginning_is_not_there",
            ),
        ),
        Kind(
            "DV, by itself and in AVI",
            READ,
            ("test_video_kinds:test_digital_video_of_a_tape_is_read",),
        ),
        Kind(
            "names in any script, of 255 bytes, without an ending or with that of another kind; links",
            READ,
            (
                "test_video:test_a_file_may_have_any_name",
                "test_video:test_a_link_leads_to_its_file_and_one_to_nothing_says_so",
            ),
        ),
        Kind(
            "times of decoding only, equal times",
            TOLD,
            (
                "test_video_kinds:test_stamps_in_the_order_of_decoding_are_put_in_order",
                "test_video_damage:test_an_avi_is_told_to_lack_times_only_where_its_frames_change_places",
            ),
        ),
        Kind(
            "turned or mirrored, all eight ways",
            READ,
            ("test_video_kinds:test_a_video_is_turned_and_mirrored_as_its_matrix_says",),
        ),
        Kind(
            "pixels that are not square: shown square",
            TOLD,
            ("test_video_kinds:test_pixels_are_made_square_and_it_is_told",),
        ),
        Kind(
            "a size that changes within the file",
            TOLD,
            ("test_video_kinds:test_a_size_that_changes_within_the_file_is_kept_and_told",),
        ),
        Kind(
            "colours under alpha: black",
            READ,
            ("test_video_kinds:test_colours_that_are_hidden_are_not_shown",),
        ),
        Kind(
            "lost chunks of an AVI, also the first ones: the others keep numbers and times",
            TOLD,
            (
                "test_video_kinds:test_frames_behind_a_lost_chunk_keep_their_numbers",
                "test_video_damage:test_frames_of_an_avi_whose_beginning_is_lost_keep_their_numbers",
            ),
        ),
        Kind(
            "damage inside a picture: it and those that lean on it are left out",
            TOLD,
            ("test_video_damage:test_a_picture_that_is_damaged_inside_is_left_out_with_all_that_lean_on_it",),
        ),
        Kind(
            "motion JPEG without the marker of the end",
            READ,
            ("test_jpeg:test_frames_of_motion_jpeg_need_no_end",),
        ),
        Kind("cut short: what is there", READ, ("test_video:test_a_file_cut_short_gives_what_is_left",)),
        Kind("text, play lists, sound only", REFUSED, ("test_video:test_files_that_are_no_videos_say_so",)),
        Kind(
            "pictures of more than 67 million pixels",
            REFUSED,
            ("test_bombs:test_what_would_unpack_to_far_more_is_refused_and_takes_no_memory",),
        ),
    ),
    "Pictures": (
        Kind(
            "PNG of 1 to 16 bits, interlaced",
            READ,
            (
                "test_pictures:test_black_and_white_of_a_png_are_those_of_its_depth",
                "test_pictures:test_an_interlaced_png_is_the_picture_that_was_stored",
            ),
        ),
        Kind("TIFF of 12 and 32 bits", READ, ("test_pictures:test_gray_of_32_bits_is_not_black",)),
        Kind(
            "GIF, APNG, WebP with several pictures: a loop with its own times",
            READ,
            (
                "test_pictures:test_an_animation_is_a_loop_with_its_own_times",
                "test_pictures:"
                "test_pictures_of_an_animation_that_hold_only_what_changed_are_whole_in_any_order",
            ),
        ),
        Kind(
            "TIFF of several pages: a loop without times",
            TOLD,
            ("test_pictures:test_the_pages_of_a_tiff_are_a_loop_and_it_is_told_that_they_have_no_times",),
        ),
        Kind(
            "JPEG in CMYK, on its side",
            READ,
            ("test_pictures:test_a_jpeg_in_the_colours_of_print_and_on_its_side_is_shown_upright_in_rgb",),
        ),
        Kind(
            "JPEG without the marker of the end",
            READ,
            ("test_jpeg:test_a_jpeg_without_its_end_is_whole_where_nothing_else_is_missing",),
        ),
        Kind(
            "JPEG of which a part is missing",
            REFUSED,
            ("test_jpeg:test_a_jpeg_that_is_ended_too_early_is_not_shown_with_gray_instead",),
        ),
        Kind(
            "colours under alpha, and values that stand for nothing: black",
            READ,
            (
                "test_pictures:test_a_colour_under_alpha_is_not_shown",
                "test_pictures:test_a_value_of_16_bits_that_stands_for_nothing_is_not_shown",
            ),
        ),
        Kind(
            "a folder of which some cannot be read: the others",
            TOLD,
            (
                "test_pictures:"
                "test_pictures_that_cannot_be_read_are_left_out_and_the_others_keep_their_numbers",
            ),
        ),
        Kind(
            "a folder of several sizes", TOLD, ("test_images:test_images_of_other_sizes_are_kept_and_told",)
        ),
    ),
    "DICOM": (
        Kind(
            "every photometric interpretation, either order of planes",
            READ,
            ("test_dicom_colour:test_every_kind_of_colour_is_read_in_either_order",),
        ),
        Kind("palettes", READ, ("test_dicom_colour:test_palettes_are_read_however_they_were_written",)),
        Kind(
            "windows, tables, rescaling, signed values",
            READ,
            (
                "test_dicom:test_a_window_of_the_header_is_applied_after_rescaling",
                "test_dicom:test_deep_gray_is_scaled_by_the_range_of_the_whole_loop",
            ),
        ),
        Kind(
            "a JPEG whose colours are not those of the header",
            TOLD,
            ("test_dicom_colour:test_the_colours_of_a_jpeg_are_those_that_it_holds",),
        ),
        Kind(
            "JPEG lossless (57 and 70), bit by bit as dcmtk stored it",
            READ,
            ("test_dicom_colour:test_lossless_jpeg_of_dcmtk_gives_what_was_stored_bit_by_bit",),
        ),
        Kind(
            "a wrong number of frames",
            TOLD,
            ("test_dicom_frames:test_the_frames_that_are_there_count_not_those_of_the_header",),
        ),
        Kind(
            "offset tables that are missing, shifted, cut",
            TOLD,
            ("test_dicom_frames:test_frames_are_found_whatever_the_offset_table_says",),
        ),
        Kind(
            "one damaged or cut frame: the others",
            TOLD,
            (
                "test_dicom_frames:test_one_damaged_frame_is_left_out_and_the_others_keep_their_places",
                "test_jpeg:test_the_frames_of_a_dicom_file_are_damaged_only_where_some_of_them_is_missing",
            ),
        ),
        Kind(
            "times that cannot be meant",
            TOLD,
            ("test_dicom_frames:test_times_that_cannot_be_meant_are_put_right_and_told",),
        ),
        Kind(
            "no preamble",
            READ,
            ("test_dicom_frames:test_a_file_without_its_preamble_is_dicom_whatever_it_is_called",),
        ),
        Kind(
            "video inside DICOM",
            READ,
            ("test_dicom_frames:test_video_inside_dicom_is_read_in_sequence_and_at_random",),
        ),
        Kind(
            "video inside DICOM with damaged pictures: they, and those that lean on them, are left out",
            TOLD,
            (
                "test_dicom_video_damage:"
                "test_behind_a_damaged_picture_no_frame_shows_under_the_number_of_another",
            ),
        ),
        Kind(
            "DICOMDIR",
            REFUSED,
            ("test_dicom_frames:test_a_directory_of_a_disc_is_named_with_what_to_open_instead",),
        ),
        Kind(
            "no picture, unsupported", REFUSED, ("test_dicom_frames:test_each_reason_has_its_own_sentence",)
        ),
    ),
}

_BEGINNING: Final = """# Kinds of files

What happens to each kind of file. This page is written from the table in `tests/sources/input_kinds.py`,
which names the tests that hold each line; `python -m tests.sources.input_kinds` writes it anew. What is read
is the same in sequence, at random, live and in review. More about DICOM stands in
[dicom_files.md](dicom_files.md); `semc inspect FILE` prints what was found in a file.

## Containers and codings of video

Each is made by a test, which checks the number and the time of every frame, in order and at random.

| container | coding | pixels | B-frames |
|---|---|---|---|
"""
_KNOWN: Final = """
## What cannot be seen

- A few changed bits that still decode (in nearly every coding), and most damage inside a picture of HEVC,
  VP8, VP9 and FFV1 without checksums, of which FFmpeg does not tell, show wrong pixels without a word. No
  other frame stands under their numbers.
- A packet that is lost as a whole from MPEG-PS, MPEG-TS, ASF, Matroska or WebM, or from a bare stream, leaves
  no trace in the file's numbers: the frames behind it keep their times, and are counted on.
"""


def page() -> str:
    """The page as Markdown."""
    rows = [
        f"| {video.container or Path(video.name).suffix[1:]} | {video.codec} | {video.pixels} "
        f"| {'yes' if video.b_frames else 'no'} |"
        for video in VIDEOS
    ]
    parts = [_BEGINNING + "\n".join(rows)]
    for area, kinds in KINDS.items():
        lines = "\n".join(f"| {kind.words} | {kind.outcome} |" for kind in kinds)
        parts.append(f"\n\n## {area}\n\n| kind | what happens |\n|---|---|\n{lines}")
    return "".join(parts) + "\n" + _KNOWN


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
