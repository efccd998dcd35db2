"""Sheets of pictures: all of a size are on one, each under its name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.app.contact_sheets import sheet, write_sheets


def test_all_pictures_of_a_size_are_on_its_sheet(tmp_path: Path) -> None:
    pictures = tmp_path / "single"
    pictures.mkdir()
    colours = {f"state {number}": (40 * number, 255 - 40 * number, 90) for number in range(1, 7)}
    for name, colour in colours.items():
        for size, shape in (("960x600", (600, 960)), ("800x1280", (1280, 800))):
            cv2.imwrite(str(pictures / f"{name} {size}.png"), np.full((*shape, 3), colour, np.uint8))
    cv2.imwrite(str(pictures / "alone 0x0.png"), np.full((50, 60, 3), 200, np.uint8))
    written = write_sheets(pictures, tmp_path)
    assert sorted(path.name for path in written) == [
        "single 800x1280.png", "single 960x600.png", "single smallest.png",
    ]  # fmt: skip
    for path in written[1:2] + written[2:]:
        found = cv2.imread(str(path))
        assert found is not None
        for colour in colours.values():
            area = int((found == np.array(colour)).all(axis=2).sum())
            assert area > 50_000


def test_a_small_picture_stays_as_it_is() -> None:
    made = sheet([("small", np.full((40, 30, 3), 250, np.uint8))])
    assert int((made == 250).all(axis=2).sum()) == 40 * 30
