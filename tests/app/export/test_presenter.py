"""What the export dialog says and remembers, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.export.presenter import (
    LEAST_MASK_PX,
    ExportChoices,
    Material,
    choices_from,
    contents,
    free_name,
    mask_at,
    name_problem,
    options_of,
    target_of,
)
from app.widgets.image_view import Placed
from semc_core.export.masks import Device
from semc_core.export.options import Patient
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
    assert contents(there, ExportChoices()) == (
        "2 planes (1 rejected left out): FHP1, LLP",
        "2 clips, 1 cut from the loop",
        "2 notes left out: free text may name somebody",
        "1 marked stretch",
    )
    assert "2 notes written" in contents(there, ExportChoices(notes=True))
    assert "2 notes written" in contents(there, ExportChoices(deidentify=False))


def test_without_a_loop_or_planes_it_says_what_is_missing() -> None:
    gone = material(plane(1, "FHP1"), loop=False)
    assert "No clips: the loop is not there" in contents(gone, ExportChoices())
    (empty,) = contents(material(), ExportChoices())
    assert "no planes" in empty


def test_choices_are_remembered_but_never_that_a_patient_was_named() -> None:
    chosen = ExportChoices(packed=True, clips=False, deidentify=False, notes=True)
    again = choices_from(chosen.to_text())
    assert again == ExportChoices(packed=True, clips=False)
    assert choices_from('{"packed": true}') == ExportChoices(packed=True), "of an older program"
    assert choices_from("not json") == choices_from("[1]") == choices_from('{"packed": 3}') == ExportChoices()


def test_a_patient_and_masks_belong_to_one_kind_of_export_each() -> None:
    patient, masks = Patient(name="Doe^Jane"), (Crop(1, 1, 9, 9),)
    hidden = options_of(ExportChoices(), masks, patient, None)
    assert (hidden.masks, hidden.patient, hidden.dicom) == (masks, None, True)
    named = options_of(ExportChoices(deidentify=False), masks, patient, None)
    assert (named.masks, named.patient) == ((), patient)
    assert options_of(ExportChoices(deidentify=False), (), Patient(), None).patient is None


def test_dates_are_shifted_and_pixels_compressed_in_dicom_objects_only() -> None:
    chosen = ExportChoices(jpeg=True, shift_dates=True)
    told = options_of(chosen, (), Patient(), None)
    assert (told.jpeg, told.dates) == (True, "shifted")
    without = options_of(replace(chosen, dicom=False), (), Patient(), None)
    assert (without.jpeg, without.dates) == (False, "removed")
    named = options_of(replace(chosen, deidentify=False), (), Patient(), None)
    assert (named.jpeg, named.dates) == (True, "removed")
    assert choices_from(chosen.to_text()) == ExportChoices(jpeg=True), "dates are chosen each time"


def test_names_are_free_and_tell_nothing(tmp_path: Path) -> None:
    assert free_name(tmp_path, True) == "export-001"
    (tmp_path / "export-001.zip").touch()
    assert free_name(tmp_path, True) == "export-002"
    assert free_name(tmp_path, False) == "identified-001"
    assert target_of(tmp_path, "a", True) == tmp_path / "a.zip"
    assert target_of(tmp_path, "a.zip", True) == tmp_path / "a.zip"
    assert name_problem("export-001") == ""
    assert all(name_problem(name) for name in ("", " ", "../up", "a\\b", "con:", ".hidden", "x" * 200))


def test_masks_are_drawn_and_found_again() -> None:
    placed = Placed(0.0, 0.0, 1.0, 100, 100)
    drawn = placed.region((30.2, 40.0), (10.4, 20.0), LEAST_MASK_PX)
    assert drawn == Crop(10, 20, 20, 20)
    assert placed.region((30, 40), (31, 80), LEAST_MASK_PX) is None
    assert mask_at((drawn, Crop(15, 25, 4, 4)), 16, 26) == 1
    assert mask_at((drawn,), 5, 5) is None
