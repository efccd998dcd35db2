"""The worklist: of real servers, and of such as answer badly, too much or not at all."""

from __future__ import annotations

import datetime
import json
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from rich.console import Console

from main import main
from semc_core.cli.pacs_worklist import print_worklist
from semc_core.errors import PacsError
from semc_core.pacs import worklist
from semc_core.pacs.association import AssociationFault, shut_down
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pacs.worklist import WorklistQuestion, ask_worklist, row_of
from semc_core.session.examination import Examination, plain_name
from tests.pacs.servers import HOST, destination, free_port, needs_orthanc, orthanc
from tests.pacs.worklists import (
    STUDY,
    TODAY,
    Scheduled,
    answer_of,
    answering,
    dcmtk_worklists,
    needs_dump2dcm,
    needs_orthanc_worklists,
    needs_wlmscpfs,
    orthanc_worklists,
)

EXPECTED = Examination(
    "Zweistein^Alberta", "4711", "19780304", "F", "A100", STUDY, "SPS7", "Anatomy", "RP3",
    "Second trimester scan", "Smith^Jo", "US", f"{TODAY:%Y%m%d}", "0856",
)  # fmt: skip
LAST_YEAR = TODAY - datetime.timedelta(365)
ROWS = (
    Scheduled(name="Müller^Änne", number="2", accession="A2", study=f"{STUDY}.2", time="1000"),
    Scheduled(),
    Scheduled(name="Other^Modality", number="3", accession="A3", study=f"{STUDY}.3", modality="MR"),
    Scheduled(name="Other^Day", number="4", accession="A4", study=f"{STUDY}.4", day=LAST_YEAR),
)


