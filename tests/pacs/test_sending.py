"""Sending to real servers: each object arrives once, whatever happens on the way."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.outbox import Outbox
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, DicomObject, QueueStore
from semc_core.pacs.service import Sender
from tests.pacs.servers import (
    SECRET,
    Orthanc,
    Sending,
    destination,
    needs_orthanc,
    needs_storescp,
    objects,
    orthanc,
    put,
    storescp,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An Orthanc: to start one takes seconds."""
    with orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def archive(running: Orthanc) -> Orthanc:
    """A running Orthanc that has nothing."""
    running.empty()
    return running


def uids(contents: dict[DicomObject, bytes]) -> list[str]:
    return sorted(one.sop_instance for one in contents)


@needs_orthanc
def test_an_archive_gets_stills_and_clips_once_and_nobody_is_named_in_logs(
    archive: Orthanc, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    contents = objects(3, clips=2)
    with Sending(tmp_path, destination(archive.port, "ORTHANC")) as sending:
        assert sending.send(contents) == {"sent": 5}
        assert put(sending.queue, "archive", contents).known == 5
    assert archive.kept() == uids(contents)
    said = caplog.text + "".join(capfd.readouterr())
    assert SECRET not in said
    assert not any(uid in said for uid in uids(contents))
    assert not list((tmp_path / FOLDER_NAME).rglob("*.dcm"))


@needs_orthanc
def test_an_answer_that_was_lost_is_asked_for_and_nothing_is_sent_again(
    archive: Orthanc, tmp_path: Path
) -> None:
    contents = objects(2, first=100)
    there, missing = contents
    server = destination(archive.port, "ORTHANC")
    (tmp_path / "object.dcm").write_bytes(contents[there])
    with StorageAssociation(server, contents) as link:
        assert link.store(there, tmp_path / "object.dcm").kind == "stored"
    file = QueueStore(tmp_path / FOLDER_NAME)
    put(SendQueue(file), "archive", contents)
    killed = Outbox(file)
    for item in killed.due(9):
        killed.begin(item)
    killed.close()
    file.close()
    with Sending(tmp_path, server) as sending:
        sending.wait_until(lambda counts: counts == {"sent": 2})
        messages = {item.what: item.message for item in sending.queue.items(1)}
    assert "has it" in messages[there]
    assert messages[missing] == ""
    assert archive.kept().count(there.sop_instance) == archive.kept().count(missing.sop_instance) == 1


@needs_orthanc
def test_a_wrong_ae_title_is_refused_and_sent_once_it_is_corrected(archive: Orthanc, tmp_path: Path) -> None:
    contents = objects(2, first=200)
    with Sending(tmp_path, destination(archive.port, "NOBODY")) as sending:
        assert sending.send(contents) == {"refused": 2}
        assert 'AE title "NOBODY"' in sending.messages()[0]
        sending.service.book.put(destination(archive.port, "ORTHANC"))
        sending.queue.retry()
        sending.service.wake()
        sending.wait_until(lambda counts: counts == {"sent": 2})
    assert set(uids(contents)) <= set(archive.kept())


@needs_storescp
def test_a_server_that_dies_midway_gets_the_rest_when_it_is_back(tmp_path: Path) -> None:
    contents, kept = objects(6), tmp_path / "kept"
    # It keeps an object, and is killed before it answers.
    with storescp(kept, "--sleep-after", "60") as server:
        port = server.port
        sending = Sending(tmp_path / "data", destination(port))
        with sending:
            put(sending.queue, "archive", contents)
            sending.service.wake()
            server.wait_for("Received Store Request", 1)
            server.process.kill()
            sending.wait_until(lambda counts: counts == {"waiting": 6})
            assert "broke off" in sending.messages()[0]
            with storescp(kept, port=port) as server:
                sending.queue.retry()
                sending.service.wake()
                sending.wait_until(lambda counts: counts == {"sent": 6})
                assert server.kept() == uids(contents)


@needs_storescp
def test_stopping_cuts_a_server_that_does_not_answer_and_loses_nothing(tmp_path: Path) -> None:
    contents, kept = objects(2), tmp_path / "kept"
    with storescp(kept, "--sleep-after", "60") as server:
        port = server.port
        with Sending(tmp_path / "data", destination(port)) as sending:
            put(sending.queue, "archive", contents)
            sending.service.wake()
            server.wait_for("Received Store Request", 1)
        assert sending.service.state().phase == "stopped"
    with storescp(kept, port=port) as server, Sending(tmp_path / "data") as sending:
        sending.queue.retry()
        sending.service.wake()
        sending.wait_until(lambda counts: counts == {"sent": 2})
        assert server.kept() == uids(contents)


@needs_storescp
@pytest.mark.requirement("H4")
def test_a_sender_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    contents, kept = objects(5), tmp_path / "kept"
    file = QueueStore(tmp_path / FOLDER_NAME)
    queue = SendQueue(file)
    put(queue, "archive", contents)
    # It takes a second for each, so that the kill does not come too late.
    with storescp(kept, "--sleep-after", "1") as server:
        port = server.port
        DestinationBook(tmp_path).put(destination(port))
        for _ in range(2):
            killed_sender(tmp_path, after=2)
            assert not queue.jobs()[0].finished
    with storescp(kept, port=port) as server:
        queue.retry()
        outbox = Outbox(file)
        while Sender(outbox, DestinationBook(tmp_path)).send_batch():
            pass
        outbox.close()
        assert queue.jobs()[0].counts == {"sent": 5}
        assert server.kept() == uids(contents)
    file.close()


@needs_storescp
def test_one_connection_takes_a_batch_and_a_damaged_copy_is_not_sent(tmp_path: Path) -> None:
    file = QueueStore(tmp_path / FOLDER_NAME)
    queue = SendQueue(file)
    put(queue, "archive", objects(4))
    (tmp_path / FOLDER_NAME / "objects" / queue.items(1)[1].file).write_bytes(b"something else")
    with storescp(tmp_path / "kept") as server:
        DestinationBook(tmp_path).put(destination(server.port))
        outbox = Outbox(file)
        assert Sender(outbox, DestinationBook(tmp_path)).send_batch()
        outbox.close()
        server.process.terminate()
        assert server.process.stdout is not None
        said = server.process.stdout.read()
    assert said.count(b"Association Acknowledged") == 1
    assert said.count(b"Received Store Request") == 3
    assert queue.jobs()[0].counts == {"sent": 3, "failed": 1}
    assert "damaged" in queue.jobs()[0].message
    file.close()


def killed_sender(data: Path, after: int) -> None:
    """Send the queue in a process of its own, and kill that after so many objects."""
    program = [sys.executable, "-m", "tests.pacs.killed_sender", str(data)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT) as sender:
        assert sender.stdout is not None
        for _ in range(after):
            assert sender.stdout.readline()
        sender.kill()
