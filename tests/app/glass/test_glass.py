"""The delay from glass to overlay, measured where it is known: in loops without any hardware."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import main
from app.cli import _tell
from app.glass.clock import ClockWindow
from app.glass.measure import as_scanned
from app.live.presenter import status_items, with_delay
from app.main_window import MainWindow
from app.scan_options import CardChoice, ScanOptions
from app.widgets.drawing import image_of
from semc_core.cli.bench.glass import GlassMeter, MeasuredSource
from semc_core.errors import SemcError
from semc_core.imaging import bar_clock
from semc_core.picture import Picture
from semc_core.picture_options import PictureOptions
from semc_core.pipeline.state import Spread, Statistics
from semc_core.sources.devices.true_delay import DelaySpread, TrueDelay, read_delays, remember_delay
from semc_core.sources.live.stream import StreamSource
from semc_core.types import FramePacket, SourceInfo
from tests.app.conftest import WAIT_MS
from tests.cli.test_json import check

pytestmark = pytest.mark.usefixtures("qapp")
DELAY_S, RATE = 0.6, 8
FRAME_MS = 1000 / RATE
CARD = f"""
version = 1
[[device]]
identity = "card@port-1"
modes = ["320x240@{RATE},mjpg"]
content = "clock"
delay_s = {DELAY_S}
stamps = "right"
"""
MEASURED = TrueDelay(
    measured_utc="2026-11-30T07:00:00.000+00:00",
    arrival=DelaySpread(80, 90, 100),
    overlay=DelaySpread(120, 150, 200),
    program=DelaySpread(60, 70, 80),
    timed_by="driver",
    frames=100,
    read=98,
    painted=90,
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the program remembers, elsewhere."""
    monkeypatch.setattr("app.glass.measure.data_folder", lambda: tmp_path / "data")
    return tmp_path / "data"


