"""What the export dialog says and remembers, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.export.presenter import (
    LEAST_MASK_PX,
    Material,
    complete,
    contents,
    free_name,
    mask_at,
    name_problem,
    plane_row,
    planes_problem,
)
from app.widgets.placed import Placed
from semc_core.export.masks import Device
from semc_core.export.options import ExportOptions, Patient
from semc_core.protocols.protocol import Protocol
from semc_core.session.records import PlaneEntry, RegionEntry
from semc_core.types import Crop


def plane(number: int, name: str, clip: str | None = None, note: str = "") -> PlaneEntry:
    return PlaneEntry(
        plane_id=number, plane=name, found_as=name, confidence=0.9, frame_index=8, time_s=0.4, start_s=0.0,
        end_s=1.0, final=True, by_hand=False, rejected=False, reason="", chosen_by="model", png="a.png",
        png_sha256="", clip=clip, note=note, width=64, height=48, crop=Crop(0, 0, 64, 48),
    )  # fmt: skip


def material(*planes: PlaneEntry, rejected: int = 0, loop: bool = True, note: str = "") -> Material:
    regions = (RegionEntry(1, 0.0, 1.0, "shadow", ""),)
    return Material(Path("s"), planes, rejected, regions, note, loop, Device("video", 64, 48), ())


def test_what_is_in_the_export_is_said_line_by_line() -> None:
    there = material(
        plane(1, "FHP1", "clips/a.mkv"), plane(2, "LLP", note="a name"), rejected=1, note="words"
    )
    assert contents(there, ExportOptions()) == (
        "2 planes (1 rejected left out): FHP1, LLP",
        "2 clips, 1 cut from the loop",
        "2 notes left out: free text may name somebody",
        "1 marked stretch",
    )
    assert "2 notes written" in contents(there, ExportOptions(notes=True))
    assert "2 notes written" in contents(there, ExportOptions(deidentify=False))


def test_without_a_loop_or_planes_it_says_what_is_missing() -> None:
    gone = material(plane(1, "FHP1"), loop=False)
    assert "No clips: the loop is not there" in contents(gone, ExportOptions())
    (empty,) = contents(material(), ExportOptions())
    assert "no planes" in empty


def test_a_patient_and_masks_belong_to_one_kind_of_export_each() -> None:
    patient, masks = Patient(name="Doe^Jane"), (Crop(1, 1, 9, 9),)
    hidden = complete(ExportOptions(dicom=True), masks, patient, None)
    assert (hidden.masks, hidden.patient, hidden.dicom) == (masks, None, True)
    named = complete(ExportOptions(deidentify=False), masks, patient, None)
    assert (named.masks, named.patient) == ((), patient)
    assert complete(ExportOptions(deidentify=False), (), Patient(), None).patient is None


def test_a_checklist_is_in_the_report_if_both_are_wanted() -> None:
    protocol = Protocol("liver", "Liver", ())
    for report, checklist in ((True, True), (True, False), (False, True)):
        told = complete(ExportOptions(report=report, checklist=checklist), (), Patient(), protocol)
        assert told.followed == (protocol if report and checklist else None)


def test_names_are_free_and_tell_nothing(tmp_path: Path) -> None:
    assert free_name(tmp_path, True) == "export-001"
    (tmp_path / "export-001.zip").touch()
    assert free_name(tmp_path, True) == "export-002"
    assert free_name(tmp_path, False) == "identified-001"
    liver = replace(material(), protocol=Protocol("liver", "Liver", ()), day="2026-11-21")
    assert free_name(tmp_path, True, liver) == "export-liver-001"
    assert free_name(tmp_path, False, liver) == "identified-2026-11-21-liver-001"
    assert free_name(tmp_path, False, replace(liver, day="", protocol=None)) == "identified-001"
    assert name_problem("export-001") == ""
    assert all(name_problem(name) for name in ("", " ", "../up", "a\\b", "con:", ".hidden", "x" * 200))


def test_masks_are_drawn_and_found_again() -> None:
    placed = Placed(0.0, 0.0, 1.0, 100, 100)
    drawn = placed.region((30.2, 40.0), (10.4, 20.0), LEAST_MASK_PX)
    assert drawn == Crop(10, 20, 20, 20)
    assert placed.region((30, 40), (31, 80), LEAST_MASK_PX) is None
    assert mask_at((drawn, Crop(15, 25, 4, 4)), 16, 26) == 1
    assert mask_at((drawn,), 5, 5) is None


def test_only_what_is_ticked_is_counted() -> None:
    there = material(plane(1, "FHP1", "clips/a.mkv"), plane(2, "LLP", note="a name"), plane(3, "LLP"))
    (planes, clips, _marked) = contents(there, ExportOptions(planes=(1,)))
    assert (planes, clips) == ("1 of 3 planes", "1 clip")
    lines = contents(replace(there, rejected=2), ExportOptions(planes=()))
    assert lines == ("0 of 3 planes (2 rejected left out)", "1 marked stretch")
    assert planes_problem(None) == planes_problem((1,)) == ""
    assert "press All" in planes_problem(())


def test_a_line_of_the_list_says_which_plane_it_is() -> None:
    assert plane_row(replace(plane(1, "FHP1"), time_s=67.25)) == "FHP1, 1:07.3"
    assert plane_row(replace(plane(1, "FHP1"), fetus="B")) == "FHP1, 0:00.4, fetus B"
