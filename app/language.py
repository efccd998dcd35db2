"""The window's language: the program's texts, those of Qt's own dialogs, and how numbers are written."""

from __future__ import annotations

import os
from typing import Final

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication

from semc_core import language
from semc_core.language import LANGUAGES, best_of
from semc_core.paths import CHINESE_FONT

BY_DESKTOP: Final = ""
"""The setting with which the window speaks as the desktop does."""
_VARIABLE: Final = "SEMC_LANGUAGE"
"""In the environment it wins over the setting: for one run, and for tests."""
_LOCALES: Final = {"zh": "zh_CN"}


def speak(application: QApplication, chosen: str) -> None:
    """Let all that is made from now on be in a language.

    Args:
        application: Of the process.
        chosen: One of `LANGUAGES`, or `BY_DESKTOP`.
    """
    wanted = os.environ.get(_VARIABLE) or chosen
    code = wanted if wanted in LANGUAGES else best_of(QLocale.system().uiLanguages())
    language.use(code)
    locale = _LOCALES.get(code, code)
    QLocale.setDefault(QLocale(locale))
    of_qt = QTranslator(application)
    if of_qt.load(f"qtbase_{locale}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        application.installTranslator(of_qt)
    if code == "zh" and not QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese):
        _bring_chinese(application)


def _bring_chinese(application: QApplication) -> None:
    """Where the machine has no font with Chinese, one with the 3,755 commonest characters and ours."""
    added = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(CHINESE_FONT)))
    font = application.font()
    font.setFamilies([*font.families(), *added])
    application.setFont(font)
