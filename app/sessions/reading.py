"""Reading what the list says of a session. Reads the disk: not for the window. No Qt here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.sessions.presenter import SessionRow
from semc_core.errors import SemcError
from semc_core.imaging.thumbnail import thumbnail
from semc_core.io.lock import is_held
from semc_core.language import _
from semc_core.protocols.standing import Standings
from semc_core.session.database import DATABASE_NAME
from semc_core.session.erasing.retention import size_of
from semc_core.session.examination import Examination, plain_name
from semc_core.session.files import read_png
from semc_core.session.listing import is_session
from semc_core.session.session import Session


class RowReader:
    """Reads one session after the other; for one thread."""

    def __init__(self) -> None:
        """Read the protocols."""
        self._standings = Standings()

    def read(self, folder: Path) -> SessionRow | None:
        """What the list says of the session in `folder`; None where there is none any more."""
        try:
            size = size_of(folder)
            with Session.open(folder, read_only=True) as session:
                return self._row(session, size)
        except (SemcError, ValueError, OSError) as error:
            return _damaged(folder, error) if is_session(folder) else None

    def _row(self, session: Session, size: int) -> SessionRow:
        planes, standing = session.planes(), self._standings.of(session)
        pictures = [plane for plane in planes if plane.png is not None]
        best = max(pictures, key=lambda plane: plane.confidence, default=None)
        return SessionRow(
            folder=session.folder,
            when=datetime.fromisoformat(session.created_utc).astimezone(),
            source=session.source.source_id,
            protocol=standing.title,
            planes=len(planes),
            settled=standing.settled,
            required=standing.required,
            length_s=session.length_s,
            size=size,
            patient=_patient(session.examination),
            exported=bool(session.exports()),
            open=is_held(session.folder),
            closed=session.closed,
            picture=None if best is None else best.png,
            plane="" if best is None else best.plane,
        )


def picture_of(row: SessionRow) -> NDArray[np.uint8] | None:
    """A small picture of its most confident plane, uint8 (h, w) or (h, w, 3); None where there is none."""
    if row.picture is None:
        return None
    try:
        return thumbnail(read_png(row.folder / row.picture))
    except (SemcError, OSError):
        return None  # Damaged, or deleted meanwhile; `semc session verify` says which.


def _damaged(folder: Path, error: Exception) -> SessionRow:
    unknown = _("The session cannot be read; look into its folder.")
    fault = str(error) if isinstance(error, SemcError) else unknown
    try:
        when = datetime.fromtimestamp((folder / DATABASE_NAME).stat().st_mtime).astimezone()
        size = size_of(folder)
    except OSError:
        when, size = None, 0
    return SessionRow(folder, when, folder.name, size=size, open=is_held(folder), fault=fault)


def _patient(examination: Examination | None) -> str:
    if examination is None or not examination.names_patient:
        return ""
    parts = plain_name(examination.patient_name), examination.patient_id.strip()
    return " · ".join(part for part in parts if part)
