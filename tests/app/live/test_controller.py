"""Beginning and ending scans without waiting; what is remembered; the cli."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import cli
from app.choices import Choices
from app.live.controller import ScanController
from app.main_window import MainWindow
from app.scan_options import Overrides, ScanOptions
from app.settings import Settings
from semc_core.errors import SemcError, SessionError
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.session.session import Session
from semc_core.sources.base import FrameSource
from semc_core.sources.open import open_source
from semc_core.types import Crop
from tests.app.conftest import WAIT_MS
from tests.app.main_thread import PostedWork

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def settings(settings_file: Path) -> Settings:
    return Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))


def test_stopping_does_not_wait_and_the_next_scan_begins_after_the_end(
    tmp_path: Path, cine_loop: Path, fhp1_model: Path, settings: Settings
) -> None:
    loading, go_on = threading.Event(), threading.Event()
    pipelines: list[LivePipeline[Session]] = []

    def make(options: ScanOptions) -> LivePipeline[Session]:
        first = not pipelines

        def source() -> FrameSource:
            return open_source(options.source)

        def runtime() -> Runtime:
            if first:
                loading.set()
                assert go_on.wait(20)
            return load_runtime(options.model, options.device)

        pipelines.append(LivePipeline(source, runtime, None))
        return pipelines[-1]

    thread = PostedWork()
    control = ScanController(thread.post, settings, make)
    options = ScanOptions(str(cine_loop), fhp1_model, "cpu", tmp_path)
    control.begin(options)
    assert loading.wait(20)
    control.stop()
    assert control.stopping, "the model is still loading, and nobody waited for it"
    control.begin(options)
    control.tick()
    assert len(pipelines) == 1, "the first still holds the source"
    go_on.set()
    thread.run_until(lambda: len(pipelines) == 2)
    control.close()
    assert not control.running


def test_a_source_that_opens_slowly_delays_the_next_scan_and_does_not_lose_it(
    tmp_path: Path, cine_loop: Path, fhp1_model: Path, settings: Settings
) -> None:
    opening, go_on = threading.Event(), threading.Event()
    pipelines: list[LivePipeline[Session]] = []

    class Impatient(LivePipeline[Session]):
        def stop(self, timeout_s: float = 0.05) -> None:
            super().stop(timeout_s)

    def make(options: ScanOptions) -> LivePipeline[Session]:
        def source() -> FrameSource:
            if options.source == "slow":
                opening.set()
                assert go_on.wait(20)
            return open_source(str(cine_loop))

        pipelines.append(Impatient(source, lambda: load_runtime(options.model, options.device), None))
        return pipelines[-1]

    thread = PostedWork()
    control = ScanController(thread.post, settings, make)
    control.begin(ScanOptions("slow", fhp1_model, "cpu", tmp_path))
    assert opening.wait(20)
    control.begin(ScanOptions("next", fhp1_model, "cpu", tmp_path))
    thread.run_until(lambda: "did not stop" in control.fault)
    assert control.options is not None
    assert control.options.source == "next"
    assert len(pipelines) == 1
    go_on.set()
    thread.run_until(lambda: len(pipelines) == 2)
    assert control.fault == ""
    assert pipelines[0].state.phase is Phase.STOPPED
    thread.run_until(lambda: control.over, control.tick)
    control.close()


def held_up(
    tmp_path: Path, loop: Path, model: Path, settings: Settings, last_wait_s: float, go_on: threading.Event
) -> ScanController:
    """A scan that does not stop in time, as its source is not opened before `go_on`."""
    opening = threading.Event()

    class Impatient(LivePipeline[Session]):
        def stop(self, timeout_s: float = 0.05) -> None:
            if timeout_s > 0.05:
                go_on.set()  # as if the machine had time at last
            super().stop(timeout_s)

    def source() -> FrameSource:
        opening.set()
        assert go_on.wait(20)
        return open_source(str(loop))

    def make(options: ScanOptions) -> LivePipeline[Session]:
        return Impatient(source, lambda: load_runtime(options.model, options.device), None)

    control = ScanController(PostedWork().post, settings, make, last_wait_s)
    control.begin(ScanOptions("slow", model, "cpu", tmp_path))
    assert opening.wait(20)
    return control


def test_who_closes_the_program_waits_for_the_end_of_a_scan_that_takes_longer(
    tmp_path: Path, cine_loop: Path, fhp1_model: Path, settings: Settings
) -> None:
    control = held_up(tmp_path, cine_loop, fhp1_model, settings, 30, threading.Event())
    control.close()
    assert control.fault == ""
    assert control.pipeline is not None
    assert control.pipeline.state.phase is Phase.STOPPED


def test_of_a_scan_that_does_not_end_at_all_it_is_said_what_may_be_lost(
    tmp_path: Path, cine_loop: Path, fhp1_model: Path, settings: Settings
) -> None:
    go_on = threading.Event()
    control = held_up(tmp_path, cine_loop, fhp1_model, settings, 0.05, go_on)
    with pytest.raises(SemcError, match=r"did not stop within 0\.05 s"):
        control.close()
    assert "may not be written" in control.fault
    go_on.set()
    assert control.pipeline is not None
    control.pipeline.stop(30)


def test_the_command_ends_with_that_fault(
    tmp_path: Path, cine_loop: Path, fhp1_model: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_too_early(_application: QApplication, window: MainWindow, *_: object, **__: object) -> None:
        window.close()
        window.scan.fault = "The scan did not stop."

    monkeypatch.setattr("app.application.run_window", close_too_early)
    monkeypatch.setattr("semc_core.paths.settings_files", lambda: (tmp_path / "a.ini", tmp_path / "b.ini"))
    words = [str(cine_loop), "--model", str(fhp1_model), "--device", "cpu", "--out", str(tmp_path / "out")]
    with pytest.raises(SemcError, match="The scan did not stop"):
        cli.run(cli.parser().parse_args([*words, "--offscreen", "--seconds", "1"]))


def test_settings_start_with_what_ships(settings: Settings) -> None:
    assert settings.model is None
    assert settings.device == "auto"
    assert settings.heat_style is None
    assert settings.recent_sources == []
    assert settings.crop("camera", 640, 480) is None


def test_the_region_is_remembered_for_cameras_of_the_same_size_only(settings: Settings) -> None:
    crop = Crop(10, 20, 300, 200)
    settings.remember_crop("camera", 640, 480, crop)
    settings.remember_crop("video", 640, 480, crop)
    assert settings.crop("camera", 640, 480) == crop
    assert settings.crop("camera", 320, 240) is None
    assert settings.crop("video", 640, 480) is None
    settings.remember_crop("camera", 640, 480, None)
    assert settings.crop("camera", 640, 480) is None


def test_settings_that_make_no_sense_are_as_if_not_there(settings_file: Path) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    for key, value in {
        "model/device": "toaster",
        "model/file": "/no/such/file",
        "crop/camera_640x480": "a_b",
        "window/geometry": "wide",
    }.items():
        store.setValue(key, value)
    settings = Settings(store)
    assert settings.device == "auto"
    assert settings.model is None
    assert settings.crop("camera", 640, 480) is None
    assert settings.geometry.isEmpty()


def test_recent_sources_are_listed_newest_first_and_once(settings: Settings) -> None:
    for source in ("a", "b", "c", "a", "d", "e", "f", "g"):
        settings.remember_source(source)
    assert settings.recent_sources == ["g", "f", "e", "d", "a", "c"]


def test_what_is_chosen_in_the_window_wins_over_the_command_line(settings: Settings, tmp_path: Path) -> None:
    choices = Choices(settings, Overrides(device="cpu", output=tmp_path / "given"))
    assert choices.options("x").output == tmp_path / "given"
    assert settings.output_folder != tmp_path / "given", "the command line is not remembered"
    choices.use_output(str(tmp_path / "chosen"))
    assert choices.output == tmp_path / "chosen"
    assert settings.output_folder == tmp_path / "chosen"
    assert choices.device == "cpu"


_COMMAND = (
    "import sys; from app import cli; from semc_core.errors import SemcError\n"
    "try: sys.exit(cli.run(cli.parser().parse_args(sys.argv[1:])))\n"
    "except SemcError as error: sys.exit(str(error))"
)


def start_command(*arguments: str, home: Path) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment.update(HOME=str(home), XDG_CACHE_HOME=str(home), XDG_CONFIG_HOME=str(home))
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run_command(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    with start_command(*arguments, home=home) as process:
        out, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only there a machine may have no display")
def test_without_a_display_the_command_says_what_it_found_and_takes_a_picture(
    tmp_path: Path, long_loop: Path, fhp1_model: Path
) -> None:
    done = run_command(
        *(str(long_loop), "--model", str(fhp1_model), "--device", "cpu", "--out", str(tmp_path / "out")),
        *("--seconds", "12", "--measure", str(tmp_path / "cost.json")),
        home=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "FHP1" in done.stdout
    assert "Saved in" in done.stdout
    assert (tmp_path / "out" / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    assert "capture_to_overlay" in (tmp_path / "cost.json").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="only there a machine may have no display")
def test_without_a_display_a_missing_file_is_told_in_one_sentence(tmp_path: Path, fhp1_model: Path) -> None:
    missing = str(tmp_path / "missing.mp4")
    done = run_command(missing, "--model", str(fhp1_model), "--out", str(tmp_path), home=tmp_path)
    assert done.returncode == 1
    assert "missing.mp4 was not found; check the name." in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only there a machine may have no display")
@pytest.mark.long
def test_a_run_that_is_over_before_any_picture_came_says_so(tmp_path: Path, fhp1_model: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        silent = f"udp://127.0.0.1:{free.getsockname()[1]}"
    given = (silent, "--model", str(fhp1_model), "--out", str(tmp_path), "--seconds", "1")
    done = run_command(*given, home=tmp_path)
    assert done.returncode == 1
    assert "No picture came in that time" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only there a machine may have no display")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_ends_programs_closes_the_scan_and_its_session(
    qtbot: QtBot, tmp_path: Path, long_loop: Path, fhp1_model: Path, number: signal.Signals
) -> None:
    given = (str(long_loop), "--model", str(fhp1_model), "--device", "cpu", "--out", str(tmp_path / "out"))
    with start_command(*given, "--seconds", "120", home=tmp_path) as process:
        qtbot.waitUntil(lambda: frames_logged(tmp_path / "out") > 0, timeout=2 * WAIT_MS)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    (database,) = (tmp_path / "out").glob("*/session.sqlite")
    with Session.open(database.parent, read_only=True) as session:
        assert session.closed


def frames_logged(out: Path) -> int:
    """In the only session there, which another process writes; 0 while it is being made."""
    for database in out.glob("*/session.sqlite"):
        with suppress(SessionError), Session.open(database.parent, read_only=True) as session:
            return len(session.frames())
    return 0


def test_the_command_imports_no_qt_before_it_runs() -> None:
    code = "import sys, app.cli; print([m for m in sys.modules if m.split('.')[0] in ('PySide6', 'torch')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
