"""`semc inspect`: what it says of a file, and the pictures and table that it writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import main
from tests.sources.capture_clips import number_of, write_images, write_video
from tests.sources.test_video_kinds import MJPEG, lose


def written(folder: Path) -> tuple[dict[int, int], list[dict[str, str]]]:
    """The numbers that the pictures show, by their names, and the table."""
    shown = {
        int(path.stem): number_of(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))  # type: ignore[arg-type]
        for path in sorted(folder.glob("*.png"))
    }
    with (folder / "frames.csv").open(newline="", encoding="utf-8") as file:
        return shown, list(csv.DictReader(file))


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("how", [[], ["--random"]])
def test_every_undamaged_frame_is_written_under_its_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: list[str]
) -> None:
    path = lose(write_video(tmp_path / "a.avi", 30, codec=MJPEG), [7, 8, 20])
    assert main.main(["inspect", str(path), "--frames", str(tmp_path / "out"), "--json", *how]) == 0
    shown, table = written(tmp_path / "out")
    whole = [index for index in range(30) if index not in (7, 8, 20)]
    assert shown == {index: index for index in whole}
    assert [int(row["frame"]) for row in table] == list(range(30))
    assert [int(row["frame"]) for row in table if row["damaged"] == "1"] == [7, 8, 20]
    for row in table:
        if row["damaged"] == "0":
            assert float(row["time_s"]) == pytest.approx(int(row["frame"]) / 25)
    found = printed(capsys)
    assert (found["container"], found["codec"], found["frames_in_header"]) == ("avi", "mjpeg", 30)
    assert (found["frames"], found["damaged"], found["last_s"]) == (30, [7, 8, 20], 29 / 25)
    assert "3 frames are damaged and left out: 7-8, 20." in found["notices"]


def test_a_folder_of_images_is_inspected_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(tmp_path / "a", 4)
    (tmp_path / "a" / "img2.png").write_bytes(b"no image")
    assert main.main(["inspect", str(tmp_path / "a"), "--json"]) == 0
    found = printed(capsys)
    assert (found["kind"], found["frames"], found["damaged"]) == ("images", 4, [1])
    assert "img2.png" in found["notices"]
    assert main.main(["inspect", str(tmp_path / "a")]) == 0
    assert "img2.png" in capsys.readouterr().out


@pytest.mark.parametrize("how", [[], ["--random"]])
def test_what_is_chosen_of_the_picture_is_done_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: list[str]
) -> None:
    path = write_video(tmp_path / "a.avi", 3, codec=MJPEG)
    for name, chosen in (("straight", ()), ("turned", ("--flip", "180", "--aspect", "16:9"))):
        to = ["--frames", str(tmp_path / name)]
        assert main.main(["inspect", str(path), "--json", *to, *how, *chosen]) == 0
        found = printed(capsys)
    assert found["picture_options"] == {
        "range": "auto", "aspect": "16:9", "deinterlace": "auto", "flip": "180",
    }  # fmt: skip
    assert "shown at 16:9, turned by 180 degrees" in found["notices"]
    straight = cv2.imread(str(tmp_path / "straight" / "000001.png"))
    turned = cv2.imread(str(tmp_path / "turned" / "000001.png"))
    assert straight is not None
    assert turned is not None
    assert turned.shape[1] == round(turned.shape[0] * 16 / 9) == found["width"]
    size = straight.shape[1], straight.shape[0]
    back = cv2.resize(turned[::-1, ::-1], size, interpolation=cv2.INTER_AREA)
    assert np.abs(back.astype(int) - straight.astype(int)).mean() < 8


def test_pictures_are_not_mixed_with_what_is_there(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 3)
    assert main.main(["inspect", str(path), "--frames", str(tmp_path)]) == 2
    assert not list(tmp_path.glob("*.png"))


def test_what_is_no_file_of_frames_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")
    assert main.main(["inspect", str(tmp_path / "a.txt")]) == 1
    assert "a.txt cannot be opened as a video" in capsys.readouterr().err


def test_colour_over_the_picture_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gray = np.random.default_rng(1).integers(30, 120, (240, 320, 1), np.uint8)
    pixels = np.repeat(gray, 3, axis=2)
    assert cv2.imwrite(str(tmp_path / "gray.png"), pixels)
    cv2.circle(pixels, (160, 120), 20, (20, 30, 220), -1)
    assert cv2.imwrite(str(tmp_path / "flow.png"), pixels)
    for name, told in (("gray.png", False), ("flow.png", True)):
        assert main.main(["inspect", str(tmp_path / name), "--json"]) == 0
        assert (
            "Colour Doppler: colour lies over the picture in 1 of 1 frame" in printed(capsys)["notices"]
        ) is told
