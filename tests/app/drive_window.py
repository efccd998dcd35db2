"""The window's story with a real mouse and keyboard: `python tests/app/drive_window.py FOLDER`.

Not a test of the suite: it takes minutes. On a display of its own (Xvfb, with openbox as window manager) a
simulated scan is made, reviewed, corrected, measured and annotated, and its patient typed in; it is exported,
the report opened, all sent to a server, and found again after a new start. Files that are gone or damaged are
opened, too, and what once went wrong is tried again (`drive_errors.py`; `--errors` does only this). xdotool
moves the pointer and presses the keys. Each step is checked against the files that it leaves, and a picture
of the screen goes to `FOLDER`/NN-name.png, to be looked at.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Final

os.environ["QT_QPA_PLATFORM"] = "xcb"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QPoint, QSettings
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QPushButton,
    QSpinBox,
)

from app.application import new_application
from app.closing import ClosingQuestion
from app.export.dialog import ExportDialog
from app.export.presenter import Phase
from app.main_window import MainWindow
from app.review.commands import ReviewCommands
from app.scan_options import Overrides
from app.send.dialog import SendDialog
from app.settings import Settings
from app.warm_up import warm_up
from app.worklist.form import ExaminationDialog
from semc_core.export.manifest import check_bundle
from semc_core.paths import DEFAULT_MODEL
from semc_core.session.records import PlaneEntry
from semc_core.session.session import Session
from tests.app.drive_errors import errors, fresh
from tests.app.user_at_display import StoryError, User, display, expect
from tests.pacs.servers import Storescp, storescp

PROGRAMS: Final = {"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool", "storescp": "dcmtk"}
"""What is needed, and the Debian package that has it."""
PATIENT: Final = "Zweistein^Alberta"
OPENED: Final = "SEMC_STORY_OPENED"
"""Environment variable: the file that gets what the desktop was asked to open."""
_XDG_OPEN: Final = f"""#!/bin/sh
printf '%s\\n' "$1" >> "${OPENED}"
"""


def so(commands: ReviewCommands, holds: Callable[[PlaneEntry], bool]) -> bool:
    """Whether this holds of the chosen plane."""
    return commands.chosen is not None and holds(commands.chosen)


def planes_in(folder: Path) -> tuple[PlaneEntry, ...]:
    """What the session on disk holds."""
    with Session.open(folder, read_only=True) as session:
        return session.planes(rejected=True)


def scan(user: User, window: MainWindow) -> Path:
    """A simulated scan: recorded, frozen, a plane saved by hand, stopped. Returns the session's folder."""
    page = window.live_page
    user.look("start")
    user.press(window.start_page.findChildren(QSpinBox)[0].parent(), "Start")
    user.until(lambda: page.result is not None, "the first frame is classified")
    user.key("F9")
    user.until(lambda: page.recording, "the scan is recorded")
    user.until(lambda: any(plane.final for plane in page.saved), "a plane is saved by itself", 120)
    user.look("live")
    user.key("space")
    expect(page.frozen, "the picture is frozen")
    user.press(window.tool_bars, "Capture")
    user.until(lambda: any(plane.by_hand and plane.png for plane in page.saved), "it is saved by hand")
    user.look("frozen-and-captured")
    user.key("space")
    expect(not page.frozen, "the picture goes on")
    user.until(lambda: sum(not plane.by_hand for plane in page.saved) > 2, "three planes are saved", 120)
    user.key("F9")
    user.until(lambda: not page.recording, "the recording is ended")
    user.press(window.tool_bars, "Stop")
    user.until(lambda: window.scan.over, "the scan is over")
    user.look("stopped")
    folder = page.session_folder
    assert folder is not None
    saved, stored = page.saved, planes_in(folder)
    expect(len(stored) == len(saved), "every plane on screen is in the session")
    expect(all((folder / str(plane.png)).is_file() for plane in stored), "each has its picture")
    expect(any(plane.clip for plane in stored), "clips were saved")
    expect(list(folder.glob("recording*.mkv")), "the recording is in the session")
    return folder


