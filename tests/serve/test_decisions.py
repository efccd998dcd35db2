"""What is decided without a network: who may send, how fast, and what settings say."""

from __future__ import annotations

import io
import threading
import zlib
from pathlib import Path
from unittest.mock import Mock

import pydicom
import pytest
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from main import main
from semc_core.cli.serve import _print
from semc_core.errors import UsageError
from semc_core.serve.allowed import may_connect, refusal
from semc_core.serve.arrival import Arrival, Heading, Malformed
from semc_core.serve.inbox import Received
from semc_core.serve.pace import Pace
from semc_core.serve.service import Service
from semc_core.serve.settings import Limits, Sender, load_settings, write_settings
from semc_core.sources.dicom.content import read_content
from tests.pacs.servers import free_port
from tests.serve.objects import TITLE, loop, save, settings_of, store


def test_title_and_address_must_be_of_one_sender(tmp_path: Path) -> None:
    senders = (Sender("ROOM1", ("10.1.2.0/24", "::1")), Sender("*", ("192.168.0.7",)))
    settings = settings_of(tmp_path, senders=senders)
    welcome = [("ROOM1", "10.1.2.9"), ("ROOM1", "::ffff:10.1.2.9"), ("ROOM1", "::1"), ("ANY", "192.168.0.7")]
    assert [refusal(settings, TITLE, f" {title} ", address) for title, address in welcome] == [None] * 4
    for title, address in (("ROOM1", "10.1.3.9"), ("ROOM2", "10.1.2.9"), ("ROOM1", "fe80::1%eth0")):
        refused = refusal(settings, TITLE, title, address)
        assert refused is not None
        assert refused.code == (1, 1, 3)
    called = refusal(settings, "OTHER", "ROOM1", "10.1.2.9")
    assert called is not None
    assert called.code == (1, 1, 7)
    assert may_connect(settings, "10.1.2.200")
    assert not may_connect(settings, "10.1.3.1")
    assert not may_connect(settings, "no address")


def test_more_than_so_many_in_a_minute_wait_and_nobody_waits_after_a_pause() -> None:
    now_s = 100.0
    pace = Pace(60, lambda: now_s)
    waits = [pace.wait_s() for _ in range(13)]
    assert waits == [0] * 10 + [1, 2, 3]
    now_s += 60
    assert pace.wait_s() == 0


def test_a_heading_that_is_no_uid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        Heading("1.2.3", "../../etc/passwd", "1.2.840.10008.1.2")
    arrival = Arrival(tmp_path, 100, lambda: Heading("1.2.3", "1.2.4", "1.2.840.10008.1.2"))
    with pytest.raises(Malformed):
        arrival.settle()
    assert not list(tmp_path.iterdir())


def test_the_head_of_a_file_is_what_dicom_wants() -> None:
    head = Heading("1.2.840.10008.5.1.4.1.1.6.1", "1.2.3.4", "1.2.840.10008.1.2.1").file_head()
    read = pydicom.dcmread(io.BytesIO(head))
    assert read.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.6.1"
    assert read.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4"
    assert read.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_settings_are_written_once_and_let_in_this_machine_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "settings" / "serve.toml"
    assert main(["serve", str(path), "--write-settings"]) == 0
    assert f"semc serve {path}" in capsys.readouterr().out
    settings = load_settings(path)
    assert settings.limits == Limits()
    assert (settings.title, settings.host, settings.identified) == (TITLE, "127.0.0.1", False)
    assert may_connect(settings, "127.0.0.1")
    assert not may_connect(settings, "10.0.0.1")
    with pytest.raises(UsageError, match="already"):
        write_settings(path, tmp_path)


