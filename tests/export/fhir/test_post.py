"""Posting to a FHIR server: once each, to whom it was meant, within bounds, a sentence for each failure."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import threading
from pathlib import Path

import pytest

from main import main
from semc_core.errors import ExportError, UsageError
from semc_core.export import bundle
from semc_core.export.fhir import post as posting
from semc_core.export.fhir.post import TOKEN, Address, Posted, post, read_address, read_token
from semc_core.session.correcting.changes import AddMeasurement, SetScale
from tests.export.scans import HEIGHT, WIDTH, video_session
from tests.export.test_measured import HEAD
from tests.serve.test_tls import certificate

pytest.importorskip("fhir.resources", reason="the extra `fhir` is not installed")
from tests.export.fhir.server import HOST, Store, serving

CONTENT = json.dumps(
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:9e70bce2-60b0-8617-9c19-20320dca042{number}",
                "resource": {"resourceType": "Observation", "status": "preliminary", "code": {"text": "x"}},
                "request": {"method": "POST", "url": "Observation", "ifNoneExist": f"identifier=a|{number}"},
            }
            for number in range(3)
        ],
    }
).encode()


def here(port: int, path: str = "/fhir") -> Address:
    return Address(HOST, port, path, encrypted=False)


def test_each_is_made_once_and_the_token_goes_along() -> None:
    store = Store()
    with serving(store) as port:
        assert post(here(port), CONTENT, "secret") == Posted(made=3, known=0)
        assert post(here(port), CONTENT) == Posted(made=0, known=3)
    assert len(store.held) == 3
    (first, headers), (_, without) = store.requests
    assert first == "/fhir"
    assert headers["authorization"] == "Bearer secret"
    assert "authorization" not in without
    assert headers["content-type"] == headers["accept"] == "application/fhir+json"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (301, "another address"), (307, "another address"), (400, "does not accept"), (401, "another token"),
        (403, "this token"), (404, "base of the service"), (405, "base of the service"), (409, "again"),
        (410, "any more"), (412, "one identifier"), (413, "that much"), (418, "did not take it"),
        (422, "does not accept"), (429, "too often"), (500, "fault of its own"), (503, "fault of its own"),
        (201, "did not take it"),
    ],
)  # fmt: skip
def test_what_the_server_refuses_has_a_sentence_without_its_words(status: int, says: str) -> None:
    store = Store(answer=(status, b'{"diagnostics": "Jane Doe is unknown"}'))
    with serving(store) as port, pytest.raises(ExportError, match=says) as raised:
        post(here(port), CONTENT, "secret")
    assert "Doe" not in str(raised.value)
    assert "secret" not in str(raised.value)
    assert len(store.requests) == 1, "no redirect is followed, and nothing is tried again"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"entry": 3}',
        b'{"entry": [{"response": {}}]}',
        b'{"entry": [3]}',
        b"[" * 99999,
    ],
)
def test_an_answer_that_is_none_is_told_from_success(body: bytes) -> None:
    with serving(Store(answer=(200, body))) as port, pytest.raises(ExportError, match="no answer to"):
        post(here(port), CONTENT)


@pytest.mark.parametrize("statuses", [["201", "201"], ["201", "200", "400"], ["201"] * 4, []])
def test_what_was_not_taken_whole_is_told(statuses: list[str]) -> None:
    body = json.dumps({"entry": [{"response": {"status": each}} for each in statuses]}).encode()
    with serving(Store(answer=(200, body))) as port, pytest.raises(ExportError, match="of 3 resources"):
        post(here(port), CONTENT)


def test_a_silent_server_and_one_that_never_ends_are_not_waited_for() -> None:
    go_on = threading.Event()
    store = Store(before=lambda: go_on.wait(60))
    with serving(store) as port:
        with pytest.raises(ExportError, match="no answer in time"):
            post(here(port), CONTENT, silence_s=0.2)
        go_on.set()
    with serving(Store()) as port, pytest.raises(ExportError, match="no answer in time"):
        post(here(port), CONTENT, longest_s=-1)


@pytest.mark.parametrize(
    "drop", [b"HTTP/1.1 100 Continue\r\n\r\n", b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_server_that_drips_before_its_answer_is_not_waited_for(drop: bytes) -> None:
    cut = threading.Event()

    def drip(listener: socket.socket) -> None:
        taken, _ = listener.accept()
        with taken:
            for _ in range(600):
                try:
                    taken.sendall(drop)
                except OSError:
                    cut.set()
                    return
                cut.wait(0.05)

    with socket.create_server((HOST, 0)) as listener:
        server = threading.Thread(target=drip, args=(listener,))
        server.start()
        try:
            with pytest.raises(ExportError, match="no answer in time"):
                post(here(listener.getsockname()[1]), CONTENT, silence_s=20, longest_s=0.3)
        finally:
            server.join()
    assert cut.is_set(), "it was the program that ended it"


def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_MOST_BYTES", 1000)
    with (
        serving(Store(answer=(200, b" " * 2000))) as port,
        pytest.raises(ExportError, match="without an end"),
    ):
        post(here(port), CONTENT)


def test_nobody_there_and_somebody_else_there_have_their_sentences() -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ExportError, match="No FHIR server listens"):
        post(here(port), CONTENT)

    def speak(listening: socket.socket) -> None:
        taken, _ = listening.accept()
        with taken:
            taken.recv(100)
            taken.sendall(b"220 mail\r\n")

    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=speak, args=(listening,))
        thread.start()
        with pytest.raises(ExportError, match="connection with the FHIR server failed"):
            post(here(listening.getsockname()[1]), CONTENT)
        thread.join(10)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_only_a_server_that_proves_who_it_is_is_posted_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, key = certificate(tmp_path, "fhir")
    store = Store()
    with serving(store, (pem, key)) as port:
        with pytest.raises(ExportError, match="could not prove who it is"):
            post(Address(HOST, port, "/", encrypted=True), CONTENT, "secret")
        assert store.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", pem)
        assert post(Address(HOST, port, "/", encrypted=True), CONTENT).made == 3


def test_addresses() -> None:
    assert read_address("https://ehr.example.org/fhir/R4") == Address(
        "ehr.example.org", 443, "/fhir/R4", True
    )
    assert read_address("http://localhost:8080") == Address("localhost", 8080, "/", False)
    assert read_address("http://127.1.2.3/fhir") == Address("127.1.2.3", 80, "/fhir", False)
    assert read_address("http://[::1]:81/") == Address("::1", 81, "/", False)
    for text in (
        "http://ehr.example.org/fhir",
        "http://10.0.0.1",
        "http://localhost.example.org",
        "http://0.0.0.0",
    ):
        with pytest.raises(UsageError, match="https only"):
            read_address(text)
    for text in ("https://me:secret@host/", "https://host/?token=secret", "https://host/#secret"):
        with pytest.raises(UsageError, match="alone") as raised:
            read_address(text)
        assert "secret" not in str(raised.value)
    for text in (
        "",
        "host",
        "ftp://host",
        "https://",
        "https://host:99999",
        "https://ho st",
        "https://h/\r\nX: 1",
        "file:///etc",
    ):
        with pytest.raises(UsageError, match="is none"):
            read_address(text)


def test_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    assert read_token(None) == ""
    monkeypatch.setenv(TOKEN, "of-the-environment")
    assert read_token(None) == "of-the-environment"
    file = tmp_path / "token"
    file.write_text("of.the.file\n", encoding="utf-8")
    assert read_token(file) == "of.the.file"
    for text in ("two words", "a\nb", "ö", "x" * 20_000):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="token") as raised:
            read_token(file)
        assert text not in str(raised.value)
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(UsageError, match="empty"):
        read_token(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_token(tmp_path / "none")


@pytest.mark.requirement("H6")
def test_the_command_posts_what_it_exported_and_an_earlier_export_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "semc_core")
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)
    monkeypatch.setenv(TOKEN, "a-secret-token")
    with video_session(tmp_path / "scan") as session:
        plane = session.planes()[0]
        at = (plane.frame_index, plane.time_s, WIDTH, HEIGHT, plane.plane_id)
        session.apply(AddMeasurement("ellipse", HEAD, *at, structure="head"))
        session.apply(SetScale(HEAD[:2], 60.0, 1, WIDTH, HEIGHT))
    out, store = str(tmp_path / "out"), Store()
    command = [
        "export",
        str(tmp_path / "scan"),
        "--out",
        out,
        "--dicom",
        "--fhir",
        "--no-clips",
        "--no-report",
    ]
    with serving(store) as port:
        url = f"http://{HOST}:{port}/fhir"
        assert main([*command, "--fhir-post", url]) == 0
        count = len(store.held)
        assert f"{count} resources made." in capsys.readouterr().out
        assert {kind for kind, _ in store.held} == {
            "ImagingStudy",
            "Media",
            "Observation",
            "DiagnosticReport",
        }
        assert main(["export", "--check", out, "--fhir-post", url]) == 0
        assert f"0 resources made; {count} were there already." in capsys.readouterr().out
        assert len(store.held) == count
        store.answer = (503, b"")
        assert main(["export", "--check", out, "--fhir-post", url]) == 1
    assert all(headers["authorization"] == "Bearer a-secret-token" for _, headers in store.requests)
    said = capsys.readouterr()
    assert "a-secret-token" not in caplog.text + said.out + said.err
    assert "fault of its own" in " ".join((said.out + said.err).split())


def test_what_was_typed_is_looked_at_before_anything_is_exported(tmp_path: Path) -> None:
    with video_session(tmp_path / "scan"):
        pass
    command = ["export", str(tmp_path / "scan"), "--out", str(tmp_path / "out")]
    for more in (
        ("--fhir-post", "https://host/fhir"),
        ("--fhir", "--fhir-post", "http://host/fhir"),
        ("--fhir", "--fhir-token", "file"),
        ("--fhir", "--fhir-post", "https://host/fhir", "--fhir-token", str(tmp_path / "none")),
    ):
        assert main([*command, *more]) == 2
    assert not (tmp_path / "out").exists()
