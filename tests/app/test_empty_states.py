"""What is empty says what to do next: by a key, or by the name of a button that is there."""

from __future__ import annotations

import re
from typing import Final

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from app.keys import first_key
from app.send.presenter import SendSnapshot, service_words
from semc_core.pacs.service import SendState
from tests.app.test_any_window import STATES, Stage, stage

__all__ = ["stage"]

EMPTY: Final = {
    "start_first_run": ("Nothing opened yet", "None yet"),
    "start_fresh": ("Nothing opened yet", "None yet"),
    "live_empty": ("None yet",),
    "no loops": ("No loop is here yet",),
    "no sessions": ("There is no session",),
    "no session found": ("None of 300 sessions",),
    "worklist without a server": ("This program knows no server yet",),
    "priors without a server": ("There is no server yet",),
}
"""How the sentences of each state begin that say that there is nothing."""
NOT_LISTS: Final = {
    "no server": "a form to be filled in",
    "examination empty": "a form to be filled in",
    "review_empty": "the page comes only with a session",
    "review_without_a_reference": "a picture's place; tests/app/review/test_reference.py holds it",
}
"""States whose names say that something is not there, and why they are no lists."""
_SAYS_SO: Final = re.compile(r"empty|fresh|first_run|^no |without")
_KEYS: Final = ("start_stop", "export", "worklist", "capture")


def actions_of(shown: QWidget) -> set[str]:
    """Names of the buttons that can be seen, without their keys and marks, and keys."""
    names = {
        re.sub(r"\s*\(.*\)|\s*…|&", "", each.text()).split("\n")[0].strip()
        for each in shown.window().findChildren(QAbstractButton)
        if each.isVisible()
    }
    return {name for name in names if len(name) > 3} | {first_key(name) for name in _KEYS} | {"Backspace"}


@pytest.mark.parametrize("name", EMPTY)
def test_what_is_empty_says_what_to_do_next(name: str, stage: Stage) -> None:
    shown = STATES[name](stage)
    actions = actions_of(shown)
    said = [label.text() for label in shown.window().findChildren(QLabel) if label.isVisible()]
    for beginning in EMPTY[name]:
        sentence = next((text for text in said if text.startswith(beginning)), None)
        assert sentence is not None, f"{beginning!r} is not said in: {said}"
        named = [each for each in actions if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", sentence)]
        assert named, f"{sentence!r} names none of {sorted(actions)}"


def test_no_state_that_is_empty_is_forgotten() -> None:
    found = {name for name in STATES if _SAYS_SO.search(name)}
    assert found - {"train_fresh"} == set(EMPTY) | set(NOT_LISTS)


def test_a_queue_without_anything_says_how_something_comes_into_it() -> None:
    idle = service_words(SendSnapshot(True, (), (), SendState()))
    assert f"Export a session ({first_key('export')})" in idle
    assert "Send to …" in idle
