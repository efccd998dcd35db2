"""A tone is heard once for each plane that a scan saves: never when it is off, never in review."""

from __future__ import annotations

import itertools
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.live.tone import FILE, LEAST_PAUSE_S, NO_SOUND, Tone, play_file
from app.main_window import MainWindow
from app.preferences.dialog import PreferencesDialog
from semc_core.types import SavedPlane
from tests.app import saved_tone
from tests.app.conftest import WAIT_MS


def saved(number: int, png: Path | None = Path("a.png")) -> SavedPlane:
    small = np.zeros((6, 8), np.uint8)
    return SavedPlane(number, "FHP1", 0.9, number, number / 10, 0.0, 1.0, True, False, png, small)


def _at_once(do: Callable[[], object]) -> None:
    do()


@dataclass
class Desk:
    """A tone whose player, clock and switch are the test's."""

    played: list[Path] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    now_s: float = 100.0
    wanted: bool = True
    silent: bool = False

    def __post_init__(self) -> None:
        self.tone = Tone(lambda: self.wanted, _at_once, self.told.append, self._play, self._clock)

    def _play(self, path: Path) -> None:
        if self.silent:
            raise OSError("no device")
        self.played.append(path)

    def _clock(self) -> float:
        return self.now_s

    def save(self, *planes: SavedPlane, after_s: float = 10.0) -> int:
        """So many tones were heard in all, when these are saved after a while."""
        self.now_s += after_s
        self.tone.saved(planes)
        self.tone._work.start(lambda: None, lambda _: None).result()
        return len(self.played)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.tone.close()


def test_each_plane_is_heard_once_whatever_becomes_of_it(desk: Desk) -> None:
    assert desk.save(saved(1)) == 1
    assert desk.save(replace(saved(1), frame_index=9), saved(1)) == 1, "a better frame of the same hold"
    assert desk.save(saved(1), saved(2)) == 2
    assert desk.save(saved(3), saved(4)) == 3, "two at once"
    assert desk.played == [FILE] * 3
    desk.tone.begin()
    assert desk.save(saved(1)) == 4, "of the next scan"
    assert desk.told == []


def test_what_is_not_written_is_not_heard_before_it_is(desk: Desk) -> None:
    assert desk.save(saved(1, png=None)) == 0
    assert desk.save(saved(1)) == 1


def test_tones_are_a_second_apart(desk: Desk) -> None:
    assert desk.save(saved(1)) == 1
    assert desk.save(saved(2), after_s=0.9 * LEAST_PAUSE_S) == 1
    assert desk.save(saved(2), after_s=0.2 * LEAST_PAUSE_S) == 1, "it is not heard late"
    assert desk.save(saved(3), after_s=0.1 * LEAST_PAUSE_S) == 2


def test_when_it_is_off_nothing_is_played_then_or_later(desk: Desk) -> None:
    desk.wanted = False
    assert desk.save(saved(1)) == 0
    desk.wanted = True
    assert desk.save(saved(1)) == 0
    assert desk.save(saved(2)) == 1


def test_where_there_is_no_sound_it_is_said_once_and_tried_in_the_next_scan(desk: Desk) -> None:
    desk.silent = True
    assert desk.save(saved(1)) == 0
    assert desk.told == [NO_SOUND]
    desk.silent = False
    assert desk.save(saved(2)) == 0
    desk.tone.begin()
    assert desk.save(saved(1)) == 1
    desk.silent = True
    desk.save(saved(2))
    assert desk.told == [NO_SOUND]


@pytest.mark.skipif(sys.platform == "win32", reason="players are programs elsewhere")
def test_the_desktops_players_are_tried_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="No player"):
        play_file(FILE)
    for name, code in (("pw-play", 1), ("aplay", 0)):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "$0 $@" >> "{tmp_path}/calls"\nexit {code}\n', encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    play_file(FILE)
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == [f"{tmp_path}/pw-play {FILE}", f"{tmp_path}/aplay -q {FILE}"]
    (tmp_path / "aplay").unlink()
    with pytest.raises(OSError, match="No player"):
        play_file(FILE)


def test_the_file_is_the_one_that_our_code_makes() -> None:
    assert FILE.read_bytes() == saved_tone.wav()
    made = saved_tone.samples()
    assert max(map(abs, made)) < 32767 / 3, "soft"
    assert abs(made[0]) < 50
    assert abs(made[-1]) < 50, "it does not click"


def test_planes_of_a_scan_are_heard_where_that_is_switched_on_and_none_in_review(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    played: list[Path] = []
    clock = itertools.count(0.0, 10.0)
    window.tone._play, window.tone._clock = played.append, lambda: next(clock)
    cards = window.live_page.strip

    def written() -> int:
        return sum(plane.png is not None for plane in window.live_page.kept.raw)

    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: bool(cards.cards) and written() >= 1, timeout=WAIT_MS)
    assert played == [], "it is off at first"

    dialog = PreferencesDialog(window.dialogs.preferred(), lambda: True, window)
    entry = next(each for each in dialog.entries if each.key == "scan/tone")
    dialog.change(entry, "true")
    assert window.settings.tone
    before = written()
    QTest.keyClick(window, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: written() > before, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(played), timeout=WAIT_MS)
    assert len(played) == written() - before

    qtbot.waitUntil(lambda: window.live_page.session_folder is not None, timeout=WAIT_MS)
    heard = len(played)
    window.review_this()
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    window.review_page.add_as("FHP1")
    qtbot.wait(100)
    assert len(played) == heard
