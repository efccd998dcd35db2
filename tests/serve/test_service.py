"""From a scanner to the archive and back, unattended: a loop becomes a session, its planes go out once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.dataelem import DataElement

from semc_core.errors import SaveError, UsageError
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
from semc_core.serve.analyst import Analyst
from semc_core.serve.inbox import MOST_ATTEMPTS, Inbox, Received
from semc_core.serve.reply import NAMES_NOBODY, NOTHING_FOUND, Replies
from semc_core.serve.rules import model_for
from semc_core.serve.service import Service
from semc_core.serve.settings import Rule, ServeSettings
from semc_core.session.session import Session
from tests.pacs.servers import SECRET, destination, free_port, needs_storescp, storescp
from tests.serve.models import PLANE, scan, write_sure_model
from tests.serve.objects import content_of, loop, receiving, save, settings_of, store, until


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sure_model(tmp_path_factory.mktemp("model") / "sure.safetensors")


@pytest.fixture(autouse=True)
def no_text_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is tested elsewhere, and slow."""
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def filled(folder: Path, *objects: pydicom.Dataset | Path) -> None:
    """Put objects into the inbox, as they come from a scanner."""
    with receiving(folder) as (receiver, _):
        assert set(store(receiver.port, *objects)) == {0}


def worked_on(
    settings: ServeSettings, inbox: Inbox, done: Callable[[], bool], replies: Replies | None = None
) -> None:
    """Let the analysis run until `done`."""
    analyst = Analyst(settings, inbox, replies, rest_s=0.05)
    analyst.start()
    try:
        until(done)
    finally:
        analyst.stop()


