"""Millimetres per pixel: only what somebody said, and nothing that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from semc_core.errors import SourceError, UsageError
from semc_core.measure.biometry import (
    abdominal_circumference,
    head_measures,
    head_measures_mm,
    with_interval,
)
from semc_core.measure.calibration import (
    FROM_REGION,
    FROM_SPACING,
    Calibration,
    CalibrationTable,
    at_place,
    check_picture,
    over_length,
    typed,
)
from semc_core.measure.dicom_scale import calibrations_of, from_header
from semc_core.measure.ellipse import Ellipse, circumference


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0", "above 0"),
        ("-0.1", "above 0"),
        ("nan", "not a number"),
        ("inf", "not a number"),
        ("1e400", "not a number"),
        ("a lot", "not a number"),
        ("", "not a number"),
        ("1e-9", "no scanner's"),
        ("40", "no scanner's"),
    ],
)
def test_what_cannot_be_a_scale_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        typed(text)
    assert str(refused.value).endswith(".")


def test_a_scale_holds_for_rows_and_columns() -> None:
    scale = typed("0.12")
    assert (scale.mm_x, scale.mm_y) == (0.12, 0.12)
    assert over_length(250, 30) == scale
    for pixels, mm in ((0.0, 10.0), (10.0, 0.0), (float("nan"), 1.0), (-5.0, 10.0)):
        with pytest.raises(UsageError):
            over_length(pixels, mm)


def test_a_picture_as_large_as_a_house_or_as_small_as_a_grain_is_refused() -> None:
    check_picture(typed("0.12"), 800, 540)
    for text in ("0.006", "2.9"):
        with pytest.raises(UsageError, match="mm large"):
            check_picture(typed(text), 800, 540)


def test_pixels_that_are_not_square_are_measured_as_they_are() -> None:
    round_head = Ellipse(100, 100, 50, 40, 0)
    stretched = round_head.moved(np.array([[2.0, 0, 0], [0, 1.0, 0]]))
    measures = head_measures_mm(stretched, Calibration(0.1, 0.2, "test"))
    assert measures.hc == pytest.approx(0.2 * round_head.circumference)
    assert [measures.ofd, measures.bpd] == pytest.approx([20.0, 16.0])


def test_measures_are_of_the_outer_outline() -> None:
    measures = head_measures(Ellipse(0, 0, 60, 45, 1.0))
    assert (measures.ofd, measures.bpd) == (120, 90)
    assert measures.hc == circumference(60, 45)
    assert abdominal_circumference(90, 120) == measures.hc
    interval = with_interval(200.0, 0.02)
    assert (interval.low, interval.high) == (196.0, 204.0)


def _region(left: int = 10, top: int = 20, right: int = 309, bottom: int = 219, **changed: object) -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType = 1, 1
    region.RegionLocationMinX0, region.RegionLocationMinY0 = left, top
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = right, bottom
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.05, 0.05
    for name, value in changed.items():
        setattr(region, name, value)
    return region


def _header(*regions: Dataset, **more: object) -> Dataset:
    header = Dataset()
    if regions:
        header.SequenceOfUltrasoundRegions = Sequence(regions)
    for name, value in more.items():
        setattr(header, name, value)
    return header


def test_a_region_in_centimetres_gives_millimetres_where_it_lies() -> None:
    (scale,) = from_header(_header(_region(PhysicalDeltaY=-0.04)), 320, 240)
    assert (scale.mm_x, scale.mm_y, scale.origin) == (0.5, 0.4, FROM_REGION)
    assert scale.holds_at(100, 100)
    assert not scale.holds_at(5, 100)


def test_of_two_regions_the_one_counts_in_which_the_head_lies() -> None:
    left = _region(0, 0, 159, 239)
    right = _region(160, 0, 319, 239, PhysicalDeltaX=0.03, PhysicalDeltaY=0.03)
    scales = from_header(_header(left, right), 320, 240)
    found = [at_place(scales, x, 100) for x in (50, 250, 400)]
    assert [None if each is None else each.mm_x for each in found] == [0.5, pytest.approx(0.3), None]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (_header(), "no scale"),
        (_header(_region(right=639)), "another size"),
        (_header(_region(), _region(right=639)), "another size"),
        (_header(_region(RegionDataType=2)), "no scale"),
        (_header(_region(PhysicalUnitsXDirection=4)), "no scale"),
        (_header(_region(PhysicalDeltaX=0.0)), "above 0"),
        (_header(_region(PhysicalDeltaX=float("nan"))), "not a number"),
        (_header(_region(PhysicalDeltaX=5.0, PhysicalDeltaY=5.0)), "no scanner's"),
        (_header(_region(), PixelAspectRatio=[1, 2]), "contradicts itself"),
        (_header(PixelSpacing=[0.5, 0.5], PixelAspectRatio=[2, 1]), "contradicts itself"),
    ],
    ids=[
        "nothing", "outside", "one outside", "Doppler", "seconds", "zero", "nan", "absurd", "aspect",
        "spacing against aspect",
    ],
)  # fmt: skip
@pytest.mark.requirement("V3")
def test_a_header_that_says_nothing_or_contradicts_itself_gives_no_millimetres(
    header: Dataset, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        from_header(header, 320, 240)


def test_pixel_spacing_counts_where_there_are_no_regions_rows_first() -> None:
    (scale,) = from_header(_header(PixelSpacing=[0.4, 0.5], PixelAspectRatio=[4, 5]), 320, 240)
    assert (scale.mm_x, scale.mm_y, scale.origin) == (0.5, 0.4, FROM_SPACING)


def test_the_header_of_a_real_loop_that_is_for_a_larger_picture_is_not_believed() -> None:
    path = Path(str(pydicom.examples.get_path("ybr_color")))
    with pytest.raises(UsageError, match="another size"):
        calibrations_of(path)


def test_a_file_that_is_no_dicom_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "note.dcm").write_text("hello", encoding="utf-8")
    with pytest.raises(SourceError, match="no header"):
        calibrations_of(tmp_path / "note.dcm")


def _table(folder: Path, text: str) -> Path:
    path = folder / "scales.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_knows_pictures_by_path_by_the_end_of_it_and_by_name(tmp_path: Path) -> None:
    table = CalibrationTable(
        _table(tmp_path, "\ufeffmm_per_pixel,file,more\n0.1,a.png,x\n0.2,left/b.png,x\n0.3,right/b.png,x\n")
    )
    found = [table.of(Path(name)) for name in ("a.png", "/far/away/a.png", "x/left/b.png", "x/right/b.png")]
    assert [each.mm_x for each in found if each is not None] == [0.1, 0.1, 0.2, 0.3]
    assert table.of(Path("b.png")) is None


@pytest.mark.parametrize("value", ["0", "-1", "nan", "", "wide"])
def test_a_bad_number_in_a_table_is_refused_for_its_picture_only(tmp_path: Path, value: str) -> None:
    table = CalibrationTable(_table(tmp_path, f"file,mm_per_pixel\na.png,0.1\nb.png,{value}\n"))
    assert table.of(Path("a.png")) == typed("0.1")
    with pytest.raises(UsageError):
        table.of(Path("b.png"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,scale\na.png,0.1\n", "columns file and mm_per_pixel"),
        ("", "columns file and mm_per_pixel"),
        ("file,mm_per_pixel\na.png,0.1\na.png,0.2\n", "two different scales"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        CalibrationTable(_table(tmp_path, text))


def test_a_table_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        CalibrationTable(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        CalibrationTable(tmp_path / "picture.csv")