@needs_dump2dcm
@needs_orthanc_worklists
@pytest.mark.requirement("H7")
def test_orthanc_lists_the_examinations_of_today(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with orthanc_worklists(tmp_path, ROWS) as ris:
        found = ask_worklist(ris, WorklistQuestion(TODAY))
        everything = ask_worklist(ris, WorklistQuestion(None, ""))
    assert found.rows[0] == EXPECTED
    assert [row.patient_name for row in found.rows] == ["Zweistein^Alberta", "Müller^Änne"]
    assert found.whole
    assert not found.notice
    assert {row.patient_id for row in everything.rows} == {"2", "3", "4", "4711"}
    assert "Zweistein" not in caplog.text


@needs_dump2dcm
@needs_wlmscpfs
def test_dcmtk_lists_the_examinations_of_today(tmp_path: Path) -> None:
    # It leaves out rows whose names are not plain letters.
    rows = (replace(ROWS[0], name="Mueller^Aenne"), *ROWS[1:])
    with dcmtk_worklists(tmp_path, rows) as ris:
        found = ask_worklist(ris, WorklistQuestion(TODAY))
        station = ask_worklist(ris, WorklistQuestion(TODAY, station="ELSEWHERE"))
    assert found.rows[0] == EXPECTED
    assert [row.patient_id for row in found.rows] == ["4711", "2"]
    assert not station.rows


@needs_dump2dcm
@needs_orthanc_worklists
def test_a_clock_that_is_wrong_by_a_year_is_told_of(tmp_path: Path) -> None:
    with orthanc_worklists(tmp_path, ROWS[:2]) as ris:
        found = ask_worklist(ris, WorklistQuestion(LAST_YEAR), today=LAST_YEAR)
        asked = ask_worklist(ris, WorklistQuestion(LAST_YEAR))
    assert not found.rows
    assert f"nearest {TODAY:%d %b %Y}; check the date of this computer" in found.notice
    assert asked.notice.endswith(f"for {LAST_YEAR:%d %b %Y}.")


@needs_orthanc
def test_a_server_without_a_worklist_is_told_of(tmp_path: Path) -> None:
    with orthanc(tmp_path) as server, pytest.raises(AssociationFault, match="has no worklist") as caught:
        ask_worklist(destination(server.port, "ORTHANC"), WorklistQuestion(TODAY))
    assert caught.value.permanent


def test_a_wrong_ae_title_is_told_of() -> None:
    with answering(lambda asked: iter(())) as ris:
        unknown = Destination("ris", HOST, ris.port, "OTHER")
        with pytest.raises(AssociationFault, match='AE title "OTHER"; correct'):
            ask_worklist(unknown, WorklistQuestion(TODAY))


def test_nobody_there_and_one_that_says_nothing() -> None:
    with pytest.raises(AssociationFault, match=r"cannot be reached .*check that it runs"):
        ask_worklist(destination(free_port()), WorklistQuestion(TODAY))
    go_on = threading.Event()

    def silent(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        go_on.wait(60)
        yield 0x0000, None

    with answering(silent, answer_s=0.5) as ris:
        try:
            with pytest.raises(AssociationFault, match="gave no answer in time"):
                ask_worklist(ris, WorklistQuestion(TODAY))
        finally:
            go_on.set()


def test_a_wait_for_an_answer_is_ended_from_another_thread() -> None:
    go_on, asked = threading.Event(), threading.Event()
    connections: list[socket.socket] = []

    def silent(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        asked.set()
        go_on.wait(60)
        yield 0x0000, None

    def cut() -> None:
        assert asked.wait(60)
        shut_down(connections[0])

    with answering(silent, answer_s=120) as ris:
        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            with pytest.raises(AssociationFault, match="broke off"):
                ask_worklist(ris, WorklistQuestion(TODAY), opened=connections.append)
        finally:
            go_on.set()
            cutter.join()


def test_too_many_examinations_are_cut_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worklist, "MOST_ROWS", 20)
    given: list[int] = []

    def endless(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        while len(given) < 2000:
            given.append(1)
            yield 0xFF00, answer_of()
        yield 0x0000, None

    with answering(endless) as ris:
        found = ask_worklist(ris, WorklistQuestion(TODAY))
    assert len(found.rows) == 20
    assert not found.whole
    assert "more than 20" in found.notice


def test_a_server_that_drips_is_ended_after_a_while() -> None:
    over = threading.Event()

    def drip(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        while not over.wait(0.2):
            yield 0xFF00, answer_of()

    with answering(drip, answer_s=1) as ris:
        try:
            found = ask_worklist(ris, WorklistQuestion(TODAY))
        finally:
            over.set()
    assert found.rows
    assert not found.whole
    assert "took too long" in found.notice


@pytest.mark.parametrize(
    ("status", "words"),
    [(0xA700, "ask for one day"), (0xA900, "does not understand"), (0xC001, "C001"), (0x0124, "not allow")],
)
def test_a_status_becomes_a_sentence(status: int, words: str) -> None:
    def answers(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        yield status, None

    with answering(answers) as ris, pytest.raises(PacsError, match=words):
        ask_worklist(ris, WorklistQuestion(TODAY))


def test_values_that_dicom_does_not_allow_are_left_out_and_counted() -> None:
    bad = ("A" * 17, "B\\C")
    rows = [row_of(answer_of(AccessionNumber=each)) for each in bad]
    assert rows == [None, None]
    assert row_of(answer_of(name="N" * 65)) is None
    assert row_of(answer_of(StudyInstanceUID="1.2.x")) is None
    found = row_of(answer_of(PatientBirthDate="1978", PatientSex="W"))
    assert found is not None
    assert (found.birth_date, found.sex) == ("", "")
    # Of several writings the first is taken, where all together are too long.
    long = row_of(answer_of(name=f"Yamada^Tarou={'山' * 40}={'や' * 40}"))
    assert long is not None
    assert long.patient_name == "Yamada^Tarou"
    # A server that sends no step at all.
    assert row_of(Dataset()) == Examination()

    def answers(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        yield 0xFF00, answer_of(AccessionNumber=bad[0])
        yield 0xFF00, answer_of(AccessionNumber="A1")
        yield 0x0000, None

    with answering(answers) as ris:
        listed = ask_worklist(ris, WorklistQuestion(TODAY))
    assert [row.accession_number for row in listed.rows] == ["A1"]
    assert listed.left_out == 1
    assert listed.notice.startswith("1 examination of ris left out")


@pytest.mark.parametrize(
    ("said", "kept"),
    [("19780304", "19780304"), ("1978.03.04", "19780304"), ("1978-03-04", "19780304")]
    + [
        (each, "") for each in ("19780000", "19781304", "19780230", "\u0661\u0669\u0667\u06680304", "unknown")
    ],
)
def test_a_day_that_is_none_is_left_out_and_not_the_patient(said: str, kept: str) -> None:
    # Many systems write 19780000 of somebody whose birthday nobody knows.
    found = row_of(answer_of(PatientBirthDate=said, day=said))
    assert found is not None
    assert (found.birth_date, found.date) == (kept, kept)


@pytest.mark.parametrize(
    "name",
    ["\u5c71\u7530\u3000\u592a\u90ce", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627^\u0645", "A\u00a0B^C"],
)
def test_spaces_and_joiners_of_other_scripts_leave_nobody_out(name: str) -> None:
    found = row_of(answer_of(name=name))
    assert found is not None
    assert found.patient_name == name


@pytest.mark.parametrize("name", ["A\u202eB^C", "A\nB", "A\u2066B", "A\x1b[2JB", "A\u200fB"])
def test_controls_and_what_turns_the_direction_of_writing_are_no_name(name: str) -> None:
    assert row_of(answer_of(name=name)) is None


def test_a_name_in_a_wrong_character_set_is_told_of_and_a_number_in_one_is_left_out() -> None:
    def answers(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        yield 0xFF00, answer_of(name="M\ufffdller")
        yield 0xFF00, answer_of(AccessionNumber="A\ufffd")
        yield 0x0000, None

    with answering(answers) as ris:
        found = ask_worklist(ris, WorklistQuestion(TODAY))
    assert [row.patient_name for row in found.rows] == ["M\ufffdller"]
    assert found.left_out == 1
    assert "character set" in found.notice


@pytest.mark.parametrize(
    ("keyword", "words"), [("AccessionNumber", "accession"), ("StudyInstanceUID", "study")]
)
def test_one_number_of_two_patients_is_told_of(keyword: str, words: str) -> None:
    def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        for name, number in (("A^B", "1"), ("A^B", "1"), ("C^D", second)):
            yield 0xFF00, answer_of(name, PatientID=number, **{keyword: "1.2"})
        yield 0x0000, None

    second = "2"
    with answering(answers) as ris:
        found = ask_worklist(ris, WorklistQuestion(TODAY))
        assert len(found.rows) == 3
        assert f"one {words}" in found.notice
        second = "1"
        assert not ask_worklist(ris, WorklistQuestion(TODAY)).notice


def test_names_are_shown_as_people_read_them() -> None:
    assert plain_name("=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060") == "\u5c71\u7530, \u592a\u90ce"
    assert plain_name("Zweistein^Alberta^M") == "Zweistein, Alberta M"
    assert plain_name("Yamada^Tarou=山田^太郎") == "Yamada, Tarou"
    assert plain_name("Cher") == "Cher"
    assert plain_name("") == ""


@pytest.mark.parametrize(
    ("tag", "kind", "value"),
    [
        (0x00100020, "FD", b"123"),  # of a wrong length
        (0x00080050, "US", b"123"),
        (0x00400100, "LO", b"nothing"),
    ],
)
def test_one_damaged_answer_does_not_take_the_others_along(tag: int, kind: str, value: bytes) -> None:
    damaged = Dataset()
    damaged[tag] = RawDataElement(BaseTag(tag), kind, len(value), value, 0, False, True)
    assert row_of(damaged) is None


@pytest.mark.parametrize("status", [0xA700, 0xC001, None])
def test_a_server_that_answers_for_one_day_only_has_none_that_day(status: int | None) -> None:
    def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        if asked.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate:
            yield 0x0000, None
        elif status is None:
            raise ConnectionError
        else:
            yield status, None

    with answering(answers) as ris:
        found = ask_worklist(ris, WorklistQuestion(TODAY))
    assert not found.rows
    assert found.notice == f"ris has no US examination for {TODAY:%d %b %Y}."


def test_a_terminal_of_80_columns_shows_whole_numbers_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    row = replace(EXPECTED, patient_id="4711-2288-99", accession_number="A100200300400500")
    print_worklist([row], Console(width=80))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    for whole in (row.patient_id, row.accession_number):
        assert whole in shown


def listed(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
    """One examination, of whatever day is asked for."""
    day = asked.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate
    yield (
        0xFF00,
        answer_of(day=day or "20260101", AccessionNumber="A1", RequestedProcedureDescription="[b]Anatomy"),
    )
    yield 0x0000, None


def test_the_command_lists_what_was_asked_for_and_logs_nothing_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    with answering(listed) as ris:
        DestinationBook(tmp_path).put(ris)
        assert main(["pacs", "worklist", "ris"]) == 0
        shown = capsys.readouterr().out
        assert main(["pacs", "worklist", "ris", "--day", "2026-01-02", "--json"]) == 0
        plain = json.loads(capsys.readouterr().out)
        assert main(["pacs", "worklist", "ris", "--day", "yesterday"]) == 2
        assert "2026-11-30" in capsys.readouterr().err
    for word in ("Zweistein, Alberta", "4711", "A1", "[b]Anatomy"):
        assert word in shown
    (row,) = plain["examinations"]
    assert (row["patient_name"], row["date"]) == ("Zweistein^Alberta", "20260102")
    assert plain["whole"]
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"Zweistein" not in path.read_bytes()
