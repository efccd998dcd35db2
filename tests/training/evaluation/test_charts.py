"""Charts show the names of classes in any script."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from training.evaluation.report.charts import confusion_chart


@pytest.mark.parametrize("names", [("胎头", "腹部"), ("सिर", "पेट"), ("ศีรษะ", "ท้อง"), ("머리", "배")])
def test_names_that_the_charts_font_lacks_are_written_as_text(names: tuple[str, str]) -> None:
    result = SimpleNamespace(confusion=[[3, 1], [0, 2]], classes=names)
    drawn = confusion_chart(result).decode()  # type: ignore[arg-type]
    assert all(f">{name}</text>" in drawn for name in names)


@pytest.mark.parametrize("names", [("Leber", "Nieren-Längsschnitt"), ("печень", "κεφάλι")])
def test_names_that_it_has_are_outlines(names: tuple[str, str]) -> None:
    result = SimpleNamespace(confusion=[[3, 1], [0, 2]], classes=names)
    assert "<text" not in confusion_chart(result).decode()  # type: ignore[arg-type]
