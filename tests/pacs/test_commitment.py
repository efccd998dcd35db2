"""Whether a server keeps what it was sent: asked of real servers in other processes, and what they answer."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, build_role

from main import main
from semc_core.errors import PacsError, UsageError
from semc_core.pacs.association import AssociationFault, DicomAssociation
from semc_core.pacs.commitment.association import CommitmentAssociation
from semc_core.pacs.commitment.committer import Committer
from semc_core.pacs.commitment.ledger import FIRST_PATIENCE_S, LONGEST_PATIENCE_S, CommitmentLedger
from semc_core.pacs.commitment.listener import ReportListener, place_for
from semc_core.pacs.commitment.reports import STORAGE_COMMITMENT, WELL_KNOWN, Report, report_of, request_of
from semc_core.pacs.destinations import Destination, DestinationBook, Tls
from semc_core.pacs.outbox import Outbox
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import ASK_FOR_S, FOLDER_NAME, DicomObject, QueueStore
from semc_core.pacs.service import Sender
from tests.pacs.commitment_server import commitment_server, lines
from tests.pacs.servers import HOST, Sending, destination, free_port, needs_orthanc, objects, orthanc, put
from tests.serve.test_tls import certificate


def settled(sending: Sending) -> dict[str, int]:
    """Wait until nothing waits for an answer, and say what was answered."""

    def commitments() -> dict[str, int]:
        return {key: number for job in sending.queue.jobs() for key, number in job.commitment.items()}

    with sending._changed:
        assert sending._changed.wait_for(
            lambda: commitments() and not {"due", "asked"} & commitments().keys(), 60
        ), commitments()
    return commitments()


def copies(data: Path) -> int:
    """Files that the queue still has."""
    return len(list((data / FOLDER_NAME / "objects").glob("*/*.dcm")))


class Batch:
    """A queue, and what sends and asks, a step at a time."""

    def __init__(self, data: Path, server: Destination, now: Callable[[], float] | None = None) -> None:
        DestinationBook(data).put(server)
        self.book = DestinationBook(data)
        self.file = QueueStore(data / FOLDER_NAME)
        self.queue = SendQueue(self.file)
        self.ledger = CommitmentLedger(self.file) if now is None else CommitmentLedger(self.file, now=now)

    def run(self, *, wait_s: float = 0) -> dict[str, int]:
        """Send and ask what is due. Returns what became of the objects."""
        with closing(Outbox(self.file)) as outbox, closing(Committer(self.ledger, self.book)) as committer:
            sender = Sender(outbox, self.book)
            while sender.send_batch() or committer.ask_batch():
                pass
            committer.wait(wait_s)
        return self.outcomes

    @property
    def outcomes(self) -> dict[str, int]:
        (job,) = self.queue.jobs()
        return job.outcomes


def test_what_is_sent_is_safe_once_the_server_says_so_over_the_same_connection(tmp_path: Path) -> None:
    contents = objects(3)
    with (
        commitment_server(tmp_path / "said", "same") as archive,
        Sending(tmp_path / "data", archive) as sending,
    ):
        assert sending.send(contents) == {"sent": 3}
        assert settled(sending) == {"committed": 3}
        (job,) = sending.queue.jobs()
        assert job.outcomes == {"safe": 3}
        assert job.arrived
    (asked,) = lines(tmp_path / "said", "asked")
    assert sorted(asked) == sorted(one.sop_instance for one in contents)
    assert copies(tmp_path / "data") == 0, "the copies went once the archive keeps them"


@pytest.mark.requirement("H9")
def test_the_copy_stays_until_the_server_keeps_it(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "silent", answer_s=0.5) as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(2))
        assert batch.run() == {"not yet confirmed": 2}
        assert copies(tmp_path / "data") == 2
        # A new start takes nothing away, and asks again.
        assert batch.run() == {"not yet confirmed": 2}
        assert copies(tmp_path / "data") == 2
    first, second = lines(tmp_path / "said", "transaction")
    assert first != second
    assert len(lines(tmp_path / "said", "stored")) == 2, "it was asked again, and not sent again"


def test_a_server_that_answers_after_a_restart_is_heard(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "silent", "same", answer_s=2) as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(2))
        batch.run()
        batch.file.close()
        with Sending(tmp_path / "data", archive) as sending:
            assert settled(sending) == {"committed": 2}


def test_a_server_that_connects_to_say_it_is_heard_at_its_port(tmp_path: Path) -> None:
    with (
        commitment_server(tmp_path / "said", "back", back_to=free_port()) as archive,
        Sending(tmp_path / "data", archive) as sending,
    ):
        sending.send(objects(3))
        assert settled(sending) == {"committed": 3}
    assert lines(tmp_path / "said", "answered") == [0]


def test_a_stranger_is_not_heard(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "back as a stranger", back_to=free_port()) as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(1))
        assert batch.run(wait_s=1) == {"not yet confirmed": 1}
    assert lines(tmp_path / "said", "rejected") == [True]


@pytest.mark.requirement("H9")
def test_what_is_not_kept_is_said_with_its_reason_and_can_be_sent_again(tmp_path: Path) -> None:
    contents = objects(3)
    with commitment_server(tmp_path / "said", "first lost", "same") as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", contents)
        assert batch.run() == {"safe": 2, "not kept": 1}
        (job,) = batch.queue.jobs()
        assert job.message == (
            "archive does not keep it: it has no such object (0112); try again to send it once more."
        )
        assert not job.arrived
        assert copies(tmp_path / "data") == 1, "that which can be sent again"
        assert batch.queue.retry(job.job_id) == 1
        assert batch.run() == {"safe": 3}
    stored = lines(tmp_path / "said", "stored")
    assert len(stored) == 4
    assert stored[3] in stored[:3], "under its UID"


def test_queueing_it_anew_sends_what_is_not_kept(tmp_path: Path) -> None:
    contents = objects(2)
    with commitment_server(tmp_path / "said", "first lost", "same") as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", contents)
        batch.run()
        added = put(batch.queue, "archive", contents)
        assert (added.queued, added.known) == (1, 1)


@pytest.mark.parametrize("mode", ["others", "unasked"])
def test_an_answer_about_something_else_changes_nothing(mode: str, tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", mode, answer_s=1.5) as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(2))
        assert batch.run() == {"not yet confirmed": 2}
    answered = lines(tmp_path / "said", "answered")
    assert answered == [0] if mode == "others" else answered == [0x0115]


def test_a_server_that_says_it_twice_is_answered_twice(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "back twice", back_to=free_port()) as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(2))
        with closing(Outbox(batch.file)) as outbox, closing(Committer(batch.ledger, batch.book)) as committer:
            while Sender(outbox, batch.book).send_batch() or committer.ask_batch():
                pass
            while len(lines(tmp_path / "said", "answered")) < 2:
                threading.Event().wait(0.05)
        assert batch.outcomes == {"safe": 2}
    assert lines(tmp_path / "said", "answered") == [0, 0]


def test_a_connection_is_released_after_the_answer_to_what_is_being_said(tmp_path: Path) -> None:
    told = threading.Event()

    def take(report: Report) -> bool:
        told.set()
        return not threading.Event().wait(0.3)

    with commitment_server(tmp_path / "said", "kept") as archive:
        with CommitmentAssociation(archive, take, closed=lambda: None) as association:
            association.ask(
                "1.2.6", [DicomObject("1.2.3", "1.2.4", "1.2.5", "1.2.6", "1.2.840.10008.1.2", "", 1)]
            )
            assert told.wait(20)
        while not lines(tmp_path / "said", "answered"):
            threading.Event().wait(0.05)
    assert lines(tmp_path / "said", "answered") == [0]


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("not allowed", "archive does not take the question whether it keeps objects (0124)."),
        ("none", "archive answers, but has no storage commitment here; switch it off for it."),
    ],
)
def test_a_server_that_takes_no_such_question_is_asked_no_more(mode: str, said: str, tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", mode) as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(1))
        assert batch.run() == {"never confirmed": 1}
        (job,) = batch.queue.jobs()
        assert job.message == said
        assert batch.run() == {"never confirmed": 1}
    assert len(lines(tmp_path / "said", "asked")) == (1 if mode == "not allowed" else 0)


def test_a_busy_server_is_asked_again_and_what_is_switched_off_counts_as_sent(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "busy") as archive:
        batch = Batch(tmp_path / "data", archive)
        put(batch.queue, "archive", objects(1))
        assert batch.run() == {"not yet confirmed": 1}
        due_s = batch.ledger.next_due_s()
        assert due_s is not None
        assert 0 < due_s < FIRST_PATIENCE_S
        batch.book.put(replace(archive, commitment=False))
        assert batch.run() == {"sent": 1}
    assert copies(tmp_path / "data") == 0


def test_a_server_that_never_answers_is_given_up_after_days_and_asked_again_when_told(tmp_path: Path) -> None:
    now = [0.0]
    with commitment_server(tmp_path / "said", "silent", answer_s=0.2) as archive:
        batch = Batch(tmp_path / "data", archive, lambda: now[0])
        put(batch.queue, "archive", objects(1))
        outbox = Outbox(batch.file, now=lambda: now[0])
        committer = Committer(batch.ledger, batch.book)
        Sender(outbox, batch.book).send_batch()
        assert committer.ask_batch()
        assert not committer.ask_batch(), "it is given time"
        now[0] += FIRST_PATIENCE_S + 1
        assert committer.ask_batch()
        now[0] += ASK_FOR_S
        assert committer.ask_batch(), "a last time: the program may have been off since the first"
        now[0] += 1
        assert not committer.ask_batch()
        assert batch.outcomes == {"not yet confirmed": 1}, "it is given time for that, too"
        now[0] += LONGEST_PATIENCE_S
        assert not committer.ask_batch()
        assert batch.outcomes == {"never confirmed": 1}
        assert batch.queue.retry() == 0
        assert batch.outcomes == {"not yet confirmed": 1}
        assert batch.queue.cancel(1) == 0
        assert batch.outcomes == {"sent": 1}
        outbox.close()
        committer.close()
        batch.file.close()
    assert copies(tmp_path / "data") == 0


def test_after_days_without_the_program_a_server_that_is_away_gets_a_second_try(tmp_path: Path) -> None:
    now = [0.0]
    away = Destination("archive", HOST, free_port(), "ARCHIVE", connect_s=2, answer_s=2, commitment=True)
    batch = Batch(tmp_path, away, lambda: now[0])
    put(batch.queue, "archive", objects(1))
    with closing(Outbox(batch.file, now=lambda: now[0])) as outbox:
        (item,) = outbox.due(10)
        outbox.sent(item, commit=True)
    now[0] += ASK_FOR_S + 86400
    assert batch.run() == {"not yet confirmed": 1}
    now[0] += LONGEST_PATIENCE_S
    assert batch.run() == {"never confirmed": 1}
    (job,) = batch.queue.jobs()
    assert "cannot be reached" in job.message
    batch.file.close()


def test_a_late_answer_to_an_older_question_counts_but_not_of_another_server(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "silent", answer_s=0.2) as archive:
        batch = Batch(tmp_path / "data", archive)
        contents = objects(2)
        put(batch.queue, "archive", contents)
        batch.run()
        batch.run()
    uids = frozenset(one.sop_instance for one in contents)
    first = Report(lines(tmp_path / "said", "transaction")[0], uids, {})
    assert not batch.ledger.take(("elsewhere",), first)
    assert batch.outcomes == {"not yet confirmed": 2}
    assert batch.ledger.take(("archive",), first)
    assert batch.outcomes == {"safe": 2}
    # What it once said to keep it keeps.
    assert batch.ledger.take(
        ("archive",), replace(first, kept=frozenset(), refused=dict.fromkeys(uids, 0x0112))
    )
    assert batch.outcomes == {"safe": 2}


def test_nobody_can_listen_at_a_port_that_is_taken_and_that_is_said(tmp_path: Path) -> None:
    with commitment_server(tmp_path / "said", "back") as archive:
        batch = Batch(tmp_path / "data", replace(archive, commitment_port=archive.port))
        put(batch.queue, "archive", objects(1))
        assert batch.run() == {"not yet confirmed": 1}
        (job,) = batch.queue.jobs()
        assert "another program may do so already" in job.message
    assert not lines(tmp_path / "said", "asked"), "its answer could not be heard"


def listening(server: Destination, taken: list[Report]) -> ReportListener:
    def take(_: object, report: Report) -> bool:
        taken.append(report)
        return True

    return ReportListener(place_for(server), [server], take)


def test_the_listener_takes_no_strangers_no_objects_and_nothing_endless() -> None:
    server = Destination("archive", HOST, 104, "ARCHIVE", commitment=True, commitment_port=free_port())
    taken: list[Report] = []
    with closing(listening(server, taken)):
        here = Destination("here", HOST, server.commitment_port or 0, "SEMC_LIVE", "ARCHIVE", answer_s=10)
        for wrong in (replace(here, own_title="STRANGER"), replace(here, title="OTHER")):
            with pytest.raises(AssociationFault):
                DicomAssociation(wrong, [build_context(STORAGE_COMMITMENT)])
        entity = AE("ARCHIVE")
        entity.add_requested_context("1.2.840.10008.5.1.4.1.1.6.1")
        entity.add_requested_context(STORAGE_COMMITMENT)
        role = build_role(STORAGE_COMMITMENT, scp_role=True)
        link = entity.associate(HOST, server.commitment_port or 0, ae_title="SEMC_LIVE", ext_neg=[role])
        assert [str(each.abstract_syntax) for each in link.accepted_contexts] == [STORAGE_COMMITMENT]
        endless = Dataset()
        endless.TransactionUID = "1.2"
        endless.add_new(0x00091010, "OB", b"\0" * 6_000_000)
        status, _ = link.send_n_event_report(endless, 1, STORAGE_COMMITMENT, WELL_KNOWN)
        assert "Status" not in status
        link.abort()
    assert not taken


def test_what_cannot_be_understood_is_no_report() -> None:
    assert report_of(Dataset()) is None
    said = Dataset()
    said.TransactionUID = "1.2"
    said.ReferencedSOPSequence = [Dataset()]
    assert report_of(said) is None
    kept, failed = Dataset(), Dataset()
    kept.ReferencedSOPInstanceUID = failed.ReferencedSOPInstanceUID = "1.3"
    said.ReferencedSOPSequence, said.FailedSOPSequence = [kept], [failed]
    assert report_of(said) == Report("1.2", frozenset(), {"1.3": 0})


def test_a_port_over_tls_needs_a_certificate_of_our_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a certificate of its own"):
        DestinationBook(tmp_path).put(Destination("a", "h", 1, "T", tls=Tls(), commitment_port=2))
    with pytest.raises(UsageError, match="from 1 to 65535"):
        Destination("a", "h", 1, "T", commitment=True, commitment_port=70_000)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_over_tls_only_the_servers_certificate_gets_in(tmp_path: Path) -> None:
    own, theirs, stranger = (certificate(tmp_path, name) for name in ("own", "archive", "stranger"))
    server = Destination(
        "archive",
        HOST,
        104,
        "ARCHIVE",
        tls=Tls(theirs[0], *own),
        commitment=True,
        commitment_port=free_port(),
    )
    taken: list[Report] = []
    with closing(listening(server, taken)):
        assert server.commitment_port is not None
        here = Destination("here", HOST, server.commitment_port, "SEMC_LIVE", "ARCHIVE", answer_s=10)
        contexts, roles = [build_context(STORAGE_COMMITMENT)], [build_role(STORAGE_COMMITMENT, scp_role=True)]
        with DicomAssociation(replace(here, tls=Tls(own[0], *theirs)), contexts, roles=roles) as link:
            said = link._association.send_n_event_report(
                request_of("1.2", []), 1, STORAGE_COMMITMENT, WELL_KNOWN
            )
            assert said[0].Status == 0
        for tls in (Tls(own[0], *stranger), Tls(own[0]), None):
            with pytest.raises(AssociationFault):
                DicomAssociation(replace(here, tls=tls), contexts, roles=roles)
    assert len(taken) == 1


@needs_orthanc
@pytest.mark.long
@pytest.mark.requirement("H9")
def test_orthanc_says_what_it_keeps_and_what_it_does_not(tmp_path: Path) -> None:
    back_to = free_port()
    modality = {"AET": "SEMC_LIVE", "Host": HOST, "Port": back_to, "AllowStorageCommitment": True}
    with orthanc(tmp_path, DicomModalities={"semc": modality}, StorageCommitmentReportsSize=100) as archive:
        server = replace(destination(archive.port, "ORTHANC"), commitment=True, commitment_port=back_to)
        contents = objects(3, clips=1)
        with Sending(tmp_path / "data", server) as sending:
            assert sending.send(contents) == {"sent": 4}
            assert settled(sending) == {"committed": 4}
        # It loses all it has, and is asked again.
        archive.empty()
        batch = Batch(tmp_path / "data", server)
        with batch.file.writing() as connection:
            connection.execute("UPDATE items SET commitment = 'due', ask_due_s = 0")
        assert batch.run(wait_s=20) == {"not kept": 4}
        (job,) = batch.queue.jobs()
        assert "it has no such object (0112)" in job.message


def test_the_command_line_says_what_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path / "data")

    def said(*words: str, code: int = 0) -> str:
        assert main(["pacs", *words]) == code
        return " ".join(capsys.readouterr().out.split())

    with commitment_server(tmp_path / "said", "first lost", "same") as archive:
        said("add", "archive", HOST, str(archive.port), "ARCHIVE", "--commitment")
        with closing(QueueStore(tmp_path / "data" / FOLDER_NAME)) as file:
            put(SendQueue(file), "archive", objects(2))
        assert "1 sent, but refused; 1 sent, safe at archive. archive does not keep it" in said("run", code=1)
        (job,) = json.loads(said("list", "--json"))
        assert job["commitment"] == {"committed": 1, "refused": 1}
        said("retry")
        assert "2 sent, safe at archive." in said("run")
    with pytest.raises(PacsError):
        DestinationBook(tmp_path / "data").get("none")


def test_an_older_queue_is_opened_and_its_objects_stay_sent(tmp_path: Path) -> None:
    import sqlite3

    from semc_core.pacs import queue_store

    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    with closing(sqlite3.connect(folder / queue_store.QUEUE_NAME)) as old:
        for statement in queue_store._SCHEMA:
            old.execute(statement)
        old.execute(f"PRAGMA application_id = {queue_store._APPLICATION_ID}")
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO jobs (uid, created_utc, destination, manifest) VALUES"
            " ('u', '2026-11-21T15:00:00+00:00', 'archive', 'ab')"
        )
        old.execute(
            "INSERT INTO items (job_id, destination, sop_class, sop_instance, study, series, syntax, sha256,"
            " size, file, state)"
            " VALUES (1, 'archive', '1.2', '1.3', '1.4', '1.5', '1.6', 'ab', 1, 'u/1.dcm', 'sent')"
        )
        old.commit()
    with closing(QueueStore(folder)) as file:
        (job,) = SendQueue(file).jobs()
        assert job.outcomes == {"sent": 1}
        with file.reading() as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (queue_store._VERSION,)
