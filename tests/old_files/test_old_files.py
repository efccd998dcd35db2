"""What was written before opens today, and says what it said then."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings

import main
from app.settings import Settings
from semc_core.export.masks import MaskBook, device_of
from semc_core.export.options import ExportOptions
from semc_core.imaging.heatmap import HeatStyle
from semc_core.io.video_quality import Quality
from semc_core.review.loop import SeekableRecording
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.old_files.places import KEPT, unpack
from training.initialization import read_encoder

SESSION_HEAD = "3a5d86fab19a43d768db8480e29bd4177d7f000d5d2857347e2887721fdd93a7"
MODEL_SHA256 = "5863f41439f4a4ec0a52eccea4856b0b3a262f90bd8d6da6a3ec3e1fb10f2611"
OBJECTS = {"archive": {"waiting": 3}, "research": {"cancelled": 3}}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the session, on a machine that never signed it: each test opens a copy of the same."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return unpack("sessions", tmp_path) / "scan"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the program kept for its user, in the place where it looks for it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(unpack("data", tmp_path)))
    folder = tmp_path / "data" / "semc-live"
    (tmp_path / "user-data").symlink_to(folder)  # see `own_models`
    return folder


@pytest.fixture
def semc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command; gives back what it printed, in single words."""
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words: str | Path, code: int = 0) -> str:
        assert main.main([str(word) for word in words]) == code
        return capsys.readouterr().out

    return run


def test_a_session_proves_itself_and_shows_what_was_decided(session: Path, semc: Any) -> None:
    verified = semc("session", "verify", session, "--head", SESSION_HEAD)
    assert "scan: consistent but unsigned: an older program wrote it" in verified
    assert f"40 entries, the last {SESSION_HEAD}" in verified
    shown = json.loads(semc("session", "show", session, "--json"))
    names = ("plane_id", "plane", "found_as", "frame_index", "rejected", "reason", "chosen_by", "note", "png")
    assert [tuple(plane[name] for name in names) for plane in shown["planes"]] == [
        (1002, "HRP", None, 2, True, "gas", "person", "", "1002_HRP_f000002.png"),
        (1001, "RLP", None, 12, False, "", "person", "", "1001_RLP_f000012.png"),
        (
            1,
            "LPV-S",
            "LPV-S",
            22,
            False,
            "",
            "person",
            "clear view of the left portal vein",
            "001_LPV-S_f000022.png",
        ),
    ]
    assert shown["planes"][2]["clip"] == "clips/001_LPV-S_f000023.mkv"
    assert shown["planes"][2]["confidence"] == pytest.approx(0.9908, abs=1e-3)
    assert [(one["start_s"], one["end_s"], one["label"], one["note"]) for one in shown["regions"]] == [
        (0.5, 1.5, "cough", "patient moved")
    ]
    assert [(one["item_id"], one["status"], one["reason"]) for one in shown["items"]] == [
        ("llp", "not possible", "ribs")
    ]
    assert [(one["kind"], one["name"]) for one in shown["exports"]] == [("zip", "export.zip")]
    assert (shown["frames"], shown["note"], shown["entries"]) == (28, "", 40)


def test_sessions_are_listed(session: Path, semc: Any) -> None:
    listed = " ".join(semc("session", "list", session.parent).split())
    assert "scan │ 2026-11-29" in listed
    assert "│ video │ 28 │ 2 │ closed, " in listed


def test_changes_that_were_taken_back_can_be_made_again(session: Path) -> None:
    with Session.open(session) as opened:
        assert opened.redo() == "Changed the note of the session"
        assert opened.note == "to be taken back"
        assert opened.redo() == "Plane 1001 is FHP1, not RLP"
        assert opened.redo() is None
        assert opened.verify().ok
    with Session.open(session, read_only=True) as opened:
        assert {plane.plane_id: plane.plane for plane in opened.planes()} == {1: "LPV-S", 1001: "FHP1"}


def test_the_recording_can_be_reviewed_and_replayed(session: Path, semc: Any) -> None:
    with closing(SeekableRecording(session)) as recording:
        assert recording.count == 28
        pixels = recording.frame(22).pixels
    assert pixels.shape == (120, 144, 3)
    assert float(pixels.mean()) == pytest.approx(43.2, abs=0.1)
    replayed = semc("replay", session, "--device", "cpu", "--precision", "float32")
    assert "From the log: the identical list of 1 plane." in replayed
    assert "From the pictures: the identical list of 1 plane." in replayed


