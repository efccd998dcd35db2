"""Secrets in files of their own, which nobody but their owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make_secret(path: Path, count: int) -> bytes:
    """The content of `path`; `count` random bytes are written there when there is none.

    Raises:
        OSError: It can neither be read nor made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path, count)
    return path.read_bytes()


def _make(path: Path, count: int) -> None:
    """Write a new secret. Of two programs that do so at once, the first one's stays."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(count))
            file.flush()
            os.fsync(file.fileno())
        if os.name == "nt":
            # Windows renames only to a name that is free, which is what is wanted.
            if not path.exists():
                temporary.rename(path)
        else:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return
    finally:
        temporary.unlink(missing_ok=True)
