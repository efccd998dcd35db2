"""What the frame of the window and its keys say in another language, and how settings are found in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.commands import BINDINGS, KeyBinding, Situation, key_name, start_title
from app.keys import refusal, title_of, tool_tip, with_key
from app.preferences.presenter import (
    AT_ONCE,
    NEXT_SCAN,
    NEXT_START,
    SCAN,
    Entry,
    changed_sentence,
    found,
    switch,
)
from app.widgets.levels import Levels
from tests.languages.made_up import speaking

_GERMAN = {
    "Ctrl": "Strg",
    "Shift": "Umschalt",
    "Page up": "Bild auf",
    "PgUp": "Bild auf",
    "Space": "Leertaste",
    "Freeze": "Anhalten",
    "Hold the picture; planes are still found and saved": "Das Bild anhalten",
    "Frame back": "Bild zurück",
    "in review": "bei der Durchsicht",
    "Stop": "Beenden",
    "Scan and devices": "Aufnahme und Geräte",
    "On": "An",
    "Off": "Aus",
    "{setting}: {value}. It counts at once.": "{setting}: {value}. Es gilt sofort.",
    "“{key}” is a key of “{command}” {where}; give that another key first.": (
        "„{key}“ gehört {where} zu „{command}“."
    ),
    "Display: contrast {contrast}": "Anzeige: Kontrast {contrast}",
}


@pytest.fixture
def german() -> Iterator[None]:
    """Some texts are German."""
    with speaking(lambda text: _GERMAN.get(text, text)):
        yield


def _binding(name: str) -> KeyBinding:
    return next(each for each in BINDINGS if each.name == name)


def _entry(counts: str = NEXT_SCAN) -> Entry:
    return Entry(
        "record/clips", SCAN, "Clip", "", "true", lambda: "true", lambda _value: None, switch(), counts
    )


@pytest.mark.usefixtures("german")
def test_keys_and_commands_are_called_as_the_language_calls_them() -> None:
    assert key_name("Ctrl+Z") == "Strg+Z"
    assert key_name("Ctrl++") == "Strg++"
    assert key_name("PgUp") == "Bild auf"
    assert tool_tip(_binding("freeze")) == "Das Bild anhalten  (Leertaste, F4, Bild auf)"
    assert title_of(_binding("freeze")) == "Anhalten"
    assert with_key("Öffnen", "freeze") == "Öffnen  (Leertaste)"
    assert start_title(Situation("live", running=True)) == "Beenden"
    assert refusal("play", ("Left",)) == "„Left“ gehört bei der Durchsicht zu „Bild zurück“."


@pytest.mark.usefixtures("german")
def test_settings_are_found_by_the_words_that_are_shown() -> None:
    entry = _entry()
    assert found("geräte", [entry]) == [entry], "its group"
    assert found("aus", [entry]) == [entry], "what it can be"
    assert not found("devices", [entry])
    assert entry.is_switch
    assert entry.value_title("true") == "An"
    assert changed_sentence(_entry(AT_ONCE), True) == "Clip: An. Es gilt sofort."


@pytest.mark.usefixtures("german")
def test_the_display_says_what_was_changed() -> None:
    assert Levels(contrast=-20).text == "Anzeige: Kontrast \N{MINUS SIGN}20"


def test_english_sentences_are_whole() -> None:
    assert Levels(10, -20).text == "Display: brightness +10, contrast \N{MINUS SIGN}20"
    assert Levels(10).text == "Display: brightness +10"
    later = "the scan that runs goes on as it was begun."
    assert changed_sentence(_entry(AT_ONCE), True) == "Clip: On. It counts at once."
    assert changed_sentence(_entry(), False) == "Clip: On. It counts from the next scan on."
    assert changed_sentence(_entry(), True) == f"Clip: On. It counts from the next scan on, {later}"
    start = "Clip: On. It counts from the next start of the program on"
    assert changed_sentence(_entry(NEXT_START), False) == f"{start}."
    assert changed_sentence(_entry(NEXT_START), True) == f"{start}, {later}"
