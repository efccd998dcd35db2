"""Studies of DICOMweb services: found, and got whole or not at all, whatever a service answers."""

from __future__ import annotations

import errno
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from main import main
from semc_core.errors import ExportError, PacsError, SaveError, UsageError
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.priors.find import StudyQuestion
from semc_core.pacs.syntaxes import KINDS
from semc_core.pacs.web_secret import WebSecret
from semc_core.sources.dicom import DicomSource
from tests.pacs.archives import STUDY, encoded, fill, held

pytest.importorskip("dicomweb_client", reason="the extra `web` is not installed")
from semc_core.pacs.web import get as getting
from semc_core.pacs.web.find import find_studies
from semc_core.pacs.web.get import fetch_study, one_part
from tests.pacs.web.servers import Asked, Reply, needs_orthanc_web, orthanc_web, service, serving

OTHER = "1.2.276.0.7230010.3.2.202"
OF_HER = StudyQuestion("4711")
NOBODY = WebSecret()
KIND = KINDS[0]


def study(uid: str = STUDY, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "0020000D": {"vr": "UI", "Value": [uid]},
        "00100020": {"vr": "LO", "Value": ["4711"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Zweistein^Alberta"}]},
        "00080020": {"vr": "DA", "Value": ["20261130"]},
        "00080061": {"vr": "CS", "Value": ["US", "SR"]},
        "00201208": {"vr": "IS", "Value": [3]},
    }
    return row | more


def an_object(uid: str, kind: str = KIND) -> dict[str, Any]:
    values = {"00080016": kind, "00080018": uid, "0020000E": f"{STUDY}.9"}
    return {tag: {"vr": "UI", "Value": [value]} for tag, value in values.items()}


def message(content: bytes, boundary: str = "b") -> bytes:
    return (
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        + content
        + f"\r\n--{boundary}--".encode()
    )


def raw(body: bytes, kind: str = "multipart/related; boundary=b", *, length: int | None = None) -> Reply:
    """An answer of another kind; `length` is what it says of itself."""

    def reply(handler: Any) -> None:
        size = len(body) if length is None else length
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
        handler.connection.sendall(head.encode() + body)

    return reply


def giving(
    contents: list[Dataset], reply: Callable[[Asked, Dataset], Reply] | None = None
) -> Callable[[Asked], Reply]:
    """A service that has these objects of the study, and hands out each by `reply`."""
    held_by = {str(one.SOPInstanceUID): one for one in contents}

    def answer(asked: Asked) -> Reply:
        path, _, _ = asked.path.partition("?")
        if path.endswith("/instances"):
            return 200, [an_object(uid, str(one.SOPClassUID)) for uid, one in held_by.items()]
        one = held_by[path.rpartition("/")[2]]
        return raw(message(encoded(one))) if reply is None else reply(asked, one)

    return answer


@needs_orthanc_web
@pytest.mark.long
def test_orthanc_is_searched_and_hands_a_study_out_and_nobody_is_named_in_logs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path / "data")
    about = {"AccessionNumber": "A100", "StudyDate": "20261130", "StudyDescription": "Second trimester"}
    later = {"AccessionNumber": "A200", "StudyDate": "20261201", "PatientName": "Zweistein^Bertha"}
    contents = held(2, clips=1, elements=about)
    report = held(1, study=f"{STUDY}.7", elements=about)[0]
    report.StudyInstanceUID = STUDY
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    others = held(1, study=OTHER, elements={"PatientID": "4712", **later})
    with orthanc_web(tmp_path) as archive:
        fill(archive, [*contents, report, *others])
        server = service(archive.http)
        for question, wanted in (
            (StudyQuestion("4711"), [STUDY]),
            (StudyQuestion(accession="A200"), [OTHER]),
            (StudyQuestion(name="zweistein"), [OTHER, STUDY]),
            (StudyQuestion(name="Zwei*B?rtha"), [OTHER]),
            (StudyQuestion("9999"), []),
        ):
            found = find_studies(server, NOBODY, question)
            assert [row.study_uid for row in found.rows] == wanted, question
        (row,) = find_studies(server, NOBODY, OF_HER).rows
        assert (row.patient_name, row.patient_id, row.date) == ("Zweistein^Alberta", "4711", "20261130")
        assert (row.accession_number, row.description, row.objects) == ("A100", "Second trimester", 4)
        assert "US" in row.modalities
        cut = find_studies(server, NOBODY, StudyQuestion(name="zweistein"), 1)
        assert (len(cut.rows), cut.whole) == (1, False)
        DestinationBook(tmp_path / "data").put(server)
        assert main(["pacs", "find", "archive", "--patient-id", "4711", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["studies"][0]["study_uid"] == STUDY
        out = tmp_path / "prior"
        assert main(["pacs", "get", "archive", STUDY, "--out", str(out), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
    assert (told["objects"], told["passed_over"], told["whole"]) == (3, 1, True)
    assert {path.name for path in out.iterdir()} == {f"{one.SOPInstanceUID}.dcm" for one in contents}
    for one in contents:
        assert (out / f"{one.SOPInstanceUID}.dcm").read_bytes() == encoded(one), "as it is stored"
    source = DicomSource(out / f"{contents[2].SOPInstanceUID}.dcm")
    assert source.grab_at(0).picture.height == 21
    source.close()
    assert not any(word in caplog.text for word in ("Zweistein", "4711", STUDY))


def test_the_secret_goes_along_and_what_is_asked_is_quoted(tmp_path: Path) -> None:
    with serving(lambda asked: (200, [])) as there:
        question = StudyQuestion("47&x=1", name="van D?ke*^A&limit=9")
        assert find_studies(service(there.port), WebSecret("token"), question).notice.endswith(
            "no such study."
        )
    (asked,) = there.asked
    assert asked.headers["authorization"] == "Bearer token"
    assert "PatientID=47%26x%3D1" in asked.path
    assert "PatientName=van+D?ke*%5EA%26limit%3D9&" in asked.path


def test_pages_are_asked_for_until_the_end(tmp_path: Path) -> None:
    rows = [study(f"{STUDY}.{number}") for number in range(5)]

    def answer(asked: Asked) -> Reply:
        offset = int(asked.path.partition("offset=")[2].partition("&")[0])
        part = json.dumps(rows[offset : offset + 2]).encode()
        more = 'Warning: 299 x "more"\r\n' if offset < 3 else ""

        def reply(handler: Any) -> None:
            head = f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(part)}\r\n\r\n"
            handler.connection.sendall(head.encode() + part)

        return reply

    with serving(answer) as there:
        found = find_studies(service(there.port), NOBODY, OF_HER)
    assert (len(found.rows), found.whole, len(there.asked)) == (5, True, 3)


def test_a_service_that_hands_out_the_same_again_and_again_is_not_asked_for_ever() -> None:
    part = json.dumps([study()]).encode()

    def reply(handler: Any) -> None:
        head = f"HTTP/1.1 200 OK\r\nWarning: 299 x more\r\nContent-Length: {len(part)}\r\n\r\n"
        handler.connection.sendall(head.encode() + part)

    with serving(lambda asked: reply) as there:
        assert len(find_studies(service(there.port), NOBODY, OF_HER).rows) == 1
    assert len(there.asked) == 2


def test_of_what_was_not_asked_for_nothing_is_listed() -> None:
    rows: list[Any] = [
        study(), study(OTHER, **{"00100020": {"vr": "LO", "Value": ["4712"]}}),
        study("../../etc"), study("1.2", **{"0020000D": 7}),
        study("1.3", **{"00100010": {"vr": "PN", "Value": [[9]]}}),
        study("1.4", **{"00080020": {"vr": "DA", "BulkDataURI": "http://elsewhere/"}}),
    ]  # fmt: skip
    with serving(lambda asked: (200, rows)) as there:
        found = find_studies(service(there.port), NOBODY, OF_HER)
    assert {row.study_uid for row in found.rows} <= {STUDY, "1.4"}
    assert STUDY in {row.study_uid for row in found.rows}
    assert "left out" in found.notice


@pytest.mark.parametrize("body", [b"", b"{}", b"[3]", b"[[]]", b'[{"0020000D": {}}]', b"null", b"7"])
def test_an_answer_without_studies_has_none(body: bytes) -> None:
    with serving(lambda asked: (200, body)) as there:
        try:
            rows = find_studies(service(there.port), NOBODY, OF_HER).rows
        except PacsError as error:
            said, rows = str(error), ()
        else:
            said = ""
    assert (rows, "not as a DICOMweb service" in said or not said) == ((), True)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((200, b"<html>"), "not as a DICOMweb service"), ((200, b"[" * 99999), "not as a DICOMweb service"),
        ((302, b""), "another address"), ((401, b""), "401"), ((403, b""), "403"),
        ((404, b""), "no such service"),
        ((400, b"Jane Doe"), "could not answer (400)"), ((503, b""), "cannot be asked now"),
        (raw(b"[]", length=99), "broke off"),
    ],
)  # fmt: skip
def test_what_goes_wrong_has_a_sentence_without_a_name(tmp_path: Path, reply: Reply, says: str) -> None:
    with serving(lambda asked: reply) as there:
        for ask in (
            lambda: find_studies(service(there.port), NOBODY, OF_HER),
            lambda: fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out"),
        ):
            with pytest.raises(PacsError) as raised:
                ask()
            assert says in str(raised.value)
            assert "4711" not in str(raised.value)
            assert "Doe" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_an_answer_without_an_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def reply(handler: Any) -> None:
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
        while not over.is_set():
            handler.connection.sendall(b" " * 1_000_000)

    with serving(lambda asked: reply) as there:
        with pytest.raises(PacsError, match="MB, which is not read"):
            find_studies(service(there.port), NOBODY, OF_HER)
        over.set()


def test_a_study_is_got_byte_for_byte_and_reports_are_passed_over(tmp_path: Path) -> None:
    contents = held(2, clips=1)
    contents[1].SOPClassUID = contents[1].file_meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    seen: list[tuple[int, int]] = []
    with serving(giving(contents)) as there:
        fetched = fetch_study(
            service(there.port),
            NOBODY,
            STUDY,
            tmp_path / "out",
            watch=lambda come, left: seen.append((come, left)),
        )
    assert (fetched.objects, fetched.passed_over, fetched.whole, fetched.notice) == (2, 1, True, "")
    for one in (contents[0], contents[2]):
        assert (tmp_path / "out" / f"{one.SOPInstanceUID}.dcm").read_bytes() == encoded(one)
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    assert seen == [(0, 2), (1, 1)]


def test_pictures_of_several_patients_are_no_study(tmp_path: Path) -> None:
    contents = held(2)
    contents[1].PatientID = "4712"
    with serving(giving(contents)) as there, pytest.raises(PacsError, match="several patients"):
        fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "prior")
    assert not list(tmp_path.iterdir())


def test_an_object_without_a_message_around_it_is_taken(tmp_path: Path) -> None:
    with serving(giving(held(1), lambda asked, one: raw(encoded(one), "application/dicom"))) as there:
        assert fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out").objects == 1


def test_a_service_that_knows_no_such_wish_is_asked_plainly(tmp_path: Path) -> None:
    def reply(asked: Asked, one: Dataset) -> Reply:
        return (406, b"") if "transfer-syntax" in asked.headers["accept"] else raw(message(encoded(one)))

    with serving(giving(held(1), reply)) as there:
        assert fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out").objects == 1


@pytest.mark.parametrize("what", ["gone", "another study", "another object", "no DICOM", "nothing"])
def test_what_is_not_the_object_is_missing_and_told(tmp_path: Path, what: str) -> None:
    contents = held(2)

    def reply(asked: Asked, one: Dataset) -> Reply:
        if one is contents[0]:
            return raw(message(encoded(one)))
        other = held(2, study=f"{STUDY}.5")[1]
        if what == "gone":
            return 404, b""
        if what == "another study":
            other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        if what == "another object":
            other = contents[0]
        odd = {"no DICOM": b"x" * 500, "nothing": b""}
        return raw(message(odd.get(what, encoded(other))))

    with serving(giving(contents, reply)) as there:
        fetched = fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out")
    assert (fetched.objects, fetched.missing, fetched.whole) == (1, 1, False)
    assert "Not the whole study: 1 came" in fetched.notice
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    "reply",
    [
        raw(b"", "text/html"), raw(b"--b", "multipart/related"), raw(b"nothing of that"),
        raw(message(b"x") + b"x", length=999), raw(message(b"x")[:-4]), raw(b"--b\r\n" + b"a" * 99_999),
        raw(message(b"x")[:-2] + b"\r\nContent-Type: application/dicom\r\n\r\ny\r\n--b--"),
        (500, b""), (503, b""), (401, b""), (302, b""),
    ],
)  # fmt: skip
@pytest.mark.requirement("H10")
def test_a_service_that_goes_wrong_in_the_middle_leaves_nothing_behind(tmp_path: Path, reply: Reply) -> None:
    contents = held(2)

    def answer(asked: Asked, one: Dataset) -> Reply:
        return raw(message(encoded(one))) if one is contents[0] else reply

    with serving(giving(contents, answer)) as there:
        try:
            fetched = fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out")
        except PacsError:
            assert not list(tmp_path.iterdir())
        else:
            assert reply == (500, b"")
            assert (fetched.objects, fetched.missing) == (1, 1)


