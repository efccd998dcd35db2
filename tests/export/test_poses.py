"""From a sender of OpenIGTLink on the network through a session into an export: pictures with their poses."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.manifest import check_bundle
from semc_core.export.options import ExportOptions
from semc_core.model.architecture import new_spec
from semc_core.pose import Pose
from semc_core.session.files import Origin, read_png
from semc_core.session.listing import session_folders
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from semc_core.session.writer import SessionWriter
from semc_core.types import FramePacket, HoldEvent
from tests.export.scans import CLASSES, result, video_session
from tests.old_files.places import unpack
from tests.pacs.servers import free_port
from tests.pipeline.live_scans import new_engine, scripted
from tests.pipeline.scripted import probabilities
from tests.sources.capture_clips import number_of, numbered
from tests.sources.igtl_sender import RATE, TRANSFORM, placed, turned
from tests.sources.test_igtl import Sender, opened, sending, taken
from tests.sources.test_igtl_poses import image, transform

SECRET = "Zxqvok's probe"
OPTIONS = ExportOptions(clips=False, report=False, text="keep")


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reader of text, as where it is not installed."""
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)


def kept(folder: Path, packets: Iterable[FramePacket], source: Any) -> Session:
    """A session of a live scan whose third frame is a plane, as the pipeline hands it to its writer."""
    spec = new_spec("semc_tiny", CLASSES)
    writer = SessionWriter(folder, Origin(source.info, spec, spec.thresholds, "CPU"))
    for number, packet in enumerate(packets):
        one = replace(result(packet.index, packet.pixels), packet=packet)
        writer.classified(one)
        if number == 2:
            writer.submit(HoldEvent(1, "FHP1", one, 0.9, packet.pts_s, packet.pts_s, True))
    writer.close()
    writer.raise_fault()
    return Session.open(writer.folder)


def exported(session: Session, target: Path, options: ExportOptions = OPTIONS) -> tuple[Any, list[Any]]:
    """The JSON of the only plane, and the lines of poses.csv.gz."""
    export_session(session, target, options, data=target.parent / "data")
    assert check_bundle(target).ok
    (record,) = (target / "planes").glob("*.json")
    text = gzip.decompress((target / "poses.csv.gz").read_bytes()).decode()
    return json.loads(record.read_text(encoding="utf-8")), list(csv.DictReader(io.StringIO(text)))


def check(record: Any, lines: list[Any], numbers: list[int], name: str, plane: int = 2) -> None:
    """Poses of a plane, which is one of the frames whose pictures have these numbers, and of all frames."""
    own, tracked = record["poses"]
    assert (own["of"], own["name"], own["coordinates"]) == ("picture", "", "RAS")
    assert (tracked["of"], tracked["name"], tracked["coordinates"]) == ("transform", name, "")
    assert np.array(own["matrix"]) == pytest.approx(placed(numbers[plane]), abs=1e-4)
    assert np.array(tracked["matrix"]) == pytest.approx(turned(numbers[plane], 1, 2, 3), abs=1e-6)
    assert [line["of"] for line in lines] == ["picture", "transform"] * len(numbers)
    assert {line["name"] for line in lines} == {"", name}
    for line, number in zip(lines[::2], numbers, strict=True):
        cells = [float(line[f"m{row}{column}"]) for row in range(3) for column in range(4)]
        assert cells == pytest.approx(placed(number)[:3].ravel().tolist(), abs=1e-4)


def test_poses_of_another_program_come_into_the_export(tmp_path: Path) -> None:
    port = free_port()
    with sending(port), closing(opened(f"igtl://127.0.0.1:{port}")) as source:
        packets = taken(source, 5)
        source.interrupt()
    numbers = [number_of(packet.pixels) for packet in packets]
    with kept(tmp_path / "scan", packets, source) as session:
        record, lines = exported(session, tmp_path / "out")
        assert session.verify().ok
    check(record, lines, numbers, TRANSFORM)
    assert [int(line["frame_index"]) for line in lines[::2]] == [packet.index for packet in packets]


def test_a_whole_scan_keeps_the_poses_of_its_frames_and_of_what_is_captured(tmp_path: Path) -> None:
    port = free_port()
    with sending(port):
        engine = new_engine(
            lambda: opened(f"igtl://127.0.0.1:{port}"),
            scripted(lambda _: probabilities("NSP", 0.9)),
            session_sink(tmp_path),
        )
        engine.start()
        try:
            while (seen := engine.results.get()).packet.index < 10:
                pass
            assert engine.capture_now(seen)
            while engine.results.get().packet.index < seen.packet.index + 10:
                pass
        finally:
            engine.stop()
    (folder,) = session_folders(tmp_path)
    with Session.open(folder) as session:
        frames, poses = session.frames().index.tolist(), dict(session.poses())
        assert sorted(poses) == frames
        (plane,) = session.planes()
        assert plane.png is not None
        number = number_of(read_png(folder / plane.png, plane.png_sha256))
        record, lines = exported(session, tmp_path / "out")
        first = number - plane.frame_index
        numbers = [first + index for index in frames]
        at = frames.index(plane.frame_index)
        check(record, lines, numbers, TRANSFORM, at)
        saved = (folder / plane.png).with_suffix(".json").read_text(encoding="utf-8")
        assert json.loads(saved)["poses"] == record["poses"]


