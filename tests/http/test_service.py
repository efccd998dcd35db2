"""Where a service listens, whom it knows, and how it begins and ends, also by force."""

from __future__ import annotations

import errno
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import main
from semc_core.errors import SaveError, UsageError
from semc_core.http.server import Place
from semc_core.http.token import NAME, VARIABLE, find_token
from semc_core.http.uploads import Uploads
from tests.http.serving import FILE, TOKEN, loop_file, serving
from tests.serve.objects import until
from tests.serve.test_tls import certificate

ROOT = Path(__file__).parents[2]
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such modes and signals")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "scanner", "127.0.0.1.example.org", ""])
@pytest.mark.requirement("D9")
def test_what_other_machines_can_reach_needs_tls(host: str) -> None:
    with pytest.raises(UsageError, match="so it needs TLS: give --certificate and --key"):
        Place(host).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    Place(host).check()


def test_files_that_are_no_certificates_and_a_taken_port_are_told_at_the_start(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("none", encoding="ascii")
    for pem in (other, tmp_path / "gone.pem"):
        with pytest.raises(UsageError, match="give PEM files, the key without a password"):
            Place("0.0.0.0", 0, pem, pem).check()
    with pytest.raises(UsageError, match="give both"):
        Place(certificate=other).check()
    with Place(port=0).bind() as taken, pytest.raises(UsageError, match="choose another with --port"):
        Place(port=taken.getsockname()[1]).bind()


@needs_openssl
def test_with_a_certificate_it_is_spoken_to_by_tls_only(tmp_path: Path, model: Path) -> None:
    pem, key = certificate(tmp_path, "service")
    with serving(tmp_path, model, place=Place(port=0, certificate=Path(pem), key=Path(key))) as served:
        assert served.service.address.startswith("https://")
        trust = ssl.create_default_context(cafile=pem)
        with closing(http.client.HTTPSConnection("127.0.0.1", served.port, context=trust)) as connection:
            connection.request("GET", "/sessions", headers={"Authorization": f"Bearer {TOKEN}"})
            assert connection.getresponse().status == 200
        with pytest.raises((http.client.HTTPException, OSError)):
            served.ask("GET", "/health")


def test_a_token_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = tmp_path / "data" / "http"
    token, where = find_token(None, folder)
    assert len(token) >= 40
    assert where == str(folder / NAME)
    assert find_token(None, folder) == (token, where)
    if sys.platform != "win32":
        assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
        (folder / NAME).chmod(0o644)
        assert find_token(None, folder)[0] == token
        assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
    assert find_token(None, tmp_path / "other")[0] != token
    monkeypatch.setenv(VARIABLE, f" {TOKEN}\n")
    assert find_token(None, folder) == (TOKEN, VARIABLE)
    mine = tmp_path / "mine"
    mine.write_text(f"{TOKEN}-2\n", encoding="ascii")
    assert find_token(mine, folder) == (f"{TOKEN}-2", str(mine))


def test_a_token_that_found_no_room_is_told_and_made_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    def full(descriptor: int, *_: object, **__: object) -> None:
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", full)
        with pytest.raises(SaveError):
            find_token(None, tmp_path)
    assert len(find_token(None, tmp_path)[0]) >= 40
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "text", ["", "short", "with a blank in it", "ä" * 20, "x" * 5000, "line\nand another line"]
)
def test_what_is_no_token_is_told_without_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="16 to 4096 characters") as told:
        find_token(file, tmp_path)
    assert not text or text not in str(told.value)
    with pytest.raises(UsageError, match="cannot be read"):
        find_token(tmp_path / "gone", tmp_path)


