"""What came of a card or a stream, undecoded: kept within bounds, without names, and the same when played."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from main import main
from semc_core.errors import SourceError
from semc_core.picture_options import AS_IT_IS, PictureOptions, to_text
from semc_core.sources.devices.buffers import BufferForm, pixels_of
from semc_core.sources.devices.contents import undecoded
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.live.stream import StreamSource
from semc_core.sources.open import open_source
from semc_core.sources.raw.file import write_tap
from semc_core.sources.raw.records import Coding, Raw
from semc_core.sources.raw.replay import TapSource
from semc_core.sources.raw.tap import RawTap, camera_origin, stream_origin
from semc_core.types import FramePacket
from tests.sources.capture_clips import read_all, write_video
from tests.sources.test_deinterlace import write as write_woven
from tests.sources.test_stream import served

CARD = "usb-534d:2109-SERIAL77@0000:00:14.0-usb2-2.3-1.0"
PACKETS = Coding("packet", "h264", 64, 48)


def card(mode: str, *events: Event) -> SimulatedDevices:
    device = ScriptedDevice(
        name="Anna's card", identity=CARD, modes=(mode,), content="count", events=events
    )  # fmt: skip
    return SimulatedDevices(Script((device,)))


def pixels(source: Any, count: int) -> list[NDArray[np.uint8]]:
    found: list[NDArray[np.uint8]] = []
    while len(found) < count:
        packet = source.read()
        assert packet is not None
        found.append(packet.pixels)
    return found


def played(path: Path, options: PictureOptions = AS_IT_IS) -> list[NDArray[np.uint8]]:
    with closing(TapSource(path, options)) as source:
        return [packet.pixels for packet in read_all(source)]


def contains(whole: list[NDArray[np.uint8]], part: list[NDArray[np.uint8]]) -> bool:
    """Whether each picture of `part` is in `whole`, to the bit, in the same order."""
    waiting = iter(whole)
    return all(any(np.array_equal(picture, wanted) for picture in waiting) for wanted in part)


@pytest.mark.parametrize("codec", ["mjpg", "yuyv", "bgr3"])
def test_what_a_card_sent_is_kept_undecoded_and_is_the_same_to_the_bit_when_played(
    codec: str, tmp_path: Path
) -> None:
    tap = RawTap()
    source = CameraSource(CARD, system=card(f"160x120@200,{codec}"), tap=tap)
    seen = pixels(source, 6)
    source.interrupt()
    source.close()
    taken = tap.taken()
    write_tap(tmp_path / "a.semctap", taken)
    assert {raw.coding.codec for raw in taken.data} == {codec.upper()}
    shape = taken.data[0].data.shape
    assert shape[1:] == {"mjpg": (1,), "yuyv": (160, 2), "bgr3": (160, 3)}[codec]
    assert contains(played(tmp_path / "a.semctap"), seen)


@pytest.mark.parametrize("tapped", [True, False], ids=["as it comes", "from later on"])
@pytest.mark.parametrize("codec", ["mjpg", "yuyv"])
@pytest.mark.parametrize(
    "options",
    [
        PictureOptions(range="full", aspect="16:9"),
        PictureOptions(range="limited", flip="180"),
        PictureOptions(deinterlace="on"),
    ],
    ids=to_text,
)
def test_a_card_that_was_read_by_picture_options_is_played_by_them_also_across_a_gap(
    options: PictureOptions, codec: str, tapped: bool, tmp_path: Path
) -> None:
    tap = RawTap(keeping=tapped)
    system = card(f"160x120@100,{codec}", Event(9, "unplug", 0.1, number=3))
    with closing(CameraSource(CARD, options=options, system=system, tap=tap)) as source:
        tap.begin()
        pixels(source, 2)
        seen = pixels(source, 15)
        source.interrupt()
    write_tap(tmp_path / "a.semctap", tap.taken())
    assert len({raw.coding.opening for raw in tap.taken().data}) == 2
    assert contains(played(tmp_path / "a.semctap"), seen)
    plain = [
        packet.pixels
        for packet in read_all(TapSource(tmp_path / "a.semctap", PictureOptions(flip="vertical")))
    ]
    assert not contains(plain, seen), "what is chosen now goes before what the file says"


def test_a_card_that_nobody_taps_is_decoded_by_the_system() -> None:
    tap = RawTap(keeping=False)
    source = CameraSource(CARD, system=card("160x120@200,mjpg"), tap=tap)
    pixels(source, 2)
    tap.begin()
    pixels(source, 3)
    source.interrupt()
    source.close()
    assert {raw.coding.codec for raw in tap.taken().data} == {"BGR3"}


def test_the_file_tells_what_was_asked_and_what_happened_and_no_name(tmp_path: Path) -> None:
    tap = RawTap()
    system = card("160x120@100,mjpg", Event(5, "unplug", 0.2, number=3))
    source = CameraSource(CARD, system=system, tap=tap)
    pixels(source, 10)
    source.interrupt()
    source.close()
    write_tap(tmp_path / "a.semctap", tap.taken())
    content = (tmp_path / "a.semctap").read_bytes()
    with closing(TapSource(tmp_path / "a.semctap")) as again:
        notes = again.notes
    assert any("asked for decoding 0: taken after" in note for note in notes)
    assert any("lost: the card is unplugged" in note for note in notes)
    assert sum("opened" in note for note in notes) == 2
    assert b"usb-534d:2109" in content
    for name in (b"SERIAL77", b"Anna", b"0000:00", str(tmp_path).encode()):
        assert name not in content


def test_what_a_stream_sent_is_the_same_to_the_bit_when_played_and_has_no_address(tmp_path: Path) -> None:
    body = write_video(tmp_path / "a.ts", 40).read_bytes()
    tap = RawTap()
    with served(body, announced=len(body)) as url:
        source = StreamSource(url, tap=tap)
        seen = [packet.pixels for packet in read_all(source)]
        source.close()
    write_tap(tmp_path / "a.semctap", tap.taken())
    assert len(seen) == 40
    again = played(tmp_path / "a.semctap")
    assert len(again) == 40
    assert contains(again, seen)
    content = (tmp_path / "a.semctap").read_bytes()
    assert not any(name in content for name in (b"127.0.0.1", b"secret", b"scan.ts"))


def test_an_interlaced_stream_is_the_same_to_the_bit_when_played(tmp_path: Path) -> None:
    body = write_woven(tmp_path / "a.ts", marked=True).read_bytes()
    tap = RawTap()
    with served(body, announced=len(body)) as url:
        source = StreamSource(url, PictureOptions(flip="horizontal"), tap=tap)
        seen = [packet.pixels for packet in read_all(source)]
        source.close()
    write_tap(tmp_path / "a.semctap", tap.taken())
    again = played(tmp_path / "a.semctap")
    assert len(seen) == len(again) == 14
    assert contains(again, seen)


def piece(time_s: float, size: int, *, key: bool) -> Raw:
    return Raw(PACKETS, time_s, np.zeros(size, np.uint8), key)


def test_the_ring_holds_so_many_seconds_and_begins_with_what_can_be_decoded() -> None:
    tap = RawTap(seconds=10)
    tap.describe(stream_origin("udp"))
    tap.keep(piece(-1, 10, key=False))
    for time_s in range(40):
        tap.keep(piece(time_s, 10, key=time_s % 4 == 0))
    times_s = [raw.time_s for raw in tap.taken().data]
    assert times_s == list(range(28, 40)), "the last key before the ten seconds, and all after it"


@pytest.mark.parametrize("every", [1, 4, 1000])
def test_the_ring_is_never_larger_than_it_may_be(every: int) -> None:
    tap = RawTap(seconds=1000, most_bytes=100)
    tap.describe(stream_origin("udp"))
    for time_s in range(60):
        tap.keep(piece(time_s, 10, key=time_s % every == 0))
        assert tap.nbytes <= 100
    assert every == 1000 or tap.taken().data[0].key


def test_nothing_kept_is_an_error_that_says_so() -> None:
    tap = RawTap(keeping=False)
    tap.describe(camera_origin(CARD, ()))
    tap.keep(piece(0, 10, key=True))
    with pytest.raises(SourceError, match="Nothing has come"):
        tap.taken()


@pytest.fixture
def tapped(tmp_path: Path) -> bytes:
    tap = RawTap()
    tap.describe(camera_origin(CARD, ("160x120@30,yuyv",)))
    gray = np.arange(160 * 120, dtype=np.uint8).reshape(120, 160)
    for number in range(3):
        tap.keep(Raw(Coding("buffer", "GREY", 160, 120), float(number), gray + np.uint8(number)))
    write_tap(tmp_path / "whole.semctap", tap.taken())
    return (tmp_path / "whole.semctap").read_bytes()


def test_a_file_that_is_cut_short_or_damaged_gives_what_is_before_and_says_so(
    tapped: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.semctap"
    damaged = bytearray(tapped)
    damaged[-1] ^= 1
    for content in (tapped[:-5], bytes(damaged)):
        path.write_bytes(content)
        with closing(TapSource(path)) as source:
            assert len(read_all(source)) == 2
            assert "cut short or damaged" in source.info.notice


def test_a_file_that_is_none_is_refused_with_a_sentence(tapped: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.semctap"
    for content in (b"hello", tapped[:9], tapped[:40], tapped.replace(b'"version": 1', b'"version": 9')):
        path.write_bytes(content)
        with pytest.raises(SourceError):
            TapSource(path)


def test_a_jpeg_that_unpacks_to_far_more_than_a_card_sends_is_left_out(tmp_path: Path) -> None:
    from PIL import Image

    tap = RawTap()
    tap.describe(camera_origin(CARD, ()))
    coding = Coding("buffer", "MJPG", 160, 120)
    bomb = io.BytesIO()
    Image.new("L", (60_000, 3_000)).save(bomb, "JPEG")
    small = undecoded(np.full((120, 160, 3), 90, np.uint8), "MJPG")
    for number, data in enumerate((np.frombuffer(bomb.getvalue(), np.uint8), small)):
        tap.keep(Raw(coding, float(number), data))
    write_tap(tmp_path / "a.semctap", tap.taken())
    assert [picture.shape for picture in played(tmp_path / "a.semctap")] == [(120, 160, 3)]


def test_a_file_is_opened_by_its_word_and_as_any_recording(tapped: bytes, tmp_path: Path) -> None:
    assert tapped
    for text in (f"tap:{tmp_path / 'whole.semctap'}", str(tmp_path / "whole.semctap")):
        with closing(open_source(text)) as source:
            assert [packet.pts_s for packet in read_all(source)] == [0.0, 1.0, 2.0]


def test_a_buffer_that_is_not_what_its_format_says_is_no_picture() -> None:
    for codec in ("MJPG", "YUYV", "NV12", "H264"):
        assert pixels_of(np.zeros((7, 1), np.uint8), BufferForm(codec, width=160, height=120)) is None


def test_the_command_saves_a_card_and_refuses_what_is_no_live_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "card.toml"
    script.write_text(
        'version = 1\n[[device]]\nmodes = ["160x120@100,mjpg"]\ncontent = "count"\n', encoding="utf-8"
    )
    out = tmp_path / "a.semctap"
    given = ["tap", f"camera:simulated:{script}", "--seconds", "0.1", "--out", str(out), "--json"]
    assert main(given) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["codec"], told["bytes"]) == ("MJPG", out.stat().st_size)
    assert len(played(out)) >= 2
    assert main(["tap", str(out), "--out", str(tmp_path / "b.semctap")]) == 1
    assert "Only a camera" in capsys.readouterr().err


def test_the_command_saves_what_came_of_a_card_that_then_is_unplugged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.cli.tap._SILENCE_S", 0.1)
    script = tmp_path / "card.toml"
    script.write_text(
        'version = 1\n[[device]]\nmodes = ["160x120@100,mjpg"]\ncontent = "count"\n'
        '[[device.events]]\nat_frame = 5\nwhat = "unplug"\nseconds = 4\n',
        encoding="utf-8",
    )
    given = ["tap", f"camera:simulated:{script}", "--seconds", "0.5", "--json"]
    assert main([*given, "--out", str(tmp_path / "a.semctap")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pieces"], told["seconds"] < 0.5) == (5, True)
    assert any("unplugged" in note for note in told["notes"]), "it says what became of it"
    script.write_text(
        'version = 1\n[[device]]\nmodes = ["160x120@100,mjpg"]\n'
        '[[device.events]]\nat_frame = 0\nwhat = "fail"\nseconds = 4\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("semc_core.cli.tap._FIRST_S", 0.2)
    assert main([*given, "--out", str(tmp_path / "b.semctap")]) == 1
    assert "Nothing has come from the source" in capsys.readouterr().err


def test_the_command_saves_what_came_until_it_is_interrupted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "card.toml"
    script.write_text(
        'version = 1\n[[device]]\nmodes = ["160x120@100,mjpg"]\ncontent = "count"\n', encoding="utf-8"
    )
    out = tmp_path / "a.semctap"
    read, calls = CameraSource.read, iter(range(1000))

    def interrupted(camera: CameraSource) -> FramePacket | None:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return read(camera)

    monkeypatch.setattr(CameraSource, "read", interrupted)
    assert main(["tap", f"camera:simulated:{script}", "--seconds", "60", "--out", str(out), "--json"]) == 0
    assert 0 < json.loads(capsys.readouterr().out)["seconds"] < 60
    monkeypatch.undo()
    assert len(played(out)) >= 2
