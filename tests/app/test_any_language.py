"""Every page, dialog and state in every language, and from right to left with longer words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from string import Formatter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.language import speak
from semc_core import language
from tests.app.own_process import ALONE, alone
from tests.app.test_any_window import Stage, stage, wrong
from tests.languages import OTHERS
from tests.languages.made_up import MadeUp

__all__ = ["stage"]

MIRRORED = "mirrored"
"""No language: each text is some 40 % longer and written from right to left."""
_CODES = (*OTHERS, MIRRORED)
_SMALLEST = ((0, 0),)
_LETTERS = str.maketrans(
    {"a": "aá", "e": "eé", "i": "ií", "o": "oó", "u": "uú", "A": "AÁ", "O": "OÓ", "n": "ñ"}
)


def longer(message: str) -> str:
    """The text with other letters, as a language might say it that needs more room."""
    return "".join(
        before.translate(_LETTERS) + ("" if name is None else f"{{{name}}}")
        for before, name, _, _ in Formatter().parse(message)
    )


@pytest.fixture
def spoken(qapp: QApplication, code: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The language, before anything of a window is made."""
    if code == MIRRORED:
        language.use_catalogue(code, MadeUp(longer))
        qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    else:
        monkeypatch.setenv("SEMC_LANGUAGE", code)
        speak(qapp, code)
    yield
    language.use("en")
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.mark.long
@pytest.mark.parametrize("code", _CODES if ALONE in os.environ else ("all",))
def test_nothing_is_cut_in_any_language(
    code: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ALONE in os.environ:
        request.getfixturevalue("spoken")
        shown: Stage = request.getfixturevalue("stage")
        told = list(wrong(shown, _SMALLEST, monkeypatch, longer_too=False))
        assert not told, "\n".join(told)
    else:
        alone(__file__, "test_nothing_is_cut_in_any_language", len(_CODES))
