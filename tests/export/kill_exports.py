"""Kill exports at random moments and look at what is left.

`python tests/export/kill_exports.py FOLDER [TIMES]`

The tests do it a few times. A process of its own exports; it is killed with SIGKILL after a random delay.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from semc_core.export.bundle import export_session  # noqa: E402
from semc_core.export.manifest import check_bundle  # noqa: E402
from semc_core.export.options import ExportOptions  # noqa: E402
from semc_core.session.session import Session  # noqa: E402
from tests.export.scans import video_session  # noqa: E402

_OPTIONS = ExportOptions(clips=False, report=False, deidentify=False)
PROGRAM = """
import sys
from pathlib import Path
from semc_core.export import bundle
from semc_core.export.options import ExportOptions
from semc_core.session.session import Session
bundle.load_text_finder = lambda: None
folder, target = map(Path, sys.argv[1:])
with Session.open(folder) as session:
    print("begin", flush=True)
    bundle.export_session(session, target, ExportOptions(), data=folder.parent)
    print("end", flush=True)
"""


def kill_in_the_middle(folder: Path, times: int, seed: int = 1) -> int:
    """Kill `times` exports; after each, the target is whole or absent. Returns how many were absent."""
    with video_session(folder / "scan", count=20) as session:
        scan = session.folder
    rng = random.Random(seed)
    longest_s = 0.0
    absent = 0
    for number in range(times + 1):
        target = folder / f"out{number}{'.zip' if number % 2 else ''}"
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(scan), str(target)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            cwd=ROOT,
        )
        assert process.stdout is not None
        with process, process.stdout as lines:
            assert lines.readline() == "begin\n"
            began_s = time.monotonic()
            if number == 0:
                # The first one lives, and says how long an export takes here.
                assert lines.readline() == "end\n"
                longest_s = time.monotonic() - began_s
                continue
            time.sleep(rng.uniform(0, 1.1 * longest_s))
            process.kill()
        if target.exists():
            assert check_bundle(target).ok, "a half bundle"
        else:
            absent += 1
            # The next export finds what the killed one was preparing, and the session unharmed.
            with Session.open(scan) as session:
                export_session(session, target, _OPTIONS, data=folder)
            assert check_bundle(target).ok
    assert not list(folder.glob(".out*")), "leftovers"
    with Session.open(scan) as session:
        assert session.verify().ok
    return absent


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    print(f"{kill_in_the_middle(place, count)} of {count} kills left no bundle, the others a whole one")
