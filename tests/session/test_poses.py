"""Where frames were in space is kept with a session, proven by its log, and comes out of it again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import SessionError
from semc_core.pose import Matrix, Pose
from semc_core.session.erasing.forget import forget
from semc_core.session.files import write_plane
from semc_core.session.poses import POSES
from semc_core.session.proof.verify import verify_unopened
from semc_core.session.session import Session
from semc_core.session.vault import ERASED
from semc_core.session.writer import SessionWriter
from semc_core.types import FrameResult, HoldEvent
from tests.session.killed_writer import event, origin
from tests.session.sessions import frame, new_session
from tests.sources.igtl_sender import placed, turned

TRACKED = "Meierhofer's probe"


def poses(number: int) -> tuple[Pose, ...]:
    """Of a picture and of two transforms; of every fourth frame none."""
    if number % 4 == 3:
        return ()
    own, other = (upper(matrix) for matrix in (placed(number), turned(number, 1, 2, 3)))
    return (
        Pose("", own, "RAS", 1000.5 + number),
        Pose("ProbeToTracker", other, "", 1000.25 + number, 0.25),
        Pose(TRACKED, other, "", 0.0, -0.125),
    )


def upper(matrix: NDArray[np.float64]) -> Matrix:
    """Its three upper rows."""
    return tuple(matrix[:3].ravel().tolist())  # type: ignore[return-value]


def posed(result: FrameResult) -> FrameResult:
    return replace(result, packet=replace(result.packet, poses=poses(result.packet.index)))


def frames(numbers: Sequence[int]) -> list[FrameResult]:
    return [posed(frame(number)) for number in numbers]


def expected(numbers: Sequence[int]) -> list[tuple[int, tuple[Pose, ...]]]:
    return [(number, poses(number)) for number in numbers if poses(number)]


def test_poses_are_kept_with_their_frames_and_read_back_as_they_were(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        session.add_frames(frames(range(8)))
        session.flush()
        session.add_frames(frames(range(8, 12)))
        assert list(session.poses()) == expected(range(12)), "also what waits to be written"
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert list(session.poses()) == expected(range(12))
        assert len(session.frames()) == 12
        assert session.verify().ok


def test_many_poses_are_more_entries_than_one(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        session.add_frames(frames(range(1000)))
        session.flush()
        assert list(session.poses()) == expected(range(1000))
        entries = [entry for entry in session.audit() if entry.kind == POSES]
        assert [len({each[0] for each in entry.payload["poses"]}) for entry in entries] == [200] * 3 + [150]
        assert session.verify().ok


def test_a_session_without_poses_has_no_entry_of_them(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        session.add_frames([frame(number) for number in range(5)])
        session.flush()
        assert list(session.poses()) == []
        assert all(entry.kind != POSES for entry in session.audit())


def hold(number: int) -> HoldEvent:
    found = event(1, number, final=True)
    return replace(found, best=posed(found.best))


def test_a_writer_keeps_poses_of_frames_and_of_the_saved_plane(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", origin())
    for number in range(10):
        writer.classified(posed(event(1, number).best))
    writer.submit(hold(6))
    writer.close()
    writer.raise_fault()
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert list(session.poses()) == expected(range(10))
        assert session.verify().ok
        (plane,) = session.planes()
    assert plane.png is not None
    record = json.loads((tmp_path / "s" / plane.png).with_suffix(".json").read_text(encoding="utf-8"))
    assert record["poses"] == [pose.plain() for pose in poses(6)]
    assert record["poses"][0] == {
        "of": "picture", "name": "", "coordinates": "RAS", "age_s": 0,
        "matrix": [list(poses(6)[0].matrix[first : first + 4]) for first in (0, 4, 8)] + [[0, 0, 0, 1]],
    }  # fmt: skip


def test_the_record_of_a_plane_without_a_pose_says_nothing_of_it(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        files = write_plane(session.folder, event(1, 3), session.source, session.model)
        record = (session.folder / files.png).with_suffix(".json").read_text(encoding="utf-8")
    assert POSES not in json.loads(record)


def test_names_of_transforms_are_forgotten_with_all_that_may_name_somebody(tmp_path: Path) -> None:
    with new_session(tmp_path / "s") as session:
        session.add_frames(frames(range(6)))
        session.flush()
        found = hold(2)
        files = write_plane(session.folder, found, session.source, session.model)
        session.record_plane(found, files.png, files.sha256, files.hashes)
        assert all(TRACKED not in json.dumps(entry.payload) for entry in session.audit())
    folder = forget(tmp_path / "s").folder
    for path in folder.rglob("*"):
        assert not path.is_file() or TRACKED.encode() not in path.read_bytes(), path.name
    with Session.open(folder, read_only=True) as session:
        named = [
            (index, tuple(replace(each, name=ERASED if each.name else "") for each in there))
            for index, there in expected(range(6))
        ]
        assert list(session.poses()) == named, "places stay"
        assert session.verify().ok
    record = json.loads((folder / files.png).with_suffix(".json").read_text(encoding="utf-8"))
    assert [each["name"] for each in record["poses"]] == ["", ERASED, ERASED]


def changed_poses(folder: Path, change: str) -> None:
    with closing(sqlite3.connect(folder / "session.sqlite")) as connection, connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute(f"UPDATE audit SET payload = {change} WHERE kind = 'poses'")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    with new_session(tmp_path / "s") as session:
        session.add_frames(frames(range(4)))
    return tmp_path / "s"


def test_a_pose_that_was_changed_is_found(closed: Path) -> None:
    assert verify_unopened(closed).ok
    changed_poses(closed, "replace(payload, '0.25', '0.75')")
    assert not verify_unopened(closed).ok


@pytest.mark.parametrize(
    "change",
    [
        """'{"names":[],"poses":[[0,0,"RAS",0.0,0.0,[1,0,0,0,0,1,0,0,0,0,1,0]]]}'""",
        """'{"names":[""],"poses":[[0,-1,"RAS",0.0,0.0,[1,0,0,0,0,1,0,0,0,0,1,0]]]}'""",
        """'{"names":[""],"poses":[[0,0,"RAS",0.0,0.0,[1,0,0,0,0,1,0,0,0,0,1]]]}'""",
        """'{"names":[""],"poses":[[0,0,"XYZ",0.0,0.0,[1,0,0,0,0,1,0,0,0,0,1,0]]]}'""",
        """'{"names":[""],"poses":[[0,0,"RAS",NaN,0.0,[1,0,0,0,0,1,0,0,0,0,1,0]]]}'""",
        """'{"poses":[]}'""",
    ],
)
def test_strange_poses_are_said(closed: Path, change: str) -> None:
    changed_poses(closed, change)
    with (
        Session.open(closed, read_only=True) as session,
        pytest.raises(SessionError, match=r"is damaged.*use a copy of the session"),
    ):
        list(session.poses())
