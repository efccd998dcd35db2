"""The Qt application: made, run for a while, and ended in order."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.unused import cleared_by_this_thread
from app.widgets.theme import apply_theme
from semc_core.errors import SaveError
from semc_core.io.atomic import write_atomically
from semc_core.language import _
from semc_core.paths import ASSETS, log_folder

if TYPE_CHECKING:
    from app.main_window import MainWindow

_log = logging.getLogger(__name__)
_SAMPLE_MS: Final = 1000
_WATCH_MS: Final = 200


def new_application(look: str = "dark", text_percent: int = 100) -> QApplication:
    """The one application of the process, with its look: see `apply_theme`."""
    application = QApplication(["semc"])
    application.setApplicationName("semc-live")
    application.setApplicationDisplayName("SEMC Live")
    icon = ASSETS / "icons" / "semc.svg"
    application.setWindowIcon(QIcon(str(icon)))
    apply_theme(application, look, text_percent)
    return application


def run_window(
    application: QApplication,
    window: MainWindow,
    seconds: float | None = None,
    screenshot: Path | None = None,
    measure: Path | None = None,
    until_over: bool = False,
) -> None:
    """Show `window` until it is closed, or for `seconds`.

    Args:
        application: From `new_application`.
        window: Not shown yet.
        seconds: None waits for the user.
        screenshot: Where to write a picture of the window just before it closes.
        measure: Where to write what the run cost.
        until_over: Close also when the scan is over.

    Raises:
        SaveError: The picture or the measurement could not be written.
    """
    recorder = None
    sampler = QTimer()
    if measure is not None:
        from app.instrumentation import Recorder, write_report

        recorder = Recorder()
        sampler.timeout.connect(recorder.sample)
        sampler.start(_SAMPLE_MS)
    failed: list[SaveError] = []

    def finish() -> None:
        try:
            if screenshot is not None:
                write_screenshot(window, screenshot)
        except SaveError as error:
            failed.append(error)
        window.close()
        application.exit()  # Qt itself would wait for every other window

    def finish_if_over() -> None:
        if window.scan.over:
            watcher.stop()
            finish()

    watcher = QTimer()
    watcher.timeout.connect(finish_if_over)
    if until_over:
        watcher.start(_WATCH_MS)
    ending = QTimer()
    ending.setSingleShot(True)
    ending.timeout.connect(finish)
    if seconds is not None:
        ending.start(round(seconds * 1000))
    with cleared_by_this_thread(), faults_shown(window):
        window.show()
        application.exec()
    # What comes later would end the events of what follows in this process.
    QApplication.removePostedEvents(application, QEvent.Type.Quit.value)
    for timer in (sampler, watcher, ending):
        timer.stop()
    if window.unmade is not None:
        raise window.unmade
    window.tick_once_more()
    if measure is not None and recorder is not None and window.scan.pipeline is not None:
        statistics = window.scan.pipeline.statistics()
        write_report(measure, recorder.report(statistics, window.live_page.latency.all, window.display.gaps))
    if failed:
        raise failed[0]


def write_screenshot(window: MainWindow, path: Path) -> None:
    """Write what the window shows now.

    Raises:
        SaveError: It could not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"The folder {path.parent} cannot be made; choose another.") from error
    # In memory first: of a full disk, Qt's own writing says nothing.
    encoded = QBuffer()
    encoded.open(QIODevice.OpenModeFlag.WriteOnly)
    if not window.grab().save(encoded, path.suffix[1:]):
        raise SaveError(f"The picture {path} cannot be written; choose another name ending in .png.")
    write_atomically(path, bytes(encoded.data().data()))


@contextmanager
def faults_shown(window: MainWindow) -> Iterator[None]:
    """What is raised in a slot goes to the log and into the window; the same fault is logged once."""
    before = sys.excepthook
    seen: set[str] = set()

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        text = f"{kind.__name__}: {error}"
        if text not in seen:
            seen.add(text)
            _log.error("A fault in the window.", exc_info=(kind, error, trace))
        window.report(
            _(
                "Something went wrong in the window ({fault}); the scan goes on, see the log in {folder}.",
                fault=kind.__name__,
                folder=log_folder(),
            )
        )

    sys.excepthook = show
    try:
        yield
    finally:
        sys.excepthook = before


class ClosingSignals:
    """In this context Ctrl+C, or the end of the desktop's session, closes the window in order.

    The scan is ended and saved. A signal that comes before the window is there, or before its events are
    listened to, closes it when they are: Qt forgets what asks it to end before it runs. The window's timer
    lets Python see the signal.
    """

    def __init__(self) -> None:
        """Needs the application to be there."""
        self._window: MainWindow | None = None
        self._before: dict[int, Any] = {}
        self._end = QTimer()
        self._end.setSingleShot(True)
        self._end.timeout.connect(self._close)

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._heard) for number in numbers}
        return self

    def __exit__(self, *_raised: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def close(self, window: MainWindow) -> None:
        """Close this one from now on."""
        self._window = window

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self._end.start(0)

    def _close(self) -> None:
        if self._window is None:  # events are looked at while the window is made
            self._end.start(_WATCH_MS)
            return
        self._window.close()
        QApplication.quit()
