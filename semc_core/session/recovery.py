"""Putting right what a crash left: planes whose files are there but not in the log, and the reverse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from semc_core.io.atomic import remove_leftovers, save_error
from semc_core.io.private import make_private_folder
from semc_core.language import _, decimal, plural
from semc_core.session.audit_log import AuditEvent
from semc_core.session.correcting.corrections import better_edit
from semc_core.session.correcting.undo import UndoStack
from semc_core.session.files import json_name
from semc_core.session.folder import is_clip, is_picture
from semc_core.session.proof.evidence import is_news, plane_borne_out
from semc_core.session.proof.known_files import SET_ASIDE, files_there, logged_hashes, replaced_hashes
from semc_core.session.records import PROGRAM, AuditEntry, FrameTable, ModelEntry, file_sha256
from semc_core.session.state import Edit, Row, State, made


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
    """What is to be written, and what then is to be done with files.

    Attributes:
        note: The entry.
        sentence: For the user.
        superfluous: Pictures that were replaced, to be removed.
        aside: Files that are none of the session's, to be moved to `SET_ASIDE`.
    """

    note: AuditEvent
    sentence: str
    superfluous: tuple[str, ...]
    aside: tuple[str, ...]


def recover(
    folder: Path,
    state: State,
    stack: UndoStack,
    log: Iterable[AuditEntry],
    model: ModelEntry,
    frames: FrameTable,
    during: Interrupted,
) -> Recovery:
    """Bring folder and state together.

    A pair of files that was written and not logged is taken over if the frames that were logged say the same;
    one that was replaced is superfluous; all else is set aside. A plane whose picture or clip is gone says so
    from now on.

    Args:
        folder: Of the session, which nobody else writes to.
        state: As it is stored.
        stack: What can be undone: pictures that this needs stay.
        log: All entries.
        model: Of the session.
        frames: All that are stored.
        during: What was interrupted.

    Raises:
        SaveError: The folder could not be read, or a temporary file not removed.
    """
    remove_leftovers(folder, older_than_s=0)
    entries = list(log)
    try:
        there = files_there(folder)
    except OSError as error:
        raise save_error(folder, error) from error
    names = [name for name in there if is_picture(name)]
    missing = _missing(folder, state)
    logged, needed = replaced_hashes(entries), _needed(state, stack)
    rows = [
        row
        for name in names
        # One that the log says was replaced is no news.
        if name in needed or name not in logged
        if (row := plane_borne_out(folder / name, model, frames)) is not None and is_news(state, row)
    ]
    taken = [edit for row in rows if (edit := _taken_over(state, row)) is not None]
    needed = _needed(state, stack)
    aside = [name for name in names if name not in needed and name not in logged]
    aside += [json_name(name) for name in aside if json_name(name) in there]
    aside += [name for name in there if is_clip(name) and name not in logged]
    pairs = {json_name(row["png"]): row["png"] for row in rows}
    payload = {
        "planes_taken_over": len(taken),
        "files_missing": len(missing),
        "set_aside": aside,
        **logged_hashes(
            {
                **{name: _sha256(folder, name) for name in pairs},
                **{f"{SET_ASIDE}/{Path(name).name}": _sha256(folder, name) for name in aside},
            }
        ),
    }
    last_s = float(frames.pts_s.max()) if len(frames) else None
    return Recovery(
        AuditEvent(PROGRAM, "recovered", payload, (*missing, *taken)),
        _sentence(last_s, during, len(taken), len(missing), len(aside)),
        tuple(name for name in names if name not in needed and name in logged),
        tuple(aside),
    )


def set_aside(folder: Path, names: Iterable[str]) -> None:
    """Move files of a session's folder out of the way; nothing is lost.

    Raises:
        SaveError: They could not be moved.
    """
    try:
        for name in names:
            make_private_folder(folder / SET_ASIDE)
            (folder / name).replace(folder / SET_ASIDE / Path(name).name)
    except OSError as error:
        raise save_error(folder, error) from error


def _sha256(folder: Path, name: str) -> str:
    try:
        return file_sha256(folder / name)
    except OSError as error:
        raise save_error(folder, error) from error


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
    """The edit that takes over a plane that is borne out and news, made in `state` too; None if none."""
    known = row["plane_id"] in state.rows["planes"]
    edit = better_edit(state, row) if known else made("planes", row)
    if edit is not None:
        state.apply([edit])
    return edit


def _needed(state: State, stack: UndoStack) -> set[str]:
    steps = (edit for step in stack.steps() for edit in step.edits)
    return _names(steps) | {row["png"] for row in state.rows["planes"].values() if row["png"] is not None}


def _names(edits: Iterable[Edit]) -> set[str]:
    """The pictures that edits of planes name."""
    sides = (edit[side] for edit in edits if edit["table"] == "planes" for side in ("before", "after"))
    return {side["png"] for side in sides if side is not None and side.get("png") is not None}


def _sentence(last_s: float | None, during: Interrupted, taken: int, missing: int, aside: int) -> str:
    parts = [_("The program ended without closing this session.")]
    if during is Interrupted.REVIEW:
        parts.append(_("The scan was over before: all of it is there, and so are your corrections."))
    elif during is Interrupted.LATER_REVIEW:
        parts.append(
            _(
                "The scan had been broken off before. Nothing that was there then is lost, nor are "
                "corrections."
            )
        )
    elif during is Interrupted.ANALYSIS:
        parts.append(
            _("Its loop is analysed in review.")
            if last_s is None
            else _(
                "Its loop is analysed up to {seconds} s; the rest is analysed in review.",
                seconds=decimal(last_s, 1),
            )
        )
    else:
        parts.append(
            _("No frame was recorded before.")
            if last_s is None
            else _("It is there up to {seconds} s of the scan.", seconds=decimal(last_s, 1))
        )
        parts.append(_("At most the last second before that end is lost."))
    if taken:
        parts.append(
            plural(
                "{count} plane was taken over from the files in its folder.",
                "{count} planes were taken over from the files in its folder.",
                taken,
            )
        )
    if missing:
        parts.append(
            plural("Files are missing of {count} plane.", "Files are missing of {count} planes.", missing)
        )
    if aside:
        parts.append(
            plural(
                "{count} file that its log does not know was set aside in its folder {folder}.",
                "{count} files that its log does not know were set aside in its folder {folder}.",
                aside,
                folder=SET_ASIDE,
            )
        )
    return " ".join(parts)
