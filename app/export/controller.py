"""An export on a thread of its own: prepared, made, cancelled; the window never waits. No Qt here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.export.presenter import ExportState, Material, Phase
from app.tasks import Job
from semc_core.errors import ExportCancelled, SemcError
from semc_core.export.ocr import TextReadings
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.io.atomic import save_error
from semc_core.protocols.protocol import Protocol
from semc_core.session.session import Session
from semc_core.types import Crop

_log = logging.getLogger(__name__)

ProtocolFor = Callable[[Collection[str]], Protocol | None]
"""The protocol to follow with a model that knows these planes."""


def no_protocol(model_planes: Collection[str]) -> None:
    """For where none is followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Whose planes are exported.

    Attributes:
        folder: Of the session.
        session: Where it is open for writing already; None opens it for the time that is needed.
    """

    folder: Path
    session: Session | None = None

    @contextmanager
    def looked_at(self) -> Iterator[Session]:
        """The session, to read."""
        if self.session is not None:
            yield self.session
            return
        with Session.open(self.folder, read_only=True) as session:
            yield session

    @contextmanager
    def opened(self) -> Iterator[Session]:
        """The session, to write its log."""
        if self.session is not None:
            yield self.session
            return
        with Session.open(self.folder) as session:
            yield session


class ExportController:
    """Makes one export at a time. Called by one thread; only `close` waits.

    Attributes:
        state: How it stands.
        material: What there is to export, once that is known.
        deidentified: Of the last export.
        bundle_has_dicom: Whether what was exported can be sent.
    """

    def __init__(self, subject: Subject, data: Path, protocol_for: ProtocolFor = no_protocol) -> None:
        """Look at once what there is.

        Args:
            subject: Whose planes.
            data: Where masks and the key of exports are kept.
            protocol_for: Whose checklist goes with it.
        """
        self.subject = subject
        self.state = ExportState(step="Looking")
        self.material: Material | None = None
        self.deidentified = True
        self.bundle_has_dicom = False
        self._data = data
        self._protocol_for = protocol_for
        self._lock = threading.Lock()
        self._progress: tuple[str, int, int] = ("", 0, 0)
        self._cancel = threading.Event()
        self._target = Path()
        self._readings = TextReadings()
        self._looking: Job[Material] | None = Job(self._look, "export-look")
        self._job: Job[ExportResult] | None = None

    def begin(self, target: Path, options: ExportOptions) -> None:
        """Export. Nothing happens while an export is being made."""
        if self._job is not None:
            return
        self._cancel.clear()
        self._progress = ("", 0, 0)
        self.deidentified, self.bundle_has_dicom = options.deidentify, options.dicom
        self.state = ExportState(Phase.RUNNING)
        self._target = target
        self._job = Job(lambda: self._export(target, options), "export")

    def cancel(self) -> None:
        """Make no export; nothing of it stays. `poll` sees it through."""
        self._cancel.set()

    def choose_again(self) -> None:
        """Back to the choices."""
        if self._job is None:
            self.state = ExportState()

    def poll(self) -> None:
        """Take what is new: to be called often. Returns at once."""
        if self._looking is not None and self._looking.done:
            looking, self._looking = self._looking, None
            try:
                self.material = looking.result()
                self.state = ExportState()
            except SemcError as error:
                self.state = ExportState(said=str(error), failed=True)
        if self._job is None:
            return
        if self._job.done:
            job, self._job = self._job, None
            self.state = _after(job, self._target)
        else:
            with self._lock:
                step, done, total = self._progress
            if self._cancel.is_set():
                step, done, total = "Cancelling", 0, 0
            self.state = ExportState(Phase.RUNNING, step, done, total)

    def close(self) -> None:
        """Cancel what is under way, and wait for its end."""
        self._cancel.set()
        if self._looking is not None:
            looking, self._looking = self._looking, None
            _ended(looking)
        if self._job is not None:
            job, self._job = self._job, None
            _ended(job)

    # On other threads.

    def _look(self) -> Material:
        from semc_core.export.masks import MaskBook, device_of

        with self.subject.looked_at() as session:
            planes = session.planes(rejected=True)
            kept = tuple(plane for plane in planes if not plane.rejected)
            source, model = session.source, session.model
            device = device_of(source)
            names = tuple(name for name in model.classes if name != model.none_class)
            return Material(
                folder=session.folder,
                planes=kept,
                rejected=len(planes) - len(kept),
                regions=session.regions(),
                note=session.note,
                loop=_probably_there(session),
                device=device,
                masks=MaskBook(self._data).masks(device),
                protocol=self._protocol_for(names),
            )

    def _export(self, target: Path, options: ExportOptions) -> ExportResult:
        from semc_core.export.bundle import export_session

        if options.deidentify:
            self._remember(options.masks)
        with self.subject.opened() as session:
            return export_session(
                session, target, options, progress=self._told, cancel=self._cancel, data=self._data,
                readings=self._readings,
            )  # fmt: skip

    def _remember(self, masks: Sequence[Crop]) -> None:
        """From now on these hold for the device."""
        from semc_core.export.masks import MaskBook

        material = self.material
        book = MaskBook(self._data)
        if material is not None and tuple(masks) != book.masks(material.device):
            book.remember(material.device, masks)

    def _told(self, step: str, done: int, total: int) -> None:
        with self._lock:
            self._progress = (step, done, total)


def _probably_there(session: Session) -> bool:
    """Whether there is something to cut clips from. The export looks closely: a loop is long to hash."""
    from semc_core.review.loop import recorded_videos

    source = session.source
    try:
        if recorded_videos(session.folder):
            return True
        return source.path is not None and Path(source.path).exists()
    except (SemcError, OSError):
        return True  # Something is there; the export says what is wrong with it.


def _after(job: Job[ExportResult], target: Path) -> ExportState:
    """How it stands after the export to `target`."""
    from semc_core.export.ocr import TextFound

    try:
        return ExportState(Phase.DONE, result=job.result())
    except TextFound as found:
        return ExportState(Phase.TEXT, findings=found.findings)
    except ExportCancelled as cancelled:
        return ExportState(said=str(cancelled))
    except SemcError as error:
        return ExportState(said=str(error), failed=True)
    except OSError as error:
        return ExportState(said=str(save_error(target.parent, error)), failed=True)
    except Exception as error:  # noqa: BLE001 - the boundary of the export's thread
        # The type only: an error may name a file, and a file may be named after a patient.
        _log.error("An export failed: %s", type(error).__name__)
        kind = type(error).__name__
        return ExportState(said=f"A fault ended the export ({kind}); see the log.", failed=True)


def _ended(job: Job[Material] | Job[ExportResult]) -> None:
    """Wait for a job whose result nobody wants any more."""
    try:
        job.result()
    except (SemcError, OSError) as error:
        _log.info("What was under way ended: %s", type(error).__name__)
