"""What a person's measuring means for the state of a session: its edits."""

from __future__ import annotations

from typing import Final

from semc_core.errors import SessionError, UsageError
from semc_core.measure.calibration import FROM_REGION, FROM_SPACING, Calibration, check_picture, over_line
from semc_core.measure.gestation import checked_age
from semc_core.measure.shapes import check_shape, check_structure, rounded
from semc_core.session.correcting.changes import (
    AddMeasurement,
    MeasureChange,
    MoveMeasurement,
    NameMeasurement,
    RemoveMeasurement,
    SetAge,
    SetScale,
)
from semc_core.session.correcting.rows import needed_row
from semc_core.session.correcting.sentences import measure_text
from semc_core.session.records import (
    ACCEPTED,
    BY_HAND,
    BY_REGION,
    BY_SPACING,
    CORRECTED,
    NO_SCALE,
    PERSON,
)
from semc_core.session.state import Edit, Row, State, made, points_text

_SCALES: Final = {FROM_REGION: BY_REGION, FROM_SPACING: BY_SPACING}

Written = tuple[int | None, str, str, tuple[Edit, ...]]
"""Number of the measurement, kind of the entry, its text, its edits."""


def measured(state: State, highest: dict[str, int], change: MeasureChange) -> Written:
    """What `change` means; see `Corrector.correct`.

    Raises:
        SessionError: It does not fit the session or the picture.
    """
    try:
        if isinstance(change, AddMeasurement):
            return _add(state, highest, change)
        if isinstance(change, MoveMeasurement):
            return _move(state, change)
        if isinstance(change, NameMeasurement):
            return _name(state, change)
        if isinstance(change, SetAge):
            return _age(state, change)
        return _remove(state, change) if isinstance(change, RemoveMeasurement) else _scale(state, change)
    except UsageError as error:
        raise SessionError(str(error)) from error


def size_of(width: int, height: int) -> str:
    """What a scale by hand is kept under."""
    return f"{width}x{height}"


def _add(state: State, highest: dict[str, int], change: AddMeasurement) -> Written:
    check_shape(change.kind, change.points, change.width, change.height)
    check_structure(change.structure, change.kind)
    if change.plane_id is not None:
        needed_row(state, "planes", change.plane_id)
    number = highest.get("measurements", 0) + 1
    row: Row = {
        "measurement_id": number,
        "kind": change.kind,
        "points": points_text(rounded(change.points)),
        "structure": change.structure,
        "frame_index": change.frame_index,
        "time_s": float(change.time_s),
        "plane_id": change.plane_id,
        "width": change.width,
        "height": change.height,
        **_scale_columns(state, change.width, change.height, change.scale),
        "made_by": ACCEPTED if change.proposed else PERSON,
        "error": change.error if change.proposed else None,
    }
    return number, "measure", measure_text(change, number, change.kind), (made("measurements", row),)


def _move(state: State, change: MoveMeasurement) -> Written:
    number = change.measurement_id
    row = needed_row(state, "measurements", number)
    check_shape(row["kind"], change.points, row["width"], row["height"])
    fields = {
        "points": points_text(rounded(change.points)),
        **_scale_columns(state, row["width"], row["height"], change.scale),
    }
    if row["made_by"] == ACCEPTED and fields["points"] != row["points"]:
        # How far off the network is says nothing of what a person drew.
        fields |= {"made_by": CORRECTED, "error": None}
    edit = state.changed("measurements", number, **fields)
    text = measure_text(change, number, row["kind"])
    return number, "move measurement", text, () if edit is None else (edit,)


def _name(state: State, change: NameMeasurement) -> Written:
    number = change.measurement_id
    row = needed_row(state, "measurements", number)
    check_structure(change.structure, row["kind"])
    edit = state.changed("measurements", number, structure=change.structure)
    text = measure_text(change, number, row["kind"])
    return number, "name measurement", text, () if edit is None else (edit,)


def _remove(state: State, change: RemoveMeasurement) -> Written:
    number = change.measurement_id
    row = needed_row(state, "measurements", number)
    text = measure_text(change, number, row["kind"])
    return number, "remove measurement", text, (state.removed("measurements", number),)


def _age(state: State, change: SetAge) -> Written:
    there = 1 in state.rows["ages"]
    edit: Edit | None
    if change.age is None:
        edit = state.removed("ages", 1) if there else None
    else:
        age = checked_age(change.age.days, change.age.origin)
        fields: Row = {"days": age.days, "origin": age.origin}
        edit = state.changed("ages", 1, **fields) if there else made("ages", {"id": 1, **fields})
    return None, "set age", measure_text(change, 0, ""), () if edit is None else (edit,)


def _scale(state: State, change: SetScale) -> Written:
    check_shape("distance", change.points, change.width, change.height)
    first, last = rounded(change.points)
    scale = over_line(first, last, change.length_mm, change.aspect)
    check_picture(scale, change.width, change.height)
    size = size_of(change.width, change.height)
    fields: Row = {
        "mm_x": scale.mm_x,
        "mm_y": scale.mm_y,
        "frame_index": change.frame_index,
        "points": points_text((first, last)),
        "length_mm": float(change.length_mm),
    }
    there = size in state.rows["scales"]
    edits = [state.changed("scales", size, **fields) if there else made("scales", {"size": size, **fields})]
    new = {"mm_x": scale.mm_x, "mm_y": scale.mm_y, "scale": BY_HAND}
    for number, row in state.rows["measurements"].items():
        same = (row["width"], row["height"]) == (change.width, change.height)
        if same and row["scale"] in (NO_SCALE, BY_HAND):
            edits.append(state.changed("measurements", number, **new))
    text = measure_text(change, 0, "")
    return None, "set scale", text, tuple(edit for edit in edits if edit is not None)


def _scale_columns(state: State, width: int, height: int, told: Calibration | None) -> Row:
    """What the source says of its millimetres; else what a person said for pictures of this size."""
    if told is not None:
        return {"mm_x": told.mm_x, "mm_y": told.mm_y, "scale": _SCALES[told.origin]}
    by_hand = state.rows["scales"].get(size_of(width, height))
    if by_hand is None:
        return {"mm_x": None, "mm_y": None, "scale": NO_SCALE}
    return {"mm_x": by_hand["mm_x"], "mm_y": by_hand["mm_y"], "scale": BY_HAND}
