"""The checklist of a scan that goes on with the examination of the scan before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from app.checklist.contents import ScanChecklist, _fetus_of
from app.checklist.protocol_choice import ProtocolChoice
from semc_core.pipeline.live import LivePipeline
from semc_core.protocols.protocol import Protocol, ProtocolItem
from semc_core.session.correcting.changes import SetItem
from semc_core.session.fetuses import ONE, Fetuses
from semc_core.session.records import ItemEntry
from semc_core.session.session import Session
from semc_core.types import SavedPlane
from tests.app.main_thread import PostedWork

LIST = Protocol("own", "Own", (ProtocolItem("a", "First", ("FHP1",)), ProtocolItem("b", "Second", ("FHP2",))))
GAS = ItemEntry("own", "b", "not possible", "Gas")


class Choice:
    """The protocols there are: one."""

    choice = "own"

    def follow(self, _choice: str, _planes: object) -> Protocol:
        return LIST


@dataclass
class Kept:
    """A session as far as a checklist asks it."""

    words: list[ItemEntry] = field(default_factory=list)
    changes: list[SetItem] = field(default_factory=list)

    def items(self) -> tuple[ItemEntry, ...]:
        return tuple(self.words)

    def fetuses(self) -> Fetuses:
        return ONE

    def apply(self, change: SetItem) -> None:
        self.changes.append(change)


@dataclass
class Scan:
    """A scan as far as a checklist asks it."""

    session: Kept
    spec: Any = None


def begin(shown: ScanChecklist, *words: ItemEntry) -> Kept:
    kept = Kept(list(words))
    shown.begin(cast(LivePipeline[Session], Scan(kept)), "own")
    return kept


def words_of(shown: ScanChecklist) -> dict[str, str]:
    view = shown.view((), None)
    assert view is not None
    return {row.item_id: row.status for row in view.rows}


@pytest.fixture
def shown() -> ScanChecklist:
    return ScanChecklist(cast(ProtocolChoice, Choice()), PostedWork().post, lambda sentence: None)


def test_what_was_said_holds_in_the_next_scan_only_where_that_goes_on(shown: ScanChecklist) -> None:
    begin(shown, GAS)
    assert words_of(shown)["b"] == "not possible"
    begin(shown)
    assert words_of(shown)["b"] == "missing"
    shown.go_on(True, {})
    assert words_of(shown)["b"] == "not possible"
    begin(shown)
    shown.go_on(True, {})
    assert words_of(shown)["b"] == "not possible", "of the first of three scans, too"
    shown.go_on(False, {})
    assert words_of(shown)["b"] == "missing"
    shown.close()


def test_it_is_taken_back_in_this_scan_and_the_one_before_is_not_changed(shown: ScanChecklist) -> None:
    before = begin(shown, GAS)
    now = begin(shown)
    shown.go_on(True, {})
    shown.say("b", None)
    assert words_of(shown)["b"] == "missing"
    shown.close()
    assert (before.changes, now.changes) == ([], []), "there is nothing to take back in this session"


def test_what_is_said_in_this_scan_goes_before(shown: ScanChecklist) -> None:
    begin(shown, GAS)
    now = begin(shown, replace(GAS, reason="Patient declined"))
    shown.go_on(True, {})
    view = shown.view((), None)
    assert view is not None
    assert "Patient declined" in str(view.rows[1])
    shown.say("b", None)
    shown.close()
    assert [change.item_id for change in now.changes] == ["b"]


def test_a_plane_of_the_scan_before_is_of_the_first_fetus() -> None:
    plane = SavedPlane(
        -2, "FHP1", 0.9, 1, 50.0, 0.0, 1.0, True, False, Path("a.png"), np.zeros((6, 8), np.uint8)
    )
    twins = Fetuses(((20.0, "B"),))
    assert _fetus_of(plane, twins) == "A"
    assert _fetus_of(replace(plane, hold_id=1), twins) == "B"
    assert _fetus_of(plane, ONE) == ""
