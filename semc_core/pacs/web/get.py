"""Getting a study from a DICOMweb service (WADO-RS): its pictures become a folder of files, or nothing does.

Objects come one by one, as they are stored there, and go to the disk while they come. The library would hold
each in memory twice, and encode it anew.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import IO, Final

import requests

from semc_core.errors import PacsError
from semc_core.export.staging import Staging
from semc_core.io.atomic import save_error
from semc_core.language import _, plural
from semc_core.pacs.destinations import WebDestination
from semc_core.pacs.priors.get import (
    MOST_OBJECT_BYTES,
    MOST_OBJECTS,
    MOST_STUDY_BYTES,
    PASSED_OVER,
    Fetched,
    OnePatient,
    Watch,
    check_target,
    is_of,
)
from semc_core.pacs.store_status import SLOWEST_BYTES_PER_S
from semc_core.pacs.syntaxes import KINDS
from semc_core.pacs.web.find import Held, objects_of
from semc_core.pacs.web.service import LONGEST_ANSWERS, WebService
from semc_core.pacs.web_secret import WebSecret

_MULTIPART: Final = "multipart/related"
_ONE: Final = "application/dicom"
_ACCEPT: Final = f'{_MULTIPART}; type="{_ONE}"; transfer-syntax=*'
_ACCEPT_PLAIN: Final = f'{_MULTIPART}; type="{_ONE}"'
_NOT_ACCEPTABLE: Final = 406
_LONGEST_HEAD: Final = 16_384
_LONGEST_BOUNDARY: Final = 200


def fetch_study(
    server: WebDestination,
    secret: WebSecret,
    study_uid: str,
    folder: Path,
    *,
    opened: Callable[[socket.socket], None] | None = None,
    watch: Watch = lambda come, left: None,
) -> Fetched:
    """Get a study's pictures into a new folder, for its owner alone.

    A connection that breaks off leaves nothing behind; what the service itself leaves out is told.

    Args:
        server: Which has it.
        secret: Proves who asks.
        study_uid: Its Study Instance UID.
        folder: To be made.
        opened: Told of each connection: shutting it down ends any wait.
        watch: Told how far it is; must return at once.

    Raises:
        UsageError: That is no UID, or no name of a folder.
        ExportError: There is something of that name already.
        PacsError: It cannot be got.
        SaveError: It cannot be written.
    """
    check_target(study_uid, folder)
    with Staging(folder) as staging, WebService(server, secret, opened=opened) as service:
        held, odd = objects_of(service, study_uid, MOST_OBJECTS)
        pictures = [each for each in held if each.sop_class in KINDS]
        passed_over = sum(each.sop_class in PASSED_OVER for each in held)
        missing = odd + len(held) - len(pictures) - passed_over
        size = come = 0
        patient = OnePatient()
        for number, each in enumerate(pictures):
            watch(come, len(pictures) - number)
            got = _fetched(service, study_uid, each, staging.folder, MOST_STUDY_BYTES - size, folder.parent)
            if got:
                patient.check(staging.folder / f"{each.sop_instance}.dcm")
            size, come, missing = size + got, come + (got > 0), missing + (got == 0)
        if not come:
            raise PacsError(_("{server} has no pictures of that study that can be got.", server=server.name))
        try:
            staging.folder.chmod(0o700)
        except OSError as error:
            raise save_error(folder.parent, error) from error
        staging.publish(lambda: None)
    notice = ""
    if missing:
        notice = plural(
            "Not the whole study: {came} came, and {count} object of {server} did not or cannot be read.",
            "Not the whole study: {came} came, and {count} objects of {server} did not or cannot be read.",
            missing,
            came=come,
            server=server.name,
        )
    return Fetched(folder, study_uid, come, size, missing, passed_over, notice)


def _fetched(service: WebService, study_uid: str, one: Held, folder: Path, most: int, place: Path) -> int:
    """Bytes of the object's file, named by its UID; 0 where the service has none that can be read."""
    if most <= 0:
        raise PacsError(
            _("The study has more than {most} GB; get it another way.", most=MOST_STUDY_BYTES // 10**9)
        )
    # Digits and dots alone: nothing that was sent names a place.
    path = folder / f"{one.sop_instance}.dcm"
    try:
        with path.open("wb") as file:
            there = _write(service, study_uid, one, file, min(most, MOST_OBJECT_BYTES), place)
        if there and is_of(path, study_uid, one.sop_instance):
            return path.stat().st_size
        path.unlink()
        return 0
    except OSError as error:
        raise save_error(place, error) from error


def _write(service: WebService, study_uid: str, one: Held, file: IO[bytes], most: int, place: Path) -> bool:
    """Write the object as it comes. Returns whether the service had it."""
    path = f"/studies/{study_uid}/series/{one.series}/instances/{one.sop_instance}"
    with service.asking(LONGEST_ANSWERS * service.answer_s) as patience:
        answer = service.send("GET", path, headers={"Accept": _ACCEPT})
        if answer.status_code == _NOT_ACCEPTABLE:
            answer.close()
            answer = service.send("GET", path, headers={"Accept": _ACCEPT_PLAIN})
        with answer:
            if answer.status_code != 200:
                fault = service.fault_of(answer)
                if fault is not None and answer.status_code not in (404, 410):
                    raise fault
                return False
            for piece in _content(answer, service.chunks(answer, most + _LONGEST_HEAD)):
                patience.lengthen(len(piece) / SLOWEST_BYTES_PER_S)
                try:
                    file.write(piece)
                except OSError as error:
                    # Not the connection's.
                    raise save_error(place, error) from error
    return True


def _content(answer: requests.Response, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The object in an answer. Raises ValueError where there is none, or more than one."""
    about = Message()
    about["Content-Type"] = answer.headers.get("Content-Type", "")
    if about.get_content_type() == _ONE:
        return chunks  # against the standard, and common
    boundary = str(about.get_param("boundary", "")).encode("ascii", "strict")
    if about.get_content_type() != _MULTIPART or not 1 <= len(boundary) <= _LONGEST_BOUNDARY:
        raise ValueError("no object")
    return one_part(chunks, boundary)


def one_part(chunks: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """The content of a message that has one part, piece by piece.

    Args:
        chunks: The message.
        boundary: Between its parts.

    Raises:
        ValueError: It is no such message, has several parts, or ends too early.
    """
    begin, end = b"--" + boundary + b"\r\n", b"\r\n--" + boundary
    held = b""
    while b"\r\n\r\n" not in held:
        if len(held) > _LONGEST_HEAD:
            raise ValueError("no part")
        held += _next(chunks)
    head, _end, held = held.partition(b"\r\n\r\n")
    if begin not in head + b"\r\n":
        raise ValueError("no part")
    while (at := held.find(end)) < 0:
        # What may be the beginning of the end is kept back.
        whole = max(0, len(held) - len(end) + 1)
        yield held[:whole]
        held = held[whole:] + _next(chunks)
    yield held[:at]
    held = held[at + len(end) :]
    while len(held) < 2:
        held += _next(chunks)
    if not held.startswith(b"--"):
        raise ValueError("several parts")
    # What follows is nothing, and read so that the connection can be used again.
    for _chunk in chunks:
        continue


def _next(chunks: Iterator[bytes]) -> bytes:
    chunk = next(chunks, b"")
    if not chunk:
        raise ValueError("the message ends too early")
    return chunk
