"""A recording is proven by its size and SHA-256 in the log."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from main import main
from semc_core.errors import SessionError
from semc_core.io.video_quality import Quality
from semc_core.picture import Picture
from semc_core.session import session as session_module
from semc_core.session.recording import proof
from semc_core.session.recording.proof import HASHED, RECORDING
from semc_core.session.recording.recorder import Recorder
from semc_core.session.records import PROGRAM, Proof, Verification, file_sha256
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from semc_core.types import FramePacket
from tests.session.killed_writer import origin
from tests.session.pictures import speckle
from tests.session.sessions import as_killed, frame, new_session

_DELETED = (
    r"The recording recording(-2)?\.mkv was deleted on \d{4}-\d\d-\d\d [0-9:]{8} UTC, as the log says\."
)
LATE = (
    "recording.mkv was hashed only when its session was opened again: what was changed before that is "
    "not found."
)


NO_TABLE = "recording.mkv has no table recording.csv: nothing says which frames it holds, so it is not shown."


def give(keeper: SessionWriter, first: int, count: int) -> None:
    for index in range(first, first + count):
        packet = FramePacket("camera 0", index, index / 30, 0.0, Picture(speckle(index, 48, 64)))
        keeper.captured(packet)
        keeper.classified(replace(frame(index), packet=packet))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A closed session with two recordings; its heads are kept outside, so each test has its own."""
    folder = tmp_path / "recorded" / "scan"
    keeper = SessionWriter(folder, origin())
    for first in (0, 10):
        keeper.start_recording(Quality.LOSSLESS)
        give(keeper, first, 8)
        keeper.stop_recording()
    keeper.close()
    assert keeper.fault == ""
    return folder


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "copy")


def verified(folder: Path) -> Verification:
    with Session.open(folder, read_only=True) as session:
        return session.verify()


def hashed(folder: Path) -> dict[str, str]:
    with Session.open(folder, read_only=True) as session:
        entries = [entry for entry in session.audit() if (entry.who, entry.kind) == (PROGRAM, HASHED)]
    return {each["name"]: each["sha256"] for entry in entries for each in entry.payload["files"]}


def test_recordings_are_hashed_when_they_end(written: Path) -> None:
    names = ["recording-2.csv", "recording-2.mkv", "recording.csv", "recording.mkv"]
    assert hashed(written) == {name: file_sha256(written / name) for name in names}
    found = verified(written)
    assert (found.ok, found.notes) == (True, ())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("name", ["recording.mkv", "recording-2.mkv", "recording.csv"])
@pytest.mark.parametrize(
    ("change", "said"),
    [(flip, "was changed."), (cut, "was changed: it has"), (Path.unlink, "is missing or cannot be read.")],
)
def test_a_recording_that_is_not_as_it_was_is_found(
    copy: Path, name: str, change: Callable[[Path], None], said: str
) -> None:
    change(copy / name)
    problems = verified(copy).problems
    assert len(problems) == 1
    assert f"The recording {name} {said}" in problems[0]


