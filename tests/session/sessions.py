"""Sessions made for tests: results without a model, and folders as a kill leaves them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from semc_core.picture import Picture
from semc_core.session.files import write_plane
from semc_core.session.proof.head_keeper import HeadKeeper
from semc_core.session.session import Session
from semc_core.session.signing import SignedHead, Signer
from semc_core.types import FrameResult, HoldEvent, Prediction, Quality
from tests.session.killed_writer import event, origin


def new_session(folder: Path) -> Session:
    """An empty session of a camera with the classes A, B and NSP."""
    return Session.create(folder, *origin().entries())


def frame(index: int, *, label: str = "A", picture: str = "live") -> FrameResult:
    """A frame at index / 30 s with numbers of its own; unclassified unless its picture is live."""
    share = np.float32((index % 50) / 100)
    values = np.array([0.9 - share, share, 0.1], np.float32)
    weights = np.array([0.25, 0.75], np.float32)
    answer = Prediction(values, index / 1000, np.zeros((3, 1, 1), np.float32), weights)
    made = event(1, index, plane=label).best
    packet = replace(made.packet, picture=Picture(made.packet.pixels[:8, :8]))
    return replace(
        made,
        packet=packet,
        prediction=answer if picture == "live" else None,
        smoothed=values,
        picture=picture,
        moving=index % 2 == 0,
        quality=Quality(index * 1.5, ("too dark", "moving")[: index % 3]) if picture == "live" else None,
    )


def logged_event(hold_id: int, index: int, *, plane: str = "A", final: bool = False) -> HoldEvent:
    """A hold whose best frame is as `filled_session` logs it."""
    best = frame(index, label=plane)
    found = event(hold_id, index, plane=plane, final=final)
    best = replace(best, packet=found.best.packet)
    return replace(found, best=best, confidence=float(best.smoothed["AB".index(plane)]))


def find_plane(session: Session, hold_id: int, index: int, *, plane: str = "A", final: bool = True) -> str:
    """Save and log a plane as the keeper does. Returns the picture's name."""
    found = event(hold_id, index, plane=plane, final=final)
    files = write_plane(session.folder, found, session.source, session.model)
    session.record_plane(found, files.png, files.sha256, files.hashes)
    return files.png


def filled_session(folder: Path) -> Session:
    """Two planes and 60 frames."""
    session = new_session(folder)
    session.add_frames([frame(index, label="AB"[40 <= index < 50]) for index in range(60)])
    find_plane(session, 1, 10)
    find_plane(session, 2, 40, plane="B")
    session.flush()
    return session


def as_killed(session: Session, target: Path) -> Path:
    """A copy of an open session's folder: what is on the disk if the program dies now.

    What the session does later is not in this machine's book: it would be a second copy that went on.
    """
    shutil.copytree(session.folder, target)
    session._heads = SilentHeads(session.folder)
    session._sync._flushed = session._heads.flushed
    return target


class SilentHeads(HeadKeeper):
    """Lists nothing."""

    def _list(self, signer: Signer, head: SignedHead, database: str) -> None:
        pass


def tamper(folder: Path, *statements: str) -> None:
    """Change a closed session as somebody would who knows SQLite and drops the log's guards."""
    connection = sqlite3.connect(folder / "session.sqlite", isolation_level=None)
    connection.execute("DROP TRIGGER audit_is_never_changed")
    connection.execute("DROP TRIGGER audit_is_never_shortened")
    for statement in statements:
        assert connection.execute(statement).rowcount == 1, statement
    connection.close()


def write_kept_sessions(root: Path, exported: Sequence[str], not_exported: str, elsewhere: Path) -> None:
    """In `root` closed sessions that were exported, one that was not, and an exported one that was killed."""
    for name in (*exported, not_exported):
        with new_session(root / name) as session:
            if name != not_exported:
                session.record_export("folder", "out", "ab" * 32, {})
    with new_session(elsewhere) as session:
        session.record_export("folder", "out", "ab" * 32, {})
        as_killed(session, root / "killed")