@pytest.mark.parametrize("deidentify", [True, False])
def test_a_name_of_a_device_and_a_date_stay_out_of_what_is_deidentified(
    tmp_path: Path, deidentify: bool
) -> None:
    numbers, stamp_s = [1, 2, 3, 4, 5], 1_111_111_111.0
    sent = b"".join(
        transform(turned(number, 1, 2, 3), stamp_s + number / RATE, SECRET)
        + image(placed(number), stamp_s + number / RATE, numbered(number)[None])
        for number in numbers
    )
    with Sender(sent, stays=True) as sender, closing(opened(sender.url)) as source:
        packets = taken(source, 5)
        source.interrupt()
    with kept(tmp_path / "scan", packets, source) as session:
        options = replace(OPTIONS, deidentify=deidentify)
        record, lines = exported(session, tmp_path / "out", options)
        assert {pose.name for _, poses in session.poses() for pose in poses} == {"", SECRET}
    check(record, lines, numbers, "transform 1" if deidentify else SECRET)
    for path in (tmp_path / "out").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"1111111" not in content, path.name
        assert (SECRET.encode() in content) <= (not deidentify), path.name


def test_usual_names_stay_and_others_are_numbered_alike_all_through(tmp_path: Path) -> None:
    matrix = tuple(turned(1, 1, 2, 3)[:3].ravel().tolist())
    names = ["ReferenceToTracker", "=Anna", "ProbeToAnna", "ImageToReference"]
    poses = tuple(Pose(name, matrix) for name in names)  # type: ignore[arg-type]
    with video_session(tmp_path / "scan", count=14) as session:
        # More frames, of which one is that of a plane.
        packets = [FramePacket("a", 8, 0.4, 0.0, result(8, numbered(8)).packet.picture, poses)]
        packets.append(replace(packets[0], index=20, pts_s=1.0, poses=poses[::-1]))
        session.add_frames([replace(result(8, numbered(8)), packet=packet) for packet in packets])
        session.flush()
        target = tmp_path / "out"
        export_session(session, target, OPTIONS, data=tmp_path / "data")
        first = json.loads((target / "planes" / "001_FHP1_f000008.json").read_text(encoding="utf-8"))
        other = json.loads((target / "planes" / "002_LLP_f000004.json").read_text(encoding="utf-8"))
    said = ["ReferenceToTracker", "transform 1", "transform 2", "ImageToReference"]
    assert [each["name"] for each in first["poses"]] == said
    assert "poses" not in other
    lines = csv.DictReader(io.StringIO(gzip.decompress((target / "poses.csv.gz").read_bytes()).decode()))
    assert [line["name"] for line in lines] == [*said, *said[::-1]]


def test_without_tables_of_frames_there_is_none_of_poses(tmp_path: Path) -> None:
    matrix = tuple(placed(1)[:3].ravel().tolist())
    with video_session(tmp_path / "scan", count=14) as session:
        packet = FramePacket("a", 8, 0.4, 0.0, result(8, numbered(8)).packet.picture, (Pose("", matrix),))  # type: ignore[arg-type]
        session.add_frames([replace(result(8, numbered(8)), packet=packet)])
        export_session(session, tmp_path / "out", replace(OPTIONS, frames=False), data=tmp_path / "data")
    assert not (tmp_path / "out" / "poses.csv.gz").exists()
    assert "poses" in (tmp_path / "out" / "planes" / "001_FHP1_f000008.json").read_text(encoding="utf-8")


def test_a_session_from_before_poses_opens_and_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))  # where no other copy of it was signed
    with Session.open(unpack("sessions", tmp_path) / "scan") as session:
        assert list(session.poses()) == []
        assert session.verify().ok
        export_session(session, tmp_path / "out", OPTIONS, data=tmp_path / "data")
    assert (tmp_path / "out" / "frames.csv.gz").exists()
    assert not (tmp_path / "out" / "poses.csv.gz").exists()
    for path in (tmp_path / "out" / "planes").glob("*.json"):
        assert '"poses"' not in path.read_text(encoding="utf-8")
