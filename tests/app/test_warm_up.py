"""What a scan's threads need is imported before they are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
version = 1
[[device]]
name = "Card"
identity = "card@port-1"
modes = ["640x480@30,yuyv"]
"""
WATCHED = """
import json, sys, threading

class Watch:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread() and name.partition(".")[0] in LIBRARIES:
            late.append(f"{name} on {threading.current_thread().name}")

LIBRARIES = ("cryptography", "cv2", "numpy", "openvino", "pydantic", "pydantic_core", "torch")
late = []
sys.meta_path.insert(0, Watch())
import main
code = main.main(sys.argv[1:])
print(json.dumps([code, "pydantic" in sys.modules, "openvino" in sys.modules, late]))
"""


@pytest.mark.long
@pytest.mark.parametrize("source", ["simulated:7", "camera:simulated:card.toml"])
def test_no_thread_of_a_scan_imports_a_library_while_another_may(source: str, tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, "live", source, "--device", "cpu", "--seconds", "3", "--out", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
    )
    code, *loaded, late = json.loads(done.stdout.splitlines()[-1])
    assert (code, loaded) == (0, [True, True]), done.stderr
    assert late == []