def test_names_that_would_lead_elsewhere_are_never_used(tmp_path: Path) -> None:
    rows = [an_object(uid) for uid in ("../../../tmp/evil", "1.2/../3", "", "1.2\\3", "C:1")]
    rows += [{"00080018": {"vr": "UI", "Value": ["1.2", "1.3"]}}]
    with (
        serving(lambda asked: (200, rows)) as there,
        pytest.raises(PacsError, match="has no pictures of that study"),
    ):
        fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out")
    assert len(there.asked) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bound", ["MOST_OBJECT_BYTES", "MOST_STUDY_BYTES", "MOST_OBJECTS"])
def test_bounds_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    contents = held(3)
    size = len(encoded(contents[0]))
    monkeypatch.setattr(getting, "_LONGEST_HEAD", 200)
    monkeypatch.setattr(
        getting, bound, {"MOST_OBJECTS": 2, "MOST_STUDY_BYTES": size + 9}.get(bound, size - 500)
    )
    with serving(giving(contents)) as there, pytest.raises(PacsError, match="more than"):
        fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    class Disk:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, piece: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(path: Path, *how: Any, **more: Any) -> Any:
        file = real(path, *how, **more)
        return Disk(file) if path.suffix == ".dcm" and how == ("wb",) else file

    monkeypatch.setattr(Path, "open", opened)
    with serving(giving(held(1))) as there, pytest.raises(SaveError):
        fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_and_what_is_no_uid_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with serving(giving(held(1))) as there:
        with pytest.raises(ExportError):
            fetch_study(service(there.port), NOBODY, STUDY, tmp_path / "out")
        for uid in ("", "a", "1.2/..", "1" * 65):
            with pytest.raises(UsageError):
                fetch_study(service(there.port), NOBODY, uid, tmp_path / "new")
        with pytest.raises(UsageError):
            find_studies(service(there.port), NOBODY, OF_HER, 99_999)
    assert not there.asked


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_part_is_found_however_its_message_is_cut(size: int) -> None:
    content = b"\r\n--\r\n--x\r\n--b"[:-1] + b"DICM" * 50 + b"\r\n-" * 9
    whole = message(content) + b"\r\n"
    chunks = (whole[at : at + size] for at in range(0, len(whole), size))
    assert b"".join(one_part(chunks, b"b")) == content
    for end in range(len(whole) - 4):
        with pytest.raises(ValueError, match=r"end|part"):
            b"".join(one_part(iter([whole[:end]]), b"b"))


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path)
    monkeypatch.setattr("semc_core.extras.installed", lambda package: package != "dicomweb_client")
    DestinationBook(tmp_path).put(service(9))
    for command in (
        ["find", "archive", "--patient-id", "1"],
        ["get", "archive", STUDY, "--out", "x"],
        ["echo", "archive"],
    ):
        assert main(["pacs", *command]) == 1
        assert 'pip install "semc-live[web]"' in capsys.readouterr().err
