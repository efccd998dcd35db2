"""A training whose disk is full says so, and leaves no half of a file there."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from semc_core.errors import SaveError
from training.cli.common import telling_failure
from training.trainer.checkpoint import read_checkpoint, write_checkpoint
from training.trainer.loggers import PROGRESS_NAME, Progress, RunLogger

if sys.platform == "win32":
    pytest.skip("needs limits of the size of files", allow_module_level=True)
import resource

LIMIT = 400_000


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process grows beyond 400 kB: as a full disk, for every user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_checkpoint_that_finds_no_room_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    write_checkpoint(path, {"step": 1})
    with pytest.raises(SaveError, match="Nothing could be written to"):
        write_checkpoint(path, {"step": 2, "weights": torch.rand(LIMIT)})
    assert read_checkpoint(path) == {"step": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.usefixtures("small_files")
def test_a_fault_is_raised_though_nobody_can_be_told_of_it(tmp_path: Path) -> None:
    (tmp_path / PROGRESS_NAME).write_text(" " * LIMIT, encoding="utf-8")
    with pytest.raises(SaveError, match="Nothing could be written to"):
        Progress(tmp_path).tell("started")
    with pytest.raises(SaveError, match="the fault itself"), telling_failure(tmp_path):
        raise SaveError("the fault itself")


def test_a_log_that_finds_no_room_at_its_end_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RunLogger(tmp_path, ("step", "loss"))
    finish = log._board.close

    def full() -> None:
        finish()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log._board, "close", full)
    with pytest.raises(SaveError, match="disk"):
        log.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "my.run").write_text("in the way", encoding="utf-8")
    with pytest.raises(SaveError, match="Nothing could be written to"), telling_failure(tmp_path / "my.run"):
        pass
