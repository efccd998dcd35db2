"""The list of loops: what is analysed next, and what came of it. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.batch.exporting import LoopExports
from app.batch.finding import loops_in, may_be_several
from app.batch.presenter import (
    LOOKING,
    LoopRow,
    LoopsSnapshot,
    State,
    Summary,
    done_row,
    failed_row,
    next_loop,
    progress,
    waiting_row,
    with_loops,
    with_row,
    without,
)
from app.batch.run import GiveWay, LoopRun, Opener, summary_of
from app.tasks import Background, Post, fault_of
from semc_core.errors import ModelFileError, SaveError, SemcError
from semc_core.language import N_, _
from semc_core.session.session import Session

if TYPE_CHECKING:
    from semc_core.export.options import ExportOptions

_NOTHING: Final = N_("There is no video, DICOM file or picture to review; choose another folder.")


class LoopsController:
    """Called by the window's thread; only `close` waits.

    One loop is analysed at a time, in its session, as review does it; so review opens it without analysing it
    again, and one that was analysed before is not analysed again here.

    Attributes:
        snapshot: How the list stands.
        busy: Says why none is to be analysed at the moment, a sentence; or "".
        on_change: The list is another.
        on_wanted: Loops came that were chosen or dropped outside of the list, which is to be shown.
        on_review: A loop, or its session, is to be reviewed, a path.
        give_way: Lets the analysis wait while a person waits in review; called on its threads.
        exports: The exports of what is done.
        on_message: Told that folders are searched, and at the end of the list how it stands, a sentence.
    """

    def __init__(self, open_loop: Opener, post: Post) -> None:
        """Nothing is in the list yet.

        Args:
            open_loop: Opens a loop for its analysis; called on a thread.
            post: See `app.tasks`.
        """
        self._open, self._post = open_loop, post
        self._analyses = Background("loops-analyse", post, others_first=True)
        self._looks = Background("loops-look", post, others_first=True)
        self.exports = LoopExports(post)
        self.exports.on_change = lambda: self.on_change()
        self._run: LoopRun | None = None
        self._review_next: Path | None = None
        self._in_review: Path | None = None
        self._searches = 0
        self._closed = False
        self.snapshot = LoopsSnapshot()
        self.busy: Callable[[], str] = lambda: ""
        self.on_change: Callable[[], object] = lambda: None
        self.on_wanted: Callable[[], object] = lambda: None
        self.on_review: Callable[[str], object] = lambda path: None
        self.give_way: GiveWay = lambda limit_s: None
        self.on_message: Callable[[str], object] = lambda sentence: None

    # What is in the list.

    def take(self, texts: Sequence[str], one: Callable[[str], object]) -> None:
        """Take several loops into the list; what is one is handed to `one`, as ever.

        Args:
            texts: What was chosen or dropped: paths, or an address.
            one: Opens a loop, a session or an address.
        """
        paths = [Path(text) for text in texts]
        if not may_be_several(paths):
            if texts:
                one(texts[0])
            return

        def found(loops: list[Path]) -> None:
            self.on_message("")
            alone = loops in ([], [paths[0].expanduser().absolute()])
            if len(paths) == 1 and alone:
                one(texts[0])
                return
            self._take_in(loops)
            self.on_wanted()

        self._search(paths, found)
        self.on_message(_(LOOKING))

    def add(self, texts: Sequence[str]) -> None:
        """Take these files, and the loops in these folders, into the list."""
        self._search([Path(text) for text in texts], self._take_in)

    def remove(self, path: Path) -> None:
        """Take a loop off the list, unless it is being analysed; its session stays."""
        self._show(without(self.snapshot, path))
        if self._run is not None and self.snapshot.row(self._run.path) is None:
            self._run.ended.set()

    def _search(self, paths: Sequence[Path], then: Callable[[list[Path]], object]) -> None:
        def done(future: Future[list[Path]]) -> None:
            self._searches -= 1
            self._show(replace(self.snapshot, looking=self._searches > 0))
            if error := future.exception():
                self._show(replace(self.snapshot, message=fault_of(error)))
            else:
                then(future.result())

        self._searches += 1
        self._show(replace(self.snapshot, looking=True, message=""))
        self._looks.start(lambda: loops_in(paths), done)

    def _take_in(self, loops: Sequence[Path]) -> None:
        message = "" if loops else _(_NOTHING)
        self._show(replace(with_loops(self.snapshot, loops), message=message))
        self._go_to_next()

    # How it goes on.

    def toggle(self) -> None:
        """Stop, also in the middle of a loop; or go on."""
        stopped = not self.snapshot.stopped
        self._show(replace(self.snapshot, stopped=stopped, message=""))
        self._hold()
        self._go_to_next()

    def stop(self) -> None:
        """Begin no other loop, and hold the one that is being analysed."""
        if not self.snapshot.stopped:
            self.toggle()

    def review(self, path: Path) -> None:
        """Have a loop reviewed; one that could not be read is tried again instead.

        One that is being analysed is let go first: review goes on where it was, and the list waits for that.
        """
        row = self.snapshot.row(path)
        if row is None:
            return
        if row.state is State.FAILED:
            self._show(with_row(self.snapshot, waiting_row(row)))
            self._go_to_next()
        elif self._run is not None and self._run.path == path:
            self._review_next = path
            self._run.ended.set()
            self._show(replace(self.snapshot, message=_("Opening …")))
        else:
            self._hand_over(row)

    def look_again(self) -> None:
        """Read what was found in the loop that was in review last: it may have been corrected."""
        row = self.snapshot.row(self._in_review)
        self._in_review = None
        if row is None or row.summary is None:
            return
        before = row.summary

        def done(future: Future[Summary]) -> None:
            now = self.snapshot.row(row.path)
            if future.exception() is None and now is not None and now.state is State.DONE:
                self._show(with_row(self.snapshot, done_row(now, future.result())))

        self._looks.start(lambda: _read(before), done)

    def export_all(self, folder: Path, options: ExportOptions) -> None:
        """Export every loop that is done into this folder, all with these options."""
        done = [row.summary.session for row in self.snapshot.rows if row.summary is not None]
        self.exports.start(list(dict.fromkeys(done)), folder, options)

    def close(self) -> None:
        """End, and wait for it. What was analysed stays, and is gone on with the next time."""
        self._closed = True
        if self._run is not None:
            self._run.ended.set()
        self.exports.close()
        self._looks.close(forget=True)
        self._analyses.close(forget=True)

    def _hand_over(self, row: LoopRow) -> None:
        self._in_review = row.path
        self.on_review(str(row.path if row.summary is None else row.summary.session))

    def _go_to_next(self) -> None:
        row = next_loop(self.snapshot)
        if row is None or self._run is not None or self._closed:
            return
        run = self._run = LoopRun(row.path, self._open, self.give_way)
        self._hold()

        def told(done: int, total: int, length_s: float | None) -> None:
            self._post(partial(self._told, run, done, total, length_s))

        self._analyses.start(lambda: run.run(told), partial(self._ended, run))

    def _hold(self) -> None:
        """Let the loop that is being analysed wait, or go on."""
        held = self.busy()
        if held != self.snapshot.held:
            self._show(replace(self.snapshot, held=held))
        if self._run is not None:
            wait = self._run.held
            (wait.set if held or self.snapshot.stopped else wait.clear)()

    def _told(self, run: LoopRun, done: int, total: int, length_s: float | None) -> None:
        if run is not self._run:
            return
        self._hold()
        row = self.snapshot.row(run.path)
        if row is not None and run.begun:
            now = replace(row, state=State.ANALYSING, done=done, total=total, length_s=length_s)
            if now != row:
                self._show(with_row(self.snapshot, now))

    def _ended(self, run: LoopRun, future: Future[Summary | None]) -> None:
        self._run = None
        if self._review_next is not None:
            self._show(replace(self.snapshot, message=""))
        row, error = self.snapshot.row(run.path), future.exception()
        if row is None:
            pass  # taken off the list before it was begun
        elif isinstance(error, ModelFileError | SaveError):
            # The same would be said of each loop.
            now = with_row(self.snapshot, waiting_row(row))
            self._show(replace(now, stopped=True, message=fault_of(error)))
        elif error is not None:
            self._show(with_row(self.snapshot, failed_row(row, fault_of(error))))
        elif (summary := future.result()) is not None:
            self._show(with_row(self.snapshot, done_row(row, summary)))
        else:
            self._show(with_row(self.snapshot, waiting_row(row)))
        wanted, self._review_next = self._review_next, None
        row = self.snapshot.row(wanted)
        if row is not None and row.state is not State.FAILED:
            self._hand_over(row)
        self._go_to_next()
        if self._run is None:
            self.on_message(self.snapshot.message or progress(self.snapshot))

    def _show(self, snapshot: LoopsSnapshot) -> None:
        self.snapshot = snapshot
        self.on_change()


def _read(before: Summary) -> Summary:
    """What is in a session now, on a thread.

    Raises:
        SemcError: It cannot be read.
    """
    try:
        with Session.open(before.session, read_only=True) as session:
            return summary_of(session, before.again)
    except (ValueError, OSError) as error:
        raise SemcError(str(error)) from error
