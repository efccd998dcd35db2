"""Telling a server which examinations are performed (MPPS): N-CREATE when a scan begins, N-SET at its end.

What is to be told is a file in the user's data folder until the server has confirmed the end: it outlives
the program, and is tried again. Nothing of it is logged.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pynetdicom import build_context
from pynetdicom.status import STATUS_WARNING, code_to_category

from semc_core.errors import SemcError, SessionInUse
from semc_core.export.dicom.images import STILLS
from semc_core.export.dicom.uids import UidMaker, load_key
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault, configured
from semc_core.io.lock import WriterLock
from semc_core.io.private import make_private_folder
from semc_core.io.rules import checked, moment, within
from semc_core.language import _
from semc_core.pacs.association import SUCCESS, UNCOMPRESSED, VERIFICATION, AssociationFault, DicomAssociation
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.session.examination import Examination
from semc_core.text import utc_now

FOLDER_NAME: Final = "mpps"
"""In the user's data folder."""
PERFORMED: Final = "1.2.840.10008.3.1.2.3.3"  # Modality Performed Procedure Step
MOST_ATTEMPTS: Final = 5
"""Answers with a fault after which a server is told no more of a step."""
_DUPLICATE: Final = 0x0111
_UNKNOWN: Final = 0x0112
_FAILURE: Final = 0x0110
_OVER: Final = 0xA710
"""Error ID of a failure: the step has its end already, and takes no other (PS3.4 F.7.2.2)."""


def _is_name(text: str) -> None:
    if len(text) > 128 or not text.replace(".", "").isdecimal():
        raise ValueError("must be a UID")


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class PerformedStep:
    """A scan of an examination that a server is to be told of.

    Attributes:
        uid: SOP Instance UID of the step.
        server: Name of the server.
        session: Folder of the session. Stays on this machine.
        series: Series Instance UID that the pictures have in an identified export.
        study: Their Study Instance UID.
        examination: That is performed.
        began: When, ISO, with the offset from UTC.
        ended: When, or "" while the scan runs.
        completed: Whether planes were kept.
        created: Whether the server knows that it began.
        faults: How often the server answered with a fault.
    """

    uid: Annotated[str, checked(_is_name)]
    server: str
    session: str
    series: str
    study: str
    examination: Examination
    began: Annotated[str, moment()]
    ended: str = ""
    completed: bool = False
    created: bool = False
    faults: Annotated[int, within(0, 1000)] = 0


