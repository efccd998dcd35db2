"""Planes on disk: whole pairs, one per hold, whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.io.atomic import remove_leftovers, save_error, write_atomically
from semc_core.session.correcting.changes import Relabel
from semc_core.session.files import PlaneFiles, encode_png, write_plane
from semc_core.session.folder import safe_name, scan_folder
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from semc_core.session.writer import SessionWriter
from semc_core.types import SourceInfo
from tests.session.killed_writer import CLASSES, event, origin
from tests.session.sessions import frame

ROOT = Path(__file__).parents[2]


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def assert_pairs(folder: Path) -> int:
    """Every JSON has its PNG with the right hash. Returns how many there are."""
    found = records(folder)
    for record in found:
        content = (folder / record["png"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == record["png_sha256"]
    return len(found)


def test_a_plane_names_the_device_of_its_own_frame(tmp_path: Path) -> None:
    """A GPU may fall back to full precision within a scan; the scan's device would then not be the truth."""
    fell_back = "NVIDIA GPU, float32 (half precision overflowed)"
    store = SessionWriter(tmp_path / "scan", origin())
    usual, other = event(1, 121, final=True), event(2, 122, final=True)
    assert other.best.prediction is not None
    answered = replace(other.best.prediction, device=fell_back)
    assert store.submit(usual)
    assert store.submit(replace(other, best=replace(other.best, prediction=answered)))
    store.close()
    assert [record["device"] for record in records(tmp_path / "scan")] == ["CPU", fell_back]


@pytest.mark.requirement("S1")
def test_a_saved_plane_says_what_it_is_and_has_the_very_pixels(tmp_path: Path) -> None:
    store = SessionWriter(tmp_path / "scan", origin())
    for colour, number in ((False, 1), (True, 2)):
        assert store.submit(event(number, 120 + number, final=True, colour=colour))
    store.close()
    assert store.kept == 2
    first, second = store.take_saved()
    assert first.png == tmp_path / "scan" / "001_A_f000121.png"
    assert second.png is not None
    gray = cv2.imread(str(first.png), cv2.IMREAD_UNCHANGED)
    assert gray is not None
    assert np.array_equal(gray, event(1, 121).best.packet.pixels)
    colour_read = cv2.imread(str(second.png), cv2.IMREAD_UNCHANGED)
    assert colour_read is not None
    assert np.array_equal(colour_read[..., ::-1], event(1, 122, colour=True).best.packet.pixels)
    assert first.thumbnail.shape == (120, 160)
    record = records(tmp_path / "scan")[0]
    assert record["plane"] == "A"
    assert record["probabilities"] == {"A": 0.9, "B": 0.04, "NSP": 0.06}
    assert record["crop"] == {"left": 10, "top": 20, "width": 200, "height": 180}
    assert (record["frame_index"], record["time_s"]) == (121, pytest.approx(121 / 30, abs=1e-6))
    assert (record["hold_start_s"], record["hold_end_s"], record["final"]) == (1.0, 2.0, True)
    assert {"semc", "numpy", "openvino", "av"} <= record["versions"].keys()
    assert list(record["probabilities"]) == list(CLASSES)
    assert str(tmp_path) not in json.dumps(record), "no path of this machine"


def test_a_better_frame_replaces_the_pair_of_its_hold(tmp_path: Path) -> None:
    store = SessionWriter(tmp_path, origin(), fresh=False)
    for index in (10, 20):
        store.submit(event(1, index))
    store.submit(event(1, 30, final=True))
    store.submit(event(2, 40, plane="B"))
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "001_A_f000030.json", "001_A_f000030.png", "002_B_f000040.json", "002_B_f000040.png",
        "session.sqlite",
    ]  # fmt: skip
    assert [record["final"] for record in records(tmp_path)] == [True, False]
    assert assert_pairs(tmp_path) == 2


