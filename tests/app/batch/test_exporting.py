"""All loops of the list that are done are exported into one folder: what fails is told, the rest is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.batch.controller import LoopsController
from app.batch.exporting import Exporting
from app.batch.presenter import LoopRow, LoopsSnapshot, State, Summary
from app.batch.run import OpenLoop
from app.main_window import MainWindow
from app.ongoing import LoopExportsOngoing
from semc_core.export.manifest import check_bundle
from semc_core.export.options import ExportOptions
from semc_core.session.session import Session
from tests.app.batch.states import DONE, FAILED, WAITING, shown
from tests.app.main_thread import PostedWork
from tests.export.scans import video_session

OPTIONS = ExportOptions(clips=False, frames=False)


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)


class List:
    """Loops that are done, and their exports."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.thread, self.folder = PostedWork(), folder
        self.control = LoopsController(self._open, self.thread.post)
        self.control.exports.data = lambda: folder / "data"
        rows = []
        for name in names:
            video_session(folder / name, name=f"{name}.mkv", count=20).close()
            rows.append(LoopRow(folder / f"{name}.mkv", State.DONE, summary=Summary(folder / name)))
        self.control.snapshot = LoopsSnapshot((*rows, WAITING, FAILED), stopped=True)

    def _open(self, path: Path) -> OpenLoop:
        raise AssertionError(f"{path} is not to be opened")

    @property
    def state(self) -> Exporting:
        """How the exports stand now."""
        return self.control.exports.state

    def export(self) -> None:
        """All of them, to the end."""
        self.control.export_all(self.folder / "out", OPTIONS)
        self.thread.run_until(lambda: not self.state.running)


@pytest.fixture
def loops(tmp_path: Path) -> Iterator[List]:
    made = List(tmp_path, "one", "two", "three")
    yield made
    made.control.close()


def test_every_finished_loop_has_an_export_of_its_own(loops: List) -> None:
    loops.export()
    found = sorted((loops.folder / "out").iterdir())
    assert [path.name for path in found] == ["export-001", "export-002", "export-003"]
    assert all(check_bundle(path).ok for path in found)
    assert not any((path / "clips").exists() for path in found), "the options are those of all"
    assert (loops.state.made, loops.state.failures) == (3, ())
    assert loops.state.words.startswith("3 of 3 loops are exported into")
    loops.export()
    assert len(list((loops.folder / "out").iterdir())) == 6, "nothing is written over"


def test_what_fails_is_told_and_the_rest_is_done(loops: List) -> None:
    with Session.open(loops.folder / "two"):  # in review, say
        loops.export()
    assert (loops.state.made, loops.state.done) == (2, 3)
    (failure,) = loops.state.failures
    assert failure.startswith("two: ")
    assert failure.endswith(".")
    assert failure in loops.state.words
    assert len(list((loops.folder / "out").iterdir())) == 2


def test_a_folder_that_takes_nothing_is_told_of_each(loops: List) -> None:
    (loops.folder / "out").write_text("a file", encoding="utf-8")
    loops.export()
    assert (loops.state.made, len(loops.state.failures)) == (0, 3)


def test_ended_by_a_person_it_keeps_what_was_made(loops: List) -> None:
    control, exports = loops.control, loops.control.exports
    control.export_all(loops.folder / "out", OPTIONS)
    loops.thread.run_until(lambda: loops.state.done >= 1)
    exports.cancel()
    loops.thread.run_until(lambda: not loops.state.running)
    made = list((loops.folder / "out").iterdir())
    assert 1 <= len(made) == loops.state.made
    assert not loops.state.failures, "that a person ended it is no failure"
    assert loops.state.words.startswith("The export was stopped; what was made stays.")


def test_who_closes_the_window_is_asked_while_they_go_on(loops: List) -> None:
    asked = LoopExportsOngoing(loops.control.exports)
    assert not asked.now()
    loops.control.export_all(loops.folder / "out", OPTIONS)
    assert asked.now() == "Exporting: 0 of 3."
    assert asked.can_stop()
    asked.stop()
    assert not asked.can_stop()
    loops.thread.run_until(lambda: not loops.state.running)
    assert not asked.now()
    assert not asked.needs_somebody(), "a person ended it"
    with Session.open(loops.folder / "two"):
        loops.export()
    assert "two: " in asked.needs_somebody(), "what failed is not to be missed"


def test_words_say_how_far_it_is_and_what_waits() -> None:
    running = Exporting(4, 1, 1, running=True)
    assert running.words == "Exporting: 1 of 4."
    assert replace(running, cancelled=True).words == "Cancelling"
    done = Exporting(2, 2, 2, 1, folder=Path("/x"))
    assert "In 1 export planes wait for your answer" in done.words
    assert Exporting().words == ""


def test_the_button_exports_what_is_done_and_ends_it(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = shown(LoopsSnapshot((WAITING,), stopped=True), window)
    assert not nothing.export.isEnabled()
    nothing.done(0)
    dialog = shown(LoopsSnapshot((DONE, WAITING), stopped=True), window)
    assert dialog.export.isEnabled()
    began: list[Path] = []
    monkeypatch.setattr(dialog._control, "export_all", lambda folder, options: began.append(folder))
    monkeypatch.setattr(dialog._paths, "ask_folder", lambda title, use, beside=None: use(str(tmp_path)))
    QTest.keyClick(dialog, Qt.Key.Key_E)
    assert began == [tmp_path]
    dialog._control.exports._become(Exporting(2, running=True))
    assert dialog.export.text().startswith("Stop the export")
    QTest.keyClick(dialog, Qt.Key.Key_E)
    assert dialog._control.exports.state.cancelled
    dialog.done(0)