STEP: Final = Document(PerformedStep)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling servers.

    Attributes:
        waiting: How many steps are still to be told, now or at their ends.
        due: How many of these could be told now.
        message: What went wrong, a sentence; or "".
    """

    waiting: int
    due: int
    message: str = ""


class PerformedSteps:
    """The steps in one folder. From one thread; several programs may use it."""

    def __init__(self, data: Path) -> None:
        """Use the folder in `data` (see `paths.data_folder`); it need not be there."""
        self._data, self._folder = data, data / FOLDER_NAME

    def all(self) -> list[PerformedStep]:
        """In the order of their beginnings; a file that is damaged is passed over."""
        found = []
        for path in self._folder.glob("*.json"):
            with suppress(DocumentFault, OSError):
                found.append(STEP.read(path))
        return sorted(found, key=lambda each: each.began)

    def begin(self, server: str, examination: Examination, session: Path, session_id: str) -> PerformedStep:
        """Keep that a scan began.

        Args:
            server: Which is to be told.
            examination: That is performed.
            session: Folder of the session.
            session_id: Hash of its log's first entry.

        Raises:
            SaveError: It cannot be written.
        """
        uids = UidMaker(load_key(self._data / "export.key"))
        study = examination.study_uid or uids.made("study", f"session {session_id}")
        began = utc_now()
        step = PerformedStep(
            uid=uids.made("performed", session_id, examination.step_id, began),
            server=server,
            session=str(session.resolve()),
            series=uids.made("series", study, "", str(STILLS)),
            study=study,
            examination=examination,
            began=began,
        )
        self._write(step)
        return step

    def end(self, uid: str, *, completed: bool) -> None:
        """Keep that a scan ended: with planes, or without.

        Raises:
            SaveError: It cannot be written.
        """
        for step in self.all():
            if step.uid == uid and not step.ended:
                self._write(replace(step, ended=_end_of(step), completed=completed))

    def end_broken(self) -> None:
        """Steps whose program died are over: nobody writes their sessions.

        Raises:
            SaveError: It cannot be written.
        """
        for step in self.all():
            if not step.ended and _is_over(Path(step.session)):
                self._write(replace(step, ended=_end_of(step)))

    def tell(self, book: DestinationBook, opened: Callable[[socket.socket], None] | None = None) -> Told:
        """Tell each server what it does not know yet.

        Raises:
            PacsError: The list of servers cannot be read.
            SaveError: The folder cannot be written.
        """
        if not self.all():
            return Told(0, 0)
        try:
            lock = WriterLock(self._folder)
        except SessionInUse:
            return Told(len(self.all()), 0)  # Another window tells them.
        try:
            return self._tell({each.name: each for each in book.all()}, opened)
        finally:
            lock.release()

    def _tell(self, servers: dict[str, Destination], opened: Callable[[socket.socket], None] | None) -> Told:
        message, away = "", set()
        for step in self.all():
            if step.created and not step.ended:
                continue
            server = servers.get(step.server)
            if server is None or not server.mpps:
                # Nobody wants to be told any more.
                self._remove(step)
            elif server.name not in away:
                try:
                    message = self._tell_one(server, step, opened) or message
                except AssociationFault as fault:
                    away.add(server.name)
                    message = str(fault)
        left = self.all()
        return Told(len(left), sum(bool(each.ended) or not each.created for each in left), message)

    def _tell_one(
        self, server: Destination, step: PerformedStep, opened: Callable[[socket.socket], None] | None
    ) -> str:
        """Tell what is due of one step. Returns what went wrong. Raises AssociationFault."""
        with PerformedAssociation(server, opened) as link:
            status = SUCCESS if step.created else link.create(step)
            if status in (SUCCESS, _DUPLICATE):
                if not step.created:
                    step = self._changed(step, created=True)
                status = link.end(step) if step.ended else SUCCESS
                if status == _UNKNOWN:
                    # It lost what it was told: from the beginning, the next time.
                    step = self._changed(step, created=False)
                if status == SUCCESS:
                    if step.ended:
                        self._remove(step)
                    return ""
        if step.faults + 1 >= MOST_ATTEMPTS:
            self._remove(step)
            return _(
                "{server} did not take that an examination was performed (status {status}).",
                server=server.name,
                status=f"{status:04X}",
            )
        self._changed(step, faults=step.faults + 1)
        return _(
            "{server} could not take that an examination is performed (status {status}).",
            server=server.name,
            status=f"{status:04X}",
        )

    def _changed(self, step: PerformedStep, **fields: int) -> PerformedStep:
        """Keep this of a step as it stands now: its window may have ended it during the wait for a server."""
        with suppress(DocumentFault, OSError):
            step = STEP.read(self._folder / f"{step.uid}.json")
        step = replace(step, **fields)  # type: ignore[arg-type]
        self._write(step)
        return step

    def _write(self, step: PerformedStep) -> None:
        try:
            make_private_folder(self._folder)
        except OSError as error:
            raise save_error(self._folder, error) from error
        # ASCII: a name may hold half a character that no file can.
        content = json.dumps(asdict(step)).encode()
        write_atomically(self._folder / f"{step.uid}.json", content, private=True)

    def _remove(self, step: PerformedStep) -> None:
        with suppress(OSError):
            (self._folder / f"{step.uid}.json").unlink(missing_ok=True)


class PerformedAssociation(DicomAssociation):
    """An association for telling of steps."""

    def __init__(self, server: Destination, opened: Callable[[socket.socket], None] | None = None) -> None:
        """Connect.

        Raises:
            AssociationFault: The server cannot be reached, refuses, or takes no steps.
        """
        contexts = [build_context(each, list(UNCOMPRESSED)) for each in (PERFORMED, VERIFICATION)]
        super().__init__(server, contexts, opened=opened)
        refused = _(
            "{server} does not take that examinations are performed (MPPS); switch it off there.",
            server=server.name,
        )
        self._need(PERFORMED, AssociationFault(refused))

    def create(self, step: PerformedStep) -> int:
        """N-CREATE. Returns the status, success also for a warning. Raises AssociationFault."""
        dataset = in_progress(step, self._destination.own_title)
        return _taken(self._asked(
            lambda: self._association.send_n_create(dataset, PERFORMED, step.uid, self._next_message())[0]
        ))  # fmt: skip

    def end(self, step: PerformedStep) -> int:
        """N-SET. Returns the status, success also for a warning, and for an end that was told before.

        Raises:
            AssociationFault: The connection was lost.
        """
        dataset, answer = at_end(step), Dataset()

        def send() -> Dataset:
            status, _answer = self._association.send_n_set(dataset, PERFORMED, step.uid, self._next_message())
            answer.update(status)
            return status

        status = _taken(self._asked(send))
        # The answer to what was told before was lost.
        return SUCCESS if status == _FAILURE and answer.get("ErrorID") == _OVER else status


def in_progress(step: PerformedStep, title: str) -> Dataset:
    """What a server is told when a scan begins (PS3.4 F.7.2.1); `title` is the program's AE title."""
    asked, made = step.examination, Dataset()
    with disable_value_validation():
        scheduled = Dataset()
        scheduled.StudyInstanceUID, scheduled.ReferencedStudySequence = step.study, []
        scheduled.AccessionNumber = asked.accession_number
        scheduled.RequestedProcedureID = asked.procedure_id
        scheduled.RequestedProcedureDescription = asked.procedure
        scheduled.ScheduledProcedureStepID = asked.step_id
        scheduled.ScheduledProcedureStepDescription = asked.step
        scheduled.ScheduledProtocolCodeSequence = []
        made.SpecificCharacterSet = "ISO_IR 192"
        made.ScheduledStepAttributesSequence = [scheduled]
        made.PatientName, made.PatientID = asked.patient_name, asked.patient_id
        made.PatientBirthDate, made.PatientSex = asked.birth_date, asked.sex
        made.ReferencedPatientSequence = []
        made.PerformedProcedureStepID = asked.step_id or "SEMC"
        made.PerformedStationAETitle = title
        made.PerformedStationName = made.PerformedLocation = ""
        made.PerformedProcedureStepStartDate, made.PerformedProcedureStepStartTime = _when(step.began)
        made.PerformedProcedureStepStatus = "IN PROGRESS"
        made.PerformedProcedureStepDescription = asked.what
        made.PerformedProcedureTypeDescription = ""
        made.ProcedureCodeSequence = []
        made.PerformedProcedureStepEndDate = made.PerformedProcedureStepEndTime = ""
        made.Modality, made.StudyID = "US", asked.procedure_id
        made.PerformedProtocolCodeSequence, made.PerformedSeriesSequence = [], []
    return made


