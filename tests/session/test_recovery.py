"""What a kill leaves is put right when the session is opened again."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.errors import SessionError
from semc_core.session.correcting.changes import AddPlane, ChooseFrame, Relabel
from semc_core.session.database import DATABASE_NAME
from semc_core.session.files import write_plane
from semc_core.session.records import Proof
from semc_core.session.session import Session
from tests.export.scans import video_session
from tests.session.kill_many import Killed, killed_after, look
from tests.session.sessions import as_killed, filled_session, find_plane, frame, logged_event


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.requirement("K1")
def test_a_killed_scan_is_whole_up_to_its_last_commit(tmp_path: Path) -> None:
    for attempt, (entries, more_s) in enumerate([(1, 0.0), (12, 0.05)]):
        folder = tmp_path / str(attempt)
        left = look(folder, killed_after(folder, entries, more_s))
        assert (left.problems, left.planes_lost) == ([], 0)
        # On a busy machine the first kill comes before the first frames are stored.
        there = "It is there up to" if left.lost_s < left.of_s else "No frame was recorded before."
        assert left.said.startswith(f"The program ended without closing this session. {there}")
        with Session.open(folder) as session:
            assert session.recovered == "", "said once"
            assert session.head[0] >= entries


def test_a_scan_that_is_killed_before_its_first_frames_are_stored_has_lost_all_of_them(
    tmp_path: Path,
) -> None:
    with filled_session(tmp_path / "s") as scan:
        source, model = scan.source, scan.model
    with Session.create(tmp_path / "empty", source, model) as scan:
        killed = as_killed(scan, tmp_path / "killed")
    left = look(killed, Killed(begun_s=1.0, at_s=1.5))
    assert (left.lost_s, left.planes_lost, left.problems) == (0.5, 0, [])
    assert "No frame was recorded before." in left.said


def test_a_review_that_is_killed_loses_nothing_of_the_scan_and_says_so(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as scan:
        live = scan.source.live
    assert live
    with Session.open(tmp_path / "s") as review:
        review.apply(Relabel(1, "B"))
        killed = as_killed(review, tmp_path / "killed")
    with Session.open(killed) as session:
        assert session.recovered == (
            "The program ended without closing this session. "
            "The scan was over before: all of it is there, and so are your corrections."
        )
        assert session.frame_count == 60
        assert session.plane(1).plane == "B"


def killed_again(folder: Path, target: Path) -> tuple[str, Path]:
    """Open a session, and kill the program. Returns what it said, and the folder that is left."""
    with Session.open(folder) as session:
        return session.recovered, as_killed(session, target)


def test_a_scan_that_was_broken_off_is_told_once_and_later_kills_as_what_they_are(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as scan:
        killed = as_killed(scan, tmp_path / "0")
    said = []
    for number in range(1, 4):
        sentence, killed = killed_again(killed, tmp_path / str(number))
        said.append(sentence.removeprefix("The program ended without closing this session. "))
    later = "The scan had been broken off before. Nothing that was there then is lost, nor are corrections."
    assert said == [
        "It is there up to 2.0 s of the scan. At most the last second before that end is lost.", later, later
    ]  # fmt: skip


def test_of_an_interrupted_analysis_it_is_said_that_it_goes_on(tmp_path: Path) -> None:
    with video_session(tmp_path / "s") as analysis:
        killed = as_killed(analysis, tmp_path / "0")
    for number in range(1, 3):
        said, killed = killed_again(killed, tmp_path / str(number))
        assert said.endswith("session. Its loop is analysed up to 2.5 s; the rest is analysed in review.")


def test_a_plane_whose_files_are_there_and_not_logged_is_taken_over(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        source, model = session.source, session.model
        write_plane(session.folder, logged_event(3, 50, final=True), source, model)
        better = replace(logged_event(2, 45, plane="B", final=True), end_s=3.0)
        write_plane(session.folder, better, source, model)
        killed = as_killed(session, tmp_path / "killed")
    with Session.open(killed) as session:
        assert "2 planes were taken over" in session.recovered
        assert [plane.plane_id for plane in session.planes()] == [1, 2, 3]
        assert session.plane(2).frame_index == 45
        assert session.verify().ok
    assert [name for name in names(killed) if name.endswith(".png")] == [
        "001_A_f000010.png", "002_B_f000045.png", "003_A_f000050.png"
    ]  # fmt: skip


def test_a_clip_that_was_written_and_not_logged_is_set_aside(tmp_path: Path) -> None:
    """Nothing in the log says what it shows."""
    with filled_session(tmp_path / "s") as session:
        (session.folder / "clips").mkdir()
        for stem in ("001_A_f000010", "002_B_f000040"):
            (session.folder / "clips" / f"{stem}.mkv").write_bytes(stem.encode())
        session.set_clip(1, "clips/001_A_f000010.mkv")
        killed = as_killed(session, tmp_path / "killed")
    with Session.open(killed) as session:
        assert [plane.clip for plane in session.planes()] == ["clips/001_A_f000010.mkv", None]
        assert "1 file that its log does not know was set aside" in session.recovered
        assert session.verify().proof is Proof.PROVEN
    assert names(killed / "set-aside") == ["002_B_f000040.mkv"]


def test_half_a_plane_is_set_aside_and_one_that_was_replaced_is_removed(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        find_plane(session, 1, 12)
        killed = as_killed(session, tmp_path / "killed")
    # The model's first frame of plane 1 is there again: a kill came before it was removed.
    (killed / "001_A_f000010.png").write_bytes((tmp_path / "s" / "001_A_f000010.png").read_bytes())
    (killed / "004_A_f000055.png").write_bytes(b"half")
    (killed / "006_A_f000057.png.4711.tmp").write_bytes(b"half")
    with Session.open(killed) as session:
        assert "taken over" not in session.recovered
        assert session.verify().proof is Proof.PROVEN
        assert [plane.frame_index for plane in session.planes()] == [12, 40]
    assert [name for name in names(killed) if "session" not in name] == [
        "001_A_f000012.json", "001_A_f000012.png", "002_B_f000040.json", "002_B_f000040.png", "set-aside"
    ]  # fmt: skip
    assert names(killed / "set-aside") == ["004_A_f000055.png"]


@pytest.mark.parametrize(
    "told", [{"plane": "B"}, {"confidence": 0.5}, {"frame_index": 61}, {"model_sha256": "0"}]
)
def test_a_plane_that_was_planted_is_set_aside_and_the_session_says_so_ever_after(
    tmp_path: Path, told: dict[str, object]
) -> None:
    with filled_session(tmp_path / "s") as session:
        killed = as_killed(session, tmp_path / "killed")
        planted = write_plane(killed, logged_event(3, 50, final=True), session.source, session.model)
    path = (killed / planted.png).with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **told}), encoding="utf-8")
    with Session.open(killed, read_only=True) as session:
        assert any(planted.png in problem for problem in session.verify().problems)
    for _ in range(2):
        with Session.open(killed) as session:
            assert [plane.plane_id for plane in session.planes(rejected=True)] == [1, 2]
            found = session.verify()
        assert found.proof is Proof.CHANGED
        assert any(each.startswith("When it was opened") and planted.png in each for each in found.problems)
        assert not any("When it was opened" in each[5:] for each in found.problems)
    assert names(killed / "set-aside") == [path.name, planted.png]


def test_the_end_of_a_hold_that_only_its_json_tells_is_taken_over(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        find_plane(session, 3, 50, final=False)
        write_plane(session.folder, logged_event(3, 50, final=True), session.source, session.model)
        killed = as_killed(session, tmp_path / "killed")
    with Session.open(killed) as session:
        assert session.plane(3).final
        assert session.verify().ok


def test_pictures_that_an_undo_needs_stay_and_an_unfinished_change_goes(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(ChooseFrame(1, frame(14)))
        session.apply(AddPlane("A", frame(33)))
        session.undo()
        late = replace(logged_event(1002, 50), by_hand=True)
        write_plane(session.folder, late, session.source, session.model)
        killed = as_killed(session, tmp_path / "killed")
    with Session.open(killed) as session:
        assert [plane.plane_id for plane in session.planes()] == [1, 2]
        assert session.redo() is not None
        assert session.undo() is not None
        assert session.undo() is not None
        assert session.plane(1).png == "001_A_f000010.png"
        assert session.verify().ok
    assert "1001_A_f000033.png" in names(killed)
    assert "1002_A_f000050.png" not in names(killed)
    assert names(killed / "set-aside") == ["1002_A_f000050.json", "1002_A_f000050.png"]


def test_a_picture_that_is_gone_is_said(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        killed = as_killed(session, tmp_path / "killed")
    (killed / "001_A_f000010.png").unlink()
    with Session.open(killed, read_only=True) as session:
        assert not session.closed
        assert session.verify().problems == ("The picture 001_A_f000010.png is missing.",)
    with Session.open(killed) as session:
        assert "Files are missing of 1 plane." in session.recovered
        assert session.plane(1).png is None
        (entry,) = [entry for entry in session.audit() if entry.kind == "recovered"]
        assert "001_A_f000010.png" in json.dumps(entry.payload)


def test_a_choice_can_be_undone_although_its_picture_is_gone(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(ChooseFrame(1, frame(14)))
        killed = as_killed(session, tmp_path / "killed")
    (killed / "001_A_f000014.png").unlink()
    with Session.open(killed) as session:
        assert session.plane(1).png is None
        assert session.undo() is not None
        assert session.plane(1).png == "001_A_f000010.png"
        assert [problem[-44:] for problem in session.verify().problems] == [
            "that: The picture 001_A_f000014.png is missing."[-44:]
        ]
    with Session.open(killed) as session:
        assert session.plane(1).png == "001_A_f000010.png"


def test_files_of_another_model_are_not_taken_over(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        other = replace(session.model, sha256="ff" * 32)
        write_plane(session.folder, logged_event(3, 50), session.source, other)
        killed = as_killed(session, tmp_path / "killed")
    with Session.open(killed) as session:
        assert [plane.plane_id for plane in session.planes()] == [1, 2]


def test_a_database_that_is_cut_short_is_said(tmp_path: Path) -> None:
    filled_session(tmp_path / "s").close()
    database = tmp_path / "s" / "session.sqlite"
    database.write_bytes(database.read_bytes()[:5000])
    with pytest.raises(SessionError, match="damaged"):
        Session.open(tmp_path / "s")
    assert not (tmp_path / "s" / "session.lock").exists()


_HALF_WRITTEN = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("CREATE TABLE half (words TEXT)")
for _ in range(200):
    connection.execute("INSERT INTO half VALUES (?)", ("x" * 5000,))
os._exit(1)
"""


def test_a_session_whose_database_was_half_written_without_a_log_ahead_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    with filled_session(folder) as session:
        planes = session.planes()
    subprocess.run([sys.executable, "-c", _HALF_WRITTEN, folder / DATABASE_NAME], check=False)
    assert (folder / f"{DATABASE_NAME}-journal").stat().st_size > 0
    with Session.open(folder) as session:
        assert session.planes() == planes
        assert session.verify().ok
