"""Take the pictures of the window for the docs: `python tests/app/take_screenshots.py docs/screenshots`.

Not a test. Real source, real model, Qt's offscreen platform; the settings go to a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import av
from PySide6.QtCore import QEventLoop, QPoint, QSettings, QSize, QTimer
from PySide6.QtGui import QColor, QCursor, QPainter, QPixmap

from app.application import new_application, write_screenshot
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings
from app.train.presenter import Phase as TrainPhase
from semc_core.imaging.heatmap import HeatStyle
from semc_core.paths import DEFAULT_MODEL
from semc_core.pipeline.state import Phase
from semc_core.sources.open import open_source


def turn(until: Callable[[], bool], seconds: float) -> bool:
    """Let the window live until something holds, or the time is over. Returns whether it holds."""
    loop, end_s = QEventLoop(), time.monotonic() + seconds
    while not until() and time.monotonic() < end_s:
        QTimer.singleShot(50, loop.quit)
        loop.exec()
    return until()


Take = Callable[..., None]


def write_loop(path: Path, source: str, seconds: float) -> Path:
    """Record a scan to a file, to be reviewed."""
    scan = open_source(source, seconds=seconds)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "14"})
        stream.width, stream.height, stream.pix_fmt = scan.info.width, scan.info.height, "yuv420p"
        while (packet := scan.read()) is not None:
            form = "gray" if packet.pixels.ndim == 2 else "rgb24"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(packet.pixels, format=form)))
        container.mux(stream.encode(None))
    scan.close()
    return path


def take_review(window: MainWindow, loop: Path, take: Take) -> None:
    """Write the pictures of a review: while it is analysed, corrected, in several sizes and modes."""
    page = window.review_page

    def press(*names: str) -> None:
        for name in names:
            window.actions_by_name[name].trigger()
            turn(lambda: False, 0.4)

    window.open_review(loop)
    turn(lambda: window.review.progress.done > 200, 120)
    take("review-analysing")
    turn(lambda: not window.review.progress.running, 600)
    turn(lambda: len(page.planes.cards) == len(window.review.snapshot.planes), 10)
    press("next_plane", "next_plane", "reject", "to_start", "second_on", "second_on", "mark")
    press("second_on", "second_on", "mark")
    page.ask_line.field.setText("shadow")
    take("review-asking")
    page.ask_line.answered.emit("shadow")
    press("second_on", "add")
    take("review-adding")
    press("escape", "next_plane", "next_plane", "next_plane", "class_1", "heat_map")
    turn(lambda: page.view.heat is not None, 10)
    take("review")
    take("review-small", (900, 600))
    take("review-smallest", (window.minimumWidth(), window.minimumHeight()))
    take("review-large", (1920, 1080))
    window.resize(QSize(1280, 800))
    press("heat_map", "heat_map", "better")
    turn(lambda: len(page.better.cards) > 1, 20)
    take("review-better")
    press("escape", "zoom_in", "zoom_in")
    take("review-keys", before=lambda: press("help"))
    press("help", "zoom_all", "next_plane")
    panel = window.checklists.review
    missing = [button.row.item_id for button in panel.rows if button.row.status == "missing"]
    if missing:
        window.checklists.say_of_review(missing[0], "Gas")
        turn(lambda: any(button.row.status_text == "not possible" for button in panel.rows), 10)
    take("checklist")
    take_export(window, take)
    loop.rename(loop.with_name("elsewhere.mp4"))
    assert window.review.open is not None
    window.open_review(window.review.open.session.folder)
    turn(lambda: window.banner.isVisible(), 20)
    press("next_plane")
    take("review-without-loop")


def take_export(window: MainWindow, take: Take) -> None:
    """Write the pictures of exporting and sending the session in review."""

    def dialog_is(name: str) -> bool:
        return type(window.dialogs.dialog).__name__ == name

    window.export()
    turn(lambda: dialog_is("ExportDialog"), 30)
    turn(lambda: window.dialogs.exporting is not None and window.dialogs.exporting.material is not None, 30)
    take("export")
    if window.dialogs.dialog is not None:
        window.dialogs.dialog.reject()
    window.dialogs.show_sending()
    turn(lambda: dialog_is("SendDialog") and window.dialogs.sending.snapshot.ready, 30)
    take("send")
    if window.dialogs.dialog is not None:
        window.dialogs.dialog.done(0)
    window.resize(QSize(1280, 800))


def with_dialog(window: MainWindow) -> QPixmap:
    """What the window shows, with the dialog over its middle."""
    picture, dialog = window.grab(), window.dialogs.dialog
    if dialog is not None:
        over = dialog.grab()
        painter = QPainter(picture)
        painter.fillRect(picture.rect(), QColor(0, 0, 0, 140))
        painter.drawPixmap(
            (picture.width() - over.width()) // 2, (picture.height() - over.height()) // 2, over
        )
        painter.end()
    return picture


def take_training(window: MainWindow, data: str, minutes: float, take: Take) -> None:
    """Write the pictures of a training: before it, at its work, at its end, and of one that fails."""
    page, train = window.train_page, window.train
    window.show_training()
    turn(lambda: False, 1)
    take("train-empty")
    train.add_folder(data)
    page.length.setValue(minutes)
    page.start.click()
    turn(lambda: train.state.progress > 0.5, 60 + 120 * minutes)
    take("train-running")
    take("train-small", (900, 600))
    take("train-smallest", (window.minimumWidth(), window.minimumHeight()))
    window.resize(QSize(1280, 800))
    turn(lambda: not train.training, 300 + 120 * minutes)
    take("train")
    (page.use if page.force.isHidden() else page.force).click()
    turn(lambda: page.compared.text() == "The new model is in use.", 30)
    take("train-used")
    with tempfile.TemporaryDirectory() as empty:
        train.add_folder(empty)
        page.ticks[data].setChecked(False)
        page.start.click()
        turn(lambda: train.state.phase is TrainPhase.FAILED, 120)
    take("train-failed")


def take_live(window: MainWindow, source: str, planes: int, seconds: float, take: Take) -> None:
    """Write the pictures of a live scan: before it, when `planes` are saved, frozen, in several sizes."""
    page = window.live_page
    take("empty")
    take("empty-small", (900, 600))
    window.resize(QSize(1280, 800))
    window.open_source(source)
    turn(lambda: page.view.packet is not None, 20)
    take("loading", wait_s=0.0)
    turn(lambda: page.result is not None, 30)
    if not turn(lambda: len(page.saved) >= planes and page.readout.shown.saved, seconds):
        print("Not as many planes were found in time.", file=sys.stderr)
    take("live")
    page.show_heat(HeatStyle.TINT)
    page.freeze(True)
    take("heat-map", (1920, 1080))
    take("small", (900, 600))
    window.resize(QSize(1280, 800))
    turn(lambda: False, 0.3)
    window.actions_by_name["help"].trigger()
    take("keys")
    window.actions_by_name["help"].trigger()
    if page.saved:
        window.viewer.show_plane(page.saved[-1])
        take("saved")
        window.escape()


def take_error(window: MainWindow, take: Take) -> bool:
    """Write the pictures of a source that cannot be opened. Returns whether the window says so."""
    with tempfile.TemporaryDirectory() as empty:
        window.open_source(str(Path(empty) / "examination-of-monday.mp4"))
        turn(lambda: window.scan.pipeline is not None and window.banner.shown is not None, 20)
        take("error")
        take("error-small", (900, 600))
    engine = window.scan.pipeline
    return engine is not None and engine.state.phase is Phase.FAULT


def new_window(model: Path, folder: Path) -> MainWindow:
    """A window that keeps all it writes in `folder`, with no button under the mouse."""
    store = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    overrides = Overrides(model, "cpu", folder / "SEMC Live", data=folder / "data")
    window = MainWindow(Settings(store), overrides)
    window.resize(QSize(1280, 800))
    window.show()
    QCursor.setPos(window.mapToGlobal(QPoint(400, 400)))
    return window


def new_take(window: MainWindow, folder: Path) -> Take:
    """What writes a picture of the window, with its dialog if there is one, to `folder`/NAME.png."""

    def take(
        name: str,
        size: tuple[int, int] = (1280, 800),
        before: Callable[[], None] | None = None,
        wait_s: float = 0.6,
    ) -> None:
        window.resize(QSize(*size))
        turn(lambda: False, wait_s)
        if before is not None:
            before()
        path = folder / f"{name}.png"
        if window.dialogs.dialog is None:
            write_screenshot(window, path)
        else:
            with_dialog(window).save(str(path))
        print(path)

    return take


def arguments() -> argparse.Namespace:
    """What the caller wants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="simulated:2007")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--planes", type=int, default=3, help="wait until so many planes are saved")
    parser.add_argument("--seconds", type=float, default=90.0, help="but no longer than this")
    parser.add_argument("--review", action="store_true", help="only the pictures of a review")
    parser.add_argument("--train", metavar="DIR", help="only the pictures of a training on this data set")
    parser.add_argument("--minutes", type=float, default=3.0, help="of the training (default: 3)")
    return parser.parse_args()


def main() -> int:
    """Write live.png, empty.png, error.png, small.png and more; or review.png and more."""
    args = arguments()
    new_application()
    with tempfile.TemporaryDirectory() as folder:
        window = new_window(args.model, Path(folder))
        take, well = new_take(window, args.folder), True
        if args.train:
            take_training(window, args.train, args.minutes, take)
        elif args.review:
            loop = write_loop(Path(folder) / "liver-monday.mp4", args.source, args.seconds)
            take_review(window, loop, take)
        else:
            take_live(window, args.source, args.planes, args.seconds, take)
            well = take_error(window, take)
        window.close()
        return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