def test_a_recording_that_somebody_added_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in (".mkv", ".csv"):
        shutil.copy(copy / f"recording{suffix}", copy / f"recording-3{suffix}")
    assert main(["session", "verify", str(copy)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "recording-3.mkv is unknown: the log does not name it, so it was added." in said


def killed_scan(folder: Path) -> Path:
    """A scan that was killed while it was recorded."""
    with new_session(folder / "scan") as session:
        recorder = Recorder(lambda: session.folder, Quality.LOSSLESS)
        for index in range(8):
            recorder.put(FramePacket("camera 0", index, index / 30, 0.0, Picture(speckle(index, 48, 64))))
        recorder.close()
        return as_killed(session, folder / "killed")


def test_a_recording_of_a_killed_scan_is_unproven_and_hashed_when_the_scan_is_recovered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = killed_scan(tmp_path)
    assert main(["session", "verify", str(killed)]) == 0
    said = capsys.readouterr().out
    assert "proven by this machine, without recording.mkv; 1 entry, the last" in said
    assert "recording.mkv is not covered: its session is still open, or was never" in said
    with Session.open(killed) as session:
        assert session.recovered != ""
    found = verified(killed)
    assert found.ok
    assert found.notes == (LATE,)
    flip(killed / "recording.mkv")
    assert not verified(killed).ok


def test_a_recording_whose_table_is_gone_is_proven_without_it(tmp_path: Path) -> None:
    killed = killed_scan(tmp_path)
    table = (killed / "recording.csv").read_bytes()
    (killed / "recording.csv").unlink()
    assert NO_TABLE in verified(killed).notes
    with Session.open(killed):
        pass
    assert hashed(killed) == {"recording.mkv": file_sha256(killed / "recording.mkv")}
    found = verified(killed)
    assert (found.ok, found.notes) == (True, (LATE, NO_TABLE))
    (killed / "recording.csv").write_bytes(table)
    assert verified(killed).problems == (
        "The recording recording.csv was added after recording.mkv was hashed.",
    )
    (killed / "recording.csv").unlink()
    flip(killed / "recording.mkv")
    assert "was changed" in verified(killed).problems[0]


def test_a_table_that_was_removed_before_it_was_hashed_is_missed(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        (session.folder / "recording.mkv").write_bytes(b"video")
        session.record_recording(["recording.mkv"], {})
    assert verified(tmp_path / "s").problems == ("The recording recording.csv is missing.",)


def test_an_older_session_verifies_with_a_word_that_its_recording_was_not_hashed(tmp_path: Path) -> None:
    with new_session(tmp_path / "old") as session:
        session.log(PROGRAM, RECORDING, {"parts": ["recording.mkv"], "frames": 3})
        (session.folder / "recording.mkv").write_bytes(b"video")
        (session.folder / "recording.csv").write_bytes(b"table")
    with Session.open(tmp_path / "old"):
        pass
    assert hashed(tmp_path / "old") == {}, "what may have been changed since is not called proven"
    found = verified(tmp_path / "old")
    assert (found.ok, found.notes) == (
        True, ("recording.mkv is not covered: an older program made it and did not hash it.",)
    )  # fmt: skip
    (tmp_path / "old" / "recording.mkv").unlink()
    found = verified(tmp_path / "old")
    assert found.ok
    assert found.notes == ("recording.mkv is not there; an older program made it and did not hash it.",)


def test_closing_does_not_wait_for_a_huge_recording_which_is_hashed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "huge"
    monkeypatch.setattr(session_module, "_PROOF_WAIT_S", 0.01)
    with new_session(folder) as session:
        (folder / "recording.csv").write_bytes(b"table")
        with (folder / "recording.mkv").open("wb") as file:
            file.truncate(2**40)  # would take an hour
        session.record_recording(["recording.mkv"], {"frames": 3})
    monkeypatch.undo()
    found = verified(folder)
    assert found.ok
    assert found.notes == (
        "recording.mkv is not covered: it has not been hashed yet. Open the session to have that done.",
    )
    (folder / "recording.mkv").write_bytes(b"another")
    for _ in range(2):
        with Session.open(folder):
            pass
    assert verified(folder).notes == (LATE,)
    assert hashed(folder)["recording.mkv"] == file_sha256(folder / "recording.mkv")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_closing_ends_although_the_drive_of_a_recording_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_PROOF_WAIT_S", 0.01)
    monkeypatch.setattr(proof, "_LAST_BLOCK_S", 0.01)
    session = new_session(tmp_path / "s")
    # Opening it to read waits for somebody who writes: as a drive that is gone.
    pipe = session.folder / "recording.mkv"
    os.mkfifo(pipe)
    session.record_recording(["recording.mkv"], {})
    closing = threading.Thread(target=session.close)
    closing.start()
    closing.join(20)
    ended = not closing.is_alive()
    pipe.open("wb").close()
    closing.join()
    assert ended
    with Session.open(tmp_path / "s", read_only=True) as session:
        (*_, last) = session.audit()
    assert (last.kind, last.payload) == ("closed", {"not_hashed": ["recording.mkv"]})


def test_a_log_that_names_other_files_makes_nobody_read_them(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        session.record_recording([], {})
        session.log(PROGRAM, RECORDING, {"parts": ["../secret.mkv", "/etc/passwd"], "to_hash": True})
        bad = [{"name": "../secret.mkv", "size": 1, "sha256": "00"}]
        session.log(PROGRAM, HASHED, {"files": bad})
    assert verified(tmp_path / "s").ok
    with Session.open(tmp_path / "s") as session:
        session.log(PROGRAM, HASHED, {"files": [{"name": "recording.mkv"}]})
        assert "cannot be read" in session.verify().problems[0]
    with pytest.raises(SessionError, match="damaged"):
        Session.open(tmp_path / "s")


def test_a_recording_that_was_deleted_by_the_program_is_told_and_the_session_stays_proven(
    copy: Path, written: Path
) -> None:
    with Session.open(copy) as session:
        assert session.delete_recordings() == ("recording.mkv", "recording-2.mkv")
        assert session.delete_recordings() == ()
    assert [path.name for path in copy.glob("recording*")] == []
    for _ in range(2):
        found = verified(copy)
        assert (found.proof, found.problems) == (Proof.PROVEN, ())
        assert len(found.notes) == 2
        assert all(re.fullmatch(_DELETED, note) for note in found.notes), found.notes
        Session.open(copy).close()
    with Session.open(copy, read_only=True) as session, pytest.raises(SessionError, match="opened only"):
        session.delete_recordings()
    # One that comes back must be the same.
    for name in ("recording.mkv", "recording.csv"):
        shutil.copy(written / name, copy / name)
    found = verified(copy)
    assert found.ok
    assert any("still there; delete it again" in note for note in found.notes)
    flip(copy / "recording.mkv")
    assert verified(copy).problems == ("The recording recording.mkv was changed.",)


def test_a_recording_that_nobody_hashed_can_be_deleted_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_session(tmp_path / "open") as session:
        session.add_frames([frame(0)])
        session.flush()
        (session.folder / "recording.mkv").write_bytes(b"video")
        folder = as_killed(session, tmp_path / "s")
    assert main(["session", "delete-recording", str(folder)]) == 0
    assert capsys.readouterr().out == "s: recording.mkv deleted; the log says so. Planes and clips stay.\n"
    assert verified(folder).ok
    assert main(["session", "delete-recording", str(folder)]) == 0
    assert capsys.readouterr().out == "s has no recording.\n"


def test_of_a_killed_scan_it_is_said_how_far_it_is_proven_and_what_is_not_covered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_session(tmp_path / "open") as session:
        session.add_frames([frame(index) for index in range(30)])
        session.flush()
        (session.folder / "recording.mkv").write_bytes(b"video")
        folder = as_killed(session, tmp_path / "s")
    assert main(["session", "verify", str(folder)]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "s: proven by this machine, up to 1.0 s of the scan, without recording.mkv; 2 entries, the last "
    )
    assert rest[0].startswith(
        "  recording.mkv is not covered: its session is still open, or was never closed."
    )
    Session.open(folder).close()
    assert verified(folder).words == "proven by this machine"
