"""How a session stands: what its log's edits add up to.

An edit is plain JSON: {"table", "id", "before", "after"}. `before` and `after` hold the same fields of a row;
None as `before` makes the row, None as `after` removes it. The state is the fold of all edits of the log, so
it can be made again from the log alone, and an edit reversed undoes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

from typing_extensions import TypedDict

from semc_core.errors import SessionError
from semc_core.io.documents import OPEN, STRICT, Document, configured
from semc_core.io.rules import PlainObject, by_tag, held_as, matching, one_of, within
from semc_core.language import _
from semc_core.measure.gestation import LEAST_DAYS, MOST_DAYS, ORIGINS
from semc_core.measure.shapes import KINDS, STRUCTURES
from semc_core.session.fetuses import FetusRow, TurnRow, fetuses_of
from semc_core.session.folder import is_clip, is_picture
from semc_core.session.records import MAKERS, SCALES, PlaneEntry
from semc_core.types import Crop

Row = dict[str, Any]

_Real = Annotated[float, held_as(int | float)]
"""A number stays as it is written, whole or not: the log's hashes depend on it."""

_Flag = Annotated[int, within(0, 1)]
_Number = Annotated[int, within(-(2**63), 2**63 - 1)]
"""What SQLite takes for a whole number."""


@configured(STRICT)
class SessionRow(TypedDict):
    """The one row on the session itself."""

    id: Annotated[int, within(1, 1)]
    note: str
    source_notice: str
    complete: _Flag


@configured(STRICT)
class PlaneRow(TypedDict):
    """A plane; see `PlaneEntry`."""

    plane_id: _Number
    plane: str
    found_as: str | None
    confidence: _Real
    frame_index: _Number
    time_s: _Real
    start_s: _Real
    end_s: _Real
    final: _Flag
    by_hand: _Flag
    rejected: _Flag
    reason: str
    chosen_by: str
    png: str | None
    png_sha256: str | None
    clip: str | None
    clip_sha256: str | None
    note: str
    width: _Number
    height: _Number
    crop_left: _Number
    crop_top: _Number
    crop_width: _Number
    crop_height: _Number


@configured(STRICT)
class RegionRow(TypedDict):
    """A stretch of time; see `RegionEntry`."""

    region_id: _Number
    start_s: _Real
    end_s: _Real
    label: str
    note: str


@configured(STRICT)
class ItemRow(TypedDict):
    """A word on a protocol's item; see `ItemEntry`. `item` is "protocol/item", of fetus B it ends in "/B"."""

    item: str
    protocol_id: str
    item_id: str
    status: str
    reason: str


@configured(STRICT)
class ExportRow(TypedDict):
    """An export; see `ExportEntry`. `detail` is JSON."""

    export_id: _Number
    time_utc: str
    kind: str
    name: str
    sha256: str
    detail: str


DETAIL: Final = Document(PlainObject, config=STRICT)
"""What an export's row says under `detail`."""

_Size = Annotated[int, within(1, 65_535)]
_Pixel = Annotated[_Real, within(-1, 65_536)]
_Points = list[tuple[_Pixel, _Pixel]]
POINTS: Final[Document[Any]] = Document(_Points, config=STRICT)
"""What a measurement's row says under `points`."""


@configured(STRICT)
class MeasurementRow(TypedDict):
    """A measurement; see `MeasurementEntry`. `points` is JSON."""

    measurement_id: _Number
    kind: Annotated[str, one_of(*KINDS)]
    points: str
    structure: Annotated[str, one_of("", *STRUCTURES)]
    frame_index: _Number
    time_s: _Real
    plane_id: _Number | None
    width: _Size
    height: _Size
    mm_x: _Real | None
    mm_y: _Real | None
    scale: Annotated[str, one_of(*SCALES)]
    made_by: Annotated[str, one_of(*MAKERS)]
    error: _Real | None


@configured(STRICT)
class ScaleRow(TypedDict):
    """Millimetres by hand; see `ScaleEntry`. `points` is JSON."""

    size: str
    mm_x: _Real
    mm_y: _Real
    frame_index: _Number
    points: str
    length_mm: _Real


@configured(STRICT)
class AgeRow(TypedDict):
    """The one row on the age of a pregnancy; see `GestationalAge`."""

    id: Annotated[int, within(1, 1)]
    days: Annotated[int, within(LEAST_DAYS, MOST_DAYS)]
    origin: Annotated[str, one_of(*ORIGINS)]


