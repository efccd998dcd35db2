"""How a session stands at one moment, read from the rows of its state."""

from __future__ import annotations

from dataclasses import dataclass

from semc_core.measure.gestation import GestationalAge
from semc_core.session.fetuses import Fetuses, fetuses_of
from semc_core.session.records import (
    ExportEntry,
    ItemEntry,
    MeasurementEntry,
    PlaneEntry,
    RegionEntry,
    ScaleEntry,
)
from semc_core.session.state import DETAIL, POINTS, Row, State


@dataclass(frozen=True, slots=True)
class View:
    """The state at one moment, for readers on any thread."""

    planes: tuple[PlaneEntry, ...]
    regions: tuple[RegionEntry, ...]
    items: tuple[ItemEntry, ...]
    exports: tuple[ExportEntry, ...]
    measurements: tuple[MeasurementEntry, ...]
    scales: tuple[ScaleEntry, ...]
    age: GestationalAge | None
    fetuses: Fetuses
    note: str
    source_notice: str
    complete: bool


def view_of(state: State) -> View:
    """A frozen picture of `state`: planes and regions in order of time.

    Raises:
        KeyError: There is no row on the session.
        DocumentFault: What an export's row says of it, or a measurement's of its points, is not JSON.
    """
    rows, reveal = state.rows, state.reveal
    session = rows["session"][1]
    regions = sorted(
        (
            RegionEntry(**{**row, "label": reveal(row["label"]), "note": reveal(row["note"])})
            for row in rows["regions"].values()
        ),
        key=lambda region: (region.start_s, region.region_id),
    )
    fetuses = fetuses_of(rows["turns"], rows["fetuses"])
    items = (
        ItemEntry(
            row["protocol_id"], row["item_id"], row["status"], reveal(row["reason"]), _fetus_of_item(row)
        )
        for _key, row in sorted(rows["items"].items(), key=lambda pair: str(pair[0]))
    )
    exports = (
        ExportEntry(**{**row, "name": reveal(row["name"]), "detail": DETAIL.parse(row["detail"])})
        for row in sorted(rows["exports"].values(), key=lambda row: row["export_id"])
    )
    measurements = (
        MeasurementEntry(**_with_points(row), fetus=fetuses.of_plane(row["plane_id"], row["time_s"]))
        for row in sorted(rows["measurements"].values(), key=lambda row: row["measurement_id"])
    )
    return View(
        planes=tuple(state.planes()),
        regions=tuple(regions),
        items=tuple(items),
        exports=tuple(exports),
        measurements=tuple(measurements),
        scales=tuple(ScaleEntry(**_with_points(row)) for row in rows["scales"].values()),
        fetuses=fetuses,
        age=next((GestationalAge(row["days"], row["origin"]) for row in rows["ages"].values()), None),
        note=reveal(session["note"]),
        source_notice=session["source_notice"],
        complete=bool(session["complete"]),
    )


def _with_points(row: Row) -> Row:
    return {**row, "points": tuple(POINTS.parse(row["points"]))}


def _fetus_of_item(row: Row) -> str:
    """The letter at the end of an item's key; "" where there is none."""
    return str(row["item"]).removeprefix(f"{row['protocol_id']}/{row['item_id']}").removeprefix("/")
