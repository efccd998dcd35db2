"""Putting right what a crash left: planes whose files are there but not in the log, and the reverse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from semc_core.io.atomic import remove_leftovers, save_error
from semc_core.io.documents import DocumentFault
from semc_core.session.audit_log import AuditEvent
from semc_core.session.corrections import better_edit
from semc_core.session.files import STORED_PLANE
from semc_core.session.folder import CLIP_FOLDER, is_picture
from semc_core.session.recording.parts import VIDEO_SUFFIX
from semc_core.session.records import (
    FIRST_ADDED,
    MODEL,
    PROGRAM,
    AuditEntry,
    ModelEntry,
    PlaneEntry,
    file_sha256,
)
from semc_core.session.state import Edit, Row, State, made, plane_row
from semc_core.session.undo import UndoStack
from semc_core.text import counted


class Interrupted(Enum):
    """What the program was at when it ended without closing the session."""

    SCAN = "a live scan"
    ANALYSIS = "the analysis of a loop, which is there to be analysed further"
    REVIEW = "review, after all of the scan was stored"
    LATER_REVIEW = "review of a scan that itself had been interrupted, which was said when it was opened then"


def interrupted(live: bool, complete: bool, kinds: Iterable[str]) -> Interrupted:
    """What was interrupted.

    Args:
        live: Whether the session is of a live scan: nobody goes on with one that was opened again.
        complete: Whether every frame of a source is stored.
        kinds: Of the entries by the program, in order.
    """
    if complete:
        return Interrupted.REVIEW
    if not live:
        return Interrupted.ANALYSIS
    first_end = next((kind for kind in kinds if kind in ("closed", "opened")), "")
    ends = {"closed": Interrupted.REVIEW, "opened": Interrupted.LATER_REVIEW}
    return ends.get(first_end, Interrupted.SCAN)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is to be written, the sentence for the user, and the pictures to remove when it is written."""

    note: AuditEvent
    sentence: str
    superfluous: tuple[str, ...]


def recover(
    folder: Path,
    state: State,
    stack: UndoStack,
    log: Iterable[AuditEntry],
    model: ModelEntry,
    last_s: float | None,
    during: Interrupted,
) -> Recovery:
    """Bring folder and state together.

    A pair of files, or a clip, that was written and not logged is taken over; half a pair is superfluous,
    and so is one that was replaced. A plane whose picture or clip is gone says so from now on.

    Args:
        folder: Of the session, which nobody else writes to.
        state: As it is stored.
        stack: What can be undone: pictures that this needs stay.
        log: All entries.
        model: Of the session.
        last_s: Presentation time of the newest frame that is stored; None if there is none.
        during: What was interrupted.

    Raises:
        SaveError: The folder could not be read, or a temporary file not removed.
    """
    remove_leftovers(folder, older_than_s=0)
    try:
        names = sorted(path.name for path in folder.iterdir() if is_picture(path.name))
    except OSError as error:
        raise save_error(folder, error) from error
    missing = _missing(folder, state)
    logged, needed = _logged(log), _needed(state, stack)
    taken = [
        edit
        for name in names
        # One that the log says was replaced is no news.
        if name in needed or name not in logged
        if (row := _row_of(folder / name, model)) is not None
        if (edit := _taken_over(state, row)) is not None
    ]
    clips = _clips(folder, state)
    needed = _needed(state, stack)
    counts = {
        "planes_taken_over": len(taken), "clips_taken_over": len(clips), "files_missing": len(missing)
    }  # fmt: skip
    return Recovery(
        AuditEvent(PROGRAM, "recovered", counts, (*missing, *taken, *clips)),
        _sentence(last_s, during, len(taken), len(missing)),
        tuple(name for name in names if name not in needed),
    )


def _missing(folder: Path, state: State) -> list[Edit]:
    """Takes the names of files that are gone out of the state. The log keeps them."""
    edits = []
    for number, row in state.rows["planes"].items():
        gone = {
            column: None
            for name in ("png", "clip")
            if row[name] is not None and not (folder / row[name]).is_file()
            for column in (name, f"{name}_sha256")
        }
        edit = state.changed("planes", number, **gone)
        if edit is not None:
            edits.append(edit)
    state.apply(edits)
    return edits


