"""Reading all sessions piece by piece, and deleting one, while the window is open. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.keys import first_key
from app.sessions.presenter import SessionRow, SessionsSnapshot, newest_first, refusal, size_text
from app.tasks import Background, Post, fault_of
from semc_core.errors import SemcError, SessionInUse
from semc_core.io.regular import is_folder
from semc_core.language import N_, _
from semc_core.paths import log_folder
from semc_core.session.session import Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ShowPicture = Callable[[NDArray[np.uint8] | None], object]

PIECE: Final = 20
"""So many sessions are shown at once: the first soon, and the window is not kept busy with each."""
_WAITS: Final = N_(
    "It stays: something of it waits to be sent, or its server has not yet said that it keeps it; look under "
    "Sending ({key})."
)
_REVIEWED: Final = N_("It stays: it is open in review. Review another session first.")
_SCANNED: Final = N_("It stays: its scan is still shown in this window. Begin another scan first.")


class SessionsController:
    """Called by the window's thread; only `close` waits.

    Attributes:
        snapshot: How the list stands.
        on_change: It is another.
        on_deleted: A session is gone.
        on_message: Told why one could not be deleted, a sentence: the dialog may be closed by then.
        scanned: Gives the folder of the session that the live page shows, or None; for any thread.
    """

    def __init__(
        self,
        data: Path,
        output: Callable[[], Path],
        post: Post,
        reviewed: Callable[[], Session | None],
        queueing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing is read yet.

        Args:
            data: The user's data folder, with the sending queue.
            output: Gives the folder that holds the sessions.
            post: See `app.tasks`.
            reviewed: The session that is open in review; for any thread.
            queueing: Whether an export is just being put into the sending queue; for any thread.
        """
        self._data, self._output, self._post = data, output, post
        self._reviewed, self._queueing = reviewed, queueing
        self._reads = Background("sessions-read", post, others_first=True)
        self._pictures = Background("sessions-picture", post)
        self._deletes = Background("sessions-delete", post)
        self._number = 0
        self._looked_at: SessionRow | None = None
        self._picture: Future[NDArray[np.uint8] | None] | None = None
        self.snapshot = SessionsSnapshot()
        self.on_change: Callable[[], None] = lambda: None
        self.on_deleted: Callable[[], object] = lambda: None
        self.on_message: Callable[[str], object] = lambda sentence: None
        self.scanned: Callable[[], Path | None] = lambda: None

    def look(self) -> None:
        """List the sessions anew."""
        self._number += 1
        number, root = self._number, self._output()
        self._show(SessionsSnapshot(deleting=self.snapshot.deleting))
        self._reads.start(lambda: self._read(number, root), partial(self._end, number))

    def look_at(self, row: SessionRow | None, show: ShowPicture) -> None:
        """Fetch the picture of this line, and `show` it, or None; what was asked for before is left out."""
        if row is self._looked_at and row is not None:
            return
        self._looked_at = row
        if self._picture is not None:
            self._picture.cancel()
        show(None)
        if row is None or row.picture is None:
            return

        def done(future: Future[NDArray[np.uint8] | None]) -> None:
            if self._looked_at is row:
                show(future.result())

        self._picture = self._pictures.start(lambda: _picture_of(row), done)

    def refusal(self, row: SessionRow) -> str:
        """Why a session is not deleted, and what to do, as far as this window knows; else ""."""
        return self._shown_here(lambda other: other == row.folder) or refusal(row)

    def delete(self, row: SessionRow) -> None:
        """Delete a session for good, unless it is open or waits to be sent; one at a time."""
        if self.snapshot.deleting is None:
            self._show(replace(self.snapshot, deleting=row.folder, message=_("Deleting …")))
            self._deletes.start(lambda: self._delete(row.folder), partial(self._deleted, row))

    def say(self, sentence: str) -> None:
        """Let the user know this."""
        self._show(replace(self.snapshot, message=sentence))

    def cancel(self) -> None:
        """Read no further, and forget what was read."""
        self._number += 1
        self._looked_at = None
        self.snapshot = SessionsSnapshot(deleting=self.snapshot.deleting)

    def close(self) -> None:
        """End, and wait for it: a session that is being deleted goes whole."""
        self.cancel()
        self._reads.close(forget=True)
        self._pictures.close(forget=True)
        self._deletes.close()

    def _read(self, number: int, root: Path) -> None:
        """On a thread of its own."""
        from app.sessions.reading import RowReader
        from semc_core.session.listing import folders_by_change

        folders, reader = folders_by_change(root), RowReader()
        for start in range(0, len(folders), PIECE):
            rows = []
            for folder in folders[start : start + PIECE]:
                if number != self._number:
                    return
                rows.append(reader.read(folder))
            found = tuple(row for row in rows if row is not None)
            self._post(partial(self._came, number, found, len(folders)))

    def _came(self, number: int, rows: tuple[SessionRow, ...], total: int) -> None:
        if number == self._number:
            rows = newest_first((*self.snapshot.rows, *rows))
            self._show(replace(self.snapshot, rows=rows, total=total))

    def _end(self, number: int, future: Future[None]) -> None:
        if number == self._number:
            error = future.exception()
            message = self.snapshot.message if error is None else fault_of(error)
            self._show(replace(self.snapshot, reading=False, message=message))

    def _delete(self, folder: Path) -> str:
        """On a thread of its own. Returns a sentence where the session went, but not all of it; else ""."""
        from semc_core.pacs.queue import sessions_that_wait
        from semc_core.session.erasing.retention import delete_one

        place = folder.resolve()
        if why := self._shown_here(lambda other: other.resolve() == place):
            raise SessionInUse(why)
        if self._queueing() or place in sessions_that_wait(self._data):
            raise SessionInUse(_(_WAITS, key=first_key("sending")))
        try:
            delete_one(folder, log_folder())
        except SemcError as error:
            if is_folder(folder):
                raise
            return str(error)
        return ""

    def _shown_here(self, is_it: Callable[[Path], bool]) -> str:
        """Why one is not deleted that a page of this window shows; "" for others. For any thread."""
        scanned, reviewed = self.scanned(), self._reviewed()
        if scanned is not None and is_it(scanned):
            return _(_SCANNED)
        return _(_REVIEWED) if reviewed is not None and is_it(reviewed.folder) else ""

    def _deleted(self, row: SessionRow, future: Future[str]) -> None:
        error = future.exception()
        if error is not None:
            why = fault_of(error)
            self._show(replace(self.snapshot, deleting=None, message=why))
            self.on_message(why)
            return
        rows = tuple(each for each in self.snapshot.rows if each.folder != row.folder)
        deleted = _("The session is deleted, which frees {size}.", size=size_text(row.size))
        message = future.result() or deleted
        self._show(replace(self.snapshot, rows=rows, deleting=None, message=message))
        self.on_deleted()

    def _show(self, snapshot: SessionsSnapshot) -> None:
        self.snapshot = snapshot
        self.on_change()


def _picture_of(row: SessionRow) -> NDArray[np.uint8] | None:
    from app.sessions.reading import picture_of

    return picture_of(row)
