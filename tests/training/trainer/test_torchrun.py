"""A training of two processes outlives the death of one."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.training.toy_folder import write_toy_folder

ROOT = Path(__file__).resolve().parents[3]
LONGEST_S = 240


def _second_process(launcher: int) -> psutil.Process | None:
    """Of those that torchrun started, the one of rank 1."""
    for process in psutil.Process(launcher).children():
        if process.environ().get("LOCAL_RANK") == "1":
            return process
    return None


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="kills a process by SIGKILL")
def test_a_killed_process_of_two_is_begun_again_and_the_training_goes_on(tmp_path: Path) -> None:
    toys = write_toy_folder(tmp_path / "toys", 60, 20)
    out, steps = tmp_path / "model.safetensors", 24
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", "1", "-m", "tests.old_files.small", "train"]
    command += ["--data", str(toys), "--out", str(out), "--steps", str(steps), "--batch", "8", "--resume"]
    own = os.environ | {
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # see docs/scaling.md
        "OMP_NUM_THREADS": "1",
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
    }
    with (tmp_path / "said").open("w+", encoding="utf-8") as said:
        with subprocess.Popen(command, cwd=ROOT, env=own, stdout=said, stderr=subprocess.STDOUT) as launcher:
            try:
                while not (out.with_suffix(".run") / "last.pt").exists() and launcher.poll() is None:
                    time.sleep(0.1)
                if killed := _second_process(launcher.pid):
                    killed.send_signal(signal.SIGKILL)
                code = launcher.wait(LONGEST_S)
            finally:
                launcher.kill()
        said.seek(0)
        told = said.read()
    assert code == 0, told
    assert killed is not None
    assert "Goes on at step" in told
    with (out.with_suffix(".run") / "log.csv").open(newline="", encoding="utf-8") as log:
        logged = [int(row["step"]) for row in csv.DictReader(log)]
    assert logged == sorted(set(logged))
    assert logged[-1] == steps
    assert out.exists()