@needs_storescp
@pytest.mark.requirement("D5")
def test_a_loop_comes_back_as_images_report_and_key_objects_that_name_nobody(
    tmp_path: Path, model: Path, heard: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    with storescp(tmp_path / "kept") as archive:
        DestinationBook(data).put(destination(archive.port))
        settings = settings_of(tmp_path / "inbox", model=str(model), destination="archive")
        with Service(settings, data) as service:
            sent = scan(1)
            assert store(service.port, sent, sent) == [0, 0]
            until(lambda: len(list((tmp_path / "kept").iterdir())) == 3)
            until(lambda: service.inbox.counts() == {"done": 1})
            queue = QueueStore(data / FOLDER_NAME)
            until(lambda: all(job.finished for job in SendQueue(queue).jobs()))
            service.tell_of_sending()
            queue.close()
            (one,) = service.inbox.all()
        assert (one.planes, one.message, one.model) == (1, "3 objects for archive.", "sure")
        kept = {each.Modality: each for each in map(pydicom.dcmread, (tmp_path / "kept").iterdir())}
    assert set(kept) == {"US", "SR", "KO"}
    assert len({each.StudyInstanceUID for each in kept.values()}) == 1
    (item,) = kept["KO"].CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == kept["US"].SOPInstanceUID
    # "NO", since nobody has looked for text in the pictures.
    assert {each.PatientIdentityRemoved for each in kept.values()} == {"NO"}
    assert {str(each.PatientName)[:5] for each in kept.values()} == {"ANON-"}
    text = str(list(kept.values()))
    assert SECRET not in text + heard.text
    assert str(sent.StudyInstanceUID) not in text
    with Session.open(settings.place / "sessions" / one.session) as session:
        assert [plane.plane for plane in session.planes()] == [PLANE]
        assert session.verify().ok
        assert session.exports()[-1].name == "sent to archive"
    assert not list((settings.place / "replies").iterdir())


def test_no_thread_of_the_service_turns_on_warnings_that_quote_values_for_another(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads of tests before may have left it as one of them found it within another.
    monkeypatch.setattr(pydicom.config.settings, "_reading_validation_mode", None)
    with Service(settings_of(tmp_path / "inbox", model=str(model)), tmp_path):
        first, second = disable_value_validation(), disable_value_validation()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        # Else this is a warning, with a name in it, of the thread that is still within the second.
        assert DataElement(0x00100020, "LO", "B" * 100).value == "B" * 100
        second.__exit__(None, None, None)
    with pytest.warns(UserWarning, match="exceeds the maximum length"):
        DataElement(0x00100020, "LO", "B" * 100)


def test_a_destination_that_refuses_is_told_and_what_was_found_stays(
    tmp_path: Path, model: Path, heard: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    DestinationBook(data).put(replace(destination(free_port()), attempts=1, connect_s=5))
    settings = settings_of(tmp_path / "inbox", model=str(model), destination="archive", identified=True)
    filled(settings.place, scan(2))
    with Service(settings, data) as service:
        queue = QueueStore(data / FOLDER_NAME)
        until(lambda: [job.counts for job in SendQueue(queue).jobs()] == [{"failed": 3}])
        until(lambda: service.inbox.counts() == {"done": 1})
        service.tell_of_sending()
        service.tell_of_sending()
        items = SendQueue(queue).items(1)
        kept = [pydicom.dcmread(queue.objects / item.file) for item in items]
        queue.close()
    assert heard.text.count("3 objects of job 1 were not sent") == 1
    assert "cannot be reached" in heard.text
    assert {str(each.PatientName) for each in kept} == {SECRET}
    assert {each.StudyInstanceUID for each in kept} == {scan(2).StudyInstanceUID}
    assert SECRET not in heard.text


@pytest.mark.requirement("D5")
def test_results_that_name_the_patient_are_not_sent_where_the_header_names_none(
    tmp_path: Path, model: Path
) -> None:
    settings = settings_of(tmp_path / "inbox", model=str(model), identified=True)
    nobody = scan(4)
    nobody.PatientName, nobody.PatientID = "^", ""
    with disable_value_validation():
        odd = scan(5)
        odd.PatientBirthDate, odd.StudyDate, odd.StudyTime = "19700000", "99999999", "noon"
        files = [save(tmp_path / f"{n}.dcm", one) for n, one in enumerate((nobody, odd))]
    filled(settings.place, *files)
    queue = QueueStore(tmp_path / FOLDER_NAME)
    inbox = Inbox(settings.place)
    inbox.hold()
    replies = Replies(inbox.replies, tmp_path, SendQueue(queue), "archive", identified=True)
    worked_on(settings, inbox, lambda: inbox.counts() == {"done": 2}, replies)
    assert [one.message for one in inbox.all()] == [NAMES_NOBODY, "3 objects for archive."]
    kept = [pydicom.dcmread(queue.objects / item.file) for item in SendQueue(queue).items(1)]
    assert {(str(one.PatientName), one.PatientBirthDate, one.StudyDate, one.StudyTime) for one in kept} == {
        (SECRET, "", "", "")
    }
    inbox.close()
    queue.close()


def test_each_loop_is_looked_at_by_the_model_of_the_first_rule_that_fits(tmp_path: Path) -> None:
    rules = (
        Rule("fetal", body_part="Fet*"),
        Rule("heart", station="room ?", protocol="*echo*"),
        Rule("odd", study="[a]*"),
    )
    settings = settings_of(tmp_path, rules=rules, model="liver")

    def chosen(**elements: Any) -> str:
        return model_for(settings, content_of(tmp_path / "loop.dcm", loop(**elements)))

    assert chosen() == "liver"
    assert chosen(BodyPartExamined="FETUS") == "fetal"
    assert chosen(ProtocolName="2D Echo, adult") == "heart"
    assert chosen(ProtocolName="2D Echo, adult", StationName="ROOM 12") == "liver"
    assert chosen(StudyDescription="[A] abdomen") == "odd"
    assert chosen(StudyDescription="abdomen") == "liver"


def test_what_a_kill_left_is_set_right(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    filled(folder, loop(number=1), loop(number=2))
    inbox = Inbox(folder)
    inbox.hold()
    first = inbox.begin()
    assert first is not None
    (inbox.incoming / f"{'a' * 32}.dcm").write_bytes(b"half")
    (inbox.objects / f"{'b' * 32}.dcm").write_bytes(b"whole, but nobody was told of it")
    (inbox.replies / "00000007").mkdir()
    inbox.close()
    for _ in range(MOST_ATTEMPTS - 1):
        inbox = Inbox(folder)
        inbox.hold()
        assert inbox.counts() == {"waiting": 2}
        again = inbox.begin()
        assert again is not None
        assert again.object_id == first.object_id
        inbox.close()
    inbox = Inbox(folder)
    inbox.hold()
    assert inbox.counts() == {"failed": 1, "waiting": 1}
    assert "3 times" in inbox.all()[0].message
    assert {path.name for path in inbox.objects.iterdir()} == {one.file for one in inbox.all()}
    assert not list(inbox.incoming.iterdir())
    assert not list(inbox.replies.iterdir())
    assert inbox.retry() == 1
    inbox.close()


@pytest.mark.requirement("D8")
def test_files_of_others_are_never_removed(tmp_path: Path) -> None:
    for name in ("incoming", "objects", "sessions"):
        folder = tmp_path / name
        (folder / name).mkdir(parents=True)
        (folder / name / "thesis.dcm").write_bytes(b"years of work")
        mode = folder.stat().st_mode
        with pytest.raises(UsageError, match="other things than an inbox"):
            Inbox(folder)
        assert folder.stat().st_mode == mode
    disk = tmp_path / "disk"
    (disk / "lost+found").mkdir(parents=True)
    for time in range(2):
        inbox = Inbox(disk)
        inbox.hold()
        inbox.close()
        own = [place / "put here.dcm" for place in (inbox.objects, inbox.incoming)]
        assert {path.exists() for path in own} == {time == 1}
        for path in own:
            path.touch()


def test_results_that_were_queued_before_a_kill_are_not_queued_twice(tmp_path: Path, model: Path) -> None:
    settings = settings_of(tmp_path / "inbox", model=str(model))
    filled(settings.place, scan(3))
    queue = QueueStore(tmp_path / FOLDER_NAME)
    inbox = Inbox(settings.place)
    inbox.hold()
    replies = Replies(inbox.replies, tmp_path, SendQueue(queue), "archive", identified=False)
    tried: list[object] = []
    written = Inbox.done

    def done(self: Inbox, one: Received, message: str) -> None:
        tried.append([job.counts for job in SendQueue(queue).jobs()])
        if len(tried) == 1:
            raise SaveError("The program was killed here.")
        written(self, one, message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inbox, "done", done)
        worked_on(settings, inbox, lambda: inbox.counts() == {"done": 1}, replies)
    assert tried == [[{"waiting": 3}]] * 2
    assert [job.counts for job in SendQueue(queue).jobs()] == [{"waiting": 3}]
    assert len(list(inbox.sessions.iterdir())) == 1
    inbox.close()
    queue.close()


@pytest.mark.requirement("D6")
def test_a_model_that_is_gone_keeps_what_came_waiting_and_a_damaged_loop_fails_alone(
    tmp_path: Path, model: Path, heard: pytest.LogCaptureFixture
) -> None:
    settings = settings_of(
        tmp_path / "inbox", model=str(model), rules=(Rule(str(tmp_path / "gone.safetensors"), station="R*"),)
    )
    other = loop(number=2, StationName="X")
    filled(settings.place, loop(number=1), other, loop(number=3, StationName="X"))
    inbox = Inbox(settings.place)
    inbox.hold()
    damaged = inbox.all()[1]
    inbox.path(damaged).write_bytes(b"no longer what was sent")
    worked_on(settings, inbox, lambda: {"failed", "done"} <= set(inbox.counts()))
    first, second, third = inbox.all()
    assert first.state == "waiting"
    assert "gone.safetensors" in first.message
    assert second.state == "failed"
    assert (third.state, third.message) == ("done", NOTHING_FOUND)
    assert "Object 2 could not be analysed" in heard.text
    inbox.close()


def test_stopping_within_a_loop_loses_nothing(tmp_path: Path, model: Path) -> None:
    settings = settings_of(tmp_path / "inbox", model=str(model))
    filled(settings.place, scan(4))
    inbox = Inbox(settings.place)
    inbox.hold()
    reached, go_on = threading.Event(), threading.Event()
    analyst = Analyst(settings, inbox, None)

    with pytest.MonkeyPatch.context() as patch:
        watch = Analyst._watch

        def watched(self: Analyst, source: Any) -> None:
            watch(self, source)
            if source is not None:
                reached.set()
                assert go_on.wait(30)

        patch.setattr(Analyst, "_watch", watched)
        analyst.start()
        assert reached.wait(60)
        stopping = threading.Thread(target=analyst.stop)
        stopping.start()
        until(lambda: analyst._is_stopping())
        go_on.set()
        stopping.join()
    (one,) = inbox.all()
    assert (one.state, one.attempts) == ("waiting", 0)
    worked_on(settings, inbox, lambda: inbox.counts() == {"done": 1})
    inbox.close()
