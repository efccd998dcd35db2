"""Sending to DICOMweb services: once each, a sentence for each refusal, nobody named, no secret told."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from semc_core.pacs.destinations import Tls, WebDestination
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.web_secret import WebSecret, WebSecrets
from tests.pacs.servers import HOST, SECRET, Contents, Orthanc, Sending, free_port, objects, put

pytest.importorskip("dicomweb_client", reason="the extra `web` is not installed")
from semc_core.pacs.association import AssociationFault
from semc_core.pacs.web import service as http
from semc_core.pacs.web.store import WebStorage, answer_of
from tests.pacs.web.servers import (
    USER,
    Asked,
    Reply,
    needs_orthanc_web,
    orthanc_web,
    pass_on,
    service,
    serving,
    stored,
)
from tests.serve.test_tls import certificate

TOKEN = "secret-token-7"
NONE = WebSecret()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An Orthanc that wants a user and a password: to start one takes seconds."""
    name, password = USER
    users: dict[str, object] = {"AuthenticationEnabled": True, "RegisteredUsers": {name: password}}
    with orthanc_web(tmp_path_factory.mktemp("orthanc"), **users) as server:
        yield replace(server, user=USER)


@pytest.fixture
def archive(running: Orthanc) -> Orthanc:
    """A running Orthanc that has nothing."""
    running.empty()
    return running


def uids(contents: Contents) -> list[str]:
    return sorted(one.sop_instance for one in contents)


def keep(data: Path, server: WebDestination, secret: WebSecret) -> WebDestination:
    WebSecrets(data).put(server, secret)
    return server


def one_object(folder: Path) -> tuple[DicomObject, Path]:
    ((one, content),) = objects(1).items()
    path = folder / "object.dcm"
    path.write_bytes(content)
    return one, path


@needs_orthanc_web
@pytest.mark.requirement("H11")
def test_an_archive_gets_stills_and_clips_once_byte_for_byte_and_nobody_is_named_in_logs(
    archive: Orthanc, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    contents = objects(3, clips=2)
    server = keep(tmp_path, service(archive.http), WebSecret(user=USER[0], password=USER[1]))
    with Sending(tmp_path, server) as sending:
        assert sending.send(contents) == {"sent": 5}
        assert put(sending.queue, "archive", contents).known == 5
    assert archive.kept() == uids(contents)
    assert sorted(map(archive.file, uids(contents))) == sorted(contents.values())
    said = caplog.text + "".join(capfd.readouterr())
    assert not any(word in said for word in (SECRET, USER[1], *uids(contents)))
    kept = [
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "secrets" not in path.name
    ]
    assert not any(USER[1].encode() in each for each in kept)


@needs_orthanc_web
def test_without_the_password_nothing_is_sent_and_that_is_said(archive: Orthanc, tmp_path: Path) -> None:
    with Sending(tmp_path, service(archive.http)) as sending:
        assert sending.send(objects(2)) == {"refused": 2}
        (said,) = sending.messages()
    assert "wants a token or password (401)" in said
    assert archive.kept() == []


@needs_orthanc_web
def test_clips_are_unpacked_where_they_are_to_be(archive: Orthanc, tmp_path: Path) -> None:
    contents = objects(0, clips=1)
    server = replace(service(archive.http), compressed=False)
    keep(tmp_path, server, WebSecret(user=USER[0], password=USER[1]))
    with Sending(tmp_path, server) as sending:
        assert sending.send(contents) == {"sent": 1}
    (content,) = contents.values()
    assert archive.file(uids(contents)[0]) != content
    (one,) = contents
    (tmp_path / "there.dcm").write_bytes(archive.file(one.sop_instance))
    (tmp_path / "here.dcm").write_bytes(content)
    there, here = pydicom.dcmread(tmp_path / "there.dcm"), pydicom.dcmread(tmp_path / "here.dcm")
    assert not there.file_meta.TransferSyntaxUID.is_compressed
    assert (there.pixel_array == here.pixel_array).all()


@needs_orthanc_web
@pytest.mark.requirement("H11")
def test_an_answer_that_was_lost_is_asked_for_and_nothing_is_sent_again(
    archive: Orthanc, tmp_path: Path
) -> None:
    """A service between takes the first object, and breaks off before it answers."""
    contents = objects(2, first=300)
    lost = threading.Event()
    posted: list[str] = []

    def between(asked: Asked) -> Reply:
        status, body = pass_on(archive, asked)
        if asked.method == "POST":
            posted.append(asked.uid)
            if not lost.is_set():
                lost.set()
                return lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
        return status, body

    with serving(between) as proxy:
        server = keep(tmp_path, service(proxy.port), WebSecret(user=USER[0], password=USER[1]))
        with Sending(tmp_path, server) as sending:
            put(sending.queue, "archive", contents)
            sending.service.wake()
            sending.wait_until(lambda counts: lost.is_set() and counts.get("waiting") == 2)
            sending.queue.retry()
            sending.service.wake()
            assert sending.wait_until(lambda counts: counts.get("sent") == 2) == {"sent": 2}
            assert any("said later" in each for each in sending.messages())
    assert sorted(posted) == uids(contents)
    assert archive.kept() == uids(contents)


def test_half_of_a_job_is_refused_by_its_reason_and_the_other_half_is_sent(tmp_path: Path) -> None:
    contents = objects(4)
    names = [one.sop_instance for one in contents]
    reasons = {names[1]: 0x0122, names[3]: 0xA900}

    def answer(asked: Asked) -> Reply:
        uid = asked.uid
        if uid in reasons:
            return 409, stored(failed={uid: reasons[uid]})
        return 200, stored(uid, warned={names[2]: 0xB000})

    with serving(answer) as bad:
        server = keep(tmp_path, service(bad.port), WebSecret(token=TOKEN))
        with Sending(tmp_path, server) as sending:
            assert sending.send(contents) == {"refused": 2, "sent": 2}
            items = {item.what.sop_instance: item for item in sending.queue.items(1)}
    assert "does not take objects of this kind" in items[names[1]].message
    assert "invalid (status A900)" in items[names[3]].message
    assert "left out attributes (status B000)" in items[names[2]].message
    assert {asked.headers["authorization"] for asked in bad.asked} == {f"Bearer {TOKEN}"}
    sent = {asked.uid: asked.body for asked in bad.asked}
    assert all(content in sent[one.sop_instance] for one, content in contents.items())


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, "refused", "does not accept the object"), (409, "refused", "does not accept the object"),
        (413, "refused", "does not take an object of 3 MB"), (415, "refused", "--uncompressed"),
        (422, "refused", "does not accept"), (500, "not now", "fault of its own"),
        (507, "not now", "no room"),
    ],
)  # fmt: skip
def test_what_a_service_answers_without_a_word_on_the_object(status: int, kind: str, says: str) -> None:
    for body in (b"", b"<html>", b"[" * 99999, b"[]", b'{"00081198": {"Value": [3]}}', b'{"00081198": 7}'):
        answer = answer_of("archive", status, body, "1.2.3", 3_000_000)
        assert answer is not None
        assert (answer.kind, says in answer.sentence) == (kind, True)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [(0x0000, "not now"), (0x0110, "not now"), (0x0111, "stored"), (0x0122, "refused"), (0xA700, "not now"),
     (0xA900, "refused"), (0xB000, "not now"), (0xC122, "refused"), ("no number", "not now")],
)  # fmt: skip
def test_what_is_called_a_failure_is_never_taken_for_stored(reason: int, kind: str) -> None:
    for status in (200, 202, 409):
        answer = answer_of("archive", status, json.dumps(stored(failed={"1.2": reason})).encode(), "1.2")
        assert answer is not None
        assert answer.kind == kind


