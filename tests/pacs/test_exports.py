"""From a session to a server, and back into the session's log; the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from main import main
from semc_core.errors import ExportError, PacsError
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.pacs.bundle import KIND, exported_objects, log_results
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
from semc_core.session.session import Session
from tests.export.scans import video_session
from tests.pacs.servers import free_port, needs_storescp, storescp

_OPTIONS = ExportOptions(dicom=True, clips=False, frames=False, report=False, text="keep")


@pytest.fixture(scope="module", autouse=True)
def no_text_is_looked_for() -> Iterator[None]:
    """That is tested elsewhere, and slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
        yield


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a session, with an export of it as a folder and as a ZIP file beside it."""
    place = tmp_path_factory.mktemp("scan")
    with video_session(place / "session", count=20) as session:
        export_session(session, place / "export", _OPTIONS, data=place)
        export_session(session, place / "export.zip", _OPTIONS, data=place)
    return place


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendQueue]:
    """The queue that the command line uses, too."""
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path)
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path)
    file = QueueStore(tmp_path / FOLDER_NAME)
    yield SendQueue(file)
    file.close()


def test_the_objects_of_an_export_are_the_same_in_a_folder_and_a_zip(scan: Path, tmp_path: Path) -> None:
    folder, packed = exported_objects(scan / "export"), exported_objects(scan / "export.zip")
    assert len(folder.objects) == 3
    assert folder.deidentified
    assert [one.sop_instance for one in folder.objects] == [one.sop_instance for one in packed.objects]
    for one in packed.objects:
        assert len(packed.read(one)) == one.size
    with pytest.raises(ExportError, match="not a whole export"):
        exported_objects(tmp_path)


def test_an_export_that_was_changed_or_has_no_dicom_is_not_sent(scan: Path, tmp_path: Path) -> None:
    with Session.open(scan / "session") as session:
        options = ExportOptions(clips=False, frames=False, report=False, text="keep")
        export_session(session, tmp_path / "bare", options, data=tmp_path)
    with pytest.raises(PacsError, match="no DICOM objects"):
        exported_objects(tmp_path / "bare")
    (tmp_path / "bare" / "planes.csv").write_text("something else", encoding="utf-8")
    with pytest.raises(PacsError, match="was changed"):
        exported_objects(tmp_path / "bare")


@needs_storescp
def test_the_command_line_sends_once_and_says_what_became_of_it(
    scan: Path, tmp_path: Path, queue: SendQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    export = str(scan / "export")
    with storescp(tmp_path / "kept") as server:
        assert main(["pacs", "add", "archive", "127.0.0.1", str(server.port), "STORESCP"]) == 0
        assert main(["pacs", "echo", "archive"]) == 0
        assert main(["pacs", "send", export, "--to", "archive", "--wait"]) == 0
        assert main(["pacs", "send", export, "--to", "archive"]) == 0
        assert len(server.kept()) == 3
    said = capsys.readouterr().out
    assert "De-identified: 3 objects for archive." in said
    assert "3 sent" in said
    assert "waiting already: 3 objects" in said
    assert main(["pacs", "echo", "archive"]) == 1
    assert main(["pacs", "send", export, "--to", "archive", "--again"]) == 1
    assert main(["pacs", "remove", "archive"]) == 1
    assert "3 objects waiting for archive" in capsys.readouterr().err
    (job,) = queue.jobs()
    assert main(["pacs", "retry", str(job.job_id)]) == 0
    assert main(["pacs", "list"]) == 0
    assert main(["pacs", "cancel", str(job.job_id)]) == 0
    assert main(["pacs", "list", "--json"]) == 0
    assert main(["pacs", "remove", "archive"]) == 0
    assert main(["pacs", "servers"]) == 0
    assert '"cancelled": 3' in capsys.readouterr().out


@needs_storescp
def test_a_session_is_exported_sent_and_its_log_says_so_once(tmp_path: Path, queue: SendQueue) -> None:
    folder = tmp_path / "session"
    video_session(folder, count=20).close()
    with storescp(tmp_path / "kept") as server:
        main(["pacs", "add", "archive", "127.0.0.1", str(server.port), "STORESCP"])
        assert main(["pacs", "send", str(folder), "--to", "archive"]) == 0
        assert len(server.kept()) == 5
    with Session.open(folder) as session:
        (entry,) = [each for each in session.exports() if each.kind == KIND]
        assert entry.name == "sent to archive"
        assert entry.detail["sent"] == 5
        assert log_results(queue, session) == 0
        assert session.verify().ok


def test_a_session_that_is_open_gets_its_result_from_whoever_has_it(
    scan: Path, queue: SendQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    found = exported_objects(scan / "export")
    main(["pacs", "add", "archive", "127.0.0.1", str(free_port()), "STORESCP", "--attempts", "1"])
    with Session.open(scan / "session") as session:
        queue.add(
            "archive", found.objects, found.read, manifest=found.manifest, session=scan / "session"
        )  # fmt: skip
        assert main(["pacs", "run"]) == 1
        assert not queue.jobs()[0].told
        assert log_results(queue, session) == 1
        assert session.exports()[-1].detail["failed"] == 3
        assert queue.jobs()[0].told
    assert "cannot be reached" in capsys.readouterr().out