@pytest.mark.parametrize("undone", [False, True])
def test_a_plane_that_is_relabelled_while_its_better_frame_is_written_keeps_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undone: bool
) -> None:
    begun, relabelled = threading.Event(), threading.Event()

    def write(*arguments: Any) -> PlaneFiles:
        begun.set()
        files = write_plane(*arguments)
        if store.session is not None and not relabelled.is_set() and files.png.endswith("20.png"):
            store.session.apply(Relabel(1, "B"))
            if undone:
                # By now its frame may have been thrown away.
                monkeypatch.setattr(store, "_remove", and_undo)
            relabelled.set()
        return files

    remove = SessionWriter._remove

    def and_undo(folder: Path, png: str) -> None:
        remove(store, folder, png)
        assert store.session is not None
        store.session.undo()

    monkeypatch.setattr("semc_core.session.writer.write_plane", write)
    store = SessionWriter(tmp_path, origin(), fresh=False)
    store.submit(event(1, 10))
    store.submit(event(2, 15))
    assert begun.wait(20)
    store.submit(event(1, 20))
    assert relabelled.wait(20)
    store.submit(event(1, 20, final=True))
    store.close()

    with Session.open(tmp_path, read_only=True) as session:
        plane = session.plane(1)
        assert (plane.plane, plane.frame_index) == (("A", 20) if undone else ("B", 10))
        assert session.verify().problems == ()
    assert assert_pairs(tmp_path) == 2
    assert store.fault == ""


def test_an_old_pair_that_cannot_be_removed_is_told_and_the_new_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    old = tmp_path / "001_A_f000010.json"

    def encode(pixels: NDArray[np.uint8]) -> bytes:
        if begun.is_set():
            # A folder cannot be removed like a file; this fails for every user, root too.
            old.unlink()
            old.mkdir()
        begun.set()
        return encode_png(pixels)

    monkeypatch.setattr("semc_core.session.files.encode_png", encode)
    store = SessionWriter(tmp_path, origin(), fresh=False)
    store.submit(event(1, 10))
    assert begun.wait(60)
    store.submit(event(1, 30, final=True))
    store.close()
    assert [plane.png for plane in store.take_saved()] == [
        tmp_path / "001_A_f000010.png", tmp_path / "001_A_f000030.png"
    ]  # fmt: skip
    assert store.fault.startswith("An older frame of a plane was not removed.")
    assert old.with_suffix(".png").exists(), "the JSON goes first"


def test_the_log_names_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Meier.png.4711.tmp").mkdir()
    os.utime(tmp_path / "Meier.png.4711.tmp", (1, 1))

    def encode(pixels: NDArray[np.uint8]) -> bytes:
        raise OSError(5, "broken", "Meier.png")

    monkeypatch.setattr("semc_core.session.files.encode_png", encode)
    spec = origin().spec
    store = session_sink(tmp_path)(origin().source, spec, spec.thresholds, "CPU")
    store.submit(event(1, 1))
    store.close()
    assert "Leftovers could not be removed" in caplog.text
    assert "A plane could not be written: OSError" in caplog.text
    assert "Meier" not in caplog.text
    assert str(tmp_path) not in caplog.text


def test_after_close_nothing_is_taken_and_without_planes_there_is_no_folder(tmp_path: Path) -> None:
    store = SessionWriter(tmp_path / "scan", origin())
    store.close()
    store.close()
    assert not store.submit(event(1, 1))
    assert not (tmp_path / "scan").exists()


def test_two_scans_in_one_second_get_two_folders(tmp_path: Path) -> None:
    folders = []
    for _ in range(2):
        store = SessionWriter(tmp_path / "scan", origin())
        store.submit(event(1, 1))
        store.close()
        folders.append(store.folder.name)
    assert folders == ["scan", "scan-2"]


def test_names_from_files_cannot_leave_the_folder(tmp_path: Path) -> None:
    evil = SourceInfo("../../etc/passwd \0 Müller: 1", "video", 1, 1, None, None, False)
    folder = scan_folder(tmp_path, evil, datetime(2026, 3, 1, 14, 5, 6))
    assert folder.parent == tmp_path
    assert folder.name == "20260301-140506_video_etc-passwd-x00-Müller-1"
    store = SessionWriter(folder, origin())
    store.submit(event(1, 7, plane="../LPV/S"))
    store.close()
    assert (folder / "001_LPV-S_f000007.png").is_file()
    assert safe_name("...") == "unnamed"
    assert safe_name("LPV-S") == "LPV-S"


