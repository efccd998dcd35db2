"""The worklist while the window is open, and the examination of the scan. No Qt here.

An examination is for one scan: the next one begins without, so that no scan gets the patient before.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from app.scan_options import ScanOptions
from app.tasks import Background, Cuttable, Post, fault_of
from app.worklist.presenter import WorklistSnapshot, examination_line, reassigning
from app.worklist.steps import StepReporter
from semc_core.language import N_, _
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase
from semc_core.session.examination import Examination, is_same_patient
from semc_core.session.session import Session
from semc_core.session.whose import set_examination

if TYPE_CHECKING:
    from semc_core.pacs.worklist import Worklist

_OVER: Final = (Phase.ENDED, Phase.STOPPED, Phase.FAULT)
YESTERDAY: Final = N_(
    "The examination that was chosen yesterday is no longer that of the next scan; choose again."
)
_UNWRITTEN: Final = N_("The examination was not written into the session: the scan ended before.")


class WorklistMemory(Protocol):
    """Remembers which server was asked last."""

    worklist_server: str


class WorklistController:
    """Called by the window's thread; only `close` waits.

    Attributes:
        snapshot: How the worklist stands.
        next: The examination of the next scan.
        current: That of the scan that runs, or ran last.
        last: The one that was chosen last.
        steps: Tells servers when a scan of an examination begins and ends.
        on_change: Something of this is another.
        on_message: Told what went wrong, a sentence.
    """

    def __init__(self, data: Path, post: Post, memory: WorklistMemory) -> None:
        """Nothing is asked yet; `data` is the user's data folder."""
        self._data, self._memory = data, memory
        self._asks = Background("worklist", post)
        self._writes = Background("examination", post)
        self._question = Cuttable()
        self._pipeline: LivePipeline[Session] | None = None
        self._unwritten = self._writing = self._running = self._begun = False
        self._written_one: Examination | None = None
        self._chosen_on = date.today()
        self._told: Examination | None = None
        self.steps = StepReporter(data, post)
        self.snapshot = WorklistSnapshot()
        self.next: Examination | None = None
        self.current: Examination | None = None
        self.last: Examination | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.on_message: Callable[[str], None] = lambda sentence: None

    # The worklist.

    def ask(self, server: str = "", *, any_day: bool = False) -> None:
        """Ask a server; "" for the one that was asked last, or the first. What was asked before is cut."""
        number, wanted = self._question.begin(), server or self._memory.worklist_server
        if server:
            self._memory.worklist_server = server
        self._show(replace(self.snapshot, phase="looking", rows=(), message=""))
        book = DestinationBook(self._data)
        self._asks.start(book.all, lambda future: self._found_servers(future, number, wanted, any_day))

    def cancel(self) -> None:
        """Ask no longer: a connection that is open is cut."""
        self._question.begin()

    def close(self) -> None:
        """End, and wait for it."""
        self.cancel()
        self._asks.close(forget=True)
        self._writes.close()
        self._end_step()
        self.steps.close()

    def _found_servers(
        self, future: Future[tuple[Destination, ...]], number: int, wanted: str, any_day: bool
    ) -> None:
        if not self._question.is_last(number):
            return
        if (error := future.exception()) is not None:
            self._show(WorklistSnapshot("failed", message=fault_of(error)))
            return
        servers = future.result()
        if not servers:
            self._show(WorklistSnapshot("no server"))
            return
        server = next((each for each in servers if each.name == wanted), servers[0])
        self._show(WorklistSnapshot("asking", servers, server.name, any_day))
        self._asks.start(
            lambda: self._ask(server, number, any_day), lambda future: self._answered(future, number)
        )

    def _ask(self, server: Destination, number: int, any_day: bool) -> Worklist:
        """On a thread of its own."""
        from semc_core.pacs.worklist import WorklistQuestion, ask_worklist

        question = WorklistQuestion(None if any_day else date.today())
        try:
            return ask_worklist(server, question, opened=partial(self._question.opened, number))
        finally:
            self._question.answered(number)

    def _answered(self, future: Future[Worklist], number: int) -> None:
        if not self._question.is_last(number):
            return
        if (error := future.exception()) is not None:
            self._show(replace(self.snapshot, phase="failed", message=fault_of(error)))
            return
        found = future.result()
        self._show(replace(self.snapshot, phase="shown", rows=found.rows, message=found.notice))

    def _show(self, snapshot: WorklistSnapshot) -> None:
        self.snapshot = snapshot
        self.on_change()

    # The examination of a scan.

    @property
    def running(self) -> bool:
        """Whether what is chosen now is for the scan that runs; else it is for the next one."""
        return self._running

    @property
    def of_scan(self) -> Examination | None:
        """The examination of that scan."""
        return self.current if self._running else self.next

    def question(self, examination: Examination) -> str:
        """What is to be answered before this is chosen, a sentence; or ""."""
        saved = self._pipeline.statistics().planes_saved if self._running and self._pipeline else 0
        return reassigning(self.of_scan, examination, saved)

    def choose(self, examination: Examination | None) -> None:
        """Take this for the scan that runs, else for the next one; None for none. See `question` before."""
        self.tick()  # A scan that ended just now is not the one that runs.
        self.last, self._chosen_on = examination or self.last, date.today()
        if self._running:
            self.current, self._unwritten = examination, True
            self.tick()
        else:
            self.next = examination
        self.on_change()

    @property
    def pipeline(self) -> LivePipeline[Session] | None:
        """The scan that runs, or ran last."""
        return self._pipeline

    def choose_for(self, pipeline: LivePipeline[Session], examination: Examination | None) -> None:
        """Take this for that scan, also where it ended meanwhile: then its session is opened once more."""
        self.tick()
        if pipeline is not self._pipeline:
            self.on_message(_(_UNWRITTEN))
        elif self._running or pipeline.session is None:
            self.choose(examination)
        else:
            self.last, self.current = examination or self.last, examination
            folder = pipeline.session.folder
            self._writes.start(
                lambda: _write_closed(folder, examination), lambda future: self._written(future, examination)
            )
            self.on_change()

    def forget(self, examination: Examination | None) -> None:
        """Know nothing of this patient any more."""
        if examination is None:
            return

        def others(kept: Examination | None) -> Examination | None:
            same = kept and is_same_patient(kept.patient_name, kept.patient_id, examination)
            return None if same else kept

        self.next, self.current, self.last = others(self.next), others(self.current), others(self.last)

    def attached(self, options: ScanOptions) -> ScanOptions:
        """What a scan is to be begun with: its examination is in it, and is no longer that of the next."""
        examination, self.next = self.next, None
        return replace(options, examination=examination)

    def begin_scan(self, pipeline: LivePipeline[Session], options: ScanOptions) -> None:
        """A scan begins."""
        self._end_step()
        self._pipeline, self.current, self._written_one = pipeline, options.examination, options.examination
        self._unwritten, self._running, self._begun = False, True, False

    def line(self, page_is_live: bool) -> str:
        """What the window says of the examination: of the scan on its page, else of the next one."""
        used = self.last is not None
        if page_is_live and self._pipeline is not None:
            return examination_line(self.current, "this scan", used=used)
        return examination_line(self.next, "the next scan", used=used)

    def tick(self) -> None:
        """Write what was chosen during a scan as soon as there is a session: to be called often."""
        self.steps.tick()
        if self.next is not None and self._chosen_on != date.today():
            self.next = None
            self.on_message(_(YESTERDAY))
        pipeline = self._pipeline
        if pipeline is None or not self._running:
            return
        session = pipeline.session
        self._begun = self._begun or session is not None
        if session is not None and not self._writing:
            self._write(session)
        if pipeline.state.phase in _OVER and not self._writing:
            self._running = False
            self._end_step()
            if not self._begun:
                # Nothing was scanned: the examination is still to come.
                self.next = self.next or self.current
            elif self._unwritten:
                self.on_message(_(_UNWRITTEN))
            self.on_change()

    def _write(self, session: Session) -> None:
        """Write what was chosen; a server is told of nothing else."""
        examination = self.current
        if self._unwritten:
            self._unwritten, self._writing = False, True
            self._writes.start(
                lambda: set_examination(session, examination),
                lambda future: self._written(future, examination),
            )
        elif _requested(examination) != _requested(self._told):
            self._tell_step(session)

    def _tell_step(self, session: Session) -> None:
        """Another examination is scanned: that of before is over, without what follows."""
        self._end_step()
        self._told = self.current
        if self.current is not None:
            self.steps.begin(self.current, session.folder, session.id, self._memory.worklist_server)

    def _end_step(self) -> None:
        told, self._told = self._told, None
        if told is not None and self._pipeline is not None:
            same = _requested(self.current) == _requested(told)
            self.steps.end(completed=same and bool(self._pipeline.statistics().planes_saved))

    def _written(self, future: Future[None], examination: Examination | None) -> None:
        self._writing = False
        if (error := future.exception()) is None:
            self._written_one = examination
            return
        if not self._unwritten:
            # What is shown is what the session holds.
            self.current = self._written_one
        said = _("The examination was not written into the session.")
        self.on_message(f"{said} {fault_of(error)}")
        self.on_change()


def _requested(examination: Examination | None) -> Examination | None:
    """What a server is told of: it is not another step where another operator is typed."""
    return None if examination is None else examination.requested


def _write_closed(folder: Path, examination: Examination | None) -> None:
    """Into the session of a scan that ended. On a thread of its own."""
    with Session.open(folder) as session:
        set_examination(session, examination)
