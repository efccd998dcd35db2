"""A session: what the model found, what a person made of it, and how it comes back."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import SaveError, SessionError
from semc_core.protocols.checklist import of_entry
from semc_core.session import database
from semc_core.session.correcting.changes import (
    AddPlane,
    Change,
    ChooseFrame,
    LabelRegion,
    MarkRegion,
    Reject,
    Relabel,
    RemoveRegion,
    Restore,
    SetItem,
    SetNote,
)
from semc_core.session.records import PICTURES, source_entry
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from semc_core.types import HoldEvent
from tests.session.killed_writer import event, origin
from tests.session.sessions import filled_session, find_plane, frame, new_session


def test_frames_come_back_as_they_were(tmp_path: Path) -> None:
    wanted = [frame(0, picture="black"), *(frame(index) for index in range(1, 40))]
    wanted += [frame(41, picture="frozen", label="NSP"), frame(45, label="B")]
    with new_session(tmp_path / "s") as session:
        session.add_frames(wanted[:1])
        session.flush()
        session.add_frames(wanted[1:30])
        session.flush()
        session.add_frames(wanted[30:])
        before = session.frames()
        assert session.frame_count == len(wanted)
    with Session.open(tmp_path / "s", read_only=True) as session:
        table = session.frames()
        part = session.frames(1.0, 2.0)
    assert np.array_equal(before.index, table.index), "what waits is read too"
    assert table.index.tolist() == [result.packet.index for result in wanted]
    assert table.pts_s.tolist() == [result.packet.pts_s for result in wanted]
    assert [PICTURES[code] for code in table.picture] == [result.picture for result in wanted]
    assert [("A", "B", "NSP")[number] for number in table.label] == [result.label for result in wanted]
    assert np.array_equal(table.smoothed, np.stack([result.smoothed for result in wanted]))
    assert table.expert_weights.shape == (len(wanted), 2)
    for row, result in enumerate(wanted):
        told, crop = result.prediction, result.crop
        if told is None:
            assert np.isnan(table.probabilities[row]).all()
            assert np.isnan(table.novelty[row])
            assert table.quality_at(row) is None
            assert np.isnan(table.expert_weights[row]).all()
        else:
            assert np.array_equal(table.probabilities[row], told.probabilities)
            assert np.array_equal(table.expert_weights[row], told.expert_weights)
            assert table.novelty[row] == np.float32(told.novelty)
            assert table.quality_at(row) == table.quality_of(result.packet.index) == result.quality
        assert table.moving[row] == result.moving
        assert table.crop[row].tolist() == [crop.left, crop.top, crop.width, crop.height]
    assert part.index.tolist() == [*range(30, 40), 41, 45]
    assert not table.smoothed.flags.writeable


def test_a_frame_logged_again_counts_once_and_the_last_word_counts(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        session.add_frames([frame(index) for index in range(5)])
        session.flush()
        session.add_frames([frame(2, label="B")])
        table = session.frames()
        assert len(session.frames(8.0, 9.0)) == 0
    assert table.index.tolist() == [0, 1, 2, 3, 4]
    assert table.label.tolist() == [0, 0, 1, 0, 0]


def test_frames_of_another_model_are_refused_and_the_good_ones_stay(tmp_path: Path) -> None:
    wrong = replace(frame(1), smoothed=np.zeros(7, np.float32))
    with new_session(tmp_path / "s") as session:
        session.add_frames([frame(0)])
        for bad in (wrong, replace(frame(1), label="RLP")):
            with pytest.raises(SessionError, match="not classified by the model of this session"):
                session.add_frames([bad])
        session.flush()
        assert session.frames().index.tolist() == [0]


def test_a_session_tells_its_origin_but_no_path_in_the_log(tmp_path: Path) -> None:
    source = source_entry(origin().source, tmp_path / "Meier.mp4", "ab" * 32)
    model = origin().entries()[1]
    Session.create(tmp_path / "s", source, model).close()
    with Session.open(tmp_path / "s") as session:
        assert session.source == source
        assert session.model == model
        assert session.recovered == ""
        assert session.created_utc
        assert all("Meier" not in str(entry.payload) for entry in session.audit())


CHANGES: list[Change] = [
    Relabel(1, "B"),
    Relabel(1, "Gallbladder"),
    Reject(2, "blurred"),
    Restore(2),
    ChooseFrame(1, frame(14)),
    AddPlane("B", frame(33)),
    AddPlane("A", frame(50)),
    Reject(1002),
    MarkRegion(0.5, 1.5, "B", "gas"),
    MarkRegion(1.0, 1.0, "A"),
    RemoveRegion(1),
    LabelRegion(2, "gas"),
    SetNote(None, "second look"),
    SetNote(2, "good"),
    SetItem("lp2025", "fhp1", "not possible", "gas"),
    SetItem("lp2025", "fhp1", "not possible", "ribs"),
    SetItem("lp2025", "fhp1", ""),
]


def snapshot(session: Session) -> object:
    return session.planes(rejected=True), session.regions(), session.items(), session.note


def test_every_change_can_be_undone_and_made_again_also_after_a_restart(tmp_path: Path) -> None:
    session = filled_session(tmp_path / "s")
    states = [snapshot(session)]
    for change in CHANGES:
        session.apply(change)
        states.append(snapshot(session))
        assert states[-1] != states[-2], change
    for _ in range(2):
        session.close()
        session = Session.open(tmp_path / "s")
        assert session.corrections == len(CHANGES)
        for state in reversed(states[:-1]):
            assert session.can_undo
            assert session.undo()
            assert snapshot(session) == state
        assert not session.can_undo
        assert session.undo() is None
        session.close()
        session = Session.open(tmp_path / "s")
        for state in states[1:]:
            assert session.can_redo
            assert session.redo()
            assert snapshot(session) == state
        assert session.redo() is None
    assert session.verify().problems == ()
    session.close()


def test_a_new_change_ends_what_could_be_made_again(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(AddPlane("A", frame(20)))
        assert session.undo() == "Added plane 1001 (A) at 0.67 s"
        assert session.apply(AddPlane("B", frame(20))) == 1002, "a number is never used twice"
        assert not session.can_redo
        assert session.apply(Relabel(1002, "B")) == 1002, "nothing changes, nothing is logged"
        assert session.corrections == 1


def test_planes_that_did_not_change_are_the_same_objects(tmp_path: Path) -> None:
    with filled_session(tmp_path / "session") as session:
        before = session.planes()
        session.apply(Relabel(before[0].plane_id, "B"))
        after = session.planes()
        assert [now is then for now, then in zip(after, before, strict=True)] == [False, True]
        session.undo()
        assert session.planes() == before


def test_a_person_confirms_a_name(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        assert not of_entry(session.plane(1)).named
        session.apply(Relabel(1, "A"))
        assert (session.plane(1).plane, session.plane(1).found_as) == ("A", "A")
        assert of_entry(session.plane(1)).named
        assert session.undo() == "Confirmed plane 1 as A"
        assert session.plane(1).chosen_by == "model"
        assert session.redo() is not None
        event = HoldEvent(3, "A", frame(12), 0.2, 0.4, 0.4, True, by_hand=True)
        session.record_plane(event, "003_A_f000012.png", "0" * 64)
        before = session.plane(3)
        assert of_entry(before).by_hand
        session.apply(Relabel(3, "A"))
        assert of_entry(session.plane(3)).named
        assert session.plane(3).confidence == before.confidence
        count = session.corrections
        session.apply(Relabel(3, "A"))
        assert session.corrections == count, "once is enough"
        session.undo()
        assert session.plane(3) == before
        session.apply(Relabel(3, "B"))
        session.apply(Relabel(3, "A"))
        assert of_entry(session.plane(3)).named, "given another name and back, it is a person's too"


def test_changes_say_what_a_person_decided(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(Relabel(1, "B"))
        plane = session.plane(1)
        assert (plane.plane, plane.found_as, plane.chosen_by) == ("B", "A", "person")
        assert plane.confidence == session.frames().smoothed[10, 1]
        session.apply(ChooseFrame(1, frame(14)))
        plane = session.plane(1)
        assert (plane.png, plane.frame_index) == ("001_B_f000014.png", 14)
        assert (plane.width, plane.height) == (8, 8)
        added = session.plane(session.apply(AddPlane("A", frame(33))) or 0)
        assert (added.plane_id, added.found_as, added.by_hand) == (1001, None, True)
        assert added.png is not None
        assert (session.folder / added.png).is_file()
        session.apply(Reject(2, "blurred"))
        assert [plane.plane_id for plane in session.planes()] == [1, 1001]
        assert [plane.plane_id for plane in session.planes(rejected=True)] == [1, 1001, 2]
        who = [entry.who for entry in session.audit()]
        assert who.count("person") == 4


UNFIT: list[Change] = [
    Relabel(7, "A"),
    Relabel(1, "NSP"),
    Relabel(1, " "),
    AddPlane("NSP", frame(1)),
    Reject(7),
    ChooseFrame(7, frame(1)),
    SetNote(7, "x"),
    MarkRegion(2.0, 1.0, "A"),
    MarkRegion(float("nan"), 1.0, "A"),
    MarkRegion(0.0, float("inf"), "A"),
    MarkRegion(1.0, 2.0, ""),
    RemoveRegion(1),
    LabelRegion(1, "x"),
    SetItem("p", "i", "maybe"),
]


def test_a_change_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        before, head = snapshot(session), session.head
        for change in UNFIT:
            with pytest.raises(SessionError):
                session.apply(change)
            assert (snapshot(session), session.head) == (before, head), change


def test_what_a_person_decided_is_not_changed_by_the_model(tmp_path: Path) -> None:
    keeper = SessionWriter(tmp_path / "s", origin())
    keeper.submit(event(1, 10))
    keeper.submit(event(2, 20))
    while keeper.kept < 2:
        time.sleep(0.001)
    session = keeper.session
    assert session is not None
    session.apply(Relabel(1, "B"))
    better = replace(event(1, 30, final=True), end_s=5.0)
    keeper.submit(better)
    keeper.submit(event(2, 40, final=True))
    keeper.close()
    assert keeper.fault == ""
    assert sorted(path.name for path in (tmp_path / "s").glob("*.png")) == [
        "001_A_f000010.png", "002_A_f000040.png"
    ]  # fmt: skip
    with Session.open(tmp_path / "s") as session:
        plane = session.plane(1)
        assert (plane.plane, plane.frame_index, plane.end_s, plane.final) == ("B", 10, 5.0, True)
        assert session.plane(2).frame_index == 40
        assert session.undo() is not None
        assert session.plane(1).plane == "A"
        assert session.verify().problems == ()


def test_one_writer_at_a_time_and_readers_see_what_it_writes(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        with pytest.raises(SessionError, match="open elsewhere"):
            Session.open(tmp_path / "s")
        with Session.open(tmp_path / "s", read_only=True) as reader:
            assert len(reader.frames()) == 60
            session.apply(Relabel(1, "B"))
            session.add_frames([frame(60)])
            session.flush()
            assert reader.plane(1).plane == "B"
            assert len(reader.frames()) == 61
            assert reader.head == session.head
            assert not reader.can_undo
            with pytest.raises(SessionError, match="only to look"):
                reader.apply(Relabel(1, "A"))
            with pytest.raises(SessionError, match="only to look"):
                reader.add_frames([frame(61)])
    with Session.open(tmp_path / "s") as session:
        assert session.plane(1).plane == "B"
    with pytest.raises(SessionError, match="closed"):
        session.apply(Relabel(1, "A"))
    assert not (tmp_path / "s" / "session.lock").exists()
    assert sorted(path.name for path in (tmp_path / "s").glob("session*")) == ["session.sqlite"]


def test_news_that_could_not_be_read_are_read_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled_session(tmp_path / "s") as session:
        with Session.open(tmp_path / "s", read_only=True) as reader:
            session.apply(Relabel(1, "B"))
            with monkeypatch.context() as patch:

                def busy(connection: sqlite3.Connection) -> None:
                    raise sqlite3.OperationalError("busy")

                patch.setattr(database, "last_head", busy)
                with pytest.raises(SessionError):
                    reader.planes()
            assert reader.plane(1).plane == "B"
            assert reader.head == session.head
        session.apply(Relabel(1, "A"))
        assert reader.plane(1).plane == "B", "after its end it says what it said last"


def test_a_session_that_is_damaged_while_it_is_open_says_so_when_it_is_closed(tmp_path: Path) -> None:
    session = filled_session(tmp_path / "s")
    session._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with (tmp_path / "s" / "session.sqlite").open("r+b") as file:
        file.write(b"\x55" * 4096)
    with pytest.raises(SessionError, match="damaged"):
        session.close()
    assert not (tmp_path / "s" / "session.lock").exists()
    session.close()


def test_reading_goes_on_while_the_writer_is_inside_a_transaction(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        other = sqlite3.connect(tmp_path / "s" / "session.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        done = threading.Event()

        def read() -> None:
            with Session.open(tmp_path / "s", read_only=True) as reader:
                assert len(reader.frames()) == 60
                assert len(session.frames()) == 60
                assert len(session.planes()) == 2
            done.set()

        thread = threading.Thread(target=read)
        thread.start()
        assert done.wait(30)
        thread.join()
        other.execute("ROLLBACK")
        other.close()


def test_what_is_no_session_is_said(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="holds no session"):
        Session.open(tmp_path)
    assert list(tmp_path.iterdir()) == [], "looking leaves nothing behind"
    (tmp_path / "session.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(SessionError, match="damaged"):
        Session.open(tmp_path)
    (tmp_path / "session.sqlite").unlink()
    sqlite3.connect(tmp_path / "session.sqlite").executescript("CREATE TABLE t (x)").connection.close()
    with pytest.raises(SessionError, match="is not a session"):
        Session.open(tmp_path, read_only=True)
    with pytest.raises(SessionError, match="holds a session already"):
        Session.create(tmp_path, *origin().entries(), fresh=False)


def test_clips_exports_and_more_are_logged(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        with pytest.raises(SaveError, match="could not be read back"):
            session.set_clip(1, "clips/001_A.mkv")
        clip = session.folder / "clips" / "001_A.mkv"
        clip.parent.mkdir()
        clip.write_bytes(b"clip")
        session.set_clip(1, "clips/001_A.mkv")
        session.record_export("folder", "study", "ab" * 32, {"planes": 2})
        session.log("program", "sent", {"to": "PACS"})
        session.mark_complete()
        session.set_source_notice("Parts are damaged.")
        head = session.head
    with Session.open(tmp_path / "s", read_only=True) as reader:
        assert reader.plane(1).clip == "clips/001_A.mkv"
        (export,) = reader.exports()
        assert (export.export_id, export.kind, export.detail) == (1, "folder", {"planes": 2})
        assert reader.complete
        assert reader.closed
        assert reader.source_notice == "Parts are damaged."
        assert [entry.hash for entry in reader.audit()][head[0] - 1] == head[1]
        assert reader.verify(head[1]).ok


def test_a_session_is_enough_to_train_on(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(Relabel(1, "B"))
        session.apply(Reject(2))
        session.apply(AddPlane("A", frame(33)))
        session.apply(MarkRegion(0.0, 0.2, "A"))
    with Session.open(tmp_path / "s", read_only=True) as reader:
        none = reader.model.none_class
        labels = {
            plane.png: none if plane.rejected else plane.plane for plane in reader.planes(rejected=True)
        }
        assert labels == {
            "001_A_f000010.png": "B",
            "002_B_f000040.png": "NSP",
            "1001_A_f000033.png": "A",
        }
        assert all((reader.folder / name).is_file() for name in labels if name is not None)
        (region,) = reader.regions()
        inside = reader.frames(region.start_s, region.end_s)
        assert inside.index.tolist() == list(range(7))


def test_a_plane_found_again_by_the_model_changes_nothing(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        head = session.head
        find_plane(session, 1, 10)
        assert [entry.payload.get("edits") for entry in session.audit()][head[0] :] == [None], "its JSON"


@pytest.mark.parametrize("fresh", [True, False])
def test_a_session_that_cannot_be_begun_leaves_room_for_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    entries = origin().entries()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "_begin", lambda self, source, model: 1 / 0)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                Session.create(tmp_path / "s", *entries, fresh=fresh)
            assert not list(tmp_path.glob("s*/*"))
    with Session.create(tmp_path / "s", *entries, fresh=fresh) as session:
        assert session.folder == tmp_path / "s"
    with pytest.raises(SessionError, match="holds a session already"):
        Session.create(tmp_path / "s", *entries, fresh=False)
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert session.verify().ok
