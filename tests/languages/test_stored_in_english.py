"""What is stored of a text that was shown in another language is the text in English."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import closing
from gettext import NullTranslations
from pathlib import Path

import pytest
from PIL import Image

from app.start.recent import RecentSession
from semc_core import language
from semc_core.errors import SourceError
from semc_core.language import _, day_text, decimal, english, in_both, joined, plural, replaced
from semc_core.model.comparison import CHOSEN_ON, FEW, KNOWN, OTHER_PLANES, Comparison, Measured
from semc_core.picture_options import PictureOptions
from semc_core.sources.live.outage import NO_PICTURES, OutageTeller
from semc_core.sources.open import open_source
from semc_core.text import readable
from semc_core.types import SourceInfo
from tests.languages.made_up import speaking

_SAID = {
    "{count} frame": "{count} Bild",
    "{count} frames": "{count} Bilder",
    "{name} refuses.": "{name} lehnt ab.",
    "{why} It is tried again.": "{why} Es wird wieder versucht.",
    "{name} gave no pictures for {seconds} s; the scan went on.": "{name} gab {seconds} s lang kein Bild.",
    "{name} gives no pictures at the moment; the scan goes on when it does. Check its cable and the "
    "scanner's output.": "{name} gibt gerade kein Bild.",
    "Camera {number}": "Kamera {number}",
    "By the picture options: {options}.": "So gewählt: {options}.",
    "turned by 180 degrees": "gedreht",
    "The new model is worse than the one in use: {numbers}.": "Das neue Modell ist schlechter: {numbers}.",
}


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    with speaking(lambda text: _SAID.get(text, text)):
        yield


def test_a_text_keeps_what_it_is_in_english() -> None:
    said = _("{name} refuses.", name="rtsp://host")
    assert said == "rtsp://host lehnt ab."
    assert english(said) == "rtsp://host refuses."
    assert english("as it was written") == "as it was written"
    frames = plural("{count} frame", "{count} frames", 2)
    assert (frames, english(frames)) == ("2 Bilder", "2 frames")
    assert (decimal(2.5, 1), english(decimal(2.5, 1))) == ("2,5", "2.5")


def test_an_error_keeps_it_too_and_so_does_a_sentence_around_it() -> None:
    error = SourceError(_("{name} refuses.", name="a\x1bb"))
    assert str(error) == "a\\x1bb lehnt ab."
    assert english(str(error)) == "a\\x1bb refuses."
    for why in (str(error), error):
        around = _("{why} It is tried again.", why=why)
        assert around == "a\\x1bb lehnt ab. Es wird wieder versucht."
        assert english(around) == "a\\x1bb refuses. It is tried again."


def test_sentences_that_are_joined_or_changed_keep_it() -> None:
    both = joined(("", _("{name} refuses.", name="A"), "No frames."))
    assert (both, english(both)) == ("A lehnt ab. No frames.", "A refuses. No frames.")
    changed = in_both(readable, _("{name} refuses.", name="\x07"))
    assert (changed, english(changed)) == ("\\x07 lehnt ab.", "\\x07 refuses.")


def test_a_notice_of_a_source_keeps_it_while_it_grows(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        Image.new("L", (64, 48)).save(tmp_path / name)
    (tmp_path / "2.png").write_bytes(b"nothing")
    with closing(open_source(str(tmp_path), options=PictureOptions(flip="180"))) as source:
        while source.read() is not None:
            pass
        notice = source.info.notice
    assert notice.startswith("So gewählt: gedreht. 1 of 3 pictures")
    stored = english(notice)
    assert stored.startswith("By the picture options: turned by 180 degrees. 1 of 3 pictures cannot be read")
    assert replaced(notice, "So gewählt: gedreht.", "").strip() == notice.removeprefix(
        "So gewählt: gedreht. "
    )


def test_an_outage_is_shown_translated_and_kept_in_english() -> None:
    info = SourceInfo("camera 0", "camera", 640, 480, 30.0, None, live=True)
    teller = OutageTeller(_("Camera {number}", number=0), silent_after_s=0.0)
    teller.came(time.monotonic() - 2.5)
    silent = teller.added_to(info)
    assert silent.trouble == NO_PICTURES
    assert silent.notice == "Kamera 0 gibt gerade kein Bild."
    assert silent.outage.startswith("Camera 0 gives no pictures at the moment;")
    teller, now_s = OutageTeller(_("Camera {number}", number=0), silent_after_s=60.0), time.monotonic()
    teller.came(now_s - 3.0)
    teller.began(_("{name} refuses.", name="A"))
    teller.came(now_s - 0.5)
    over = teller.added_to(info)
    assert over.outage == "A refuses."
    assert over.notice == "Kamera 0 gab 2,5 s lang kein Bild."
    assert english(over.notice) == "Camera 0 gave no pictures for 2.5 s; the scan went on."


def test_a_comparison_is_kept_in_english() -> None:
    worse = Comparison(
        Measured("a", 0.9, 0.8, 0.1), Measured("b", 0.9, 0.85, 0.1), "b", -0.05, -0.1, 0.02, "test", 1, 1
    )
    assert worse.sentence.startswith("Das neue Modell ist schlechter: F1 0,800 against 0,850 (-0,050,")
    assert worse.as_json()["sentence"] == (
        "The new model is worse than the one in use: F1 0.800 against 0.850 (-0.050, 95 % interval -0.100 to "
        "+0.020), accuracy 0.900 against 0.900, on 1 test picture of 1 patient or video."
    )


@pytest.mark.parametrize(
    ("code", "with_year", "without"),
    [
        ("de", "5. März 2026", "5. März"),
        ("fr", "5 mars 2026", "5 mars"),
        ("es", "5 mar 2026", "5 mar"),
        ("zh", "2026年3月5日", "3月5日"),
        ("en", "05 Mar 2026", "05 Mar"),
    ],
)
def test_a_day_is_written_as_the_language_does(code: str, with_year: str, without: str) -> None:
    language.use_catalogue(code, NullTranslations())
    day = datetime.date(2026, 3, 5)
    assert (day_text(day), day_text(day, year=False)) == (with_year, without)
    assert (english(day_text(day)), english(day_text(day, year=False))) == ("05 Mar 2026", "05 Mar")
    names = {day_text(datetime.date(2026, month, 1), year=False) for month in range(1, 13)}
    assert len(names) == 12


def test_a_day_in_a_sentence_and_in_a_list_follows_the_language() -> None:
    when = datetime.datetime(2026, 12, 1, 15, 2, tzinfo=datetime.UTC)
    assert RecentSession(Path("x"), "liver.mp4", when, 5).text.startswith("1. Dez. 15:02   liver.mp4")
    said = _("{name} refuses.", name=day_text(when))
    assert (said, english(said)) == ("1. Dez. 2026 lehnt ab.", "01 Dec 2026 refuses.")


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        (FEW, "<FEW>"),
        (f"{CHOSEN_ON} {FEW}", "<CHOSEN> <FEW>"),
        (OTHER_PLANES.format(planes="A, B"), "<OTHER A, B>"),
        ("Somebody's own words.", "Somebody's own words."),
        (f"{KNOWN.format(of='4 held-out patients or videos', known=3)} {FEW}", "<KNOWN 4 3> <FEW>"),
    ],
)
def test_a_note_of_a_comparison_is_stored_in_english_and_shown_in_the_language(note: str, shown: str) -> None:
    said = {FEW: "<FEW>", CHOSEN_ON: "<CHOSEN>", OTHER_PLANES: "<OTHER {planes}>"}
    said |= {KNOWN: "<KNOWN {of} {known}>", "{count} held-out patients or videos": "{count}"}
    with speaking(lambda text: said.get(text, text)):
        measured = Measured("a" * 64, 0.9, 0.8, 0.1)
        found = Comparison(measured, None, "b" * 64, None, None, None, "test", 9, 2, note)
        assert found.sentence.endswith(shown)
        assert found.as_json()["note"] == note
        assert english(found.sentence).endswith(note)