def test_uploads_of_services_that_run_stay_and_what_others_left_goes(tmp_path: Path) -> None:
    left = tmp_path / ".upload.999999999.part" / "1"
    other, mine = tmp_path / ".other.999999999.part", tmp_path / "upload"
    for folder in (left, other, mine):
        folder.mkdir(parents=True)
    (left / "upload").write_bytes(b"x")
    parent = tmp_path / f".upload.{os.getppid()}.part"
    parent.mkdir()
    with closing(Uploads(tmp_path)) as uploads:
        assert not left.parent.exists()
        assert uploads.new("").parent.is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {other.name, mine.name, parent.name}
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(SaveError):
        Uploads(file)


def test_the_command_says_what_is_wrong_and_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["http", "--host", "0.0.0.0"]) == 2
    assert "needs TLS" in capsys.readouterr().err
    assert main.main(["http", "--token", str(tmp_path / "gone")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_without_its_packages_the_command_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "semc_core.http.server", raising=False)
    assert main.main(["http"]) == 1
    assert 'needs uvicorn: pip install "semc-live[http]"' in capsys.readouterr().err


def test_fastapi_reports_to_nobody_whatever_the_environment_says(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(1)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.getsockname()[1]}")
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        with serving(tmp_path, model) as served:
            assert served.ask("GET", "/health")[0] == 200
            app = served.application
            assert not app._native_telemetry.enabled()
            assert app._telemetry["auto_configure"] is False
        with pytest.raises(TimeoutError):
            collector.accept()


@contextmanager
def started(home: Path, model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """The command in a process of its own: it, its port, and its folder."""
    command = [
        sys.executable,
        "main.py",
        "http",
        "--port",
        "0",
        "--device",
        "cpu",
        "--model",
        str(model),
        *options,
    ]
    here = {name: str(home) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(
            command, cwd=ROOT, env=os.environ | here | {VARIABLE: TOKEN}, stdout=subprocess.PIPE, stderr=told,
            encoding="utf-8",
        ) as process,
    ):  # fmt: skip
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            match = re.search(r":(\d+); the token is in SEMC_HTTP_TOKEN", said)
            told.seek(0)
            assert match, said + told.read().decode()
            yield process, int(match[1]), home / "semc-live" / "http"
        finally:
            process.kill()


def files(folder: Path) -> list[Path]:
    """All in it, however deep."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def begin_upload(port: int, content: bytes) -> http.client.HTTPConnection:
    """Half of a file is on its way."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=240)
    connection.putrequest("POST", "/planes")
    for name, value in FILE.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content[: len(content) // 2])
    return connection


@POSIX
@pytest.mark.long
def test_a_service_that_is_told_to_end_does_so_at_once_and_one_that_is_killed_leaves_nothing_to_the_next(
    tmp_path: Path, model: Path
) -> None:
    content = loop_file(tmp_path).read_bytes()
    with started(tmp_path, model) as (process, port, folder), closing(begin_upload(port, content)):
        until(lambda: bool(files(folder)))
        process.kill()
        process.wait()
        (left,) = files(folder)
        assert stat.S_IMODE(left.stat().st_mode) == 0o600
    with started(tmp_path, model) as (process, port, folder):
        assert not files(folder)
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("POST", "/planes", content, FILE)
            assert connection.getresponse().status == 200
        with closing(begin_upload(port, content)) as half:
            until(lambda: bool(files(folder)))
            process.send_signal(signal.SIGTERM)
            assert half.getresponse().status == 503
            assert process.wait() == 128 + signal.SIGTERM
        assert not list(folder.iterdir())


@contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """Programs that are started in here do not ignore it, even if the tests were begun by nohup."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


@POSIX
@pytest.mark.long
def test_the_end_of_its_terminal_ends_a_service_and_leaves_nothing(tmp_path: Path, model: Path) -> None:
    content = loop_file(tmp_path).read_bytes()
    with (
        heard(signal.SIGHUP),
        started(tmp_path, model) as (process, port, folder),
        closing(begin_upload(port, content)) as half,
    ):
        until(lambda: bool(files(folder)))
        process.send_signal(signal.SIGHUP)
        assert half.getresponse().status == 503
        assert process.wait() == 0
        assert not list(folder.iterdir())
