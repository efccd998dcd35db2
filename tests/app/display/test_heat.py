"""The heat map over the picture: its styles, and that it stays in the sector."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.display.heat import STYLES, HeatMaps, next_style
from app.widgets.drawing import image_of
from app.widgets.image_view import LiveView
from semc_core.imaging.heatmap import HeatStyle
from semc_core.imaging.preprocess import Preprocessing
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket, FrameResult, Prediction

_CLASSES = ("NSP", "FHP1")
_SECTOR = ((80, 0), (159, 119), (0, 119))


def result(label: str = "FHP1") -> FrameResult:
    """Of a gray picture, with evidence everywhere in its left half."""
    maps = np.zeros((2, 8, 8), np.float32)
    maps[1, :, :4] = 9.0
    maps[0, :, 4:] = 9.0
    prediction = Prediction(np.array([0.1, 0.9], np.float32), 0.0, maps, np.ones(1, np.float32))
    pixels = np.full((120, 160), 90, np.uint8)
    packet = FramePacket("test", 0, 0.0, time.monotonic(), Picture(pixels))
    crop = Crop(0, 0, 160, 120)
    probabilities = prediction.probabilities
    return FrameResult(packet, prediction, probabilities, label, 0.9, crop, "live", 0.0, outline=_SECTOR)


def painted(view: LiveView) -> NDArray[np.int16]:
    """What the view shows, int16 (h, w, 3)."""
    QApplication.processEvents()
    image = view.grab().toImage().convertToFormat(image_of(np.zeros((1, 1, 3), np.uint8)).format())
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(np.int16)


def test_the_key_goes_from_none_to_tint_to_contour_and_back() -> None:
    style, seen = None, []
    for _ in STYLES:
        style = next_style(style)
        seen.append(style)
    assert seen == [HeatStyle.TINT, HeatStyle.CONTOUR, None]


def test_a_heat_map_is_made_once_for_a_result_and_anew_for_another_style() -> None:
    maps, one, spec = HeatMaps(), result(), Preprocessing(64, 64)
    assert maps.of(one, _CLASSES, spec) is None
    maps.style = HeatStyle.TINT
    tint = maps.of(one, _CLASSES, spec)
    assert tint is not None
    assert tint.outline == _SECTOR
    assert maps.of(one, _CLASSES, spec) is tint
    maps.style = HeatStyle.CONTOUR
    contour = maps.of(one, _CLASSES, spec)
    assert contour is not None
    assert contour.lines
    assert maps.of(result("NSP"), _CLASSES, spec) is None


def test_tint_and_contour_are_painted_inside_the_sector_only(qtbot: QtBot) -> None:
    view, one, maps = LiveView(), result(), HeatMaps()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    spec = Preprocessing(64, 64)
    view.show_picture(one.packet, None, None, None)
    plain = painted(view)
    scale = plain.shape[1] / 160
    ys, xs = np.mgrid[: plain.shape[0], : plain.shape[1]] / scale
    outside = np.abs(xs - 80) > ys * 79 / 119 + 1.5
    for style in (HeatStyle.TINT, HeatStyle.CONTOUR):
        maps.style = style
        view.show_picture(one.packet, None, maps.of(one, _CLASSES, spec), None)
        changed = np.abs(painted(view) - plain).sum(axis=2) > 6
        assert changed.any(), style
        assert not (changed & outside).any(), style
        share = changed[ys > 60].mean()
        assert share > 0.2 if style is HeatStyle.TINT else share < 0.15, (style, share)
