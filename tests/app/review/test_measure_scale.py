"""Millimetres in review: from a DICOM header, or by a line over a known length; never without either."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.measuring.presenter import millimetres_of, scale_text
from app.settings import Settings
from semc_core.errors import UsageError
from semc_core.measure.calibration import FROM_SPACING, Calibration
from semc_core.measure.dicom_scale import source_scale
from semc_core.session.correcting.changes import NameMeasurement, SetScale
from semc_core.session.records import BY_HAND, NO_SCALE
from tests.app.review.test_measuring import click, measured, reviewed
from tests.app.review.test_page import CONTROL, KEY, WAIT_MS, press, wait_for_said
from tests.measure.test_calibration import _header, _region

__all__ = ["reviewed"]
LINE = ((10.0, 10.0), (10.0, 110.0))


def written(path: Path, header: Dataset) -> Path:
    header.Rows, header.Columns = 240, 320
    header.save_as(path, implicit_vr=False, little_endian=True)
    return path


def test_a_header_tells_its_regions_and_why_it_tells_nothing(tmp_path: Path) -> None:
    told = source_scale(written(tmp_path / "good.dcm", _header(_region())))
    assert (len(told.scales), told.size, told.why) == (1, (320, 240), "")
    none = source_scale(written(tmp_path / "none.dcm", _header(PixelAspectRatio=[2, 1])))
    assert (none.scales, none.aspect) == ((), 2.0)
    assert "no scale" in none.why
    odd = source_scale(written(tmp_path / "odd.dcm", _header(PixelAspectRatio=[900, 1])))
    assert odd.aspect == 1.0
    against = source_scale(
        written(tmp_path / "against.dcm", _header(PixelSpacing=[0.4, 0.5], PixelAspectRatio=[1, 1]))
    )
    assert (against.scales, against.aspect) == ((), 1.0), "a header that contradicts itself"
    (tmp_path / "no.dcm").write_bytes(b"no header")
    assert "cannot be read" in source_scale(tmp_path / "no.dcm").why


@pytest.mark.parametrize(
    ("text", "mm"), [("50", 50.0), (" 50 mm ", 50.0), ("5 cm", 50.0), ("49,5", 49.5), ("5CM", 50.0)]
)
def test_a_length_is_read_as_people_type_it(text: str, mm: float) -> None:
    assert millimetres_of(text) == pytest.approx(mm)


@pytest.mark.parametrize("text", ["", "0", "-5", "nan", "inf", "1e999", "fifty", "5 inches", "5 mm mm"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="a number above 0"):
        millimetres_of(text)


def test_where_millimetres_come_from_is_said() -> None:
    assert scale_text(None, None, "") == "Only pixels are shown; S sets the scale."
    told = Calibration(0.5, 0.4, FROM_SPACING)
    assert scale_text(told, None, "") == f"0.5 × 0.4 mm per pixel, {FROM_SPACING}."


def test_a_scale_is_a_line_and_a_number_checked_remembered_and_taken_back(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    page = window.review_page
    press(window, KEY.Key_D)
    click(window, (20, 60), (120, 60))
    (line,) = measured(qtbot, window, 1)
    assert (line.scale, line.mm_x) == (NO_SCALE, None)
    press(window, KEY.Key_S)
    click(window, (20, 10), (120, 10))
    qtbot.waitUntil(page.ask_line.field.isVisible, timeout=WAIT_MS)
    assert len(page.measuring.layer.shapes) == 2, "the line stays in sight while its length is asked for"
    QTest.keyClicks(page.ask_line.field, "0")
    QTest.keyClick(page.ask_line.field, KEY.Key_Return)
    wait_for_said(qtbot, window, "a number above 0")
    qtbot.waitUntil(page.ask_line.field.isVisible, timeout=WAIT_MS)
    page.ask_line.field.setText("5 cm")
    QTest.keyClick(page.ask_line.field, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.review.snapshot.measurements[0].scale == BY_HAND, timeout=WAIT_MS)
    window.tick()
    assert page.measuring.values.rows[0].lines[0][1] == "50.0 mm"
    assert "by hand: 50 mm" in page.measuring.values.foot
    assert page.view.ruler is not None
    assert page.view.ruler.mm_y == pytest.approx(0.5, rel=0.02)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: window.review.snapshot.measurements[0].scale == NO_SCALE, timeout=WAIT_MS)
    window.tick()
    assert page.measuring.values.rows[0].lines[0][1].endswith(" px")

    press(window, KEY.Key_S)
    assert "mm per pixel, as set last" in page.measuring.hint
    press(window, KEY.Key_Return)
    qtbot.waitUntil(lambda: bool(window.review.snapshot.scales), timeout=WAIT_MS)
    assert window.review.snapshot.scales[0].length_mm == 50.0
    assert page.measuring.calipers.tool is None


def test_the_age_of_a_pregnancy_is_typed_and_ranks_the_head_at_it(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    page = window.review_page
    press(window, KEY.Key_C)
    click(window, (20, 60), (120, 60))
    measured(qtbot, window, 1)
    window.review.apply(NameMeasurement(1, "head"))
    window.review.apply(SetScale(((20.0, 60.0), (120.0, 60.0)), 60.0, 0, 160, 120))
    qtbot.waitUntil(lambda: bool(window.review.snapshot.scales), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_D, CONTROL)
    qtbot.waitUntil(page.ask_line.field.isVisible, timeout=WAIT_MS)
    page.ask_line.field.setText("due 2026-09-30")
    QTest.keyClick(page.ask_line.field, KEY.Key_Return)
    wait_for_said(qtbot, window, "day of the examination")
    qtbot.waitUntil(page.ask_line.field.isVisible, timeout=WAIT_MS)
    page.ask_line.field.setText("due 2026-09-30 on 2026-05-13")
    QTest.keyClick(page.ask_line.field, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.review.snapshot.age is not None, timeout=WAIT_MS)
    window.tick()
    (row,) = page.measuring.values.rows
    assert any(name.startswith("Centile of HC") for name, _ in row.lines)
    assert "at 20+0 by due date" in row.tip


def test_a_scale_that_can_be_none_is_not_remembered(tmp_path: Path) -> None:
    path = str(tmp_path / "s.ini")
    settings = Settings(QSettings(path, QSettings.Format.IniFormat))
    assert settings.scale_line("usb: card/1", 320, 240) is None
    settings.remember_scale_line("usb: card/1", 320, 240, LINE, 50.0)
    settings.write()
    again = Settings(QSettings(path, QSettings.Format.IniFormat))
    assert again.scale_line("usb: card/1", 320, 240) == (*LINE, 50.0)
    assert again.scale_line("usb: card/2", 320, 240) is None
    assert again.scale_line("usb: card/1", 640, 480) is None
    for length in (0.0, float("nan"), 1e9):
        settings.remember_scale_line("usb: card/1", 320, 240, LINE, length)
        assert settings.scale_line("usb: card/1", 320, 240) is None
