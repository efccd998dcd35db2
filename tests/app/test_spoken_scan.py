"""What a scan, its checklist and its measurements say in another language, and what stays English."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from app.checklist.presenter import REASONS, checklist_view, status_word, word_on
from app.formatting import Tone
from app.live.presenter import DELAY, readout, status_items, with_card, with_delay
from app.measuring.presenter import figures, measure_row, proposal_text, scale_text, tool_hint
from semc_core.errors import UsageError
from semc_core.labels import LIVER_CLASSES, full_name
from semc_core.measure.calibration import FROM_REGION, Calibration, over_line
from semc_core.measure.calipers import values
from semc_core.measure.dating import dated
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.gestation import GestationalAge
from semc_core.measure.head import CUT_OFF
from semc_core.measure.shapes import points_of
from semc_core.picture import Picture
from semc_core.pipeline.state import Phase, PipelineState, Spread, Statistics
from semc_core.protocols.checklist import Evidence, Status, checklist
from semc_core.protocols.protocol import Protocol, ProtocolItem
from semc_core.session.records import BY_HAND, NO_SCALE, SCALES, ItemEntry, MeasurementEntry
from semc_core.types import CaptureInfo, Crop, FramePacket, FrameResult, SourceInfo
from tests.languages import made_up
from tests.languages.made_up import speaking

PROTOCOL = Protocol(
    "own", "Own", (ProtocolItem("a", "Plane A", ("A", "AA")), ProtocolItem("b", "Plane B", ("B",)))
)


@pytest.fixture
def shouted() -> Iterator[None]:
    """Texts are in capital letters, and numbers have a comma."""
    with speaking(made_up.shouted):
        yield


def _result(label: str) -> FrameResult:
    smoothed = np.full(len(LIVER_CLASSES), 0.1, np.float32)
    packet = FramePacket("test", 0, 0.0, 100.0, Picture(np.zeros((4, 4), np.uint8)))
    return FrameResult(packet, None, smoothed, label, 0.9, Crop(0, 0, 4, 4), "live", 100.0)


def _head(scale: str = BY_HAND, mm: float | None = 0.5) -> MeasurementEntry:
    points = points_of(Ellipse(200.0, 200.0, 110.0, 90.0, 0.0))
    return MeasurementEntry(
        1, "ellipse", points, "head", 3, 0.1, None, 400, 400, mm, mm, scale, "person", 0.1
    )


@pytest.mark.usefixtures("shouted")
def test_a_readout_is_translated_but_for_the_planes_code() -> None:
    running = PipelineState(Phase.RUNNING)
    said = readout(running, _result("LPV-S"), 2.1, classes=LIVER_CLASSES)
    assert (said.title, said.detail) == ("LPV-S", "LEFT PORTAL VEIN, SAGITTAL")
    assert said.age.endswith(" AGO")
    assert readout(running, _result("LPV-S"), 0.0, classes=LIVER_CLASSES, held=True).age == "HELD"
    said = readout(running, _result("NSP"), 0.0, classes=LIVER_CLASSES)
    assert said.title == "NO PLANE"
    assert said.detail == "CLOSEST: FIRST PORTA HEPATIS"
    silent = readout(running, _result("NSP"), 0.0, silent_s=5.0, silent_known=True)
    assert (silent.title, silent.tone) == ("NO PICTURE", Tone.WARNING)
    assert silent.detail.startswith("NO NEW FRAME FOR 5")
    assert silent.detail.endswith("; THE SCAN GOES ON BY ITSELF.")


def test_names_of_planes_are_english_where_they_are_written() -> None:
    assert full_name("LPV-S") == "Left portal vein, sagittal"


@pytest.mark.usefixtures("shouted")
def test_the_status_line_finds_its_numbers_in_any_language() -> None:
    items = status_items(Statistics(capture_rate=29.97), Spread(40, 60, 70), 0.0)
    assert items[0].value == "30,0 fps"
    capture = CaptureInfo("a", "1920x1080@60,mjpg", 4, 1920, 1080, 30.0)
    info = SourceInfo("a", "camera", 1920, 1080, 60.0, None, live=True, capture=capture)
    (source,) = (each for each in with_card(items, info) if each.name == "SOURCE")
    assert source.value == "1920x1080@30 OF 1920x1080@60"
    (delay,) = (each for each in with_delay(items, info, None) if each.name == DELAY.upper())
    assert delay.about == "THE DELAY IS FROM ARRIVAL IN THE PROGRAM TO THE PAINTED OVERLAY."


@pytest.mark.usefixtures("shouted")
def test_the_checklist_is_translated_and_what_it_keeps_is_not() -> None:
    weak = (Evidence(1, "AA", 0.62, 7.3, saved=True, named=False, by_hand=True),)
    words = (ItemEntry("own", "b", "not possible", REASONS[0]),)
    view = checklist_view(checklist(PROTOCOL, weak, words, None, 0.8), None, 0.8)
    assert view.summary == "50% COMPLETE: 0 OF 2 FOUND, 1 NOT POSSIBLE, 1 WEAK."
    first, second = view.rows
    assert first.status_text == "WEAK 62%"
    assert first.tip.startswith("PLANE A: WEAK, AA 62% AT 0:07.3. CAPTURED BY HAND; THE MODEL SHOULD BE 80% ")
    assert second.tip == "PLANE B: NOT POSSIBLE. GAS."
    assert [status_word(each) for each in Status] == [str(each).upper() for each in Status]
    assert word_on(PROTOCOL, "b", REASONS[0]).reason == "Gas"
    missing = checklist_view(checklist(PROTOCOL, (), (), None, 0.8), None, 0.8).rows[0]
    assert missing.tip == "PLANE A: MISSING (A OR AA)."


@pytest.mark.usefixtures("shouted")
def test_a_measurement_is_translated_in_the_list_alone() -> None:
    age = GestationalAge(143, "due date")
    row = measure_row(_head(), chosen=False, age=age)
    assert row.title == "HEAD"
    assert row.tip.splitlines()[0] == "DRAWN BY A PERSON. MILLIMETRES: BY HAND."
    assert row.lines[0][1].count(",") == 1, "a decimal comma"
    said = [line for line in row.tip.splitlines() if line.startswith("CENTILE OF HC")]
    assert len(said) == 1
    assert said[0].endswith(", BY INTERGROWTH-21st (Papageorghiou et al. 2014), AT 20+3 BY DUE DATE.")
    assert any(line.endswith(", BY Hadlock et al. 1984, BY HC.") for line in row.tip.splitlines())
    kept = dated(values("ellipse", _head().points, _head().calibration, "head"), age)
    assert [one.name for one in kept] == [
        "Age by HC", "Centile of HC", "Centile of OFD", "Centile of BPD",
    ]  # fmt: skip
    assert all(one.source.endswith(("by HC", "at 20+3 by due date")) for one in kept)
    assert measure_row(_head("", None), chosen=False).tip == "DRAWN BY A PERSON. NO SCALE IS KNOWN."


@pytest.mark.usefixtures("shouted")
def test_where_millimetres_come_from_is_translated() -> None:
    told = Calibration(0.12345, 0.12345, FROM_REGION)
    assert scale_text(told, None, "") == ("0,1235 MM PER PIXEL, FROM THE DICOM HEADER'S ULTRASOUND REGION.")
    assert tool_hint("scale", 0, 0.12).endswith(
        "OR PRESS ENTER TO TAKE 0,12 MM PER PIXEL, AS SET LAST FOR THIS SOURCE.  ESC: LEAVE"
    )
    assert proposal_text(found=False, why=CUT_OFF) == CUT_OFF.upper()
    with pytest.raises(UsageError, match=r"^THE LINE OVER THE KNOWN LENGTH HAS NO LENGTH"):
        over_line((1.0, 1.0), (1.0, 1.0), 50.0)


def test_figures_that_count() -> None:
    assert [figures(each, 4) for each in (0.12345, 0.1, 3.0, 1e6)] == ["0.1235", "0.1", "3", "1e+06"]


def test_origin_of_a_scale_that_is_kept_is_known_to_the_list() -> None:
    for scale in SCALES:
        mm = None if scale == NO_SCALE else 0.5
        said = measure_row(_head(scale, mm), chosen=False).tip.splitlines()[0]
        assert said.endswith(f"Millimetres: {scale}." if scale else "No scale is known.")
