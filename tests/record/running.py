"""Runs the program's commands as its user does, in a process and with folders of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ROOT.parent / "shared"
PLAIN: Final = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "COLUMNS": "100",
    "MKL_CBWR": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENCV_IPP": "disabled",
    "OPENCV_LOG_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
    "TERM": "dumb",
}
"""What makes all processors compute alike."""

ON_CPU: Final = ("--device", "cpu", "--precision", "float32", "--threads", "1")

_RUN_ALL: Final = """
import contextlib, io, json, os, sys
if hasattr(os, "sched_setaffinity"):  # encoders and libraries then start one thread
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
from main import main
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            code = main(line)
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([code, out.getvalue()]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to work in.

    Attributes:
        folder: Must be there. The program's own folders (data, log, cache) are made in it.
    """

    folder: Path

    @property
    def data(self) -> Path:
        """What the program keeps for its user."""
        return self.folder / "xdg" / "semc-live"

    def semc(self, *commands: Sequence[object], plain: Mapping[str, str] = PLAIN) -> list[str]:
        """Run commands one after the other in one process. Returns what each printed; none may fail.

        Args:
            commands: The words of each.
            plain: What makes processors compute alike.
        """
        words = [[str(word) for word in command] for command in commands]
        own = {f"XDG_{name}_HOME": str(self.folder / "xdg") for name in ("DATA", "STATE", "CACHE", "CONFIG")}
        done = subprocess.run(
            [sys.executable, "-c", _RUN_ALL, json.dumps(words)],
            cwd=self.folder,
            env=_inherited() | dict(plain) | own | {"PYTHONPATH": str(ROOT), "HOME": str(self.folder)},
            capture_output=True,
            encoding="utf-8",
        )
        told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        codes = [code for code, _ in told]
        assert codes == [0] * len(words), f"{words[len(codes) - 1 :][:1]}: {codes}\n{done.stderr[-4000:]}"
        return [printed for _, printed in told]


def _inherited() -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}