def at_end(step: PerformedStep) -> Dataset:
    """What a server is told at the end of a scan (PS3.4 F.7.2.2)."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PerformedProcedureStepStatus = "COMPLETED" if step.completed else "DISCONTINUED"
    made.PerformedProcedureStepEndDate, made.PerformedProcedureStepEndTime = _when(step.ended)
    made.PerformedSeriesSequence = [_series(step)]
    return made


def _series(step: PerformedStep) -> Dataset:
    """The series that planes have when they are exported: it must be there, and holds no image yet.

    Which planes become images is decided later, in review, and their UIDs are made when they are exported.
    """
    item = Dataset()
    item.PerformingPhysicianName = item.OperatorsName = ""
    item.ProtocolName, item.SeriesDescription = "SEMC Live", "SEMC Live standard planes"
    item.SeriesInstanceUID, item.RetrieveAETitle = step.series, ""
    item.ReferencedImageSequence, item.ReferencedNonImageCompositeSOPInstanceSequence = [], []
    return item


def _taken(status: int) -> int:
    """A status, success where the server did what it was told and warns of something (PS3.7 C.4)."""
    return SUCCESS if code_to_category(status) == STATUS_WARNING else status


def _end_of(step: PerformedStep) -> str:
    """Now, but not before the beginning, where somebody set the clock back."""
    return max(utc_now(), step.began, key=datetime.fromisoformat)


def _when(moment: str) -> tuple[str, str]:
    """Date and time of this machine's place."""
    local = datetime.fromisoformat(moment).astimezone()
    return local.strftime("%Y%m%d"), local.strftime("%H%M%S")


def _is_over(session: Path) -> bool:
    """Whether nobody writes this session any more."""
    try:
        WriterLock(session).release()
    except SessionInUse:
        return False
    except SemcError:
        return True  # The folder is gone, or cannot be written to.
    return True