def measured(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main.main(["bench", "glass", *arguments, "--size", "320x180", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_card_whose_delay_is_known_is_measured_to_within_a_frame_and_remembered(
    data: Path, tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "card.toml"
    script.write_text(CARD, encoding="utf-8")
    model = ("--model", str(tiny_model_path), "--device", "cpu", "--threads", "1", "--seconds", "1")
    found = measured(capsys, f"camera:simulated:{script}", *model)
    check("semc bench glass", found)
    assert found["read"] == found["frames"] > 0
    assert found["unreadable"] == 0
    known_ms = 1000 * DELAY_S
    assert known_ms <= found["arrival"]["p50_ms"] < known_ms + FRAME_MS
    assert found["arrival"]["p50_ms"] <= found["overlay"]["p50_ms"] <= found["overlay"]["worst_ms"]
    assert found["timed_by"] == "driver"
    assert found["program"]["p50_ms"] == pytest.approx(found["overlay"]["p50_ms"], abs=FRAME_MS / 4), (
        "the stamps are right, so the program knows the whole delay"
    )
    assert read_delays(data)["card@port-1"].overlay.p50_ms == found["overlay"]["p50_ms"]


@contextmanager
def sender(delay_s: float) -> Iterator[str]:
    """A camera's address that shows the clock as it stood `delay_s` ago, as JPEG after JPEG."""
    ended = threading.Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            while not ended.wait(1 / RATE):
                shown = bar_clock.draw(time.monotonic() - delay_s, 320, 240)
                jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                except OSError:
                    return

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://somebody:secret@127.0.0.1:{server.server_port}/camera"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_stream_whose_delay_is_known_is_measured_to_within_a_frame() -> None:
    meter = GlassMeter()
    with sender(DELAY_S) as url, closing(MeasuredSource(StreamSource(url), meter)) as source:
        started_s = time.monotonic()
        while (packet := source.read()) is not None and packet.pts_s < 0.5:
            pass
        # What came while the stream was looked into comes at once and is older.
        while time.monotonic() - started_s < 1.0:
            source.read()
        meter.begin()
        for _ in range(6):
            packet = source.read()
            assert packet is not None
            meter.painted(packet.index, time.monotonic())
        delay = meter.delay(source.info)
        source.interrupt()
    assert delay.frames == delay.read == 6
    assert 1000 * DELAY_S <= delay.arrival.p50_ms < 1000 * DELAY_S + FRAME_MS
    assert delay.timed_by == "arrival"
    assert delay.program.p50_ms < delay.overlay.p50_ms - 1000 * DELAY_S + FRAME_MS, "it knows of no sender"


def test_what_has_no_delay_or_shows_no_clock_says_so_and_nothing_is_remembered(
    data: Path, tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "card.toml"
    script.write_text(CARD.replace('"clock"', '"ramp"'), encoding="utf-8")
    model = ("--model", str(tiny_model_path), "--device", "cpu", "--threads", "1", "--size", "320x180")
    assert main.main(["bench", "glass", f"camera:simulated:{script}", *model, "--seconds", "0.3"]) == 1
    assert "The clock was read in none of" in capsys.readouterr().err
    assert main.main(["bench", "glass", "simulated:7", *model]) == 1
    assert "Only a camera, a capture card or a stream has a delay" in capsys.readouterr().err
    assert main.main(["bench", "glass", "--seconds", "0"]) == 2
    assert main.main(["bench", "glass", "--screen", "7"]) == 2
    assert "There is no screen 7" in capsys.readouterr().err
    assert not data.exists()


def test_frames_that_cannot_be_read_are_counted_and_are_in_no_delay() -> None:
    def packet(index: int, pixels: NDArray[np.uint8]) -> FramePacket:
        return FramePacket("a", index, index / 30, 99.9, Picture(pixels))

    meter = GlassMeter()
    info = SourceInfo("a", "stream", 320, 240, None, None, live=True)
    blank = np.zeros((240, 320), np.uint8)
    meter.came(packet(0, bar_clock.draw(99.0, 320, 240)), 100.0)
    meter.begin()
    with pytest.raises(SemcError, match="none of 0 frames"):
        meter.delay(info)
    for index, pixels in enumerate(
        (bar_clock.draw(99.8, 320, 240), blank, bar_clock.draw(99.7, 320, 240)), 1
    ):
        meter.came(packet(index, pixels), 100.0)
        meter.painted(index, 100.1)
    delay = meter.delay(info)
    assert (delay.frames, delay.read, delay.unreadable, delay.painted) == (3, 2, 1, 2)
    assert delay.arrival.p50_ms == pytest.approx(250, abs=1)
    assert delay.arrival.worst_ms == pytest.approx(300, abs=1)
    assert delay.overlay.p50_ms == pytest.approx(350, abs=1)
    assert delay.program.p50_ms == pytest.approx(200)


def test_the_window_of_the_clock_shows_this_moment_and_ends_with_escape(qtbot: QtBot) -> None:
    clock = ClockWindow(QGuiApplication.screens()[0])
    qtbot.addWidget(clock)
    clock.resize(480, 270)
    before_ms = int(time.monotonic() * 1000)
    shown = clock.grab().toImage().convertToFormat(image_of(np.zeros((1, 1), np.uint8)).format())
    after_ms = int(time.monotonic() * 1000)
    gray = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.bytesPerLine())
    read = bar_clock.read(np.ascontiguousarray(gray[:, : shown.width()]))
    assert read in {moment % bar_clock.WRAP_MS for moment in range(before_ms, after_ms + 1)}
    with qtbot.waitSignal(clock.closed):
        QTest.keyClick(clock, Qt.Key.Key_Escape)


def test_what_was_measured_is_shown_beside_what_the_program_knows(tmp_path: Path) -> None:
    remember_delay(tmp_path, "card@port-1", MEASURED)
    remember_delay(tmp_path, "http://127.0.0.1:80/camera", MEASURED)
    assert set(read_delays(tmp_path)) == {"card@port-1", "http://127.0.0.1:80/camera"}
    options = ScanOptions("a", tmp_path, "cpu", tmp_path, delays=read_delays(tmp_path))
    stream = SourceInfo("http://127.0.0.1:80/camera", "stream", 4, 4, None, None, live=True)
    items = status_items(Statistics(), Spread(40, 60, 70), 0.0)
    (item,) = (each for each in with_delay(items, stream, options.delay_of(stream)) if each.about)
    assert item.value == "40 / 60 ms, glass 120 ms"
    assert item.about == (
        "The delay is from arrival in the program to the painted overlay. "
        "Measured was glass to overlay 120 ms (measured 2026-11-30)."
    )
    early = status_items(Statistics(), Spread(0, 0, 0), 0.0)
    (item,) = (each for each in with_delay(early, stream, options.delay_of(stream)) if each.about)
    assert item.value == "–", "what was measured says nothing before there is a picture"
    other = SourceInfo("b", "stream", 4, 4, None, None, live=True, timed_by="driver")
    (item,) = (each for each in with_delay(items, other, options.delay_of(other)) if each.about)
    assert (item.value, item.about) == (
        "40 / 60 ms", "The delay is from the driver's stamp to the painted overlay.",
    )  # fmt: skip


def test_a_damaged_book_of_delays_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "true_delays.json").write_bytes(b'{"card": 7}')
    assert read_delays(tmp_path) == {}
    remember_delay(tmp_path, "card", MEASURED)
    assert read_delays(tmp_path) == {"card": MEASURED}


def test_a_scan_tells_what_its_delay_contains_and_what_was_measured(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "card.toml"
    script.write_text(CARD, encoding="utf-8")
    remember_delay(tmp_path / "data", "card@port-1", MEASURED)
    window.open_source(f"camera:simulated:{script}")
    latency = window.live_page.latency
    qtbot.waitUntil(lambda: latency.spread().p50_ms >= 1000 * DELAY_S, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: ", glass 120 ms" in window.status.text.replace("&nbsp;", " "), timeout=WAIT_MS)
    _tell(window, None, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["delay"]["from"] == "driver"
    assert told["delay"]["p50_ms"] >= 1000 * DELAY_S
    assert told["glass"]["overlay"]["p50_ms"] == 120
    _tell(window, None, as_json=False)
    said = "from the driver's stamp to the painted overlay; glass to overlay 120 ms (measured 2026-11-30)."
    assert said in capsys.readouterr().out


def test_a_card_is_measured_as_the_window_scans_it(tmp_path: Path) -> None:
    script = tmp_path / "card.toml"
    script.write_text(CARD.replace('mjpg"]', 'mjpg", "160x120@30,mjpg"]'), encoding="utf-8")
    cards = {"card@port-1": CardChoice("160x120", PictureOptions(flip="horizontal"))}
    for mode, width in ((None, 160), ("320x240", 320)):
        with closing(as_scanned(f"camera:simulated:{script}", mode, cards)) as source:
            assert (source.info.width, source.info.picture_options) == (width, cards["card@port-1"].options)