@pytest.mark.parametrize(
    "everybody",
    ["0.0.0.0/0", "0.0.0.0/0.0.0.0", "0.0.0.0/00", "::/0", "0::/0", '0.0.0.0/1", "10.0.0.1", "128.0.0.0/1'],
)
@pytest.mark.requirement("D3")
def test_a_service_open_to_every_address_needs_tls(tmp_path: Path, everybody: str) -> None:
    path = tmp_path / "serve.toml"
    write_settings(path, tmp_path / "a folder")
    text = path.read_text(encoding="utf-8").replace('"127.0.0.1"]', f'"{everybody}"]')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="every address send in the clear"):
        load_settings(path)
    path.write_text(text + '[tls]\ncertificate = "a"\nkey = "b"\nca = "c"\n', encoding="utf-8")
    assert load_settings(path).tls is not None


@pytest.mark.parametrize("folder", ["", " ", "serve", "./serve", "~nobody-of-this-name/serve"])
def test_a_folder_that_depends_on_where_the_service_starts_is_refused(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "serve.toml"
    write_settings(path, Path(folder))
    path.write_text(path.read_text("utf-8").replace('folder = "."', f'folder = "{folder}"'), "utf-8")
    with pytest.raises(UsageError, match="'folder' must be a whole path"):
        load_settings(path)


def test_settings_that_are_missing_or_name_what_is_not_there_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path)
    assert main(["serve"]) == 2
    assert "semc serve --write-settings" in capsys.readouterr().err
    assert main(["serve", "--write-settings"]) == 0
    assert main(["serve", "--list"]) == 0
    assert "Nothing was received yet." in capsys.readouterr().out
    path = tmp_path / "serve.toml"
    path.write_text(path.read_text("utf-8").replace('destination = ""', 'destination = "gone"'), "utf-8")
    assert main(["serve"]) == 1
    assert 'no destination "gone"' in capsys.readouterr().err


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_what_comes_deflated_is_inflated_for_all_looks_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: UID
) -> None:
    """What reads DICOM would inflate it as a whole at each look: one of 500 KB held a connection for 8 s."""
    data = loop()
    data.file_meta.TransferSyntaxUID = syntax
    path = save(tmp_path / "a.dcm", data)
    whole = Mock(side_effect=AssertionError("inflated as a whole"))
    inflater = Mock(side_effect=zlib.decompressobj)
    monkeypatch.setattr(zlib, "decompress", whole)
    monkeypatch.setattr(zlib, "decompressobj", inflater)
    content = read_content(path)
    assert (content.syntax, content.station, content.study) == (syntax, "ROOM 1", data.StudyInstanceUID)
    # To see how much there is, and to have it.
    assert inflater.call_count == (2 if syntax.is_deflated else 0)


def test_what_was_received_is_listed_in_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, message = "2026-11-30_08-56-01_" + "s" * 40, "The destination refuses. " * 5
    one = Received(
        12345, "2026-11-30T08:56:01.123+00:00", "ABCDEFGHIJKLMNOP", "1.2", "1.3", "1.4", "1.5", "1.6", "d", 9,
        "f.dcm", "analysed", 1, "semc-fetal.safetensors", session, 12, message.strip(),
    )  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    _print((one,))
    shown = capsys.readouterr().out
    (row,) = (line for line in shown.splitlines() if "12345 " in line)
    for whole in ("2026-11-30 08:56:01", "ABCDEFGHIJKLMNOP", "analysed", "12 "):
        assert whole in row
    assert f"12345: session {session}, by semc-fetal.safetensors. {message.strip()}" in shown


def test_the_command_says_where_it_listens_and_ends_with_ctrl_c(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Service, stop: threading.Event) -> None:
        assert store(self.port, loop(), title="ANY") == [0]
        raise KeyboardInterrupt

    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path)
    monkeypatch.setattr(Service, "watch", interrupted)
    monkeypatch.setattr("semc_core.serve.service.Analyst", Mock())
    assert main(["serve", "--write-settings"]) == 0
    path = tmp_path / "serve.toml"
    text = path.read_text("utf-8").replace("port = 11112", f"port = {free_port()}")
    path.write_text(text.replace("least_free_mb = 2000", "least_free_mb = 0"), "utf-8")
    assert main(["serve"]) == 130
    assert 'as "SEMC_LIVE". Ctrl+C ends it.' in capsys.readouterr().out
    assert main(["serve", "--list"]) == 0
    assert "waiting" in capsys.readouterr().out
