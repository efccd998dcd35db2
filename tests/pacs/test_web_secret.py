"""What proves to a DICOMweb service who asks: kept apart, for its owner alone, and for one server."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from main import main
from semc_core.errors import PacsError, UsageError
from semc_core.io import system_keyring
from semc_core.pacs.destinations import BOOK_NAME, Destination, DestinationBook, WebDestination
from semc_core.pacs.web_secret import FILE_NAME, WebSecret, WebSecrets, secret_in

SERVICE = WebDestination("cloud", "https://host/dicom-web")
TOKEN = WebSecret("secret-token-7")
PAIR = WebSecret(user="semc", password="Zuse Konrad: 1941")


class SomeKeyring(KeyringBackend):
    """A keyring in memory, which counts as the system's."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: Any, username: Any, password: Any = None) -> Any:
        return self.kept.get((service, username))

    def set_password(self, service: Any, username: Any, password: Any = None) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: Any, username: Any, password: Any = None) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[SomeKeyring]:
    """A desktop with a keyring."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setattr(system_keyring, "_KEYRINGS", (__name__,))
    before, made = keyring.get_keyring(), SomeKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.mark.parametrize("secret", [TOKEN, PAIR])
def test_without_a_keyring_it_is_in_a_file_of_its_owner_alone(tmp_path: Path, secret: WebSecret) -> None:
    WebSecrets(tmp_path).put(SERVICE, secret)
    assert WebSecrets(tmp_path).get(SERVICE) == secret
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    WebSecrets(tmp_path).put(SERVICE, WebSecret())
    assert not WebSecrets(tmp_path).get(SERVICE)
    assert "cloud" not in (tmp_path / FILE_NAME).read_text(encoding="utf-8")


@pytest.mark.parametrize("secret", [TOKEN, PAIR])
def test_it_is_in_the_keyring_where_one_works(tmp_path: Path, ring: SomeKeyring, secret: WebSecret) -> None:
    WebSecrets(tmp_path).put(SERVICE, secret)
    assert len(ring.kept) == 1
    assert not (tmp_path / FILE_NAME).exists()
    assert WebSecrets(tmp_path).get(SERVICE) == secret
    WebSecrets(tmp_path).remove("cloud")
    assert not ring.kept
    assert not WebSecrets(tmp_path).get(SERVICE)


def test_what_lay_in_the_file_goes_when_a_keyring_takes_over(tmp_path: Path, ring: SomeKeyring) -> None:
    (tmp_path / FILE_NAME).write_text(
        '{"format": "semc-live-web-secrets", "version": 1, "secrets": '
        '{"cloud": {"origin": "https://host:443", "token": "old", "user": "", "password": ""}}}',
        encoding="utf-8",
    )
    assert WebSecrets(tmp_path).get(SERVICE) == WebSecret("old")
    WebSecrets(tmp_path).put(SERVICE, TOKEN)
    assert WebSecrets(tmp_path).get(SERVICE) == TOKEN
    assert "old" not in (tmp_path / FILE_NAME).read_text(encoding="utf-8")


@pytest.mark.parametrize("url", ["https://other/dicom-web", "http://host/dicom-web", "https://host:8443/"])
@pytest.mark.requirement("H11")
def test_it_is_for_one_server_whatever_the_list_says(tmp_path: Path, url: str) -> None:
    WebSecrets(tmp_path).put(SERVICE, TOKEN)
    assert not WebSecrets(tmp_path).get(replace(SERVICE, url=url, plain_http=True))
    assert WebSecrets(tmp_path).get(replace(SERVICE, url="https://host:443/other")) == TOKEN


def test_it_is_in_no_text_of_the_program(tmp_path: Path) -> None:
    for secret in (TOKEN, PAIR):
        WebSecrets(tmp_path).put(SERVICE, secret)
        assert "secret-token" not in repr(secret)
        assert "Zuse" not in repr(secret)
    assert PAIR.header() == "Basic c2VtYzpadXNlIEtvbnJhZDogMTk0MQ=="
    (tmp_path / FILE_NAME).write_bytes((tmp_path / FILE_NAME).read_bytes().replace(b'"Zuse', b'["Zuse'))
    with pytest.raises(PacsError, match="is damaged") as raised:
        WebSecrets(tmp_path).get(SERVICE)
    assert "Zuse" not in str(raised.value)


@pytest.mark.parametrize(
    "values",
    [("a b", "", ""), ("a\n", "", ""), ("ä", "", ""), ("t", "user", "p"), ("", "", "p"), ("", "a:b", "p"),
     ("", "user", "a\nb"), ("t" * 20_000, "", "")],
)  # fmt: skip
def test_what_is_no_secret_is_refused(values: tuple[str, str, str]) -> None:
    with pytest.raises(UsageError):
        WebSecret(*values)


def test_a_file_that_holds_a_secret_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret-token-7\n", encoding="utf-8")
    assert secret_in(path) == "secret-token-7"
    for content in (b"", b"\n", b"x" * 20_000, b"\xff"):
        path.write_bytes(content)
        with pytest.raises(UsageError):
            secret_in(path)
    with pytest.raises(UsageError):
        secret_in(tmp_path / "none")


@pytest.mark.parametrize(
    "url",
    ["host", "ftp://host", "https://", "https://a:b@host/", "https://host/?key=1", "https://host/#a",
     "https://host:99999/", "https://ho st/", "https://höst/", "https://host/\n", "http://host/dicom-web",
     "http://10.0.0.5/dicom-web", "https://" + "h" * 3000],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        WebDestination("cloud", url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8042/dicom-web", "http://localhost/", "http://[::1]:80/x"])
def test_http_to_this_machine_is_taken_and_to_others_where_that_is_said(url: str) -> None:
    assert WebDestination("cloud", url).url == url
    assert WebDestination("cloud", "http://host/", plain_http=True).origin == "http://host:80"


def test_both_kinds_are_kept_in_one_list_and_a_name_is_one_server(tmp_path: Path) -> None:
    book = DestinationBook(tmp_path)
    archive = Destination("archive", "host", 104, "PACS")
    book.put(archive)
    book.put(SERVICE)
    assert book.every() == (archive, SERVICE)
    assert book.all() == (archive,)
    with pytest.raises(PacsError, match="is a DICOMweb service"):
        book.get("cloud")
    book.put(Destination("cloud", "host", 104, "PACS"))
    assert book.get("cloud").port == 104
    assert len(book.every()) == 2
    book.put(SERVICE)
    assert book.find("cloud") == SERVICE
    book.remove("cloud")
    assert book.every() == (archive,)


def test_the_command_line_neither_takes_nor_prints_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: data)
    (tmp_path / "token").write_text("secret-token-7", encoding="utf-8")
    add = ["pacs", "add-web", "cloud", "https://host/dicom-web"]
    assert main([*add, "--token-file", str(tmp_path / "token")]) == 0
    assert WebSecrets(data).get(SERVICE) == TOKEN
    assert main(["pacs", "servers"]) == main(["pacs", "servers", "--json"]) == 0
    assert "secret-token" not in "".join(capsys.readouterr())
    assert "secret-token" not in (data / BOOK_NAME).read_text(encoding="utf-8")
    assert main([*add, "--user", "semc"]) == 2, "nobody can be asked for the password"
    assert WebSecrets(data).get(SERVICE) == TOKEN
    assert main(add) == 0
    assert not WebSecrets(data).get(SERVICE)
    assert main([*add, "--user", "semc", "--password-file", str(tmp_path / "token")]) == 0
    assert WebSecrets(data).get(SERVICE) == WebSecret(user="semc", password="secret-token-7")
    assert main(["pacs", "remove", "cloud"]) == 0
    assert not WebSecrets(data).get(SERVICE)
