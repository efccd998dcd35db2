"""Earlier studies: found and got from real servers, and from servers that answer badly."""

from __future__ import annotations

import datetime
import errno
import json
import logging
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage, CTImageStorage
from pynetdicom import evt

from main import main
from semc_core.cli.pacs_priors import GET_EXAMPLES
from semc_core.errors import ExportError, PacsError, SaveError, UsageError
from semc_core.pacs.association import AssociationFault
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pacs.priors import get as getting
from semc_core.pacs.priors.find import Studies, StudyQuestion, fault, find_studies, identifier_of
from semc_core.pacs.priors.get import fetch_study
from semc_core.pacs.syntaxes import KINDS
from semc_core.sources.dicom import DicomSource
from tests.pacs.archives import STUDY, Answers, fill, giving, handing_out, held, study_row
from tests.pacs.servers import HOST, destination, needs_orthanc, orthanc

OTHER = "1.2.276.0.7230010.3.2.202"
OF_HER = StudyQuestion("4711")


def uids(found: Studies) -> list[str]:
    return [row.study_uid for row in found.rows]


@needs_orthanc
@pytest.mark.long
@pytest.mark.requirement("H10")
def test_orthanc_is_searched_and_hands_a_study_out(tmp_path: Path) -> None:
    about = {"AccessionNumber": "A100", "StudyDate": "20261130", "StudyDescription": "Second trimester"}
    later = {"AccessionNumber": "A200", "StudyDate": "20261201", "PatientName": "Zweistein^Bertha"}
    contents = held(2, clips=1, elements=about)
    mixed = held(2, study=f"{STUDY}.7", elements={"PatientID": "4713", "PatientName": "Other^One"})
    mixed[1].SOPClassUID = mixed[1].file_meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    with orthanc(tmp_path, DicomAlwaysAllowGet=True) as archive:
        server = fill(
            archive, [*mixed, *contents, *held(1, study=OTHER, elements={"PatientID": "4712", **later})]
        )
        for question, wanted in (
            (StudyQuestion("4711"), [STUDY]),
            (StudyQuestion(accession="A200"), [OTHER]),
            (StudyQuestion(name="zweistein"), [OTHER, STUDY]),
            (StudyQuestion(name="Zwei*^B?rtha"), [OTHER]),
            (StudyQuestion(first=datetime.date(2026, 12, 1)), [OTHER]),
            (
                StudyQuestion("4711", first=datetime.date(2026, 11, 30), last=datetime.date(2026, 11, 30)),
                [STUDY],
            ),
            (StudyQuestion("4711", modality="MR"), []),
            (StudyQuestion("47"), []),
        ):
            found = find_studies(server, question)
            assert (uids(found), found.whole) == (wanted, True)
            assert found.notice == ("" if wanted else "archive has no such study.")
        (row,) = find_studies(server, OF_HER).rows
        assert (row.date, row.description, row.objects, row.modalities) == (
            "20261130", "Second trimester", 3, "US",
        )  # fmt: skip
        told: list[tuple[int, int]] = []
        fetched = fetch_study(
            server, STUDY, tmp_path / "prior", watch=lambda come, left: told.append((come, left))
        )
        with pytest.raises(PacsError, match="it may not have it"):
            fetch_study(server, "1.2.3", tmp_path / "none")
        check_second_opinion(server, tmp_path)
        pictures = fetch_study(server, f"{STUDY}.7", tmp_path / "pictures")
    assert (pictures.objects, pictures.missing, pictures.passed_over) == (1, 0, 1)
    assert pictures.notice == "1 object left out: no pictures."
    assert (fetched.objects, fetched.whole, fetched.notice) == (3, True, "")
    assert told[-1][0] >= 2
    assert not (tmp_path / "none").exists()
    files = sorted((tmp_path / "prior").iterdir())
    assert [path.name for path in files] == sorted(f"{one.SOPInstanceUID}.dcm" for one in contents)
    assert (tmp_path / "prior").stat().st_mode & 0o077 == 0, "it names a patient"
    for one in contents:
        came = pydicom.dcmread(tmp_path / "prior" / f"{one.SOPInstanceUID}.dcm")
        assert np.array_equal(came.pixel_array, one.pixel_array)
        assert came.file_meta.TransferSyntaxUID == one.file_meta.TransferSyntaxUID, "as it was kept"
    source = DicomSource(files[0])
    assert source.grab_at(0).picture.height == 21
    source.close()


