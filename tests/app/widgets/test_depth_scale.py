"""The ruler beside the picture: where millimetres are known, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.widgets.depth_scale import depth_ticks
from app.widgets.image_view import LiveView
from semc_core.measure.calibration import TYPED, Calibration
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket

BLACK = FramePacket("a", 0, 0.0, 0.0, Picture(np.zeros((240, 320), np.uint8)))


def test_ticks_stand_as_many_pixels_apart_as_their_millimetres() -> None:
    ticks = depth_ticks(0.5, 20.0, 220.0, 1.0)
    assert [(tick.y, tick.mm) for tick in ticks[:3]] == [(20.0, 0), (30.0, 5), (40.0, 10)]
    assert (ticks[-1].y, ticks[-1].mm) == (220.0, 100)
    assert [tick.mm for tick in ticks if tick.size == 2] == [0, 50, 100]


@pytest.mark.parametrize(("scale", "step"), [(0.1, 50), (0.3, 10), (1.0, 5), (4.0, 1)])
def test_ticks_are_as_close_as_can_be_told_apart(scale: float, step: int) -> None:
    first, second = depth_ticks(0.5, 0.0, 240.0, scale)[:2]
    assert second.mm - first.mm == step


def test_the_view_shows_a_ruler_where_millimetres_are_known(qtbot: QtBot) -> None:
    view = LiveView()
    qtbot.addWidget(view)
    view.resize(640, 480)

    def bright(calibration: Calibration | None) -> np.ndarray:
        view.show_picture(BLACK, None, None, None)
        view.show_depth(calibration)
        image = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : image.width()] > 60

    assert not bright(None).any()
    whole = bright(Calibration(0.5, 0.5, TYPED))
    assert whole[:, 630:].any()
    assert not whole[:, :500].any(), "at the side only"
    lines = np.flatnonzero(whole[:, 638])
    assert len(lines) >= 20
    part = bright(Calibration(0.5, 0.5, TYPED, Crop(10, 60, 100, 120)))
    assert part[:, 200:222].any(), "it stands where its region ends"
    assert not part[:100].any(), "and begins where that begins"
    assert not part[:, 230:].any()
