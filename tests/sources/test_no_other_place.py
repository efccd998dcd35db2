"""Whatever a file names, and whoever wrote it: no other host is asked and no other file is opened.

The files hold the address of a listener on this machine, which must see nothing, and the path of a video.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset

from main import main
from semc_core.errors import SemcError, SourceError
from semc_core.sources.live.stream import StreamSource
from semc_core.sources.open import open_seekable, open_source
from tests.sources.capture_clips import write_video
from training.data.images import read_pictures

NAMES = ("a.m3u8", "a.mp4", "a.sdp", "a.mpd", "a.ffconcat", "a.png", "a.dcm", "img%03d.png", "noname")


@contextlib.contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what was sent there: b"" for a connection without a word."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(1)
                    with contextlib.suppress(OSError):
                        seen.append(connection.recv(100))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], seen
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()


def playlists(port: int, other: Path) -> dict[str, str]:
    """Files that name the listener, or another video."""
    address = f"http://127.0.0.1:{port}/a.ts"
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
    return {
        "hls": hls.format(address),
        "hls of a file": hls.format(other),
        "hls with a key": hls.format(other).replace(
            "#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{address}"\n#EXTINF'
        ),
        "concat": f"ffconcat version 1.0\nfile '{other}'\n",
        "concat of an address": f"ffconcat version 1.0\nfile '{address}'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 26\n",
        "dash": f'<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT1S"><Period>'
        f'<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{address}'
        "</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>',
    }


@pytest.mark.parametrize("name", NAMES)
def test_no_door_follows_what_a_file_names(
    name: str, tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_video(tmp_path / "other.ts", 3)
    place = tmp_path / "place"
    place.mkdir()
    path = place / name
    with listener() as (port, seen):
        for text in playlists(port, other).values():
            path.write_text(text, encoding="utf-8")
            for open_it in (
                lambda: open_source(str(path)),
                lambda: open_seekable(path),
                lambda: list(read_pictures(path, [0])),
            ):
                with pytest.raises(SemcError):
                    open_it()
        texts = list(playlists(port, other).values())
        for number, text in enumerate(texts):
            (place / f"{number}_{name}").write_text(text, encoding="utf-8")
        model = ["--model", str(tiny_model_path), "--device", "cpu"]
        commands = (
            ["inspect", str(path)],
            ["analyse", str(place), "--out", str(tmp_path / "out"), *model],
            ["classify", str(place), "--out", str(tmp_path / "planes.csv"), *model],
            ["measure", str(place), "--out", str(tmp_path / "heads.csv")],
            ["data", "check", str(place)],
        )
        for command in commands:
            with contextlib.suppress(SystemExit):
                main(command)
        assert seen == []
    assert "Traceback" not in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*/session.sqlite"))


def test_the_listener_sees_who_asks() -> None:
    with listener() as (port, seen), pytest.raises(SourceError):
        StreamSource(f"http://127.0.0.1:{port}/a.ts", open_timeout_s=2)
    assert seen
    assert seen[0].startswith(b"GET")


def test_a_sequence_of_pictures_is_not_looked_for(tmp_path: Path) -> None:
    write_video(tmp_path / "img001.mp4", 3)
    with pytest.raises(SourceError, match="not found"):
        open_source(str(tmp_path / "img%03d.mp4"))


def test_dicom_that_names_its_pictures_elsewhere_asks_nobody(tmp_path: Path) -> None:
    with listener() as (port, seen):
        data = FileDataset(None, {}, file_meta=pydicom.dataset.FileMetaDataset(), preamble=b"\0" * 128)
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.94"  # JPIP Referenced
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
        data.Rows = data.Columns = 16
        data.SamplesPerPixel, data.BitsAllocated, data.BitsStored, data.HighBit = 1, 8, 8, 7
        data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
        data.PixelDataProviderURL = data.RetrieveURL = f"http://127.0.0.1:{port}/a"
        data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
        with pytest.raises(SourceError):
            open_source(str(tmp_path / "a.dcm"))
        assert seen == []


def test_an_address_that_answers_with_a_playlist_leads_nowhere(tmp_path: Path) -> None:
    with listener() as (port, seen):
        answers = list(playlists(port, write_video(tmp_path / "other.ts", 3)).values())

        class Sender(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/vnd.apple.mpegurl")
                self.end_headers()
                self.wfile.write(answers[int(self.path[1:2])].encode())

            def log_message(self, *_: object) -> None:
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Sender) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                for number in range(len(answers)):
                    with pytest.raises(SourceError):
                        StreamSource(f"http://127.0.0.1:{server.server_port}/{number}.m3u8")
            finally:
                server.shutdown()
                thread.join()
        assert seen == []
