"""A real window on Qt's offscreen platform, with real videos, a real model, and settings of its own."""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings
from app.unused import cleared_by_this_thread
from app.widgets.theme import apply_theme
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import write_model

THEME = "SEMC_LOOKS_THEME"
"""Names the theme of a process of its own."""

WAIT_MS = 60_000
"""Long enough for a busy machine; a test that passes does not wait for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A warning of Qt's fails the test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support", extend=True))


@pytest.fixture(autouse=True, scope="package")
def unused_widgets(qapp: QApplication) -> Iterator[None]:
    """Of windows that were closed no thread but this one takes anything apart, as in the program."""
    with cleared_by_this_thread():
        yield
        gc.collect()  # what was there before is left out: to look through it takes half a second


@pytest.fixture(autouse=True)
def no_window_left(qapp: QApplication) -> Iterator[None]:
    """A window that a test shows and leaves fails the test: the next ones' program would wait for it."""
    yield
    left = [widget for widget in qapp.topLevelWidgets() if widget.isVisible()]
    for widget in left:
        widget.close()
    assert not [type(widget).__name__ for widget in left], "windows were left open"


@pytest.fixture(autouse=True)
def nothing_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading text takes seconds; what begins it has tests of its own."""
    monkeypatch.setattr("app.read_ahead.QUIET_S", math.inf)


@pytest.fixture(scope="session")
def fhp1_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that calls every live picture FHP1, by its bias; for what happens when a plane is found."""
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), notice="Untrained, for tests only.")
    tensors = random_weights(spec.architecture, len(spec.classes))
    for name in tensors:
        if name.startswith("classifiers.") and name.endswith(".bias"):
            bias = np.zeros(len(spec.classes), np.float32)
            bias[spec.classes.index("FHP1")] = 12.0
            tensors[name] = bias
    path = tmp_path_factory.mktemp("model") / "always_fhp1.safetensors"
    write_model(path, spec, tensors)
    return path


def write_video(path: Path, frames: list[NDArray[np.uint8]], rate: int = 25) -> Path:
    """Encode gray frames (H, W) without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = "gray"
        stream.time_base = Fraction(1, rate)
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))
        container.mux(stream.encode(None))
    return path


def speckle(count: int, seed: int = 3) -> list[NDArray[np.uint8]]:
    """`count` frames (120, 160) of moving speckle: a live picture to the engine."""
    rng = np.random.default_rng(seed)
    field = rng.integers(40, 220, (120, 160 + 3 * count), dtype=np.uint8)
    return [np.ascontiguousarray(field[:, 3 * i : 3 * i + 160]) for i in range(count)]


@pytest.fixture(scope="session")
def short_loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of moving speckle, for what is done at its plane."""
    return write_video(tmp_path_factory.mktemp("video") / "short loop.mkv", speckle(50))


@pytest.fixture(scope="session")
def cine_loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of moving speckle."""
    return write_video(tmp_path_factory.mktemp("video") / "cine loop.mkv", speckle(125))


@pytest.fixture(scope="session")
def long_loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of it: does not end before the test does."""
    return write_video(tmp_path_factory.mktemp("video") / "long loop.mkv", speckle(1500))


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Where the settings of this test are."""
    return tmp_path / "settings.ini"


@pytest.fixture
def new_window(
    qapp: QApplication, qtbot: QtBot, settings_file: Path, fhp1_model: Path, tmp_path: Path
) -> Iterator[Callable[[], MainWindow]]:
    """Makes a window as a start of the program does; all are closed at the end."""
    # A new one takes from windows that are closed, but not gone, what they draw with.
    if not qapp.styleSheet():
        apply_theme(qapp, os.environ.get(THEME, "dark"))
    windows: list[MainWindow] = []

    def make() -> MainWindow:
        settings = Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))
        window = MainWindow(
            settings, Overrides(fhp1_model, "cpu", tmp_path / "saved", data=tmp_path / "data")
        )
        windows.append(window)
        qtbot.addWidget(window)
        if settings.geometry.isEmpty():
            window.resize(1280, 800)  # as on a usual screen; that of the tests is smaller
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        return window

    yield make
    for window in windows:
        window.close()


@pytest.fixture
def window(new_window: Callable[[], MainWindow]) -> MainWindow:
    """A window on its start page."""
    return new_window()
