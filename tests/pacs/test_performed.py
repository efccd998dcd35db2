"""What a server is told of a scan: by a real server in another process, away, faulty, and after a kill."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from main import main
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.pacs.association import AssociationFault
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pacs.performed import (
    FOLDER_NAME,
    MOST_ATTEMPTS,
    PerformedAssociation,
    PerformedStep,
    PerformedSteps,
    Told,
)
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from tests.export.scans import video_session
from tests.pacs.mpps_server import mpps_server, said
from tests.pacs.servers import HOST, free_port
from tests.pacs.worklists import answering
from tests.session.sessions import new_session

ASKED = Examination(
    "Zweistein^Änne", "4711", "19780304", "F", "A100", "1.2.276.0.7230010.3.2.101", "SPS7", "Anatomy",
    "RP3", "Second trimester scan",
)  # fmt: skip


def begun(data: Path, session: Session, server: Destination) -> tuple[PerformedSteps, DestinationBook, str]:
    """A step that nobody was told of."""
    book = DestinationBook(data)
    book.put(server)
    steps = PerformedSteps(data)
    uid = steps.begin(server.name, ASKED, session.folder, session.id).uid
    return steps, book, uid


@pytest.mark.requirement("H8")
def test_a_server_is_told_of_the_beginning_and_of_the_end(tmp_path: Path) -> None:
    with mpps_server(tmp_path / "told") as ris, new_session(tmp_path / "scan") as session:
        steps, book, uid = begun(tmp_path / "data", session, ris)
        assert steps.tell(book) == Told(1, 0)
        # Said once.
        assert steps.tell(book) == Told(1, 0)
        ((kind, told_uid, created, _),) = said(tmp_path / "told")
        assert (kind, told_uid) == ("create", uid)
        assert created.PerformedProcedureStepStatus == "IN PROGRESS"
        assert (created.PatientName, created.PatientID) == ("Zweistein^Änne", "4711")
        (scheduled,) = created.ScheduledStepAttributesSequence
        assert (scheduled.StudyInstanceUID, scheduled.AccessionNumber) == (ASKED.study_uid, "A100")
        assert (scheduled.ScheduledProcedureStepID, scheduled.RequestedProcedureID) == ("SPS7", "RP3")
        assert created.PerformedStationAETitle == "SEMC_LIVE"
        assert created.PerformedProcedureStepStartDate
        assert not created.PerformedSeriesSequence
        steps.end(uid, completed=True)
        assert steps.tell(book) == Told(0, 0)
    kind, told_uid, ended, _ = said(tmp_path / "told")[1]
    assert (kind, told_uid, ended.PerformedProcedureStepStatus) == ("set", uid, "COMPLETED")
    assert ended.PerformedProcedureStepEndTime
    assert len(ended.PerformedSeriesSequence) == 1
    assert not list((tmp_path / "data" / FOLDER_NAME).glob("*.json")), "what was told is kept nowhere"


def test_the_series_that_is_named_is_that_of_the_identified_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    data = tmp_path / "data"
    with video_session(tmp_path / "session", count=20) as session:
        session.set_examination(ASKED)
        step = PerformedSteps(data).begin("ris", ASKED, session.folder, session.id)
        options = ExportOptions(deidentify=False, dicom=True, report=False, clips=False)
        export_session(session, tmp_path / "export", options, data=data)
    objects = [pydicom.dcmread(path) for path in (tmp_path / "export" / "dicom").glob("*.dcm")]
    assert step.series in {one.SeriesInstanceUID for one in objects if "PixelData" in one}
    assert {one.StudyInstanceUID for one in objects} == {step.study}


@pytest.mark.requirement("H8")
def test_a_server_that_is_away_is_told_later_and_in_order(tmp_path: Path) -> None:
    port = free_port()
    away = Destination("ris", HOST, port, "RIS", connect_s=20, answer_s=20, mpps=True)
    with new_session(tmp_path / "scan") as session:
        steps, book, uid = begun(tmp_path / "data", session, away)
        told = steps.tell(book)
        assert told.due == 1
        assert "cannot be reached" in told.message
        steps.end(uid, completed=False)
    assert PerformedSteps(tmp_path / "data").tell(book).due == 1
    with mpps_server(tmp_path / "told", port=port):
        assert PerformedSteps(tmp_path / "data").tell(book) == Told(0, 0)
    (first, _, _, _), (last, _, ended, _) = said(tmp_path / "told")
    assert (first, last) == ("create", "set")
    assert ended.PerformedProcedureStepStatus == "DISCONTINUED"
    # There is one at the end in any case (PS3.4 F.7.2.2), though it may hold no images.
    (series,) = ended.PerformedSeriesSequence
    assert not series.ReferencedImageSequence


def test_a_scan_that_a_kill_broke_off_is_discontinued_and_one_that_runs_is_not(tmp_path: Path) -> None:
    with mpps_server(tmp_path / "told") as ris, new_session(tmp_path / "scan") as session:
        steps, book, _ = begun(tmp_path / "data", session, ris)
        steps.end_broken()
        assert steps.tell(book) == Told(1, 0)
        session.close()
        again = PerformedSteps(tmp_path / "data")
        again.end_broken()
        assert again.tell(book) == Told(0, 0)
    assert said(tmp_path / "told")[1][2].PerformedProcedureStepStatus == "DISCONTINUED"


def test_an_answer_that_was_lost_is_no_fault_and_a_refusal_ends_after_a_few(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        # It knows this step already.
        with mpps_server(tmp_path / "known", 0x0111) as ris:
            steps, book, uid = begun(tmp_path / "one", session, ris)
            steps.end(uid, completed=True)
            assert steps.tell(book) == Told(0, 0)
        with mpps_server(tmp_path / "refused", *(0x0106,) * MOST_ATTEMPTS) as ris:
            steps, book, _ = begun(tmp_path / "two", session, ris)
            told = [steps.tell(book) for _ in range(MOST_ATTEMPTS)]
    assert [each[0] for each in said(tmp_path / "known")] == ["create", "set"]
    assert [each.due for each in told] == [1] * (MOST_ATTEMPTS - 1) + [0]
    assert "status 0106" in told[-1].message
    assert len(said(tmp_path / "refused")) == MOST_ATTEMPTS


@pytest.mark.parametrize("warning", [0x0107, 0x0116])
def test_a_warning_is_no_fault(tmp_path: Path, warning: int) -> None:
    with mpps_server(tmp_path / "told", warning, warning) as ris, new_session(tmp_path / "scan") as session:
        steps, book, uid = begun(tmp_path / "data", session, ris)
        steps.end(uid, completed=True)
        assert steps.tell(book) == Told(0, 0)
    assert [each[0] for each in said(tmp_path / "told")] == ["create", "set"]


def test_an_end_that_the_server_knows_already_is_told_and_other_failures_are_not(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        # As where the answer to the first N-SET was lost: it may no longer be updated.
        with mpps_server(tmp_path / "over", 0, 0xA7100110) as ris:
            steps, book, uid = begun(tmp_path / "one", session, ris)
            steps.end(uid, completed=True)
            assert steps.tell(book) == Told(0, 0)
        with mpps_server(tmp_path / "failed", 0, 0x0110) as ris:
            steps, book, uid = begun(tmp_path / "two", session, ris)
            steps.end(uid, completed=True)
            told = steps.tell(book)
            assert told.due == 1
            assert "status 0110" in told.message
            assert steps.tell(book) == Told(0, 0)


def test_a_server_that_forgot_the_step_is_told_from_its_beginning(tmp_path: Path) -> None:
    with mpps_server(tmp_path / "told", 0, 0x0112) as ris, new_session(tmp_path / "scan") as session:
        steps, book, uid = begun(tmp_path / "data", session, ris)
        steps.tell(book)
        steps.end(uid, completed=True)
        assert steps.tell(book).due == 1
        assert steps.tell(book) == Told(0, 0)
    assert [each[0] for each in said(tmp_path / "told")] == ["create", "set", "create", "set"]


def test_a_scan_that_ends_while_another_program_tells_its_beginning_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = PerformedAssociation.create

    def ending(self: PerformedAssociation, step: PerformedStep) -> int:
        PerformedSteps(tmp_path / "data").end(step.uid, completed=True)
        return create(self, step)

    monkeypatch.setattr(PerformedAssociation, "create", ending)
    with mpps_server(tmp_path / "told") as ris, new_session(tmp_path / "scan") as session:
        steps, book, _ = begun(tmp_path / "data", session, ris)
        steps.tell(book)
        steps.tell(book)
    assert [each[0] for each in said(tmp_path / "told")] == ["create", "set"]
    assert said(tmp_path / "told")[1][2].PerformedProcedureStepStatus == "COMPLETED"


def test_faults_at_the_end_are_counted_and_end(tmp_path: Path) -> None:
    faults = (0x0106,) * MOST_ATTEMPTS
    with mpps_server(tmp_path / "told", 0, *faults) as ris, new_session(tmp_path / "scan") as session:
        steps, book, uid = begun(tmp_path / "data", session, ris)
        steps.end(uid, completed=True)
        told = [steps.tell(book).due for _ in faults]
    assert told == [1] * (MOST_ATTEMPTS - 1) + [0]


def test_a_clock_that_is_set_back_makes_no_end_before_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_session(tmp_path / "scan") as session:
        server = Destination("ris", HOST, free_port(), "RIS", mpps=True)
        steps, _, uid = begun(tmp_path / "data", session, server)
    monkeypatch.setattr("semc_core.pacs.performed.utc_now", lambda: "2020-01-01T00:00:00.000+00:00")
    steps.end(uid, completed=True)
    (step,) = steps.all()
    assert step.ended == step.began


def test_a_server_that_no_longer_wants_it_or_never_could_is_not_told(tmp_path: Path) -> None:
    with answering(lambda asked: iter(())) as ris, new_session(tmp_path / "scan") as session:
        steps, book, _ = begun(
            tmp_path / "data", session, Destination("ris", HOST, ris.port, "RIS", mpps=True)
        )
        with pytest.raises(AssociationFault, match=r"MPPS.*switch it off"):
            PerformedAssociation(ris)
        assert "MPPS" in steps.tell(book).message
        book.put(Destination("ris", HOST, ris.port, "RIS"))
        assert steps.tell(book) == Told(0, 0)


def test_a_damaged_file_is_passed_over_and_others_cannot_read_them(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        server = Destination("ris", HOST, free_port(), "RIS", mpps=True)
        steps, _, uid = begun(tmp_path / "data", session, server)
    folder = tmp_path / "data" / FOLDER_NAME
    (folder / "broken.json").write_text('{"uid": "../../x"}', encoding="utf-8")
    assert [each.uid for each in steps.all()] == [uid]
    assert folder.stat().st_mode & 0o077 == 0


def test_the_command_tells_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path / "data")
    with mpps_server(tmp_path / "told") as ris:
        add = ["pacs", "add", "ris", HOST, str(ris.port), "RIS", "--mpps"]
        assert main(add) == 0
        with new_session(tmp_path / "scan") as session:
            begun(tmp_path / "data", session, DestinationBook(tmp_path / "data").get("ris"))
        assert main(["pacs", "run"]) == 0
    assert [each[0] for each in said(tmp_path / "told")] == ["create", "set"]
