"""Folders of images."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.errors import SourceError
from semc_core.sources.images import ImageFolderSource
from tests.sources.capture_clips import number_of, numbered, read_all, write_images


def test_images_come_in_the_order_people_count(tmp_path: Path) -> None:
    source = ImageFolderSource(write_images(tmp_path / "images", 12), frame_rate=10)
    packets = read_all(source)
    assert [number_of(packet.pixels) for packet in packets] == list(range(12))
    assert [packet.pts_s for packet in packets] == pytest.approx([index / 10 for index in range(12)])
    assert source.info.source_id == "images"


def test_a_single_image_is_a_source_too(tmp_path: Path) -> None:
    write_images(tmp_path, 2)
    (packet,) = read_all(ImageFolderSource(tmp_path / "img2.png"))
    assert (packet.source_id, number_of(packet.pixels)) == ("img2.png", 1)


def test_every_kind_is_read_with_its_colours(tmp_path: Path) -> None:
    blue_green_red = np.full((40, 60, 3), (10, 20, 200), np.uint8)
    for suffix in ("png", "bmp", "tif"):
        cv2.imwrite(str(tmp_path / f"a.{suffix}"), blue_green_red)
    cv2.imwrite(str(tmp_path / "deep.PNG"), np.full((40, 60), 51 * 257, np.uint16))
    packets = read_all(ImageFolderSource(tmp_path))
    assert [packet.pixels[0, 0].tolist() for packet in packets] == [[200, 20, 10]] * 3 + [51]


def test_images_of_other_sizes_are_kept_and_told(tmp_path: Path) -> None:
    write_images(tmp_path, 1)
    cv2.imwrite(str(tmp_path / "img2.png"), numbered(1)[:50])
    source = ImageFolderSource(tmp_path)
    packets = read_all(source)
    assert [packet.pixels.shape for packet in packets] == [(96, 128), (50, 128)]
    assert "differ in size" in source.info.notice


def test_images_none_of_which_can_be_read_are_an_error_that_names_one(tmp_path: Path) -> None:
    for name in ("img3.png", "img4.png"):
        (tmp_path / name).write_bytes(b"not an image")
    with pytest.raises(SourceError, match=r"img3\.png cannot be read"):
        ImageFolderSource(tmp_path)


def test_a_file_of_several_images_is_not_read_in_part(tmp_path: Path) -> None:
    cv2.imwritemulti(str(tmp_path / "loop.tif"), [numbered(0), numbered(1)])
    with pytest.raises(SourceError, match="holds 2 images"):
        ImageFolderSource(tmp_path)


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(SourceError, match="holds no image"):
        ImageFolderSource(tmp_path)
