"""From what the user typed to the source."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import SourceError
from semc_core.sources.dicom import DicomSource
from semc_core.sources.open import open_source
from tests.sources.capture_clips import numbered, write_dicom, write_images, write_video


def test_files_are_known_by_what_they_hold(tmp_path: Path) -> None:
    dicom = write_dicom(tmp_path / "IM_0001", np.stack([numbered(0), numbered(1)]), FrameTime=40)
    shutil.copy(dicom, tmp_path / "loop.mp4")
    video = write_video(tmp_path / "scan.mkv")
    images = write_images(tmp_path / "images", 3)
    kinds = {}
    for name in ("IM_0001", "loop.mp4", video.name, images.name, "images/img1.png"):
        source = open_source(str(tmp_path / name))
        kinds[name] = source.info.kind
        source.close()
    assert kinds == {
        "IM_0001": "dicom",
        "loop.mp4": "dicom",
        "scan.mkv": "video",
        "images": "images",
        "images/img1.png": "images",
    }


def test_the_simulated_patient_is_chosen_by_number() -> None:
    source = open_source("simulated:5", seconds=0.1, width=160, height=120)
    assert source.info.source_id == "simulated scan, patient 5"
    assert source.info.frame_count == 3


def test_options_reach_an_image_folder(tmp_path: Path) -> None:
    assert open_source(str(write_images(tmp_path)), frame_rate=12).info.frame_rate == 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("none.mp4", r"none\.mp4 was not found"),
        ("empty.mp4", r"empty\.mp4 is empty"),
        ("text.mp4", r"text\.mp4 cannot be opened as a video"),
        ("text.dcm", r"text\.dcm is not a DICOM file"),
        ("text.png", r"text\.png cannot be read as an image"),
        ("folder", "folder holds no image"),
    ],
)
def test_what_cannot_be_opened_says_why_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "empty.mp4").touch()
    for suffix in ("mp4", "dcm", "png"):
        (tmp_path / f"text.{suffix}").write_text("Dear colleague, " * 30, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match=says) as caught:
        open_source(str(tmp_path / text))
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [("gopher://x", "not supported"), ("simulated:Bob", "whole number"), ("camera:no such name", "camera")],
)
def test_words_that_name_no_source_say_why(text: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        open_source(text)


def test_a_dicom_source_offers_its_region(tmp_path: Path) -> None:
    source = open_source(str(write_dicom(tmp_path / "a.dcm", numbered(0)[None])))
    assert isinstance(source, DicomSource)
    assert source.hinted_crop is None
