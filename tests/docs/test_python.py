"""The page on the Python interface: what it names is there, and its example runs."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "python.md"
_ROOM: Final = re.compile(r"`(semc_core(?:\.\w+)+)`")
_NAME: Final = re.compile(r"`(?:[A-Z]\w*\.)?([A-Za-z]\w*)(?:\(\))?`")


@pytest.mark.long
def test_the_example_runs_as_it_stands(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    first, *planes, last = done.stdout.splitlines()
    assert re.fullmatch(r"frame 0: \S+, \d+%", first)
    assert planes, "the scan holds a plane"
    assert all(re.fullmatch(r"\S+ at \d+\.\d s, \d+%: \S+\.png", line) for line in planes)
    assert last.startswith("240 frames, ")
    saved = {line.rpartition(": ")[2] for line in planes}
    assert saved <= {path.name for path in (tmp_path / "scan").glob("*.png")}
    with zipfile.ZipFile(tmp_path / "study.zip") as bundle:
        names = bundle.namelist()
    assert {"manifest.json", "planes.csv", "report.pdf", "dicom/report.dcm"} <= set(names)


def test_what_the_table_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 9
    modules = [importlib.import_module(name) for name in sorted(set(_ROOM.findall("".join(rows))))]
    public = {name for module in modules for name in vars(module)}
    classes = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    public |= {name for each in classes for name in vars(each)}
    named = {name for row in rows for name in _NAME.findall(row)}
    assert len(named) > 25
    assert named - public == set()
