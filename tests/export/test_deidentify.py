"""What the writers of an export are given: pixels that are blanked, and no name, path or word of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import ExportError
from semc_core.export.collect import AFTER_S, BEFORE_S, CollectedScan, collect
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.deidentify import NO_FRAME, NO_REGION, deidentify
from semc_core.export.found_text import FoundText
from semc_core.export.masks import MaskBook, device_of
from semc_core.export.ocr import TextFinder, TextFound, TextReadings, not_looked
from semc_core.export.options import ExportOptions, Patient
from semc_core.export.text_search import TextSearch
from semc_core.export.watch import Watch
from semc_core.protocols.loader import load_protocols
from semc_core.session.correcting.changes import MarkRegion, SetItem, SetNote
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.export.dicom.examples import UIDS
from tests.export.scans import CROP, HEIGHT, WIDTH, frame, video_session

MASK, DEVICE_MASK = Crop(100, 60, 30, 20), Crop(70, 150, 20, 20)
TYPED = ("was cold", "gas that Mrs Doe had", "she moved", "the ward's second")
WORD = Crop(150, 100, 40, 12)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A scan in whose file name, notes, reasons and marks somebody is named."""
    with video_session(tmp_path / "Zxqvok 471147", name="Zxqvok.mkv") as made:
        made.apply(SetNote(1, f"Zxqvok {TYPED[0]}"))
        made.apply(SetItem("lp2025-liver", "right-lobe", "not possible", TYPED[1]))
        made.apply(MarkRegion(0.1, 0.3, "Zxqvok", TYPED[2]))
        made.apply(MarkRegion(0.4, 0.5, "LLP", ""))
        made.apply(SetNote(None, TYPED[3]))
        yield made


@contextmanager
def steps(
    session: Session, options: ExportOptions, data: Path, finder: TextFinder | None = None
) -> Iterator[tuple[CollectedScan, DeidentifiedScan]]:
    """The first two steps of an export; their pictures can be read inside."""
    search = TextSearch(finder, TextReadings(), Watch())
    with collect(session, options, data) as collected:
        yield collected, deidentify(collected, options, UIDS, search, Watch())