def test_success_of_another_object_is_none_of_this() -> None:
    assert answer_of("archive", 200, json.dumps(stored("1.2.4")).encode(), "1.2.3") is None


@pytest.mark.parametrize("has", [True, False])
def test_a_success_that_says_nothing_is_asked_after(tmp_path: Path, has: bool) -> None:
    one, path = one_object(tmp_path)

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return 200, b""
        return 200, [{"00080018": {"vr": "UI", "Value": [one.sop_instance if has else "1.2.3"]}}]

    with serving(answer) as odd, WebStorage(service(odd.port), WebSecret()) as link:
        assert link.store(one, path).kind == ("stored" if has else "not now")
    assert [asked.method for asked in odd.asked] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (301, "another address"), (307, "another address"), (308, "another address"),
        (401, "does not accept the token"), (403, "does not allow"), (404, "no such service"),
        (405, "no such service"), (410, "no such service"), (501, "no such service"),
    ],
)  # fmt: skip
def test_what_concerns_all_objects_ends_the_job_and_nothing_goes_elsewhere(
    tmp_path: Path, status: int, says: str
) -> None:
    with serving(lambda asked: (status, b"Jane Doe")) as bad:
        server = keep(tmp_path, service(bad.port), WebSecret(token=TOKEN))
        with Sending(tmp_path, server) as sending:
            counts = sending.send(objects(2))
            (said,) = sending.messages()
    assert counts in ({"refused": 2}, {"refused": 1, "waiting": 1})
    assert says in said
    assert "Doe" not in said
    assert TOKEN not in said
    assert len(bad.asked) == 1
    assert bad.asked[0].path == "/dicom-web/studies"


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_busy_service_is_tried_again_later(tmp_path: Path, status: int) -> None:
    with serving(lambda asked: (status, b"")) as busy, Sending(tmp_path, service(busy.port)) as sending:
        put(sending.queue, "archive", objects(2))
        sending.service.wake()
        assert sending.wait_until(lambda counts: bool(sending.messages()[0])) == {"waiting": 2}
        assert f"cannot be asked now ({status})" in sending.messages()[0]