def review(user: User, window: MainWindow, folder: Path) -> None:
    """The scan reviewed: jumps, steps, corrections, and what is not possible."""
    user.key("v")
    user.until(lambda: window.review.open is not None, "the review opens")
    page, control = window.review_page, window.review
    user.until(lambda: page.view.packet is not None and not control.progress.running, "it is analysed", 300)
    commands, line = page.commands, page.timeline
    assert commands is not None
    middle_s = float(commands.playhead.times_s[commands.playhead.count // 2])
    user.click(line, QPoint(round(line.scale.x(middle_s)), line.height() - 4))
    expect(abs(commands.playhead.time_s - middle_s) < 0.2, "a click on the time line goes there")
    before = commands.playhead.index
    user.key("Right", "Right", "Left", "Right")
    expect(commands.playhead.index == before + 2, "arrows step frame by frame")
    opened = window.review.open
    assert opened is not None

    def shown() -> bool:
        packet = page.view.packet
        return packet is not None and packet.index == opened.frame_index(commands.playhead.index, None)

    user.until(shown, "the frame is shown", 20)
    user.look("review")

    user.key("Home", "Down")
    chosen = commands.chosen
    assert chosen is not None
    other = next(at for at, name in enumerate(opened.planes) if name != chosen.plane)
    steps: tuple[tuple[str, Callable[[PlaneEntry], bool], str], ...] = (
        (str(other + 1), lambda now: now.plane == opened.planes[other], "relabelled"),
        ("x", lambda now: now.rejected, "rejected"),
        ("ctrl+z", lambda now: not now.rejected, "taken back"),
        ("ctrl+z", lambda now: now.plane == chosen.plane, "called as before"),
        ("ctrl+y", lambda now: now.plane != chosen.plane, "relabelled again"),
    )
    for key, holds, what in steps:
        user.key(key)
        user.until(partial(so, commands, holds), f"the plane is {what}", 20)
        user.look(what.replace(" ", "-"))
    expect(
        any(plane.plane_id == chosen.plane_id and plane.plane != chosen.plane for plane in planes_in(folder)),
        "the correction is on disk",
    )

    row = next(row for row in window.checklists.review.rows if row.row.status == "missing")
    user.click(row, mouse_button=3)
    user.look("checklist-menu")
    user.choose("Not possible")
    user.until(lambda: isinstance(QApplication.activeModalWidget(), QDialog), "it is asked why")
    user.look("why-not-possible")
    user.press(QApplication.activeModalWidget(), "Gas")
    user.until(lambda: row.row.status_text == "not possible", "the item is not possible")
    user.look("checklist")
    user.until(lambda: page.view.packet is not None, "a frame is shown")
    measure_and_draw(user, window, folder)


def measure_and_draw(user: User, window: MainWindow, folder: Path) -> None:
    """A distance with mouse and keys, a text and an arrow on the picture, and the patient's data."""
    view = window.review_page.view
    across, down = view.width(), view.height()
    user.key("d")
    for x, y in ((0.4, 0.4), (0.6, 0.6)):
        user.click(view, QPoint(round(x * across), round(y * down)))
    user.until(lambda: kept(folder, lambda session: session.measurements()), "the distance is kept", 20)
    user.look("measured")
    user.key("Escape", "shift+t")
    user.click(view, QPoint(round(0.45 * across), round(0.7 * down)))
    user.type("liver")
    user.key("Return")
    user.until(lambda: len(kept(folder, drawn)) == 1, "the text is kept", 20)
    user.key("Escape", "shift+a")
    for x, y in ((0.3, 0.3), (0.45, 0.45)):
        user.click(view, QPoint(round(x * across), round(y * down)))
    user.until(lambda: len(kept(folder, drawn)) == 2, "the arrow is kept", 20)
    user.key("Escape")
    user.look("annotated")
    user.key("ctrl+i")
    user.until(lambda: isinstance(window.dialogs.dialog, ExaminationDialog), "the examination is asked for")
    user.type(PATIENT)
    user.key("Tab")
    user.type("4711")
    user.look("examination")
    user.key("Return")
    user.until(lambda: window.dialogs.dialog is None, "it is kept", 20)
    user.until(lambda: named(folder) == PATIENT, "the patient is in the session", 20)


def kept(folder: Path, what: Callable[[Session], Collection[object]]) -> Collection[object]:
    """What the session on disk holds of something."""
    with Session.open(folder, read_only=True) as session:
        return what(session)


def drawn(session: Session) -> Collection[object]:
    """What is drawn on its frames."""
    return session.annotations.items


def named(folder: Path) -> str:
    """Who was examined."""
    with Session.open(folder, read_only=True) as session:
        return "" if session.examination is None else session.examination.patient_name


def export(user: User, window: MainWindow) -> Path:
    """The session exported; one export is ended by closing its window. Returns the bundle."""
    dialog = open_export(user, window)
    user.look("export")
    user.key("Return")
    user.until(lambda: phase(window) is Phase.RUNNING, "the export runs")
    user.key("alt+F4")
    user.until(lambda: isinstance(QApplication.activeModalWidget(), ClosingQuestion), "it is asked")
    user.look("closing-while-exporting")
    user.press(QApplication.activeModalWidget(), "&Stop it")
    user.until(lambda: window.dialogs.dialog is None, "the export is stopped")
    dialog = open_export(user, window)
    user.look("export-cancelled")
    exports = dialog.page.folder
    expect(not exports.exists() or not list(exports.iterdir()), "nothing of it is left")
    user.key("Return")
    user.until(lambda: phase(window) in (Phase.TEXT, Phase.DONE), "the export runs to its question", 600)
    if phase(window) is Phase.TEXT:
        user.look("text-question")
        user.press(dialog, "Text: black it out")
        user.until(lambda: phase(window) is Phase.DONE, "the export is made", 600)
    user.look("exported")
    (bundle,) = exports.iterdir()
    expect(check_bundle(bundle).ok, "the bundle is whole")
    files = [path for path in bundle.rglob("*") if path.is_file()]
    expect(not any(PATIENT.encode() in path.read_bytes() for path in files), "nobody is named in it")
    expect(any(path.parent.name == "annotated" for path in files), "what was drawn is in it")
    user.press(dialog, "Open report")
    opened = Path(os.environ[OPENED])
    user.until(lambda: opened.is_file() and "report.html" in opened.read_text("utf-8"), "it is opened", 20)
    return bundle


def phase(window: MainWindow) -> Phase | None:
    """Where the export is."""
    control = window.dialogs.exporting
    return None if control is None else control.state.phase


def open_export(user: User, window: MainWindow) -> ExportDialog:
    """The export dialog, ready."""
    user.key("e")
    user.until(lambda: isinstance(window.dialogs.dialog, ExportDialog), "the export dialog opens")
    dialog = window.dialogs.dialog
    assert isinstance(dialog, ExportDialog)
    user.until(lambda: dialog.go.isEnabled() and dialog.picture.pixels is not None, "it is ready")
    return dialog


def send(user: User, window: MainWindow, bundle: Path, server: Storescp) -> None:
    """The export sent to a server that is typed in."""
    user.press(window.dialogs.dialog, "Send to")
    user.until(lambda: isinstance(window.dialogs.dialog, SendDialog), "the send dialog opens")
    dialog = window.dialogs.dialog
    assert isinstance(dialog, SendDialog)
    user.until(dialog.form.isVisible, "a server is asked for")
    for field in ("Archive", "127.0.0.1", str(server.port), "STORESCP"):
        user.type(field)
        user.key("Tab")
    user.look("server")
    user.key("Return")
    user.until(lambda: dialog.servers.count() == 1, "the server is kept")
    user.look("send")
    user.press(dialog, "Send")
    sending = window.dialogs.sending
    user.until(lambda: any(job.finished for job in sending.snapshot.jobs), "all is sent")
    user.look("sent")
    expect(len(server.kept()) == len(list((bundle / "dicom").glob("*.dcm"))), "the server has every object")
    user.key("Escape")
    user.until(lambda: window.dialogs.dialog is None, "the dialog is left")


def find_again(user: User, window: MainWindow, before: tuple[PlaneEntry, ...]) -> None:
    """After a new start: the session, its corrections, the checklist's word, and what was sent."""
    user.until(lambda: session_lines(window), "the session is listed")
    user.look("started-again")
    user.click(session_lines(window)[0])
    user.until(lambda: window.review.open is not None and bool(window.review.snapshot.planes), "it opens")
    user.until(lambda: window.review_page.view.packet is not None, "its first frame is shown")
    expect(window.review.snapshot.planes == before, "every plane is as it was left")
    rows = window.checklists.review.rows
    user.until(lambda: any(row.row.status_text == "not possible" for row in rows), "the word is remembered")
    user.look("review-again")
    user.key("ctrl+e")
    user.until(lambda: isinstance(window.dialogs.dialog, SendDialog), "the send dialog opens")
    user.until(lambda: bool(window.dialogs.sending.snapshot.jobs), "the queue is there")
    (job,) = window.dialogs.sending.snapshot.jobs
    expect(job.counts.keys() == {"sent"}, "what was sent is known as sent")
    user.look("queue-again")
    user.key("Escape")


def session_lines(window: MainWindow) -> list[QPushButton]:
    """The lines of the card of sessions."""
    lines = window.start_page.findChildren(QPushButton, "line")
    return [line for line in lines if line.isVisible() and "planes" in line.text()]


def close(user: User, window: MainWindow) -> None:
    """Close it as a user does."""
    user.key("alt+F4")
    user.until(lambda: not window.isVisible(), "the window closes")


def tell(user: User, home: Path, errors_only: bool) -> None:
    """The whole story, or after the scan only what once went wrong."""

    def start() -> MainWindow:
        settings = Settings(QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat))
        overrides = Overrides(DEFAULT_MODEL, "cpu", home / "SEMC Live", data=home / "data")
        window = MainWindow(settings, overrides)
        window.show()
        user.until(window.isActiveWindow, "the window is there")
        return window

    opener = home / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(_XDG_OPEN, encoding="utf-8")
    opener.chmod(0o755)
    os.environ["PATH"] = f"{opener.parent}{os.pathsep}{os.environ['PATH']}"
    os.environ[OPENED] = str(home / "opened")
    warm_up("cpu")
    window = start()
    fresh(user, window)
    folder = scan(user, window)
    if errors_only:
        errors(user, window, home, folder, start)
        close(user, window)
        return
    review(user, window, folder)
    with storescp(home / "server") as server:
        send(user, window, export(user, window), server)
    before = planes_in(folder)
    close(user, window)
    window = start()
    find_again(user, window, before)
    errors(user, window, home, folder, start)
    close(user, window)
    with Session.open(folder) as session:
        expect(session.verify().ok, "the session proves itself")


def main() -> int:
    """Tell the story. Returns 0 if all of it was as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--errors", action="store_true", help="after the scan only what once went wrong")
    args = parser.parse_args()
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        print(f"This needs more programs: sudo apt-get install {' '.join(missing)}", file=sys.stderr)
        return 2
    args.folder.mkdir(parents=True, exist_ok=True)
    with display() as name, tempfile.TemporaryDirectory() as home:
        os.environ["DISPLAY"] = name
        application = new_application()
        application.setQuitOnLastWindowClosed(False)
        try:
            tell(User(args.folder), Path(home), args.errors)
        except StoryError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            for widget in application.topLevelWidgets():
                if isinstance(widget, MainWindow):
                    widget.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
