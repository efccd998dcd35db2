"""What once went wrong in the window, tried by keys on a real display: see `tests/app/drive_window.py`.

Each step says what must hold; what does not ends the story.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.commands import START
from app.export.dialog import ExportDialog
from app.main_window import MainWindow
from tests.app.conftest import speckle, write_video
from tests.app.user_at_display import User, expect

NOWHERE: Final = Path("/proc/nowhere")
"""No folder can be made there, by whoever runs this."""


def title_of_list(window: MainWindow) -> str:
    """Of the checklist beside the scan."""
    view = window.checklists.live.view
    return "" if view is None else view.title


def fresh(user: User, window: MainWindow) -> None:
    """Where nothing was ever opened there is nothing to start."""
    user.until(lambda: not window.actions_by_name["start_stop"].isEnabled(), "Start is dim")
    user.key("s")
    expect(window.page_name == START, "its key does nothing")


def maximised(user: User, window: MainWindow) -> None:
    """Full screen and back: the window is where it was, and on the screen."""
    window.showMaximized()
    user.until(window.isMaximized, "the window is maximised")
    user.look("maximised")
    before = window.geometry()
    user.key("f")
    user.until(window.isFullScreen, "it fills the screen")
    user.key("f")
    user.until(lambda: not window.isFullScreen(), "it does so no more")
    user.until(lambda: window.isMaximized() and window.geometry() == before, "it is as it was", 10)
    expect(window.screen().geometry().contains(window.geometry()), "it is on the screen")
    user.look("maximised-again")
    window.showNormal()
    user.until(lambda: not window.isMaximized(), "it has its own size again")


def unreadable(user: User, window: MainWindow, damaged: Path) -> None:
    """What is missing and what is damaged: said, and the program goes on."""
    for path, name in ((damaged.with_name("gone.mp4"), "gone"), (damaged, "damaged")):
        window.open_source(str(path))
        user.until(lambda: window.banner.shown is not None, f"the {name} file is told of", 30)
        user.look(f"error-{name}")
        said = "" if window.banner.shown is None else window.banner.shown.text
        expect(said.endswith("."), "it is a sentence")
        user.key("n")
        user.until(lambda: window.page_name == START, "one comes back to the sources")


def stream_gone(user: User, window: MainWindow) -> None:
    """A stream whose sender is gone: said, and one comes back to the sources."""
    window.open_source("tcp://127.0.0.1:9")
    user.until(lambda: window.banner.shown is not None, "the sender that is gone is told of", 60)
    user.look("error-stream")
    said = "" if window.banner.shown is None else window.banner.shown.text
    expect(said.endswith("."), "it is a sentence")
    user.key("n")
    user.until(lambda: window.page_name == START, "one comes back to the sources")


def nowhere_to_write(user: User, window: MainWindow, loop: Path) -> None:
    """A scan into a folder that takes nothing: said, and the next one has its folder again."""
    before = window.choices.output
    window.choices.use_output(str(NOWHERE))
    window.open_source(str(loop))
    user.until(lambda: window.banner.shown is not None, "the folder that takes nothing is told of", 60)
    user.look("error-folder")
    window.choices.use_output(str(before))
    user.key("n")
    user.until(lambda: window.page_name == START, "one comes back to the sources")


def export_refused(user: User, window: MainWindow, session: Path) -> None:
    """An export to where nothing can be written: said, nothing is left, and the choices stay."""
    window.open_review(str(session))
    user.until(lambda: window.review_page.view.packet is not None, "the session is in review")
    user.key("e")
    user.until(lambda: isinstance(window.dialogs.dialog, ExportDialog), "the export dialog opens")
    dialog = window.dialogs.dialog
    assert isinstance(dialog, ExportDialog)
    user.until(dialog.go.isEnabled, "it is ready")
    folder = dialog.page.folder
    dialog.page.show_folder(NOWHERE)
    user.key("Return")
    user.until(lambda: bool(dialog.message), "it is said", 120)
    user.look("error-export")
    expect(dialog.message.endswith("."), "it is a sentence")
    dialog.page.show_folder(folder)
    user.key("Escape")
    user.until(lambda: window.dialogs.dialog is None, "the dialog goes")


def played_and_reviewed(user: User, window: MainWindow, loop: Path, damaged: Path) -> None:
    """A file that was played live is reviewed with its pictures, which stay beside a damaged one."""
    page = window.live_page
    window.open_source(str(loop))
    user.until(lambda: page.result is not None and page.session_folder is not None, "it is played")
    user.key("s")
    user.until(lambda: window.scan.over, "the scan is over")
    user.until(window.actions_by_name["review"].isEnabled, "it can be reviewed")
    user.key("v")
    user.until(lambda: window.review.open is not None, "it opens")
    user.until(lambda: window.review_page.view.packet is not None, "its pictures are there")
    user.look("played-in-review")
    before = window.review.open
    window.open_review(str(damaged))
    user.until(lambda: window.banner.shown is not None, "the damaged file is told of", 30)
    expect(window.review.open is before, "the review stays open")
    user.until(lambda: window.review_page.view.packet is not None, "its picture is shown again")
    user.look("damaged-over-review")


def another_frame(user: User, window: MainWindow, session: Path) -> None:
    """A key that would rename a plane that is not shown asks first."""
    window.open_review(str(session))
    user.until(lambda: window.review_page.view.packet is not None, "the session is in review")
    commands = window.review_page.commands
    assert commands is not None
    before = window.review.snapshot.planes
    user.key("Home", "Down", "End")
    user.until(lambda: commands.playhead.index == commands.playhead.count - 1, "the last frame is shown")
    user.key("2")
    user.until(lambda: "The keys act on" in window.status.text, "it is said what the keys act on", 20)
    user.look("key-asks")
    expect(window.review.snapshot.planes == before, "nothing is renamed")


def another_window(user: User, window: MainWindow, new_window: Callable[[], MainWindow]) -> None:
    """What another window chooses leaves the scan of this one as it is."""
    before = title_of_list(window)
    expect(before, "the scan has a checklist")
    other = new_window()
    other.start_page.protocol_chosen.emit("adult-echo")
    user.look("other-window")
    expect(title_of_list(window) == before, "the checklist of the scan stays")
    expect(window.choices.protocol != "adult-echo", "and the protocol of the next one, too")
    other.start_page.protocol_chosen.emit("auto")
    other.close()
    window.activateWindow()
    user.until(window.isActiveWindow, "the first window is in front again")


def found_something(user: User, window: MainWindow) -> None:
    """A scan that saved a plane, and is over."""
    window.open_source("simulated:2007")
    user.until(lambda: bool(window.live_page.saved), "a plane is saved", 120)
    user.key("s")
    user.until(lambda: window.scan.over, "the scan is over")


def same_examination(user: User, window: MainWindow) -> None:
    """A second scan of what found something: asked once, and its planes stay by one key."""
    before = len(window.live_page.kept.counted)
    window.open_source("simulated:2007")
    user.until(lambda: window.live_page.result is not None, "the first frame is classified")
    if before:
        user.until(lambda: "examination before" in window.live_page.strip.asked[0], "it is asked", 20)
        user.look("same-examination")
        user.key("ctrl+g")
        user.until(lambda: len(window.live_page.kept.counted) >= before, "the planes stay", 20)
        expect(not window.live_page.strip.asked[0], "it is asked once")
        user.look("goes-on")
    user.key("s")
    user.until(lambda: window.scan.over, "the scan is over")


def errors(
    user: User, window: MainWindow, home: Path, session: Path, new_window: Callable[[], MainWindow]
) -> None:
    """All of them; `session` is a scan that found planes, and `new_window` opens another window."""
    damaged = home / "damaged.mp4"
    damaged.write_bytes(b"ftyp" * 500)
    loop = write_video(home / "loop.mkv", speckle(200))
    if window.live_page.session_folder is None:
        found_something(user, window)
    another_window(user, window, new_window)
    same_examination(user, window)
    maximised(user, window)
    unreadable(user, window, damaged)
    stream_gone(user, window)
    nowhere_to_write(user, window, loop)
    played_and_reviewed(user, window, loop, damaged)
    another_frame(user, window, session)
    export_refused(user, window, session)
    user.key("n")
    user.until(lambda: window.page_name == START, "one comes back to the sources")
