"""How a session stands: what its log's edits add up to.

An edit is plain JSON: {"table", "id", "before", "after"}. `before` and `after` hold the same fields of a row;
None as `before` makes the row, None as `after` removes it. The state is the fold of all edits of the log, so
it can be made again from the log alone, and an edit reversed undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from semc_core.errors import SessionError
from semc_core.session.folder import is_clip, is_picture
from semc_core.session.records import ExportEntry, ItemEntry, PlaneEntry, RegionEntry
from semc_core.types import Crop

Row = dict[str, Any]
Edit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the state: the column that identifies a row, and all columns with their SQL types."""

    key: str
    columns: dict[str, str]


TABLES: Final = {
    "session": Table("id", {"id": "INTEGER", "note": "TEXT", "source_notice": "TEXT", "complete": "INTEGER"}),
    "planes": Table(
        "plane_id",
        {
            "plane_id": "INTEGER",
            "plane": "TEXT",
            "found_as": "TEXT",
            "confidence": "REAL",
            "frame_index": "INTEGER",
            "time_s": "REAL",
            "start_s": "REAL",
            "end_s": "REAL",
            "final": "INTEGER",
            "by_hand": "INTEGER",
            "rejected": "INTEGER",
            "reason": "TEXT",
            "chosen_by": "TEXT",
            "png": "TEXT",
            "png_sha256": "TEXT",
            "clip": "TEXT",
            "clip_sha256": "TEXT",
            "note": "TEXT",
            "width": "INTEGER",
            "height": "INTEGER",
            "crop_left": "INTEGER",
            "crop_top": "INTEGER",
            "crop_width": "INTEGER",
            "crop_height": "INTEGER",
        },
    ),
    "regions": Table(
        "region_id",
        {"region_id": "INTEGER", "start_s": "REAL", "end_s": "REAL", "label": "TEXT", "note": "TEXT"},
    ),
    "items": Table(
        "item",
        {"item": "TEXT", "protocol_id": "TEXT", "item_id": "TEXT", "status": "TEXT", "reason": "TEXT"},
    ),
    "exports": Table(
        "export_id",
        {
            "export_id": "INTEGER",
            "time_utc": "TEXT",
            "kind": "TEXT",
            "name": "TEXT",
            "sha256": "TEXT",
            "detail": "TEXT",
        },
    ),
}

_PLANE_FLAGS: Final = ("final", "by_hand", "rejected")


class State:
    """The rows of every table, which are replaced and never changed. Not for several threads at once."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int | str, Row]] = {name: {} for name in TABLES}
        self._planes: dict[int | str, tuple[Row, PlaneEntry]] = {}

    def planes(self) -> list[PlaneEntry]:
        """The planes in order of time. Of a row that was not replaced it is the same object again."""
        made, self._planes = self._planes, {}
        for number, row in self.rows["planes"].items():
            known = made.get(number)
            self._planes[number] = (
                known if known is not None and known[0] is row else (row, _plane_entry(row))
            )
        entries = [entry for _, entry in self._planes.values()]
        return sorted(entries, key=lambda plane: (plane.time_s, plane.plane_id))

    def apply(self, edits: Iterable[Edit]) -> None:
        """Take edits in order.

        Raises:
            SessionError: One does not fit what is there.
        """
        for edit in edits:
            rows, before, after = self.rows[edit["table"]], edit["before"], edit["after"]
            row = rows.get(edit["id"])
            expected = None if row is None else {name: row.get(name) for name in before or ()}
            if (row is None) != (before is None) or (before is not None and expected != before):
                raise SessionError(f"A change of {edit['table']} {edit['id']} does not fit what was there.")
            if after is None:
                del rows[edit["id"]]
            else:
                rows[edit["id"]] = {**(row or {}), **after}

    def changed(self, table: str, row_id: int | str, **fields: Any) -> Edit | None:
        """The edit that gives a row new values; None if it has them all already."""
        row = self.rows[table][row_id]
        after = {name: value for name, value in fields.items() if row[name] != value}
        if not after:
            return None
        return edit(table, row_id, {name: row[name] for name in after}, after)

    def removed(self, table: str, row_id: int | str) -> Edit:
        """The edit that removes a row."""
        return edit(table, row_id, dict(self.rows[table][row_id]), None)

    def reversed(self, edits: Sequence[Edit]) -> list[Edit]:
        """The edits that take `edits` back from how the rows are now."""
        back = []
        for each in reversed(edits):
            table, row_id, after = each["table"], each["id"], each["before"]
            row = self.rows[table].get(row_id)
            before = row if row is None or after is None else {name: row[name] for name in after}
            back.append(edit(table, row_id, before and dict(before), after))
        return back


def edit(table: str, row_id: int | str, before: Row | None, after: Row | None) -> Edit:
    """One edit as plain JSON."""
    return {"table": table, "id": row_id, "before": before, "after": after}


def made(table: str, row: Row) -> Edit:
    """The edit that makes `row`."""
    return edit(table, row[TABLES[table].key], None, row)


def plane_row(plane: PlaneEntry) -> Row:
    """A plane as a row of its table."""
    row: Row = {
        name: getattr(plane, name) for name in TABLES["planes"].columns if not name.startswith("crop_")
    }
    for name in _PLANE_FLAGS:
        row[name] = int(row[name])
    return {**row, **crop_columns(plane.crop)}


def crop_columns(crop: Crop) -> Row:
    """A region of interest as columns."""
    return {
        "crop_left": crop.left,
        "crop_top": crop.top,
        "crop_width": crop.width,
        "crop_height": crop.height,
    }


def check_files(rows: Iterable[Row]) -> None:
    """Look at the names of files in rows of planes, whole or in part.

    Raises:
        SessionError: One is none of a picture or clip of a session.
    """
    for row in rows:
        for column, is_own in (("png", is_picture), ("clip", is_clip)):
            name = row.get(column)
            if name not in (None, "") and not is_own(name):
                raise SessionError(
                    "This session names a file that is none of its own, so it is not opened: it was changed."
                )


def _plane_entry(row: Row) -> PlaneEntry:
    values = {name: value for name, value in row.items() if not name.startswith("crop_")}
    for name in _PLANE_FLAGS:
        values[name] = bool(values[name])
    crop = Crop(row["crop_left"], row["crop_top"], row["crop_width"], row["crop_height"])
    return PlaneEntry(**values, crop=crop)


@dataclass(frozen=True, slots=True)
class View:
    """The state at one moment, for readers on any thread."""

    planes: tuple[PlaneEntry, ...]
    regions: tuple[RegionEntry, ...]
    items: tuple[ItemEntry, ...]
    exports: tuple[ExportEntry, ...]
    note: str
    source_notice: str
    complete: bool


def view_of(state: State, parse_detail: Any) -> View:
    """A frozen picture of `state`: planes and regions in order of time."""
    rows = state.rows
    session = rows["session"][1]
    regions = sorted(
        (RegionEntry(**row) for row in rows["regions"].values()),
        key=lambda region: (region.start_s, region.region_id),
    )
    items = (
        ItemEntry(row["protocol_id"], row["item_id"], row["status"], row["reason"])
        for _, row in sorted(rows["items"].items(), key=lambda pair: str(pair[0]))
    )
    exports = (
        ExportEntry(**{**row, "detail": parse_detail(row["detail"])})
        for row in sorted(rows["exports"].values(), key=lambda row: row["export_id"])
    )
    return View(
        planes=tuple(state.planes()),
        regions=tuple(regions),
        items=tuple(items),
        exports=tuple(exports),
        note=session["note"],
        source_notice=session["source_notice"],
        complete=bool(session["complete"]),
    )