_SQL: Final = {int: "INTEGER", float: "REAL", str: "TEXT"}


@dataclass(frozen=True)
class Table:
    """A table of the state: the column that identifies a row, and what a row holds."""

    key: str
    row: type

    @cached_property
    def columns(self) -> dict[str, str]:
        """All columns with their SQL types."""
        hints = get_type_hints(self.row).items()
        return {
            name: _SQL[next(one for one in get_args(hint) or (hint,) if one is not NoneType)]
            for name, hint in hints
        }

    @cached_property
    def document(self) -> Document[Row]:
        """What holds a row that is stored against what it must be."""
        return Document(self.row)


TABLES: Final = {
    "session": Table("id", SessionRow),
    "planes": Table("plane_id", PlaneRow),
    "regions": Table("region_id", RegionRow),
    "items": Table("item", ItemRow),
    "exports": Table("export_id", ExportRow),
    "measurements": Table("measurement_id", MeasurementRow),
    "scales": Table("size", ScaleRow),
    "ages": Table("id", AgeRow),
    "turns": Table("turn_id", TurnRow),
    "fetuses": Table("plane_id", FetusRow),
}


class Edit(TypedDict):
    """One change of a row, plain JSON; see above."""

    table: str
    id: int | str
    before: Row | None
    after: Row | None


def _edit_kind(name: str, table: Table) -> Any:
    """An edit of one table. Its rows may be there in part, but what is there must be right."""
    fields = get_type_hints(table.row, include_extras=True)
    part: Any = TypedDict(f"Some{table.row.__name__}", fields, total=False)  # type: ignore[misc]
    sides = {"before": part | None, "after": part | None}
    return TypedDict(  # type: ignore[operator]
        f"{table.row.__name__}Edit", {"table": Literal[name], "id": fields[table.key], **sides}
    )


_CheckedEdit = Annotated[
    Edit, by_tag("table", lambda: {name: _edit_kind(name, TABLES[name]) for name in TABLES})
]


_FILE: Final = r"(set-aside/|clips/)?[0-9A-Za-z_-][0-9A-Za-z_.-]*"


@configured(OPEN)
class Payload(TypedDict, total=False):
    """What an entry of the log says. There is more, which depends on its kind.

    Attributes:
        text: What a person did, in words.
        edits: What changes in the state.
        hashes: SHA-256 of files that were written beside pictures and clips, by name.
    """

    text: str
    edits: list[_CheckedEdit]
    hashes: dict[Annotated[str, matching(_FILE)], Annotated[str, matching("[0-9a-f]{64}")]]


PAYLOAD: Final = Document(Payload)

_PLANE_FLAGS: Final = ("final", "by_hand", "rejected")


class State:
    """The rows of every table, which are replaced and never changed. Not for several threads at once."""

    def __init__(self, reveal: Callable[[str], str] = str) -> None:
        """No rows. `reveal` says what was hidden in a row's text."""
        self.rows: dict[str, dict[int | str, Row]] = {name: {} for name in TABLES}
        self.reveal = reveal
        self._planes: dict[int | str, tuple[Row, PlaneEntry]] = {}

    def planes(self) -> list[PlaneEntry]:
        """The planes in order of time. Of a row that was not replaced it is the same object again."""
        made, self._planes = self._planes, {}
        fetuses = fetuses_of(self.rows["turns"], self.rows["fetuses"])
        for number, row in self.rows["planes"].items():
            known, fetus = made.get(number), fetuses.of_plane(row["plane_id"], row["time_s"])
            if known is None or known[0] is not row or known[1].fetus != fetus:
                known = (row, _plane_entry(row, self.reveal, fetus))
            self._planes[number] = known
        entries = [entry for _added, entry in self._planes.values()]
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
                    _(
                        "This session names a file that is none of its own, so it is not opened: "
                        "it was changed."
                    )
                )


def _plane_entry(row: Row, reveal: Callable[[str], str], fetus: str) -> PlaneEntry:
    values = {name: value for name, value in row.items() if not name.startswith("crop_")}
    for name in _PLANE_FLAGS:
        values[name] = bool(values[name])
    values["note"], values["reason"] = reveal(row["note"]), reveal(row["reason"])
    crop = Crop(row["crop_left"], row["crop_top"], row["crop_width"], row["crop_height"])
    return PlaneEntry(**values, crop=crop, fetus=fetus)


def points_text(points: Sequence[tuple[float, float]]) -> str:
    """Points as a row keeps them."""
    return json.dumps([list(point) for point in points], separators=(",", ":"))
