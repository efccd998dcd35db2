"""Finding earlier studies and getting one, while the window is open. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from app.priors.presenter import Phase, PriorsSnapshot, Wanted, whose
from app.tasks import Background, Cuttable, Post, fault_of
from semc_core.pacs.destinations import DestinationBook, Server

if TYPE_CHECKING:
    from semc_core.pacs.priors.find import Studies, Study
    from semc_core.pacs.priors.get import Fetched
    from semc_core.pacs.priors.pictures import StudyPicture

FOLDER_NAME: Final = "Earlier studies"
"""Where they are put, beside what is saved."""


class PriorsMemory(Protocol):
    """Remembers which server was asked last."""

    priors_server: str


class PriorsController:
    """Called by the window's thread; only `close` waits.

    Attributes:
        snapshot: How it stands.
        on_change: It is another.
    """

    def __init__(self, data: Path, output: Callable[[], Path], post: Post, memory: PriorsMemory) -> None:
        """Nothing is asked yet.

        Args:
            data: The user's data folder.
            output: Where what is saved goes.
            post: See `app.tasks`.
            memory: Remembers the server.
        """
        self._data, self._output, self._post, self._memory = data, output, post, memory
        self._asks = Background("priors", post)
        self._question = Cuttable()
        self.snapshot = PriorsSnapshot()
        self.on_change: Callable[[], None] = lambda: None

    def look(self) -> None:
        """Look for the servers; what was found before is forgotten."""
        number = self._question.begin()
        self._show(PriorsSnapshot())
        book = DestinationBook(self._data)
        self._asks.start(book.every, partial(self._found_servers, number))

    def find(self, server: str, wanted: Wanted) -> None:
        """Ask a server for studies. What was asked before is cut."""
        chosen = self._server(server)
        if chosen is None:
            return
        number = self._question.begin()
        self._memory.priors_server = server
        self._show(
            replace(self.snapshot, phase="asking", server=server, wanted=wanted, studies=(), message="")
        )
        self._asks.start(lambda: self._find(chosen, wanted, number), partial(self._answered, number))

    def get(self, study: Study) -> None:
        """Get a study from the server that was asked."""
        server = self._server(self.snapshot.server)
        if server is None:
            return
        number = self._question.begin()
        self._show(replace(self.snapshot, phase="getting", done=0, left=0, message=""))
        self._asks.start(lambda: self._get(server, study, number), partial(self._got, number))

    def back(self) -> None:
        """To what was found; a study that is being got is got no longer, and nothing is left of it."""
        self._question.begin()
        phase: Phase = "found" if self.snapshot.wanted is not None and self.snapshot.studies else "ready"
        self._show(replace(self.snapshot, phase=phase, pictures=(), folder=None, message=""))

    def cancel(self) -> None:
        """Ask no longer: a connection that is open is cut. What was found is forgotten."""
        self._question.begin()
        self.snapshot = PriorsSnapshot()

    def close(self) -> None:
        """End, and wait for it."""
        self.cancel()
        self._asks.close(forget=True)

    def _server(self, name: str) -> Server | None:
        return next((each for each in self.snapshot.servers if each.name == name), None)

    def _found_servers(self, number: int, future: Future[tuple[Server, ...]]) -> None:
        if not self._question.is_last(number):
            return
        if (error := future.exception()) is not None:
            self._show(PriorsSnapshot("failed", message=fault_of(error)))
            return
        servers = future.result()
        names = [each.name for each in servers]
        last = self._memory.priors_server
        server = last if last in names else next(iter(names), "")
        self._show(PriorsSnapshot("ready" if servers else "no server", servers, server))

    def _find(self, server: Server, wanted: Wanted, number: int) -> Studies:
        """On a thread of its own."""
        from semc_core.pacs.priors.find import ULTRASOUND, StudyQuestion
        from semc_core.pacs.studies import find_on

        question = StudyQuestion(
            wanted.patient_id, wanted.name, accession=wanted.accession,
            modality="" if wanted.any_kind else ULTRASOUND,
        )  # fmt: skip
        try:
            return find_on(server, self._data, question, opened=partial(self._question.opened, number))
        finally:
            self._question.answered(number)

    def _answered(self, number: int, future: Future[Studies]) -> None:
        if not self._question.is_last(number):
            return
        if (error := future.exception()) is not None:
            self._show(replace(self.snapshot, phase="failed", message=fault_of(error)))
            return
        found = future.result()
        self._show(replace(self.snapshot, phase="found", studies=found.rows, message=found.notice))

    def _get(self, server: Server, study: Study, number: int) -> tuple[Fetched, tuple[StudyPicture, ...]]:
        """On a thread of its own."""
        from semc_core.pacs.priors.pictures import pictures_of
        from semc_core.pacs.studies import get_from

        def watch(done: int, left: int) -> None:
            self._post(partial(self._came, number, done, left))

        uid = study.study_uid
        folder = _free(self._output() / FOLDER_NAME, uid)
        try:
            opened = partial(self._question.opened, number)
            fetched = get_from(server, self._data, uid, folder, opened=opened, watch=watch)
        finally:
            self._question.answered(number)
        pictures = pictures_of(fetched.folder)
        doubt = whose(study, next((each for each in map(_number_in, pictures) if each), ""))
        return replace(fetched, notice=f"{doubt} {fetched.notice}".strip()), pictures

    def _came(self, number: int, done: int, left: int) -> None:
        if self._question.is_last(number) and self.snapshot.phase == "getting":
            self._show(replace(self.snapshot, done=done, left=left))

    def _got(self, number: int, future: Future[tuple[Fetched, tuple[StudyPicture, ...]]]) -> None:
        if not self._question.is_last(number):
            return
        if (error := future.exception()) is not None:
            self._show(replace(self.snapshot, phase="found", message=fault_of(error)))
            return
        fetched, pictures = future.result()
        self._show(
            replace(
                self.snapshot, phase="got", folder=fetched.folder, pictures=pictures, message=fetched.notice
            )
        )

    def _show(self, snapshot: PriorsSnapshot) -> None:
        self.snapshot = snapshot
        self.on_change()


def _number_in(picture: StudyPicture) -> str:
    """The patient's, as the file says it."""
    from semc_core.sources.dicom.patient import patient_in

    return patient_in(picture.path)[1]


def _free(place: Path, study: str) -> Path:
    """A folder that is not there yet: a study may have grown since it was got before."""
    found, number = place / study, 1
    while found.exists():
        number += 1
        found = place / f"{study} ({number})"
    return found
