"""Every page, dialog and state at every size: nothing is cut, outside, over another part, or faint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.annotating.controller import Annotating, tool_hint
from app.annotating.pencil import Frame
from app.checklist.presenter import REASONS
from app.checklist.reason_dialog import ReasonDialog
from app.closing import ClosingQuestion
from app.commands import LIVE, REVIEW, START, TRAIN
from app.display.reference import ReferenceBeside
from app.export.controller import ExportController, Subject
from app.export.dialog import ExportDialog
from app.export.presenter import ExportState
from app.export.presenter import Phase as ExportPhase
from app.formatting import Banner, StatusItem, Tone
from app.live.earlier import EarlierScan, as_earlier
from app.live.presenter import Readout
from app.main_window import MainWindow
from app.measuring.keys import IN_LIVE
from app.ongoing import TrainingOngoing
from app.review.recording_dialog import DeleteRecordingDialog
from app.send.dialog import SendDialog
from app.send.presenter import SendSnapshot
from app.start.card_dialog import CardDialog
from app.start.models import ModelChoice
from app.start.recent import CardModes, RecentSession
from app.train.data import DataChoice
from app.train.figures import FigureRow
from app.train.install_panel import install_view
from app.train.installation import InstallPhase, InstallState
from app.train.page import ModelRow
from app.train.presenter import TrainView
from app.view_data import LIVE_NAME_KEYS, Asking, Reference, StripMarks
from app.widgets import theme
from app.widgets.levels import Levels
from app.worklist.presenter import examination_line
from semc_core.export.found_text import FoundText, TextFinding
from semc_core.export.options import ExportResult
from semc_core.pacs.destinations import Destination
from semc_core.pacs.queue_store import Job
from semc_core.pacs.service import SendState
from semc_core.picture import Picture
from semc_core.session.annotations import Annotation
from semc_core.types import Crop, FramePacket
from tests.app.batch.states import LOOPS
from tests.app.conftest import WAIT_MS
from tests.app.long_words import LONG, PLANES, checklist, planes
from tests.app.looks import faults, longer_words, settled
from tests.app.own_process import ALONE, alone
from tests.app.preferences.states import PREFERENCES
from tests.app.priors.states import PRIORS
from tests.app.sessions.states import SESSIONS
from tests.app.worklist.states import ASKED, WORKLISTS
from tests.export import scans

FEW: Final = ((0, 0), (800, 1280))
"""The first is the smallest that there is."""
SIZES: Final = ((960, 600), (1024, 700), (1366, 768), (1920, 1080), (3840, 2160))
"""All others that are tried."""
MOST_PX: Final = 10_000_000
"""No screen has more, so that at twice the scale a window of 3840 x 2160 is not drawn."""
PICTURES: Final = "SEMC_LOOKS_PICTURES"
"""Names a folder into which every state is drawn, to be looked at."""


@dataclass
class Stage:
    """A window that shows what it is told: nothing in it goes on by itself.

    Attributes:
        window: Its timer is stopped, once what is opened is open.
        folder: For what a state needs.
        parts: What must be closed at the end.
    """

    window: MainWindow
    folder: Path
    qtbot: QtBot
    parts: list[Callable[[], object]] = field(default_factory=list)

    def page(self, name: str) -> MainWindow:
        self.window.banner.show_banner(None)
        self.window.help.hide()
        self.window.viewer.hide()
        self.window.live_page.held.reference.leave()
        self.window.go_to(name)
        return self.window


State = Callable[[Stage], QWidget]


def start_first_run(stage: Stage) -> QWidget:
    window = stage.page(START)
    window.start_page.first_run.show()
    return window


def start_fresh(stage: Stage) -> QWidget:
    stage.window.start_page.first_run.hide()
    return stage.page(START)


def start_full(stage: Stage) -> QWidget:
    window = stage.page(START)
    page, path = window.start_page, Path("/data") / f"{LONG}.safetensors"
    page.show_recent([f"/data/{LONG}/loop{i}.mp4" for i in range(4)], [f"/data/{LONG}/kept.mp4"])
    when = datetime(2026, 11, 21, 15, 0)
    page.show_sessions([RecentSession(Path(f"/data/{LONG}{i}"), LONG, when, 12) for i in range(4)])
    page.show_models(
        [ModelChoice(path, f"Your model, version 12 · {LONG}", f"15 planes; {LONG}; 93% right.")]
    )
    page.show_model(path, LONG, "auto")
    page.show_cameras([("camera:0", LONG)])
    page.show_protocols([("a", f"Protocol of {LONG}")], "a")
    page.show_protocol_note(f"This model does not know 3 of the 12 items: {LONG}.", True)
    page.show_deleted("At this start 12 old sessions went, 1234.5 MB in all.")
    page.show_back("review")
    return window


def start_with_a_fault(stage: Stage) -> QWidget:
    window = start_full(stage)
    told = f"{LONG} cannot be opened; check the cable. " * 2
    stage.window.banner.show_banner(Banner(told, True, ("source", "start_stop"), (LONG,)))
    return window


def live_empty(stage: Stage) -> QWidget:
    return stage.page(LIVE)


def live_scanning(stage: Stage) -> QWidget:
    window = stage.page(LIVE)
    page = window.live_page
    text = Readout("PLANE12", LONG, Tone.PLANE, 0.93, "93%", "120 ms ago", False, True, f"Dark; {LONG}")
    page.readout.show_readout(text, theme.GOOD)
    page.strip.show_planes(planes(14), theme.plane_colours(PLANES))
    page.strip.show_folder(f"/data/{LONG}/{LONG}")
    window.checklists.live.show_view(checklist(12))
    window.checklists.live.fold(False)
    window.status.show_numbers(tuple(StatusItem(f"number {i}", "123.4 ms", i == 2, LONG) for i in range(9)))
    window.status.show_model(f"Your model, version 12 on NVIDIA GPU ({LONG})", f"Untrained. {LONG}.")
    window.show_examination(examination_line(ASKED, "this scan", used=True))
    return window


def live_with_a_fault(stage: Stage) -> QWidget:
    window = live_scanning(stage)
    stage.window.live_page.readout.show_readout(Readout("No picture", LONG, Tone.FAULT), theme.FAULT)
    stage.window.banner.show_banner(Banner(f"{LONG}. " * 2, False, ("sending",)))
    stage.window.status.show_sentence(f"{LONG}. " * 4)
    return window


def live_annotated(stage: Stage) -> QWidget:
    """Held, with what is written and drawn, and the tools beside the picture."""
    window = live_scanning(stage)
    page = stage.window.live_page
    size = 320, 240
    picture = Picture(np.full(size[::-1], 60, np.uint8))
    page.view.show_picture(FramePacket("loop", 0, 0.0, 0.0, picture), None, None, None)
    page.view.show_texts((("FROZEN", theme.ACCENT),), tool_hint("mark", IN_LIVE), None)
    draw_on(page.held.annotating, 0, size)
    page.held.measuring.layer.show()
    stage.parts += [page.held.let_go, page.held.measuring.layer.hide]
    return window


def live_asking(stage: Stage) -> QWidget:
    window = live_scanning(stage)
    stage.window.live_page.held.ask_line.ask(Asking("Length of the line in millimetres", "12.5"))
    return window


def live_naming(stage: Stage) -> QWidget:
    window = live_scanning(stage)
    stage.window.live_page.held.ask_line.ask(None)
    keys = LIVE_NAME_KEYS[: len(PLANES)]
    stage.window.live_page.strip.ask("Which plane is the capture?", tuple(zip(keys, PLANES, strict=True)))
    for control in stage.window.look.controls:
        control.show_levels(Levels(-100, 100))
    stage.window.live_page.view.place_corner()
    return window


def live_going_on(stage: Stage) -> QWidget:
    window = live_scanning(stage)
    scan = EarlierScan()
    scan.offer(as_earlier(planes(14)))
    stage.window.live_page.strip.ask(*scan.question(), "Esc: a new one")
    return window


def live_with_a_plane_chosen(stage: Stage) -> QWidget:
    window = live_scanning(stage)
    strip, marks = stage.window.live_page.strip, StripMarks(3, frozenset({2, 3}), frozenset({1}))
    strip.show_planes(planes(14), theme.plane_colours(PLANES), marks)
    offered = (("1", "FHP1"), ("", LONG[:40]))
    strip.ask("LLP at 0:12.0 is:", offered, "X: reject, or take back   Esc: done")
    return window


def live_beside_a_reference(stage: Stage) -> QWidget:
    window = live_scanning(stage)
    _refer(stage.window.live_page.held.reference, Reference(LONG, LONG, np.full((300, 400), 90, np.uint8)))
    return window


def _refer(beside: ReferenceBeside, shown: Reference) -> None:
    beside.leave()
    beside.find = lambda plane: shown
    beside.toggle()
    beside.tick("FHP1")


def review_empty(stage: Stage) -> QWidget:
    stage.window.live_page.strip.ask("", ())
    return stage.page(REVIEW)


def review_many_planes(stage: Stage) -> QWidget:
    window = stage.page(REVIEW)
    if window.review.open is None:
        scans.video_session(stage.folder / "session", count=20).close()
        window.open_review(stage.folder / "session")
        window._timer.start()
        page = window.review_page
        stage.qtbot.waitUntil(
            lambda: len(page.planes.cards) == 2 and page.view.packet is not None, timeout=WAIT_MS
        )
        window._timer.stop()
    window.checklists.review.show_view(checklist(12))
    window.banner.show_banner(None)
    return window


def review_comparing(stage: Stage) -> QWidget:
    window = review_many_planes(stage)
    beside, commands = stage.window.review_page.beside, stage.window.review_page.commands
    assert commands is not None
    if not beside.on:
        beside.toggle(commands)
    beside.view.show_texts((("STAYS 0:12.0", theme.DIM),), "", None)
    return window


def review_beside_a_reference(stage: Stage) -> QWidget:
    window = review_many_planes(stage)
    beside = stage.window.review_page.beside
    beside.leave()
    _refer(beside.reference, Reference(LONG, LONG, np.full((300, 400), 90, np.uint8)))
    return window


def review_without_a_reference(stage: Stage) -> QWidget:
    window = review_many_planes(stage)
    said = "{} has no reference picture of this item. A protocol of your own can have one: a file beside it."
    beside = stage.window.review_page.beside
    beside.leave()
    _refer(beside.reference, Reference("Left portal vein, sagittal", sentence=said.format(LONG)))
    for row in stage.window.checklists.review.rows[:3]:
        row.show_target(True)
    return window


def review_annotated(stage: Stage) -> QWidget:
    window = review_many_planes(stage)
    packet = stage.window.review_page.view.packet
    assert packet is not None
    draw_on(stage.window.annotating, packet.index, (packet.picture.width, packet.picture.height))
    return window


def draw_on(annotating: Annotating, index: int, size: tuple[int, int]) -> None:
    """A text, an arrow and a body mark, which is chosen."""
    at = ((size[0] * 0.3, size[1] * 0.4), (size[0] * 0.5, size[1] * 0.6))
    annotating.pencil.show(
        Frame(index, *size),
        (
            Annotation(1, "text", at[:1], index, *size, text=LONG[:40]),
            Annotation(2, "arrow", at, index, *size),
            Annotation(3, "mark", at, index, *size, figure="fetus"),
        ),
    )
    annotating.pencil.choose(3)
    annotating.layer.show_all()


def review_asking(stage: Stage) -> QWidget:
    window = review_many_planes(stage)
    page = stage.window.review_page
    page.beside.leave()
    page.ask_line.ask(Asking("Note on FHP1 at 0:12.0", LONG))
    page.panel.show_chosen(f"FHP1, frame 12, found by the model. {LONG}.")
    page.planes.show_texts("Planes (2)", f"Note: {LONG} {LONG}", "")
    stage.window.banner.show_banner(Banner(f"{LONG}. " * 2, False))
    return window


def train_fresh(stage: Stage) -> QWidget:
    stage.window.review_page.ask_line.ask(None)
    window = stage.page(TRAIN)
    window.train_page.show_installing(False)
    return window


def train_running(stage: Stage) -> QWidget:
    window = stage.page(TRAIN)
    page = window.train_page
    page.show_installing(False)
    page.show_data([DataChoice("a", "My corrections (123 sessions)"), DataChoice("b", f"{LONG[:25]}…")])
    models = [ModelRow(i, f"Version {i}, 21 Nov 2026, F1 0.913 (forced)", i == 2) for i in range(4)]
    page.show_models(models, True, f"Going back, the next scan uses this one again: {models[1].text}.")
    page.show_about(f"It learns from: my corrections, {LONG[:25]}…. Length: 45 minutes. Network: semc_live.")
    detail = "Validation, best so far: F1 0.913, accuracy 0.931, at step 120."
    page.show_view(TrainView("Training: 43% done, 12 min left", detail, "", 0.43, False, True, False))
    return window


def train_failed(stage: Stage) -> QWidget:
    window = train_running(stage)
    page = stage.window.train_page
    page.show_view(TrainView("The training failed", f"{LONG}. " * 3, "fault", None, True, False, True))
    page.show_fault(f"{LONG}. " * 2)
    page.show_comparison(f"{LONG}. " * 2, True, True, f"{LONG}.")
    return window


def train_comparing(stage: Stage) -> QWidget:
    window = train_running(stage)
    page = stage.window.train_page
    page.show_fault("")
    page.show_view(TrainView("Finished", "Validation, best: F1 0.913, accuracy 0.931, at step 120."))
    rows = [FigureRow(name, "0.913", "0.902", "+0.011 (-0.004 to +0.021)") for name in ("F1", "Accuracy")]
    page.show_comparison(f"{LONG}. " * 2, True, False, f"{LONG}.", rows)
    page.compare.setChecked(False)
    page.compare.click()
    assert page.figures.isVisible()
    return window


def train_with_two_kinds(stage: Stage) -> QWidget:
    window = train_fresh(stage)
    texts = {"a": "3VV, 4CH …: 12 corrected sessions", "b": "FHP1, FHP2 …: 12 corrected sessions"}
    choices = [DataChoice(key, text, apart=("b" if key == "a" else "a",)) for key, text in texts.items()]
    stage.window.train_page.show_data(choices)
    stage.window.train_page.show_comparison("", False, False)
    return window


def train_installing(stage: Stage) -> QWidget:
    window = stage.page(TRAIN)
    stage.window.train_page.show_fault("")
    stage.window.train_page.show_installing(True)
    state = InstallState(InstallPhase.RUNNING, (LONG, f"{LONG} {LONG}"), 0.4)
    stage.window.train_page.install.show_view(install_view(state), state.lines)
    return window


def _keys(page: str) -> State:
    def keys(stage: Stage) -> QWidget:
        window = stage.page(page)
        window.help.toggle(page)
        return window.help

    return keys


def a_plane_large(stage: Stage) -> QWidget:
    window = stage.page(LIVE)
    window.viewer.show_plane(planes(2)[1])
    return window.viewer


def _dialog(make: Callable[[Stage], QDialog]) -> State:
    def dialog(stage: Stage) -> QWidget:
        stage.page(START)
        made = make(stage)
        stage.parts.append(lambda: made.done(0))
        made.show()
        return made

    return dialog


def _closing(stage: Stage) -> QDialog:
    ongoing = TrainingOngoing(stage.window.train.process)
    question = ClosingQuestion(ongoing, "Training: 43% done, 12 min left", stage.window)
    question._timer.stop()
    return question


def _card(stage: Stage) -> QDialog:
    dialog = CardDialog(LONG, stage.window.settings, stage.window)
    dialog.show_card(CardModes("card", ("1920x1080@60 nv12", f"640x480 {LONG}"), "1920x1080@60 nv12"), None)
    return dialog


def _sending(*, empty: bool, web: bool = False, twice: bool = False) -> Callable[[Stage], QDialog]:
    def make(stage: Stage) -> QDialog:
        control = stage.window.dialogs.sending
        server = Destination("archive", "archive.hospital.example", 11112, "ARCHIVE")
        jobs = tuple(
            Job(i, "uid", "2026-11-21T15:00:00+00:00", "archive", None, "ab", counts, LONG, False, kept)
            for i, counts, kept in (
                (1, {}, {}),
                (2, {"sent": 9}, {"committed": 3, "asked": 4, "refused": 2}),
                (3, {"sent": 9}, {"committed": 9}),
            )
        )
        control.snapshot = SendSnapshot(True) if empty else SendSnapshot(
            True, (server,), jobs, SendState("waiting", message=f"archive cannot be reached: {LONG}.")
        )  # fmt: skip
        dialog = SendDialog(control, None if empty else Path("bundle"), None, stage.window)
        if web:
            dialog._add_web()
            dialog.web_form.say(f"{LONG}. " * 2)
        if twice:
            dialog._add()
            for field in (dialog.form.name, dialog.form.host, dialog.form.title):
                field.setText("archive")
            dialog.form._keep()
            assert dialog.form.asking
        return dialog

    return make


def _export(state: ExportState | None) -> Callable[[Stage], QDialog]:
    def make(stage: Stage) -> QDialog:
        if not (folder := stage.folder / "exported" / "session").exists():
            folder.parent.mkdir()
            scans.video_session(folder, count=20).close()
        window = stage.window
        control = ExportController(Subject(folder), window.choices.data, window._main_thread.post)
        stage.qtbot.waitUntil(lambda: control.material is not None, timeout=WAIT_MS)
        dialog = ExportDialog(control, window.settings, stage.folder / LONG, window)
        stage.parts.append(control.close)
        if state is not None:
            control._state = state
            dialog._take()
            dialog._progress.stop()
        return dialog

    return make


_FOUND: Final = TextFinding(1, "FHP1", (FoundText(Crop(90, 80, 60, 20), "DOE"),))
_RESULT: Final = ExportResult(
    Path(f"/data/{LONG}/export-001"), 40, 12_000_000, "ab", 12, (f"{LONG}. " * 2,),
    rejected=3, not_chosen=2,
)  # fmt: skip
_HELD: Final = replace(_RESULT, held=(_FOUND, TextFinding(2, "LLP", _FOUND.found)))


def _worklist(make: Callable[[MainWindow], QDialog]) -> State:
    return _dialog(lambda stage: make(stage.window))


_WORKLISTS: Final = {
    name: _worklist(make) for name, make in (WORKLISTS | PRIORS | SESSIONS | LOOPS | PREFERENCES).items()
}

STATES: Final[dict[str, State]] = {
    each.__name__: each
    for each in (
        start_first_run,
        start_fresh,
        start_full,
        start_with_a_fault,
        live_empty,
        live_scanning,
        live_with_a_fault,
        live_annotated,
        live_asking,
        live_naming,
        live_going_on,
        live_with_a_plane_chosen,
        live_beside_a_reference,
        review_empty,
        review_many_planes,
        review_annotated,
        review_comparing,
        review_beside_a_reference,
        review_without_a_reference,
        review_asking,
        train_fresh,
        train_running,
        train_failed,
        train_comparing,
        train_with_two_kinds,
        train_installing,
        a_plane_large,
    )
} | {
    **{f"keys of {page}": _keys(page) for page in (START, LIVE, REVIEW, TRAIN)},
    "closing": _dialog(_closing),
    "reason": _dialog(lambda stage: ReasonDialog(LONG, REASONS, stage.window)),
    "delete recording": _dialog(lambda stage: DeleteRecordingDialog(123_456_789, stage.window)),
    "card": _dialog(_card),
    "no server": _dialog(_sending(empty=True)),
    "sending": _dialog(_sending(empty=False)),
    "a DICOMweb service": _dialog(_sending(empty=True, web=True)),
    "a server of the same name": _dialog(_sending(empty=False, twice=True)),
    **_WORKLISTS,
    "export": _dialog(_export(None)),
    "export failed": _dialog(_export(ExportState(message=f"{LONG}. " * 2, failed=True, changed=True))),
    "export running": _dialog(_export(ExportState(ExportPhase.RUNNING, "Writing pictures", 3, 10))),
    "export asks": _dialog(_export(ExportState(ExportPhase.TEXT, findings=_HELD.held, result=_HELD))),
    "export done": _dialog(_export(ExportState(ExportPhase.DONE, result=_RESULT))),
    "export done but for planes that wait": _dialog(_export(ExportState(ExportPhase.DONE, result=_HELD))),
}


@pytest.fixture
def stage(
    new_window: Callable[[], MainWindow], tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    monkeypatch.setattr(scans, "CLASSES", (*PLANES, "NSP"))
    window = new_window()
    window._timer.stop()
    # Its own lists would take the place of those that a state shows.
    qtbot.waitUntil(lambda: not window.sources._busy, timeout=60_000)
    made = Stage(window, tmp_path, qtbot)
    yield made
    for close in reversed(made.parts):
        close()


def fitted(root: QWidget, window: MainWindow) -> None:
    """A dialog is as large as it would be over a window of this size."""
    settled()
    if isinstance(root, QDialog):
        root.resize((window.size() * 0.94).boundedTo(root.minimumSize().expandedTo(root.sizeHint()) * 1.5))


def wrong(
    stage: Stage,
    sizes: tuple[tuple[int, int], ...],
    monkeypatch: pytest.MonkeyPatch,
    *,
    longer_too: bool = True,
) -> Iterator[str]:
    """All that is wrong, each with its state and size; `longer_too` also with longer words."""
    pictures = os.environ.get(PICTURES, "")
    for name, state in STATES.items():
        stage.window.resize(QSize(*sizes[0]))
        root = state(stage)
        for wide, high in sizes:
            if wide * high * stage.window.devicePixelRatioF() ** 2 > MOST_PX:
                continue
            stage.window.resize(QSize(wide, high))
            if not isinstance(root, QDialog):
                root = state(stage)  # the list of keys leaves when the window changes
            fitted(root, stage.window)
            told = faults(root, monkeypatch)
            if pictures:
                root.grab().save(f"{pictures}/{name} {wide}x{high}.png")
            longer = []
            # The smallest window has room for the words as they are; the list of keys is made when it opens.
            if longer_too and wide and (root is stage.window or isinstance(root, QDialog)):
                with longer_words(root):
                    longer = faults(root, monkeypatch, contrast=False)
            yield from (f"{name}, {wide}x{high}: {each}" for each in told)
            yield from (f"{name}, {wide}x{high}, longer words: {each}" for each in longer if each not in told)
        while stage.parts:
            stage.parts.pop()()


def test_nothing_is_cut_outside_over_another_part_or_faint(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ALONE in os.environ:
        assert list(wrong(request.getfixturevalue("stage"), FEW, monkeypatch)) == []
    else:
        alone(__file__, "test_nothing_is_cut_outside_over_another_part_or_faint")


@pytest.mark.long
def test_nothing_is_at_any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if ALONE in os.environ:
        sizes = FEW + SIZES if os.environ.keys() & {"QT_SCALE_FACTOR", PICTURES} else SIZES
        assert list(wrong(request.getfixturevalue("stage"), sizes, monkeypatch)) == []
    else:
        alone(__file__, "test_nothing_is_at_any_size")


@pytest.mark.long
def test_nothing_is_at_twice_the_scale() -> None:
    alone(__file__, "test_nothing_is_at_any_size", QT_SCALE_FACTOR="2")