@pytest.mark.parametrize("kind", ["silent", "drips", "cuts", "endless", "packs"])
def test_a_service_that_does_not_answer_is_given_up_in_time_and_tried_again(
    tmp_path: Path, kind: str
) -> None:
    over = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"

    def answer(asked: Asked) -> Reply:
        def reply(handler: object) -> None:
            connection = handler.connection  # type: ignore[attr-defined]
            if kind == "silent":
                over.wait(60)
            elif kind == "drips":
                connection.sendall(head + b"Content-Length: 100000\r\n\r\n")
                while not over.wait(0.05):
                    connection.sendall(b" ")
            elif kind == "endless":
                connection.sendall(head + b"\r\n")
                while not over.is_set():
                    connection.sendall(b" " * 100_000)
            elif kind == "packs":
                connection.sendall(head + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")

        return reply

    one, path = one_object(tmp_path)
    said = {
        "silent": "in time",
        "drips": "in time",
        "cuts": "broke off",
        "endless": "MB",
        "packs": "compresses",
    }
    with serving(answer) as bad:
        try:
            server = service(bad.port, answer_s=0.3)
            with WebStorage(server, WebSecret()) as link, pytest.raises(AssociationFault) as raised:
                link.store(one, path)
        finally:
            over.set()
    assert said[kind] in str(raised.value)
    assert not raised.value.permanent


def test_a_service_that_closes_early_on_a_large_object_is_suspected_of_a_limit(tmp_path: Path) -> None:
    one, path = one_object(tmp_path)
    with path.open("ab") as file:
        file.truncate(40_000_000)

    def answer(asked: Asked) -> Reply:
        return 413, b""

    with serving(answer, early=True) as strict, WebStorage(service(strict.port), WebSecret()) as link:
        try:
            said = link.store(one, path).sentence
        except AssociationFault as fault:
            said = str(fault)
    # Which of the two depends on what arrives first.
    assert "does not take an object of 40 MB" in said or "how large one may be" in said


def test_what_is_asked_is_asked_again_over_a_new_connection_and_an_object_is_not_sent_again(
    tmp_path: Path,
) -> None:
    one, path = one_object(tmp_path)
    with serving(lambda asked: lambda handler: None) as gone, WebStorage(service(gone.port), NONE) as link:
        for ask in (lambda: link.has(one), lambda: link.store(one, path)):
            with pytest.raises(AssociationFault, match="broke off"):
                ask()
    assert [asked.method for asked in gone.asked] == ["GET", "GET", "POST"]


def test_nobody_there_is_said_and_tried_again(tmp_path: Path) -> None:
    one, path = one_object(tmp_path)
    with WebStorage(service(free_port()), WebSecret()) as link, pytest.raises(AssociationFault) as raised:
        link.store(one, path)
    assert "cannot be reached" in str(raised.value)
    assert not raised.value.permanent


def test_stopping_ends_the_wait_for_a_silent_service(tmp_path: Path) -> None:
    over, reached = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Reply:
        reached.set()
        return lambda handler: over.wait(60)

    with serving(answer) as quiet:
        try:
            with Sending(tmp_path, service(quiet.port, answer_s=600)) as sending:
                put(sending.queue, "archive", objects(1))
                sending.service.wake()
                assert reached.wait(60)
        finally:
            over.set()


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize("trusted", ["its own", "another", "of the system", "of another host"])
def test_the_certificate_and_the_name_are_checked(tmp_path: Path, trusted: str) -> None:
    own, key = certificate(tmp_path, "service")
    other, _ = certificate(tmp_path, "other")
    one, path = one_object(tmp_path)
    tls = Tls({"another": other, "of the system": None}.get(trusted, own))
    with serving(lambda asked: (200, stored(asked.uid)), (own, key)) as secured:
        server = service(secured.port, tls=tls)
        if trusted == "of another host":
            server = replace(server, url=server.url.replace(HOST, "localhost"))
        with WebStorage(server, WebSecret(token=TOKEN)) as link:
            if trusted == "its own":
                assert link.store(one, path).kind == "stored"
                return
            with pytest.raises(AssociationFault, match="certificate is not trusted") as raised:
                link.store(one, path)
    assert raised.value.permanent
    assert not secured.asked, "nothing was said, the token neither"


def test_proxies_and_passwords_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(f"machine {HOST} login a password b\n", encoding="ascii")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    one, path = one_object(tmp_path)
    with (
        serving(lambda asked: (200, stored(asked.uid))) as plain,
        WebStorage(service(plain.port), WebSecret()) as link,
    ):
        assert link.store(one, path).kind == "stored"
    assert "authorization" not in plain.asked[0].headers
    assert plain.asked[0].headers["host"] == f"{HOST}:{plain.port}"


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.extras.installed", lambda package: package != "dicomweb_client")
    with Sending(tmp_path, service(free_port())) as sending:
        assert sending.send(objects(1)) == {"refused": 1}
        assert 'pip install "semc-live[web]"' in sending.messages()[0]


def test_patience_ends_what_waits() -> None:
    cut = threading.Event()
    with http.Patience(0.01, cut.set) as patience:
        assert cut.wait(60)
    assert patience.over
