"""`semc bench window`: what is measured of the window, and what is made of the numbers."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import av
import pytest
from pytestqt.qtbot import QtBot

import main
from app.main_window import MainWindow
from app.quick.pages import Beats, Pages, turn
from semc_core.cli.bench.window import Gap, PageChange, Start, Until, WindowMeasured, make_loop
from tests.cli.test_json import check


def start(painted_s: float, whole_s: float) -> Start:
    return Start(Until(painted_s, painted_s / 2), Until(whole_s, whole_s / 2))


def test_the_ratio_is_that_of_the_medians_and_its_interval_holds_it() -> None:
    bare = [start(each, each) for each in (1.0, 1.1, 0.9, 1.0, 5.0)]
    own = [start(each, 3.0) for each in (2.0, 2.2, 1.8, 2.0, 2.0)]
    changes = [PageChange("live", True, 40, 20), PageChange("start", False, 90, 10)]
    gaps = [Gap(5, 1, 1), Gap(60, 2, 55), Gap(70, 50, 50)]
    found = WindowMeasured(bare, own, changes, gaps, 60, 20).plain()
    check("semc bench window", found)
    assert found["starts"] == 5
    assert found["bare"] == {"wall_s": 1.0, "cpu_s": 0.5}
    assert found["whole"] == {"wall_s": 3.0, "cpu_s": 1.5}
    ratio = found["ratio_cpu"]
    assert ratio["ratio"] == pytest.approx(2.0)
    assert ratio["low"] < 2.0 <= ratio["high"]
    assert found["page_first"] == {"count": 1, "p50_ms": 40, "worst_ms": 40, "worst_cpu_ms": 20}
    assert found["slowest_page"] == "start"
    spread = {"count": 3, "p50_ms": 60, "worst_ms": 70, "worst_cpu_ms": 50}
    assert found["gaps"] == spread | {"long": 2, "worst_own_ms": 55, "long_own": 1}


def test_the_loop_is_as_long_as_asked_and_its_times_only_grow(tmp_path: Path) -> None:
    make_loop(tmp_path / "loop.mp4", 21)
    with av.open(str(tmp_path / "loop.mp4")) as container:
        times = [frame.pts for frame in container.decode(video=0) if frame.pts is not None]
        step = 1 / 25 / float(container.streams.video[0].time_base or 1)
    assert len(times) == 2 * round(10.5 * 25)
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert steps == pytest.approx([step] * len(steps))


def test_every_page_is_changed_to_from_every_other(qtbot: QtBot, window: MainWindow) -> None:
    window.show()
    qtbot.waitExposed(window)
    pages = Pages(window)
    first = pages.first()
    assert [each.page for each in first] == ["live", "review", "train"]
    again = pages.again(1)
    assert sorted(each.page for each in again) == sorted(["live", "review", "start", "train"] * 3)
    assert all(each.wall_ms > 0 for each in (*first, *again))


def test_a_window_that_stands_still_is_a_gap(qtbot: QtBot) -> None:
    beats = Beats()
    turn(lambda: False, 0.2)
    slept = len(beats.gaps)
    held = sum(range(3_000_000))
    turn(lambda: len(beats.gaps) > slept, 5)
    beats.stop()
    assert held > 0
    assert max(beats.gaps[slept:], key=lambda gap: gap.cpu_ms).cpu_ms > beats.gaps[0].cpu_ms
    assert slept > 1
    assert all(gap.own_ms <= gap.wall_ms for gap in beats.gaps)


@pytest.mark.long
def test_the_command_measures_starts_pages_and_gaps(capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["bench", "window", "--runs", "1", "--seconds", "3", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    check("semc bench window", found)
    assert found["bare"]["cpu_s"] > 0
    assert found["whole"]["cpu_s"] > found["painted"]["cpu_s"] > 0
    assert found["page_first"]["count"] == 3
    assert found["page_again"]["count"] == 36


def test_a_loop_of_no_length_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["bench", "window", "--seconds", "0"]) == 2
    assert "--seconds" in capsys.readouterr().err
