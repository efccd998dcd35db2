"""Earlier studies of servers that send what no server should: damage, no end, another patient."""

from __future__ import annotations

import io
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_GET
from pynetdicom.dsutils import encode

from semc_core.errors import PacsError
from semc_core.pacs.association import FIND_ROOT, AssociationFault
from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.priors import get as getting
from semc_core.pacs.priors.find import StudyQuestion, find_studies, study_of
from semc_core.pacs.priors.get import GET_ROOT, Taken, fetch_study
from semc_core.pacs.priors.pictures import pictures_of
from semc_core.pacs.worklist import row_of
from tests.pacs.archives import STUDY, Answers, giving, handing_out, held, study_row
from tests.pacs.servers import objects

NESTED = b"\x20\x00\x0d\x00SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
OF_HER = StudyQuestion("4711")


def piece(content: bytes, about: int) -> bytes:
    """A piece of a message; `about` says whether it is of its command, and the last."""
    body = struct.pack(">LBB", len(content) + 2, 1, about) + content
    return struct.pack(">BBL", 4, 0, len(body)) + body


def send(event: evt.Event, content: bytes) -> None:
    """Past the network library."""
    cast(Any, event.assoc.dul.socket).send(content)


def taken_of(folder: Path, content: bytes, syntax: str = ExplicitVRLittleEndian) -> Taken:
    """What is made of an object that a server sent."""
    found = Taken(STUDY, folder, folder)
    kind, instance = held(1)[0].SOPClassUID, f"{STUDY}.1"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, instance
    meta.TransferSyntaxUID = syntax
    request = SimpleNamespace(
        AffectedSOPInstanceUID=instance, AffectedSOPClassUID=kind, DataSet=io.BytesIO(content)
    )
    found.take(SimpleNamespace(request=request, file_meta=meta))
    return found


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def an_object() -> bytes:
    """A still without its file's head."""
    return encode(held(1)[0], False, True) or b""


@pytest.mark.parametrize(
    ("content", "syntax"),
    [
        (an_object()[:-200], ExplicitVRLittleEndian),
        (an_object()[:300], ExplicitVRLittleEndian),
        (NESTED, ExplicitVRLittleEndian),
        (b"\x08\x00\x05\x00CS\x04\x00ABCD\x20\x00\x0d\x00UI\xff\xff", ExplicitVRLittleEndian),
        (b"\x07rubbish" * 20, DeflatedExplicitVRLittleEndian),
        (deflated(an_object() + bytes(80_000_000)), DeflatedExplicitVRLittleEndian),
    ],
    ids=["cut in its picture", "cut before it", "nested", "no charset", "not deflated", "a bomb"],
)  # fmt: skip
def test_a_damaged_object_is_left_out_and_the_rest_goes_on(
    content: bytes, syntax: str, tmp_path: Path
) -> None:
    found = taken_of(tmp_path, content, syntax)
    assert (found.left_out, found.sizes, found.fault) == (1, {}, None)
    assert not list(tmp_path.iterdir())


def test_a_whole_object_is_taken_deflated_too(tmp_path: Path) -> None:
    for syntax, content in (
        (ExplicitVRLittleEndian, an_object()),
        (DeflatedExplicitVRLittleEndian, deflated(an_object())),
    ):
        assert len(taken_of(tmp_path, content, syntax).sizes) == 1
        (picture,) = pictures_of(tmp_path)
        assert (picture.columns, picture.rows) == (33, 21)


def test_pictures_of_several_patients_are_no_study(tmp_path: Path) -> None:
    first, second, third = held(3)
    del second.PatientID
    third.PatientID = "4712"
    with handing_out(get=giving([first, second])) as archive:
        assert fetch_study(archive, STUDY, tmp_path / "prior").objects == 2
    with (
        handing_out(get=giving([first, second, third])) as archive,
        pytest.raises(PacsError, match="several patients") as said,
    ):
        fetch_study(archive, STUDY, tmp_path / "mixed")
    assert "4711" not in str(said.value)
    assert [path.name for path in tmp_path.iterdir()] == ["prior"]


def test_objects_that_come_again_are_not_missing_but_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = held(1)[0]
    with handing_out(get=giving([one] * 3)) as archive:
        fetched = fetch_study(archive, STUDY, tmp_path / "prior")
        assert (fetched.objects, fetched.missing, fetched.notice) == (1, 0, "")
        monkeypatch.setattr(getting, "MOST_OBJECTS", 2)
        with pytest.raises(PacsError, match="more than 2 objects"):
            fetch_study(archive, STUDY, tmp_path / "endless")