def test_a_folder_that_cannot_be_written_to_is_told_and_the_scan_goes_on(tmp_path: Path) -> None:
    # A file where the folder should be: this fails for every user, root too.
    blocked = tmp_path / "taken"
    blocked.write_text("", encoding="utf-8")
    store = SessionWriter(blocked / "scan", origin())
    assert store.submit(event(1, 1))
    store.close()
    assert store.fault.startswith("A plane was not saved. Nothing could be written to")
    (plane,) = store.take_saved()
    assert plane.png is None
    assert store.kept == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_is_named() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="space") as caught:
        full.write(b"plane")
    assert str(save_error(Path("planes"), caught.value)).startswith("The disk is full; free space for planes")


def test_a_failed_write_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    target = tmp_path / "name.json"
    target.mkdir()
    with pytest.raises(SaveError):
        write_atomically(target, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["name.json"]


def test_leftovers_of_a_kill_are_removed_and_other_files_are_not(tmp_path: Path) -> None:
    scan = tmp_path / "scan"
    scan.mkdir()
    old = [
        scan / "001_A_f000001.png.4711.tmp",
        tmp_path / "summary.json.4711.tmp",
        scan / "patient.npy.4711.tmp",
    ]
    # No system gives a process so great a number; ours may be that of a writer at work.
    dead = scan / "003_A_f000003.png.999999999.tmp"
    young, foreign = scan / f"002_A_f000002.png.{os.getpid()}.tmp", scan / "thesis.tmp"
    for path in (*old, dead, young, foreign):
        path.write_bytes(b"half")
    for path in (*old, foreign):
        os.utime(path, (1, 1))
    remove_leftovers(tmp_path / "not there")
    spec = origin().spec
    session_sink(tmp_path)(origin().source, spec, spec.thresholds, "CPU").close()
    assert not any(path.exists() for path in (*old, dead))
    assert young.exists()
    assert foreign.exists()


@pytest.mark.long
def test_killed_at_any_moment_every_json_parses_and_has_its_frame(tmp_path: Path) -> None:
    seen = 0
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        program = [sys.executable, str(Path(__file__).with_name("killed_writer.py")), str(folder)]
        with subprocess.Popen(
            program, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ) as writer:
            assert writer.stdout is not None
            for number in range(2 + 2 * attempt):
                assert writer.stdout.readline() == b"%d\n" % (number + 1)
            writer.kill()
        found = assert_pairs(folder)
        assert found >= 1
        seen += found
    assert seen >= 3


def test_a_fault_at_the_end_of_a_scan_leaves_its_session_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = SessionWriter(tmp_path / "s", origin())
    keeper.classified(frame(0))

    def broken() -> None:
        monkeypatch.undo()
        raise RuntimeError

    monkeypatch.setattr(keeper._frames, "close", broken)
    keeper.close()
    assert "because of a fault" in keeper.fault
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert session.closed
        assert session.frame_count == 1


def test_a_scan_that_is_not_wholly_written_is_not_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off() -> None:
        raise RuntimeError

    def full(session: Session, rows: object) -> None:
        raise SaveError("The disk is full.")

    for number, said in enumerate(("", "because of a fault", "The disk is full")):
        with monkeypatch.context() as patched:
            if number == 2:
                patched.setattr(Session, "write_rows", full)
            keeper = SessionWriter(tmp_path / str(number), origin())
            if number == 1:
                patched.setattr(keeper, "_next_events", broken_off)
            keeper.submit(event(1, 1))
            keeper.classified(frame(0))
            if said:
                with pytest.raises(SaveError, match=said):
                    keeper.finish(origin().source)
            else:
                keeper.finish(origin().source)
        with Session.open(keeper.folder, read_only=True) as session:
            assert session.complete is (not said)
