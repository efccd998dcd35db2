"""The window's story with a real mouse and keyboard: `python tests/app/drive_window.py FOLDER`.

Not a test of the suite: it takes minutes. On a display of its own (Xvfb, with openbox as window manager) a
simulated scan is made, reviewed, exported and sent to a server, and found again after a new start. xdotool
moves the pointer and presses the keys. Each step is checked against the files that it leaves, and a picture
of the screen goes to `FOLDER`/NN-name.png, to be looked at.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

os.environ["QT_QPA_PLATFORM"] = "xcb"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, QObject, QPoint, QSettings, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QMenu,
    QPushButton,
    QSpinBox,
    QWidget,
)

from app.application import new_application
from app.export.dialog import ExportDialog
from app.export.presenter import Phase
from app.main_window import MainWindow
from app.review.commands import ReviewCommands
from app.scan_options import Overrides
from app.send.dialog import SendDialog
from app.settings import Settings
from app.warm_up import warm_up
from semc_core.errors import SemcError
from semc_core.export.manifest import check_bundle
from semc_core.paths import DEFAULT_MODEL
from semc_core.session.records import PlaneEntry
from semc_core.session.session import Session
from tests.pacs.servers import Storescp, storescp

PROGRAMS: Final = {"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool", "storescp": "dcmtk"}
"""What is needed, and the Debian package that has it."""
SCREEN: Final = "1440x900x24"


class StoryError(SemcError):
    """The window did not do what was expected."""


def turn(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def button(within: QObject | None, text: str) -> QAbstractButton:
    """The button on screen that begins with this text."""
    for each in [] if within is None else within.findChildren(QAbstractButton):
        if each.isVisible() and each.text().startswith(text):
            return each
    raise StoryError(f"There is no button {text!r} on screen.")


class User:
    """Sees the screen, moves the mouse, presses keys, and waits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pictures = 0

    def key(self, *names: str) -> None:
        """Press keys, one after the other, as X calls them."""
        for name in names:
            self._xdotool("key", "--clearmodifiers", name)
            turn(0.2)

    def type(self, text: str) -> None:
        """Type this where the keys go."""
        self._xdotool("type", "--delay", "20", text)
        turn(0.2)

    def click(self, on: QWidget, at: QPoint | None = None, mouse_button: int = 1) -> None:
        """Click on a widget, in its middle unless told where; what lies over it is an error."""
        where = on.mapToGlobal(at or on.rect().center())
        hit = QApplication.widgetAt(where)
        if hit is None or (hit is not on and not on.isAncestorOf(hit)):
            raise StoryError(f"A click on {on.accessibleName() or type(on).__name__} would hit {hit}.")
        self._xdotool("mousemove", str(where.x()), str(where.y()))
        turn(0.15)
        self._xdotool("click", str(mouse_button))
        turn(0.25)

    def press(self, within: QObject | None, text: str) -> None:
        """Click on the button with this text, which works."""
        wanted = button(within, text)
        self.until(wanted.isEnabled, f"the button {text!r} works", 20)
        self.click(wanted)

    def choose(self, text: str) -> None:
        """Click on an entry of the menu that is open."""
        menu = QApplication.activePopupWidget()
        if not isinstance(menu, QMenu):
            raise StoryError(f"No menu is open to choose {text!r} from.")
        wanted = next(action for action in menu.actions() if action.text().startswith(text))
        self.click(menu, menu.actionGeometry(wanted).center())

    def until(self, holds: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait until something holds."""
        end_s = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end_s:
                self.look("not-so")
                raise StoryError(f"Not so within {seconds:.0f} s: {what}.")
            turn(0.05)

    def look(self, name: str) -> None:
        """Write what is on the screen."""
        turn(0.4)
        self._pictures += 1
        path = self._folder / f"{self._pictures:02d}-{name}.png"
        QApplication.primaryScreen().grabWindow(0).save(str(path))
        print(path, flush=True)

    def _xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True)


def so(commands: ReviewCommands, holds: Callable[[PlaneEntry], bool]) -> bool:
    """Whether this holds of the chosen plane."""
    return commands.chosen is not None and holds(commands.chosen)


def expect(holds: object, what: str) -> None:
    """Something that must be so now."""
    if not holds:
        raise StoryError(f"Not so: {what}.")


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


def export(user: User, window: MainWindow) -> Path:
    """The session exported; one export is ended by closing its window. Returns the bundle."""
    dialog = open_export(user, window)
    user.look("export")
    user.key("Return")
    user.until(lambda: phase(window) is Phase.RUNNING, "the export runs")
    user.key("alt+F4")
    user.until(lambda: phase(window) is Phase.CHOOSING, "the export is cancelled")
    user.look("export-cancelled")
    exports = dialog.page.folder
    expect(not exports.exists() or not list(exports.iterdir()), "nothing of it is left")
    user.key("Return")
    user.until(lambda: phase(window) in (Phase.TEXT, Phase.DONE), "the export runs to its question", 600)
    if phase(window) is Phase.TEXT:
        user.look("text-question")
        user.press(dialog, "Mask the text")
        user.until(lambda: phase(window) is Phase.DONE, "the export is made", 600)
    user.look("exported")
    (bundle,) = exports.iterdir()
    expect(check_bundle(bundle).ok, "the bundle is whole")
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


def tell(user: User, home: Path) -> None:
    """The whole story."""

    def start() -> MainWindow:
        settings = Settings(QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat))
        overrides = Overrides(DEFAULT_MODEL, "cpu", home / "SEMC Live", data=home / "data")
        window = MainWindow(settings, overrides)
        window.show()
        user.until(window.isActiveWindow, "the window is there")
        return window

    warm_up("cpu")
    window = start()
    folder = scan(user, window)
    review(user, window, folder)
    with storescp(home / "server") as server:
        send(user, window, export(user, window), server)
    before = planes_in(folder)
    close(user, window)
    window = start()
    find_again(user, window, before)
    close(user, window)
    with Session.open(folder) as session:
        expect(session.verify().ok, "the session proves itself")


@contextmanager
def display() -> Iterator[str]:
    """A display of its own, with a window manager. Gives its name."""
    reading, writing = os.pipe()
    # It ends with its last client, which is this program: Qt holds on to its display to the end.
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp", "-terminate"]
    subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as said:
        name = f":{said.readline().strip()}"
    with subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": name}) as manager:
        try:
            yield name
        finally:
            manager.terminate()


def main() -> int:
    """Tell the story. Returns 0 if all of it was as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
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
            tell(User(args.folder), Path(home))
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
