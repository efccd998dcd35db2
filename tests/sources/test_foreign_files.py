"""Files of other programs, which were read wrongly once: the developers' videos and pictures."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.cli.shared.inputs import wanted_inputs
from semc_core.sources.open import open_seekable, open_source
from tests.skips import REAL_DATA
from tests.sources.capture_clips import read_all

pytestmark = pytest.mark.real_data("foreign_failing")
FOLDER: Final = REAL_DATA / "foreign_failing"
LOST: Final = {"avi_lost_chunk.avi": {20}, "images_one_broken": {3, 4}}
COUNT: Final = {"animated.png": 6, "images_one_broken": 6}
_RATE: Final = {"images_one_broken": 30}
_RED, _BLUE, _GREEN = (220, 30, 30), (40, 60, 220), (30, 200, 40)


def drawn_number(pixels: NDArray[np.uint8]) -> int:
    """Eight blocks of 16 pixels, the lowest bit first."""
    gray = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    return sum(int(gray[12:20, 12 + 16 * bit : 20 + 16 * bit].mean() > 125) << bit for bit in range(8))


def marks(pixels: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """The colours of the marks at the left, in the middle and at the right."""
    height, width = pixels.shape[:2]
    rows = pixels[height - 46 : height - 26]
    return [rows[:, at : at + 20].mean(axis=(0, 1)) for at in (26, width // 2 - 10, width - 46)]


@pytest.mark.parametrize(
    "name",
    [
        *("h264_b_frames.avi", "avi_lost_chunk.avi", "animated.png", "images_one_broken", "肝脏扫描.mp4"),
        *(f"folder_of_containers/{name}" for name in ("a.mp4", "b.asf", "c.vob", "d.mts")),
    ],
)
def test_each_frame_has_its_own_number_time_and_colours(name: str) -> None:
    source = open_source(str(FOLDER / name))
    packets = read_all(source)
    count, lost = COUNT.get(name, 40), LOST.get(name, set())
    assert [packet.index for packet in packets] == [index for index in range(count) if index not in lost]
    for packet in packets:
        assert drawn_number(packet.pixels) == packet.index
        assert packet.pts_s == pytest.approx(packet.index / _RATE.get(name, 25), abs=2e-3)
        for seen, wanted in zip(marks(packet.pixels), (_RED, _BLUE, _GREEN), strict=True):
            assert np.abs(seen - wanted).max() <= 14
    assert bool(lost) <= bool(source.info.notice)
    with closing(open_seekable(FOLDER / name)) as seekable:
        for packet in reversed(packets):
            np.testing.assert_array_equal(seekable.frame(packet.index).pixels, packet.pixels)


def test_a_mirrored_video_is_mirrored() -> None:
    packets = read_all(open_source(str(FOLDER / "mirror_in_display_matrix.mp4")))
    for packet in packets:
        assert drawn_number(packet.pixels[:, ::-1]) == packet.index


def test_pixels_that_are_not_square_are_made_so() -> None:
    source = open_source(str(FOLDER / "sar_16_11.mp4"))
    assert {packet.pixels.shape for packet in read_all(source)} == {(240, 465, 3)}
    assert "16:11" in source.info.notice


def test_a_folder_gives_every_container_in_it() -> None:
    left_out: list[Path] = []
    wanted = wanted_inputs([str(FOLDER / "folder_of_containers")], left_out.append)
    assert [each.path.name for each in wanted] == ["a.mp4", "b.asf", "c.vob", "d.mts"]
    assert left_out == []


def test_results_stand_in_a_folder_that_tells_which() -> None:
    (wanted,) = wanted_inputs([str(FOLDER / "肝脏扫描.mp4")])
    assert wanted.name == "肝脏扫描"
