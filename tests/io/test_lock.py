"""The writer's lock on disks that do not do what is asked of them."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from semc_core.errors import SaveError
from semc_core.io.lock import LOCK_NAME, WriterLock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks are others there")


def test_a_lock_is_given_back_although_its_file_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "read-only")

    lock = WriterLock(tmp_path)
    monkeypatch.setattr(Path, "unlink", refused)
    lock.release()
    assert (tmp_path / LOCK_NAME).exists()
    WriterLock(tmp_path).release()


def test_a_file_system_without_locks_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", unknown)
    with pytest.raises(SaveError, match=os.strerror(errno.ENOLCK)):
        WriterLock(tmp_path)
