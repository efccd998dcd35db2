"""What a person's change means for the state of a session: its edits, and the picture it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SessionError
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.session.correcting.changes import (
    FRAME_CHOSEN,
    NOT_POSSIBLE,
    PLANE_ADDED,
    AddPlane,
    Change,
    ChooseFrame,
    LabelRegion,
    MarkRegion,
    MoveToFetus,
    Reject,
    Relabel,
    RemoveRegion,
    Restore,
    SetFetus,
    SetItem,
    SetNote,
)
from semc_core.session.correcting.measuring import measured
from semc_core.session.correcting.rows import needed_row
from semc_core.session.correcting.sentences import (
    item_text,
    note_text,
    of_fetus_text,
    plane_text,
    region_text,
)
from semc_core.session.correcting.turning import turned
from semc_core.session.fetuses import FIRST, LETTERS
from semc_core.session.files import write_plane
from semc_core.session.records import FIRST_ADDED, MODEL, PERSON, ModelEntry, PlaneEntry, SourceEntry
from semc_core.session.state import Edit, Row, State, crop_columns, made, plane_row
from semc_core.types import FrameResult, HoldEvent

_KEPT: Final = ("rejected", "reason", "note", "clip", "clip_sha256")
"""What a better frame of a hold does not change."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is written for a change.

    Attributes:
        id: The plane, region or measurement that it is about, or None.
        kind: Of the log's entry.
        text: What was done, for the status line and the log.
        edits: Of the state; none if nothing changes.
        hashes: SHA-256 of what was written beside a picture, by name.
    """

    id: int | None
    kind: str
    text: str
    edits: tuple[Edit, ...]
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corrector:
    """Turns changes into corrections of one session.

    Attributes:
        folder: Of the session.
        source: Where the frames come from.
        model: What classified them.
        smoothed_at: float32 (K,) of a frame, by its index and time (seconds); None if it is not logged.
    """

    folder: Path
    source: SourceEntry
    model: ModelEntry
    smoothed_at: Callable[[int, float], NDArray[np.float32] | None]

    def correct(self, state: State, highest: dict[str, int], change: Change) -> Correction:
        """What `change` means. A chosen frame is written to the folder here; an undo leaves it there.

        Args:
            state: How the session stands.
            highest: See `UndoStack`.
            change: What the person did.

        Raises:
            SessionError: It does not fit: no such plane, region or measurement, or a name that is none.
            SaveError: The frame could not be written.
        """
        if isinstance(change, Relabel | Reject | Restore):
            return self._judge(state, highest, change)
        if isinstance(change, ChooseFrame):
            return self._choose(state, change)
        if isinstance(change, AddPlane):
            return self._add(state, highest, change)
        if isinstance(change, MarkRegion | RemoveRegion | LabelRegion):
            return _mark(state, highest, change)
        if isinstance(change, SetNote):
            return _note(state, change)
        if isinstance(change, SetItem):
            return _item(state, change)
        if isinstance(change, SetFetus | MoveToFetus):
            return Correction(*turned(state, highest, change))
        return Correction(*measured(state, highest, change))

    def _judge(self, state: State, highest: dict[str, int], change: Relabel | Reject | Restore) -> Correction:
        number = change.plane_id
        row = needed_row(state, "planes", number)
        if isinstance(change, Relabel):
            self._check_plane(change.plane)
            smoothed = self.smoothed_at(row["frame_index"], row["time_s"])
            fields: Row = {"plane": change.plane, "confidence": self._share(smoothed, change.plane)}
            kind = "relabel"
            if row["by_hand"] and row["found_as"] == change.plane:
                fields["found_as"] = None  # The program's word for a capture; from now on a person's.
            if row["plane"] == change.plane:
                kind = "confirm"
                fields = {name: fields[name] for name in fields if name == "found_as"}
        elif isinstance(change, Reject):
            kind, fields = "reject", {"rejected": 1, "reason": change.reason}
        else:
            kind, fields = "restore", {"rejected": 0, "reason": ""}
        edit = state.changed("planes", number, **fields, chosen_by=PERSON)
        text = plane_text(change, number, row["plane"])
        edits = () if edit is None else (edit,)
        if isinstance(change, Relabel) and change.fetus:
            moved = turned(state, highest, MoveToFetus(number, change.fetus))[-1]
            text, edits = of_fetus_text(text, change.fetus) if moved else text, (*edits, *moved)
        return Correction(number, kind, text, edits)

    def _choose(self, state: State, change: ChooseFrame) -> Correction:
        number, shown = change.plane_id, change.frame
        row = needed_row(state, "planes", number)
        confidence = self._share(shown.smoothed, row["plane"])
        event = HoldEvent(
            number, row["plane"], shown, confidence, row["start_s"], row["end_s"], True, bool(row["by_hand"])
        )
        written = write_plane(self.folder, event, self.source, self.model, chosen_by=PERSON)
        edit = state.changed(
            "planes",
            number,
            confidence=confidence,
            **_frame_columns(shown),
            png=written.png,
            png_sha256=written.sha256,
            chosen_by=PERSON,
        )
        text = plane_text(change, number, row["plane"])
        return Correction(number, FRAME_CHOSEN, text, () if edit is None else (edit,), written.hashes)

    def _add(self, state: State, highest: dict[str, int], change: AddPlane) -> Correction:
        self._check_plane(change.plane)
        number = max(FIRST_ADDED, highest.get("planes", 0) + 1)
        shown, time_s = change.frame, change.frame.packet.pts_s
        confidence = self._share(shown.smoothed, change.plane)
        event = HoldEvent(number, change.plane, shown, confidence, time_s, time_s, True, by_hand=True)
        written = write_plane(self.folder, event, self.source, self.model, chosen_by=PERSON)
        row = event_row(event, written.png, written.sha256)
        text = plane_text(change, number, change.plane)
        return Correction(number, PLANE_ADDED, text, (made("planes", row),), written.hashes)

    def _share(self, smoothed: NDArray[np.float32] | None, plane: str) -> float:
        """The probability of `plane`; 0 if the model does not know it."""
        if smoothed is None or plane not in self.model.classes:
            return 0.0
        return float(smoothed[self.model.classes.index(plane)])

    def _check_plane(self, plane: str) -> None:
        if not plane.strip() or plane in (NON_STANDARD, self.model.none_class):
            raise SessionError(_("This is not the name of a plane; choose one, or reject the plane instead."))


def _mark(
    state: State, highest: dict[str, int], change: MarkRegion | RemoveRegion | LabelRegion
) -> Correction:
    if isinstance(change, RemoveRegion):
        row = needed_row(state, "regions", change.region_id)
        text = region_text(change, row["label"])
        return Correction(
            change.region_id, "remove region", text, (state.removed("regions", change.region_id),)
        )
    if isinstance(change, LabelRegion):
        row = needed_row(state, "regions", change.region_id)
        if not change.label.strip():
            raise SessionError(_("A mark needs a name; type one, or take the mark away."))
        edit = state.changed("regions", change.region_id, label=change.label)
        text = region_text(change, row["label"])
        return Correction(change.region_id, "label region", text, () if edit is None else (edit,))
    if not change.start_s <= change.end_s or not change.label.strip():
        raise SessionError(_("A mark needs a name and an end that is not before its start; mark it again."))
    number = highest.get("regions", 0) + 1
    region = {
        "region_id": number,
        "start_s": float(change.start_s),
        "end_s": float(change.end_s),
        "label": change.label,
        "note": change.note,
    }
    text = region_text(change, change.label)
    return Correction(number, "mark region", text, (made("regions", region),))


def _note(state: State, change: SetNote) -> Correction:
    if change.plane_id is None:
        edit = state.changed("session", 1, note=change.text)
    else:
        needed_row(state, "planes", change.plane_id)
        edit = state.changed("planes", change.plane_id, note=change.text)
    return Correction(change.plane_id, "note", note_text(change), () if edit is None else (edit,))


def _item(state: State, change: SetItem) -> Correction:
    if change.status not in ("", NOT_POSSIBLE):
        raise SessionError(_('An item of a protocol is "not possible" or nothing; choose one of them.'))
    if change.fetus not in ("", *LETTERS):
        raise SessionError(_("Fetuses are called A, B, C and D; choose one of them."))
    key = f"{change.protocol_id}/{change.item_id}"
    key += f"/{change.fetus}" if change.fetus not in ("", FIRST) else ""
    there = key in state.rows["items"]
    edit: Edit | None
    if not change.status:
        edit = state.removed("items", key) if there else None
    else:
        fields = {"status": change.status, "reason": change.reason}
        names = {"item": key, "protocol_id": change.protocol_id, "item_id": change.item_id}
        edit = state.changed("items", key, **fields) if there else made("items", {**names, **fields})
    return Correction(None, "item", item_text(change), () if edit is None else (edit,))


def recorded_edit(state: State, event: HoldEvent, png: str, png_sha256: str) -> Edit | None:
    """What a hold that was found, or a better frame of it, changes; None if nothing."""
    row = event_row(event, png, png_sha256)
    known = event.hold_id in state.rows["planes"]
    return better_edit(state, row) if known else made("planes", row)


def better_edit(state: State, new: Row) -> Edit | None:
    """What the model's word on a plane that is known changes; None if nothing.

    What a person decided stays: only the hold's times, and that it is over, come from the model then.
    """
    number = new["plane_id"]
    decided = state.rows["planes"][number]["chosen_by"] == PERSON
    names = ("start_s", "end_s", "final") if decided else tuple(name for name in new if name not in _KEPT)
    return state.changed("planes", number, **{name: new[name] for name in names})


def event_row(event: HoldEvent, png: str | None, png_sha256: str | None) -> Row:
    """A plane's row as the event says; one that a person added has a number from `FIRST_ADDED` on."""
    added = event.hold_id >= FIRST_ADDED
    packet = event.best.packet
    return plane_row(
        PlaneEntry(
            plane_id=event.hold_id,
            plane=event.plane,
            found_as=None if added else event.plane,
            confidence=float(event.confidence),
            frame_index=packet.index,
            time_s=float(packet.pts_s),
            start_s=float(event.start_s),
            end_s=float(event.end_s),
            final=event.final,
            by_hand=event.by_hand,
            rejected=False,
            reason="",
            chosen_by=PERSON if event.by_hand else MODEL,
            png=png,
            png_sha256=png_sha256,
            clip=None,
            note="",
            width=packet.picture.width,
            height=packet.picture.height,
            crop=event.best.crop,
        )
    )


def _frame_columns(shown: FrameResult) -> Row:
    """Where a frame is and how large."""
    height, width = shown.packet.picture.height, shown.packet.picture.width
    return {
        "frame_index": shown.packet.index,
        "time_s": float(shown.packet.pts_s),
        "width": width,
        "height": height,
        **crop_columns(shown.crop),
    }
