"""The plot of the confidences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from app.live.traces import Legend, TracesView
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket, FrameResult, SavedPlane


def test_marks_are_drawn_a_hundred_times_without_keeping_more_pictures_of_them(qtbot: QtBot) -> None:
    traces = TracesView()
    qtbot.addWidget(traces)
    traces.resize(400, 300)
    traces.show()
    qtbot.waitExposed(traces)
    traces.begin(new_spec("semc_tiny", LIVER_CLASSES))
    picture = np.zeros((2, 2), np.uint8)
    plane = SavedPlane(1, "FHP1", 0.9, 3, 1.0, 0.5, 1.0, True, False, Path("a.png"), picture)
    traces.mark((plane, replace(plane, hold_id=2, plane="HRP", by_hand=True)))
    smoothed = np.full(7, 1 / 7, np.float32)
    kept = set()
    for i in range(100):
        packet = FramePacket("test", i, 2 + i / 10, 0.0, Picture(picture))
        crop = Crop(0, 0, 2, 2)
        traces.add(FrameResult(packet, None, smoothed, "NSP", 0.5, crop, "live", 0.0))
        traces.refresh()
        traces.grab()
        kept.add(traces.symbols_drawn)
    assert kept == {2}


def test_a_long_name_is_not_written_over_its_number(qtbot: QtBot) -> None:
    legend = Legend()
    qtbot.addWidget(legend)
    legend.resize(300, 60)
    numbers = []
    for name in ("A", "Trans-ventricular plane of the head"):
        legend.set_planes({name: "#ffffff"})
        legend.set_percents((87,))
        column = legend.grab().toImage().copy(60, 0, 40, 25)
        numbers.append(bytes(column.constBits()))
        assert name in legend.toolTip()
    assert numbers[0] == numbers[1]
