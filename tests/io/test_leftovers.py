"""What a killed program was preparing is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from semc_core.export.staging import Staging
from semc_core.io.leftovers import work_path

ROOT = Path(__file__).parents[2]
_GONE = 999_999_999  # no system gives such a number


def part(folder: Path, host: str | None, name: str = "old", pid: int = _GONE) -> Path:
    """A hidden folder as an export prepares it."""
    work = folder / f".{name}.{pid}.part"
    (work / "bundle").mkdir(parents=True)
    if host is not None:
        (work / "host").write_text(host, encoding="utf-8")
    return work


def test_the_next_export_removes_what_killed_ones_left_beside_it_whatever_their_names(tmp_path: Path) -> None:
    here = platform.node()
    dead = [part(tmp_path, here), part(tmp_path, here, "mine", os.getpid()), part(tmp_path, None, "study")]
    of_a_day_ago = part(tmp_path, None, "earlier")
    os.utime(of_a_day_ago, (0, 0))
    stays = [
        part(tmp_path, here, "running", os.getppid()),
        part(tmp_path, "another machine", "elsewhere"),
        part(tmp_path, None, "who knows"),
    ]
    somebodys = part(tmp_path, here, "somebody's")
    (somebodys / "notes.txt").write_text("mine", encoding="utf-8")
    in_work = part(tmp_path, here, "now")
    in_work.rename(work_path(tmp_path / "now"))
    with Staging(tmp_path / "study") as staging:
        assert (staging.folder.parent.stat().st_mode & 0o777) == 0o700
    assert not any(path.exists() for path in (*dead, of_a_day_ago))
    assert all(path.exists() for path in (*stays, somebodys, work_path(tmp_path / "now")))


@pytest.mark.skipif(sys.platform == "win32", reason="there a termination cannot be heard")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_command_that_is_terminated_leaves_nothing_of_what_it_prepared(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """An export stands still in its middle; the signal comes there."""
    program = (
        "import signal, sys, time, main\n"
        "from pathlib import Path\n"
        "from semc_core.cli.shared.tree import Commands\n"
        "from semc_core.export.staging import Staging\n"
        # What a shell starts in the background is deaf to it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def stand_still(given):\n"
        "    with Staging(Path(given[1])) as staging:\n"
        "        staging.write('a', b'a')\n"
        "        print('here', flush=True)\n"
        "        time.sleep(60)\n"
        "main._command = stand_still\n"
        "sys.exit(main.main(['export', sys.argv[1]]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "study")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as export:  # fmt: skip
        assert export.stdout is not None
        assert export.stdout.readline() == b"here\n"
        assert [path.name for path in tmp_path.iterdir()] == [f".study.{export.pid}.part"]
        export.send_signal(number)
        _, errors = export.communicate(timeout=60)
    assert (export.returncode, errors) == (code, b"")
    assert list(tmp_path.iterdir()) == []
