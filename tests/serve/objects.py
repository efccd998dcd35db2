"""What is sent to the service, and a service to send it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)
from pynetdicom import AE
from pynetdicom.association import Association

from semc_core.serve.inbox import Inbox
from semc_core.serve.intake import Intake
from semc_core.serve.receiver import Receiver
from semc_core.serve.settings import Limits, Sender, ServerTls, ServeSettings
from semc_core.sources.dicom.content import Content, read_content
from tests.pacs.servers import HOST, SECRET

TITLE = "SEMC_LIVE"
SCANNER = "SCANNER"


def loop(frames: int = 3, *, number: int = 1, **elements: Any) -> Dataset:
    """A small ultrasound of a patient named in it; `elements` replace what its header says."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    kind = UltrasoundImageStorage if frames == 1 else UltrasoundMultiFrameImageStorage
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = kind
    data.SOPInstanceUID = generate_uid(entropy_srcs=["loop", str(number), str(frames)])
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID = generate_uid(entropy_srcs=["study", str(number)])
    data.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(number)])
    data.PatientName, data.PatientID = SECRET, "4711"
    data.PatientBirthDate = data.PatientSex = data.StudyID = data.AccessionNumber = ""
    data.ReferringPhysicianName = data.StudyTime = ""
    data.StudyDate = data.ContentDate = "20260314"
    data.Modality, data.StationName = "US", "ROOM 1"
    pixels = np.random.default_rng(number).integers(0, 256, (frames, 24, 32), np.uint8)
    data.NumberOfFrames, data.Rows, data.Columns = pixels.shape
    if frames > 1:
        data.FrameTime, data.FrameIncrementPointer = "50", 0x00181063
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def until(is_so: Callable[[], bool]) -> None:
    """Look now and then; the service says to nobody when it is done."""
    pause = threading.Event()
    for _ in range(600):
        if is_so():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come to that")


def save(path: Path, data: Dataset) -> Path:
    """The object as a file."""
    data.save_as(path, enforce_file_format=True)
    return path


def content_of(path: Path, data: Dataset) -> Content:
    """What the service reads in the object."""
    return read_content(save(path, data))


def settings_of(folder: Path, *, limits: Limits | None = None, **given: Any) -> ServeSettings:
    """Of a service for this machine, at any free port."""
    usual: dict[str, Any] = {
        "format": "semc-live-serve", "version": 1, "folder": str(folder), "port": 0,
        "senders": (Sender(SCANNER, ("127.0.0.0/8",)),), "limits": limits or Limits(least_free_mb=0),
    }  # fmt: skip
    return ServeSettings(**{**usual, **given})


@contextmanager
def receiving(
    folder: Path, *, limits: Limits | None = None, tls: ServerTls | None = None, **intake: Any
) -> Iterator[tuple[Receiver, Inbox]]:
    """A service that receives and does nothing else."""
    settings = settings_of(folder, limits=limits, tls=tls)
    inbox = Inbox(folder)
    inbox.hold()
    receiver = Receiver(settings, Intake(inbox, settings.limits.least_free_mb, **intake), inbox.incoming)
    try:
        yield receiver, inbox
    finally:
        receiver.close()
        inbox.close()


@contextmanager
def sending(
    port: int,
    kinds: Sequence[str] = (UltrasoundImageStorage, UltrasoundMultiFrameImageStorage),
    *,
    syntaxes: Sequence[UID] = (ExplicitVRLittleEndian,),
    title: str = SCANNER,
    called: str = TITLE,
) -> Iterator[Association]:
    """An association of a scanner; it may be refused."""
    entity = AE(title)
    for kind in kinds:
        entity.add_requested_context(kind, list(syntaxes))
    entity.add_requested_context("1.2.840.10008.1.1")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 200
    association = entity.associate(HOST, port, ae_title=called)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def store(port: int, *objects: Dataset | Path, **how: Any) -> list[int]:
    """Send objects, or files as they are, over one association; the status of each."""
    with sending(port, **how) as association:
        assert association.is_established
        return [int(association.send_c_store(one).Status) for one in objects]
