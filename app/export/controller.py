"""An export on a thread of its own: prepared, made, cancelled; the window never waits. No Qt here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.export.presenter import ExportState, Material, Phase, proof_line
from app.tasks import Background, Post
from semc_core.errors import ExportCancelled, SemcError, SessionChanged
from semc_core.export.ocr import TextReadings
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.io.atomic import save_error
from semc_core.language import N_, _
from semc_core.protocols.protocol import Protocol
from semc_core.session.records import Verification
from semc_core.session.session import Session
from semc_core.types import Crop

_log = logging.getLogger(__name__)

ReadingsFor = Callable[[str], TextReadings]
"""What was read in the pictures of the session of this id, and said of it."""

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
    """Makes one export at a time. Called by the window's thread; only `close` waits, which any may call.

    Attributes:
        material: What there is to export, once that is known.
        proof: How the session stands, a sentence.
        doubtful: Whether that is not as it was written, or could not be found out.
        deidentified: Of the last export.
        bundle_has_dicom: Whether what was exported can be sent.
        on_change: The state or the material is another.
    """

    def __init__(
        self,
        subject: Subject,
        data: Path,
        post: Post,
        protocol_for: ProtocolFor = no_protocol,
        readings_for: ReadingsFor | None = None,
    ) -> None:
        """Look at once what there is.

        Args:
            subject: Whose planes.
            data: Where masks and the key of exports are kept.
            post: See `app.tasks`.
            protocol_for: Whose checklist goes with it.
            readings_for: What was read ahead; None takes what is kept among `data`.
        """
        self.subject = subject
        self.material: Material | None = None
        self.proof, self.doubtful = proof_line(None), False
        self.deidentified = True
        self.bundle_has_dicom = False
        self.on_change: Callable[[], None] = lambda: None
        self._data = data
        self._protocol_for = protocol_for
        self._state = ExportState(step=N_("Looking"))
        self._progress: tuple[str, int, int] = ("", 0, 0)
        self._cancel = threading.Event()
        self._readings_for = readings_for
        self._work = Background("export", post)
        self._work.start(self._look, self._looked)
        # Every file is read, which an export that is begun meanwhile does not wait for.
        self._proving = Background("export-proof", post, others_first=True)
        self._proving.start(self._verify, self._verified)

    @property
    def state(self) -> ExportState:
        """How it stands."""
        if not self.running:
            return self._state
        step, done, total = (N_("Cancelling"), 0, 0) if self._cancel.is_set() else self._progress
        return ExportState(Phase.RUNNING, step, done, total)

    def begin(self, target: Path, options: ExportOptions) -> None:
        """Export. Nothing happens while an export is being made."""
        if self.running:
            return
        self._cancel.clear()
        self._progress = ("", 0, 0)
        self.deidentified, self.bundle_has_dicom = options.deidentify, options.dicom
        self._become(ExportState(Phase.RUNNING))
        self._work.start(
            lambda: self._export(target, options), lambda future: self._become(_after(future, target))
        )

    def cancel(self) -> None:
        """Make no export; nothing of it stays. It ends as soon as it can."""
        self._cancel.set()
        self.on_change()

    def choose_again(self) -> None:
        """Back to the choices."""
        if not self.running:
            self._become(ExportState())

    def ask(self) -> None:
        """Show the planes that were left out until somebody answers; nothing where none was."""
        result = self._state.result
        if result is not None and result.held:
            self._become(ExportState(Phase.TEXT, findings=result.held, result=result))

    def ask_later(self) -> None:
        """Back to what was exported; the planes stay out of it."""
        if self._state.phase is Phase.TEXT:
            self._become(ExportState(Phase.DONE, result=self._state.result))

    def close(self) -> None:
        """Cancel what is under way, and wait for its end."""
        self._cancel.set()
        self._work.close()
        self._proving.close(forget=True)

    @property
    def running(self) -> bool:
        """Whether an export is being made."""
        return self._state.phase is Phase.RUNNING

    def _become(self, state: ExportState) -> None:
        self._state = state
        self.on_change()

    def _looked(self, future: Future[Material]) -> None:
        try:
            self.material = future.result()
        except SemcError as error:
            self._become(ExportState(message=str(error), failed=True))
        else:
            self._become(ExportState())

    def _verified(self, future: Future[Verification]) -> None:
        try:
            found = future.result()
        except SemcError as error:
            self.proof, self.doubtful = str(error), True
        else:
            self.proof, self.doubtful = proof_line(found), not found.ok
        self.on_change()

    # On other threads.

    def _verify(self) -> Verification:
        with self.subject.looked_at() as session:
            return session.verify()

    def _look(self) -> Material:
        from semc_core.export.identified import session_names_patient
        from semc_core.export.masks import MaskBook, device_of

        others, others_planes = _others(self.subject.folder)
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
                names_patient=session_names_patient(session),
                day=datetime.fromisoformat(session.created_utc).astimezone().date().isoformat(),
                others=others,
                others_planes=others_planes,
            )

    def _export(self, target: Path, options: ExportOptions) -> ExportResult:
        from semc_core.export.bundle import export_session

        if options.deidentify:
            self._remember(options.masks)
        if options.examination:
            return self._export_examination(target, options)
        with self.subject.opened() as session:
            readings = None if self._readings_for is None else self._readings_for(session.id)
            return export_session(
                session, target, options, progress=self._note, cancel=self._cancel, data=self._data,
                readings=readings,
            )  # fmt: skip

    def _export_examination(self, target: Path, options: ExportOptions) -> ExportResult:
        from semc_core.export.examination import export_examination
        from semc_core.session.same_examination import scans_of_examination

        with ExitStack() as opened:
            sessions = []
            for folder in scans_of_examination(self.subject.folder):
                own = folder == self.subject.folder
                subject = self.subject if own else Subject(folder)
                sessions.append(opened.enter_context(subject.opened()))
            return export_examination(
                sessions, target, options, progress=self._note, cancel=self._cancel, data=self._data,
                readings_for=self._readings_for,
            )  # fmt: skip

    def _remember(self, masks: Sequence[Crop]) -> None:
        """From now on these hold for the device."""
        from semc_core.export.masks import MaskBook

        material = self.material
        book = MaskBook(self._data)
        if material is not None and tuple(masks) != book.masks(material.device):
            book.remember(material.device, masks)

    def _note(self, step: str, done: int, total: int) -> None:
        self._progress = (step, done, total)


def _others(folder: Path) -> tuple[tuple[Path, ...], int]:
    """The other scans of the examination, and how many planes they have."""
    from semc_core.session.same_examination import scans_of_examination

    others, count = [], 0
    for other in scans_of_examination(folder):
        if other != folder:
            with Session.open(other, read_only=True) as session:
                count += len(session.planes())
            others.append(other)
    return tuple(others), count


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


def _after(future: Future[ExportResult], target: Path) -> ExportState:
    """How it stands after the export to `target`."""
    try:
        return ExportState(Phase.DONE, result=future.result())
    except SessionChanged as changed:
        message = _("{problem} Export it anyway only if you know why.", problem=changed)
        return ExportState(message=message, failed=True, changed=True)
    except ExportCancelled as cancelled:
        return ExportState(message=str(cancelled))
    except SemcError as error:
        return ExportState(message=str(error), failed=True)
    except OSError as error:
        return ExportState(message=str(save_error(target.parent, error)), failed=True)
    except Exception as error:  # noqa: BLE001 - the boundary of the export's thread
        # The type only: an error may name a file, and a file may be named after a patient.
        _log.error("An export failed: %s", type(error).__name__)
        kind = type(error).__name__
        message = _("A fault ended the export ({kind}); see the log.", kind=kind)
        return ExportState(message=message, failed=True)
