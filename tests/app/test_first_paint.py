"""What the window has loaded when it is seen for the first time: its start page, and nothing that is slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WATCHED = """
import json, os, sys
from app.shell import WindowShell

def follow_up(window):
    print(json.dumps(sorted(sys.modules)), flush=True)
    os._exit(0)

WindowShell._follow_up = follow_up
import main
main.main(["live", "--painted", "--offscreen"])
"""
SLOW = {
    "PIL",
    "av",
    "cryptography",
    "cuda",
    "cv2",
    "fitz",
    "numpy",
    "openvino",
    "pydantic",
    "pydicom",
    "pynetdicom",
    "pyqtgraph",
    "rich",
    "safetensors",
    "scipy",
    "torch",
    "typer",
}
ROOMS = ("live", "review", "train", "export", "send", "checklist", "dialogs")


def test_until_the_window_is_painted_nothing_is_loaded_that_its_start_page_can_do_without(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"app.main_window", "app.start.page", "PySide6.QtWidgets"} <= loaded, "the window was painted"
    assert loaded & SLOW == set()
    assert loaded & {f"app.{room}" for room in ROOMS} == set()
