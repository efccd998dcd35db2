"""What the frames in a session's log say for files that were written, and not logged before a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from semc_core.io.atomic import save_error
from semc_core.io.documents import DocumentFault
from semc_core.session.files import STORED_PLANE, StoredPlane
from semc_core.session.records import (
    FIRST_ADDED,
    MODEL,
    PERSON,
    FrameTable,
    ModelEntry,
    PlaneEntry,
    file_sha256,
)
from semc_core.session.state import Row, State, plane_row

_ROUNDED: Final = 1e-5
"""Times and probabilities in a JSON are rounded to six digits."""


def stored_plane(png: Path, model: ModelEntry) -> StoredPlane | None:
    """What the JSON beside a picture says; None if there is none, or if it is of another picture or model.

    Raises:
        SaveError: They cannot be read.
    """
    try:
        told = STORED_PLANE.read(png.with_suffix(".json"))
        whole = told.png == png.name and told.png_sha256 == file_sha256(png)
    except (FileNotFoundError, DocumentFault):
        return None  # Not a file that this program wrote whole.
    except OSError as error:
        raise save_error(png.parent, error) from error
    return told if whole and told.model_sha256 == model.sha256 else None


def plane_borne_out(
    png: Path, model: ModelEntry, table: FrameTable, *, unfinished: bool = False
) -> Row | None:
    """What the JSON beside a picture says, if the frames that were logged say so, too.

    Args:
        png: The picture.
        model: Of the session.
        table: Its frames.
        unfinished: It may also be of a person's change that did not come to its end, which names the frame as
            it likes.

    Returns:
        The plane's row; None if there is no such JSON, if it is not of this picture or model, or if the model
        did not say that of this frame.

    Raises:
        SaveError: They cannot be read.
    """
    told = stored_plane(png, model)
    if told is None:
        return None
    named_so = not (unfinished and told.chosen_by == PERSON)
    if not _is_logged(told, model, table, named_so=named_so):
        return None
    return plane_row(_entry(told))


def _is_logged(told: StoredPlane, model: ModelEntry, table: FrameTable, *, named_so: bool) -> bool:
    """Whether the log has this frame, and the model named it so, as sure as is told."""
    number = model.classes.index(told.plane) if told.plane in model.classes else None
    if number is None and named_so:
        return False
    crop = (told.crop.left, told.crop.top, told.crop.width, told.crop.height)
    return any(
        abs(table.pts_s[row] - told.time_s) <= _ROUNDED
        and abs((0.0 if number is None else table.smoothed[row, number]) - told.confidence) <= _ROUNDED
        and (table.label[row] == number or not named_so)
        and tuple(table.crop[row].tolist()) == crop
        for row in np.flatnonzero(table.index == told.frame_index)
    )


def is_news(state: State, row: Row) -> bool:
    """Whether a plane that is borne out is not in the state yet, or was not so far."""
    known = state.rows["planes"].get(row["plane_id"])
    if known is None:
        # A frame that a person added: the change itself did not come to its end.
        return bool(row["plane_id"] < FIRST_ADDED)
    # Of a later moment than the log. Its times are rounded.
    later = row["end_s"] > known["end_s"] + _ROUNDED or row["final"] > known["final"]
    return bool(row["chosen_by"] == MODEL and later)


def _entry(told: StoredPlane) -> PlaneEntry:
    return PlaneEntry(
        plane_id=told.hold_id,
        plane=told.plane,
        found_as=told.plane,
        confidence=told.confidence,
        frame_index=told.frame_index,
        time_s=told.time_s,
        start_s=told.hold_start_s,
        end_s=told.hold_end_s,
        final=told.final,
        by_hand=told.by_hand,
        rejected=False,
        reason="",
        chosen_by=told.chosen_by,
        png=told.png,
        png_sha256=told.png_sha256,
        clip=None,
        note="",
        width=told.width,
        height=told.height,
        crop=told.crop,
    )
