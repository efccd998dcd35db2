"""The options of an export: what is remembered of them, and what is chosen each time."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.export import options_page
from semc_core.cli.export import ExportChoices, _options
from semc_core.export.options import AT_FIRST, PARTS, ExportOptions, Patient
from semc_core.export.write import FORMATS
from semc_core.types import Crop


def test_options_are_remembered_but_never_what_may_name_a_patient() -> None:
    chosen = ExportOptions(
        packed=True, clips=False, dicom=True, jpeg=True, deidentify=False, notes=True,
        masks=(Crop(1, 1, 9, 9),), text="keep", dates="shifted", patient=Patient("Doe^Jane"),
    )  # fmt: skip
    text = chosen.to_settings()
    assert "Doe" not in text
    again = ExportOptions.from_settings(text)
    assert again == ExportOptions(packed=True, clips=False, dicom=True, jpeg=True)
    assert ExportOptions.from_settings(ExportOptions().to_settings()).dicom is False


def test_what_an_older_program_remembered_is_read_and_nonsense_is_as_at_first() -> None:
    assert ExportOptions.from_settings('{"packed": true}') == ExportOptions(packed=True, dicom=True)
    assert ExportOptions.from_settings('{"deidentify": false, "text": "keep"}') == AT_FIRST
    for text in ("", "not json", "[1]", '{"packed": 3}', '{"packed": null}', "[" * 100_000):
        assert ExportOptions.from_settings(text) == AT_FIRST


def test_a_zip_file_has_the_name_of_one(tmp_path: Path) -> None:
    for wanted, packed, name in (("a", False, "a"), ("a", True, "a.zip"), ("a.b", True, "a.b.zip"),
                                 ("a.ZIP", True, "a.ZIP"), ("a.zip", False, "a.zip")):  # fmt: skip
        assert ExportOptions(packed=packed).target(tmp_path / wanted) == tmp_path / name


def test_what_a_format_asks_for_is_a_part_and_every_part_is_written_by_something() -> None:
    asked = [part for part, _ in FORMATS if part is not None]
    # Clips are written with the pictures of their planes.
    assert sorted([*asked, "clips"]) == sorted(PARTS)
    assert set(PARTS) <= {each.name for each in fields(ExportOptions)}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_chosen_on_the_command_line_and_in_the_dialog(part: str) -> None:
    usual = PARTS[part]
    typed: dict[str, Any] = {f"no_{part}" if usual else part: True}
    assert (part in _options(ExportChoices()).parts) is usual
    assert (part in _options(ExportChoices(**typed)).parts) is not usual
    assert part in {name for name, _, _ in options_page._PARTS}


def test_every_box_of_the_dialog_is_an_option() -> None:
    boxes = {name for name, _, _ in (*options_page._PARTS, *options_page._DICOM)} - {options_page._SHIFT}
    assert boxes <= {each.name for each in fields(ExportOptions)}
