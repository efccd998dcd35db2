"""What is taken out of the libraries is never loaded, and is theirs."""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatchcase
from importlib.metadata import files
from pathlib import Path

import pytest

import main
from semc_core.cli import trim
from semc_core.cli.trim import UNUSED, unused_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the names are those of wheels for Linux")


def matched(name: str, path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in UNUSED[name])


@pytest.mark.parametrize("name", UNUSED)
def test_every_pattern_names_something_of_its_library_and_no_module_that_is_imported(name: str) -> None:
    held = [str(file) for file in files(name) or []]
    assert [pattern for pattern in UNUSED[name] if not any(fnmatchcase(each, pattern) for each in held)] == []
    modules = [each for each in held if each.endswith(".py") and matched(name, each)]
    assert [each for each in modules if "/tests/" not in each] == []


LOADING = """
import sys
from pathlib import Path
import gdcm
import openvino
from PySide6 import QtGui, QtOpenGLWidgets, QtSvg, QtTest, QtWidgets

openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")
for line in Path("/proc/self/maps").read_text().splitlines():
    if "/" in line:
        print(line.split()[-1])
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None))
"""
"""In a process of its own: what other tests load says nothing."""


def test_nothing_that_a_window_and_a_scan_load_is_taken_out() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, encoding="utf-8", check=True)
    loaded = set(ran.stdout.splitlines())
    assert any("libQt6Widgets" in path for path in loaded)
    assert any("intel_cpu_plugin" in path for path in loaded)
    held = {str(path) for name in UNUSED for path in unused_files(name)}
    assert len(held) > 1000
    assert loaded & held == set()


def test_it_is_said_first_and_done_when_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    about = tmp_path / "numpy-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1\n", encoding="utf-8")
    (about / "RECORD").write_text(
        "numpy/core.py,,\nnumpy/lib/tests/a.py,,\nnumpy/lib/tests/gone.py,,\n", encoding="utf-8"
    )
    tests = tmp_path / "numpy" / "lib" / "tests"
    tests.mkdir(parents=True)
    (tests / "a.py").write_bytes(bytes(2_000_000))
    (tests / "own.py").touch()  # of nobody's record
    core = tmp_path / "numpy" / "core.py"
    core.touch()
    found = trim.unused_files
    monkeypatch.setattr(trim, "unused_files", lambda name: found(name, [str(tmp_path)]))
    monkeypatch.setattr(trim, "installed", lambda package: False)
    assert main.main(["trim"]) == 0
    assert "2 MB could be freed" in capsys.readouterr().out
    assert (tests / "a.py").exists()
    assert main.main(["trim", "--yes"]) == 0
    assert "2 MB are free" in capsys.readouterr().out
    assert not (tests / "a.py").exists()
    assert core.exists()
    assert (tests / "own.py").exists()


def test_beside_the_extra_train_nothing_is_taken_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trim, "installed", lambda package: package == "nncf")
    assert main.main(["trim", "--yes"]) == 2
    assert "The extra train is installed" in capsys.readouterr().err
