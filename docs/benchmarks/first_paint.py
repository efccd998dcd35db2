"""How long until the window is there: `python docs/benchmarks/first_paint.py [FOLDER ...] [--runs 15]`.

Starts processes off screen, in turns a bare window of Qt's with numpy and OpenVINO, and one for each FOLDER
with the program (this one where none is named; also versions that loaded all of it first). Prints the time
from the start of the process until the window was painted for the first time, and what that took of the
processors, which other programs disturb less: median, least and most. With `--also MODULE` there is one more
in each turn that imports MODULE before the window is made, to see what a library would cost.
`semc bench window` measures one version, with its pages, also on a screen.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

_CHILD = """
import os, sys, time
import psutil
begun_s = psutil.Process().create_time()
sys.path.insert(0, sys.argv[1])
from PySide6.QtCore import QEvent, QObject, QSettings, QTimer
from app.application import new_application, run_window
if sys.argv[3]:
    __import__(sys.argv[3])
from app.main_window import MainWindow
from app.settings import Settings
from app.warm_up import warm_up

class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self.tell)
        return False

    def tell(self):
        print(time.time() - begun_s, time.process_time(), flush=True)
        os._exit(0)

application = new_application()
settings = Settings(QSettings(sys.argv[2] + "/settings.ini", QSettings.Format.IniFormat))
try:
    window = MainWindow(settings, first=lambda: warm_up("auto"))
except TypeError:
    warm_up("auto")
    window = MainWindow(settings)
watch = Watch()
window.installEventFilter(watch)
run_window(application, window, 60)
"""

_BARE = """
import os, time
import psutil
begun_s = psutil.Process().create_time()
import numpy, openvino
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel

class Bare(QLabel):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, self.tell)

    def tell(self):
        print(time.time() - begun_s, time.process_time(), flush=True)
        os._exit(0)

application = QApplication(["bare"])
window = Bare("A window")
window.resize(1280, 800)
window.show()
application.exec()
"""


def seconds_of(program: Path | None, module: str) -> tuple[float, float]:
    """Time until the first paint of one start, and time of processors, seconds; None is the bare window."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "QT_API": "pyside6",
            "HOME": home,
            "XDG_DATA_HOME": home,
        }
        done = subprocess.run(
            [sys.executable, "-c", _BARE if program is None else _CHILD, str(program), home, module],
            env=environment,
            cwd=program,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    if not done.stdout:
        raise SystemExit(done.stderr)
    passed_s, worked_s = map(float, done.stdout.split()[-2:])
    return passed_s, worked_s


def main() -> None:
    """Measure in turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--also", default="", metavar="MODULE")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    folders = [folder.resolve() for folder in args.folders] or [Path(__file__).resolve().parents[2]]
    kinds: list[tuple[Path | None, str]] = [(None, ""), *((folder, "") for folder in folders)]
    kinds += [(folders[-1], args.also)] if args.also else []
    times: dict[tuple[Path | None, str], list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for kind in kinds:
        seconds_of(*kind)  # the first start reads the files from the disk
    for _ in range(args.runs):
        for kind in kinds:
            times[kind].append(seconds_of(*kind))
    for (folder, module), each in times.items():
        what = "a bare window" if folder is None else f"{folder} and {module}" if module else str(folder)
        print(what)
        for name, values in zip(("passed", "worked"), zip(*each, strict=True), strict=True):
            print(f"  {name}: median {median(values):.2f} s, {min(values):.2f} to {max(values):.2f}")


if __name__ == "__main__":
    main()