def texts(value: Any) -> Iterator[str]:
    """All texts in frozen data, however deep; fails on anything else in which one could be."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from texts(getattr(value, each.name))
    elif isinstance(value, tuple | dict):
        for each in value if isinstance(value, tuple) else (*value, *value.values()):
            yield from texts(each)
    elif value is UIDS or value is None or isinstance(value, bool | int | float | np.ndarray):
        return
    elif isinstance(value, Callable):  # type: ignore[arg-type]
        return  # gives pixels
    else:
        yield str(value)


def options_of(**given: Any) -> ExportOptions:
    return ExportOptions(protocol=load_protocols(Path("nowhere")).named("lp2025-liver"), **given)


@pytest.mark.requirement("H1")
def test_no_name_path_date_or_word_of_a_person_is_in_what_writers_are_given(
    session: Session, tmp_path: Path
) -> None:
    options = options_of(dicom=True, patient=Patient("Zxqvok^Wjkqa", "471147"))
    with steps(session, options, tmp_path) as (collected, scan):
        before, after = "\n".join(texts(collected)), "\n".join(texts(scan))
        day = collected.began
    for word in ("Zxqvok", "471147", *TYPED, str(tmp_path), "FHP1_f000008.png", f"{day:%Y-%m-%d}"):
        assert word in before, "nothing was planted"
        assert word not in after
    assert f"{day:%Y%m%d}" not in after
    assert scan.source.startswith("ANON-")
    assert [(each.label, each.note) for each in scan.regions] == [("", ""), ("LLP", "")]
    assert scan.checklist is not None
    assert "not possible" in {row.status for row in scan.checklist.rows}


@pytest.mark.parametrize("options", [options_of(notes=True), options_of(deidentify=False)])
def test_words_of_a_person_are_given_where_they_are_wanted(
    session: Session, tmp_path: Path, options: ExportOptions
) -> None:
    with steps(session, options, tmp_path) as (_, scan):
        given = "\n".join(texts(scan))
    assert not [word for word in TYPED if word not in given]
    assert (scan.source == "Zxqvok.mkv") == (not options.deidentify)
    assert str(tmp_path) not in given


def test_all_pixels_that_writers_are_given_are_blanked(session: Session, tmp_path: Path) -> None:
    MaskBook(tmp_path).remember(device_of(session.source), [DEVICE_MASK])
    with steps(session, ExportOptions(masks=(MASK,)), tmp_path) as (_, scan):
        for plane in scan.planes:
            np.testing.assert_array_equal(plane.pixels(), kept(plane.entry.frame_index))
            assert plane.clip is not None
            frames = list(plane.clip.frames())
            assert frames[0].pixels.shape == (plane.clip.height, plane.clip.width)
            for each in frames:
                np.testing.assert_array_equal(each.pixels, kept(each.index))
    assert [len(scan.planes), scan.masks] == [2, 2]


def test_whole_pictures_are_given_only_where_identity_is_kept(session: Session, tmp_path: Path) -> None:
    MaskBook(tmp_path).remember(device_of(session.source), [DEVICE_MASK])
    with steps(session, ExportOptions(deidentify=False), tmp_path) as (_, scan):
        np.testing.assert_array_equal(scan.planes[0].pixels(), frame(8))
        assert scan.planes[0].clip is not None
        for each in scan.planes[0].clip.frames():
            np.testing.assert_array_equal(each.pixels, frame(each.index))


class OneWord:
    """Sees a word wherever something is to be seen in its box."""

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        return (FoundText(WORD, "JANE"),) if WORD.cut(pixels).any() else ()

    glance = find


def test_text_is_masked_in_all_that_writers_are_given_and_nothing_is_given_before_the_user_chose(
    session: Session, tmp_path: Path
) -> None:
    told = r"These pictures hold text: [A-Z0-9-]+ at \d:\d\d\.\d"
    stop = ExportOptions(text="stop")
    with pytest.raises(TextFound, match=told), steps(session, stop, tmp_path, OneWord()):
        pass
    with steps(session, ExportOptions(text="mask"), tmp_path, OneWord()) as (_, scan):
        assert not scan.study.burned_in
        for plane in scan.planes:
            assert not WORD.cut(plane.pixels()).any()
            assert plane.clip is not None
            assert not any(WORD.cut(each.pixels).any() for each in plane.clip.frames())
    with steps(session, ExportOptions(text="keep"), tmp_path, OneWord()) as (_, scan):
        assert scan.study.burned_in
        assert WORD.cut(scan.planes[0].pixels()).any()
    with steps(session, ExportOptions(text="leave out"), tmp_path, OneWord()) as (_, scan):
        assert (scan.planes, scan.study.burned_in) == ((), False)


class InMany(OneWord):
    """Reads nothing, and keeps how many pictures it was shown."""

    def __init__(self) -> None:
        self.shown = 0

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        self.shown += 1
        return ()

    glance = find


def test_the_picture_of_a_plane_and_its_clip_are_both_read(session: Session, tmp_path: Path) -> None:
    alone, with_clip = InMany(), InMany()
    with steps(session, ExportOptions(clips=False), tmp_path, alone) as (_, scan):
        assert alone.shown == len(scan.planes)
    with steps(session, ExportOptions(), tmp_path, with_clip):
        assert with_clip.shown >= 2 * len(scan.planes)


@pytest.mark.parametrize(("why_no_loop", "told"), [("the file is gone", "the file is gone"), ("", NO_FRAME)])
def test_why_a_plane_has_no_clip_is_told(
    session: Session, tmp_path: Path, why_no_loop: str, told: str
) -> None:
    options = ExportOptions()
    with collect(session, options, tmp_path) as collected:
        without = tuple(replace(each, loop=None, why_no_loop=why_no_loop) for each in collected.planes)
        search = TextSearch(None, TextReadings(), Watch())
        scan = deidentify(replace(collected, planes=without), options, UIDS, search, Watch())
        assert [(each.clip, each.mp4) for each in scan.planes] == [(None, "")] * 2
        assert f"2 of 2 planes have no clip: {told}." in scan.notices
        with_loop = deidentify(collected, options, UIDS, search, Watch())
        assert not [each for each in with_loop.notices if "no clip" in each]


class Everywhere(OneWord):
    """Sees a word at another place each time."""

    def __init__(self) -> None:
        self.left = 60

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        self.left += 1
        return (FoundText(Crop(self.left, 60, 10, 10), "JANE"),)

    glance = find


def test_text_that_comes_back_under_every_mask_ends_the_export(session: Session, tmp_path: Path) -> None:
    with (
        pytest.raises(ExportError, match="could not be masked"),
        steps(session, ExportOptions(text="mask"), tmp_path, Everywhere()),
    ):
        pass


class OneAfterTheOther(OneWord):
    """Sees one of three words only when those before it are black."""

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        boxes = [Crop(left, 60, 20, 10) for left in (60, 90, 120)]
        return tuple(FoundText(box, "JANE") for box in boxes if box.cut(pixels).any())[:1]

    glance = find


def test_a_word_that_is_seen_only_when_two_others_are_masked_is_masked(
    session: Session, tmp_path: Path
) -> None:
    with steps(session, ExportOptions(text="mask", clips=False), tmp_path, OneAfterTheOther()) as (_, scan):
        for plane in scan.planes:
            assert not OneAfterTheOther().find(plane.pixels())


def test_a_clip_that_was_changed_after_it_was_looked_at_is_not_given(
    session: Session, tmp_path: Path
) -> None:
    (session.folder / "clips").mkdir()
    content = (tmp_path / "Zxqvok.mkv").read_bytes()
    (session.folder / "clips" / "001.mkv").write_bytes(content)
    session.set_clip(1, "clips/001.mkv")
    with steps(session, ExportOptions(), tmp_path) as (_, scan):
        clip = scan.planes[0].clip
        assert clip is not None
        assert len(list(clip.frames())) == 50
        (session.folder / "clips" / "001.mkv").write_bytes(content + b"x")
        with pytest.raises(ExportError, match="was changed since"):
            list(clip.frames())


def kept(index: int) -> NDArray[np.uint8]:
    """Frame `index` with nothing but the inside of the crop, without masks."""
    made = np.zeros((HEIGHT, WIDTH), np.uint8)
    CROP.cut(made)[:] = CROP.cut(frame(index))
    for mask in (MASK, DEVICE_MASK):
        mask.cut(made)[:] = 0
    return made


def test_the_data_for_writers_cannot_be_changed(session: Session, tmp_path: Path) -> None:
    with steps(session, ExportOptions(), tmp_path) as (_, scan):
        for value, name in ((scan, "note"), (scan.planes[0], "stem"), (scan.planes[0].clip, "width")):
            with pytest.raises(AttributeError):
                setattr(value, name, "other")
        assert not scan.planes[0].pixels().flags.writeable


def notices(
    session: Session, options: ExportOptions, data: Path, finder: TextFinder | None = None
) -> list[str]:
    with steps(session, options, data, finder) as (_, scan):
        return list(scan.notices)


def test_that_nobody_looked_for_names_is_said_where_they_are_to_be_taken_away(
    session: Session, tmp_path: Path
) -> None:
    assert not_looked() in notices(session, ExportOptions(), tmp_path)
    assert not_looked() not in notices(session, ExportOptions(deidentify=False), tmp_path)
    masked = notices(session, ExportOptions(text="mask"), tmp_path, OneWord())
    assert not_looked() not in masked
    assert [each for each in masked if each.startswith("Text was masked in the pictures of ")]
    kept_text = notices(session, ExportOptions(text="keep"), tmp_path, OneWord())
    assert [each for each in kept_text if "hold text and were exported as they are" in each]
    left_out = notices(session, ExportOptions(text="leave out"), tmp_path, OneWord())
    assert [each for each in left_out if each.startswith("Left out because their pictures hold text")]
    assert [each for each in left_out if each.startswith("No plane is exported")]
    for each in (masked, kept_text):
        assert not [said for said in each if said.startswith("No plane is exported")]


def test_what_was_looked_at_and_what_was_found_is_given_on(session: Session, tmp_path: Path) -> None:
    with steps(session, ExportOptions(text="mask"), tmp_path, OneWord()) as (collected, scan):
        assert (scan.deidentified, scan.looked_for_text, scan.study.burned_in) == (True, True, False)
        assert scan.source_size == (WIDTH, HEIGHT)
        assert [each.entry.plane for each in scan.planes] == [each.entry.plane for each in collected.planes]
        given = {each.entry.plane for each in scan.planes}
        assert scan.not_found == tuple(name for name in ("FHP1", "FHP2", "LLP") if name not in given)
        for plane in scan.planes:
            entry = plane.entry
            assert plane.stem == f"{entry.plane_id:03d}_{entry.plane}_f{entry.frame_index:06d}"
            assert (entry.png, entry.png_sha256, entry.clip, entry.clip_sha256) == (None, None, None, None)
            assert (entry.reason, entry.note) == ("", "")
            assert plane.clip is not None
            assert (plane.clip.coloured, plane.clip.of_source) == (False, False)
            assert (plane.png, plane.mp4) == (f"planes/{plane.stem}.png", f"clips/{plane.stem}.mp4")
    with steps(session, ExportOptions(), tmp_path) as (_, scan):
        assert (scan.looked_for_text, scan.study.burned_in) == (False, True)


@pytest.mark.parametrize(
    ("kind", "own", "told"), [("dicom", True, True), ("dicom", False, False), ("video", True, False)]
)
def test_only_frames_of_a_dicom_file_itself_are_called_frames_of_the_source(
    session: Session, tmp_path: Path, kind: str, own: bool, told: bool
) -> None:
    options = options_of(text="keep")
    with collect(session, options, tmp_path) as collected:
        planes = tuple(replace(plane, own_frames=own) for plane in collected.planes)
        scan = replace(collected, source=replace(collected.source, kind=kind), planes=planes)
        given = deidentify(scan, options, UIDS, TextSearch(None, TextReadings(), Watch()), Watch())
        assert [plane.clip is not None and plane.clip.of_source for plane in given.planes] == [told, told]


@pytest.mark.parametrize("finder", [None, OneWord()])
def test_a_clip_with_colour_is_said_to_have_it(tmp_path: Path, finder: TextFinder | None) -> None:
    with (
        video_session(tmp_path / "coloured", colour=True) as session,
        steps(session, ExportOptions(text="keep"), tmp_path, finder) as (_, scan),
    ):
        assert [plane.clip is not None and plane.clip.coloured for plane in scan.planes] == [True, True]


def test_words_that_were_left_out_are_mentioned_only_where_there_are_any(
    session: Session, tmp_path: Path
) -> None:
    said = "Notes and reasons were left out"
    assert [each for each in notices(session, options_of(), tmp_path) if each.startswith(said)]
    assert not [each for each in notices(session, options_of(notes=True), tmp_path) if each.startswith(said)]
    with video_session(tmp_path / "wordless", name="plain.mkv") as wordless:
        assert not [each for each in notices(wordless, options_of(), tmp_path) if each.startswith(said)]
        wordless.apply(MarkRegion(0.1, 0.3, "LLP", "words"))
        assert [each for each in notices(wordless, options_of(), tmp_path) if each.startswith(said)]


@pytest.mark.parametrize(("protocol", "mentioned"), [("lp2025-liver", True), ("fetal-basic", False)])
def test_a_reason_is_mentioned_as_left_out_only_of_the_protocol_that_is_followed(
    tmp_path: Path, protocol: str, mentioned: bool
) -> None:
    with video_session(tmp_path / "wordless", name="plain.mkv") as wordless:
        wordless.apply(SetItem(protocol, "right-lobe", "not possible", "gas"))
        told = [each for each in notices(wordless, options_of(), tmp_path) if each.startswith("Notes and")]
    assert bool(told) == mentioned


@pytest.mark.parametrize("planes", [1, 2])
def test_planes_without_a_clip_and_with_nothing_round_them_are_counted(
    session: Session, tmp_path: Path, planes: int
) -> None:
    options = ExportOptions()
    with collect(session, options, tmp_path) as collected:
        whole = Crop(0, 0, WIDTH, HEIGHT)
        bare = [replace(each, entry=replace(each.entry, crop=whole)) for each in collected.planes[:planes]]
        search = TextSearch(None, TextReadings(), Watch())
        told = deidentify(replace(collected, planes=tuple(bare)), options, UIDS, search, Watch()).notices
        number = "1 of 1 plane " if planes == 1 else "2 of 2 planes "
        assert [each for each in told if each.startswith(f"In {number}the region of interest is the whole")]
        kept_identity = deidentify(
            replace(collected, planes=tuple(bare)), ExportOptions(deidentify=False), UIDS, search, Watch()
        ).notices
        assert not [each for each in kept_identity if "region of interest" in each]
        beside = [replace(each, entry=replace(each.entry, crop=Crop(0, 0, 20, 20))) for each in bare]
        scan = deidentify(replace(collected, planes=tuple(beside)), options, UIDS, search, Watch())
        who = "The plane has" if planes == 1 else "2 of 2 planes have"
        assert f"{who} no clip: {NO_REGION}." in scan.notices
        assert [each.clip for each in scan.planes] == [None] * planes
        if planes == 2:
            mixed = replace(collected, planes=(beside[0], *collected.planes[1:]))
            told = deidentify(mixed, options, UIDS, search, Watch()).notices
            assert f"1 of 2 planes has no clip: {NO_REGION}." in told
            assert not [each for each in told if "region of interest is the whole" in each]


class Screens:
    """A table whose frames show less and less of the screen; keeps what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def between(self, start_s: float, end_s: float) -> SimpleNamespace:
        self.asked.append((start_s, end_s))
        return SimpleNamespace(crop=np.array([[50, 40, 200, 161], [70, 45, 180, 150]]))


def test_of_a_clip_only_what_was_inside_the_region_in_all_its_seconds_is_given(
    session: Session, tmp_path: Path
) -> None:
    table: Any = Screens()
    with collect(session, ExportOptions(), tmp_path) as collected:
        search = TextSearch(None, TextReadings(), Watch())
        scan = deidentify(replace(collected, table=table), ExportOptions(), UIDS, search, Watch())
        assert table.asked == [
            (each.entry.time_s - BEFORE_S, each.entry.time_s + AFTER_S) for each in collected.planes
        ]
        inside = Crop(70, 45, 180, 150)
        for plane in scan.planes:
            assert plane.clip is not None
            for each in plane.clip.frames():
                expected = np.zeros_like(each.pixels)
                inside.cut(expected)[:] = inside.cut(frame(each.index))
                np.testing.assert_array_equal(each.pixels, expected)
