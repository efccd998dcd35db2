"""The log file: there when it is needed, and without the names of files."""

from __future__ import annotations

import logging
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from PySide6.QtCore import QEventLoop, QTimer

import main
from semc_core.errors import SaveError, SourceError
from semc_core.io.log import is_untold, log_file
from semc_core.pipeline.course import Lifecycle


@pytest.mark.usefixtures("qapp")
def test_a_scan_that_fails_is_in_the_log_without_the_name_of_its_file(
    tmp_path: Path, fhp1_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.paths.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("main.log_folder", lambda: tmp_path / "log")
    source, picture = str(tmp_path / "Jane Doe.mp4"), str(tmp_path / "window.png")
    given = ["live", source, "--offscreen", "--device", "cpu", "--screenshot", picture]
    assert main.main([*given, "--model", str(fhp1_model), "--out", str(tmp_path)]) == 1
    written = (tmp_path / "log" / "semc.log").read_text(encoding="utf-8")
    assert "SourceError" in written
    assert "Jane" not in written
    # Nothing of the run's end is left, which would end the events of what follows.
    for _ in range(2):
        loop = QEventLoop()
        QTimer.singleShot(50, partial(loop.exit, 5))
        assert loop.exec() == 5


def test_an_error_is_logged_by_its_type_and_place_only(tmp_path: Path) -> None:
    log, path = logging.getLogger("semc_core.session.writer"), Path("/scans/Jane Doe.png")
    with log_file(tmp_path):
        try:
            try:
                raise PermissionError(13, "Permission denied", str(path))
            except OSError as error:
                raise SaveError(f"{path} cannot be written.") from error
        except SaveError as error:
            log.exception("A plane could not be written.")
            log.warning("%s in %s", error, path)
        logging.getLogger("another.library").warning("Opened Jane Doe.png")
    written = (tmp_path / "semc.log").read_text(encoding="utf-8")
    assert "Jane" not in written
    assert "A plane could not be written." in written
    assert "PermissionError" in written
    assert "SaveError in (a path)" in written
    assert "test_log.py" in written, "where it was raised"


def test_what_the_user_is_told_stands_in_the_file_and_not_in_the_terminal(tmp_path: Path) -> None:
    terminal = logging.StreamHandler(StringIO())
    terminal.addFilter(is_untold)
    logger = logging.getLogger("semc_core")
    logger.addHandler(terminal)
    try:
        with log_file(tmp_path):
            course = Lifecycle()
            course.fail(SourceError("It was not found; check the name."))
            course.fail(ValueError("no sentence of ours"))
    finally:
        logger.removeHandler(terminal)
    said = terminal.stream.getvalue()
    assert "SourceError" in (tmp_path / "semc.log").read_text(encoding="utf-8")
    assert "SourceError" not in said
    assert "The scan was ended by a fault." in said


def test_the_log_is_kept_small(tmp_path: Path) -> None:
    with log_file(tmp_path):
        for _ in range(5000):
            logging.getLogger("app").warning("%s", "x" * 1000)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["semc.log", "semc.log.1", "semc.log.2"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3_000_000


def test_the_program_goes_on_where_no_log_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "log").write_text("a file where the folder should be", encoding="utf-8")
    with log_file(tmp_path / "log"):
        logging.getLogger("app").warning("goes on")
    assert "No log file is kept" in caplog.text
    assert "goes on" in caplog.text
