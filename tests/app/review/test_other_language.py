"""In another language the review shows the program's own words translated, and stores them in English."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.review.presenter import MARKED, REASONS, decided_by, shown_words, stored_words
from app.sessions.presenter import size_text
from semc_core import language
from semc_core.session.records import PERSON
from tests.app.review.test_presenter import plane
from tests.languages.made_up import speaking

_GERMAN = {
    "wrong plane": "falsche Ebene",
    "marked": "markiert",
    "Undone": "Rückgängig",
}


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    """Some texts are German."""
    with speaking(lambda text: _GERMAN.get(text, text)):
        yield


def test_words_of_the_program_are_shown_translated_and_stored_in_english() -> None:
    assert (shown_words(REASONS[0]), shown_words(MARKED)) == ("falsche Ebene", "markiert")
    assert all(stored_words(shown_words(own)) == own for own in (*REASONS, MARKED))


def test_words_of_a_person_stay_as_they_are() -> None:
    assert (shown_words("Undone"), stored_words("zu dunkel")) == (
        "Undone",
        "zu dunkel",
    )


def test_who_decided_is_told_in_english_to_the_program() -> None:
    assert decided_by(plane(1, 0.0, chosen_by=PERSON)) == "by you"


def test_large_sizes_have_their_thousands_apart() -> None:
    assert size_text(1_234_560_000_000) == "1\N{NO-BREAK SPACE}234,56 GB"
    language.use(language.ENGLISH)
    assert size_text(1_234_560_000_000) == "1,234.56 GB"