def check_second_opinion(server: Destination, folder: Path) -> None:
    """dcmtk finds and gets the same."""
    where = ["-aec", server.title, HOST, str(server.port)]
    asked = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=4711", "-k", "StudyInstanceUID"]
    said = subprocess.run(
        ["findscu", "-v", *asked, *where], capture_output=True, encoding="utf-8", check=True
    )
    assert set(re.findall(r"0020,000d\) UI \[([0-9.]+)", said.stderr + said.stdout)) == {STUDY}
    (folder / "getscu").mkdir()
    one = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}"]
    subprocess.run(["getscu", "-od", str(folder / "getscu"), *one, *where], check=True, capture_output=True)
    assert len(list((folder / "getscu").iterdir())) == 3


def test_a_question_is_as_the_standard_has_it_and_names_begin_so() -> None:
    asked = identifier_of(StudyQuestion("4711", "Smith^Jo", datetime.date(2026, 1, 1), accession="A1"))
    assert (asked.QueryRetrieveLevel, asked.PatientID, asked.AccessionNumber) == ("STUDY", "4711", "A1")
    assert (asked.PatientName, asked.StudyDate, asked.ModalitiesInStudy) == ("Smith^Jo*", "20260101-", "US")
    assert identifier_of(StudyQuestion(name="Sm?th")).PatientName == "Sm?th"
    day = datetime.date(2026, 1, 1)
    assert identifier_of(StudyQuestion(first=day, last=day)).StudyDate == "20260101"


