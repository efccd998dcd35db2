"""The page for training, driven as a user does, with real trainings as processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from click import Context
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.train.data import SIMULATED, meant, place_of
from app.train.figures import FigureRow
from app.train.plan import TrainPlan, plan_of
from app.train.presenter import Phase, RunState
from app.train.process import TrainingProcess
from main import command_line
from semc_core.errors import UsageError
from semc_core.model.comparison import Comparison, Measured
from semc_core.model.file import read_spec
from semc_core.model.registry import ModelRegistry
from semc_core.paths import DEFAULT_MODEL
from semc_core.session.correcting.changes import Relabel
from tests.session.kinds import FETAL, LIVER, mixed_sessions
from tests.session.sessions import filled_session
from tests.training.toy_folder import write_toy_folder

TRAIN_MS = 280_000
"""Of a training, on a machine where everything else runs at once. A test that passes does not wait for it."""


@pytest.fixture
def toy_folder(tmp_path: Path) -> Path:
    return write_toy_folder(tmp_path / "toy")


@pytest.fixture
def in_use(tmp_path: Path, tiny_model_path: Path) -> ModelRegistry:
    """The user has a small network in use, so that a new one is small, too."""
    library = ModelRegistry(tmp_path / "data" / "models")
    library.add(tiny_model_path, use=True)
    return library


def click(qtbot: QtBot, button: object) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[no-untyped-call]


@pytest.mark.long
def test_a_toy_is_learned_used_and_put_back_from_the_page(
    in_use: ModelRegistry, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    # Few rounds over many pictures: the network learns as fast, and its measure of the unknown, which costs
    # it the last points of its accuracy, is fitted on more of them.
    toys = write_toy_folder(tmp_path / "discs and bars", count=1080, patients=40)
    page, train = window.train_page, window.train
    window.actions_by_name["train"].trigger()
    assert window.page_name == "train"
    qtbot.waitUntil(lambda: page.start.isEnabled(), timeout=TRAIN_MS)
    assert not page.chosen
    click(qtbot, page.start)
    assert "nothing to learn from" in page.fault.text()
    train.add_folder(str(toys))
    assert page.chosen == (str(toys),)
    page.unit.setCurrentText("rounds")
    page.length.setValue(4)
    page.go_on.setChecked(False)
    click(qtbot, page.start)
    qtbot.waitUntil(lambda: train.training, timeout=TRAIN_MS)
    assert not page.start.isEnabled()
    qtbot.waitUntil(lambda: train.state.phase is Phase.FINISHED, timeout=TRAIN_MS)

    comparison = train.process.comparison()
    assert comparison is not None
    assert comparison.frames >= 150
    assert train.state.tested_accuracy == pytest.approx(comparison.candidate.accuracy, abs=1e-5)
    assert train.state.tested_accuracy >= 0.95
    assert page.curves.points[1] > 1
    assert page.curves.best == (train.state.validated_at, train.state.f1)
    assert "Held-out pictures" in page.detail.text()
    # The model in use knows other planes, so the two were not compared, and nothing is replaced unasked.
    assert "was not compared" in page.compared.text()
    assert page.use.isHidden()
    before = in_use.current()
    assert before is not None
    click(qtbot, page.force)
    qtbot.waitUntil(lambda: page.compared.text() == "The new model is in use.", timeout=TRAIN_MS)
    after = in_use.current()
    assert after is not None
    assert (after.number, after.forced) == (2, True)
    window.show_sources()
    assert window.choices.model_title == "Your model, version 2"
    assert window.choices.model == in_use.path(after)

    window.show_training()
    click(qtbot, page.rollback)
    qtbot.waitUntil(lambda: in_use.current() == before, timeout=TRAIN_MS)
    train.close()


@pytest.mark.long
def test_a_training_outlives_the_window_stops_and_goes_on(
    tiny_model_path: Path, toy_folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    root = tmp_path / "training"
    first = TrainingProcess(root)
    assert first.poll() == RunState()
    with pytest.raises(UsageError, match="no training to go on with"):
        first.resume()
    plan = TrainPlan((str(toy_folder),), "semc_tiny", None, 1000, compare_with=tiny_model_path, threads=1)
    first.start(plan)
    with pytest.raises(UsageError, match="under way"):
        first.start(plan)
    wait(qtbot, first, Phase.RUNNING)
    assert psutil.Process(first._facts.pid).nice() >= 10

    first.release()
    found = TrainingProcess(root)  # the next start of the program
    assert found.folder == first.folder
    assert wait(qtbot, found, Phase.RUNNING).step > 0
    found.stop()
    state = wait(qtbot, found, Phase.STOPPED)
    assert not found.alive
    found.resume()
    wait(qtbot, found, Phase.RUNNING)
    assert found.poll().step >= state.step
    steps = found.events.curves.steps
    assert steps == sorted(set(steps))

    psutil.Process(found._facts.pid).send_signal(signal.SIGKILL)
    assert "ended before its time" in wait(qtbot, found, Phase.LOST).message


def test_a_plan_says_what_is_trained(tmp_path: Path) -> None:
    out, model = tmp_path / "new.safetensors", tmp_path / "old.safetensors"
    with pytest.raises(UsageError, match="nothing to learn from"):
        TrainPlan((), "semc_tiny").arguments(out)
    given = TrainPlan(("a", "b"), "semc_tiny", 5, start_from=model, compare_with=model, threads=1).arguments(
        out
    )
    words = " ".join(given)
    assert words.startswith("--data a --data b --out")
    for part in (
        "--minutes 5",
        "--rate 0.0003",
        f"--encoder {model}",
        f"--compare-with {model}",
        "--nice 19",
    ):
        assert part in words
    words = " ".join(TrainPlan(("a",), "semc_tiny", rounds=3).arguments(out))
    assert "--epochs 3" in words
    assert "--minutes" not in words
    assert "--rate" not in words
    assert main_parses(given)
    chosen = TrainPlan(("a", "b"), "semc_tiny", 5, None, model, model, of=("3VV", "4CH"))
    assert plan_of(chosen.arguments(out)) == chosen
    assert plan_of(TrainPlan(("a",), "x", None, 3.5).arguments(out)) == TrainPlan(("a",), "x", None, 3.5)
    assert plan_of(()) is None
    assert plan_of(("--minutes", "many", "--data", "a")) is None


def main_parses(given: list[str]) -> bool:
    """Whether the command takes these."""
    top = command_line()
    command = top.get_command(Context(top), "train")
    assert command is not None
    return bool(command.make_context("train", given).params["data"])


@pytest.mark.long
def test_a_training_that_fails_says_why(
    window: MainWindow, in_use: ModelRegistry, tmp_path: Path, qtbot: QtBot
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    window.show_training()
    window.train.add_folder(str(empty))
    click(qtbot, window.train_page.start)
    qtbot.waitUntil(lambda: window.train.state.phase is Phase.FAILED, timeout=TRAIN_MS)
    assert "is no data set that can be read" in window.train_page.detail.text()
    assert window.train_page.start.isEnabled()
    assert window.train_page.resume.isHidden()
    assert window.choices.model_title != "The model that came with the program"


def test_corrected_sessions_are_offered_and_ticked(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    root = tmp_path / "saved"
    root.mkdir(exist_ok=True)
    for name, corrected in (("one", True), ("two", False)):
        with filled_session(root / name) as session:
            if corrected:
                session.apply(Relabel(1, "B"))
    window.show_training()
    page = window.train_page
    qtbot.waitUntil(lambda: page.chosen == (str(root),), timeout=TRAIN_MS)
    assert page.ticks[str(root)].text() == "My corrections (1 session)"
    page.ticks[str(root)].setChecked(False)
    window.train.add_folder(str(tmp_path))
    assert page.chosen == (str(tmp_path),)  # a tick that was taken away stays away


def test_corrections_of_fetuses_and_of_livers_are_ticked_one_at_a_time(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    root = mixed_sessions(tmp_path / "saved")
    window.show_training()
    page = window.train_page
    livers, fetuses = place_of(root, LIVER), place_of(root, FETAL)
    qtbot.waitUntil(lambda: fetuses in page.ticks, timeout=TRAIN_MS)
    assert page.ticks[livers].text() == "LLP, RLP: 2 corrected sessions"
    assert page.ticks[fetuses].text() == "3VV, 4CH: 1 corrected session"
    assert set(page.chosen) == {livers}, "the kind of the model in use, which came with the program"
    assert not page.apart.isHidden()
    page.ticks[fetuses].setChecked(True)
    assert set(page.chosen) == {fetuses}
    page.ticks[SIMULATED].setChecked(True)
    assert set(page.chosen) == {SIMULATED}, "simulated patients show livers"
    page.ticks[livers].setChecked(True)
    assert set(page.chosen) == {livers, SIMULATED}
    data, of = meant(page.chosen)
    assert (data, of) == ((str(root), SIMULATED), LIVER)
    plan = TrainPlan(data, "semc_tiny", of=of)
    assert "--of LLP,RLP" in " ".join(plan.arguments(tmp_path / "new.safetensors"))


def running(tmp_path: Path, arguments: list[str]) -> Path:
    """The folder of a training that is under way: for its process stands that of the tests."""
    folder = tmp_path / "data" / "training" / "20261130-100000"
    (folder / "model.run").mkdir(parents=True)
    validated = {"event": "validated", "step": 40, "progress": 0.4, "f1": 0.8, "accuracy": 0.9, "kept": True}
    step = {"event": "step", "step": 43, "progress": 0.43, "loss": 1.0, "eta_s": 720}
    write_lines(folder, validated, step)
    facts = {"arguments": arguments, "pid": os.getpid(), "created_s": psutil.Process().create_time()}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def write_lines(folder: Path, *lines: dict[str, object]) -> None:
    with (folder / "model.run" / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(each)}\n" for each in lines)


def test_a_page_opened_during_a_training_shows_that_training(
    new_window: Callable[[], MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    root, toys = str(tmp_path / "saved"), str(tmp_path / "toys of mine")
    plan = TrainPlan((root, toys), "semc_tiny", None, 7, compare_with=Path("x.safetensors"))
    running(tmp_path, plan.arguments(tmp_path / "new.safetensors"))
    window = new_window()
    page = window.train_page
    window.show_training()
    qtbot.waitUntil(lambda: toys in page.ticks, timeout=TRAIN_MS)
    qtbot.waitUntil(lambda: not page.start.isEnabled(), timeout=TRAIN_MS)

    def ticked() -> set[str]:
        return {place for place, tick in page.ticks.items() if tick.isChecked()}

    qtbot.waitUntil(lambda: ticked() == {root, toys}, timeout=TRAIN_MS)
    assert page.rounds == 7
    assert not page.go_on.isChecked()
    assert not any(tick.isEnabled() for tick in page.ticks.values())
    assert not page.length.isEnabled()
    assert page.about.text() == (
        "It learns from: my corrections, toys of mine. Length: 7 rounds. Network: semc_tiny, which starts "
        "from nothing."
    )
    assert page.title.text() == "Training: 43% done, 12 min left"
    assert page.detail.text() == "Validation, best so far: F1 0.800, accuracy 0.900, at step 40."
    assert page.curves.best == pytest.approx((40, 0.8))
    # Who comes back to the page finds the same.
    page.ticks[toys].setChecked(False)
    window.show_sources()
    window.show_training()
    qtbot.waitUntil(lambda: ticked() == {root, toys}, timeout=TRAIN_MS)


def test_the_form_can_be_filled_again_after_the_training(
    new_window: Callable[[], MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    toys = str(tmp_path / "toys")
    folder = running(tmp_path, TrainPlan((toys,), "semc_tiny", 30).arguments(tmp_path / "new.safetensors"))
    window = new_window()
    page = window.train_page
    window.show_training()
    qtbot.waitUntil(lambda: toys in page.ticks and not page.length.isEnabled(), timeout=TRAIN_MS)
    assert (page.minutes, page.rounds) == (30, None)
    lacking = {"needed_patients": 3, "needed_pictures": 8, "patients": 1, "classes": []}
    write_lines(folder, {"event": "failed", "message": "Too few.", "lacking": lacking})
    window.train.process._facts = replace(window.train.process._facts, pid=0)  # it ended
    qtbot.waitUntil(lambda: page.length.isEnabled(), timeout=TRAIN_MS)
    assert page.title.text() == "Not enough to learn from yet"
    assert page.detail.objectName() == "notice"
    assert page.ticks[toys].isEnabled()
    assert page.chosen == (toys,)


@pytest.fixture
def finished(tmp_path: Path, tiny_model_path: Path) -> Path:
    """A training that ended with a model that is better than the one that came with the program."""
    folder = running(tmp_path, TrainPlan(("toys",), "semc_tiny").arguments(tmp_path / "new.safetensors"))
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps(facts | {"pid": 0}), encoding="utf-8")
    shutil.copy(tiny_model_path, folder / "model.safetensors")
    new, old = read_spec(tiny_model_path).sha256, read_spec(DEFAULT_MODEL).sha256
    measured = Measured(new, 0.95, 0.94, 0.02), Measured(old, 0.93, 0.92, 0.03)
    found = Comparison(*measured, old, 0.02, 0.005, 0.031, "test", 120, 6)
    (folder / "model.run" / "comparison.json").write_text(json.dumps(found.as_json()), encoding="utf-8")
    write_lines(
        folder,
        {"event": "compared", "f1": 0.94, "accuracy": 0.95, "message": found.sentence},
        {"event": "finished", "progress": 1.0},
    )
    return folder


def test_what_came_out_is_said_compared_and_announced_before_it_counts(
    finished: Path, new_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    window = new_window()
    page = window.train_page
    window.show_training()
    qtbot.waitUntil(lambda: page.compared.text() != "", timeout=TRAIN_MS)
    assert page.compared.text().startswith(
        "The new model is better than the one in use: F1 0.940 against 0.920 (+0.020, 95 % interval +0.005 "
        "to +0.031)"
    )
    assert page.detail.text().endswith("Held-out pictures: F1 0.940, accuracy 0.950.")
    assert "counts from the next scan on" in page.announced.text()
    assert not page.announced.isHidden()
    click(qtbot, page.compare)
    assert not page.figures.isHidden()
    assert page.curves.isHidden()
    assert page.figures.rows == (
        FigureRow("F1", "0.940", "0.920", "+0.020 (+0.005 to +0.031)"),
        FigureRow("Accuracy", "0.950", "0.930", "+0.020"),
        FigureRow("Calibration error", "0.020", "0.030", "-0.010"),
    )
    click(qtbot, page.compare)
    assert page.figures.isHidden()
    assert page.back.isHidden()
    click(qtbot, page.use)
    qtbot.waitUntil(lambda: page.compared.text() == "The new model is in use.", timeout=TRAIN_MS)
    assert page.announced.isHidden()
    assert page.back.text() == "Going back, the next scan uses this one again: Came with the program."
    assert page.rollback.isEnabled()
    click(qtbot, page.rollback)
    qtbot.waitUntil(lambda: page.back.isHidden(), timeout=TRAIN_MS)
    assert window.choices.model == DEFAULT_MODEL
    window.train.close()


def test_the_model_in_use_is_the_one_of_the_next_scan(
    new_window: Callable[[], MainWindow], in_use: ModelRegistry
) -> None:
    window = new_window()
    named = window.choices.model  # the command line's
    window.choices.use_registered()
    assert window.choices.model != named
    assert window.choices.model == in_use.path(in_use.current())
    in_use.use(0)
    window.show_sources()
    assert window.choices.model == DEFAULT_MODEL
    (in_use.folder / "library.json").write_text("{", encoding="utf-8")
    window.show_sources()
    assert window.choices.model == in_use.folder / "library.json"  # opening it says what is wrong
    window.show_training()
    assert "remove it to start again" in window.train_page.fault.text()


def wait(qtbot: QtBot, process: TrainingProcess, phase: Phase) -> RunState:
    """Follow a training until it is there."""
    qtbot.waitUntil(lambda: process.poll().phase is phase, timeout=TRAIN_MS)
    return process.poll()
