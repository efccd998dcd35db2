"""Makes the corpus: one small file of every kind, whole and right.

python -m tests.fuzz.make_corpus
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML
from PySide6.QtCore import QSettings

from app.settings import Settings
from semc_core.imaging.heatmap import HeatStyle
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import write_model
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import DicomObject, QueueStore
from semc_core.paths import ASSETS
from semc_core.session.correcting.changes import Relabel
from semc_core.sources.devices.contents import undecoded
from semc_core.sources.live.connection import coding_of, raw_of
from semc_core.sources.raw.file import write_tap
from semc_core.sources.raw.records import Coding, Note, Raw, Tapped
from semc_core.sources.raw.tap import camera_origin, stream_origin
from tests.fuzz.worker import CORPUS
from tests.session.sessions import filled_session
from tests.sources.dicom_clips import write_compressed
from tests.sources.test_bombs import dicom

_CODECS = {
    "avi": "mjpeg",
    "mkv": "ffv1",
    "mp4": "mpeg4",
    "mpg": "mpeg1video",
    "ts": "mpeg2video",
    "gif": "gif",
}


def _videos() -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (6, 48, 64, 3), np.uint8)
    for suffix, codec in _CODECS.items():
        with av.open(str(CORPUS / f"a.video.{suffix}"), "w") as out:
            stream = out.add_stream(codec, rate=Fraction(25))
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = 64, 48
            stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
            for picture in pictures:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode(None))


def _pictures() -> None:
    gray = Image.fromarray((np.arange(24 * 32).reshape(24, 32) % 251).astype(np.uint8))
    for suffix in ("png", "jpg", "tif", "bmp", "webp", "jp2", "gif"):
        more = [gray.rotate(90)] if suffix in ("tif", "gif") else []
        extra: dict[str, Any] = {"save_all": True, "append_images": more} if more else {}
        gray.save(CORPUS / f"a.picture.{suffix}", **extra)
    Image.fromarray(np.asarray(gray, np.uint16) * 200).save(CORPUS / "wide.picture.png")


def _dicom() -> None:
    for name, kind, syntax in (("jpeg", "JPEG", "50"), ("j2k", "JPEG2000", "90")):
        content = BytesIO()
        more: dict[str, Any] = {"no_jp2": True} if name == "j2k" else {}
        Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(content, kind, **more)
        (CORPUS / f"{name}.dcm").write_bytes(
            dicom(f"1.2.840.10008.1.2.4.{syntax}", content.getvalue(), side=16)
        )
    for name, syntax in (("native", "1.2.840.10008.1.2.1"), ("deflated", "1.2.840.10008.1.2.1.99")):
        (CORPUS / f"{name}.dcm").write_bytes(dicom(syntax, bytes(range(256)) * 3, side=16, frames=3))
    _video_in_dicom()


def _video_in_dicom() -> None:
    content = BytesIO()
    with av.open(content, "w", format="mpeg2video") as out:
        stream = out.add_stream("mpeg2video", rate=Fraction(25))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 4, 1
        for index in range(8):
            level = np.full((48, 64, 3), 20 * index, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(level, format="rgb24")))
        out.mux(stream.encode(None))
    data = content.getvalue() + b"\0" * (len(content.getvalue()) % 2)
    write_compressed(
        CORPUS / "video.dcm", [], syntax=MPEG2MPML, data=encapsulate([data], has_bot=False),
        NumberOfFrames=8, PhotometricInterpretation="YBR_PARTIAL_420",
    )  # fmt: skip


def _taps() -> None:
    """Of a card that is opened twice, in each form that is decoded here; and of streams."""
    picture = np.random.default_rng(2).integers(0, 255, (24, 32, 3), np.uint8)
    for codec in ("MJPG", "YUYV", "BGR3"):
        origin = camera_origin("usb-534d:2109@1", (f"32x24@30,{codec.lower()}",))
        codings = [Coding("buffer", codec, 32, 24, (30000, 1000), opening=opening) for opening in (0, 1)]
        data = [Raw(each, float(at), undecoded(picture, codec)) for at, each in enumerate(2 * codings)]
        notes = (Note(-0.5, "asked for format MJPG: taken after 0.020 s"),)
        write_tap(CORPUS / f"{codec.lower()}.semctap", Tapped(origin, notes, tuple(data)))
    wide = Coding("buffer", "Y16 ", 32, 24)
    raw = Raw(wide, 0.0, np.asarray(picture[..., 0], np.uint16) * 200)
    write_tap(CORPUS / "wide.semctap", Tapped(camera_origin("card@1", ()), (), (raw,)))
    for suffix in ("mp4", "mkv"):
        with av.open(str(CORPUS / f"a.video.{suffix}")) as file:
            stream = file.streams.video[0]
            coding = coding_of(stream, 0)
            packets = [packet for packet in file.demux(stream) if packet.size]
            raws = tuple(raw_of(coding, packet, at / 25) for at, packet in enumerate(packets))
        write_tap(CORPUS / f"{suffix}.semctap", Tapped(stream_origin("udp"), (), raws))


def _stored(place: Path) -> None:
    with filled_session(place / "scan") as session:
        session.apply(Relabel(1, "B"))
    shutil.copy(place / "scan" / "session.sqlite", CORPUS / "a.session")
    store = QueueStore(place / "queue")
    one = DicomObject(
        "1.2.840.10008.5.1.4.1.1.6.1", "1.2.3", "1.2.4", "1.2.5", "1.2.840.10008.1.2.1", "ab" * 32, 3
    )
    SendQueue(store).add("archive", [one], lambda _: b"abc", manifest="cd" * 32)
    store.close()
    shutil.copy(place / "queue" / "queue.sqlite", CORPUS / "a.queue")


def main() -> None:
    """Write all of it anew."""
    shutil.rmtree(CORPUS, ignore_errors=True)
    CORPUS.mkdir()
    _videos()
    _pictures()
    _dicom()
    _taps()
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), notice="Untrained.")
    spec = replace(spec, architecture=replace(spec.architecture, width=2, experts=1, layers=(1, 1, 1, 1)))
    write_model(CORPUS / "a.safetensors", spec, random_weights(spec.architecture, len(spec.classes)))
    shutil.copy(ASSETS / "protocols" / "lp2025-liver.toml", CORPUS / "a.toml")
    settings = Settings(QSettings(str(CORPUS / "a.ini"), QSettings.Format.IniFormat))
    settings.heat_style, settings.export_folder = HeatStyle.TINT, Path("/tmp")
    settings.remember_source("camera:0")
    settings.write()
    with tempfile.TemporaryDirectory() as place:
        _stored(Path(place))
    shutil.copy(Path(__file__).parents[1] / "old_files" / "kept" / "export.zip", CORPUS / "a.zip")


if __name__ == "__main__":
    main()
