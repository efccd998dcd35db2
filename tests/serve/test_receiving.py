"""What arrives is on the disk and in the queue before success is answered, once, and nothing else is."""

from __future__ import annotations

import datetime
import errno
import io
import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, RLELossless
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode

from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.destinations import Destination
from semc_core.pacs.syntaxes import SYNTAXES
from semc_core.serve.arrival import Arrival
from semc_core.serve.inbox import Inbox
from semc_core.serve.pace import Pace
from semc_core.serve.receiver import Receiver
from semc_core.serve.settings import Limits
from tests.pacs.servers import HOST, SECRET
from tests.serve.objects import SCANNER, TITLE, loop, receiving, save, sending, store, until

Running = tuple[Receiver, Inbox]
needs_dcmtk = pytest.mark.skipif(not shutil.which("storescu"), reason="storescu (dcmtk) is not installed")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with receiving(tmp_path_factory.mktemp("serve") / "inbox") as made:
        yield made


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def incoming(inbox: Inbox) -> list[Path]:
    return list(inbox.incoming.iterdir())


@pytest.mark.requirement("D1")
def test_an_object_is_kept_as_it_was_sent_and_nobody_is_named_in_the_log(
    running: Running, heard: pytest.LogCaptureFixture
) -> None:
    receiver, inbox = running
    sent = loop(number=10)
    assert store(receiver.port, sent, loop(1, number=11)) == [0, 0]
    kept = {one.sop_instance: one for one in inbox.all()}
    one = kept[sent.SOPInstanceUID]
    assert (one.state, one.sender, one.study) == ("waiting", SCANNER, sent.StudyInstanceUID)
    got = pydicom.dcmread(inbox.path(one))
    got.remove_private_tags()
    assert got == sent
    assert got.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
    assert not incoming(inbox)
    assert SECRET not in heard.text


@pytest.mark.requirement("D1")
def test_what_is_sent_again_is_known_and_other_content_of_its_uid_is_kept_beside(
    running: Running, heard: pytest.LogCaptureFixture
) -> None:
    receiver, inbox = running
    first, changed = loop(number=20), loop(number=20, StationName="ROOM 2")
    assert store(receiver.port, first, first, changed, changed) == [0, 0, 0, 0]
    found = [one for one in inbox.all() if one.sop_instance == first.SOPInstanceUID]
    assert [one.state for one in found] == ["waiting", "beside"]
    assert [pydicom.dcmread(inbox.path(one)).StationName for one in found] == ["ROOM 1", "ROOM 2"]
    assert heard.text.count("beside that, and not analysed") == 1
    assert len(list(inbox.objects.iterdir())) == len(inbox.all())


@needs_dcmtk
def test_dcmtk_sends_and_asks_whether_it_answers(running: Running, tmp_path: Path) -> None:
    receiver, inbox = running
    path = save(tmp_path / "loop.dcm", loop(number=30))
    names = ["-aet", SCANNER, "-aec", TITLE, HOST, str(receiver.port)]
    subprocess.run(["echoscu", *names], check=True)
    subprocess.run(["storescu", *names, str(path)], check=True)
    wrong = ["-aet", SCANNER, "-aec", "OTHER", HOST, str(receiver.port)]
    assert subprocess.run(["echoscu", *wrong], check=False, capture_output=True).returncode
    assert pydicom.dcmread(path).SOPInstanceUID in {one.sop_instance for one in inbox.all()}


@pytest.mark.parametrize(
    ("title", "called", "sentence"),
    [("STRANGER", TITLE, "not in the list of senders"), (SCANNER, "OTHER", 'calls the AE title "OTHER"')],
)
@pytest.mark.requirement("D3")
def test_who_is_not_listed_or_calls_another_is_refused(
    running: Running, heard: pytest.LogCaptureFixture, title: str, called: str, sentence: str
) -> None:
    with sending(running[0].port, title=title, called=called) as association:
        assert association.is_rejected
    assert sentence in heard.text