def _taken_over(state: State, row: Row) -> Edit | None:
    """The edit that takes over what a JSON says, made in `state` too; None if it says nothing new."""
    number = row["plane_id"]
    known = state.rows["planes"].get(number)
    if known is None:
        # A frame that a person added: the change itself did not come to its end.
        edit = made("planes", row) if number < FIRST_ADDED else None
    elif row["chosen_by"] == MODEL and _later(row, known):
        edit = better_edit(state, row)
    else:
        edit = None
    if edit is not None:
        state.apply([edit])
    return edit


def _clips(folder: Path, state: State) -> list[Edit]:
    """Takes over clips that were written and not logged: those named as their plane's picture."""
    edits = []
    for number, row in state.rows["planes"].items():
        if row["clip"] is not None or row["png"] is None:
            continue
        name = f"{CLIP_FOLDER}/{Path(row['png']).stem}{VIDEO_SUFFIX}"
        try:
            digest = file_sha256(folder / name)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise save_error(folder, error) from error
        edit = state.changed("planes", number, clip=name, clip_sha256=digest)
        if edit is not None:
            edits.append(edit)
    state.apply(edits)
    return edits


def _later(row: Row, known: Row) -> bool:
    """Whether a JSON is of a later moment than the log. Its times are rounded."""
    return bool(row["end_s"] > known["end_s"] + 1e-5 or row["final"] > known["final"])


def _needed(state: State, stack: UndoStack) -> set[str]:
    steps = (edit for step in stack.steps() for edit in step.edits)
    return _names(steps) | {row["png"] for row in state.rows["planes"].values() if row["png"] is not None}


def _logged(log: Iterable[AuditEntry]) -> set[str]:
    return _names(edit for entry in log for edit in entry.payload.get("edits", ()))


def _names(edits: Iterable[Edit]) -> set[str]:
    """The pictures that edits of planes name."""
    sides = (edit[side] for edit in edits if edit["table"] == "planes" for side in ("before", "after"))
    return {side["png"] for side in sides if side is not None and side.get("png") is not None}


def _row_of(png: Path, model: ModelEntry) -> Row | None:
    """What the JSON beside a picture says; None if there is none, or if they do not belong together."""
    try:
        told = STORED_PLANE.read(png.with_suffix(".json"))
        whole = told.png == png.name and told.png_sha256 == file_sha256(png)
    except (FileNotFoundError, DocumentFault):
        return None  # Not a file that this program wrote whole.
    except OSError as error:
        raise save_error(png.parent, error) from error
    if not whole or told.model_sha256 != model.sha256:
        return None
    return plane_row(
        PlaneEntry(
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
            png=png.name,
            png_sha256=told.png_sha256,
            clip=None,
            note="",
            width=told.width,
            height=told.height,
            crop=told.crop,
        )
    )


def _sentence(last_s: float | None, during: Interrupted, taken: int, missing: int) -> str:
    parts = ["The program ended without closing this session."]
    if during is Interrupted.REVIEW:
        parts.append("The scan was over before: all of it is there, and so are your corrections.")
    elif during is Interrupted.LATER_REVIEW:
        parts.append(
            "The scan had been broken off before. Nothing that was there then is lost, nor are corrections."
        )
    elif during is Interrupted.ANALYSIS:
        parts.append(
            "Its loop is analysed in review."
            if last_s is None
            else f"Its loop is analysed up to {last_s:.1f} s; the rest is analysed in review."
        )
    else:
        parts.append(
            "No frame was recorded before."
            if last_s is None
            else f"It is there up to {last_s:.1f} s of the scan."
        )
        parts.append("At most the last second before that end is lost.")
    if taken:
        parts.append(f"{counted(taken, 'plane was', 'planes were')} taken over from the files in its folder.")
    if missing:
        parts.append(f"Files are missing of {counted(missing, 'plane')}.")
    return " ".join(parts)
