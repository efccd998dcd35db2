"""Getting a study from a server (C-GET, Study Root): its pictures become a folder of files, or nothing does.

What is not of that study, has no UID, or is no picture that is read here is not taken.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from pydicom.dataset import Dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom import build_context, build_role, evt
from pynetdicom.presentation import PresentationContext

from semc_core.errors import PacsError, SemcError, SourceError, UsageError
from semc_core.export.staging import Staging
from semc_core.io.atomic import save_error
from semc_core.language import _, plural
from semc_core.pacs.association import (
    PENDING,
    SUCCESS,
    UNCOMPRESSED,
    VERIFICATION,
    AssociationFault,
    DicomAssociation,
    shut_down,
)
from semc_core.pacs.destinations import Destination
from semc_core.pacs.priors.find import is_uid
from semc_core.pacs.syntaxes import KINDS, SYNTAXES
from semc_core.sources.dicom.content import read_content
from semc_core.sources.dicom.patient import patient_in

GET_ROOT: Final = UID("1.2.840.10008.5.1.4.1.2.2.3")  # Study Root Query/Retrieve, C-GET
MOST_OBJECT_BYTES: Final = 512 * 10**6
"""Of one object: it is held in memory until it is whole."""
MOST_STUDY_BYTES: Final = 8 * 10**9
MOST_OBJECTS: Final = 5000
MOST_RESPONSES: Final = 20_000
"""Of a server that says again and again that it is not done yet."""
ALONE: Final = (
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102",
)  # fmt: skip
"""Codings that scanners use: each has a context of its own, as a study may hold several."""
PASSED_OVER: Final = tuple(
    f"1.2.840.10008.5.1.4.1.1.{number}"
    for number in (
        "88.11", "88.22", "88.33", "88.34", "88.59", "88.67", "104.1", "104.2", "11.1", "11.2", "66", "9.1.3",
    )
)  # fmt: skip
"""Reports, key objects, documents, presentation states: taken, as some servers end where one is refused; not
kept, as nothing here reads them."""
_WARNING: Final = 0xB000
_NOT_ALLOWED: Final = 0x0124
_NO_ROOM: Final = 0xA700
_NOT_IT: Final = 0xA900
_NOT_UNDERSTOOD: Final = 0xC000
Watch = Callable[[int, int], None]
"""Told how many objects have come, and how many are still to come (0 where the server does not say)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came.

    Attributes:
        folder: Where it is.
        study_uid: Of which study.
        objects: How many files.
        bytes: Of all.
        missing: Objects that the server could not send, or that are not taken here.
        passed_over: Reports and other objects that are no pictures, which are not kept.
        notice: What the user should know, a sentence; or "".
    """

    folder: Path
    study_uid: str
    objects: int
    bytes: int
    missing: int
    passed_over: int = 0
    notice: str = ""

    @property
    def whole(self) -> bool:
        """Whether all pictures came that the server has of it."""
        return not self.missing


def fetch_study(
    server: Destination,
    study_uid: str,
    folder: Path,
    *,
    opened: Callable[[socket.socket], None] | None = None,
    watch: Watch = lambda come, left: None,
) -> Fetched:
    """Get a study's pictures into a new folder, for its owner alone.

    A connection that breaks off leaves nothing behind; what the server itself leaves out is told.

    Args:
        server: Which has it.
        study_uid: Its Study Instance UID.
        folder: To be made.
        opened: Told of the connection once there is one: shutting it down ends any wait.
        watch: Told how far it is; must return at once.

    Raises:
        UsageError: That is no UID.
        ExportError: There is something of that name already.
        PacsError: It cannot be got.
        SaveError: It cannot be written.
    """
    check_target(study_uid, folder)
    with Staging(folder) as staging:
        taken = Taken(study_uid, staging.folder, folder.parent)
        with GetAssociation(server, taken, opened) as link:
            missing, notice = link.get(watch)
        if not taken.sizes:
            none = _("{server} has no pictures of that study.", server=server.name)
            raise PacsError(f"{none} {notice}".rstrip())
        try:
            staging.folder.chmod(0o700)
        except OSError as error:
            raise save_error(folder.parent, error) from error
        staging.publish(lambda: None)
    size = sum(taken.sizes.values())
    return Fetched(folder, study_uid, len(taken.sizes), size, missing, taken.passed_over, notice)


def check_target(study_uid: str, folder: Path) -> None:
    """Whether a study of this UID can be got into this folder.

    Raises:
        UsageError: That is no UID, or no name of a folder.
    """
    if not is_uid(study_uid):
        raise UsageError(_("A Study Instance UID has digits and dots alone, 64 at most; see semc pacs find."))
    if folder.suffix.lower() == ".zip":
        raise UsageError(_("A study becomes a folder; give a name without .zip."))


class Taken:
    """Takes objects of one study into a folder.

    Attributes:
        study_uid: Its Study Instance UID.
        sizes: SOP Instance UID -> bytes of its file.
        left_out: Objects that are not of that study, or no whole pictures.
        passed_over: Objects that are no pictures.
        twice: Objects that came again.
        fault: Why no more can be taken.
    """

    def __init__(self, study_uid: str, folder: Path, place: Path) -> None:
        """Take objects of `study_uid`; `place` is how errors call the folder."""
        self.study_uid, self._folder, self._place = study_uid, folder, place
        self.sizes: dict[str, int] = {}
        self.left_out = self.passed_over = self.twice = 0
        self.fault: SemcError | None = None
        self._patient = OnePatient()

    @property
    def any(self) -> bool:
        """Whether the server sent anything."""
        return bool(self.sizes or self.left_out or self.passed_over)

    @property
    def kept_or_told(self) -> int:
        """How many objects came of which nothing is missing."""
        return len(self.sizes) + self.passed_over + self.twice

    def take(self, event: Any) -> int:
        """Answer a C-STORE: with a status."""
        if self.fault is None:
            self._check_bounds()
        if self.fault is not None:
            return _NO_ROOM
        try:
            status = self._take(event)
        except OSError as error:
            self.fault = save_error(self._place, error)
            return _NO_ROOM
        except PacsError as error:
            self.fault = error
            return _NO_ROOM
        except Exception:  # noqa: BLE001 - the boundary of what a server sends; its words quote data sets
            status = _NOT_UNDERSTOOD
        self.left_out += status != SUCCESS
        return status

    def _check_bounds(self) -> None:
        if len(self.sizes) + self.left_out + self.passed_over + self.twice >= MOST_OBJECTS:
            self.fault = PacsError(
                _("The study has more than {most} objects; get it another way.", most=MOST_OBJECTS)
            )
        elif sum(self.sizes.values()) > MOST_STUDY_BYTES:
            gb = MOST_STUDY_BYTES // 10**9
            self.fault = PacsError(_("The study has more than {most} GB; get it another way.", most=gb))

    def _take(self, event: Any) -> int:
        request = event.request
        instance, kind = str(request.AffectedSOPInstanceUID), str(request.AffectedSOPClassUID)
        if kind in PASSED_OVER:
            self.passed_over += 1
            return SUCCESS
        if not is_uid(instance) or kind not in KINDS:
            return _NOT_IT
        if instance in self.sizes:
            self.twice += 1
            return SUCCESS
        meta = event.file_meta
        head = io.BytesIO()
        head.write(b"\0" * 128 + b"DICM")
        write_file_meta_info(head, meta)
        # The name is the UID, digits and dots alone: nothing that was sent names a place.
        path = self._folder / f"{instance}.dcm"
        with path.open("wb") as file:
            file.write(head.getbuffer())
            file.write(cast(io.BytesIO, request.DataSet).getbuffer())
        if not is_of(path, self.study_uid, instance):
            path.unlink()
            return _NOT_IT
        self._patient.check(path)
        self.sizes[instance] = path.stat().st_size
        return SUCCESS


def is_of(path: Path, study_uid: str, instance: str) -> bool:
    """Whether a file is a whole picture, and says itself what it was sent as."""
    try:
        content = read_content(path)
    except SourceError:
        return False
    return (content.study, content.sop_instance) == (study_uid, instance)


class OnePatient:
    """Sees to it that all pictures of a study are of one patient: some machines use a study's UID again."""

    def __init__(self) -> None:
        self._number = ""

    def check(self, path: Path) -> None:
        """Look at one more picture. One that says no number is anybody's.

        Raises:
            PacsError: It is of another patient than those before.
        """
        _name, number = patient_in(path)
        self._number = self._number or number.casefold()
        if number and number.casefold() != self._number:
            raise PacsError(
                "The study holds pictures of several patients, so none is kept; have whoever runs the "
                "archive put that right."
            )


