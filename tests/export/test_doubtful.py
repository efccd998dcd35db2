"""Text in pictures at one Enter: what is sure is black, what is doubtful waits, the rest is handed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from main import main
from semc_core.errors import ExportCancelled
from semc_core.export import bundle
from semc_core.export.ahead import Done, read_ahead
from semc_core.export.bundle import export_session
from semc_core.export.deidentify import AS_THEY_ARE, HELD
from semc_core.export.found_text import Answer, FoundText
from semc_core.export.kept_readings import FOLDER, MOST_SESSIONS, KeptReadings
from semc_core.export.manifest import MANIFEST_NAME
from semc_core.export.ocr import SURE, TextFound, TextReadings, shown_part
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.export.sector import lies_beside, sector_of
from semc_core.export.text_search import TextSearch, TextSeen
from semc_core.export.watch import Watch
from semc_core.session.files import read_png
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.export.scans import CROP, HEIGHT, WIDTH, frame, video_session

PLACE, BESIDE = Crop(150, 100, 40, 12), Crop(90, 60, 40, 12)
DOUBT = SURE - 0.2
OPTIONS = ExportOptions(clips=False, frames=False)


class Reader:
    """Finds texts where something is to be seen in their boxes, and counts how often it is asked."""

    def __init__(self, *texts: FoundText, only: int | None = None) -> None:
        """Find `texts`; only in the frame of this number, if one is given."""
        self.texts, self.asked = texts, 0
        self._only = None if only is None else CROP.cut(frame(only))

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """Those that are not black."""
        self.asked += 1
        corner = slice(-20, None)
        if self._only is not None and not np.array_equal(CROP.cut(pixels)[corner], self._only[corner]):
            return ()
        return tuple(text for text in self.texts if text.box.cut(pixels).any())

    glance = find


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Two planes: FHP1, number 1, of frame 8; LLP, number 2, of frame 40."""
    with video_session(tmp_path / "scan") as made:
        yield made


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Doubts something in the second plane, and is sure of a word beside it in both."""
    made = Reader(FoundText(PLACE, "iiil", DOUBT), only=40)
    monkeypatch.setattr(bundle, "load_text_finder", lambda: made)
    return made


def exported(
    session: Session, target: Path, *answers: tuple[int, Answer], anyhow: ExportOptions = OPTIONS
) -> ExportResult:
    return export_session(session, target, replace(anyhow, answers=answers), data=target.parent)


def picture(target: Path, plane: int) -> NDArray[np.uint8]:
    (path,) = (target / "planes").glob(f"{plane:03d}_*.png")
    return read_png(path)


def test_a_doubtful_reading_keeps_its_plane_alone_out_and_it_is_said_everywhere(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    result = exported(session, tmp_path / "out")
    assert result.planes == 1
    (held,) = result.held
    assert (held.plane_id, [text.box for text in held.found]) == (2, [PLACE])
    said = HELD.format(names="LLP at 0:02.0")
    assert said in result.notices
    assert "\n" not in said
    manifest = json.loads((tmp_path / "out" / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert said in manifest["notices"]
    assert said in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    names = [path.name for path in (tmp_path / "out").rglob("*")]
    assert not [name for name in names if name.startswith("002")]
    np.testing.assert_array_equal(CROP.cut(picture(tmp_path / "out", 1)), CROP.cut(frame(8)))


@pytest.mark.parametrize("answer", ["mask", "keep"])
def test_an_answer_hands_the_plane_over_and_is_remembered(
    session: Session, tmp_path: Path, reader: Reader, answer: Answer
) -> None:
    exported(session, tmp_path / "first")
    result = exported(session, tmp_path / "second", (2, answer))
    assert (result.planes, result.held) == (2, ())
    pixels = picture(tmp_path / "second", 2)
    assert PLACE.cut(pixels).any() == (answer == "keep")
    assert (AS_THEY_ARE.format(names="LLP at 0:02.0") in result.notices) == (answer == "keep")
    reader.asked = 0
    again = exported(session, tmp_path / "third")
    assert (again.planes, again.held) == (2, ())
    np.testing.assert_array_equal(picture(tmp_path / "third", 2), pixels)
    assert reader.asked == 0, "all of it was read before"


def test_what_is_sure_is_blackened_without_a_question(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    reader.texts = (FoundText(PLACE, "JANE", SURE),)
    result = exported(session, tmp_path / "out")
    assert (result.planes, result.held) == (2, ())
    assert not PLACE.cut(picture(tmp_path / "out", 2)).any()
    assert "Text was masked in the pictures of LLP at 0:02.0." in result.notices


def test_a_place_that_one_view_is_sure_of_is_not_doubtful_in_another(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    near = Crop(PLACE.left + 3, PLACE.top + 1, PLACE.width - 6, PLACE.height)
    reader.texts = (FoundText(PLACE, "JANE", SURE), FoundText(near, "IANF", DOUBT))
    assert exported(session, tmp_path / "out").held == ()


def test_what_covers_much_of_the_picture_is_never_sure(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    reader.texts = (FoundText(CROP, "of", 1.0),)
    assert [each.plane_id for each in exported(session, tmp_path / "out").held] == [2]


@pytest.mark.parametrize("name", [BESIDE, Crop(150, 114, 40, 12)], ids=["apart", "two pixels below"])
def test_a_name_beside_what_is_kept_is_blackened_all_the_same(
    session: Session, tmp_path: Path, reader: Reader, name: Crop
) -> None:
    reader.texts = (FoundText(PLACE, "iiil", DOUBT), FoundText(name, "JANE", 1.0))
    (held,) = exported(session, tmp_path / "first").held
    assert [text.box for text in held.found] == [PLACE], "the question is about what is doubtful"
    result = exported(session, tmp_path / "second", (2, "keep"))
    pixels = picture(tmp_path / "second", 2)
    assert PLACE.cut(pixels).any()
    assert not name.cut(pixels).any()
    assert result.held == ()


def test_an_answer_is_for_what_was_asked_about_and_for_nothing_else(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    reader.texts = (FoundText(PLACE, "iiil", DOUBT), FoundText(BESIDE, "JAN", DOUBT))
    hidden = ExportOptions(clips=False, frames=False, masks=(BESIDE,))
    assert exported(session, tmp_path / "first", (2, "keep"), anyhow=hidden).held == ()
    (held,) = exported(session, tmp_path / "second").held
    assert {text.box for text in held.found} == {PLACE, BESIDE}, "the mask is gone"


def test_what_comes_up_beside_a_mask_is_asked_about_and_the_ends_of_words_are_not(tmp_path: Path) -> None:
    end, apart = Crop(PLACE.left + PLACE.width, PLACE.top, 6, 10), Crop(90, 150, 30, 12)

    class Uncovering(Reader):
        def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
            seen = [text for text in self.texts if text.box.cut(pixels).any()]
            return tuple(seen[:1])

    picture = frame(3)
    search = TextSearch(Uncovering(FoundText(end, "NE", DOUBT)), TextReadings(), Watch())
    seen = TextSeen((FoundText(PLACE, "JANE", 1.0),), (picture,))
    settled = search.settle(seen, (), "LLP")
    assert (settled.kind, set(settled.masks)) == ("masked", {PLACE, end})
    readings = TextReadings()
    search = TextSearch(Uncovering(FoundText(apart, "ilL", DOUBT)), readings, Watch())
    settled = search.settle(seen, (), "LLP")
    assert (settled.kind, [text.box for text in settled.doubtful]) == ("held", [apart])
    kept = search.settle(seen, (), "LLP", "keep")
    assert (kept.kind, set(kept.masks)) == ("kept", {PLACE})
    assert search.settle(seen, (), "LLP").kind == "kept", "remembered"
    assert search.settle(seen, (), "LLP", "mask").kind == "masked", "another answer"


def test_whoever_wants_the_export_to_stop_gets_nothing(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    with pytest.raises(TextFound):
        exported(session, tmp_path / "out", anyhow=ExportOptions(clips=False, frames=False, text="stop"))
    assert not (tmp_path / "out").exists()


# The sector.


def fan() -> NDArray[np.uint8]:
    """A fan of speckle in a black picture."""
    rows, columns = np.mgrid[0:200, 0:300]
    inside = (np.abs(columns - 150) < 20 + 0.5 * rows) & (rows > 20) & (rows < 180)
    speckle = np.random.default_rng(1).integers(30, 120, (200, 300))
    return np.where(inside, speckle, 0).astype(np.uint8)


def test_text_in_a_black_corner_lies_beside_the_sector_and_is_blackened_unasked() -> None:
    pixels, corner = fan(), Crop(4, 4, 60, 14)
    pixels[8:16, 8:60:3] = 255
    pixels[100:110, 140:170:3] = 255
    sector = sector_of(pixels)
    assert lies_beside(corner, [sector])
    assert not lies_beside(Crop(138, 98, 34, 14), [sector])
    assert not lies_beside(Crop(40, 110, 60, 14), [sector]), "over the edge"
    assert not lies_beside(corner, []), "nothing is known of the sector"
    search = TextSearch(Reader(), TextReadings(), Watch())
    settled = search.settle(TextSeen((FoundText(corner, "J4N", DOUBT),), (pixels,)), (), "LLP")
    assert (settled.kind, settled.masks) == ("masked", (corner,))
    in_colour = np.stack([pixels, pixels // 2, pixels], axis=-1)
    np.testing.assert_array_equal(sector_of(in_colour), sector)


def test_shadows_in_a_sector_belong_to_it_and_all_does_where_none_is_seen() -> None:
    pixels = fan()
    pixels[60:, 130:160] = 0
    assert sector_of(pixels)[120, 145]
    assert sector_of(np.zeros((50, 60), np.uint8)).all()


# What is read before.


def test_an_export_finds_everything_read_that_was_read_ahead(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    reader.texts = (FoundText(PLACE, "JANE", 1.0), FoundText(BESIDE, "iiil", DOUBT))
    done: set[Done] = set()
    ahead = partial(read_ahead, session.folder, tmp_path, reader, partial(KeptReadings, tmp_path))
    ahead(Watch(), done)
    assert reader.asked > 0
    reader.asked = 0
    ahead(Watch(), done)
    assert reader.asked == 0
    reader.asked = 0
    result = exported(session, tmp_path / "out", anyhow=ExportOptions())
    assert [each.plane_id for each in result.held] == [2]
    assert reader.asked == 0
    assert len(done) == 2
    assert not [entry for entry in session.audit() if "iiil" in json.dumps(entry.payload)]


def test_reading_ahead_ends_between_two_pictures_and_goes_on_later(
    session: Session, tmp_path: Path, reader: Reader
) -> None:
    watch = Watch()
    done: set[Done] = set()

    class Ending(Reader):
        def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
            watch.cancel.set()
            return super().find(pixels)

    ending = Ending()
    where = session.folder, tmp_path
    with pytest.raises(ExportCancelled):
        read_ahead(*where, ending, partial(KeptReadings, tmp_path), watch, done)
    assert (ending.asked, done) == (1, set())
    read_ahead(*where, reader, partial(KeptReadings, tmp_path), Watch(), done)
    everything = Reader()
    read_ahead(*where, everything, lambda session_id: TextReadings(), Watch(), set())
    assert reader.asked == everything.asked - 1, "the first was kept"


def test_what_is_kept_says_where_text_lies_and_not_what_it_says(tmp_path: Path) -> None:
    finder, kept = Reader(FoundText(PLACE, "JANE", 0.75)), KeptReadings(tmp_path, "ab12")
    pixels = frame(5)
    found = kept.read(finder, pixels, [BESIDE])
    kept.remember([pixels], found, "keep")
    kept.save()
    path = tmp_path / FOLDER / "ab12.json"
    assert b"JANE" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    again = KeptReadings(tmp_path, "ab12")
    assert again.read(finder, pixels, [BESIDE]) == (FoundText(PLACE, "", 0.75),)
    assert again.answer([pixels], found) == "keep"
    assert again.answer([frame(6)], found) is None
    assert finder.asked == 1
    assert again.read(finder, frame(6), [BESIDE]) == found
    assert finder.asked == 2, "other pixels"
    for damaged in (b"", b"{", b'{"reader": 3}', path.read_bytes().replace(b"rapidocr", b"another")):
        path.write_bytes(damaged)
        finder.asked = 0
        KeptReadings(tmp_path, "ab12").read(finder, pixels, [BESIDE])
        assert finder.asked == 1


def test_readings_of_the_sessions_read_longest_ago_go_first(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for number in range(MOST_SESSIONS):
        (folder / f"{number}.json").touch()
    kept = KeptReadings(tmp_path, "new")
    kept.read(Reader(), frame(1), ())
    kept.save()
    assert len(list(folder.glob("*.json"))) == MOST_SESSIONS
    assert (folder / "new.json").is_file()


def test_only_what_is_shown_of_a_picture_is_read() -> None:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert shown_part(pixels) is None
    CROP.cut(pixels)[:] = 9
    part = shown_part(pixels)
    assert part is not None
    assert CROP.cut(pixels).sum() == part.cut(pixels).sum()
    assert part.width * part.height < pixels.size
    assert shown_part(np.full((30, 40, 3), 5, np.uint8)) == Crop(0, 0, 40, 30)


# The command.


def test_the_command_says_what_waits_and_takes_the_answer(
    session: Session, tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    session.close()
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path / "data")
    command = ["export", str(session.folder), "--no-clips", "--no-report", "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    said = capsys.readouterr().out
    assert (
        "1 left out until answered: 2 (LLP at 0:02.0). Look at each; then export again with --answer" in said
    )
    assert "1 plane," in said
    assert main([*command, str(tmp_path / "two"), "--answer", "2=keep"]) == 0
    assert "2 planes," in capsys.readouterr().out
    assert main([*command, str(tmp_path / "three")]) == 0
    assert "2 planes," in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--answer", "2"], "such as 3=keep"),
        (["--answer", "two=keep"], "such as 3=keep"),
        (["--answer", "2=black"], "such as 3=keep"),
        (["--answer", "7=keep"], "There is no plane 7"),
        (["--answer", "2=keep", "--text", "mask"], "with --text ask"),
    ],
)
def test_an_answer_that_is_none_is_refused_before_anything_is_written(
    session: Session, tmp_path: Path, typed: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session.close()
    assert main(["export", str(session.folder), "--out", str(tmp_path / "out"), *typed]) != 0
    assert told in "".join(capsys.readouterr())
    assert not (tmp_path / "out").exists()