def test_what_is_no_ultrasound_is_not_agreed_on(running: Running, heard: pytest.LogCaptureFixture) -> None:
    with sending(running[0].port, (CTImageStorage,)) as association:
        assert [str(one.abstract_syntax) for one in association.accepted_contexts] == ["1.2.840.10008.1.1"]
        assert association.send_c_echo().Status == 0
    assert "CT Image Storage" in heard.text


def test_every_coding_that_is_read_is_agreed_on(running: Running) -> None:
    for syntax in SYNTAXES[::4]:
        with sending(running[0].port, syntaxes=(pydicom.uid.UID(syntax),)) as association:
            assert len(association.accepted_contexts) == 3, syntax
    assert {ExplicitVRBigEndian, RLELossless, "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.202"} <= set(
        SYNTAXES
    )


@pytest.mark.requirement("D2")
def test_half_objects_and_other_objects_than_announced_are_refused_and_leave_nothing(
    running: Running, heard: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, inbox = running
    before = len(inbox.all())
    half = save(tmp_path / "half.dcm", loop(number=40))
    half.write_bytes(half.read_bytes()[:-600])
    assert store(receiver.port, half) == [0xC000]
    bare = loop(number=43)
    del bare.PixelData
    assert store(receiver.port, bare) == [0xC000]
    other = encode(loop(number=41), False, True)
    monkeypatch.setattr("pynetdicom.association.encode", lambda *_: other)
    assert store(receiver.port, loop(number=42)) == [0xA900]
    assert len(inbox.all()) == before
    assert not incoming(inbox)
    assert "ends within its pictures" in heard.text
    assert "not the one that was announced" in heard.text


@pytest.mark.requirement("D2")
def test_a_connection_that_ends_within_an_object_leaves_nothing(running: Running) -> None:
    receiver, inbox = running
    before, began = len(inbox.all()), threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        written = Arrival.write

        def write(self: Arrival, data: bytes) -> int:
            took = written(self, data)
            began.set()
            return took

        patch.setattr(Arrival, "write", write)
        with sending(receiver.port) as association:
            cut_after_one_piece(association, loop(200, number=50))
            assert began.wait(30)
            assert incoming(inbox)
            association.abort()
    gone = threading.Event()
    for _ in range(300):
        if not incoming(inbox):
            break
        gone.wait(0.1)
    assert not incoming(inbox)
    assert len(inbox.all()) == before


def cut_after_one_piece(association: Association, data: pydicom.Dataset) -> None:
    """Send the command and the first piece of the data set, and no more."""
    context = next(one for one in association.accepted_contexts if one.abstract_syntax == data.SOPClassUID)
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    encoded = encode(data, False, True)
    assert encoded is not None
    request.DataSet = io.BytesIO(encoded)
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    assert context.context_id is not None
    pieces = message.encode_msg(context.context_id, 16_384)
    for _ in range(3):
        association.dul.send_pdu(next(pieces))


@pytest.mark.requirement("D4")
def test_a_full_disk_and_too_little_room_are_refused_with_their_status(
    tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    room = iter([10**6, 10**12, 10**12])
    with receiving(tmp_path / "inbox", limits=Limits(least_free_mb=100), free=lambda _: next(room)) as (
        receiver,
        inbox,
    ):
        with pytest.MonkeyPatch.context() as patch:
            assert store(receiver.port, loop(number=1)) == [0xA700]

            def full(self: Arrival, heading: object) -> None:
                raise OSError(errno.ENOSPC, "no space")

            patch.setattr(Arrival, "_opened", full)
            assert store(receiver.port, loop(number=1)) == [0xA700]
        assert not inbox.all()
        assert not incoming(inbox)
        assert store(receiver.port, loop(number=1)) == [0]
        assert len(inbox.all()) == 1
    assert "Less than 100 MB are free" in heard.text
    assert "The disk is full" in heard.text


@pytest.mark.requirement("D4")
def test_what_is_too_large_is_refused_and_what_does_not_end_is_broken_off(
    tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    with receiving(tmp_path / "inbox", limits=Limits(least_free_mb=0, object_mb=1)) as (receiver, inbox):
        with sending(receiver.port) as association:
            assert association.send_c_store(loop(1500, number=1)).Status == 0xA700
            assert not incoming(inbox)
        with sending(receiver.port) as association:
            assert "Status" not in association.send_c_store(loop(5000, number=2))
        assert not incoming(inbox)
        assert not inbox.all()
    assert "larger than the settings allow" in heard.text
    assert "an object of it does not end" in heard.text


@pytest.mark.requirement("D4")
def test_an_association_that_lasts_too_long_is_broken_off(
    tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    limits = Limits(least_free_mb=0, longest_s=0.2)
    with receiving(tmp_path / "inbox", limits=limits) as (receiver, inbox):
        with sending(receiver.port) as association:
            threading.Event().wait(0.3)
            assert "Status" not in association.send_c_store(loop(number=3))
        assert not inbox.all()
    assert "lasted longer than 0.2 s" in heard.text


def test_each_object_waits_for_its_moment_before_it_is_taken_and_none_is_refused(tmp_path: Path) -> None:
    moments: list[int] = []
    with receiving(tmp_path / "inbox") as (receiver, inbox):

        def wait_s(self: Pace) -> float:
            moments.append(len(inbox.all()))
            return 0.01

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Pace, "wait_s", wait_s)
            assert store(receiver.port, *(loop(number=60 + number) for number in range(3))) == [0, 0, 0]
    assert moments == [0, 1, 2]


def test_one_association_too_many_is_told_so(tmp_path: Path, heard: pytest.LogCaptureFixture) -> None:
    limits = Limits(least_free_mb=0, associations=1)
    with (
        receiving(tmp_path / "inbox", limits=limits) as (receiver, _),
        sending(receiver.port) as first,
        sending(receiver.port) as second,
    ):
        assert first.is_established
        assert second.is_rejected
    assert "there are 1 already" in heard.text


@pytest.mark.requirement("D4")
def test_connections_that_asked_for_nothing_and_ended_keep_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.serve.receiver._REQUEST_S", 3600.0)
    limits = Limits(least_free_mb=0, associations=1, idle_s=600)
    with receiving(tmp_path / "inbox", limits=limits) as (receiver, _):
        for said in (b"", b"", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection((HOST, receiver.port)) as connection:
                connection.sendall(said)

        def gets_in() -> bool:
            with sending(receiver.port) as association:
                return association.is_established

        until(gets_in)


def test_a_study_that_is_no_uid_is_refused(running: Running, heard: pytest.LogCaptureFixture) -> None:
    before = running[1].counts()
    with disable_value_validation():
        odd = [
            loop(number=50 + n, StudyInstanceUID=uid) for n, uid in enumerate(("", "../../etc", "1." * 40))
        ]
        assert store(running[0].port, *odd) == [0xA900] * 3
    assert running[1].counts() == before
    assert heard.text.count("its Study Instance UID is missing, or none") == 3


def test_a_clock_that_is_a_year_ahead_is_told_and_loses_nothing(
    tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    today = datetime.date(2025, 3, 10)
    with receiving(tmp_path / "inbox", today=lambda: today) as (receiver, inbox):
        assert store(receiver.port, loop(number=1), loop(number=2, StudyDate="", ContentDate="20250311")) == [
            0,
            0,
        ]
        assert len(inbox.all()) == 2
    assert "dated 369 days ahead of this machine's clock" in heard.text
    assert heard.text.count("clock") == 2


def test_a_destination_of_the_program_itself_reaches_it(running: Running) -> None:
    with StorageAssociation(Destination("me", HOST, running[0].port, TITLE, own_title=SCANNER)) as link:
        link.echo()
