"""The examination that a scan belongs to: kept beside the log, proven by it, and erasable."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path

import pydicom
import pytest

from semc_core.errors import SessionError, UsageError
from semc_core.export.dicom.header import names_patient
from semc_core.session.database import DATABASE_NAME
from semc_core.session.erasing.forget import forget
from semc_core.session.examination import EXAMINATION, Examination, examination_of, read_examination
from semc_core.session.records import Proof
from semc_core.session.session import Session
from semc_core.session.whose import check_same_patient
from tests.export.dicom.examples import sample
from tests.session.killed_writer import origin
from tests.session.sessions import new_session

ASKED = Examination("Zweistein^Alberta", "4711", "19780304", "F", "A100", "1.2.3", "SPS7", "Anatomy", "RP3")


def log_of(folder: Path) -> str:
    """All that the log says, as it is stored."""
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        return str(connection.execute("SELECT * FROM audit").fetchall())


def test_it_is_kept_beside_the_log_and_can_be_changed_and_forgotten(tmp_path: Path) -> None:
    source, model = origin().entries()
    with Session.create(tmp_path / "scan", source, model, ASKED) as session:
        folder = session.folder
        said = [session.examination]
        for each in (None, ASKED):
            session.set_examination(each)
            said.append(session.examination)
        assert said == [ASKED, None, ASKED]
    with Session.open(folder, read_only=True) as session:
        assert session.examination == ASKED
        assert session.verify().ok
    for secret in ("Zweistein", "4711", "A100"):
        assert secret not in re.sub("[0-9a-f]{64}", "a hash", log_of(folder)), (
            "hashes may hold digits by chance"
        )
    forget(folder)
    assert all(b"Zweistein" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with Session.open(folder, read_only=True) as session:
        assert session.examination is None
        assert session.verify().proof is Proof.PROVEN


def test_another_patient_put_into_the_table_is_found(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        session.set_examination(ASKED)
    with closing(sqlite3.connect(session.folder / DATABASE_NAME)) as connection, connection:
        changed = connection.execute(
            "UPDATE private SET text = replace(text, '4711', '4712') WHERE text LIKE '%4711%'"
        )
        assert changed.rowcount == 1
    with Session.open(session.folder, read_only=True) as opened:
        assert not opened.verify().ok


def test_a_session_without_one_has_none(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        assert session.examination is None


@pytest.mark.parametrize("text", ["", "(forgotten)", "{", '{"sex": "W"}', '{"patient_id": "a\\nb"}'])
def test_what_is_none_is_none(text: str) -> None:
    assert examination_of(text) is None


def test_it_comes_back_from_its_text_and_newer_fields_are_passed_over() -> None:
    assert examination_of(ASKED.to_text()) == ASKED
    assert EXAMINATION.parse('{"patient_id": "1", "unknown": 1}') == Examination(patient_id="1")


@pytest.mark.parametrize(
    ("name", "number", "is_refused"),
    [
        ("Zweistein^Alberta", "4711", False),
        ("Einstein^Alberta", "4711", False),
        ("Zweistein^Alberta", "4712", True),
        ("ZWEISTEIN^ALBERTA^", "", False),
        ("Somebody^Else", "", True),
        ("", "", False),
        ("^", "", False),
    ],
)
def test_a_dicom_file_of_another_patient_is_refused(
    tmp_path: Path, name: str, number: str, is_refused: bool
) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID = name, number
    header.save_as(path)
    expected = pytest.raises(SessionError, match="another patient") if is_refused else nullcontext()
    with expected:
        check_same_patient(path, ASKED)
    check_same_patient(path, None)
    # What is no DICOM file says nothing of whose it is.
    (tmp_path / "other.mp4").write_bytes(b"nothing")
    for other in (None, tmp_path, tmp_path / "other.mp4", tmp_path / "not there.dcm"):
        check_same_patient(other, ASKED)


def test_an_examination_of_nobody_is_not_of_another_patient(tmp_path: Path) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID = "Somebody^Else", "99"
    header.save_as(path)
    check_same_patient(path, Examination(indication="Bleeding", operator="Quastel^Io"))
    with pytest.raises(SessionError):
        check_same_patient(path, Examination("Zweistein^Alberta", indication="Bleeding"))


def test_a_number_that_cannot_be_read_leaves_the_name_to_be_held(tmp_path: Path) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID = "Somebody^Else", "123"
    header.save_as(path)
    # As some programs write: of a type that takes eight bytes at a time.
    content = path.read_bytes()
    assert content.count(b"\x10\x00\x20\x00LO") == 1
    path.write_bytes(content.replace(b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00FD"))
    with pytest.raises(SessionError, match="another patient"):
        check_same_patient(path, ASKED)
    assert not names_patient(path), "what an export cannot read names nobody"


def test_an_examination_is_read_from_what_the_worklist_printed(tmp_path: Path) -> None:
    path, plain = tmp_path / "examination.json", asdict(ASKED)
    for content in (plain, {"examinations": [plain], "notice": ""}):
        path.write_text(json.dumps(content), encoding="utf-8")
        assert read_examination(path) == ASKED


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no examination"),
        ("{}", "names no patient"),
        ('{"patient_name": "^", "step": "S"}', "names no patient"),
        ('{"patient_id": "Zweistein", "sex": "W"}', "no examination"),
        ('{"examinations": [{"patient_id": "1"}, {"patient_id": "2"}]}', "holds 2 examinations"),
    ],
)
def test_a_file_without_one_examination_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "examination.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=words) as refused:
        read_examination(path)
    assert "Zweistein" not in str(refused.value)
    with pytest.raises(UsageError, match="no examination"):
        read_examination(tmp_path / "not there.json")