def test_masks_of_a_device_and_the_key_of_exports_are_still_used(session: Path, data: Path) -> None:
    with Session.open(session, read_only=True) as opened:
        assert MaskBook(data).masks(device_of(opened.source)) == (Crop(0, 0, 40, 10),)


def test_a_model_file_is_described_and_gives_its_answers(tmp_path: Path, semc: Any) -> None:
    path = unpack("models", tmp_path) / "semc.safetensors"
    told = json.loads(semc("model", "info", path, "--json"))
    assert told["classes"] == ["BAR", "DISC", "NSP"]
    assert told["architecture"]["preset"] == "semc_smallest"
    assert (told["architecture"]["experts"], told["gate"]) == (3, "on the fused features")
    assert (told["parameters"], told["novelty"], told["sha256"]) == (92146, True, MODEL_SHA256)
    assert told["thresholds"]["enter"] == 0.5
    assert told["provenance"]["options"]["losses"]["contrast"] == "none"
    verified = semc("model", "verify", path, "--threads", "1").splitlines()
    assert len(verified) == 2
    assert all(line.startswith("pass") for line in verified)


def test_an_encoder_is_read(tmp_path: Path) -> None:
    arrays, facts, _ = read_encoder(unpack("models", tmp_path) / "encoder.safetensors")
    assert (facts["network"], facts["method"], facts["steps"]) == ("resnet", "simclr", 4)
    assert arrays["layer1.0.conv1.weight"].shape == (2, 2, 3, 3)


def test_the_models_of_a_user_are_listed(tmp_path: Path, data: Path, semc: Any) -> None:
    model = unpack("models", tmp_path) / "semc.safetensors"
    shutil.copy(model, data / "models" / f"0001_{MODEL_SHA256[:8]}.safetensors")
    listed = json.loads(semc("model", "list", "--json"))
    assert "taken in by hand" in json.dumps(listed)
    assert json.loads(semc("model", "info", "--json"))["sha256"] == MODEL_SHA256
    semc("model", "rollback")
    assert json.loads(semc("model", "info", "--json"))["architecture"]["preset"] == "semc_live"


def test_an_export_is_whole_and_known_to_its_session(session: Path, semc: Any) -> None:
    assert "All 12 files are as they were written." in semc("export", "--check", KEPT / "export.zip")
    assert "All 12 files" in semc("export", session, "--check", KEPT / "export.zip")


def test_protocols_of_the_user_are_listed_and_shown(data: Path, semc: Any) -> None:
    assert "short-liver" in semc("protocols")
    shown = " ".join(semc("protocols", "short-liver").split())
    assert "left-portal-vein │ Left portal vein │ LPV-S" in shown
    assert "right-lobe │ Right lobe │ RLP │ optional" in shown
    assert "Follows: House rules (Our department, 2025)" in shown


def test_servers_and_the_queue_are_listed(data: Path, semc: Any) -> None:
    servers = " ".join(semc("pacs", "servers").split())
    assert "archive │ pacs.example.org │ 11112 │ ARCHIVE │ SEMC_LIVE │ no" in servers
    assert "research │ 192.0.2.7 │ 104 │ RESEARCH │ US_ROOM_2 │ yes" in servers
    jobs = json.loads(semc("pacs", "list", "--json"))
    assert {job["destination"]: job["counts"] for job in jobs} == OBJECTS
    assert "To be sent: 0 objects" in semc("pacs", "retry", "2")
    assert "No longer to be sent: 3 objects" in semc("pacs", "cancel", "1")


def test_settings_of_the_window_are_read(tmp_path: Path) -> None:
    path = shutil.copy(KEPT / "settings.ini", tmp_path)
    settings = Settings(QSettings(str(path), QSettings.Format.IniFormat))
    assert bytes(settings.geometry.data()) == b"\x01\xd9\xd0\xcb\x00\x03\x00\x00"
    assert (settings.heat_style, settings.checklist_folded, settings.clips) == (HeatStyle.TINT, True, False)
    assert (settings.device, settings.quality, settings.protocol) == ("cpu", Quality.LOSSLESS, "fasp-20-week")
    exported = ExportOptions(packed=True, clips=False, dicom=True, jpeg=True, frames=False)
    assert settings.export_options == exported
    assert settings.export_folder == Path("/")
    assert settings.output_folder == Path("/scans/standard planes")
    assert settings.recent_sources == ["/scans/Müller, loop.mp4", "rtsp://probe.local/scan", "simulated:7"]
    assert settings.crop("camera", 640, 480) == Crop(10, 20, 300, 200)
