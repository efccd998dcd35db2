"""The page for training installs what training needs: a small package here, by pip, from a folder."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.train import installation
from app.train.install_panel import install_view
from app.train.installation import Installation, InstallPhase, InstallState, failure, why_not_here
from semc_core.errors import UsageError
from semc_core.extras import constraints, requirements

PACKAGE = "semc_small_test"
PIP_MS = 60_000


@pytest.fixture
def pip_from_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Environment of a pip that looks into a folder only, and installs into one that Python searches."""
    wheel = tmp_path / "wheels" / f"{PACKAGE}-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    about = f"{PACKAGE}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{PACKAGE}.py", "")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", f"{PACKAGE}.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path / "target"))
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return own | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_TARGET": str(tmp_path / "target"),
    }


@pytest.fixture
def lacking_window(new_window: Callable[[], MainWindow], monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A window whose training needs the small package."""

    def why_not() -> str:
        return "" if importlib.util.find_spec(PACKAGE) else "Training needs a small package."

    monkeypatch.setattr("app.train.controller.why_not", why_not)
    window = new_window()
    window.show()
    window.show_training()
    return window


@pytest.mark.long
def test_what_training_needs_is_installed_from_the_page_and_training_may_begin(
    lacking_window: MainWindow, pip_from_folder: dict[str, str], qtbot: QtBot
) -> None:
    train, page, panel = lacking_window.train, lacking_window.train_page, lacking_window.train_page.install
    train.installation = Installation([PACKAGE], environment=pip_from_folder)
    qtbot.waitUntil(lambda: panel.isVisible() and panel.install.isVisible(), timeout=PIP_MS)
    qtbot.waitUntil(lambda: "6 GB" in panel.about.text(), timeout=PIP_MS)
    assert not page.start.isEnabled()
    qtbot.mouseClick(panel.install, Qt.MouseButton.LeftButton)  # type: ignore[no-untyped-call]
    qtbot.waitUntil(lambda: panel.cancel.isVisible() and panel.bar.isVisible(), timeout=PIP_MS)
    assert not panel.install.isVisible()
    qtbot.waitUntil(lambda: not panel.isVisible(), timeout=PIP_MS)
    qtbot.waitUntil(lambda: page.start.isEnabled(), timeout=PIP_MS)
    assert any(
        f"Successfully installed {PACKAGE}" in line.replace("-", "_")
        for line in train.installation.poll().lines
    )


def test_a_package_that_is_not_there_is_a_sentence_and_what_pip_said_is_shown(
    lacking_window: MainWindow, pip_from_folder: dict[str, str], qtbot: QtBot
) -> None:
    panel = lacking_window.train_page.install
    lacking_window.train.installation = failing = Installation(
        ["semc_no_such_thing"], environment=pip_from_folder
    )
    failing.start()
    qtbot.waitUntil(lambda: panel.title.text() == "Not installed", timeout=PIP_MS)
    assert panel.about.text().startswith("The packages could not be fetched")
    assert "semc_no_such_thing" in panel.lines.toPlainText()
    assert panel.install.isVisible()


@pytest.fixture(params=[signal.SIG_IGN, signal.default_int_handler], ids=["begun with &", "begun alone"])
def interrupt(request: pytest.FixtureRequest) -> Iterator[None]:
    """What Ctrl+C does to the program: nothing, where a shell started it beside others."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    assert signal.getsignal(signal.SIGINT) is request.param
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.usefixtures("interrupt")
def test_an_installation_is_stopped_and_may_begin_again(tmp_path: Path, qtbot: QtBot) -> None:
    slow = tmp_path / "python"
    slow.write_text(
        "#!/bin/sh\necho Collecting torch\necho Progress 1 of 4\nexec sleep 600\n", encoding="utf-8"
    )
    slow.chmod(0o700)
    installing = Installation(["torch"], str(slow))
    installing.start()
    qtbot.waitUntil(lambda: installing.poll().share == 0.25, timeout=PIP_MS)
    installing.cancel()
    assert install_view(installing.poll()).title in (
        "Stopping …",
        install_view(InstallState(InstallPhase.CANCELLED)).title,
    )
    qtbot.waitUntil(
        lambda: not installing.alive or installing.poll().phase is InstallPhase.CANCELLED, timeout=PIP_MS
    )
    view = install_view(installing.poll())
    assert view.can_install
    assert not view.can_cancel
    installing.start()
    assert installing.alive
    installing.close()
    assert not installing.alive


def test_where_nothing_may_be_installed_the_page_says_so_and_has_no_button(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert why_not_here() == ""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "frozen", True, raising=False)
        assert "in one piece" in why_not_here()
        with pytest.raises(UsageError, match="in one piece"):
            Installation().start()
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: path != sysconfig.get_path("purelib"))
        refused = why_not_here()
        assert "may not write" in refused
        assert not install_view(InstallState(), refused).can_install
    with monkeypatch.context() as patch:
        patch.setattr(sys, "prefix", sys.base_prefix)
        patch.setattr(installation, "_managed", lambda: True)
        assert "belongs to the system" in why_not_here()


def test_the_reason_of_a_failure_is_told_in_words() -> None:
    assert "disk is full" in failure(["ERROR: [Errno 28] No space left on device"])
    assert "may not write" in failure(["ERROR: [Errno 13] Permission denied: '/usr'"])
    assert "check the network" in failure(["WARNING: Retrying after connection broken", "ERROR: No matching"])
    assert failure(["Collecting a", "ERROR: a is broken", "more"]).endswith("ERROR: a is broken")


def test_the_packages_of_the_extra_and_their_pins_travel_with_the_program() -> None:
    assert {"torch", "lightning"} <= set(requirements("train"))
    assert "torch" not in requirements("ocr")
    pins = constraints()
    assert pins is not None
    assert "torch==" in pins.read_text(encoding="utf-8")