def contexts() -> list[PresentationContext]:
    """What is proposed: of each kind of picture the plain codings, the usual ones alone, and the rest."""
    rest = [each for each in SYNTAXES if each not in ALONE and each not in UNCOMPRESSED]
    found = [build_context(each, list(UNCOMPRESSED)) for each in (GET_ROOT, VERIFICATION)]
    for kind in KINDS:
        found += [build_context(kind, each) for each in (list(UNCOMPRESSED), *([one] for one in ALONE), rest)]
    return [*found, *(build_context(kind, list(UNCOMPRESSED)) for kind in PASSED_OVER)]


class GetAssociation(DicomAssociation):
    """An association over which a server sends a study."""

    def __init__(
        self,
        server: Destination,
        taken: Taken,
        opened: Callable[[socket.socket], None] | None = None,
    ) -> None:
        """Connect.

        Raises:
            AssociationFault: The server cannot be reached, refuses, or hands nothing out so.
        """
        self._taken = taken
        super().__init__(
            server,
            contexts(),
            opened=opened,
            handlers=[(evt.EVT_C_STORE, self._store)],
            roles=[build_role(UID(kind), scp_role=True) for kind in (*KINDS, *PASSED_OVER)],
            most_bytes=MOST_OBJECT_BYTES,
        )
        without = _(
            "{server} answers, but hands out nothing by C-GET; ask who runs it to allow that.",
            server=server.name,
        )
        self._need(GET_ROOT, AssociationFault(without, permanent=True))

    def get(self, watch: Watch) -> tuple[int, str]:
        """Let it send. Returns how many objects are missing, and what the user should know of that.

        Raises:
            PacsError: The connection was lost, an object is too large, or the server answers with a fault.
            SaveError: An object cannot be written.
        """
        self._check_open()
        self._association.dimse_timeout = self._destination.answer_s
        asked = Dataset()
        asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", self._taken.study_uid
        end = Dataset()
        for number, status in enumerate(self._responses(asked)):
            if status.Status not in PENDING:
                end = status
                break
            if number >= MOST_RESPONSES:
                raise PacsError(
                    _(
                        "{server} does not come to an end; try again, or get it another way.",
                        server=self._server,
                    )
                )
            watch(len(self._taken.sizes), int(status.get("NumberOfRemainingSuboperations") or 0))
        if self._taken.fault is not None:
            raise self._taken.fault
        if end.Status not in (SUCCESS, _WARNING) and not self._taken.any:
            raise PacsError(fault(self._server, int(end.Status)))
        return self._missing(end)

    def _responses(self, asked: Dataset) -> Iterator[Dataset]:
        for status, _identifier in self._association.send_c_get(asked, GET_ROOT, self._next_message()):
            if "Status" not in status:
                if self._taken.fault is not None:
                    raise self._taken.fault
                if self._is_endless:
                    most = MOST_OBJECT_BYTES // 10**6
                    raise PacsError(
                        _(
                            "An object of {server} has more than {most} MB; get it another way.",
                            server=self._server,
                            most=most,
                        )
                    )
                raise self._lost()
            yield status

    def _store(self, event: Any) -> int:
        status = self._taken.take(event)
        if self._taken.fault is not None and self._socket is not None:
            # It would go on to send what cannot be taken.
            shut_down(self._socket)
        return status

    def _missing(self, end: Dataset) -> tuple[int, str]:
        """What the server says at its end, against what came."""
        failed = int(end.get("NumberOfFailedSuboperations") or 0)
        sent = int(end.get("NumberOfCompletedSuboperations") or 0) + int(
            end.get("NumberOfWarningSuboperations") or 0
        )
        taken = self._taken
        missing = max(failed, taken.left_out, failed + sent - taken.kept_or_told, 0)
        if end.Status not in (SUCCESS, _WARNING):
            missing = max(missing, 1)
        notices = []
        if taken.passed_over:
            notices.append(
                plural(
                    "{count} object left out: no pictures.",
                    "{count} objects left out: no pictures.",
                    taken.passed_over,
                )
            )
        if missing:
            why = _("of a kind or coding that is not read here")
            if taken.left_out:
                why = _(
                    "{count} of what it sent is not of that study, or cannot be read", count=taken.left_out
                )
            elif end.Status not in (SUCCESS, _WARNING):
                why = _("it broke off with status {status}", status=f"{int(end.Status):04X}")
            whole = plural(
                "Not the whole study: {came} came, and {count} object of {server} did not ({why}).",
                "Not the whole study: {came} came, and {count} objects of {server} did not ({why}).",
                missing,
                came=len(taken.sizes),
                server=self._server,
                why=why,
            )
            notices.insert(0, whole)
        return missing, " ".join(notices)


def fault(name: str, status: int) -> str:
    """What a status of a server means for the user, a sentence."""
    if status == _NOT_ALLOWED:
        return _("{server} does not allow this program to get studies; ask who runs it.", server=name)
    told = {"server": name, "status": f"{status:04X}"}
    if status & 0xFF00 == 0xA700:
        return _("{server} cannot send that study now (status {status}); try again later.", **told)
    if status & 0xFF00 == 0xA900:
        return _("{server} does not know that study (status {status}); look for it again.", **told)
    return _(
        "{server} could not send that study (status {status}); it may not have it: look for it again.", **told
    )