def test_a_server_that_is_never_done_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getting, "MOST_RESPONSES", 5)

    def get(event: evt.Event) -> Iterator[Any]:
        yield 1
        for _ in range(10):
            response = C_GET()
            response.MessageIDBeingRespondedTo = event.request.MessageID
            response.AffectedSOPClassUID, response.Status = GET_ROOT, 0xFF00
            event.assoc.dimse.send_msg(response, event.context.context_id)
        yield 0xFF00, held(1)[0]

    with handing_out(get=get) as archive, pytest.raises(PacsError, match="does not come to an end"):
        fetch_study(archive, STUDY, tmp_path / "prior")
    assert not list(tmp_path.iterdir())


def test_a_message_that_drips_is_ended_after_a_while(tmp_path: Path) -> None:
    over = threading.Event()
    sent: list[int] = []

    def get(event: evt.Event) -> Iterator[Any]:
        yield 1
        while len(sent) < 100 and not over.wait(0.2):
            sent.append(1)
            send(event, piece(b"\0", 1))
        yield 0xFF00, held(1)[0]

    with handing_out(get=get, answer_s=1) as archive:
        try:
            with pytest.raises(AssociationFault, match="gave no answer in time"):
                fetch_study(archive, STUDY, tmp_path / "prior")
            assert len(sent) < 50
        finally:
            over.set()


def test_an_answer_that_is_far_too_large_is_not_read() -> None:
    def answers(_: Dataset) -> Answers:
        row = study_row()
        row.add_new(0x00091010, "UN", bytes(6_000_000))
        yield 0xFF00, row
        yield 0, None

    with (
        handing_out(answers, answer_s=3) as archive,
        pytest.raises(AssociationFault, match="more than 4 MB"),
    ):
        find_studies(archive, OF_HER)


def test_a_message_that_is_none_ends_the_association_and_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    events: list[evt.Event] = []

    def answers(_: Dataset) -> Answers:
        send(events[0], piece(os.urandom(20), 3))
        yield 0xFF00, study_row()
        yield 0, None

    with (
        handing_out(answers, opened=events.append, answer_s=3) as archive,
        pytest.raises(AssociationFault),
    ):
        find_studies(archive, OF_HER)
    assert "cannot be understood" in caplog.text


@pytest.mark.parametrize(
    ("charset", "content", "name"),
    [
        ("GB18030", "王^小东".encode("gb18030"), "王^小东"),
        ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 192", b"M\xfcller", "M\N{REPLACEMENT CHARACTER}ller"),
        ("Zweistein", b"Miller", "Miller"),
        ("\\ISO 2022 IR 999", b"Miller", "Miller"),
        ("ISO_IR 100", b"A" * 300, "A" * 64),
    ],
)
@pytest.mark.parametrize("read", [study_of, row_of])
def test_no_character_set_warns_of_what_it_says(
    read: Callable[[Dataset], Any], charset: str, content: bytes, name: str
) -> None:
    row = study_row()
    row.AccessionNumber = "A1"
    for keyword, kind, value in (
        ("SpecificCharacterSet", "CS", charset.encode()), ("PatientName", "PN", content),
    ):  # fmt: skip
        row[keyword] = RawDataElement(Tag(keyword), kind, len(value), value, 0, False, True)
    found = read(row)
    if read is study_of:
        assert found.patient_name[:64] == name


def test_what_is_no_time_is_none() -> None:
    with disable_value_validation():
        row = study_row(StudyTime="Jones", StudyDate="Jones")
    found = study_of(row)
    assert found is not None
    assert (found.date, found.time) == ("", "")


def test_a_server_is_asked_for_an_object_with_bounds() -> None:
    (one,) = objects(1)
    over = threading.Event()

    def odd(_: Dataset) -> Answers:
        answer = Dataset()
        answer["SOPInstanceUID"] = RawDataElement(Tag("SOPInstanceUID"), "US", 3, b"1.2", 0, False, True)
        yield 0xFF00, answer
        yield 0, None

    def endless(_: Dataset) -> Answers:
        for _ in range(100):
            if over.wait(0.2):
                break
            yield 0xFF00, study_row()
        yield 0, None

    with handing_out(odd) as archive, StorageAssociation(archive, [one], ask=True) as link:
        assert link.accepts(FIND_ROOT)
        assert not link.has(one)
    with handing_out(endless, answer_s=1) as archive:
        try:
            with StorageAssociation(archive, [one], ask=True) as link, pytest.raises(AssociationFault):
                link.has(one)
        finally:
            over.set()