@pytest.mark.parametrize(
    "given",
    [
        {}, {"name": "*"}, {"name": "?^*"}, {"patient_id": "47*"}, {"accession": "A?"},
        {"patient_id": "1\\2"},
        {"name": "x" * 65}, {"name": "a\nb"}, {"patient_id": "1", "modality": "U*"},
        {"first": datetime.date(2026, 2, 1), "last": datetime.date(2026, 1, 1)},
    ],
)  # fmt: skip
def test_what_would_list_what_nobody_meant_is_not_asked(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        StudyQuestion(**given)


def test_thousands_of_studies_are_cut_and_told_of() -> None:
    sent = []

    def answers(question: Dataset) -> Answers:
        for number in range(3000):
            sent.append(number)
            yield 0xFF00, study_row(f"{STUDY}.{number}")
        yield 0, None

    with handing_out(answers) as archive:
        found = find_studies(archive, OF_HER, 20)
        assert (len(found.rows), found.whole) == (20, False)
        assert found.notice == "archive has more than 20 such studies; say more of what is looked for."
        with pytest.raises(UsageError):
            find_studies(archive, OF_HER, 5000)


def test_exactly_so_many_are_whole() -> None:
    def answers(question: Dataset) -> Answers:
        for number in range(20):
            yield 0xFF00, study_row(f"{STUDY}.{number}")
        yield 0, None

    with handing_out(answers) as archive:
        found = find_studies(archive, OF_HER, 20)
    assert (len(found.rows), found.whole, found.notice) == (20, True, "")


def test_a_server_that_passes_over_keys_shows_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    def answers(question: Dataset) -> Answers:
        yield 0xFF00, study_row(PatientID="4712")
        yield 0xFF00, study_row("not a uid")
        yield 0xFF00, study_row(PatientSex="X", StudyDate="yesterday", NumberOfStudyRelatedInstances="7")
        yield 0, None

    caplog.set_level(logging.DEBUG)
    with disable_value_validation(), handing_out(answers) as archive:
        found = find_studies(archive, OF_HER)
    (row,) = found.rows
    assert (row.study_uid, row.sex, row.date, row.objects, row.modalities) == (STUDY, "", "", 7, "US, SR")
    assert found.notice == ("2 answers of archive left out: not what was asked for, or without a UID.")
    assert "Zweistein" not in caplog.text
    assert "4711" not in caplog.text


def test_a_server_that_refuses_breaks_off_or_cannot_be_searched_says_so() -> None:
    def breaks(question: Dataset) -> Answers:
        yield 0xFF00, study_row()
        yield 0xA700, None

    with handing_out(breaks) as archive:
        with pytest.raises(PacsError) as said:
            find_studies(archive, OF_HER)
        assert str(said.value) == fault("archive", 0xA700)
        with pytest.raises(AssociationFault, match="does not answer to the AE title"):
            find_studies(destination(archive.port, "WRONG"), OF_HER)
        with pytest.raises(AssociationFault, match="hands out nothing by C-GET"):
            fetch_study(archive, STUDY, Path("nowhere"))
    with (
        handing_out(get=giving([])) as archive,
        pytest.raises(AssociationFault, match="cannot be searched at this port"),
    ):
        find_studies(archive, OF_HER)


def nothing_left(folder: Path) -> bool:
    """Whether a folder holds nothing, hidden or not."""
    return not list(folder.iterdir())


@pytest.mark.requirement("H10")
def test_what_is_not_of_the_study_is_not_taken_and_half_a_study_is_said(tmp_path: Path) -> None:
    right, foreign, renamed = held(3)
    foreign.StudyInstanceUID = OTHER

    def get(event: evt.Event) -> Iterator[Any]:
        yield 3
        yield 0xFF00, right
        yield 0xFF00, foreign
        yield 0xFF00, renamed

    with handing_out(get=get) as archive:
        fetched = fetch_study(archive, STUDY, tmp_path / "prior")
    assert (fetched.objects, fetched.missing, fetched.whole) == (2, 1, False)
    assert fetched.notice == (
        "Not the whole study: 2 came, and 1 object of archive did not (1 of what it sent is not of that "
        "study, or cannot be read)."
    )
    assert OTHER not in {pydicom.dcmread(path).StudyInstanceUID for path in (tmp_path / "prior").iterdir()}


def test_a_kind_that_is_not_read_is_told_of(tmp_path: Path) -> None:
    picture, volume = held(2)
    volume.SOPClassUID = volume.file_meta.MediaStorageSOPClassUID = CTImageStorage
    with handing_out(get=giving([picture, volume])) as archive:
        fetched = fetch_study(archive, STUDY, tmp_path / "prior")
    assert (fetched.objects, fetched.missing, fetched.whole) == (1, 1, False)
    assert fetched.notice == (
        "Not the whole study: 1 came, and 1 object of archive did not (of a kind or coding that is not read "
        "here)."
    )


def test_another_study_than_was_asked_for_is_no_study(tmp_path: Path) -> None:
    with (
        handing_out(get=giving(held(2, study=OTHER))) as archive,
        pytest.raises(PacsError, match=r"no pictures of that study\. Not the whole study: 0 came"),
    ):
        fetch_study(archive, STUDY, tmp_path / "prior")
    assert nothing_left(tmp_path)


@pytest.mark.requirement("H10")
def test_a_connection_that_breaks_midway_leaves_nothing(tmp_path: Path) -> None:
    def get(event: evt.Event) -> Iterator[Any]:
        yield 3
        yield 0xFF00, held(1)[0]
        event.assoc.abort()

    with handing_out(get=get) as archive, pytest.raises(AssociationFault, match="broke off"):
        fetch_study(archive, STUDY, tmp_path / "prior")
    assert nothing_left(tmp_path)


@pytest.mark.long
def test_what_is_too_large_or_too_much_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with handing_out(get=giving(held(3))) as archive:
        with monkeypatch.context() as less:
            less.setattr(getting, "MOST_OBJECT_BYTES", 600)
            with pytest.raises(PacsError, match="has more than 0 MB"):
                fetch_study(archive, STUDY, tmp_path / "prior")
        with monkeypatch.context() as less:
            less.setattr(getting, "MOST_OBJECTS", 2)
            with pytest.raises(PacsError, match="more than 2 objects"):
                fetch_study(archive, STUDY, tmp_path / "prior")
        with monkeypatch.context() as less:
            less.setattr(getting, "MOST_STUDY_BYTES", 1000)
            with pytest.raises(PacsError, match="more than 0 GB"):
                fetch_study(archive, STUDY, tmp_path / "prior")
    assert nothing_left(tmp_path)


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(getting, "write_file_meta_info", full)
    with handing_out(get=giving(held(3))) as archive, pytest.raises(SaveError) as said:
        fetch_study(archive, STUDY, tmp_path / "prior")
    assert str(tmp_path) in str(said.value)
    assert nothing_left(tmp_path)


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "prior").mkdir()
    with handing_out(get=giving(held(1))) as archive:
        with pytest.raises(ExportError):
            fetch_study(archive, STUDY, tmp_path / "prior")
        for uid in ("", "../x", "1..2x", "1." * 40):
            with pytest.raises(UsageError):
                fetch_study(archive, uid, tmp_path / "new")
        with pytest.raises(UsageError):
            fetch_study(archive, STUDY, tmp_path / "new.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["prior"]


@pytest.mark.parametrize("instance", ["../../evil", "/etc/passwd", "1.2/3", "", "x" * 70, "1.2\0"])
def test_no_file_gets_its_name_from_what_was_sent(instance: str, tmp_path: Path) -> None:
    taken = getting.Taken(STUDY, tmp_path, tmp_path)
    request = SimpleNamespace(AffectedSOPInstanceUID=instance, AffectedSOPClassUID=KINDS[0])
    assert taken.take(SimpleNamespace(request=request)) == 0xA900
    assert nothing_left(tmp_path)


def test_a_server_that_sends_one_object_twice_is_taken_once(tmp_path: Path) -> None:
    one = held(1)[0]
    with handing_out(get=giving([one, one])) as archive:
        fetched = fetch_study(archive, STUDY, tmp_path / "prior")
    assert fetched.objects == 1
    (path,) = (tmp_path / "prior").iterdir()
    assert pydicom.dcmread(path).SOPInstanceUID == pydicom.dcmread(path).file_meta.MediaStorageSOPInstanceUID


def test_the_command_line_finds_and_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path / "data")

    def said(*words: str, code: int = 0) -> str:
        assert main(["pacs", *words]) == code
        return capsys.readouterr().out

    asked: list[str] = []

    def answers(question: Dataset) -> Answers:
        asked.append(question.ModalitiesInStudy)
        yield 0xFF00, study_row()
        yield 0, None

    contents = held(2)
    contents[1].StudyInstanceUID = OTHER
    with handing_out(answers, giving(contents)) as archive:
        DestinationBook(tmp_path / "data").put(archive)
        (row,) = json.loads(said("find", "archive", "--patient-id", "4711", "--json"))["studies"]
        assert (row["study_uid"], row["patient_name"]) == (STUDY, "Zweistein^Alberta")
        assert "Zweistein, Alberta" in said("find", "archive", "--name", "Zweistein")
        said("find", "archive", code=2)
        said("find", "archive", "--date", "2026-13-01", code=2)
        out = str(tmp_path / "prior")
        said("find", "archive", "--patient-id", "4711", "--modality", "Any")
        fetched = json.loads(said("get", "archive", STUDY, "--out", out, "--json", code=1))
        told = said("get", "archive", STUDY, "--out", str(tmp_path / "again"), code=1)
        assert told.startswith(f"1 object in {tmp_path / 'again'}.\n"), "and no empty line before"
    assert (fetched["objects"], fetched["missing"], fetched["whole"]) == (1, 1, False)
    assert Path(fetched["folder"]) == tmp_path / "prior"
    assert asked == ["US", "US", ""]
    monkeypatch.chdir(tmp_path)
    *_, example = GET_EXAMPLES.splitlines()
    assert main(shlex.split(example)[1:]) == 0, "what the help names goes on with it"
